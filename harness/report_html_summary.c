// SPDX-License-Identifier: GPL-2.0-only
/* The page's first screen: which mode costs what. */
#include <math.h>
#include <string.h>

#include "harness/report_html.h"
#include "harness/report_page.h"
#include "harness/report_summary.h"

/* What a sentence says of a mode: multiples of the baseline. */
static const struct aspect {
	const char *metric; /* NULL: the throughput */
	const char *what;
} aspects[] = {
	{ REPORT_INSTRUCTIONS, "emulated instructions per operation" },
	{ NULL, "throughput" },
	{ "lat_p99_s", "p99 latency" },
	{ "vm_exits_per_op", "VM exits per operation" },
	{ "dma_map_unmap_p50_s", "time of a map and an unmap" },
};

static struct report_ratio aspect_ratio(const struct report *report, size_t series,
					const struct aspect *aspect)
{
	size_t metric = aspect->metric ? report_metric(report, aspect->metric) : METRIC_THROUGHPUT;

	return report_series_ratio(report, series, metric);
}

/* Is it known that it is not the same? Without an interval the figure stands for itself. */
static bool is_clear(const struct report_ratio *ratio)
{
	return isnan(ratio->low) || ratio->low > 1 || ratio->high < 1;
}

/* Adds those that are clear, or those that are not; *nr counts what the sentence has. */
static void add_aspects(struct strbuf *sb, const struct report *report, size_t series, bool clear,
			size_t *nr)
{
	const char *before = *nr ? "; no clear difference: " : "no clear difference: ";

	if (clear)
		before = "";
	for (size_t i = 0; i < ARRAY_SIZE(aspects); i++) {
		struct report_ratio ratio = aspect_ratio(report, series, &aspects[i]);
		const char *metric = aspects[i].metric ? aspects[i].metric : "throughput";

		if (isnan(ratio.ratio) || is_clear(&ratio) != clear)
			continue;
		if (metric == aspects[0].metric && !report_is_emulated(report))
			continue;
		strbuf_addf(sb, "%s<span%s data-metric=\"%s\">", before,
			    clear ? " class=\"clear\"" : "", metric);
		report_html_ratio(sb, &ratio);
		strbuf_addf(sb, " the %s</span>", aspects[i].what);
		before = ", ";
		++*nr;
	}
}

static void add_value(struct strbuf *sb, const struct report *report, size_t metric, double value)
{
	autofree char *text = report_format(value, report->metrics[metric].unit);

	page_number(sb, "value", value, text);
}

/* A change that a ratio says less well: "VM created in 0.9 s instead of 6.4 s". */
struct change {
	const char *metric, *before, *after;
	const char *start; /* a metric that is said if it is more than twice as much, or NULL */
	bool if_same;	   /* the same figure says something too */
};

static void add_start(struct strbuf *sb, const struct report *report, size_t series,
		      const char *name, double value)
{
	size_t metric = name ? report_metric(report, name) : NO_METRIC;
	double start = report_series_value(report, series, metric);

	if (!(start > 2 * value))
		return;
	strbuf_addf(sb, " (<span data-metric=\"%s\">", name);
	add_value(sb, report, metric, start);
	strbuf_addf(sb, "</span> at its start)");
}

static void add_change(struct strbuf *sb, const struct report *report, size_t series,
		       const struct change *change, size_t *nr)
{
	size_t metric = report_metric(report, change->metric);
	double value = report_series_value(report, series, metric);
	double base = report_series_value(report, 0, metric);
	bool same = fabs(value - base) < 0.1 * base;

	if (isnan(value) || isnan(base) || (same && !change->if_same))
		return;
	if (report->mixed) /* the medians could be of different hosts */
		return;
	strbuf_addf(sb, "%s%s <span data-metric=\"%s\">", (*nr)++ ? "; " : "", change->before,
		    change->metric);
	add_value(sb, report, metric, value);
	strbuf_addf(sb, "%s", change->after);
	add_start(sb, report, series, change->start, value);
	if (same) {
		strbuf_addf(sb, ", about the same</span>");
		return;
	}
	strbuf_addf(sb, " instead of <span data-series=\"");
	page_text(sb, report->series[0].label);
	strbuf_addf(sb, "\">");
	add_value(sb, report, metric, base);
	strbuf_addf(sb, "</span></span>");
}

