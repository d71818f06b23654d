/* SPDX-License-Identifier: GPL-2.0-only */
/* `iommubench export RUN`: a run's results for other tools. */
#ifndef HARNESS_EXPORT_H
#define HARNESS_EXPORT_H

#include <stdio.h>

struct export_options {
	const char *run;    /* its folder */
	const char *format; /* one of export_print_formats() */
	const char *out;    /* file to replace; NULL: the stream given */
};

/*
 * The whole command. A file appears whole or not at all, so that what watches its folder never
 * reads half of it. Returns an exit code: EXIT_OK, or EXIT_USAGE with a logged reason: no such
 * format, results that cannot be read or are ambiguous (see report_load()), no place to write.
 */
int export_command(const struct export_options *options, FILE *out);

/*
 * What programs may rely on, besides the formats themselves:
 *
 * csv: run_id, started, where, fingerprint, cell, mode, device, workload, variant, boot, metric,
 * unit, direction, value.
 *
 * json: one object: schema (1), kind ("run"), confidence (of the intervals), run_id, name, status,
 * started, finished, where, git_revision, environment and config as in the manifest, left_out
 * (numbers of values: of_boots_not_ok, of_no_boot, twice), and cells, each: cell (its id), mode,
 * device, workload, variant, status (ok, skipped, failed, invalid), reason, boots (boot, status,
 * reason) and metrics, each: metric, unit, direction, median, median_low, median_high (null of
 * fewer than 6 boots), min, max, and the lists boots and values, which belong together.
 *
 * junit: the suite is iommubench.NAME of the experiment, the same every night; its cases are the
 * cells' ids and "the run is complete".
 *
 * openmetrics: iommubench_run_info, _run_complete, _run_started_timestamp_seconds,
 * _run_finished_timestamp_seconds, _cell_status (label status), _cell_boots (label result: ok,
 * not_ok), and for each metric iommubench_NAME with its unit spelt out (lat_p99_s becomes
 * lat_p99_seconds) and label stat: median, min, max. Cells have the labels cell, mode, device,
 * workload, variant.
 */

/* The formats, a line each. */
void export_print_formats(FILE *out);

#endif
