// SPDX-License-Identifier: GPL-2.0-only
/* trend.html: what is new first, then plots, all series, earlier changes, method. */
#include <errno.h>
#include <math.h>
#include <string.h>

#include "harness/log.h"
#include "harness/report_page.h"
#include "harness/report_summary.h"
#include "harness/trend_plot.h"

#define MAX_SETUPS 200	 /* shown, the newest */
#define MAX_CHANGES 1000 /* shown, those of the worst series */

static void add_key(struct strbuf *sb, unsigned int colour, const char *what)
{
	strbuf_addf(sb, "<span class=\"key\" style=\"background:#%06x\"></span>%s ", colour, what);
}

static void add_header(struct strbuf *sb, const struct trend *t)
{
	const struct history_run *newest = t->data.runs;
	autofree char *time = NULL;

	strbuf_addf(sb, "<header>\n<p class=\"soft\">Changes over the nights</p>\n");
	page_element(sb, "h1", "IOMMU benchmark: trend");
	strbuf_addf(sb, "\n<p class=\"soft\">%zu runs", t->data.nr_runs);
	if (t->data.nr_runs) {
		newest += t->data.nr_runs - 1;
		time = trend_time(newest->time);
		strbuf_addf(sb, " · newest: ");
		page_text(sb, newest->name);
		strbuf_addf(sb, " · %s · ", time);
		page_text(sb, newest->place);
		strbuf_addf(sb, " · git ");
		page_text(sb, newest->git_revision);
	}
	strbuf_addf(sb, "</p>\n</header>\n");
	if (t->data.nr_runs && !strncmp(newest->place, "lab", 3))
		strbuf_addf(sb,
			    "<p class=\"note\"><strong>Virtual lab.</strong> The newest figures "
			    "were measured in an emulated host; they are not hardware "
			    "figures.</p>\n");
}

static const char *status_class(const struct trend_series *s)
{
	return trend_is_alarm(s) ? "bad" : "ok";
}

static void add_verdict(struct strbuf *sb, const struct trend_series *s)
{
	strbuf_addf(sb, "<span class=\"status %s\">%s</span>", status_class(s),
		    trend_verdict_name(s->verdict));
}

static void add_name(struct strbuf *sb, const struct trend_series *s)
{
	autofree char *metric = trend_metric(s->from);

	strbuf_addf(sb, "<code>");
	page_text(sb, s->from->cell);
	strbuf_addf(sb, "</code> ");
	page_text(sb, metric);
}

static void add_answer(struct strbuf *sb, const struct trend *t)
{
	size_t nr = 0;

	for (size_t i = 0; i < t->nr_series && t->series[i].verdict <= TREND_ACKNOWLEDGED; i++) {
		autofree char *text = trend_sentence(t, &t->series[i]);

		strbuf_addf(sb, "%s<li>", nr++ ? "" : "<ul class=\"answer\">\n");
		add_name(sb, &t->series[i]);
		strbuf_addf(sb, ": ");
		add_verdict(sb, &t->series[i]);
		page_text(sb, text + strlen(trend_verdict_name(t->series[i].verdict)));
		strbuf_addf(sb, "</li>\n");
	}
	if (nr)
		strbuf_addf(sb, "</ul>\n");
	else if (t->nr_judged)
		strbuf_addf(sb, "<p>Nothing new: no series has changed of late.</p>\n");
	else
		strbuf_addf(sb, "<p>Too few nights to judge anything: a series needs %d.</p>\n",
			    TREND_MIN_POINTS);
}

static void add_item(struct strbuf *sb, const char *before, const char *text, const char *after)
{
	strbuf_addf(sb, "<li>%s", before);
	page_text(sb, text);
	page_text(sb, after);
	strbuf_addf(sb, "</li>\n");
}

static void add_notes(struct strbuf *sb, const struct trend *t)
{
	if (t->nr_skipped)
		strbuf_addf(sb, "<p class=\"note\"><strong>Not all runs could be read.</strong> "
				"What follows is without them.</p>\n");
	if (!t->nr_skipped && !t->notes.nr)
		return;
	strbuf_addf(sb, "<ul>\n");
	for (size_t i = 0; i < t->nr_skipped; i++) {
		autofree char *reason = xasprintf(": %s", t->skipped[i].reason);

		add_item(sb, "skipped: ", t->skipped[i].folder, reason);
	}
	for (size_t i = 0; i < t->notes.nr; i++)
		add_item(sb, "", t->notes.items[i], "");
	strbuf_addf(sb, "</ul>\n");
}

static int add_plot(struct strbuf *sb, const struct trend *t, const struct trend_plots *plots,
		    size_t i)
{
	const struct trend_series *s = &t->series[plots->series[i]];
	autofree char *path = xasprintf("%s/%zu.svg", plots->dir, i);
	autofree char *prefix = xasprintf("trend-%zu", i);
	autofree char *label = xasprintf("%s, %s", s->from->cell, s->from->metric);
	autofree char *text = trend_sentence(t, s);
	int ret;

	strbuf_addf(sb, "<figure id=\"plot-%zu\">\n", i);
	ret = page_svg(sb, path, prefix, label, text);
	if (ret)
		strbuf_addf(sb, "<p>This plot could not be drawn.</p>\n");
	strbuf_addf(sb, "<figcaption>");
	add_name(sb, s);
	strbuf_addf(sb, ": ");
	page_text(sb, text);
	strbuf_addf(sb, "</figcaption>\n</figure>\n");
	return ret;
}

