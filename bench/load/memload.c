// SPDX-License-Identifier: GPL-2.0-only
/*
 * Loads a memcached server over TCP and measures it: closed loop, or open loop with latency from
 * the schedule. Steered as control.h says, or alone with --runtime.
 */
#include <errno.h>
#include <math.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "bench/load/control.h"
#include "bench/load/memload.h"

/* The window's ends are set this far ahead, so that each thread knows them in time. */
#define AHEAD_NS 1000000

struct run {
	struct memload_options options;
	struct keyspace keys;
	struct phases phases;
	struct worker **workers;
	double cpu_s; /* first at the beginning, then in the window */
};

static double cpu_now_s(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
	       (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

/* --- waiting --- */

static void sleep_until(uint64_t at)
{
	struct timespec time = { .tv_sec = (time_t)(at / 1000000000),
				 .tv_nsec = (long)(at % 1000000000) };

	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, NULL) == EINTR)
		;
}

/* Returns the next word, CONTROL_NONE when the time has come or fd (or -1) is readable. */
static enum control_word wait_for(const struct run *run, uint64_t until, int fd)
{
	bool steered = run->options.runtime_s <= 0;
	struct pollfd fds[] = { { .fd = steered ? control_fd() : -1, .events = POLLIN },
				{ .fd = fd, .events = POLLIN } };

	for (;;) {
		uint64_t now = now_ns(), left = until > now ? until - now : 0;
		struct timespec timeout = { .tv_sec = (time_t)(left / 1000000000),
					    .tv_nsec = (long)(left % 1000000000) };
		enum control_word word = steered ? control_poll() : CONTROL_NONE;

		if (word == CONTROL_GONE)
			_exit(1); /* control_poll() has said why */
		if (word != CONTROL_NONE || !left)
			return word;
		if (ppoll(fds, 2, until == NEVER ? NULL : &timeout, NULL) < 0 && errno != EINTR)
			die("poll: %m");
		if (fds[1].revents)
			return CONTROL_NONE;
	}
}

/* Waits without accepting a word. */
static void wait_silently(const struct run *run, uint64_t until, int fd)
{
	if (wait_for(run, until, fd) != CONTROL_NONE)
		die("a word on stdin came too early: wait for the event before it");
}

static void wait_for_word(const struct run *run, enum control_word wanted, const char *name)
{
	if (wait_for(run, NEVER, -1) != wanted)
		die("another word on stdin where '%s' was due", name);
}

/* --- the run's phases --- */

static void set_phase(struct run *run, _Atomic uint64_t *phase, uint64_t at)
{
	atomic_store(phase, at);
	for (unsigned int i = 0; i < run->options.threads; i++)
		worker_wake(run->workers[i]);
}

static void set_up(struct run *run)
{
	const struct memload_options *options = &run->options;

	keyspace_init(&run->keys, options->keys, &options->key_size);
	atomic_init(&run->phases.load_at, NEVER);
	atomic_init(&run->phases.begin_at, NEVER);
	atomic_init(&run->phases.end_at, NEVER);
	run->phases.filled_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (run->phases.filled_fd < 0)
		die("eventfd: %m");
	prctl(PR_SET_TIMERSLACK, 1UL); /* or arrivals would be up to 50 us late */
	run->workers = allocate(options->threads, sizeof(struct worker *));
	for (unsigned int i = 0; i < options->threads; i++)
		run->workers[i] = worker_new(options, &run->keys, &run->phases, i);
	for (unsigned int i = 0; i < options->threads; i++)
		worker_start(run->workers[i]);
}

static void fill_and_warm_up(struct run *run)
{
	uint64_t now, events;

	while (atomic_load(&run->phases.filled) < run->options.threads) {
		wait_silently(run, NEVER, run->phases.filled_fd);
		if (read(run->phases.filled_fd, &events, sizeof(events)) < 0 && errno != EAGAIN)
			die("eventfd: %m");
	}
	now = now_ns();
	set_phase(run, &run->phases.load_at, now);
	wait_silently(run, now + (uint64_t)(run->options.warmup_s * 1e9), -1);
}

static void begin(struct run *run)
{
	uint64_t at = now_ns() + AHEAD_NS;

	set_phase(run, &run->phases.begin_at, at);
	wait_silently(run, at, -1);
	run->cpu_s = cpu_now_s();
}

static void end(struct run *run)
{
	uint64_t at = now_ns() + AHEAD_NS;

	if (run->options.runtime_s > 0)
		at = atomic_load(&run->phases.begin_at) + (uint64_t)(run->options.runtime_s * 1e9);
	set_phase(run, &run->phases.end_at, at);
	sleep_until(at); /* stdin may well end now */
	run->cpu_s = cpu_now_s() - run->cpu_s;
}

/* --- the result --- */

