// SPDX-License-Identifier: GPL-2.0-only
/* What compare found, as a page in the style of the report. */
#include <errno.h>
#include <math.h>
#include <string.h>

#include "harness/compare_data.h"
#include "harness/log.h"
#include "harness/report_format.h"
#include "harness/report_html.h"
#include "harness/report_page.h"
#include "harness/report_plot.h"

#define MAX_DRAWN 12 /* pairs in a plot; all are in the table */

static const char *const summaries[] = {
	[VERDICT_REGRESSION] = "worse, beyond noise",
	[VERDICT_INCONCLUSIVE] = "too few or too scattered boots to tell",
	[VERDICT_IMPROVEMENT] = "better, beyond noise",
	[VERDICT_NO_CHANGE] = "a change that matters is excluded",
};

static void add_verdicts(struct strbuf *sb, const struct comparison *c)
{
	strbuf_addf(sb, "<section id=\"summary\">\n<h2>Verdicts</h2>\n<ul class=\"answer\">\n");
	for (size_t v = 0; v < ARRAY_SIZE(summaries); v++) {
		size_t nr = compare_count(c, (enum verdict)v);

		strbuf_addf(
			sb,
			"<li><strong><data data-of=\"count\" value=\"%zu\">%zu</data></strong> ",
			nr, nr);
		page_badge(sb, verdict_name((enum verdict)v));
		strbuf_addf(sb, " <span class=\"soft\">%s</span></li>\n", summaries[v]);
	}
	strbuf_addf(sb, "</ul>\n");
}

static char *pair_metric(const struct pair *pair)
{
	return xasprintf("%s%s", pair->metric, pair->per_operation ? " per operation" : "");
}

/* Of a session two different cells may be compared. */
static char *pair_cells(const struct pair *pair)
{
	return strcmp(pair->cell, pair->other) != 0 ? xasprintf("%s | %s", pair->cell, pair->other)
						    : xstrdup(pair->cell);
}

static void add_point(struct plot_blocks *blocks, const struct pair *pair)
{
	static const unsigned int colours[] = {
		[VERDICT_REGRESSION] = 0xd55e00,
		[VERDICT_INCONCLUSIVE] = 0xe69f00,
		[VERDICT_IMPROVEMENT] = 0x0072b2,
		[VERDICT_NO_CHANGE] = 0x808080,
	};
	const struct gate_test *test = &pair->test;
	autofree char *metric = pair_metric(pair), *change = compare_percent(test->change);
	autofree char *cells = pair_cells(pair);
	autofree char *heading = xasprintf("%s %s", cells, metric);
	autofree char *text = xasprintf("%s %s", change, verdict_name(test->verdict));

	plot_blocks_heading(blocks, heading);
	plot_blocks_point(blocks, &(struct plot_point){ 100 * test->change, 100 * test->low,
							100 * test->high, colours[test->verdict],
							test->verdict, "", text });
	plot_blocks_group(blocks, blocks->nr_rows - 1);
}

/* What a plot shows: pairs of one or two verdicts, those first that differ most. */
struct changes {
	const char *name, *title;
	enum verdict verdicts[2];
	bool last_first; /* the pairs are in order, worst first */
};
static const struct changes plots[] = {
	{ "worse", "Worse, or not known", { VERDICT_REGRESSION, VERDICT_INCONCLUSIVE }, false },
	{ "better", "Better", { VERDICT_IMPROVEMENT, VERDICT_IMPROVEMENT }, true },
};

/* The number of rows; 0: none of them has a finite change and interval. */
static size_t plot_data(const struct comparison *c, const struct changes *changes,
			struct strbuf *data)
{
	struct plot_blocks blocks = { 0 };
	size_t nr = 0, rows;

	for (size_t i = 0; i < c->nr_pairs && nr < MAX_DRAWN; i++) {
		const struct pair *pair = &c->pairs[changes->last_first ? c->nr_pairs - 1 - i : i];
		const struct gate_test *test = &pair->test;

		if (test->verdict != changes->verdicts[0] && test->verdict != changes->verdicts[1])
			continue;
		if (!isfinite(test->change) || isinf(test->low) || isinf(test->high))
			continue;
		add_point(&blocks, pair);
		nr++;
	}
	plot_blocks_join(&blocks, data, &rows);
	return rows;
}

static const char caption[] = "The change of NEW against BASE with its 95 % interval; those that "
			      "differ most. On the dashed line nothing changes. What has a base of "
			      "0 is only in the table.";

