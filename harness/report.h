/* SPDX-License-Identifier: GPL-2.0-only */
/* What a run found: a page to read and share, and a table for the terminal. */
#ifndef HARNESS_REPORT_H
#define HARNESS_REPORT_H

#include <stdio.h>

/*
 * Reads run_dir (manifest.json, samples.csv, the curves of its boots) and writes
 * report.html, one file that needs nothing else, and plots/NAME.svg and NAME.png with gnuplot
 * and the scripts in scripts_dir/plots. A run that is running or partial gives a report that
 * says so. Without gnuplot the page is written with a note in place of the plots. -EINVAL: the
 * manifest or the samples are malformed; -EIO: a plot failed, the page was written all the
 * same; or another -errno. The reason is logged, one line.
 */
int report_write(const char *run_dir, const char *scripts_dir);

/* Prints the summary, a line a mode, and what was left out and why. Errors as above. */
int report_print_table(const char *run_dir, FILE *out);

#endif
