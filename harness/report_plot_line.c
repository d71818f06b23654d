// SPDX-License-Identifier: GPL-2.0-only
/* The data of the plots of lines: every boot, and the line through them. */
#include <math.h>

#include "harness/report_line.h"
#include "harness/report_plot.h"

/* A block of points, then one of the line's two ends, its name first. */
static void add_line(const struct report *report, const struct report_line *line,
		     struct strbuf *data)
{
	struct report_points points = report_line_points(report, line);
	struct slope slope = report_line_fit(&points);
	autofree char *label = gnuplot_label(report->series[line->series].label, PLOT_LABEL_CHARS);
	double per = line->line->per, from = INFINITY, to = -INFINITY;

	for (size_t i = 0; i < points.nr; i++) {
		strbuf_addf(data, "%.9g %.9g\n", points.x[i] / per, points.y[i]);
		from = fmin(from, points.x[i]);
		to = fmax(to, points.x[i]);
	}
	if (!isfinite(slope.slope + slope.offset)) /* there is none: it is drawn outside */
		slope.slope = slope.offset = -1;
	strbuf_addf(data, "\n\n\"%s\"\n%.9g %.9g\n%.9g %.9g\n\n\n", label, from / per,
		    slope.offset + slope.slope * from, to / per, slope.offset + slope.slope * to);
	free(points.x);
	free(points.y);
}

bool report_plot_line(const struct report *report, const struct report_line *lines, size_t nr,
		      struct strbuf *data, struct strbuf *colours)
{
	for (size_t i = 0; i < nr; i++) {
		add_line(report, &lines[i], data);
		strbuf_addf(colours, "%s%u", i ? " " : "", report->series[lines[i].series].colour);
	}
	return nr > 0;
}
