// SPDX-License-Identifier: GPL-2.0-only
/* Change points of a series; the method is in edivisive.h. */
#include "harness/edivisive.h"

#include <math.h>
#include <stdbool.h>
#include <stdint.h>

#include "harness/ttest.h"
#include "harness/util.h"

#define WINDOW EDIVISIVE_WINDOW
#define MIN_SEGMENT EDIVISIVE_MIN_SEGMENT

/* sums[i][j] is the sum of |x - y| over all pairs of values of the window in [i, j). */
struct window {
	const double *values;
	size_t nr;
	size_t first, last; /* only points in [first, last] are its own */
	double sums[WINDOW + 1][WINDOW + 1];
	double inverse[WINDOW + 1], inverse_pairs[WINDOW + 1]; /* 1 / n, 1 / (n choose 2) */
};

struct points {
	const double *values; /* all divided by scale, so that no sum can overflow */
	double scale;
	size_t nr_values;
	const struct edivisive_options *options;
	struct change_point *items;
	size_t nr;
};

static void window_init(struct window *w)
{
	for (size_t n = 1; n <= WINDOW; n++) {
		w->inverse[n] = 1 / (double)n;
		w->inverse_pairs[n] = n > 1 ? 2 / ((double)n * (double)(n - 1)) : 0;
	}
}

static void window_sum(struct window *w)
{
	for (size_t i = w->nr + 1; i-- > 0;) {
		w->sums[i][i] = 0;
		if (i < w->nr)
			w->sums[i][i + 1] = 0;
		for (size_t j = i + 2; j <= w->nr; j++)
			w->sums[i][j] = w->sums[i + 1][j] + w->sums[i][j - 1] -
					w->sums[i + 1][j - 1] +
					fabs(w->values[i] - w->values[j - 1]);
	}
}

/* The largest energy distance of [begin, split) to what follows it. */
static double split_distance(const struct window *w, size_t begin, size_t split, size_t end)
{
	const double *all = w->sums[begin], *right = w->sums[split];
	size_t m = split - begin;
	double left = all[split], within = left * w->inverse_pairs[m], best = -INFINITY;

	for (size_t k = split + MIN_SEGMENT; k <= end; k++) {
		size_t n = k - split;
		double between = (all[k] - left - right[k]) * 2 * w->inverse[m] * w->inverse[n];
		double distance = (between - within - right[k] * w->inverse_pairs[n]) *
				  (double)(m * n) * w->inverse[m + n];

		best = distance > best ? distance : best;
	}
	return best;
}

/* Where to split [begin, end) of the window; 0: nowhere. */
static size_t best_split(const struct window *w, size_t begin, size_t end)
{
	size_t place = 0;
	double best = 0;

	for (size_t split = begin + MIN_SEGMENT; split + MIN_SEGMENT <= end; split++) {
		double distance = split_distance(w, begin, split, end);

		if (distance > best) {
			best = distance;
			place = split;
		}
	}
	return place;
}

static void add_point(struct points *points, size_t index)
{
	if (!(points->nr & (points->nr - 1))) /* full at each power of two */
		points->items = xrealloc(points->items, (points->nr ? points->nr * 2 : 1) *
								sizeof(*points->items));
	points->items[points->nr++] = (struct change_point){ .index = index };
}

/* Adds the weak points of [begin, end) of the window that starts at the series' value start. */
static void split_window(const struct window *w, size_t start, size_t begin, size_t end,
			 struct points *points)
{
	size_t split = best_split(w, begin, end);
	struct ttest test;

	if (!split)
		return;
	ttest(w->values + begin, split - begin, w->values + split, end - split, &test);
	if (!(test.p < points->options->weak_p))
		return;
	split_window(w, start, begin, split, points); /* NOLINT(misc-no-recursion) */
	if (split >= w->first && split <= w->last)
		add_point(points, start + split);
	split_window(w, start, split, end, points); /* NOLINT(misc-no-recursion) */
}

/*
 * Beside a window's cut a part is short by accident; another window sees more of it, and better
 * where it begins. The series' own ends, and a point that was found, are no such cuts.
 */
static void search(struct window *w, size_t start, bool cut, struct points *points)
{
	size_t left = points->nr_values - start;

	w->nr = left < WINDOW ? left : WINDOW;
	w->values = points->values + start;
	w->first = cut ? EDIVISIVE_EDGE : 0;
	w->last = left <= WINDOW ? w->nr : w->nr - EDIVISIVE_EDGE;
	window_sum(w);
	split_window(w, start, 0, w->nr, points);
}

