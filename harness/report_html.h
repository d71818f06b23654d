/* SPDX-License-Identifier: GPL-2.0-only */
/* Inside of the report: the parts of its page. */
#ifndef HARNESS_REPORT_HTML_H
#define HARNESS_REPORT_HTML_H

#include "harness/report_data.h"
#include "harness/report_plot.h"
#include "harness/util.h"

/* The answer: sentences, the table with its plot, and the plots of the whole run. */
void report_html_summary(struct strbuf *sb, const struct report *report,
			 const struct report_plots *plots);
/* The summary's table alone, a row a series, with its legend. */
void report_html_table(struct strbuf *sb, const struct report *report);
/* A section for each workload: a table, plots, and every metric. */
void report_html_workloads(struct strbuf *sb, const struct report *report,
			   const struct report_plots *plots);
/* A table for each line of a workload that has one; nothing if there is none. */
void report_html_lines(struct strbuf *sb, const struct report *report, size_t workload);
/* Each cell, what was left out and why, where and how. */
void report_html_cells(struct strbuf *sb, const struct report *report);
void report_html_environment(struct strbuf *sb, const struct report *report);
/* How figures come about; where the raw data is. */
void report_html_method(struct strbuf *sb, const struct report *report);

/* Shared by the parts. A series' name with its colour. */
void report_html_series(struct strbuf *sb, const struct report *report, size_t series);
/* The rest of a table's head, a column for each series, and the beginning of its body. */
void report_html_series_head(struct strbuf *sb, const struct report *report);
/* A note on where the figures come from, if a reader must know. */
void report_html_caveat(struct strbuf *sb, const struct report *report);
/* "ok" and the others, as a word with a colour. */
void report_html_status(struct strbuf *sb, const char *status);
/* A ratio with its interval; nothing if there is none. */
void report_html_ratio(struct strbuf *sb, const struct report_ratio *ratio);
/* The plots of a workload, or those of none. */
void report_html_plots(struct strbuf *sb, const struct report *report,
		       const struct report_plots *plots, size_t workload);
/*
 * The table of a scenario's metrics that are shares, if it has any; ops, which may be NULL, has the
 * words for them.
 */
struct workload_ops;
void report_html_shares(struct strbuf *sb, const struct report *report,
			const struct workload_ops *ops, size_t scenario);
/* The id of a workload's section: "workload-2". To free. */
char *report_html_workload_id(size_t workload);

#endif
