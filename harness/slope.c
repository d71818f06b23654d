// SPDX-License-Identifier: GPL-2.0-only
/* Theil and Sen's line through points. */
#include "harness/slope.h"

#include <math.h>
#include <stdlib.h>

#include "harness/stats.h"
#include "harness/util.h"

/* The slopes of all pairs with different x; *nr of them. To free. */
static double *pair_slopes(const double *x, const double *y, size_t nr_points, size_t *nr)
{
	double *slopes = xzalloc(nr_points * nr_points / 2 * sizeof(*slopes) + 1);

	*nr = 0;
	for (size_t i = 1; i < nr_points; i++)
		for (size_t j = 0; j < i; j++)
			if (x[i] != x[j])
				slopes[(*nr)++] = (y[i] - y[j]) / (x[i] - x[j]);
	return slopes;
}

static double line_offset(const double *x, const double *y, size_t nr, double slope)
{
	autofree double *offsets = xzalloc(nr * sizeof(*offsets));

	for (size_t i = 0; i < nr; i++)
		offsets[i] = y[i] - slope * x[i];
	return stats_median(offsets, nr);
}

/*
 * One more group of n values, m before it: how many pairs with these are in order has the
 * generating function of Mann and Whitney's U, the product of (1 - q^(m + i)) / (1 - q^i).
 */
static void add_group(double *p, size_t nr_pairs, size_t m, size_t n)
{
	for (size_t i = 1; i <= n; i++) {
		for (size_t u = nr_pairs; u >= m + i; u--)
			p[u] -= p[u - m - i];
		for (size_t u = i; u <= nr_pairs; u++)
			p[u] += p[u - i];
		for (size_t u = 0; u <= nr_pairs; u++)
			p[u] *= (double)i / (double)(m + i);
	}
}

/* The chances of 0, 1, ... nr_pairs slopes below the true one. To free. */
static double *distribution(const double *x, size_t nr, size_t nr_pairs)
{
	autofree double *sorted = stats_sorted(x, nr);
	double *p = xzalloc((nr_pairs + 1) * sizeof(*p));

	p[0] = 1;
	for (size_t first = 0, end; first < nr; first = end) {
		for (end = first + 1; end < nr && sorted[end] == sorted[first];)
			end++;
		add_group(p, nr_pairs, first, end - first);
	}
	return p;
}

/* How many slopes the interval leaves out on each side. *outside: the chance of one side. */
static size_t left_out(const double *p, size_t nr_pairs, double tail, double *outside)
{
	double below = p[0];
	size_t nr = 0;

	*outside = below;
	while (nr + 1 < (nr_pairs + 1) / 2 && below + p[nr + 1] <= tail) {
		below += p[++nr];
		*outside = below;
	}
	return nr;
}

void slope_fit(const double *x, const double *y, size_t nr, double confidence, struct slope *out)
{
	autofree double *slopes = NULL, *sorted = NULL, *p = NULL;
	size_t nr_pairs = 0, place;
	double outside;

	*out = (struct slope){ NAN, NAN, NAN, NAN, 0, NAN, NAN };
	if (nr <= SLOPE_MAX_POINTS)
		slopes = pair_slopes(x, y, nr, &nr_pairs);
	if (!nr_pairs)
		return;
	out->slope = stats_median(slopes, nr_pairs);
	out->offset = line_offset(x, y, nr, out->slope);
	p = distribution(x, nr, nr_pairs);
	place = left_out(p, nr_pairs, (1 - confidence) / 2, &outside);
	if (1 - 2 * outside < SLOPE_MIN_CONFIDENCE)
		return;
	sorted = stats_sorted(slopes, nr_pairs);
	out->confidence = 1 - 2 * outside;
	out->low = sorted[place];
	out->high = sorted[nr_pairs - 1 - place];
	out->low_offset = line_offset(x, y, nr, out->low);
	out->high_offset = line_offset(x, y, nr, out->high);
}
