// SPDX-License-Identifier: GPL-2.0-only
/* Reads the curves that boots leave. */
#include "harness/report_curve.h"

#include <math.h>
#include <stdio.h>

#include "harness/log.h"
#include "harness/util.h"

#define MAX_READ (1 << 20) /* points of a file: hours, at any rate of sampling */

static void add_point(struct report_curve *curve, const struct report_point *point)
{
	if (!(curve->nr & (curve->nr - 1))) /* full at each power of two */
		curve->points = xrealloc(curve->points,
					 (curve->nr ? curve->nr * 2 : 1) * sizeof(*curve->points));
	curve->points[curve->nr++] = *point;
}

static bool parse_point(const char *line, struct report_point *point)
{
	char *end;

	point->x = strtod(line, &end);
	if (end == line || *end != ',')
		return false;
	line = end + 1;
	point->y = strtod(line, &end);
	return end != line && *end == '\n' && isfinite(point->x) && isfinite(point->y) &&
	       point->y >= 0;
}

void report_curve_read(const char *path, struct report_curve *curve)
{
	FILE *file = file_open_regular(path);
	char line[128];

	*curve = (struct report_curve){ 0 };
	if (!file)
		return;
	for (size_t nr = 1; fgets(line, sizeof(line), file) && curve->nr < MAX_READ; nr++) {
		struct report_point point;

		if (parse_point(line, &point)) {
			add_point(curve, &point);
		} else if (nr > 1) {
			log_warn("%s:%zu: no pair of numbers: the rest is left out", path, nr);
			break;
		}
	}
	fclose(file);
}

char *report_curve_path(const struct report *report, const struct report_cell *cell, size_t boot,
			const char *name)
{
	return xasprintf("%s/cells/%s/%u/%s", report->dir, cell->id, cell->boots[boot].index, name);
}

size_t report_typical_boot(const struct report *report, const struct report_cell *cell,
			   const char *name)
{
	size_t ready = report_metric(report, "vm_ready_s"), chosen = cell ? cell->nr_boots : 0;
	double median = report_stat(cell, ready).median, nearest = INFINITY;

	for (size_t b = 0; cell && b < cell->nr_boots; b++) {
		autofree char *path = report_curve_path(report, cell, b, name);
		double distance = 0;

		if (!cell->boots[b].ok || !file_exists(path))
			continue;
		if (ready != NO_METRIC)
			distance = fabs(cell->values[ready * cell->nr_boots + b] - median);
		if (isnan(distance))
			distance = INFINITY;
		if (chosen < cell->nr_boots && !(distance < nearest))
			continue;
		chosen = b;
		nearest = distance;
	}
	return chosen;
}