static json_t *number(double value)
{
	return isfinite(value) ? json_real(value) : json_null();
}

static void add_counts(struct counts *sum, const struct counts *c)
{
	sum->gets += c->gets;
	sum->sets += c->sets;
	sum->hits += c->hits;
	sum->misses += c->misses;
	sum->verify_errors += c->verify_errors;
	sum->bytes_in += c->bytes_in;
	sum->bytes_out += c->bytes_out;
	sum->arrivals += c->arrivals;
	sum->unanswered += c->unanswered;
	if (c->oldest_wait_ns > sum->oldest_wait_ns)
		sum->oldest_wait_ns = c->oldest_wait_ns;
	histogram_merge(sum->get_latency, c->get_latency);
	histogram_merge(sum->set_latency, c->set_latency);
}

static void add_latency(json_t *result, const struct counts *sum)
{
	struct histogram *all = histogram_new();

	histogram_merge(all, sum->get_latency);
	histogram_merge(all, sum->set_latency);
	json_object_set_new(result, "lat_mean_s", number(histogram_mean_s(all)));
	json_object_set_new(result, "lat_p50_s", number(histogram_quantile_s(all, 0.5)));
	json_object_set_new(result, "lat_p90_s", number(histogram_quantile_s(all, 0.9)));
	json_object_set_new(result, "lat_p99_s", number(histogram_quantile_s(all, 0.99)));
	json_object_set_new(result, "lat_p999_s", number(histogram_quantile_s(all, 0.999)));
	json_object_set_new(result, "lat_max_s", number(histogram_max_s(all)));
	json_object_set_new(result, "get_lat_p99_s",
			    number(histogram_quantile_s(sum->get_latency, 0.99)));
	histogram_free(all);
}

static void add_open_loop(json_t *result, const struct counts *sum, double window_s)
{
	json_object_set_new(result, "offered_per_s", number((double)sum->arrivals / window_s));
	json_object_set_new(result, "unanswered", json_integer((json_int_t)sum->unanswered));
}

static json_t *result_of(const struct run *run, const struct counts *sum)
{
	const struct memload_options *options = &run->options;
	double window_s =
		(double)(atomic_load(&run->phases.end_at) - atomic_load(&run->phases.begin_at)) /
		1e9;
	uint64_t ops = sum->gets + sum->sets;
	json_t *result = json_pack(
		"{s:f s:I s:I s:I s:I s:I s:I s:f s:I s:I s:i s:i s:i s:f s:s}", "window_s",
		window_s, "ops", (json_int_t)ops, "gets", (json_int_t)sum->gets, "sets",
		(json_int_t)sum->sets, "hits", (json_int_t)sum->hits, "misses",
		(json_int_t)sum->misses, "verify_errors", (json_int_t)sum->verify_errors,
		"ops_per_s", (double)ops / window_s, "bytes_in", (json_int_t)sum->bytes_in,
		"bytes_out", (json_int_t)sum->bytes_out, "threads", (int)options->threads,
		"connections", (int)options->connections, "depth", (int)options->depth, "cpu_s",
		run->cpu_s, "latency_from", options->rate > 0 ? "schedule" : "send");

	if (!result)
		die("out of memory");
	add_latency(result, sum);
	json_object_set_new(result, "oldest_wait_s", number((double)sum->oldest_wait_ns / 1e9));
	if (options->rate > 0)
		add_open_loop(result, sum, window_s);
	return result;
}

static void report(struct run *run)
{
	struct counts sum = { .get_latency = histogram_new(), .set_latency = histogram_new() };

	for (unsigned int i = 0; i < run->options.threads; i++)
		add_counts(&sum, worker_join(run->workers[i]));
	control_event("result", result_of(run, &sum));
	histogram_free(sum.get_latency);
	histogram_free(sum.set_latency);
}

static void tear_down(struct run *run)
{
	for (unsigned int i = 0; i < run->options.threads; i++)
		worker_free(run->workers[i]);
	free(run->workers);
	close(run->phases.filled_fd);
	keyspace_free(&run->keys);
	options_free(&run->options);
}

int main(int argc, char **argv)
{
	struct run run = { 0 };

	options_parse(argc, argv, &run.options);
	if (run.options.runtime_s > 0)
		alarm(run.options.limit_s);
	else
		control_init(run.options.limit_s);
	set_up(&run);
	fill_and_warm_up(&run);
	control_event("ready", NULL);
	if (run.options.runtime_s <= 0)
		wait_for_word(&run, CONTROL_BEGIN, "begin");
	begin(&run);
	control_event("begun", NULL);
	if (run.options.runtime_s <= 0)
		wait_for_word(&run, CONTROL_END, "end");
	end(&run);
	report(&run);
	tear_down(&run);
	return 0;
}
