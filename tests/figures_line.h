/* SPDX-License-Identifier: GPL-2.0-only */
/* The slopes of a report's lines computed again, from samples.csv alone: see figures.h. */
#ifndef TESTS_FIGURES_LINE_H
#define TESTS_FIGURES_LINE_H

#include "tests/figures.h"

#define MAX_POINTS 60

struct fig_points {
	double x[MAX_POINTS], y[MAX_POINTS];
	size_t nr;
};

/* What of a cell is in its rows: 2 its device, 3 its workload. */
static inline const char *fig_field(const struct figures *f, const char *id, size_t field)
{
	for (size_t i = 0; i < f->nr_rows; i++)
		if (!strcmp(f->rows[i].fields[0], id))
			return f->rows[i].fields[field];
	return "";
}

static inline void fig_add_points(struct figures *f, const struct fig_cell *cell, const char *x,
				  const char *y, struct fig_points *points)
{
	json_t *boot;
	size_t i;

	json_array_foreach(cell->boots, i, boot) {
		json_int_t number = json_integer_value(json_object_get(boot, "boot"));
		double at = fig_value(f, cell->id, number, x);
		double value = fig_value(f, cell->id, number, y);

		if (strcmp(json_string_value(json_object_get(boot, "status")), "ok") != 0 ||
		    isnan(at) || isnan(value) || points->nr == MAX_POINTS)
			continue;
		points->x[points->nr] = at;
		points->y[points->nr++] = value;
	}
}

/* In how many orders of n + m values, the m below at first, do u pairs stand in order? */
static inline void fig_orders(size_t n, size_t m, double *ways)
{
	size_t nr = n * m + 1;
	autofree double *table = xzalloc((n + 1) * (m + 1) * nr * sizeof(*table));

	for (size_t i = 0; i <= n; i++)
		for (size_t j = 0; j <= m; j++)
			for (size_t u = 0; u <= i * j; u++) {
				double *way = &table[(i * (m + 1) + j) * nr + u];

				if (!i || !j) /* one way */
					*way = 1;
				else /* the highest is one of the n, above all m; or not */
					*way = (u >= j ? (&table[((i - 1) * (m + 1) + j) * nr])[u -
												j]
						       : 0) +
					       (&table[(i * (m + 1) + j - 1) * nr])[u];
			}
	memcpy(ways, &table[(n * (m + 1) + m) * nr], nr * sizeof(*ways));
}

/* How many of the ordered slopes are outside of a 95 % interval, on each side; < 0: none is. */
static inline long fig_outside(const struct fig_points *points, size_t nr_slopes)
{
	autofree double *all = xzalloc((nr_slopes + 1) * sizeof(*all));
	double sum = 0, below = 0, xs[MAX_POINTS];
	size_t before = 0, reach = 0;
	long nr = -1;

	memcpy(xs, points->x, sizeof(xs));
	qsort(xs, points->nr, sizeof(*xs), fig_order);
	all[0] = 1;
	for (size_t i = 0, end; i < points->nr; i = end) {
		autofree double *next = xzalloc((nr_slopes + 1) * sizeof(*next)), *ways = NULL;

		for (end = i; end < points->nr && xs[end] == xs[i];)
			end++;
		ways = xzalloc(((end - i) * before + 1) * sizeof(*ways));
		fig_orders(end - i, before, ways);
		for (size_t u = 0; u <= reach; u++)
			for (size_t v = 0; v <= (end - i) * before; v++)
				next[u + v] += all[u] * ways[v];
		memcpy(all, next, (nr_slopes + 1) * sizeof(*all));
		reach += (end - i) * before;
		before = end;
	}
	for (size_t u = 0; u <= reach; u++)
		sum += all[u];
	while (nr + 1 < (long)(nr_slopes + 1) / 2 && (below + all[nr + 1]) / sum <= 0.025)
		below += all[++nr];
	if (nr < 0 && all[0] / sum <= 0.125)
		nr = 0; /* all of them, less confident than asked for */
	return nr;
}

static inline double fig_offset(const struct fig_points *points, double slope)
{
	double offsets[MAX_POINTS];

	for (size_t i = 0; i < points->nr; i++)
		offsets[i] = points->y[i] - slope * points->x[i];
	return fig_median(offsets, points->nr);
}

/* "slope", "slope-low", "far-high" ... of what goes through these points. */
static inline double fig_line(const struct fig_points *points, double per, double far,
			      const char *of)
{
	double slopes[MAX_POINTS * MAX_POINTS / 2], slope;
	size_t nr = 0;
	long outside;

	if (!strcmp(of, "points"))
		return (double)points->nr;
	for (size_t i = 0; i < points->nr; i++)
		for (size_t j = i + 1; j < points->nr; j++)
			if (points->x[i] != points->x[j])
				slopes[nr++] = (points->y[j] - points->y[i]) /
					       (points->x[j] - points->x[i]);
	slope = fig_median(slopes, nr); /* sorts */
	outside = fig_outside(points, nr);
	if (strstr(of, "-low") || strstr(of, "-high")) {
		if (outside < 0)
			return NAN;
		slope = strstr(of, "-low") ? slopes[outside] : slopes[nr - 1 - (size_t)outside];
	}
	if (!strncmp(of, "slope", 5))
		return slope * per;
	return fmax(0, fig_offset(points, slope) + slope * far);
}

#endif
