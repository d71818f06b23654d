// SPDX-License-Identifier: GPL-2.0-only
/* Which lines a report has, and the boots that they go through. */
#include "harness/report_line.h"

#include <math.h>
#include <string.h>

#include "bench/registry.h"
#include "harness/util.h"

const struct workload_line *report_lines(const struct report *report, size_t workload)
{
	const struct workload_ops *ops = registry_workload(report->workloads[workload].name);

	return ops ? ops->lines : NULL;
}

static bool same_place(const struct report_names *a, const struct report_names *b)
{
	return a->host == b->host && !strcmp(a->device, b->device);
}

static bool belongs(const struct report *report, const struct report_cell *cell,
		    const struct report_line *line)
{
	return cell->series == line->series && same_place(&cell->names, line->place) &&
	       report->scenarios[cell->scenario].workload == line->workload;
}

static void add_points(struct report_points *points, const struct report_cell *cell, size_t x,
		       size_t y)
{
	for (size_t b = 0; b < cell->nr_boots; b++) {
		double at = cell->values[x * cell->nr_boots + b];
		double value = cell->values[y * cell->nr_boots + b];

		if (isnan(at) || isnan(value))
			continue;
		points->x[points->nr] = at;
		points->y[points->nr++] = value;
	}
}

struct report_points report_line_points(const struct report *report, const struct report_line *line)
{
	size_t x = report_metric(report, line->line->x), y = report_metric(report, line->line->y);
	size_t nr = 1;
	struct report_points points;

	for (size_t i = 0; i < report->nr_cells; i++)
		if (belongs(report, &report->cells[i], line))
			nr += report->cells[i].nr_boots;
	points = (struct report_points){ xzalloc(nr * sizeof(double)), xzalloc(nr * sizeof(double)),
					 0 };
	for (size_t i = 0; i < report->nr_cells && x != NO_METRIC && y != NO_METRIC; i++)
		if (belongs(report, &report->cells[i], line))
			add_points(&points, &report->cells[i], x, y);
	return points;
}

static bool is_line(const struct report *report, const struct report_line *line)
{
	struct report_points points = report_line_points(report, line);
	bool differ = false;

	for (size_t i = 1; i < points.nr; i++)
		differ |= points.x[i] != points.x[0];
	free(points.x);
	free(points.y);
	return differ;
}

/* Is it the workload's first cell on its device and host? */
static bool is_first(const struct report *report, size_t i, size_t workload)
{
	const struct report_cell *cells = report->cells;

	if (report->scenarios[cells[i].scenario].workload != workload)
		return false;
	for (size_t j = 0; j < i; j++)
		if (report->scenarios[cells[j].scenario].workload == workload &&
		    same_place(&cells[j].names, &cells[i].names))
			return false;
	return true;
}

struct report_line *report_line_find(const struct report *report, size_t workload,
				     const struct workload_line *line, size_t *nr)
{
	struct report_line *found = NULL;

	*nr = 0;
	for (size_t i = 0; i < report->nr_cells; i++) {
		if (!is_first(report, i, workload))
			continue;
		for (size_t s = 0; s < report->nr_series; s++) {
			struct report_line candidate = { line, &report->cells[i].names, workload,
							 s };

			if (!is_line(report, &candidate))
				continue;
			found = xrealloc(found, (*nr + 1) * sizeof(*found));
			found[(*nr)++] = candidate;
		}
	}
	return found;
}

struct slope report_line_fit(const struct report_points *points)
{
	struct slope slope;

	slope_fit(points->x, points->y, points->nr, REPORT_CONFIDENCE, &slope);
	return slope;
}

double report_line_at(double offset, double slope, double x)
{
	double y = offset + slope * x;

	return y < 0 ? 0 : y; /* a NAN stays one */
}

char *report_line_place(const struct report_line *line)
{
	if (line->place->host)
		return xasprintf("%s, host of shard %u", line->place->device, line->place->host);
	return xstrdup(line->place->device);
}
