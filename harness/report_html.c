// SPDX-License-Identifier: GPL-2.0-only
/* report.html: its frame, and what its parts share. */
#include "harness/report_html.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "harness/log.h"
#include "harness/report.h"
#include "harness/report_format.h"
#include "harness/report_page.h"
#include "harness/report_summary.h"

void report_html_series(struct strbuf *sb, const struct report *report, size_t series)
{
	strbuf_addf(sb, "<span class=\"key\" style=\"background:#%06x\"></span>",
		    report->series[series].colour);
	page_text(sb, report->series[series].label);
}

void report_html_series_head(struct strbuf *sb, const struct report *report)
{
	for (size_t s = 0; s < report->nr_series; s++) {
		strbuf_addf(sb, "<th scope=\"col\" class=\"n\">");
		report_html_series(sb, report, s);
		strbuf_addf(sb, "</th>");
	}
	strbuf_addf(sb, "</tr></thead>\n<tbody>\n");
}

void report_html_status(struct strbuf *sb, const char *status)
{
	strbuf_addf(sb, "<span class=\"status %s\">", strcmp(status, "ok") ? "bad" : "ok");
	page_text(sb, status);
	strbuf_addf(sb, "</span>");
}

void report_html_ratio(struct strbuf *sb, const struct report_ratio *ratio)
{
	autofree char *low = report_format_bare(ratio->low);
	autofree char *high = report_format_bare(ratio->high);
	autofree char *middle = report_format_ratio(ratio->ratio);

	if (isnan(ratio->ratio))
		return;
	page_number(sb, "ratio", ratio->ratio, middle);
	if (isnan(ratio->low))
		return;
	strbuf_addf(sb, " <span class=\"range\">(");
	page_number(sb, "low", ratio->low, low);
	strbuf_addf(sb, " to ");
	page_number(sb, "high", ratio->high, high);
	strbuf_addf(sb, ")</span>");
}

static void add_plot(struct strbuf *sb, const struct report *report, const struct report_plot *plot)
{
	autofree char *path = xasprintf("%s/plots/%s.svg", report->dir, plot->name);
	int err = plot->error;

	strbuf_addf(sb, "<figure id=\"plot-%s\">\n", plot->name);
	if (!err)
		err = page_svg(sb, path, plot->name, plot->title, plot->caption);
	if (err) {
		page_element(sb, "p", plot->title);
		strbuf_addf(sb, "\n<p>This plot could not be drawn.</p>\n");
	}
	page_element(sb, "figcaption", plot->caption);
	strbuf_addf(sb, "\n</figure>\n");
}

void report_html_plots(struct strbuf *sb, const struct report *report,
		       const struct report_plots *plots, size_t workload)
{
	size_t nr = 0;

	for (size_t i = 0; i < plots->nr && !plots->no_gnuplot; i++) {
		if (plots->items[i].workload != workload)
			continue;
		strbuf_addf(sb, "%s", nr++ ? "" : "<div class=\"plots\">\n");
		add_plot(sb, report, &plots->items[i]);
	}
	strbuf_addf(sb, "%s", nr ? "</div>\n" : "");
}

char *report_html_workload_id(size_t workload)
{
	return xasprintf("workload-%zu", workload + 1);
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

static void add_contents(struct strbuf *sb, const struct report *report)
{
	static const struct page_section after[] = { { "cells", "Cells" },
						     { "environment", "Environment" },
						     { "method", "Method" },
						     { "raw-data", "Raw data" } };
	size_t nr = 0;
	autofree struct page_section *sections =
		xzalloc((report->nr_workloads + 1 + ARRAY_SIZE(after)) * sizeof(*sections));
	struct strlist ids = { 0 };

	sections[nr++] = (struct page_section){ "summary", "Summary" };
	for (size_t w = 0; w < report->nr_workloads; w++) {
		autofree char *id = report_html_workload_id(w);

		strlist_add(&ids, id);
		sections[nr++] = (struct page_section){ ids.items[w], report->workloads[w].name };
	}
	memcpy(&sections[nr], after, sizeof(after));
	page_contents(sb, sections, nr + ARRAY_SIZE(after));
	strlist_free(&ids);
}

void report_html_caveat(struct strbuf *sb, const struct report *report)
{
	autofree char *caveat = report_caveat(report);

	if (!caveat)
		return;
	strbuf_addf(sb, "<p class=\"note\"><strong>Virtual lab.</strong> These figures were ");
	page_text(sb, caveat);
	strbuf_addf(sb, ".</p>\n");
}

/* What kind of figures these are, where they are shown first. */
static void add_notes(struct strbuf *sb, const struct report *report,
		      const struct report_plots *plots)
{
	const char *status = report_text(report, "status");

	report_html_caveat(sb, report);
	if (strcmp(status, "complete") != 0) {
		strbuf_addf(sb,
			    "<p class=\"note\"><strong>Not complete.</strong> The run is marked "
			    "<em>");
		page_text(sb, status);
		strbuf_addf(sb, "</em>: what follows is what there was when this page was "
				"written.</p>\n");
	}
	if (report->mixed)
		strbuf_addf(
			sb,
			"<p class=\"note\"><strong>Several kinds of hosts.</strong> The run was "
			"split over them. Multiples are of figures of the same host; figures "
			"over several workloads are of all hosts together: do not divide "
			"them.</p>\n");
	if (plots->no_gnuplot)
		strbuf_addf(sb,
			    "<p class=\"note\">There are no plots: gnuplot was missing when this "
			    "page was written. Install <code>gnuplot-nox</code> and run "
			    "<code>iommubench report</code> again.</p>\n");
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
	add_contents(&sb, report);
	strbuf_addf(&sb, "</header>\n");
	add_notes(&sb, report, plots);
	report_html_summary(&sb, report, plots);
	report_html_workloads(&sb, report, plots);
	report_html_cells(&sb, report);
	report_html_environment(&sb, report);
	report_html_method(&sb, report);
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
