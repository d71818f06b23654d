/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * `iommubench calibrate`: how much a metric moves on this host where nothing has changed. The same
 * experiment is run against itself (A/A, run --ab), or runs of it are taken that exist. A metric's
 * noise floor (floors.h) is, over all its cells, the larger of
 *
 * - the change that 95 % of random splits of all boots into two runs stay within (of
 *   CALIBRATE_SIDE boots, or half of what there is), and
 * - the largest change between two of the runs as they were: what drifts between runs is not in
 *   the splits.
 *
 * And it tells how often the gate would have raised an alarm on such splits: a check of the gate on
 * this host's own distributions (ties, levels, tails), without and with the floors. The splits are
 * of the same boots and not independent, and the floors come from these boots; what differs from
 * day to day is in it only if runs of several days are given.
 */
#ifndef HARNESS_CALIBRATE_H
#define HARNESS_CALIBRATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "harness/samples.h"

#define CALIBRATE_BOOTS 10    /* a side, by default */
#define CALIBRATE_BOOTS_MIN 6 /* GATE_MIN_BOOTS */
#define CALIBRATE_SIDE 10
#define CALIBRATE_SPLITS 1000
#define CALIBRATE_RUNS_MAX 30
#define CALIBRATE_QUANTILE 0.95
#define CALIBRATE_FLOOR_MIN 0.001 /* for what is constant */
#define CALIBRATE_FLOOR_MAX 0.99

/* All boots of one metric in one cell, over all runs. */
struct pool {
	char *cell, *metric;
	enum direction direction;
	double *values;
	size_t nr;
	double between; /* largest change between two of the runs, relative, without its sign */
	double floor;	/* of this cell; NAN: too few boots */
};
struct pools {
	struct pool *items;
	size_t nr;
};

/* Fills in floor. The same seed gives the same. */
void calibrate_floor(struct pool *pool, uint64_t seed);

/* How many of the splits raise an alarm: a regression of any metric, judged together. */
struct alarm_rate {
	unsigned int alarms, splits;
	double low, high; /* 95 % interval of the rate (Wilson 1927) */
};
/*
 * With each metric's own floor, or (floors false) with the default for all. Pools without a floor
 * are left out.
 */
struct alarm_rate calibrate_alarms(const struct pools *pools, bool floors, uint64_t seed);

struct calibrate_options {
	char *const *runs; /* folders of runs of one experiment, on one host */
	size_t nr_runs;
	const char *floors; /* file to keep the floors in; NULL: floors_default_path() */
	bool all;	    /* all metrics that have a direction, not just the usual ones */
};

/* Sets this host's floors from the runs and prints them. An exit code. */
int calibrate_runs(const struct calibrate_options *options, FILE *out);

struct run_options;
/*
 * Runs options->config against itself first; with options->nr_runs 0. An exit code: EXIT_CELLS also
 * if some cells failed, floors of the others are set all the same.
 */
int calibrate_command(const struct run_options *run, const struct calibrate_options *options,
		      FILE *out);

/* The command's arguments, argv[0] its name. An exit code. */
int calibrate_main(int argc, char **argv, const char *build_dir, const char *scripts_dir);

#endif