static int add_plots(struct strbuf *sb, const struct trend *t, const struct trend_plots *plots)
{
	int ret = 0;

	strbuf_addf(sb, "<h2>Plots</h2>\n");
	if (plots->no_gnuplot) {
		strbuf_addf(sb,
			    "<p class=\"note\">There are no plots: gnuplot was missing. Install "
			    "<code>gnuplot-nox</code>.</p>\n");
		return 0;
	}
	if (!plots->nr) {
		strbuf_addf(sb, "<p>There is nothing to show.</p>\n");
		return 0;
	}
	strbuf_addf(sb,
		    "<p class=\"soft\">A circle is a night (the median of its boots), at most "
		    "the newest %d; the blue line is the level. A line from top to bottom "
		    "marks a change: ",
		    TREND_MAX_SHOWN);
	add_key(sb, TREND_WORSE, "worse (a disc: suspected),");
	add_key(sb, TREND_BETTER, "better,");
	add_key(sb, TREND_OTHER, "neither,");
	add_key(sb, TREND_KNOWN, "acknowledged;");
	strbuf_addf(sb,
		    "dotted: from here on in another environment or with other "
		    "settings.%s</p>\n<div class=\"plots\">\n",
		    t->nr_series > plots->nr ? " Other series are in the table only." : "");
	for (size_t i = 0; i < plots->nr; i++) {
		int plot_ret = add_plot(sb, t, plots, i);

		ret = ret ? ret : plot_ret;
	}
	strbuf_addf(sb, "</div>\n");
	return ret;
}

/* Cells of a row: texts from outside, each with its column's name for narrow screens. */
static void add_figure(struct strbuf *sb, const char *label, char *text)
{
	strbuf_addf(sb, "<td class=\"n\" data-label=\"%s\"><span>", label);
	page_text(sb, text);
	strbuf_addf(sb, "</span></td>");
	free(text);
}

static void add_series_row(struct strbuf *sb, const struct trend *t, const struct trend_series *s)
{
	const struct history_point *newest = trend_newest(s);
	const char *unit = s->from->unit;
	const struct trend_change *c = s->worst;
	size_t points = 0;

	for (size_t i = 0; i < s->nr_tracks; i++)
		points += s->tracks[i].nr;
	strbuf_addf(sb, "<tr><td>");
	add_name(sb, s);
	strbuf_addf(sb, "</td><td data-label=\"verdict\">");
	add_verdict(sb, s);
	strbuf_addf(sb, "</td>");
	add_figure(sb, "change", c ? trend_percent(c->change) : xstrdup(NO_VALUE));
	add_figure(sb, "since run", xstrdup(c ? t->data.runs[c->run].name : NO_VALUE));
	add_figure(sb, "level", report_format(trend_level(s), unit));
	add_figure(sb, "newest", report_format(newest->median, unit));
	add_figure(sb, "since start", trend_percent(trend_since_start(s)));
	add_figure(sb, "nights", xasprintf("%zu", points));
	strbuf_addf(sb, "</tr>\n");
}

static void add_heads(struct strbuf *sb, const char *id, const char *const *heads, size_t nr,
		      size_t nr_left)
{
	strbuf_addf(sb, "<div class=\"scroll\"><table class=\"cards\" id=\"%s\">\n<thead><tr>", id);
	for (size_t i = 0; i < nr; i++)
		strbuf_addf(sb, "<th%s>%s</th>", i < nr_left ? "" : " class=\"n\"", heads[i]);
	strbuf_addf(sb, "</tr></thead>\n<tbody>\n");
}

static void add_table(struct strbuf *sb, const struct trend *t)
{
	static const char *const heads[] = { "series", "verdict", "change",	 "since run",
					     "level",  "newest",  "since start", "nights" };

	strbuf_addf(sb, "<h2>All series</h2>\n");
	add_heads(sb, "series", heads, ARRAY_SIZE(heads), 2);
	for (size_t i = 0; i < t->nr_series; i++)
		add_series_row(sb, t, &t->series[i]);
	strbuf_addf(sb,
		    "</tbody></table></div>\n<p><small>The level is the mean since the last "
		    "change; <em>since start</em> compares the newest ten nights with the first "
		    "ten of the same environment, so that a slow drift shows.</small></p>\n");
}

