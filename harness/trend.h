/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * `iommubench trend DIR`: change points over the nightly history. DIR holds runs;
 * DIR/history.sqlite keeps one point a run, cell and metric, also of runs that are no longer there.
 *
 * A series is a metric of a cell. Only points of the same place, environment (fingerprint) and
 * settings are compared with one another: they are a *track* of the series. In each track with at
 * least TREND_MIN_POINTS points:
 *
 * - Change points are found as edivisive.h says; none is smaller than the metric's noise floor
 *   (TREND_FLOOR without a file of floors).
 * - A change is *new* within the newest TREND_RECENT points of a track that goes on. Where many
 *   series are looked at every night, chance alone gives change points; so the p of the new
 *   ones, times the TREND_RECENT places at which each could be, are adjusted to q over all series
 *   (Benjamini and Hochberg). q < TREND_ALPHA: a *regression* (or improvement). Else it is
 *   *possible*, and no alarm.
 * - The newest night is too new for a change point: its value is *suspected* if it is unlike those
 *   of the current level (suspect.h), adjusted to q over all series too, and beyond the floor.
 *
 * So where nothing changes, a night raises an alarm with a probability of 2 % at most, however
 * many series there are.
 */
#ifndef HARNESS_TREND_H
#define HARNESS_TREND_H

#include <stdbool.h>
#include <stdio.h>

#define TREND_ALPHA 0.01
#define TREND_FLOOR 0.02
#define TREND_RECENT 14
#define TREND_MIN_POINTS 10
#define TREND_MAX_NIGHT_S 72000 /* runs of other hosts so long ago are of the same night */

struct trend_options {
	const char *dir;
	const char *acknowledged; /* NULL: DIR/acknowledged.yaml, if it is there */
	const char *junit;	  /* NULL: none */
	const char *html;	  /* NULL: DIR/trend.html */
	const char *floors;	  /* file of noise floors, see floors.h; NULL: TREND_FLOOR */
	const char *metrics;	  /* glob on metric names; NULL: those that compare judges by */
	bool all;		  /* all metrics that have a direction */
	bool as_json;
	const char *scripts_dir;
};

/*
 * The whole command: writes a table, worst first, or one JSON object, to out. Returns an exit
 * code: EXIT_REGRESSION: a new or suspected regression that is not acknowledged; else EXIT_CELLS: a
 * run, the history or a page could not be read or written; else EXIT_INCONCLUSIVE: too few nights
 * to judge any series; else EXIT_OK. EXIT_USAGE: a file of acknowledgements or floors is wrong.
 *
 * The JSON object: schema (1), kind ("trend"), directory, exit_status, verdict, runs (how many),
 * added, newest (run_id, time), skipped (folder, reason), notes, alpha, recent, min_points, and
 * series, worst first, each: cell, metric, unit, direction, per_operation, verdict, points,
 * newest (run_id, time, median, deviation, boots), level (of the current segment), since_start
 * (newest ten points against the first ten), and changes, oldest first, each: run_id, time,
 * verdict (regression, improvement, changed), state (new, possible, suspected, earlier), before,
 * after, change (relative), p, q, where, fingerprint, acknowledged (the reason, or null). What is
 * not known or infinite is null.
 *
 * JUnit: a test case a series; a failure is what gives EXIT_REGRESSION, an error a run or file
 * that could not be read, skipped a series that could not be judged.
 */
int trend_command(const struct trend_options *options, FILE *out);

/* The same with a command line, argv[0] being the command. */
int trend_main(int argc, char **argv, const char *scripts_dir);

#endif
