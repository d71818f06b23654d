// SPDX-License-Identifier: GPL-2.0-only
/* The plot of how soon pages are used again: reuse.csv of all boots of a cell, as shares. */
#include <math.h>

#include "harness/report_curve.h"
#include "harness/report_plot.h"
#include "harness/util.h"

#define REUSE "reuse.csv"

/* How many of a curve's pages are within x. */
static double within(const struct report_curve *curve, double x)
{
	double pages = 0;

	for (size_t i = 0; i < curve->nr && curve->points[i].x <= x; i++)
		pages = curve->points[i].y;
	return pages;
}

static int by_x(const void *a, const void *b)
{
	double x = ((const struct report_point *)a)->x, y = ((const struct report_point *)b)->x;

	return (x > y) - (x < y);
}

/* Of all boots together. Points: each time of any boot, and the pages of all within it. */
static void add_up(const struct report_curve *curves, size_t nr, struct report_curve *sum)
{
	*sum = (struct report_curve){ 0 };
	for (size_t b = 0; b < nr; b++)
		sum->nr += curves[b].nr;
	sum->points = xzalloc((sum->nr + 1) * sizeof(*sum->points));
	sum->nr = 0;
	for (size_t b = 0; b < nr; b++)
		for (size_t i = 0; i < curves[b].nr; i++)
			sum->points[sum->nr++].x = curves[b].points[i].x;
	qsort(sum->points, sum->nr, sizeof(*sum->points), by_x);
	for (size_t i = 0; i < sum->nr; i++)
		for (size_t b = 0; b < nr; b++)
			sum->points[i].y += within(&curves[b], sum->points[i].x);
}

static void read_cell(const struct report *report, const struct report_cell *cell,
		      struct report_curve *sum)
{
	autofree struct report_curve *curves = xzalloc((cell->nr_boots + 1) * sizeof(*curves));

	for (size_t b = 0; b < cell->nr_boots; b++) {
		autofree char *path = report_curve_path(report, cell, b, REUSE);

		if (cell->boots[b].ok)
			report_curve_read(path, &curves[b]);
	}
	add_up(curves, cell->nr_boots, sum);
	for (size_t b = 0; b < cell->nr_boots; b++)
		free(curves[b].points);
}

static void add_line(const struct report *report, const struct report_cell *cell,
		     const struct report_curve *curve, struct plot_lines *lines)
{
	const struct report_scenario *scenario = &report->scenarios[cell->scenario];
	const struct report_series *series = &report->series[cell->series];
	autofree char *text = xasprintf("%s: %s", series->label, scenario->more);
	autofree char *label = gnuplot_label(text, PLOT_HEADING_CHARS);
	double all = curve->points[curve->nr - 1].y;

	strbuf_addf(&lines->data, "%s\"%s\"\n", lines->nr ? "\n\n" : "", label);
	for (size_t i = 0; i < curve->nr; i++)
		if (curve->points[i].x > 0) /* the axis is logarithmic */
			strbuf_addf(&lines->data, "%.9g %.9g\n", curve->points[i].x,
				    curve->points[i].y / all);
	strbuf_addf(&lines->colours, "%u ", series->colour);
	strbuf_addf(&lines->dashes, "%zu ", lines->nr % 4 + 1);
	lines->nr++;
}

bool report_plot_reuse(const struct report *report, size_t workload, struct plot_lines *lines)
{
	for (size_t i = 0; i < report->nr_cells; i++) {
		const struct report_cell *cell = &report->cells[i];
		struct report_curve curve;

		if (report->scenarios[cell->scenario].workload != workload)
			continue;
		read_cell(report, cell, &curve);
		if (curve.nr && curve.points[curve.nr - 1].y > 0)
			add_line(report, cell, &curve, lines);
		free(curve.points);
	}
	return lines->nr > 0;
}
