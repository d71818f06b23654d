/* SPDX-License-Identifier: GPL-2.0-only */
/* Progress of a run: a line that changes on a terminal, plain lines elsewhere. */
#ifndef HARNESS_PROGRESS_H
#define HARNESS_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>

struct progress {
	bool terminal;
	size_t done, total;
	double estimate_done_s, estimate_total_s; /* by the plan */
	double spent_s;				  /* really, on what is done */
	double step_estimate_s, step_start_s;
};

/*
 * A terminal is what standard output is, unless IOMMUBENCH_PROGRESS says "terminal" or "plain"
 * (the virtual lab passes on what the outer one is).
 */
void progress_start(struct progress *progress, size_t total, double estimate_total_s);
/* A step begins: shows its name and the time left. */
void progress_begin(struct progress *progress, const char *what, double estimate_s);
/* It has ended, with a short result ("ok", a reason). */
void progress_end(struct progress *progress, const char *what, const char *result);
/* A step that needs not be done after all (a resumed run). */
void progress_drop(struct progress *progress, double estimate_s);

/* The estimate of the time left, by how the steps done compare with their estimates. */
double progress_left_s(const struct progress *progress);

#endif
