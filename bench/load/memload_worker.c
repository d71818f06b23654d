// SPDX-License-Identifier: GPL-2.0-only
/*
 * A thread with its share of the connections. Closed loop: each connection has depth requests
 * without an answer at any time. Open loop: the schedule is a sequence of arrival times of which
 * only the next is kept. A request whose time has come while no connection is free stays in the
 * sequence, is sent later, and its latency counts from its place in the schedule all the same.
 */
#include <errno.h>
#include <limits.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "bench/load/memload.h"

#define EVENTS 64
/* How long a thread sleeps at most: timeouts are looked for as often. */
#define TICK_NS 100000000ULL
/* While filling: requests in flight, and bytes to send, per connection. */
#define FILL_DEPTH 16
#define FILL_BYTES 262144

enum state { FILLING, FILLED, LOADING, DONE };

struct worker {
	const struct memload_options *options;
	struct phases *phases;
	struct conn *conns;
	unsigned int conn_count, next_conn; /* next_conn: whose turn it is in the open loop */
	struct conn **dirty;		    /* the open loop's connections with requests to send */
	unsigned int dirty_count;
	unsigned int depth, free_slots;
	int epoll_fd, wake_fd;
	pthread_t thread;

	enum state state;
	bool in_window;
	uint32_t fill_next, fill_end;
	double next_arrival_ns, mean_gap_ns;
	uint64_t next_check_ns;
	struct source source;
	struct counts counts;
};

static void flush(struct worker *w, struct conn *conn)
{
	struct epoll_event event = { .data.ptr = conn };
	bool blocked;

	w->counts.bytes_out += conn_send(conn, w->options);
	blocked = conn->out.start != conn->out.end;
	if (blocked == conn->polls_out)
		return;
	event.events = EPOLLIN | (blocked ? EPOLLOUT : 0U);
	epoll_ctl(w->epoll_fd, EPOLL_CTL_MOD, conn->fd, &event);
	conn->polls_out = blocked;
}

/* --- the open loop's schedule --- */

static void next_arrival(struct worker *w)
{
	double gap = w->mean_gap_ns;

	if (!w->options->uniform_arrivals)
		gap *= -log(rng_unit(&w->source.rng));
	if (w->next_arrival_ns >= (double)atomic_load(&w->phases->begin_at))
		w->counts.arrivals++;
	w->next_arrival_ns += gap;
}

static struct conn *free_conn(struct worker *w)
{
	struct conn *conn;

	do {
		conn = &w->conns[w->next_conn];
		w->next_conn = w->next_conn + 1 < w->conn_count ? w->next_conn + 1 : 0;
	} while (conn->in_flight >= w->depth);
	return conn;
}

static void send_due(struct worker *w)
{
	uint64_t now = now_ns();

	while (w->free_slots && w->next_arrival_ns <= (double)now) {
		struct conn *conn = free_conn(w);

		source_queue(&w->source, conn, (uint64_t)w->next_arrival_ns, now);
		if (!conn->dirty)
			w->dirty[w->dirty_count++] = conn;
		conn->dirty = true;
		w->free_slots--;
		next_arrival(w);
	}
	for (unsigned int i = 0; i < w->dirty_count; i++) {
		w->dirty[i]->dirty = false;
		flush(w, w->dirty[i]);
	}
	w->dirty_count = 0;
}

/* --- filling and the closed loop --- */

static void fill(struct worker *w, struct conn *conn, uint64_t now)
{
	while (w->fill_next < w->fill_end && conn->in_flight < FILL_DEPTH &&
	       conn->out.end - conn->out.start < FILL_BYTES)
		source_queue_set(&w->source, conn, w->fill_next++, now);
	flush(w, conn);
}

static void check_filled(struct worker *w)
{
	uint64_t one = 1;

	if (w->fill_next < w->fill_end)
		return;
	for (unsigned int i = 0; i < w->conn_count; i++) {
		if (w->conns[i].in_flight)
			return;
	}
	w->state = FILLED;
	atomic_fetch_add(&w->phases->filled, 1);
	if (write(w->phases->filled_fd, &one, sizeof(one)) < 0)
		die("eventfd: %m");
}

static void top_up(struct worker *w, struct conn *conn)
{
	uint64_t now = now_ns();

	while (conn->in_flight < w->depth)
		source_queue(&w->source, conn, now, now);
	flush(w, conn);
}

static void start_load(struct worker *w)
{
	double phase = w->options->uniform_arrivals ? rng_unit(&w->source.rng) : 1;

	w->state = LOADING;
	w->free_slots = w->conn_count * w->depth;
	w->next_arrival_ns = (double)atomic_load(&w->phases->load_at) + phase * w->mean_gap_ns;
	if (w->options->rate > 0)
		return;
	for (unsigned int i = 0; i < w->conn_count; i++)
		top_up(w, &w->conns[i]);
}

