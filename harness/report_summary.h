/* SPDX-License-Identifier: GPL-2.0-only */
/* Inside of the report: its answer in a few figures. */
#ifndef HARNESS_REPORT_SUMMARY_H
#define HARNESS_REPORT_SUMMARY_H

#include "harness/report_data.h"
#include "harness/report_format.h"

#define REPORT_INSTRUCTIONS "lab_instructions_per_op"

/* A column of the summary table, a line a series. */
struct report_column {
	const char *title, *narrow; /* the latter for the terminal */
	const char *metric;	    /* NULL: the throughput */
	bool relative;		    /* shown as a multiple of the baseline only */
	bool optional;		    /* left out when no series has a value */
	bool part;		    /* only in a workload's own part */
	bool setting;		    /* only where settings of a mode are compared */
	bool start;		    /* about the VM's start: no matter of a workload under load */
};
/* The columns to show, in order: pointers to a constant table in columns, their number. */
#define MAX_COLUMNS 16
size_t report_columns(const struct report *report, const struct report_column **columns);
/* The same with those of workloads' parts. */
size_t report_part_columns(const struct report *report, const struct report_column **columns);
/* Those that tell what a mode's settings change. */
size_t report_setting_columns(const struct report *report, const struct report_column **columns);
size_t report_column_metric(const struct report *report, const struct report_column *column);
/* The series' figure: its value, or its ratio to the baseline. */
double report_column_value(const struct report *report, const struct report_column *column,
			   size_t series);
/* The figure as text, to free. */
char *report_column_text(const struct report *report, const struct report_column *column,
			 size_t series);

/* What a reader must know of where the figures come from, or NULL; to free. */
char *report_caveat(const struct report *report);

#endif