static int add_plot(struct strbuf *sb, const struct comparison *c, const struct gnuplot *gnuplot,
		    const struct changes *changes)
{
	autofree char *svg = xasprintf("%s/%s.svg", gnuplot->dir, changes->name);
	struct gnuplot_job job = { .name = changes->name, .script = "forest" };
	size_t rows = plot_data(c, changes, &job.data);
	int ret = 0;

	job.title = xstrdup(changes->title);
	job.axis = xstrdup("change, %");
	job.variables =
		xasprintf("rows = %zu; reference = 0; logarithmic = 0; tics = '%%+g'", rows);
	job.height = 92 + rows * 20;
	if (rows)
		ret = gnuplot_draw(gnuplot, &job);
	if (rows && !ret) {
		strbuf_addf(sb, "<figure>\n");
		ret = page_svg(sb, svg, changes->name, job.title, caption);
		page_element(sb, "figcaption", caption);
		strbuf_addf(sb, "</figure>\n");
	}
	gnuplot_job_free(&job);
	return ret;
}

/* Draws in a folder of its own. A missing gnuplot is no error: the table has it all. */
static int add_plots(struct strbuf *sb, const struct comparison *c)
{
	char dir[] = "/tmp/iommubench-plot-XXXXXX";
	struct gnuplot gnuplot;
	int ret = 0;

	if (!mkdtemp(dir)) {
		ret = -errno;
		log_err("%s: %s", dir, strerror(-ret));
		return ret;
	}
	ret = gnuplot_open(&gnuplot, dir, c->options->scripts_dir);
	strbuf_addf(sb, "<div class=\"plots\">\n");
	for (size_t i = 0; i < ARRAY_SIZE(plots) && !ret && !gnuplot.missing; i++)
		ret = add_plot(sb, c, &gnuplot, &plots[i]);
	strbuf_addf(sb, "</div>\n");
	gnuplot_close(&gnuplot);
	remove_all(dir);
	return ret;
}

/* A table cell with a figure; text is freed. */
static void add_figure(struct strbuf *sb, const char *label, const char *of, double value,
		       char *text)
{
	strbuf_addf(sb, "<td class=\"n\" data-label=\"%s\"><span>", label);
	page_number(sb, of, value, text);
	strbuf_addf(sb, "</span></td>");
	free(text);
}

static void add_interval(struct strbuf *sb, const struct gate_test *test)
{
	autofree char *low = compare_percent(test->low), *high = compare_percent(test->high);

	strbuf_addf(sb, "<td class=\"n\" data-label=\"95 %% interval\"><span>");
	page_number(sb, "low", test->low, low);
	if (!isnan(test->low)) {
		strbuf_addf(sb, " to ");
		page_number(sb, "high", test->high, high);
	}
	if (!isnan(test->low) && test->shift.confidence < test->confidence - 1e-9)
		strbuf_addf(sb, "<small>just %.0f %%</small>", 100 * test->shift.confidence);
	else if (!isnan(test->low) && test->confidence > GATE_CONFIDENCE + 1e-9)
		strbuf_addf(sb, "<small>%.1f %%</small>", 100 * test->confidence);
	strbuf_addf(sb, "</span></td>");
}

static void add_pair(struct strbuf *sb, const struct pair *pair)
{
	const struct gate_test *test = &pair->test;
	autofree char *metric = pair_metric(pair), *boots = compare_boots(test);
	autofree char *cells = pair_cells(pair);

	strbuf_addf(sb, "<tr data-cell=\"");
	page_text(sb, pair->cell);
	strbuf_addf(sb, "\" data-metric=\"");
	page_text(sb, pair->metric);
	strbuf_addf(sb, "\"><th scope=\"row\">");
	page_badge(sb, verdict_name(test->verdict));
	strbuf_addf(sb, "</th><td data-label=\"cell\">");
	page_element(sb, "code", cells);
	strbuf_addf(sb, "</td><td data-label=\"metric\">");
	page_text(sb, metric);
	strbuf_addf(sb, "</td>");
	add_figure(sb, "BASE", "base", test->base_median,
		   report_format(test->base_median, pair->unit));
	add_figure(sb, "NEW", "new", test->value_median,
		   report_format(test->value_median, pair->unit));
	add_figure(sb, "change", "change", test->change, compare_percent(test->change));
	add_interval(sb, test);
	add_figure(sb, "q", "q", test->q, compare_probability(test->q));
	add_figure(sb, "smallest seen", "smallest", test->smallest, compare_smallest(test));
	strbuf_addf(sb, "<td data-label=\"boots\">");
	page_text(sb, boots);
	strbuf_addf(sb, "</td></tr>\n");
}

static void add_table(struct strbuf *sb, const struct comparison *c)
{
	strbuf_addf(
		sb,
		"</section>\n<section id=\"figures\">\n<h2>Every metric, worst first</h2>\n"
		"<div class=\"scroll\"><table class=\"cards\">\n<thead><tr>"
		"<th scope=\"col\">verdict</th><th scope=\"col\">cell</th>"
		"<th scope=\"col\">metric</th><th scope=\"col\" class=\"n\">BASE</th>"
		"<th scope=\"col\" class=\"n\">NEW</th><th scope=\"col\" class=\"n\">change</th>"
		"<th scope=\"col\" class=\"n\">95 %% interval</th>"
		"<th scope=\"col\" class=\"n\">q</th>"
		"<th scope=\"col\" class=\"n\">smallest seen</th>"
		"<th scope=\"col\">boots</th></tr></thead>\n<tbody>\n");
	for (size_t i = 0; i < c->nr_pairs; i++)
		add_pair(sb, &c->pairs[i]);
	strbuf_addf(sb, "</tbody></table></div>\n</section>\n");
}

