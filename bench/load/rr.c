// SPDX-License-Identifier: GPL-2.0-only
/*
 * TCP request/response: the client sends a message, the server answers the whole of it with one of
 * the same size, and only then comes the next. With several flows each has one message under way.
 * No packaged tool does this with messages of one byte and a latency distribution.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "bench/load/control.h"
#include "bench/load/histogram.h"

#define MAX_SIZE (16 * 1024)
#define MAX_FLOWS 256
#define CONTROL MAX_FLOWS /* the event that is no flow's */
#define STALL_MS 5000	  /* no answer for that long: the other end is gone */
#define LATE_S 2	  /* nor may a result hide a flow that waits for so long */

struct options {
	const char *serve, *host;
	char *port;
	size_t size, flows;
	double warmup_s, runtime_s;
	unsigned int limit_s;
};

struct flow {
	size_t left; /* bytes of this message that are to come */
	uint64_t sent_ns;
	int fd;
	bool open;
};

static struct flow flows[MAX_FLOWS];
static char message[MAX_SIZE];

__attribute__((noreturn, format(printf, 1, 2))) static void fail(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	fputs("rr: ", stderr);
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
	va_end(ap);
	exit(1);
}

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000ULL + (uint64_t)ts.tv_nsec;
}

static void watch(int epoll, int fd, uint32_t id)
{
	struct epoll_event event = { .events = EPOLLIN, .data.u32 = id };

	if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event))
		fail("epoll: %s", strerror(errno));
}

static void no_delay(int fd)
{
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){ 1 }, sizeof(int));
}

/*
 * One message, whatever is in it. Sockets block on writing: one message a flow always fits. False
 * with errno: the other end went away.
 */
static bool send_message(int fd, size_t len)
{
	while (len) {
		ssize_t n = send(fd, message, len, MSG_NOSIGNAL);

		if (n < 0)
			return false;
		len -= (size_t)n;
	}
	return true;
}

/* --- server: a message for each that has come whole --- */

/* False: the client went away. */
static bool answer(struct flow *flow, size_t size)
{
	ssize_t n = recv(flow->fd, message, flow->left, MSG_DONTWAIT);

	if (n <= 0)
		return n < 0 && errno == EAGAIN;
	flow->left -= (size_t)n;
	if (flow->left)
		return true;
	flow->left = size;
	return send_message(flow->fd, size);
}

static void serve_one(struct flow *flow, size_t size)
{
	if (answer(flow, size))
		return;
	close(flow->fd); /* epoll forgets it, too */
	flow->open = false;
}

static void accept_one(int epoll, int listener, size_t size)
{
	int fd = accept(listener, NULL, NULL);

	for (uint32_t i = 0; fd >= 0 && i < MAX_FLOWS; i++) {
		if (flows[i].open)
			continue;
		flows[i] = (struct flow){ .fd = fd, .left = size, .open = true };
		no_delay(fd);
		watch(epoll, fd, i);
		return;
	}
	if (fd >= 0)
		close(fd);
}

static int listen_on(const char *port)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
				       .sin_port = htons((uint16_t)strtoul(port, NULL, 10)) };
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd < 0)
		fail("socket: %s", strerror(errno));
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){ 1 }, sizeof(int));
	if (bind(fd, (void *)&address, sizeof(address)) || listen(fd, MAX_FLOWS))
		fail("cannot listen on port %s: %s: is another server running there?", port,
		     strerror(errno));
	return fd;
}

__attribute__((noreturn)) static void serve(const struct options *options)
{
	int listener = listen_on(options->serve), epoll = epoll_create1(0);
	struct epoll_event events[64];

	watch(epoll, listener, CONTROL);
	control_event("ready", NULL);
	for (;;) {
		int nr = epoll_wait(epoll, events, 64, -1);

		for (int i = 0; i < nr; i++) {
			if (events[i].data.u32 == CONTROL)
				accept_one(epoll, listener, options->size);
			else
				serve_one(&flows[events[i].data.u32], options->size);
		}
	}
}

/* --- client --- */

struct window {
	struct histogram *latency;
	uint64_t begin_ns;
	double cpu_s;
};

static double cpu_seconds(void)
{
	return (double)clock() / CLOCKS_PER_SEC;
}

