// SPDX-License-Identifier: GPL-2.0-only
/* The page's tables of lines: what each more of something costs, by mode. */
#include <math.h>
#include <string.h>

#include "harness/report_format.h"
#include "harness/report_html.h"
#include "harness/report_line.h"
#include "harness/report_page.h"

/* A figure with its interval. `of` and the interval's ends are what programs find them by. */
struct figure {
	const char *of, *low_of, *high_of;
	double value, low, high;
};

static void add_number(struct strbuf *sb, const char *of, double value, const char *unit,
		       const char *after)
{
	autofree char *figure = report_format(value, unit);
	autofree char *text = xasprintf("%s%s", figure, isfinite(value) ? after : "");

	page_number(sb, of, value, text);
}

static void add_figure(struct strbuf *sb, const char *label, const struct figure *figure,
		       const char *unit, const char *after)
{
	strbuf_addf(sb, "<td class=\"n\" data-label=\"");
	page_text(sb, label);
	strbuf_addf(sb, "\"><span>");
	add_number(sb, figure->of, figure->value, unit, after);
	if (!isnan(figure->low)) {
		strbuf_addf(sb, " <span class=\"range\">(");
		add_number(sb, figure->low_of, figure->low, unit, "");
		strbuf_addf(sb, " to ");
		add_number(sb, figure->high_of, figure->high, unit, "");
		strbuf_addf(sb, ")</span>");
	}
	strbuf_addf(sb, "</span></td>");
}

static void add_slope(struct strbuf *sb, const struct workload_line *line,
		      const struct slope *slope, const char *unit)
{
	autofree char *after = xasprintf(" per %s", line->per_name);
	autofree char *far = xasprintf("at %s, extrapolated", line->far_name ? line->far_name : "");

	add_figure(sb, "slope",
		   &(struct figure){ "slope", "slope-low", "slope-high", slope->slope * line->per,
				     slope->low * line->per, slope->high * line->per },
		   unit, after);
	if (line->far > 0)
		add_figure(sb, far,
			   &(struct figure){
				   "far", "far-low", "far-high",
				   report_line_at(slope->offset, slope->slope, line->far),
				   report_line_at(slope->low_offset, slope->low, line->far),
				   report_line_at(slope->high_offset, slope->high, line->far) },
			   unit, "");
}

static void add_row(struct strbuf *sb, const struct report *report, const struct report_line *line,
		    double *confidence)
{
	struct report_points points = report_line_points(report, line);
	struct slope slope = report_line_fit(&points);

	strbuf_addf(sb, "<tr data-series=\"");
	page_text(sb, report->series[line->series].label);
	strbuf_addf(sb, "\"><th scope=\"row\">");
	report_html_series(sb, report, line->series);
	strbuf_addf(sb, "</th>");
	add_slope(sb, line->line, &slope,
		  report->metrics[report_metric(report, line->line->y)].unit);
	strbuf_addf(sb,
		    "<td class=\"n\" data-label=\"boots\"><span><data data-of=\"points\" "
		    "value=\"%zu\">%zu</data></span></td></tr>\n",
		    points.nr, points.nr);
	if (!isnan(slope.low) && (!(*confidence > 0) || slope.confidence < *confidence))
		*confidence = slope.confidence;
	free(points.x);
	free(points.y);
}

static void add_head(struct strbuf *sb, const struct workload_line *line)
{
	strbuf_addf(sb,
		    "<div class=\"scroll\"><table class=\"cards\" data-x=\"%s\" data-metric=\"%s\" "
		    "data-per=\"%.17g\" data-far=\"%.17g\">\n<thead><tr>"
		    "<th scope=\"col\">mode</th><th scope=\"col\" class=\"n\">slope</th>",
		    line->x, line->y, line->per, line->far);
	if (line->far > 0)
		strbuf_addf(sb, "<th scope=\"col\" class=\"n\">at %s, <em>extrapolated</em></th>",
			    line->far_name);
	strbuf_addf(sb, "<th scope=\"col\" class=\"n\">boots</th></tr></thead>\n");
}

