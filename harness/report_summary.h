/* SPDX-License-Identifier: GPL-2.0-only */
/* Inside of the report: its answer in a few figures, and how figures are written for people. */
#ifndef HARNESS_REPORT_SUMMARY_H
#define HARNESS_REPORT_SUMMARY_H

#include <stdio.h>

#include "harness/report_data.h"

#define NO_VALUE "–"

/* Strings to free: a value with its unit ("12.3 k/s"), a ratio ("0.31×"); NAN: NO_VALUE. */
char *report_format(double value, const char *unit);
char *report_format_ratio(double ratio);

/* Columns in the terminal, so that "–" and "×" count as one each. */
int report_text_width(const char *text);
/* Text from files must not move the terminal's cursor. */
void report_print_clean(FILE *out, const char *text);
void report_print_padded(FILE *out, const char *text, int width, bool left);

/* A column of the summary table, a line a series. */
struct report_column {
	const char *title, *narrow; /* the latter for the terminal */
	const char *metric;	    /* NULL: the throughput */
	bool relative;		    /* shown as a multiple of the baseline only */
	bool optional;		    /* left out when no series has a value */
};
/* The columns to show, in order: pointers to a constant table in columns, their number. */
#define MAX_COLUMNS 16
size_t report_columns(const struct report *report, const struct report_column **columns);
/* The series' figure; with ratio (may be NULL) to the baseline, NAN if there is none. */
double report_column_value(const struct report *report, const struct report_column *column,
			   size_t series, double *ratio);
/* The figure as text, to free. */
char *report_column_text(const struct report *report, const struct report_column *column,
			 size_t series);

/* A series against the baseline in one sentence, without its name: to free. */
char *report_headline(const struct report *report, size_t series);
/* What a reader must know of where the figures come from, or NULL; to free. */
char *report_caveat(const struct report *report);

#endif