/* --- answers --- */

static void reset_counts(struct worker *w)
{
	struct counts *counts = &w->counts;

	histogram_reset(counts->get_latency);
	histogram_reset(counts->set_latency);
	*counts = (struct counts){ .get_latency = counts->get_latency,
				   .set_latency = counts->set_latency };
}

/* Must be called with each new time, before anything of that time is counted. */
static void follow_phases(struct worker *w, uint64_t now)
{
	if (w->state == FILLED && now >= atomic_load(&w->phases->load_at))
		start_load(w);
	if (!w->in_window && now >= atomic_load(&w->phases->begin_at)) {
		reset_counts(w);
		w->in_window = true;
	}
	if (now >= atomic_load(&w->phases->end_at))
		w->state = DONE;
}

static void count(struct worker *w, const struct request *request, enum reply_kind kind,
		  const struct reply *reply, uint64_t now)
{
	struct counts *c = &w->counts;
	uint64_t latency = now > request->start_ns ? now - request->start_ns : 0;

	histogram_add(request->get ? c->get_latency : c->set_latency, latency);
	if (!request->get) {
		c->sets++;
		return;
	}
	c->gets++;
	if (kind == REPLY_MISS) {
		c->misses++;
		return;
	}
	c->hits++;
	if (w->options->verify && !value_is_of(request->key, reply->value, reply->value_size))
		c->verify_errors++;
}

static void refuse(const struct worker *w, const char *text, size_t len)
{
	const char *newline = memchr(text, '\n', len);
	int shown = (int)(newline ? newline - text : (long)len);

	if (shown > 0 && text[shown - 1] == '\r')
		shown--;
	die("%s answered '%.*s': it should be memcached 1.6 or later (older: --protocol text), "
	    "with memory for the values (-m), items of their size (-I) and enough connections (-c)",
	    w->options->server, shown > 200 ? 200 : shown, text);
}

/* Takes all whole answers from the buffer. */
static void take_answers(struct worker *w, struct conn *conn, uint64_t now)
{
	struct buffer *in = &conn->in;

	while (in->start < in->end) {
		const char *data = in->data + in->start;
		size_t len = in->end - in->start;
		const struct request *request = conn_oldest(conn);
		enum reply_kind kind;
		struct reply reply;

		if (!request)
			refuse(w, data, len);
		kind = reply_parse(w->options->protocol, request->get, data, len, &reply);
		if (kind == REPLY_UNKNOWN)
			refuse(w, data, len);
		if (kind == REPLY_PARTIAL) {
			if (reply.size > len)
				buffer_reserve(in, reply.size - len);
			return;
		}
		count(w, request, kind, &reply, now);
		conn_pop(conn, now);
		w->free_slots++;
		in->start += reply.size;
	}
	in->start = in->end = 0;
}

static void on_event(struct worker *w, struct conn *conn, uint32_t events)
{
	uint64_t now;

	if (events & ~(uint32_t)EPOLLOUT) {
		size_t received = conn_receive(conn, w->options);

		now = now_ns();
		follow_phases(w, now);
		if (w->state == DONE)
			return;
		w->counts.bytes_in += received;
		take_answers(w, conn, now);
	}
	if (w->state == FILLING)
		fill(w, conn, now_ns());
	else if (w->state == LOADING && w->options->rate <= 0)
		top_up(w, conn);
	else
		flush(w, conn);
}

/* --- the thread --- */

static void check_timeouts(struct worker *w, uint64_t now)
{
	uint64_t limit = (uint64_t)(w->options->timeout_s * 1e9);

	if (now < w->next_check_ns)
		return;
	w->next_check_ns = now + TICK_NS;
	for (unsigned int i = 0; i < w->conn_count; i++) {
		const struct conn *conn = &w->conns[i];

		if (conn->in_flight && now > conn->progress_ns + limit)
			die("%s: no answer for %g s: look whether memcached there hangs or "
			    "takes too few connections (-c), look at the network, or allow more "
			    "with --timeout",
			    w->options->server, w->options->timeout_s);
	}
}

static struct timespec time_to_sleep(const struct worker *w, uint64_t now)
{
	double until = (double)(now + TICK_NS), end = (double)atomic_load(&w->phases->end_at);
	uint64_t sleep;

	if (w->state == FILLED)
		until = fmin(until, (double)atomic_load(&w->phases->load_at));
	if (w->state == LOADING && w->options->rate > 0 && w->free_slots)
		until = fmin(until, w->next_arrival_ns);
	until = fmin(until, end);
	sleep = until > (double)now ? (uint64_t)(until - (double)now) + 1 : 0;
	return (struct timespec){ .tv_nsec = (long)sleep };
}

