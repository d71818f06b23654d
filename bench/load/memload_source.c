// SPDX-License-Identifier: GPL-2.0-only
/* Which key is asked for next, and whether it is read or written. */
#include "bench/load/memload.h"

static uint32_t gcd(uint32_t a, uint32_t b)
{
	while (b) {
		uint32_t rest = a % b;

		a = b;
		b = rest;
	}
	return a;
}

/* Popular keys should not be neighbours: ranks are spread by a stride that visits every key. */
static uint32_t stride_of(uint32_t keys)
{
	uint32_t stride = (uint32_t)(keys * 0.6180339887);

	while (stride > 1 && gcd(stride, keys) != 1)
		stride--;
	return stride ? stride : 1;
}

void source_init(struct source *source, const struct memload_options *options,
		 const struct keyspace *keys, unsigned int thread)
{
	source->options = options;
	source->keys = keys;
	source->rng.state = mix64(options->seed + mix64(thread + 1));
	source->stride = stride_of(keys->count);
	zipf_init(&source->zipf, keys->count, options->zipf_theta);
}

static uint32_t draw_key(struct source *source)
{
	uint64_t rank;

	if (source->options->zipf_theta <= 0)
		return rng_below(&source->rng, source->keys->count);
	rank = zipf_draw(&source->zipf, &source->rng);
	return (uint32_t)(rank * source->stride % source->keys->count);
}

static void write_get(struct source *source, struct conn *conn, uint32_t key)
{
	char *to = buffer_reserve(&conn->out, REQUEST_OVERHEAD);
	char *end = request_get(source->options->protocol, source->keys, key, to);

	conn->out.end += (size_t)(end - to);
}

static void write_set(struct source *source, struct conn *conn, uint32_t key)
{
	uint32_t size = dist_draw(&source->options->value_size, &source->rng, 0, VALUE_MAX);
	char *to = buffer_reserve(&conn->out, REQUEST_OVERHEAD + size), *value;
	char *end = request_set(source->options->protocol, source->keys, key, size, to, &value);

	value_write(key, (uint32_t)rng_next(&source->rng), value, size);
	conn->out.end += (size_t)(end - to);
}

void source_queue_set(struct source *source, struct conn *conn, uint32_t key, uint64_t now)
{
	struct request request = { .start_ns = now, .key = key };

	write_set(source, conn, key);
	conn_push(conn, request, now);
}

void source_queue(struct source *source, struct conn *conn, uint64_t start, uint64_t now)
{
	struct request request = { .start_ns = start, .key = draw_key(source) };

	request.get = rng_unit(&source->rng) < source->options->get_ratio;
	if (request.get)
		write_get(source, conn, request.key);
	else
		write_set(source, conn, request.key);
	conn_push(conn, request, now);
}
