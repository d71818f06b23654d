// SPDX-License-Identifier: GPL-2.0-only
/* The plots of pinned memory over time, and beside it of what is really mapped. */
#include <math.h>
#include <string.h>

#include "harness/report_curve.h"
#include "harness/report_plot.h"
#include "harness/util.h"

#define PINNED "pinned.csv"
#define MAPPED "mapped.csv"
#define MAX_DRAWN 600 /* more than the plot has pixels to show */

static bool has_curve(const struct report *report, const struct report_cell *cell)
{
	return cell && report_typical_boot(report, cell, PINNED) < cell->nr_boots;
}

/* The scenario with curves of most series; of equals the first in which something is done. */
static size_t choose_scenario(const struct report *report, size_t workload)
{
	size_t best = NO_METRIC, best_score = 0;

	for (size_t s = 0; s < report->nr_scenarios; s++) {
		size_t score = 0;

		if (workload != ALL_WORKLOADS && report->scenarios[s].workload != workload)
			continue;
		for (size_t m = 0; m < report->nr_series; m++)
			score += has_curve(report, report_cell(report, m, s)) ? 2 : 0;
		if (score && report->scenarios[s].throughput != NO_METRIC)
			score++;
		if (score > best_score) {
			best = s;
			best_score = score;
		}
	}
	return best;
}

/* When the boot's measured window began, in the curves' time; NAN: not known. */
static double window_begin_s(const struct report_boot *boot)
{
	const json_t *begin = json_array_get(json_object_get(boot->json, "window_s"), 0);

	return json_is_number(begin) ? json_number_value(begin) : NAN;
}

/* What is before that time is left out, but for the value in force then; time starts there. */
static void cut_before(struct report_curve *curve, double begin_s)
{
	size_t first = 0;

	while (first + 1 < curve->nr && curve->points[first + 1].x <= begin_s)
		first++;
	for (size_t i = first; i < curve->nr; i++)
		curve->points[i - first] =
			(struct report_point){ fmax(0, curve->points[i].x - begin_s),
					       curve->points[i].y };
	curve->nr -= first;
}

/* Of each stretch that one pixel cannot show the highest point is kept. */
static void print_curve(const struct report_curve *curve, struct strbuf *data)
{
	size_t step = (curve->nr + MAX_DRAWN - 1) / MAX_DRAWN;

	for (size_t i = 0; i < curve->nr; i += step) {
		const struct report_point *top = &curve->points[i];

		for (size_t j = i; j < i + step && j < curve->nr; j++)
			if (curve->points[j].y > top->y)
				top = &curve->points[j];
		strbuf_addf(data, "%.6g %.0f\n", top->x, top->y);
	}
	if (step > 1)
		strbuf_addf(data, "%.6g %.0f\n", curve->points[curve->nr - 1].x,
			    curve->points[curve->nr - 1].y);
}

/* Dash type 3 is dotted, and for what is mapped alone. */
static unsigned int pinned_dash(size_t line)
{
	static const unsigned int dashes[] = { 1, 2, 4 };

	return dashes[line % ARRAY_SIZE(dashes)];
}

/* Lines that lie on each other stay visible: the first is the widest, what is mapped the finest. */
static double line_width(size_t series, bool mapped)
{
	static const double widths[] = { 4, 3, 2.2 };

	if (mapped)
		return 1.2;
	return series < ARRAY_SIZE(widths) ? widths[series] : 1.5;
}

/* One line, if the boot has the file. from_s: where time starts. */
static void add_line(const struct report *report, const struct report_cell *cell, size_t boot,
		     const char *name, double from_s, struct plot_lines *lines)
{
	const struct report_series *series = &report->series[cell->series];
	bool mapped = name[0] == MAPPED[0];
	autofree char *path = report_curve_path(report, cell, boot, name);
	autofree char *text = xasprintf("%s%s", series->label, mapped ? ", mapped" : "");
	autofree char *label = gnuplot_label(text, PLOT_HEADING_CHARS);
	struct report_curve curve;

	report_curve_read(path, &curve);
	if (curve.nr && from_s > 0)
		cut_before(&curve, from_s);
	if (curve.nr) {
		strbuf_addf(&lines->data, "%s\"%s\"\n", lines->nr ? "\n\n" : "", label);
		print_curve(&curve, &lines->data);
		strbuf_addf(&lines->colours, "%u ", series->colour);
		strbuf_addf(&lines->dashes, "%u ", mapped ? 3 : pinned_dash(cell->series));
		strbuf_addf(&lines->widths, "%g ", line_width(cell->series, mapped));
		lines->longest = strlen(label) > lines->longest ? strlen(label) : lines->longest;
		lines->nr++;
	}
	free(curve.points);
}

bool report_plot_pinned(const struct report *report, size_t workload, struct plot_lines *lines)
{
	size_t scenario = choose_scenario(report, workload);

	lines->scenario = scenario;
	for (size_t m = 0; m < report->nr_series && scenario != NO_METRIC; m++) {
		const struct report_cell *cell = report_cell(report, m, scenario);
		size_t boot = report_typical_boot(report, cell, PINNED);
		double from_s = 0;

		if (!cell || boot == cell->nr_boots)
			continue;
		if (workload != ALL_WORKLOADS)
			from_s = window_begin_s(&cell->boots[boot]);
		add_line(report, cell, boot, PINNED, from_s, lines);
		add_line(report, cell, boot, MAPPED, from_s, lines);
	}
	return lines->nr > 0;
}