static void add_list(struct strbuf *sb, const struct strlist *list, const char *title)
{
	if (!list->nr)
		return;
	strbuf_addf(sb, "<h3>%s</h3>\n<ul>\n", title);
	for (size_t i = 0; i < list->nr; i++)
		page_element(sb, "li", list->items[i]);
	strbuf_addf(sb, "</ul>\n");
}

static void add_run_row(struct strbuf *sb, const char *side, const struct compare_run *run)
{
	const json_t *environment = json_object_get(run->report.manifest, "environment");
	const char *host = json_string_value(json_object_get(environment, "fingerprint"));

	strbuf_addf(sb, "<tr><th scope=\"row\">%s</th><td data-label=\"run\">", side);
	page_text(sb, report_text(&run->report, "run_id"));
	strbuf_addf(sb, "</td><td data-label=\"revision\"><code>");
	page_text(sb, report_text(&run->report, "git_revision"));
	strbuf_addf(sb, "</code></td><td data-label=\"environment\"><code>");
	page_text(sb, host ? host : NO_VALUE);
	strbuf_addf(sb, "</code></td><td data-label=\"status\">");
	page_text(sb, report_text(&run->report, "status"));
	strbuf_addf(sb,
		    "</td><td class=\"n\" data-label=\"boots that count\"><span>%zu of %zu</span>"
		    "</td></tr>\n",
		    run->nr_boots_ok, run->nr_boots);
}

static void add_runs(struct strbuf *sb, const struct comparison *c)
{
	strbuf_addf(sb, "<section id=\"runs\">\n<h2>The runs</h2>\n<table class=\"cards\">\n<thead>"
			"<tr><th scope=\"col\">side</th><th scope=\"col\">run</th>"
			"<th scope=\"col\">revision</th><th scope=\"col\">environment</th>"
			"<th scope=\"col\">status</th><th scope=\"col\" class=\"n\">boots that "
			"count</th></tr></thead>\n<tbody>\n");
	add_run_row(sb, "BASE", &c->base);
	add_run_row(sb, "NEW", &c->value);
	strbuf_addf(sb, "</tbody></table>\n");
	add_list(sb, &c->forced, "Compared in spite of");
	add_list(sb, &c->notes, "Not compared, or in part");
	strbuf_addf(sb, "</section>\n");
}

static void add_method(struct strbuf *sb)
{
	strbuf_addf(
		sb,
		"<section id=\"method\">\n<h2>Method</h2>\n<ul>\n"
		"<li>The unit is the boot: one value of a metric for each. BASE and NEW are medians "
		"of boots.</li>\n"
		"<li>The change is the Hodges-Lehmann shift relative to BASE's median, with its "
		"exact interval; q is the p of the exact Mann-Whitney test, adjusted for how many "
		"metrics are judged (Benjamini and Hochberg).</li>\n"
		"<li>A regression or an improvement has q &lt; %g and a change beyond the metric's "
		"noise floor. No change means that the whole interval lies within the margin. The "
		"rest is inconclusive.</li>\n"
		"<li>Smallest seen: the smallest change that these boots would show with a "
		"probability of %.0f %%.</li>\n</ul>\n</section>\n",
		GATE_ALPHA, 100 * GATE_POWER);
}

static void add_head(struct strbuf *sb, const struct comparison *c)
{
	static const struct page_section sections[] = { { "summary", "Verdicts" },
							{ "figures", "Every metric" },
							{ "runs", "The runs" },
							{ "method", "Method" } };

	strbuf_addf(sb, "<header>\n<p class=\"soft\">Is NEW worse than BASE?</p>\n<h1>");
	page_text(sb, report_text(&c->value.report, "run_id"));
	strbuf_addf(sb, " against ");
	page_text(sb, report_text(&c->base.report, "run_id"));
	strbuf_addf(sb, "</h1>\n");
	page_contents(sb, sections, ARRAY_SIZE(sections));
	strbuf_addf(sb, "</header>\n");
	report_html_caveat(sb, compare_caveat_of(c));
}

int compare_html(const struct comparison *c)
{
	const char *path = c->options->html;
	struct strbuf sb = { 0 };
	int ret, plot_ret;

	page_start(&sb, "Comparison: IOMMU benchmark");
	add_head(&sb, c);
	add_verdicts(&sb, c);
	plot_ret = add_plots(&sb, c);
	add_table(&sb, c);
	add_runs(&sb, c);
	add_method(&sb);
	page_end(&sb);
	ret = file_replace(path, sb.data, sb.len);
	if (ret)
		log_err("%s: %s", path, strerror(-ret));
	free(sb.data);
	return ret ? ret : plot_ret;
}
