/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How many of the gaps in the use of pages can be bridged by keeping the page pinned, with
 * never more than a limit pinned: gaps are intervals, the room left beside the mapped pages is
 * the capacity at each time, and taking a gap whenever it ends and still fits takes the most
 * of them. Memory in proportion to the pages that are in a gap now.
 */
#ifndef BENCH_REPLAY_BRIDGES_H
#define BENCH_REPLAY_BRIDGES_H

#include <stdbool.h>
#include <stdint.h>

struct bridges;

struct bridges *bridges_new(void);
void bridges_free(struct bridges *b);

/* A gap begins; room: pages that could be pinned beside those mapped now. *slot names it. */
void bridges_begin(struct bridges *b, int64_t room, uint32_t *slot);
/*
 * It ends, with room left from now on; 0 may be slot if no gap ended but the room changed.
 * Returns whether it is bridged. slot is the one bridges_begin() was given, which has been
 * kept up to date.
 */
bool bridges_end(struct bridges *b, int64_t room, const uint32_t *slot);

#endif
