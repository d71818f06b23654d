/* SPDX-License-Identifier: GPL-2.0-only */
/* Inside of compare: two runs, what they have in common, and what not. */
#ifndef HARNESS_COMPARE_DATA_H
#define HARNESS_COMPARE_DATA_H

#include <stdbool.h>
#include <stddef.h>

#include "harness/compare.h"
#include "harness/gate.h"
#include "harness/looks.h"
#include "harness/report_data.h"
#include "harness/util.h"

/* The values of one metric in one cell of one run: one a boot that is ok, ordered by boot. */
struct series {
	const struct report_cell *cell;
	const char *metric, *unit;
	enum direction direction;
	const struct sample_row **rows; /* borrowed, of the run's index */
	size_t nr;
};

struct compare_run {
	struct report report;
	const struct sample_row **rows; /* those that count, by cell, metric and boot */
	size_t nr_rows;
	struct series *series; /* by cell and metric */
	size_t nr_series;
	size_t nr_boots, nr_boots_ok;
};

/* Reads a run. 0 or -errno with a logged reason; it is to be freed in any case. */
int compare_run_load(const char *dir, struct compare_run *run);
void compare_run_free(struct compare_run *run);
/* The metric in the cell, or NULL. */
const struct series *compare_run_find(const struct compare_run *run, const char *cell,
				      const char *metric);
/* All metrics of the cell, *nr of them. */
const struct series *compare_run_series(const struct compare_run *run, const char *cell,
					size_t *nr);
const struct report_cell *compare_run_cell(const struct compare_run *run, const char *cell);

/* One metric of one cell in both runs. */
struct pair {
	const char *cell, *other; /* in BASE and in NEW: ids differ in run --ab of two modes only */
	const char *metric, *unit;
	bool per_operation;   /* a count, divided by the operations of its boot */
	double *base, *value; /* what test borrows */
	struct gate_test test;
};

struct comparison {
	const struct compare_options *options;
	struct compare_run base, value;
	struct pair *pairs;
	size_t nr_pairs;
	/*
	 * The two took turns in one session (run --ab): what differs is what is being tested.
	 */
	bool ab;
	bool tested; /* and something does differ; notes say what */
	struct looks looks;
	size_t *partners;      /* of BASE's cells: which one of NEW, or NO_PARTNER */
	bool mixed;	       /* a run was split over several kinds of hosts */
	struct strlist forced; /* differences that --force passes over */
	struct strlist notes;  /* what is not compared */
};

/*
 * Can the two be compared? -EINVAL, with all that speaks against it logged, if not; with force
 * it is warned of and kept in `forced`. compare_match.c
 */
int compare_match(struct comparison *c);
/* Fills in partners. */
void compare_find_partners(struct comparison *c);
/* Do both runs mean the same by this cell? If not, *why is what differs, to free. */
bool compare_same_cell(const struct comparison *c, const struct report_cell *base,
		       const struct report_cell *value, char **why);

/* A hash, to free, of all settings that runs must have in common for their cells to compare. */
char *compare_cell_setup(const struct report *report, const struct report_cell *cell);

/* Is it one of the metrics to judge by; where CPUs are emulated, too? compare_metrics.c */
bool compare_is_usual(const char *metric, const char *unit, bool emulated);
/* Is the metric, of one of these two cells, to be judged? */
bool compare_wants(const struct comparison *c, const struct series *series,
		   const struct report_cell *base, const struct report_cell *value);
/* The values of both sides, counts per operation. */
void compare_values(const struct comparison *c, const struct series *base,
		    const struct series *value, struct pair *pair);

/*
 * Reads and judges; nothing is printed. 0, or -errno with a logged reason; comparison_free() in
 * any case. compare.c
 */
int comparison_make(struct comparison *c);
void comparison_free(struct comparison *c);
/* EXIT_OK, EXIT_REGRESSION or EXIT_INCONCLUSIVE. */
int comparison_status(const struct comparison *c);

/* compare_print.c */
void compare_print(const struct comparison *c, FILE *out);
/* The run whose place asks for a caveat, if one does: with force the other may be a host's. */
const struct report *compare_caveat_of(const struct comparison *c);
/* How its figures are written; to free. A relative change, p or q, the smallest change, boots. */
char *compare_percent(double relative);
char *compare_probability(double p);
char *compare_smallest(const struct gate_test *test);
char *compare_boots(const struct gate_test *test);
size_t compare_count(const struct comparison *c, enum verdict verdict);
/*
 * Writes the page to options->html, compare_html.c. 0 or -errno, logged; if just the plot
 * failed, the page is there without it.
 */
int compare_html(const struct comparison *c);
/* New reference. */
json_t *compare_json(const struct comparison *c, int exit_status);

#endif
