/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The backend's log of what it did, for replays: a memfd of the VMM named TRACE_MEMFD, in the
 * format of coiommu_trace_file.h, complete after each call. All functions take NULL for "no
 * log" and are called with the backend's lock held.
 */
#ifndef RECORD_H
#define RECORD_H

#include <stdint.h>

#include "trace_file.h"
#include "trace_looks.h"

struct record;

/* NULL with errno. *seq is odd while a call is under way and grows by two with each. */
struct record *record_new(uint64_t *seq, uint64_t *errors);
void record_free(struct record *r);

/* A call of the policy begins at now; what it sees follows. */
void record_begin(struct record *r, enum trace_kind kind, uint64_t now_ns,
		  const struct trace_args *args);
void record_end(struct record *r);
/* The first clock reading of a call is the one it was noted with, all later ones are real. */
uint64_t record_now(struct record *r, uint64_t now_ns);
void record_look(struct record *r, enum trace_look what, uint32_t seen);

#define RECORD_ARGS(...)                                                      \
	(&(struct trace_args){ .nr = sizeof((uint64_t[]){ __VA_ARGS__ }) / 8, \
			       .v = { __VA_ARGS__ } })

#endif