static void wait_for_events(struct worker *w)
{
	struct epoll_event events[EVENTS];
	struct timespec sleep = time_to_sleep(w, now_ns());
	int n = epoll_pwait2(w->epoll_fd, events, EVENTS, &sleep, NULL);
	uint64_t wakes;

	if (n < 0 && errno != EINTR)
		die("epoll_pwait2: %m: Linux 5.11 or later is needed");
	for (int i = 0; i < n && w->state != DONE; i++) {
		if (events[i].data.ptr)
			on_event(w, events[i].data.ptr, events[i].events);
		else if (read(w->wake_fd, &wakes, sizeof(wakes)) < 0 && errno != EAGAIN)
			die("eventfd: %m");
	}
}

/* What is still to be answered when the window ends, sent or not. */
static void count_unanswered(struct worker *w)
{
	uint64_t end = atomic_load(&w->phases->end_at), oldest = end;

	for (unsigned int i = 0; i < w->conn_count; i++) {
		const struct request *request = conn_oldest(&w->conns[i]);

		w->counts.unanswered += w->conns[i].in_flight;
		if (request && request->start_ns < oldest)
			oldest = request->start_ns;
	}
	w->counts.oldest_wait_ns = end - oldest;
	if (w->options->rate <= 0)
		return;
	if (w->next_arrival_ns < (double)oldest)
		oldest = (uint64_t)w->next_arrival_ns;
	for (; w->next_arrival_ns < (double)end; w->counts.unanswered++)
		next_arrival(w);
	w->counts.oldest_wait_ns = end - oldest;
}

static void *run(void *arg)
{
	struct worker *w = arg;

	for (unsigned int i = 0; i < w->conn_count; i++)
		fill(w, &w->conns[i], now_ns());
	while (w->state != DONE) {
		uint64_t now;

		if (w->state == FILLING)
			check_filled(w);
		wait_for_events(w);
		now = now_ns();
		follow_phases(w, now);
		if (w->state == LOADING && w->options->rate > 0)
			send_due(w);
		check_timeouts(w, now);
	}
	count_unanswered(w);
	return NULL;
}

/* The index'th of parts nearly equal parts of total begins here. */
static unsigned int share(unsigned int total, unsigned int parts, unsigned int index)
{
	return (unsigned int)((uint64_t)total * index / parts);
}

static void watch(const struct worker *w, int fd, struct conn *conn)
{
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = conn };

	if (epoll_ctl(w->epoll_fd, EPOLL_CTL_ADD, fd, &event))
		die("epoll_ctl: %m");
}

struct worker *worker_new(const struct memload_options *options, const struct keyspace *keys,
			  struct phases *phases, unsigned int index)
{
	struct worker *w = allocate(1, sizeof(*w));
	unsigned int first = share(options->connections, options->threads, index);
	unsigned int ring = options->depth > FILL_DEPTH ? options->depth : FILL_DEPTH;

	w->options = options;
	w->phases = phases;
	w->depth = options->depth;
	w->conn_count = share(options->connections, options->threads, index + 1) - first;
	w->fill_end = options->fill ? share(keys->count, options->threads, index + 1) : 0;
	w->fill_next = options->fill ? share(keys->count, options->threads, index) : 0;
	w->mean_gap_ns = options->rate > 0 ? 1e9 / options->rate * options->threads : 0;
	source_init(&w->source, options, keys, index);
	w->counts.get_latency = histogram_new();
	w->counts.set_latency = histogram_new();
	w->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	w->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (w->epoll_fd < 0 || w->wake_fd < 0)
		die("epoll: %m: raise 'ulimit -n' or use fewer --threads");
	watch(w, w->wake_fd, NULL);
	w->conns = allocate(w->conn_count, sizeof(*w->conns));
	w->dirty = allocate(w->conn_count, sizeof(struct conn *));
	for (unsigned int i = 0; i < w->conn_count; i++) {
		conn_open(&w->conns[i], options, ring);
		watch(w, w->conns[i].fd, &w->conns[i]);
	}
	return w;
}

void worker_start(struct worker *worker)
{
	int ret = pthread_create(&worker->thread, NULL, run, worker);

	if (ret)
		die("cannot start a thread: %s: use fewer --threads", strerror(ret));
}

void worker_wake(struct worker *worker)
{
	uint64_t one = 1;

	if (write(worker->wake_fd, &one, sizeof(one)) < 0)
		die("eventfd: %m");
}

const struct counts *worker_join(struct worker *worker)
{
	pthread_join(worker->thread, NULL);
	return &worker->counts;
}

void worker_free(struct worker *worker)
{
	for (unsigned int i = 0; i < worker->conn_count; i++)
		conn_close(&worker->conns[i]);
	close(worker->epoll_fd);
	close(worker->wake_fd);
	histogram_free(worker->counts.get_latency);
	histogram_free(worker->counts.set_latency);
	free(worker->conns);
	free(worker->dirty);
	free(worker);
}
