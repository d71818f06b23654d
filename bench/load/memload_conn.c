// SPDX-License-Identifier: GPL-2.0-only
/* One connection: its socket, its buffers, and its requests without an answer. */
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "bench/load/memload.h"

#define RECEIVE_SIZE 16384

/* A non-blocking socket, or -1 with errno. The time limit of sending also limits connecting. */
static int connect_to(const struct addrinfo *address, double timeout_s)
{
	struct timeval limit = { .tv_sec = (time_t)timeout_s,
				 .tv_usec = (suseconds_t)((timeout_s - (double)(time_t)timeout_s) *
							  1e6) };
	int fd = socket(address->ai_family, address->ai_socktype | SOCK_CLOEXEC, 0), one = 1, err;

	if (fd < 0)
		return -1;
	if (setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit)) == 0 &&
	    connect(fd, address->ai_addr, address->ai_addrlen) == 0 &&
	    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)) == 0 &&
	    fcntl(fd, F_SETFL, O_NONBLOCK) == 0)
		return fd;
	err = errno == EINPROGRESS ? ETIMEDOUT : errno;
	close(fd);
	errno = err;
	return -1;
}

static int connect_any(const struct memload_options *options)
{
	struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *list;
	int ret = getaddrinfo(options->host, options->port, &hints, &list), fd = -1;

	if (ret)
		die("%s: %s: check the name and port of --connect", options->server,
		    gai_strerror(ret));
	for (struct addrinfo *a = list; a && fd < 0; a = a->ai_next)
		fd = connect_to(a, options->timeout_s);
	freeaddrinfo(list);
	if (fd < 0 && (errno == EMFILE || errno == ENFILE))
		die("%s: %m: raise 'ulimit -n' or use fewer --connections", options->server);
	if (fd < 0)
		die("cannot connect to %s: %m: is memcached running there, listening on that "
		    "address (-l) and port (-p), and does no firewall forbid it?",
		    options->server);
	return fd;
}

void conn_open(struct conn *conn, const struct memload_options *options, unsigned int depth)
{
	unsigned int size = 1;

	while (size < depth)
		size *= 2;
	conn->fd = connect_any(options);
	conn->ring = allocate(size, sizeof(*conn->ring));
	conn->ring_mask = size - 1;
}

void conn_close(struct conn *conn)
{
	close(conn->fd);
	free(conn->ring);
	free(conn->in.data);
	free(conn->out.data);
}

void conn_push(struct conn *conn, struct request request, uint64_t now)
{
	if (!conn->in_flight)
		conn->progress_ns = now;
	conn->ring[(conn->head + conn->in_flight++) & conn->ring_mask] = request;
}

struct request *conn_oldest(struct conn *conn)
{
	return conn->in_flight ? &conn->ring[conn->head & conn->ring_mask] : NULL;
}

void conn_pop(struct conn *conn, uint64_t now)
{
	conn->head++;
	conn->in_flight--;
	conn->progress_ns = now;
}

char *buffer_reserve(struct buffer *buffer, size_t size)
{
	size_t used = buffer->end - buffer->start;

	if (buffer->size - buffer->end >= size)
		return buffer->data + buffer->end;
	if (used)
		memmove(buffer->data, buffer->data + buffer->start, used);
	buffer->start = 0;
	buffer->end = used;
	if (buffer->size - used < size) {
		buffer->size = buffer->size * 2 > used + size ? buffer->size * 2 : used + size;
		buffer->data = realloc(buffer->data, buffer->size);
		if (!buffer->data)
			die("out of memory: use fewer --connections or a smaller --depth");
	}
	return buffer->data + buffer->end;
}

static void lost(const struct memload_options *options, const char *how)
{
	die("%s: %s: look whether memcached there still runs and what it logged (-v), and at the "
	    "network",
	    options->server, how);
}

size_t conn_receive(struct conn *conn, const struct memload_options *options)
{
	char *to = buffer_reserve(&conn->in, RECEIVE_SIZE);
	ssize_t n = recv(conn->fd, to, conn->in.size - conn->in.end, 0);

	if (n == 0)
		lost(options, "the server closed the connection");
	if (n < 0 && errno != EAGAIN && errno != EINTR)
		lost(options, strerror(errno));
	if (n < 0)
		return 0;
	conn->in.end += (size_t)n;
	return (size_t)n;
}

size_t conn_send(struct conn *conn, const struct memload_options *options)
{
	struct buffer *out = &conn->out;
	ssize_t n;

	if (out->start == out->end)
		return 0;
	n = send(conn->fd, out->data + out->start, out->end - out->start, MSG_NOSIGNAL);
	if (n < 0 && errno != EAGAIN && errno != EINTR)
		lost(options, strerror(errno));
	if (n < 0)
		return 0;
	out->start += (size_t)n;
	if (out->start == out->end)
		out->start = out->end = 0;
	return (size_t)n;
}
