/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A series: experiments that are run one after the other, each a run of its own, and one page
 * about all of them. Its file has `experiments: [FILE, ...]` (and `name:`) where an experiment has
 * modes, devices and workloads; files are relative to it.
 *
 * DIR/ of a series holds series.json (the names in order), NAME.yaml (a copy of each experiment, so
 * that it goes on with what it began with), NAME/ (its run, once it has begun) and report.html.
 */
#ifndef HARNESS_SERIES_H
#define HARNESS_SERIES_H

#include <stdbool.h>
#include <stddef.h>

#include "harness/config.h"

struct run_options;

struct series_item {
	struct experiment *exp; /* of the user's file, or of the copy */
	char *dir;		/* of its run; NULL: not known yet */
};
struct series {
	char *name;
	char *dir; /* NULL: not begun */
	struct series_item *items;
	size_t nr;
};

/* Is it the file of a series? False also if it cannot be read: who reads it then says why. */
bool series_is_file(const char *path);
/* Does the folder hold a series? */
bool series_is_dir(const char *dir);

/*
 * Reads a series and all of its experiments, from a file or from the folder of one that was begun.
 * 0 or -errno, one logged line; to be freed in any case.
 */
int series_load(const char *path, struct series *series);
int series_resume(const char *dir, struct series *series);
void series_free(struct series *series);

/*
 * Makes the folder with all but the runs. 0 or -errno, logged; -EEXIST: there is one, or runs that
 * are not of this series.
 */
int series_begin(struct series *series, const char *dir);

/*
 * What is left of an experiment's run? Something, if it has not begun, is not complete, or has
 * failed boots, which are tried again.
 */
bool series_due(const struct series_item *item);

/* The `run` command for a series. An exit code. */
int series_command(const struct run_options *options);

/*
 * Writes DIR/report.html: which modes were measured where, and of each run the summary and a link
 * to its report. 0 or -errno, logged.
 */
int series_report(const struct series *series);
/* Writes the reports of a series' runs again, then that. As report_write(). */
int series_report_again(const char *dir, const char *scripts_dir);

#endif
