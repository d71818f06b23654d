/* SPDX-License-Identifier: GPL-2.0-only */
/* Inside of the report: its plots. */
#ifndef HARNESS_REPORT_PLOT_H
#define HARNESS_REPORT_PLOT_H

#include "harness/report_data.h"
#include "harness/report_gnuplot.h"
#include "harness/util.h"

#define ALL_WORKLOADS ((size_t)-1)

struct report_plot {
	char *name; /* plots/NAME.svg and .png */
	char *title;
	const char *caption;
	size_t workload; /* whose page part it belongs to, or ALL_WORKLOADS: the summary's */
	int error;	 /* 0: the files are there */
};

struct report_plots {
	struct report_plot *items; /* those for which there is data, in the order to show them */
	size_t nr;
	bool no_gnuplot;
};

/*
 * Makes every plot for which the run has data. A missing gnuplot is logged as a warning and
 * noted; else 0, or the first plot's -errno with each failure logged.
 */
int report_plots_make(const struct report *report, const char *scripts_dir,
		      struct report_plots *plots);
void report_plots_free(struct report_plots *plots);

/*
 * Internal to the plots: data files, one value or label a column, blocks for gnuplot's `index`.
 * Before a row that shows a cell a comment names the cell, the metric, and the cell that it is
 * divided by ("-": none). They return whether there is something to show.
 */

/* Bars a series, grouped by the workload's scenarios: relative to the baseline, or as they are. */
bool report_plot_bars(const struct report *report, size_t workload, size_t metric, bool relative,
		      struct strbuf *data, size_t *nr_rows);
/* VM exits an operation, stacked by reason. */
bool report_plot_exits(const struct report *report, size_t workload, struct strbuf *data,
		       size_t *nr_rows, size_t *nr_parts);
/* Time until the VM is ready, stacked by stage: of a series; or of a workload's cells. */
bool report_plot_stages(const struct report *report, size_t workload, struct strbuf *data,
			size_t *nr_rows, size_t *nr_parts);
/* Multiples of the baseline with their intervals: those of the summary, a group a metric. */
bool report_plot_costs(const struct report *report, struct strbuf *data, size_t *nr_rows);

/* Lines of a plot: a data block each, its name first, and as many colours, dash types, widths. */
struct plot_lines {
	struct strbuf data, colours, dashes;
	struct strbuf widths; /* of pinned memory alone */
	size_t longest;	      /* name, in bytes */
	size_t nr;
	size_t scenario; /* that all are of, if they are of one */
	bool nonzero;	 /* a line of a sweep is not all zeros */
};
/*
 * Pinned memory over time, and dotted what is really mapped: of a typical boot of each series in
 * the scenario that has most of them. Of a workload: from where its measured window began.
 */
bool report_plot_pinned(const struct report *report, size_t workload, struct plot_lines *lines);
/* Which share of the pages that are used again are so within a time, a line a cell. */
bool report_plot_reuse(const struct report *report, size_t workload, struct plot_lines *lines);

/* Settings of modes with three numbers or more, between which nothing else differs. */
enum sweep_unit { SWEEP_COUNT, SWEEP_SECONDS, SWEEP_BYTES };
struct report_sweep {
	char *key;
	enum sweep_unit unit;
};
struct report_sweeps {
	struct report_sweep *items;
	size_t nr;
};
void report_sweeps_find(const struct report *report, struct report_sweeps *sweeps);
void report_sweeps_free(struct report_sweeps *sweeps);
/* Metrics against such a setting: a line for each metric and scenario. */
struct sweep_metric {
	const char *name, *suffix; /* the latter in the line's name */
	unsigned int dash;
};
bool report_plot_sweep(const struct report *report, size_t workload,
		       const struct report_sweep *sweep, const struct sweep_metric *metrics,
		       size_t nr, struct plot_lines *lines);

/* What the next row shows; base NULL: as it is. */
void plot_source(struct strbuf *rows, const struct report *report, const struct report_cell *cell,
		 size_t metric, const struct report_cell *base);

/* All boots and the lines through them, two blocks a line, and as many colours. */
struct report_line;
bool report_plot_line(const struct report *report, const struct report_line *lines, size_t nr,
		      struct strbuf *data, struct strbuf *colours);

/* Rows of a plot, headings among them; and further blocks that only some scripts use. */
struct plot_blocks {
	struct strbuf rows, headings, dots, groups;
	size_t nr_rows;
};
/* Pixels of room for long names of series at the left, so that what is drawn is not squeezed. */
size_t plot_wider(const struct report *report);

#define PLOT_LABEL_CHARS 30
#define PLOT_HEADING_CHARS 52
#define PLOT_MAX_ROWS 300 /* of one plot; what is beyond is in the page's tables */
void plot_blocks_heading(struct plot_blocks *blocks, const char *text);
/* The rows from first to the last one belong together. */
void plot_blocks_group(struct plot_blocks *blocks, size_t first);
/* A finite value with its interval, NANs for none; a name before and a text behind it. */
struct plot_point {
	double value, low, high;
	unsigned int colour, symbol; /* symbol: from 0, others are other shapes */
	const char *name, *text;
};
void plot_blocks_point(struct plot_blocks *blocks, const struct plot_point *point);
/* Writes and frees the blocks. */
void plot_blocks_join(struct plot_blocks *blocks, struct strbuf *data, size_t *nr_rows);

#endif
