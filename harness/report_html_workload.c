// SPDX-License-Identifier: GPL-2.0-only
/* The page's part for each workload. */
#include <math.h>
#include <string.h>

#include "bench/registry.h"
#include "harness/report_html.h"
#include "harness/report_page.h"
#include "harness/report_picture.h"
#include "harness/report_summary.h"
#include "harness/stats.h"

/* Of a workload under load its start and what is pinned then is not its matter. */
static bool column_belongs(const struct report *report, const struct report_column *column,
			   size_t workload)
{
	size_t metric = report_column_metric(report, column);
	bool load = false, has = false;

	for (size_t s = 0; s < report->nr_scenarios; s++) {
		if (report->scenarios[s].workload != workload)
			continue;
		load |= report->scenarios[s].throughput != NO_METRIC;
		has |= report_scenario_has(report, s, metric);
	}
	return has && !(load && column->start);
}

static const char *metric_unit(const struct report *report, size_t scenario, size_t metric)
{
	if (metric == METRIC_THROUGHPUT && report->scenarios[scenario].throughput != NO_METRIC)
		metric = report->scenarios[scenario].throughput;
	return report->metrics[metric].unit;
}

/* Opens a table cell that says what its figures are of. */
static void start_figure(struct strbuf *sb, const struct report_cell *cell, const char *label)
{
	strbuf_addf(sb, "<td class=\"n\" data-label=\"");
	page_text(sb, label);
	strbuf_addf(sb, "\" data-cell=\"");
	page_text(sb, cell->id);
	strbuf_addf(sb, "\"");
}

static void add_median(struct strbuf *sb, const struct report *report,
		       const struct report_cell *cell, size_t metric, struct report_stat *stat)
{
	autofree char *text = NULL;

	*stat = report_stat(cell, metric);
	text = report_format(stat->median, metric_unit(report, cell->scenario, metric));
	page_number(sb, "median", stat->median, text);
}

static void add_key_figure(struct strbuf *sb, const struct report *report,
			   const struct report_cell *cell, const struct report_column *column)
{
	size_t metric = report_column_metric(report, column);
	struct report_ratio ratio = report_cell_ratio(report, cell, metric);
	struct report_stat stat;

	start_figure(sb, cell, column->title);
	strbuf_addf(sb, " data-metric=\"%s\"><span>",
		    column->metric ? column->metric : "throughput");
	add_median(sb, report, cell, metric, &stat);
	if (cell->series && !isnan(ratio.ratio)) {
		strbuf_addf(sb, "<small>");
		report_html_ratio(sb, &ratio);
		strbuf_addf(sb, "</small>");
	}
	strbuf_addf(sb, "</span></td>");
}

static void add_cell_row(struct strbuf *sb, const struct report *report,
			 const struct report_cell *cell, const struct report_column **columns,
			 size_t nr)
{
	strbuf_addf(sb, "<tr><th scope=\"row\">");
	report_html_series(sb, report, cell->series);
	if (strcmp(cell->status, "ok") != 0) {
		strbuf_addf(sb, " ");
		report_html_status(sb, cell->status);
	}
	strbuf_addf(sb, "</th>");
	for (size_t c = 0; c < nr && cell->nr_ok; c++)
		add_key_figure(sb, report, cell, columns[c]);
	if (!cell->nr_ok) {
		strbuf_addf(sb, "<td class=\"block\" colspan=\"%zu\">", nr + 1);
		page_text(sb, cell->reason ? cell->reason : "no boot counts");
		strbuf_addf(sb, "</td></tr>\n");
		return;
	}
	start_figure(sb, cell, "boots that count");
	strbuf_addf(sb,
		    "><span><data data-of=\"boots-ok\" value=\"%zu\">%zu</data> of "
		    "<data data-of=\"boots\" value=\"%zu\">%zu</data></span></td></tr>\n",
		    cell->nr_ok, cell->nr_ok, cell->nr_boots, cell->nr_boots);
}

/* A table of cells, a row each, grouped by scenario; settings: just the modes that have any. */
static void add_cells_table(struct strbuf *sb, const struct report *report, size_t workload,
			    const struct report_column **columns, size_t nr, bool settings)
{
	strbuf_addf(
		sb,
		"<div class=\"scroll\"><table class=\"cards\">\n<thead><tr><th scope=\"col\">mode</th>");
	for (size_t c = 0; c < nr; c++)
		strbuf_addf(sb, "<th scope=\"col\" class=\"n\">%s</th>", columns[c]->title);
	strbuf_addf(sb, "<th scope=\"col\" class=\"n\">boots that count</th></tr></thead>\n");
	for (size_t s = 0; s < report->nr_scenarios; s++) {
		if (report->scenarios[s].workload != workload)
			continue;
		strbuf_addf(sb,
			    "<tbody><tr><th class=\"group\" scope=\"rowgroup\" colspan=\"%zu\">",
			    nr + 2);
		page_text(sb, report->scenarios[s].more);
		strbuf_addf(sb, "</th></tr>\n");
		for (size_t m = 0; m < report->nr_series; m++) {
			const struct report_cell *cell = report_cell(report, m, s);

			if (cell && (!settings || *report->series[m].settings))
				add_cell_row(sb, report, cell, columns, nr);
		}
		strbuf_addf(sb, "</tbody>\n");
	}
	strbuf_addf(sb, "</table></div>\n");
}