/* Why a series has no figures: the first reason that one of its cells gives. */
static void add_no_figures(struct strbuf *sb, const struct report *report, size_t series)
{
	for (size_t i = 0; i < report->nr_cells; i++) {
		const struct report_cell *cell = &report->cells[i];

		if (cell->series != series || !strcmp(cell->status, "ok"))
			continue;
		strbuf_addf(sb, "no figures: ");
		page_text(sb, cell->status);
		strbuf_addf(sb, "%s", cell->reason ? ": " : "");
		page_text(sb, cell->reason ? cell->reason : "");
		return;
	}
	strbuf_addf(sb, "no figures to compare");
}

static const struct change pinned_mean = { "pinned_mean_bytes", "keeps", " pinned",
					   "pinned_start_bytes", true };
static const struct change pinned_peak = { "pinned_peak_bytes", "pins up to", "", NULL, true };
static const struct change created = { "vm_create_s", "VM created in", "", NULL, false };

static void add_sentence(struct strbuf *sb, const struct report *report, size_t series)
{
	size_t metric = report_metric(report, "pinned_mean_bytes");
	bool mean = !isnan(report_series_value(report, series, metric));
	size_t nr = 0;

	strbuf_addf(sb, "<li data-series=\"");
	page_text(sb, report->series[series].label);
	strbuf_addf(sb, "\"><strong>");
	report_html_series(sb, report, series);
	strbuf_addf(sb, "</strong>: ");
	add_aspects(sb, report, series, true, &nr);
	add_change(sb, report, series, mean ? &pinned_mean : &pinned_peak, &nr);
	add_change(sb, report, series, &created, &nr);
	add_aspects(sb, report, series, false, &nr);
	if (!nr)
		add_no_figures(sb, report, series);
	strbuf_addf(sb, "</li>\n");
}

static void add_answer(struct strbuf *sb, const struct report *report)
{
	if (!report->nr_series) {
		strbuf_addf(sb, "<p>The run has no cells: there is nothing to report.</p>\n");
		return;
	}
	if (report->nr_series == 1) {
		strbuf_addf(sb, "<p>The run has one mode, ");
		page_element(sb, "strong", report->series[0].label);
		strbuf_addf(sb, ", and nothing to compare it with.</p>\n");
		return;
	}
	strbuf_addf(sb, "<p>Compared with <strong>");
	page_text(sb, report->series[0].label);
	strbuf_addf(sb, "</strong>:</p>\n<ul class=\"answer\">\n");
	for (size_t s = 1; s < report->nr_series; s++)
		add_sentence(sb, report, s);
	strbuf_addf(sb, "</ul>\n");
}

/* The lowest confidence of all intervals of the table; 0: there is none. */
static double least_confidence(const struct report *report, const struct report_column **columns,
			       size_t nr)
{
	double least = 0;

	for (size_t c = 0; c < nr; c++) {
		for (size_t s = 1; s < report->nr_series; s++) {
			struct report_ratio ratio = report_series_ratio(
				report, s, report_column_metric(report, columns[c]));

			if (!isnan(ratio.low) && (!(least > 0) || ratio.confidence < least))
				least = ratio.confidence;
		}
	}
	return least;
}

static void add_figure(struct strbuf *sb, const struct report *report,
		       const struct report_column *column, size_t series)
{
	size_t metric = report_column_metric(report, column);
	struct report_ratio ratio = report_series_ratio(report, series, metric);
	double value = report_column_value(report, column, series);
	autofree char *text = report_column_text(report, column, series);

	strbuf_addf(sb, "<td class=\"n\" data-label=\"%s\" data-metric=\"%s\"><span>",
		    column->title, column->metric ? column->metric : "throughput");
	if (isnan(value)) {
		strbuf_addf(sb, NO_VALUE);
	} else if (column->relative) {
		report_html_ratio(sb, &ratio);
	} else {
		page_number(sb, "value", value, text);
		if (series && !isnan(ratio.ratio)) {
			strbuf_addf(sb, "<small>");
			report_html_ratio(sb, &ratio);
			strbuf_addf(sb, "</small>");
		}
	}
	strbuf_addf(sb, "</span></td>");
}

