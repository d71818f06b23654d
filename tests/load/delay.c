// SPDX-License-Identifier: GPL-2.0-only
/*
 * A TCP proxy on the loopback that does known harm to what comes back from the server: see usage().
 * It prints its port and runs until it is killed.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define PAIRS 64
#define READ_SIZE 65536
/* Shorter reads may hold no value whose byte could be flipped. */
#define FLIP_MIN 128

struct chunk {
	struct chunk *next;
	uint64_t due;
	size_t len;
	char data[];
};

struct pair {
	int client, server; /* -1: free */
	struct chunk *first, **last;
};

static struct pair pairs[PAIRS];
static uint64_t delay_ns, stall_ns, stalled_until, flip_every, since_flip, reads;
static unsigned int one_in = 1;
static volatile sig_atomic_t stall_now;

static void usage(void)
{
	fputs("usage: delay [-d MS] [-n N] [-s MS] [-f KIB] SERVER_PORT\n"
	      "  -d MS   delays what the server sends by so long\n"
	      "  -n N    only one in N reads\n"
	      "  -s MS   on SIGUSR1 holds everything back for so long\n"
	      "  -f KIB  flips a bit in the middle of a large read, once in so many KiB\n",
	      stderr);
	exit(2);
}

static void fail(const char *what)
{
	fprintf(stderr, "delay: %s: %s\n", what, strerror(errno));
	exit(1);
}

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000ULL + (uint64_t)ts.tv_nsec;
}

static unsigned int number(const char *text)
{
	char *end;
	unsigned long value = strtoul(text, &end, 10);

	if (end == text || *end || value > 1000000)
		usage();
	return (unsigned int)value;
}

static struct sockaddr_in loopback(unsigned int port)
{
	return (struct sockaddr_in){ .sin_family = AF_INET,
				     .sin_port = htons((uint16_t)port),
				     .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
}

static int listen_and_tell(void)
{
	struct sockaddr_in address = loopback(0);
	socklen_t len = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&address, len) || listen(fd, PAIRS) ||
	    getsockname(fd, (struct sockaddr *)&address, &len))
		fail("cannot listen");
	printf("%u\n", ntohs(address.sin_port));
	fflush(stdout);
	return fd;
}

