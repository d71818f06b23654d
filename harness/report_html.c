// SPDX-License-Identifier: GPL-2.0-only
/* report.html: the answer first, then plots, figures, what was run, and where. */
#include <errno.h>
#include <math.h>
#include <string.h>

#include "harness/log.h"
#include "harness/report.h"
#include "harness/report_html.h"
#include "harness/report_page.h"
#include "harness/report_plot.h"
#include "harness/report_summary.h"
#include "harness/stats.h"

static void add_series_name(struct strbuf *sb, const struct report *report, size_t series)
{
	strbuf_addf(sb, "<span class=\"key\" style=\"background:#%06x\"></span>",
		    report->series[series].colour);
	page_text(sb, report->series[series].label);
}

/* Which run this is, in a line. */
static void add_run(struct strbuf *sb, const struct report *report)
{
	static const char *const keys[] = { "run_id", "where", "started", "status" };
	size_t nr = 0;

	strbuf_addf(sb, "\n<p class=\"soft\">");
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		const char *text = report_text(report, keys[i]);

		if (!*text)
			continue;
		strbuf_addf(sb, "%s", nr++ ? " · " : "");
		page_text(sb, text);
	}
	strbuf_addf(sb, "</p>\n");
}

/* What kind of figures these are, where they are shown first. */
static void add_notes(struct strbuf *sb, const struct report *report)
{
	const char *status = report_text(report, "status");
	autofree char *caveat = report_caveat(report);

	if (caveat) {
		strbuf_addf(sb,
			    "<p class=\"note\"><strong>Virtual lab.</strong> These figures were ");
		page_text(sb, caveat);
		strbuf_addf(sb, ".</p>\n");
	}
	if (!strcmp(status, "complete"))
		return;
	strbuf_addf(sb, "<p class=\"note\"><strong>Not complete.</strong> The run is marked <em>");
	page_text(sb, status);
	strbuf_addf(sb, "</em>: what follows is what there was when this page was written.</p>\n");
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
	for (size_t s = 1; s < report->nr_series; s++) {
		autofree char *headline = report_headline(report, s);

		strbuf_addf(sb, "<li><strong>");
		add_series_name(sb, report, s);
		strbuf_addf(sb, "</strong>: ");
		page_text(sb, headline);
		strbuf_addf(sb, "</li>\n");
	}
	strbuf_addf(sb, "</ul>\n");
}

static void add_summary_row(struct strbuf *sb, const struct report *report, size_t series,
			    const struct report_column **columns, size_t nr)
{
	const struct report_series *s = &report->series[series];

	strbuf_addf(sb, "<tr><td>");
	add_series_name(sb, report, series);
	strbuf_addf(sb, "</td>");
	for (size_t c = 0; c < nr; c++) {
		autofree char *text = report_column_text(report, columns[c], series);
		autofree char *more = NULL;
		double ratio;

		report_column_value(report, columns[c], series, &ratio);
		strbuf_addf(sb, "<td class=\"n\" data-label=\"%s\"><span>", columns[c]->title);
		page_text(sb, text);
		if (!columns[c]->relative && series && !isnan(ratio)) {
			more = report_format_ratio(ratio);
			page_element(sb, "small", more);
		}
		strbuf_addf(sb, "</span></td>");
	}
	strbuf_addf(sb, "<td class=\"n\" data-label=\"boots that count\">%zu of %zu</td></tr>\n",
		    s->nr_boots_ok, s->nr_boots);
}

static void add_summary(struct strbuf *sb, const struct report *report)
{
	const struct report_column *columns[MAX_COLUMNS];
	size_t nr = report_columns(report, columns);

	if (!report->nr_series)
		return;
	strbuf_addf(
		sb,
		"<div class=\"scroll\"><table class=\"cards\" id=\"summary\">\n<thead><tr><th>mode</th>");
	for (size_t c = 0; c < nr; c++)
		strbuf_addf(sb, "<th class=\"n\">%s</th>", columns[c]->title);
	strbuf_addf(sb, "<th class=\"n\">boots that count</th></tr></thead>\n<tbody>\n");
	for (size_t s = 0; s < report->nr_series; s++)
		add_summary_row(sb, report, s, columns, nr);
	strbuf_addf(sb, "</tbody></table></div>\n<p><small>× are multiples of ");
	page_text(sb, report->series[0].label);
	strbuf_addf(sb, "; over several workloads, their geometric mean. Other figures: the median "
			"of the cells' medians. " NO_VALUE ": not measured.</small></p>\n");
	if (report->mixed)
		strbuf_addf(sb,
			    "<p class=\"note\">The run was split over several kinds of hosts. "
			    "Multiples are of figures of the same host; the other figures of this "
			    "table are of all hosts together, so do not divide them.</p>\n");
}

static void add_plot(struct strbuf *sb, const struct report *report, const struct report_plot *plot)
{
	autofree char *path = xasprintf("%s/plots/%s.svg", report->dir, plot->name);
	int err = plot->error;

	strbuf_addf(sb, "<figure id=\"plot-%s\">\n", plot->name);
	if (!err)
		err = page_svg(sb, path, plot->name, plot->title);
	if (err) {
		page_element(sb, "h3", plot->title);
		strbuf_addf(sb, "\n<p>This plot could not be drawn.</p>\n");
	}
	page_element(sb, "figcaption", plot->caption);
	strbuf_addf(sb, "\n</figure>\n");
}