/* Every cell with the figures that matter most: medians, and ratios to the baseline. */
static void add_key_table(struct strbuf *sb, const struct report *report, size_t workload)
{
	const struct report_column *columns[MAX_COLUMNS];
	size_t nr = 0, all = report_part_columns(report, columns);

	for (size_t c = 0; c < all; c++)
		if (column_belongs(report, columns[c], workload))
			columns[nr++] = columns[c];
	add_cells_table(sb, report, workload, columns, nr, false);
}

/* What the settings of modes change, if several of a mode are compared. */
static void add_settings_table(struct strbuf *sb, const struct report *report, size_t workload)
{
	const struct report_column *columns[MAX_COLUMNS];
	size_t nr = 0, nr_series = 0, all = report_setting_columns(report, columns);

	for (size_t s = 0; s < report->nr_series; s++)
		nr_series += *report->series[s].settings != '\0';
	for (size_t c = 0; c < all; c++)
		if (column_belongs(report, columns[c], workload))
			columns[nr++] = columns[c];
	if (nr_series < 2 || !nr)
		return;
	strbuf_addf(sb, "<h3>What the modes' settings change</h3>\n");
	add_cells_table(sb, report, workload, columns, nr, true);
}

/* The median, below it the ratio to the baseline and the spread of the boots. */
static void add_figure(struct strbuf *sb, const struct report *report,
		       const struct report_cell *cell, size_t metric)
{
	const struct report_cell *base = report_cell(report, 0, cell->scenario);
	struct report_ratio ratio = { .low = NAN }; /* the table above has the intervals */
	const char *unit = metric_unit(report, cell->scenario, metric);
	autofree char *min = NULL, *max = NULL;
	struct report_stat stat;

	add_median(sb, report, cell, metric, &stat);
	if (!stat.nr)
		return;
	min = report_format(stat.min, unit);
	max = report_format(stat.max, unit);
	ratio.ratio = stats_ratio(stat.median, report_stat(base, metric).median);
	strbuf_addf(sb, "<small>");
	if (cell->series && !isnan(ratio.ratio)) {
		report_html_ratio(sb, &ratio);
		strbuf_addf(sb, "; ");
	}
	page_number(sb, "min", stat.min, min);
	if (strcmp(min, max) != 0) {
		strbuf_addf(sb, " to ");
		page_number(sb, "max", stat.max, max);
	}
	strbuf_addf(sb, "</small>");
}

static void add_metric_row(struct strbuf *sb, const struct report *report, size_t scenario,
			   size_t metric)
{
	strbuf_addf(sb, "<tr data-metric=\"");
	page_text(sb, report->metrics[metric].name);
	strbuf_addf(sb, "\">");
	page_element(sb, "th scope=\"row\"", report->metrics[metric].name);
	for (size_t s = 0; s < report->nr_series; s++) {
		const struct report_cell *cell = report_cell(report, s, scenario);

		if (cell) {
			start_figure(sb, cell, report->series[s].label);
			strbuf_addf(sb, ">");
			add_figure(sb, report, cell, metric);
			strbuf_addf(sb, "</td>");
		} else {
			strbuf_addf(sb, "<td class=\"n\">" NO_VALUE "</td>");
		}
	}
	strbuf_addf(sb, "</tr>\n");
}

/* Every metric of a scenario: closed at first. */
static void add_all_metrics(struct strbuf *sb, const struct report *report, size_t scenario)
{
	const char *label = report->scenarios[scenario].more;

	strbuf_addf(sb, "<details><summary>All metrics: ");
	page_text(sb, label);
	/* A part that scrolls is to be reached with the keyboard. */
	strbuf_addf(sb, "</summary>\n<div class=\"wide\" role=\"region\" tabindex=\"0\" "
			"aria-label=\"All metrics: ");
	page_text(sb, label);
	strbuf_addf(sb, "\"><table>\n<caption>Median of the boots; below it the multiple of the "
			"baseline, and lowest to highest.</caption>\n"
			"<thead><tr><th scope=\"col\">metric</th>");
	report_html_series_head(sb, report);
	for (size_t m = 0; m < report->nr_metrics; m++)
		if (report_scenario_has(report, scenario, m))
			add_metric_row(sb, report, scenario, m);
	strbuf_addf(sb, "</tbody></table></div></details>\n");
}

static void add_workload(struct strbuf *sb, const struct report *report,
			 const struct report_plots *plots, size_t workload)
{
	const char *name = report->workloads[workload].name;
	const struct workload_ops *ops = registry_workload(name);
	autofree char *id = report_html_workload_id(workload);

	strbuf_addf(sb, "<section id=\"%s\">\n", id);
	page_element(sb, "h2", name);
	if (ops) {
		strbuf_addf(sb, "\n");
		page_element(sb, "p class=\"soft\"", ops->help);
	}
	strbuf_addf(sb, "\n");
	add_key_table(sb, report, workload);
	add_settings_table(sb, report, workload);
	for (size_t s = 0; s < report->nr_scenarios; s++)
		if (report->scenarios[s].workload == workload)
			report_html_shares(sb, report, ops, s);
	report_html_lines(sb, report, workload);
	report_html_plots(sb, report, plots, workload);
	report_html_pictures(sb, report, workload);
	for (size_t s = 0; s < report->nr_scenarios; s++)
		if (report->scenarios[s].workload == workload)
			add_all_metrics(sb, report, s);
	strbuf_addf(sb, "</section>\n");
}

void report_html_workloads(struct strbuf *sb, const struct report *report,
			   const struct report_plots *plots)
{
	for (size_t w = 0; w < report->nr_workloads; w++)
		add_workload(sb, report, plots, w);
}