static void accept_pair(int listener, unsigned int port)
{
	struct sockaddr_in address = loopback(port);
	struct pair *pair = pairs;
	int one = 1;

	while (pair < pairs + PAIRS - 1 && pair->client >= 0)
		pair++;
	if (pair->client >= 0) {
		errno = EMFILE;
		fail("accept");
	}
	pair->client = accept(listener, NULL, NULL);
	pair->server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (pair->client < 0 || pair->server < 0 ||
	    connect(pair->server, (struct sockaddr *)&address, sizeof(address)))
		fail("cannot connect to the server");
	setsockopt(pair->client, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	setsockopt(pair->server, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	pair->last = &pair->first;
}

static void close_pair(struct pair *pair)
{
	while (pair->first) {
		struct chunk *chunk = pair->first;

		pair->first = chunk->next;
		free(chunk);
	}
	close(pair->client);
	close(pair->server);
	pair->client = pair->server = -1;
}

static bool write_all(int fd, const char *data, size_t len)
{
	while (len) {
		ssize_t n = send(fd, data, len, MSG_NOSIGNAL);

		if (n <= 0)
			return false;
		data += n;
		len -= (size_t)n;
	}
	return true;
}

static void to_server(struct pair *pair)
{
	static char data[READ_SIZE];
	ssize_t n = recv(pair->client, data, sizeof(data), 0);

	if (n <= 0 || !write_all(pair->server, data, (size_t)n))
		close_pair(pair);
}

static void maybe_flip(struct chunk *chunk)
{
	since_flip += chunk->len;
	if (!flip_every || since_flip < flip_every || chunk->len < FLIP_MIN)
		return;
	chunk->data[chunk->len / 2] ^= 1;
	since_flip = 0;
}

static void from_server(struct pair *pair)
{
	struct chunk *chunk = malloc(sizeof(*chunk) + READ_SIZE);
	ssize_t n = chunk ? recv(pair->server, chunk->data, READ_SIZE, 0) : -1;

	if (n <= 0) {
		free(chunk);
		close_pair(pair);
		return;
	}
	chunk->len = (size_t)n;
	chunk->next = NULL;
	chunk->due = now_ns() + (reads++ % one_in == 0 ? delay_ns : 0);
	maybe_flip(chunk);
	*pair->last = chunk;
	pair->last = &chunk->next;
}

/* Sends what is due; returns when more will be. */
static uint64_t send_due(struct pair *pair)
{
	while (pair->client >= 0 && pair->first) {
		struct chunk *chunk = pair->first;
		uint64_t due = chunk->due > stalled_until ? chunk->due : stalled_until;

		if (due > now_ns())
			return due;
		if (!write_all(pair->client, chunk->data, chunk->len)) {
			close_pair(pair);
			break;
		}
		pair->first = chunk->next;
		if (!pair->first)
			pair->last = &pair->first;
		free(chunk);
	}
	return UINT64_MAX;
}

static void on_stall(int sig)
{
	stall_now = 1;
}

static void step(int listener, unsigned int port, const sigset_t *mask)
{
	struct pollfd fds[2 * PAIRS + 1] = { { .fd = listener, .events = POLLIN } };
	uint64_t next = UINT64_MAX, now, left;
	struct timespec timeout;

	for (size_t i = 0; i < PAIRS; i++) {
		uint64_t due = send_due(&pairs[i]);

		next = due < next ? due : next;
		fds[1 + 2 * i] = (struct pollfd){ .fd = pairs[i].client, .events = POLLIN };
		fds[2 + 2 * i] = (struct pollfd){ .fd = pairs[i].server, .events = POLLIN };
	}
	now = now_ns();
	left = next > now ? next - now : 0;
	timeout = (struct timespec){ .tv_sec = (time_t)(left / 1000000000),
				     .tv_nsec = (long)(left % 1000000000) };
	if (ppoll(fds, 2 * PAIRS + 1, next == UINT64_MAX ? NULL : &timeout, mask) < 0) {
		if (errno != EINTR)
			fail("ppoll");
		if (stall_now)
			stalled_until = now_ns() + stall_ns;
		stall_now = 0;
		return;
	}
	for (size_t i = 0; i < PAIRS; i++) {
		if (pairs[i].client >= 0 && fds[1 + 2 * i].revents)
			to_server(&pairs[i]);
		if (pairs[i].client >= 0 && fds[2 + 2 * i].revents)
			from_server(&pairs[i]);
	}
	if (fds[0].revents)
		accept_pair(listener, port);
}

int main(int argc, char **argv)
{
	struct sigaction action = { .sa_handler = on_stall };
	sigset_t stall, before;
	unsigned int port;
	int option, listener;

	while ((option = getopt(argc, argv, "d:n:s:f:")) != -1) {
		if (option == 'd')
			delay_ns = number(optarg) * 1000000ULL;
		else if (option == 'n')
			one_in = number(optarg);
		else if (option == 's')
			stall_ns = number(optarg) * 1000000ULL;
		else if (option == 'f')
			flip_every = number(optarg) * 1024ULL;
		else
			usage();
	}
	if (optind != argc - 1 || !one_in)
		usage();
	port = number(argv[optind]);
	for (size_t i = 0; i < PAIRS; i++)
		pairs[i] = (struct pair){ .client = -1, .server = -1 };
	sigaction(SIGUSR1, &action, NULL);
	sigemptyset(&stall);
	sigaddset(&stall, SIGUSR1);
	sigprocmask(SIG_BLOCK, &stall, &before); /* but for ppoll() */
	listener = listen_and_tell();
	for (;;)
		step(listener, port, &before);
}