static void find_weak(struct points *points)
{
	struct window w = { 0 };
	size_t start = 0, known = 0;

	window_init(&w);
	while (points->nr_values - start > WINDOW) {
		size_t nr = points->nr;

		search(&w, start, start && start != known, points);
		start += WINDOW / 2;
		if (points->nr > nr)
			known = points->items[points->nr - 1].index;
		start = start < known ? known : start;
	}
	/* The newest values get a whole window, wherever the steps have led. */
	if (points->nr_values > WINDOW) {
		start = points->nr_values - WINDOW;
		start = start < known ? known : start;
	}
	search(&w, start, start && start != known, points);
}

/* Are at least half of the values, and as many as a level needs, on this side of the middle? */
static bool is_level(const double *values, size_t nr, double middle, bool above)
{
	size_t own = 0;

	for (size_t i = 0; i < nr; i++)
		own += above ? values[i] > middle : values[i] < middle;
	return own >= MIN_SEGMENT && 2 * own >= nr;
}

/*
 * A spike or two pull the mean of a short part away, and the t test takes them for a change: it
 * is one only between two levels.
 */
static bool is_change(const double *x, size_t nr_x, const double *y, size_t nr_y,
		      const struct ttest *test)
{
	double middle = test->mean_x / 2 + test->mean_y / 2;
	bool rises = test->mean_y > test->mean_x;

	return is_level(x, nr_x, middle, !rises) && is_level(y, nr_y, middle, rises);
}

static void test_point(struct points *points, size_t i)
{
	struct change_point *point = &points->items[i];
	size_t begin = i ? point[-1].index : 0;
	size_t end = i + 1 < points->nr ? point[1].index : points->nr_values;
	const double *x, *y = points->values + point->index;
	size_t nr_x, nr_y;
	struct ttest test;
	double change;

	if (point->index - begin > WINDOW)
		begin = point->index - WINDOW;
	if (end - point->index > WINDOW)
		end = point->index + WINDOW;
	x = points->values + begin;
	nr_x = point->index - begin;
	nr_y = end - point->index;
	ttest(x, nr_x, y, nr_y, &test);
	change = test.mean_y - test.mean_x;
	point->before = test.mean_x * points->scale;
	point->after = test.mean_y * points->scale;
	point->change = change == 0	   ? 0
			: test.mean_x != 0 ? change / fabs(test.mean_x)
					   : copysign(INFINITY, change);
	point->p = is_change(x, nr_x, y, nr_y, &test) ? test.p : 1;
}

/* The point to drop: the least significant one, or the smallest; nr if each is good enough. */
static size_t worst_point(const struct points *points)
{
	size_t least = 0, smallest = 0;

	for (size_t i = 1; i < points->nr; i++) {
		if (points->items[i].p > points->items[least].p)
			least = i;
		if (fabs(points->items[i].change) < fabs(points->items[smallest].change))
			smallest = i;
	}
	if (!(points->items[least].p < points->options->final_p))
		return least;
	if (fabs(points->items[smallest].change) < points->options->min_change)
		return smallest;
	return points->nr;
}

static void drop_weak(struct points *points)
{
	size_t worst;

	for (size_t i = 0; i < points->nr; i++)
		test_point(points, i);
	while (points->nr && (worst = worst_point(points)) < points->nr) {
		points->nr--;
		for (size_t i = worst; i < points->nr; i++)
			points->items[i] = points->items[i + 1];
		if (worst)
			test_point(points, worst - 1);
		if (worst < points->nr)
			test_point(points, worst);
	}
}

static double *scaled(const double *values, size_t nr, double *scale)
{
	double *copy = xzalloc(nr * sizeof(*copy));

	*scale = 0;
	for (size_t i = 0; i < nr; i++)
		*scale = fmax(*scale, fabs(values[i]));
	for (size_t i = 0; i < nr; i++)
		copy[i] = *scale > 0 ? values[i] / *scale : 0;
	return copy;
}

size_t edivisive(const double *values, size_t nr, const struct edivisive_options *options,
		 struct change_point **points)
{
	struct points found = { .nr_values = nr, .options = options };
	autofree double *copy = scaled(values, nr, &found.scale);

	found.values = copy;
	find_weak(&found);
	drop_weak(&found);
	if (!found.nr) {
		free(found.items);
		found.items = NULL;
	}
	*points = found.items;
	return found.nr;
}
