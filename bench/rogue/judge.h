/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a rogue device's tries say: the guest module's words (drivers/guest/rogue_main.c) as
 * counts, and whether they are what a mode promises.
 */
#ifndef BENCH_ROGUE_JUDGE_H
#define BENCH_ROGUE_JUDGE_H

#include <stdint.h>

#include "bench/mode.h"

#define ROGUE_MARK 16	 /* bytes that tell whether a DMA got through */
#define ROGUE_PROBES 128 /* places of one sweep at most */

/* What became of all tries at one target. */
struct rogue_tally {
	unsigned int tries, passed; /* those that tell nothing are not among them */
	bool closed;		    /* the last one was blocked */
	/* The longest time after the unmapping at which one got through, and the shortest longer
	 * one at which one was blocked; of other targets, and if there is none, 0. */
	double open_s, closed_s;
};
void rogue_count(struct rogue_tally *tally, bool passed);

enum rogue_verdict { ROGUE_UNTRIED, ROGUE_BLOCKED, ROGUE_PASSED, ROGUE_WINDOW, ROGUE_PARTLY };
/* Window: first some got through, in the end none. */
enum rogue_verdict rogue_verdict(const struct rogue_tally *tally);
const char *rogue_verdict_name(enum rogue_verdict verdict);

/* A page of the module's own. */
struct rogue_page {
	uint64_t bus, physical;
	uint8_t content[ROGUE_MARK];
};
/* From text of its file pages, data and so on: 0, or -EBADMSG if it is not as it should be. */
int rogue_parse_page(const char *text, const char *name, struct rogue_page *page);
int rogue_parse_data(const char *text, uint8_t *data);
/* mapped: the tries while the page was mapped. */
int rogue_parse_stale(const char *text, struct rogue_tally *mapped, struct rogue_tally *stale);
int rogue_parse_sweep(const char *text, struct rogue_tally *sweep);

/* The mark as hexadecimal digits, to free. */
char *rogue_hex(const uint8_t *mark);

/* What is aimed at: never mapped; mapped before; nothing of the guest's. */
enum rogue_aim { ROGUE_UNMAPPED, ROGUE_ANYWHERE, ROGUE_STALE, ROGUE_FOREIGN };
/*
 * Is the verdict what was expected: a word of the settings, "mode" being what the mode promises?
 * NULL, or what was expected: a constant text. Nothing is expected of what was not tried.
 */
const char *rogue_missed(enum rogue_verdict verdict, const char *expected, enum reach reach,
			 enum rogue_aim aim);

/* May a VM with so much memory have some at this guest-physical address? */
bool rogue_is_guest_memory(uint64_t memory_bytes, uint64_t address);
/* Where its memory ends. */
uint64_t rogue_guest_end(uint64_t memory_bytes);

#endif
