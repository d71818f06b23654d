// SPDX-License-Identifier: GPL-2.0-only
/* A workload's metrics that are shares (0 to 1): a table of what is shared out, mode by mode. */
#include <string.h>

#include "bench/workload.h"
#include "harness/report_format.h"
#include "harness/report_html.h"
#include "harness/report_page.h"

static bool is_share(const struct report *report, size_t scenario, size_t metric)
{
	return !strcmp(report->metrics[metric].unit, "share") &&
	       report_scenario_has(report, scenario, metric);
}

/* The workload's own words for a metric; of one that it does not know, its name. */
static const char *title_of(const struct workload_ops *ops, const char *metric)
{
	for (const struct metric_desc *desc = ops ? ops->metrics : NULL; desc && desc->name; desc++)
		if (!strcmp(desc->name, metric))
			return desc->help;
	return metric;
}

static void add_share(struct strbuf *sb, const struct report *report, size_t series,
		      size_t scenario, size_t metric)
{
	const struct report_cell *cell = report_cell(report, series, scenario);
	struct report_stat stat = { 0 };
	autofree char *text = NULL;

	if (cell)
		stat = report_stat(cell, metric);
	strbuf_addf(sb, "<td class=\"n\" data-label=\"");
	page_text(sb, report->series[series].label);
	if (!stat.nr) {
		strbuf_addf(sb, "\">" NO_VALUE "</td>");
		return;
	}
	strbuf_addf(sb, "\" data-cell=\"");
	page_text(sb, cell->id);
	strbuf_addf(sb, "\">");
	text = report_format(stat.median, report->metrics[metric].unit);
	page_number(sb, "median", stat.median, text);
	strbuf_addf(sb, "</td>");
}

static void add_row(struct strbuf *sb, const struct report *report, const struct workload_ops *ops,
		    size_t scenario, size_t metric)
{
	strbuf_addf(sb, "<tr data-metric=\"");
	page_text(sb, report->metrics[metric].name);
	strbuf_addf(sb, "\">");
	page_element(sb, "th scope=\"row\"", title_of(ops, report->metrics[metric].name));
	for (size_t s = 0; s < report->nr_series; s++)
		add_share(sb, report, s, scenario, metric);
	strbuf_addf(sb, "</tr>\n");
}

void report_html_shares(struct strbuf *sb, const struct report *report,
			const struct workload_ops *ops, size_t scenario)
{
	bool any = false;

	for (size_t m = 0; m < report->nr_metrics; m++)
		any |= is_share(report, scenario, m);
	if (!any)
		return;
	strbuf_addf(sb, "<div class=\"wide\" role=\"region\" tabindex=\"0\" aria-label=\"Shares: ");
	page_text(sb, report->scenarios[scenario].more);
	strbuf_addf(sb, "\"><table>\n<caption>Shares, the median of the boots</caption>\n"
			"<thead><tr><th scope=\"col\">share of</th>");
	report_html_series_head(sb, report);
	for (size_t m = 0; m < report->nr_metrics; m++)
		if (is_share(report, scenario, m))
			add_row(sb, report, ops, scenario, m);
	strbuf_addf(sb, "</tbody></table></div>\n");
}
