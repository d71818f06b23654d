// SPDX-License-Identifier: GPL-2.0-only
/*
 * Makes a trace of so many events on so many pages, as a device with a queue of buffers causes
 * them: a page is mapped, and unmapped 32 maps later. For measuring replays, and for trying
 * them without a recording. Usage: make_trace FILE EVENTS PAGES [QUOTA_PAGES]
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "policy.h"
#include "trace_file.h"

#define QUEUE 32
#define EVENT_NS 500

static uint64_t next_random(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

static void write_head(struct trace_writer *w, uint64_t pages, uint64_t quota_pages)
{
	const struct policy_config *c = &policy_defaults;
	const struct trace_args config = { .nr = TRACE_CONFIG_ARGS,
					   .v = { c->unpin, c->interval_ns, 0, 0, quota_pages, 0,
						  c->range_pages, 0, 256 } };
	const struct trace_args memory = { .nr = 7, .v = { 0, pages * 4096, 4096, 3, 1, 1, 1 } };

	trace_write_call(w, TRACE_CONFIG, 0, &config, NULL);
	trace_write_call(w, TRACE_MEM_ADD, 0, &memory, NULL);
}

int main(int argc, char **argv)
{
	uint64_t events, pages, state = 88172645463325252ULL, queue[QUEUE] = { 0 };
	struct trace_writer w;
	int fd;

	if (argc != 4 && argc != 5) {
		fprintf(stderr, "usage: make_trace FILE EVENTS PAGES [QUOTA_PAGES]\n");
		return 2;
	}
	events = strtoull(argv[2], NULL, 10);
	pages = strtoull(argv[3], NULL, 10);
	fd = open(argv[1], O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0 || !pages) {
		perror(argv[1]);
		return 2;
	}
	trace_writer_init(&w, fd);
	write_head(&w, pages, argc == 5 ? strtoull(argv[4], NULL, 10) : 0);
	for (uint64_t i = 0; i < events / 2; i++) {
		uint64_t *slot = &queue[i % QUEUE];

		if (i >= QUEUE)
			trace_write_pages(&w, TRACE_UNMAP, 2 * i * EVENT_NS, *slot, 1);
		*slot = next_random(&state) % pages;
		trace_write_pages(&w, TRACE_MAP, (2 * i + 1) * EVENT_NS, *slot, 1);
	}
	if (trace_writer_finish(&w, events * EVENT_NS)) {
		perror(argv[1]);
		return 1;
	}
	return close(fd);
}
