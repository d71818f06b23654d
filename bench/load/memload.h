/* SPDX-License-Identifier: GPL-2.0-only */
/* The parts of memload, lowest first: options, keys and values, protocol, connections, workers. */
#ifndef MEMLOAD_H
#define MEMLOAD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "bench/load/histogram.h"
#include "bench/load/memload_random.h"

#define KEY_MAX 250
/* memcached's default item limit is 1 MiB, its header and the key included. */
#define VALUE_MAX ((1U << 20) - 512)

enum protocol { PROTOCOL_META, PROTOCOL_TEXT };

struct memload_options {
	char *host, *port;
	const char *server; /* as given: for messages */
	unsigned int threads, connections, depth;
	double rate; /* 0: closed loop */
	bool uniform_arrivals;
	double get_ratio;
	unsigned int keys;
	struct dist key_size, value_size;
	double zipf_theta; /* 0: uniform */
	unsigned int seed;
	double warmup_s, runtime_s, timeout_s;
	unsigned int limit_s;
	bool fill, verify;
	enum protocol protocol;
};

/* Exits with 0 after --help and with 2 on a usage error. */
void options_parse(int argc, char **argv, struct memload_options *options);
void options_free(struct memload_options *options);

/* --- errors and memory: memload_util.c --- */

/* Prints one line "memload: ..." and ends the process with 1, whichever thread calls it. */
void die(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));
/* Zeroed; never NULL. */
void *allocate(size_t count, size_t size);

static inline uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000ULL + (uint64_t)ts.tv_nsec;
}

/* --- keys and values: memload_data.c --- */

/*
 * Key i begins with the digits of i, as many for each key, and is filled up to its own length,
 * which depends on i and the distribution only: any run finds the keys of any other.
 */
struct keyspace {
	uint32_t count;
	unsigned int digits;
	uint8_t *lengths;
};

void keyspace_init(struct keyspace *keys, uint32_t count, const struct dist *size);
void keyspace_free(struct keyspace *keys);
/* Writes the key without an end mark; returns its length. */
size_t key_write(const struct keyspace *keys, uint32_t key, char *to);

/*
 * A value of 16 bytes or more begins with nonce and size and goes on with words made from these
 * and the key; of a smaller one each byte depends on key and size.
 */
void value_write(uint32_t key, uint32_t nonce, char *to, uint32_t size);
bool value_is_of(uint32_t key, const char *value, uint32_t size);

/* --- protocol: memload_protocol.c --- */

/* Room that a request takes beside its value. */
#define REQUEST_OVERHEAD (KEY_MAX + 64)

/* Write a request; return the end of it. The value is for the caller to write at *value. */
char *request_get(enum protocol protocol, const struct keyspace *keys, uint32_t key, char *to);
char *request_set(enum protocol protocol, const struct keyspace *keys, uint32_t key, uint32_t size,
		  char *to, char **value);

enum reply_kind { REPLY_PARTIAL, REPLY_HIT, REPLY_MISS, REPLY_STORED, REPLY_UNKNOWN };

struct reply {
	size_t size;	   /* of the whole reply; of a partial one as far as known, else 0 */
	const char *value; /* of a hit */
	uint32_t value_size;
};

enum reply_kind reply_parse(enum protocol protocol, bool get, const char *data, size_t len,
			    struct reply *reply);

/* --- connections: memload_conn.c --- */

struct request {
	uint64_t start_ns; /* latency is from here */
	uint32_t key;
	bool get;
};

struct buffer {
	char *data;
	size_t start, end, size;
};

struct conn {
	int fd;
	bool polls_out; /* waits until the socket takes more */
	bool dirty;	/* has requests to send: see memload_worker.c */
	/* Requests without an answer, in the order of sending. */
	struct request *ring;
	unsigned int ring_mask, head, in_flight;
	uint64_t progress_ns; /* the last answer, or the send that ended idleness */
	struct buffer in, out;
};

void conn_open(struct conn *conn, const struct memload_options *options, unsigned int depth);
void conn_close(struct conn *conn);
void conn_push(struct conn *conn, struct request request, uint64_t now);
struct request *conn_oldest(struct conn *conn);
void conn_pop(struct conn *conn, uint64_t now);
/* Room for size bytes at the returned place; the caller advances out.end. */
char *buffer_reserve(struct buffer *buffer, size_t size);
/* Return the bytes moved; the end of the connection is an error that ends the process. */
size_t conn_receive(struct conn *conn, const struct memload_options *options);
size_t conn_send(struct conn *conn, const struct memload_options *options);

/* --- what is asked for: memload_source.c --- */

/* A thread's random sequence of requests. */
struct source {
	const struct memload_options *options;
	const struct keyspace *keys;
	struct rng rng;
	struct zipf zipf;
	uint32_t stride;
};

void source_init(struct source *source, const struct memload_options *options,
		 const struct keyspace *keys, unsigned int thread);
/* Put a request into the connection's buffer and among those in flight. */
void source_queue(struct source *source, struct conn *conn, uint64_t start, uint64_t now);
void source_queue_set(struct source *source, struct conn *conn, uint32_t key, uint64_t now);

/* --- workers: memload_worker.c --- */

#define NEVER UINT64_MAX

/* What main tells all workers; the times are of now_ns(), NEVER until set. */
struct phases {
	_Atomic uint64_t load_at, begin_at, end_at;
	atomic_uint filled; /* workers that have filled their part */
	int filled_fd;	    /* becomes readable with each of these */
};

struct counts {
	uint64_t gets, sets, hits, misses, verify_errors;
	uint64_t bytes_in, bytes_out;
	uint64_t arrivals; /* of the window: open loop */
	uint64_t unanswered, oldest_wait_ns;
	struct histogram *get_latency, *set_latency;
};

struct worker;

/* Opens the worker's connections; index counts from 0 over all threads. */
struct worker *worker_new(const struct memload_options *options, const struct keyspace *keys,
			  struct phases *phases, unsigned int index);
void worker_start(struct worker *worker);
/* After a change of phases. */
void worker_wake(struct worker *worker);
/* After end_at: waits for the end of the thread. */
const struct counts *worker_join(struct worker *worker);
void worker_free(struct worker *worker);

#endif