static void begin_window(struct window *window)
{
	histogram_reset(window->latency);
	window->begin_ns = now_ns();
	window->cpu_s = cpu_seconds();
}

static void print_result(const struct window *window, const struct options *options)
{
	double s = (double)(now_ns() - window->begin_ns) * 1e-9;
	double nr = (double)histogram_count(window->latency);
	json_t *result =
		json_pack("{s:f, s:f, s:f, s:i, s:i, s:f}", "window_s", s, "transactions", nr,
			  "transactions_per_s", nr / s, "size", (int)options->size, "flows",
			  (int)options->flows, "cpu_s", cpu_seconds() - window->cpu_s);

	if (nr > 0)
		json_object_update_new(
			result, json_pack("{s:f, s:f, s:f, s:f, s:f}", "lat_mean_s",
					  histogram_mean_s(window->latency), "lat_p50_s",
					  histogram_quantile_s(window->latency, 0.5), "lat_p99_s",
					  histogram_quantile_s(window->latency, 0.99), "lat_p999_s",
					  histogram_quantile_s(window->latency, 0.999), "lat_max_s",
					  histogram_max_s(window->latency)));
	control_event("result", result);
}

static void connect_all(const struct options *options, int epoll)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *address;
	int err = getaddrinfo(options->host, options->port, &hints, &address);

	if (err)
		fail("%s: %s", options->host, gai_strerror(err));
	for (uint32_t i = 0; i < options->flows; i++) {
		int fd = socket(address->ai_family, SOCK_STREAM, 0);

		if (fd < 0 || connect(fd, address->ai_addr, address->ai_addrlen))
			fail("cannot connect to %s port %s: %s: does rr --serve run there?",
			     options->host, options->port, strerror(errno));
		flows[i].fd = fd;
		no_delay(fd);
		watch(epoll, fd, i);
	}
	freeaddrinfo(address);
}

static void send_next(struct flow *flow, const struct options *options)
{
	flow->left = options->size;
	flow->sent_ns = now_ns();
	if (!send_message(flow->fd, options->size))
		fail("%s port %s went away: %s: does the server still run?", options->host,
		     options->port, strerror(errno));
}

static void receive(struct flow *flow, const struct options *options, struct window *window)
{
	ssize_t n = recv(flow->fd, message, flow->left, MSG_DONTWAIT);

	if (n < 0 && errno == EAGAIN)
		return;
	if (n <= 0)
		fail("%s port %s went away: %s: does the server still run?", options->host,
		     options->port, n ? strerror(errno) : "connection closed");
	flow->left -= (size_t)n;
	if (flow->left)
		return;
	histogram_add(window->latency, now_ns() - flow->sent_ns);
	send_next(flow, options);
}

/* By hand the words come by the clock: ready after the warm-up, then one window. */
static enum control_word next_word(const struct options *options, uint64_t start_ns, bool told,
				   bool *begun)
{
	double s = (double)(now_ns() - start_ns) * 1e-9 - options->warmup_s;

	if (options->runtime_s <= 0)
		return told ? control_poll() : CONTROL_NONE;
	if (s >= 0 && !*begun) {
		*begun = true;
		return CONTROL_BEGIN;
	}
	return s >= options->runtime_s ? CONTROL_END : CONTROL_NONE;
}

/* Has a word come? Looking costs a system call, so nobody looks without a reason. */
static bool run_events(int epoll, const struct options *options, struct window *window)
{
	bool told = false;
	struct epoll_event events[64];
	int nr = epoll_wait(epoll, events, 64, STALL_MS);

	if (!nr)
		fail("%s port %s has not answered for %d s: is the cable plugged in, and has the "
		     "server the same --size?",
		     options->host, options->port, STALL_MS / 1000);
	for (int i = 0; i < nr; i++) {
		if (events[i].data.u32 == CONTROL)
			told = true;
		else
			receive(&flows[events[i].data.u32], options, window);
	}
	return told;
}

/* A transaction that never ends is in no latency. */
static void check_answers(const struct options *options)
{
	uint64_t now = now_ns();

	for (size_t i = 0; i < options->flows; i++)
		if (now - flows[i].sent_ns > LATE_S * 1000000000ULL)
			fail("%s port %s has not answered for %.1f s: is the cable plugged in?",
			     options->host, options->port, (double)(now - flows[i].sent_ns) * 1e-9);
}

