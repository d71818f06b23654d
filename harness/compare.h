/* SPDX-License-Identifier: GPL-2.0-only */
/* `iommubench compare BASE NEW`: is NEW worse than BASE? The rules of the verdicts: gate.h. */
#ifndef HARNESS_COMPARE_H
#define HARNESS_COMPARE_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#define COMPARE_SEED 1

struct compare_options {
	const char *base, *value; /* folders of the two runs */
	const char *metrics;	  /* glob on metric names; NULL: the usual ones */
	bool all;		  /* all metrics that have a direction */
	bool force;		  /* compare what differs in device, guest or environment, too */
	bool as_json;
	const char *floors;	 /* noise floors: a file, "none", or NULL: see floors_find() */
	uint64_t seed;		 /* of the bootstrap */
	const char *html;	 /* file to write a page to as well; NULL: none */
	const char *scripts_dir; /* has plots/, for the page */
};

/*
 * The whole command: writes a table, worst first, or one JSON object, to out. Returns an exit
 * code: EXIT_OK no regression; EXIT_REGRESSION; EXIT_INCONCLUSIVE: none found, but some metric
 * is inconclusive; EXIT_USAGE: not comparable or not readable, or the page cannot be written,
 * with a logged reason.
 *
 * The JSON object: schema (1), kind ("comparison"), base and new (run_id, path, git_revision,
 * boots, boots_left_out), where, alpha, confidence, power, resamples, seed, forced (what --force
 * passed over), notes (what was not compared, and why), verdict, exit_status, and results, worst
 * first, each: cell, new_cell (another one in run --ab of two modes), metric, unit, direction,
 * per_operation, verdict, base and new (boots, median), change and its interval change_low,
 * change_high (relative: 0.05 is 5 % more), shift, shift_low, shift_high (the same in the unit),
 * shift_confidence, confidence (asked for), share (of alpha, looks.h), ratio, ratio_low,
 * ratio_high (of medians, bootstrap), u, p, exact, ties, q, floor, margin, smallest_change,
 * boots_needed (a side; null: none or unknown). What is not known or infinite is null.
 */
int compare_command(const struct compare_options *options, FILE *out);

#endif