/* The largest x that was measured, so that it is plain what is beyond. */
static char *measured_to(const struct report *report, const struct report_line *lines, size_t nr)
{
	size_t x = report_metric(report, lines[0].line->x);
	double most = 0;

	for (size_t i = 0; i < nr; i++) {
		struct report_points points = report_line_points(report, &lines[i]);

		for (size_t p = 0; p < points.nr; p++)
			most = fmax(most, points.x[p]);
		free(points.x);
		free(points.y);
	}
	return report_format(most, report->metrics[x].unit);
}

static bool has_line(const struct report_line *lines, size_t nr, const struct report_line *line)
{
	for (size_t i = 0; i < nr; i++)
		if (lines[i].series == line->series && lines[i].place == line->place)
			return true;
	return false;
}

/* Modes of which there are boots, but all with the same x. */
static void add_without(struct strbuf *sb, const struct report *report,
			const struct report_line *lines, size_t nr)
{
	size_t found = 0;

	for (size_t i = 0; i < nr; i++) {
		if (i && lines[i].place == lines[i - 1].place)
			continue;
		for (size_t s = 0; s < report->nr_series; s++) {
			struct report_line line = lines[i];
			struct report_points points;

			line.series = s;
			points = report_line_points(report, &line);
			if (points.nr && !has_line(lines, nr, &line)) {
				strbuf_addf(sb, found++ ? ", " : "<strong>No line</strong>: ");
				page_text(sb, report->series[s].label);
			}
			free(points.x);
			free(points.y);
		}
	}
	strbuf_addf(sb, found ? " (measured at one size only). " : "");
}

static void add_legend(struct strbuf *sb, const struct report *report,
		       const struct report_line *lines, size_t nr, double confidence)
{
	autofree char *level = report_format_confidence(confidence);
	autofree char *most = measured_to(report, lines, nr);

	strbuf_addf(sb, "<p><small>Theil and Sen's line through all boots: the median of the "
			"slopes between any two. ");
	if (confidence > 0)
		strbuf_addf(sb,
			    "In brackets: the interval in which it lies with a confidence of %s or "
			    "more, if boots scatter alike at every size. ",
			    level);
	if (lines[0].line->far > 0)
		strbuf_addf(sb,
			    "<strong>Figures at %s are extrapolations</strong>: nothing beyond %s "
			    "was measured. ",
			    lines[0].line->far_name, most);
	add_without(sb, report, lines, nr);
	strbuf_addf(sb, "</small></p>\n");
}

static void add_table(struct strbuf *sb, const struct report *report,
		      const struct report_line *lines, size_t nr)
{
	double confidence = 0;

	page_element(sb, "h3", lines[0].line->title);
	strbuf_addf(sb, "\n");
	add_head(sb, lines[0].line);
	for (size_t i = 0; i < nr; i++) {
		autofree char *place = report_line_place(&lines[i]);

		if (!i || lines[i].place != lines[i - 1].place) {
			strbuf_addf(sb, "%s<tbody data-device=\"", i ? "</tbody>\n" : "");
			page_text(sb, lines[i].place->device);
			strbuf_addf(sb, "\" data-host=\"%u\"><tr>", lines[i].place->host);
			page_element(sb, "th class=\"group\" scope=\"rowgroup\" colspan=\"4\"",
				     place);
			strbuf_addf(sb, "</tr>\n");
		}
		add_row(sb, report, &lines[i], &confidence);
	}
	strbuf_addf(sb, "</tbody></table></div>\n");
	add_legend(sb, report, lines, nr, confidence);
}

void report_html_lines(struct strbuf *sb, const struct report *report, size_t workload)
{
	const struct workload_line *line = report_lines(report, workload);

	for (; line && line->y; line++) {
		size_t nr;
		autofree struct report_line *found = report_line_find(report, workload, line, &nr);

		if (!nr)
			continue;
		strbuf_addf(sb, "<div data-workload=\"");
		page_text(sb, report->workloads[workload].name);
		strbuf_addf(sb, "\">\n");
		add_table(sb, report, found, nr);
		strbuf_addf(sb, "</div>\n");
	}
}