static int client(const struct options *options)
{
	struct window window = { .latency = histogram_new() };
	bool ready = false, begun = false;
	int epoll = epoll_create1(0);
	uint64_t start;

	connect_all(options, epoll);
	if (options->runtime_s <= 0)
		watch(epoll, control_fd(), CONTROL);
	start = now_ns();
	begin_window(&window);
	for (size_t i = 0; i < options->flows; i++)
		send_next(&flows[i], options);
	for (;;) {
		bool told = run_events(epoll, options, &window);

		if (!ready && (double)(now_ns() - start) * 1e-9 >= options->warmup_s) {
			ready = true;
			control_event("ready", NULL);
		}
		switch (next_word(options, start, told, &begun)) {
		case CONTROL_BEGIN:
			begin_window(&window);
			control_event("begun", NULL);
			break;
		case CONTROL_END:
			check_answers(options);
			print_result(&window, options);
			histogram_free(window.latency);
			return 0;
		case CONTROL_GONE:
			return 1;
		case CONTROL_NONE:
			break;
		}
	}
}

/* --- options --- */

static void usage(FILE *out)
{
	fputs("usage: rr --serve PORT [--size BYTES] | rr --connect HOST:PORT [OPTIONS]\n"
	      "TCP request/response with messages of one size both ways\n"
	      "  --serve PORT      answer each message that has come whole with one\n"
	      "  --connect H:P     send messages there and wait for each\n"
	      "  --size BYTES      of a message, 1 to 16384, the same at both ends (1)\n"
	      "  --flows N         connections, each with one message under way (1)\n"
	      "  --warmup S        before it is ready (1)\n"
	      "  --runtime S       measure that long by itself; else as told on stdin\n"
	      "  --limit S         end after that long whatever happens (no limit)\n",
	      out);
}

static double number(const char *name, const char *text, double min, double max)
{
	char *end;
	double value = strtod(text, &end);

	if (end == text || *end || !(value >= min && value <= max)) {
		fprintf(stderr, "rr: --%s %s: give a number from %g to %g\n", name, text, min, max);
		exit(2);
	}
	return value;
}

static void split_address(char *text, struct options *options)
{
	char *colon = strrchr(text, ':');

	if (!colon || !colon[1] || colon == text) {
		fprintf(stderr, "rr: --connect %s: give HOST:PORT\n", text);
		exit(2);
	}
	*colon = '\0';
	options->host = text;
	options->port = colon + 1;
}

static void parse(int argc, char **argv, struct options *options)
{
	static const struct option names[] = {
		{ "serve", 1, NULL, 's' }, { "connect", 1, NULL, 'c' }, { "size", 1, NULL, 'b' },
		{ "flows", 1, NULL, 'f' }, { "warmup", 1, NULL, 'w' },	{ "runtime", 1, NULL, 't' },
		{ "limit", 1, NULL, 'l' }, { "help", 0, NULL, 'h' },	{ NULL, 0, NULL, 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "", names, NULL)) != -1) {
		if (c == 's')
			options->serve = (number("serve", optarg, 1, 65535), optarg);
		else if (c == 'c')
			split_address(optarg, options);
		else if (c == 'b')
			options->size = (size_t)number("size", optarg, 1, MAX_SIZE);
		else if (c == 'f')
			options->flows = (size_t)number("flows", optarg, 1, MAX_FLOWS);
		else if (c == 'w')
			options->warmup_s = number("warmup", optarg, 0, 3600);
		else if (c == 't')
			options->runtime_s = number("runtime", optarg, 0.01, 86400);
		else if (c == 'l')
			options->limit_s = (unsigned int)number("limit", optarg, 1, 86400);
		else {
			usage(c == 'h' ? stdout : stderr);
			exit(c == 'h' ? 0 : 2);
		}
	}
	if (optind < argc || !options->serve == !options->host) {
		usage(stderr);
		exit(2);
	}
}

int main(int argc, char **argv)
{
	struct options options = { .size = 1, .flows = 1, .warmup_s = 1 };

	parse(argc, argv, &options);
	control_init(options.limit_s);
	if (options.serve)
		serve(&options);
	return client(&options);
}
