/* SPDX-License-Identifier: GPL-2.0-only */
/* Inside of the report: one plot drawn by gnuplot from a data file. */
#ifndef HARNESS_REPORT_GNUPLOT_H
#define HARNESS_REPORT_GNUPLOT_H

#include <stdbool.h>
#include <stddef.h>

#include "harness/util.h"

/* Where plots go and their scripts come from. Filled in by gnuplot_open(). */
struct gnuplot {
	char *scripts, *dir; /* absolute */
	bool missing;	     /* there is no such program */
};

/* A plot to draw: NAME.dat becomes NAME.svg and NAME.png, by scripts/plots/SCRIPT.gp. */
struct gnuplot_job {
	const char *name, *script; /* file names: letters, digits, '-' and '_' */
	char *title, *axis;	   /* through gnuplot_label(), as they become commands */
	char *variables;	   /* for the script: "rows = 3; ..." */
	size_t height;		   /* pixels */
	size_t wider;		   /* pixels, than a plot with short names beside it */
	struct strbuf data;
};

/*
 * Makes the folder if it is not there. That gnuplot is missing is no error: it is noted and a
 * warning. 0 or -errno, logged; to be closed in any case.
 */
int gnuplot_open(struct gnuplot *gnuplot, const char *dir, const char *scripts_dir);
void gnuplot_close(struct gnuplot *gnuplot);

/*
 * Writes the data and draws. -ENOENT, not logged, if gnuplot is missing; -EINTR; or another
 * -errno, logged.
 */
int gnuplot_draw(const struct gnuplot *gnuplot, const struct gnuplot_job *job);
/* Frees what the job holds. */
void gnuplot_job_free(struct gnuplot_job *job);

/*
 * Text that is safe in data files and in commands, cut to so many characters; to free. Of what
 * is not ASCII everything stays, of ASCII what names are made of.
 */
char *gnuplot_label(const char *text, size_t max_chars);

#endif