static void add_change_row(struct strbuf *sb, const struct trend *t, const struct trend_series *s,
			   const struct trend_change *c)
{
	const struct history_run *run = &t->data.runs[c->run];

	strbuf_addf(sb, "<tr><td>");
	add_name(sb, s);
	strbuf_addf(sb, "</td><td data-label=\"what\">%s, %s",
		    trend_change_name(c, s->from->direction), trend_state_name(c->state));
	if (c->ack) {
		strbuf_addf(sb, "<small>acknowledged: ");
		page_text(sb, c->ack->reason);
		strbuf_addf(sb, "</small>");
	}
	strbuf_addf(sb, "</td>");
	add_figure(sb, "change", trend_percent(c->change));
	add_figure(sb, "before", report_format(c->before, s->from->unit));
	add_figure(sb, "after", report_format(c->after, s->from->unit));
	add_figure(sb, "since run", xstrdup(run->name));
	add_figure(sb, "begun", trend_time(run->time));
	add_figure(sb, "p", xasprintf("%.1g", c->p));
	add_figure(sb, "q", isnan(c->q) ? xstrdup(NO_VALUE) : xasprintf("%.1g", c->q));
	strbuf_addf(sb, "</tr>\n");
}

static void add_changes(struct strbuf *sb, const struct trend *t)
{
	static const char *const heads[] = { "series",	  "what",  "change", "before", "after",
					     "since run", "begun", "p",	     "q" };
	size_t nr = 0, shown = 0;

	for (size_t i = 0; i < t->nr_series; i++)
		nr += t->series[i].nr_changes;
	if (!nr)
		return;
	strbuf_addf(sb, "<h2>All changes</h2>\n<details><summary>%zu changes</summary>\n", nr);
	add_heads(sb, "changes", heads, ARRAY_SIZE(heads), 2);
	for (size_t i = 0; i < t->nr_series; i++)
		for (size_t c = 0; c < t->series[i].nr_changes && shown < MAX_CHANGES; c++, shown++)
			add_change_row(sb, t, &t->series[i], &t->series[i].changes[c]);
	strbuf_addf(sb, "</tbody></table></div>\n%s</details>\n",
		    shown < nr ? "<p>There are more: <code>--json</code> has all.</p>\n" : "");
}

/* The environments in the order in which they began: changes across them are not judged. */
static void add_environments(struct strbuf *sb, const struct trend *t)
{
	static const char *const heads[] = { "from run on", "where", "environment", "begun" };
	const struct history_run *runs = t->data.runs;
	size_t nr = 0;

	strbuf_addf(sb, "<h2>Environments</h2>\n");
	add_heads(sb, "environments", heads, ARRAY_SIZE(heads), ARRAY_SIZE(heads));
	for (size_t i = t->data.nr_runs; i-- > 0 && nr < MAX_SETUPS;) {
		autofree char *time = trend_time(runs[i].time);

		if (i && !strcmp(runs[i].fingerprint, runs[i - 1].fingerprint) &&
		    !strcmp(runs[i].place, runs[i - 1].place))
			continue;
		nr++;
		strbuf_addf(sb, "<tr>");
		page_element(sb, "td", runs[i].name);
		page_element(sb, "td data-label=\"where\"", runs[i].place);
		page_element(sb, "td data-label=\"environment\"", runs[i].fingerprint);
		page_element(sb, "td data-label=\"begun\"", time);
		strbuf_addf(sb, "</tr>\n");
	}
	strbuf_addf(sb, "</tbody></table></div>\n");
}

static void add_method(struct strbuf *sb)
{
	strbuf_addf(
		sb,
		"<h2>How to read this</h2>\n<ul>\n"
		"<li>A night is a run; its value is the median of its boots.</li>\n"
		"<li>Only nights of the same place, environment and settings are compared.</li>\n"
		"<li>A change is where the level of a metric moves, for three nights at least, and "
		"by more than its noise floor (E-divisive means in windows, tested with Student's "
		"t). It is new for %d nights.</li>\n"
		"<li>q is p, adjusted for all series that are looked at every night: a new change "
		"with q &lt; %g is a regression or an improvement, others are <em>possible</em> and "
		"raise no alarm.</li>\n"
		"<li><em>Suspected</em>: the newest night is unlike the nights before. Two more "
		"nights, or a comparison of two runs, will tell.</li>\n</ul>\n"
		"<p>Raw data: the runs' own folders; <code>history.sqlite</code> has every point, "
		"<code>iommubench trend --json</code> every figure of this page.</p>\n",
		TREND_RECENT, TREND_ALPHA);
}

int trend_write_html(const struct trend *t, const char *path)
{
	struct trend_plots plots;
	struct strbuf sb = { 0 };
	int ret = trend_plots_make(t, &plots), page_ret;

	page_start(&sb, "IOMMU benchmark: trend");
	add_header(&sb, t);
	add_answer(&sb, t);
	add_notes(&sb, t);
	page_ret = add_plots(&sb, t, &plots);
	ret = ret ? ret : page_ret;
	add_table(&sb, t);
	add_changes(&sb, t);
	add_environments(&sb, t);
	add_method(&sb);
	page_end(&sb);
	page_ret = file_replace(path, sb.data, sb.len);
	if (page_ret)
		log_err("%s: %s", path, strerror(-page_ret));
	free(sb.data);
	trend_plots_free(&plots);
	return page_ret ? page_ret : ret;
}