static void add_row(struct strbuf *sb, const struct report *report, size_t series,
		    const struct report_column **columns, size_t nr)
{
	const struct report_series *s = &report->series[series];

	strbuf_addf(sb, "<tr data-series=\"");
	page_text(sb, s->label);
	strbuf_addf(sb, "\"><th scope=\"row\">");
	report_html_series(sb, report, series);
	strbuf_addf(sb, "</th>");
	for (size_t c = 0; c < nr; c++)
		add_figure(sb, report, columns[c], series);
	strbuf_addf(sb,
		    "<td class=\"n\" data-label=\"boots that count\">"
		    "<span><data data-of=\"boots-ok\" value=\"%zu\">%zu</data> of "
		    "<data data-of=\"boots\" value=\"%zu\">%zu</data></span></td></tr>\n",
		    s->nr_boots_ok, s->nr_boots_ok, s->nr_boots, s->nr_boots);
}

/* What the brackets are. */
static void add_legend(struct strbuf *sb, const struct report *report,
		       const struct report_column **columns, size_t nr)
{
	double confidence = least_confidence(report, columns, nr);
	autofree char *text = report_format_confidence(confidence);

	strbuf_addf(sb, "<p><small>× are multiples of ");
	page_text(sb, report->series[0].label);
	strbuf_addf(sb, "; over several workloads, their geometric mean. ");
	if (confidence > 0 && confidence < REPORT_CONFIDENCE)
		strbuf_addf(sb,
			    "In brackets: the interval in which the ratio lies with a confidence "
			    "of %s or more; so few boots give no more. ",
			    text);
	else if (confidence > 0)
		strbuf_addf(sb, "In brackets: the interval in which the ratio lies with a "
				"confidence of 95 %%. ");
	else if (report->nr_series > 1)
		strbuf_addf(sb,
			    "There are no intervals: they take %d boots of each cell at least. ",
			    REPORT_MIN_BOOTS);
	strbuf_addf(sb, "Other figures: the median of the cells' medians. " NO_VALUE
			": not measured.</small></p>\n");
}

void report_html_table(struct strbuf *sb, const struct report *report)
{
	const struct report_column *columns[MAX_COLUMNS];
	size_t nr = report_columns(report, columns);

	strbuf_addf(
		sb,
		"<div class=\"scroll\"><table class=\"cards modes\">\n<thead><tr><th scope=\"col\">mode</th>");
	for (size_t c = 0; c < nr; c++)
		strbuf_addf(sb, "<th scope=\"col\" class=\"n\">%s</th>", columns[c]->title);
	strbuf_addf(sb, "<th scope=\"col\" class=\"n\">boots that count</th></tr></thead>\n"
			"<tbody>\n");
	for (size_t s = 0; s < report->nr_series; s++)
		add_row(sb, report, s, columns, nr);
	strbuf_addf(sb, "</tbody></table></div>\n");
	add_legend(sb, report, columns, nr);
}

/* Nothing is left out in silence. */
static void add_left_out(struct strbuf *sb, const struct report *report)
{
	size_t nr = 0;

	for (size_t i = 0; i < report->nr_cells; i++)
		nr += strcmp(report->cells[i].status, "ok") != 0;
	if (nr)
		strbuf_addf(sb,
			    "<p class=\"note\"><strong>%zu of %zu cells</strong> are skipped, "
			    "failed, invalid or not run yet: <a href=\"#cells\">which, and "
			    "why</a>.</p>\n",
			    nr, report->nr_cells);
}

void report_html_summary(struct strbuf *sb, const struct report *report,
			 const struct report_plots *plots)
{
	strbuf_addf(sb, "<section id=\"summary\">\n<h2>Summary</h2>\n");
	add_answer(sb, report);
	if (report->nr_series)
		report_html_table(sb, report);
	add_left_out(sb, report);
	if (!plots->nr && !plots->no_gnuplot)
		strbuf_addf(sb, "<p>There is nothing to plot yet.</p>\n");
	report_html_plots(sb, report, plots, ALL_WORKLOADS);
	strbuf_addf(sb, "</section>\n");
}
