/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The guest driver's tracepoints as the kernel's ring buffer holds them: pages of
 * per_cpu/cpuN/trace_pipe_raw, one after another.
 */
#ifndef BENCH_RECORD_FTRACE_H
#define BENCH_RECORD_FTRACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum guest_event_kind {
	GUEST_MAP, /* frame, pages, more */
	GUEST_UNMAP,
	GUEST_UNDO,
	GUEST_REQUEST, /* entries, pages, ns, status */
	GUEST_STATS,   /* reset, maps, unmaps, requests, refused, request ns */
	GUEST_KINDS
};
/* Of events/coiommu/NAME/format. */
extern const char *const guest_event_names[GUEST_KINDS];

#define GUEST_FIELDS 6
struct ftrace_format {
	uint32_t id;
	struct {
		uint32_t offset, size;
	} fields[GUEST_FIELDS];
};

/* 0, or -EBADMSG if a field is not there: another version of the driver. */
int ftrace_format_parse(const char *text, enum guest_event_kind kind, struct ftrace_format *f);

struct guest_event {
	enum guest_event_kind kind;
	uint64_t time_ns;
	uint64_t context; /* one task or interrupt level: its events do not interleave */
	uint64_t v[GUEST_FIELDS];
};

/* One CPU's pages, all of 4096 bytes. Start with data and len set and the rest zero. */
struct ftrace_cpu {
	const uint8_t *data;
	size_t len;
	size_t page;	/* the next one */
	size_t at, end; /* in data */
	uint64_t time_ns;
};

/*
 * The next event of the driver. 1, 0 at the end, or -EBADMSG with *error: events were lost, or
 * the pages are malformed.
 */
int ftrace_next(struct ftrace_cpu *cpu, const struct ftrace_format formats[GUEST_KINDS],
		struct guest_event *e, const char **error);

#endif