static void add_plots(struct strbuf *sb, const struct report *report,
		      const struct report_plots *plots)
{
	strbuf_addf(sb, "<h2>Plots</h2>\n");
	if (plots->no_gnuplot) {
		strbuf_addf(sb,
			    "<p class=\"note\">There are no plots: gnuplot was missing when this "
			    "page was written. Install <code>gnuplot-nox</code> and run "
			    "<code>iommubench report</code> again.</p>\n");
		return;
	}
	if (!plots->nr)
		strbuf_addf(sb, "<p>There is nothing to plot yet.</p>\n");
	strbuf_addf(sb, "<div class=\"plots\">\n");
	for (size_t i = 0; i < plots->nr; i++)
		add_plot(sb, report, &plots->items[i]);
	strbuf_addf(sb, "</div>\n");
}

/* "12.3 k/s", below it the ratio to the baseline and the spread of the boots. */
static void add_figure(struct strbuf *sb, const struct report *report,
		       const struct report_cell *cell, size_t metric, const char *unit)
{
	const struct report_cell *base = report_cell(report, 0, cell->scenario);
	struct report_stat stat = report_stat(cell, metric);
	autofree char *median = report_format(stat.median, unit);
	autofree char *multiple = NULL, *min = NULL, *max = NULL;
	double ratio = stats_ratio(stat.median, report_stat(base, metric).median);

	strbuf_addf(sb, "<span>");
	page_text(sb, median);
	if (stat.nr) {
		multiple = report_format_ratio(ratio);
		min = report_format(stat.min, unit);
		max = report_format(stat.max, unit);
		strbuf_addf(sb, "<small>");
		if (cell->series && !isnan(ratio)) {
			page_text(sb, multiple);
			strbuf_addf(sb, "; ");
		}
		page_text(sb, min);
		if (strcmp(min, max) != 0) {
			strbuf_addf(sb, " to ");
			page_text(sb, max);
		}
		strbuf_addf(sb, "</small>");
	}
	strbuf_addf(sb, "</span>");
}

static bool scenario_has(const struct report *report, size_t scenario, size_t metric)
{
	for (size_t i = 0; i < report->nr_cells; i++)
		if (report->cells[i].scenario == scenario &&
		    report_stat(&report->cells[i], metric).nr)
			return true;
	return false;
}

static const char *metric_unit(const struct report *report, size_t scenario, size_t metric)
{
	if (metric == METRIC_THROUGHPUT && report->scenarios[scenario].throughput != NO_METRIC)
		metric = report->scenarios[scenario].throughput;
	return report->metrics[metric].unit;
}

static void add_metric_row(struct strbuf *sb, const struct report *report, size_t scenario,
			   size_t metric)
{
	strbuf_addf(sb, "<tr>");
	page_element(sb, "td", report->metrics[metric].name);
	for (size_t s = 0; s < report->nr_series; s++) {
		const struct report_cell *cell = report_cell(report, s, scenario);

		strbuf_addf(sb, "<td class=\"n\">");
		if (cell)
			add_figure(sb, report, cell, metric, metric_unit(report, scenario, metric));
		else
			strbuf_addf(sb, NO_VALUE);
		strbuf_addf(sb, "</td>");
	}
	strbuf_addf(sb, "</tr>\n");
}

/* Every metric of every scenario: a table for each, closed at first. */
static void add_figures(struct strbuf *sb, const struct report *report)
{
	strbuf_addf(sb, "<h2>All figures</h2>\n<p class=\"soft\">Median of the boots; below it the "
			"multiple of the baseline, and lowest to highest.</p>\n");
	for (size_t i = 0; i < report->nr_scenarios; i++) {
		strbuf_addf(sb, "<details><summary>");
		page_text(sb, report->scenarios[i].label);
		strbuf_addf(sb,
			    "</summary>\n<div class=\"wide\"><table>\n<thead><tr><th>metric</th>");
		for (size_t s = 0; s < report->nr_series; s++) {
			strbuf_addf(sb, "<th class=\"n\">");
			add_series_name(sb, report, s);
			strbuf_addf(sb, "</th>");
		}
		strbuf_addf(sb, "</tr></thead>\n<tbody>\n");
		for (size_t m = 0; m < report->nr_metrics; m++)
			if (scenario_has(report, i, m))
				add_metric_row(sb, report, i, m);
		strbuf_addf(sb, "</tbody></table></div></details>\n");
	}
}

static int write_page(const struct report *report, const struct report_plots *plots)
{
	autofree char *path = xasprintf("%s/report.html", report->dir);
	autofree char *title = xasprintf("%s: IOMMU benchmark", report_text(report, "name"));
	struct strbuf sb = { 0 };
	int ret;

	page_start(&sb, title);
	strbuf_addf(&sb,
		    "<header>\n<p class=\"soft\">What each way of running the IOMMU costs</p>\n");
	page_element(&sb, "h1", report_text(report, "name"));
	add_run(&sb, report);
	strbuf_addf(&sb, "</header>\n");
	add_notes(&sb, report);
	add_answer(&sb, report);
	add_summary(&sb, report);
	add_plots(&sb, report, plots);
	add_figures(&sb, report);
	report_html_run(&sb, report);
	page_end(&sb);
	ret = file_replace(path, sb.data, sb.len);
	if (ret)
		log_err("%s: %s", path, strerror(-ret));
	free(sb.data);
	return ret;
}

int report_write(const char *run_dir, const char *scripts_dir)
{
	struct report_plots plots = { 0 };
	struct report report;
	int ret = report_load(run_dir, &report), page_ret;

	if (!ret) {
		ret = report_plots_make(&report, scripts_dir, &plots);
		page_ret = write_page(&report, &plots);
		if (page_ret)
			ret = page_ret;
	}
	report_plots_free(&plots);
	report_free(&report);
	return ret;
}
