/* SPDX-License-Identifier: GPL-2.0-only */
/* Inside of the report: its plots, made by gnuplot from data files. */
#ifndef HARNESS_REPORT_PLOT_H
#define HARNESS_REPORT_PLOT_H

#include "harness/report_data.h"
#include "harness/util.h"

struct report_plot {
	const char *name; /* plots/NAME.svg and .png */
	char *title;
	const char *caption;
	int error; /* 0: the files are there */
};

#define MAX_PLOTS 16
struct report_plots {
	struct report_plot items[MAX_PLOTS];
	size_t nr; /* those for which there is data, in the order to show them */
	bool no_gnuplot;
};

/*
 * Makes every plot for which the run has data. A missing gnuplot is logged as a warning and
 * noted; else 0, or the first plot's -errno with each failure logged.
 */
int report_plots_make(const struct report *report, const char *scripts_dir,
		      struct report_plots *plots);
void report_plots_free(struct report_plots *plots);

/* Internal to the plots: data files, one value or label a column, blocks for gnuplot's `index`. */

/* Text that is safe in them and in gnuplot's commands, cut to a length that fits; to free. */
char *report_plot_label(const char *text);
/* Bars a series, grouped by scenario: relative to the baseline, or as they are. */
bool report_plot_bars(const struct report *report, size_t metric, bool relative,
		      struct strbuf *data, size_t *nr_rows);
/* VM exits an operation, stacked by reason. */
bool report_plot_exits(const struct report *report, struct strbuf *data, size_t *nr_rows,
		       size_t *nr_parts);
/* Time until the VM is ready, stacked by stage. */
bool report_plot_stages(const struct report *report, struct strbuf *data, size_t *nr_rows,
			size_t *nr_parts);
/* Pinned memory over time, one block a series, and as many colours. */
bool report_plot_pinned(const struct report *report, struct strbuf *data, struct strbuf *colours,
			size_t *nr_lines);

#endif
