/* SPDX-License-Identifier: GPL-2.0-only */
/* How long after its last use a page is used again: of a trace just recorded. */
#ifndef BENCH_RECORD_REUSE_H
#define BENCH_RECORD_REUSE_H

#include <stdbool.h>

struct cell_run;

struct reuse {
	bool any;	     /* the trace has a measured window; else nothing is written */
	double pages;	     /* used again in it, each time counted */
	double p50_s, p99_s; /* within such a time, a bucket's upper end; NAN: no page was */
};

/*
 * Reads the trace and writes reuse.csv into the cell's folder: of the pages used again within the
 * measured window, how many within which time ("within_s,pages", the last one is all). 0 or -errno,
 * logged.
 */
int reuse_save(const char *trace_path, const struct cell_run *run, struct reuse *reuse);

#endif
