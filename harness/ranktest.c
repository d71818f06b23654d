// SPDX-License-Identifier: GPL-2.0-only
/* Mann-Whitney's test and Hodges and Lehmann's shift. */
#include "harness/ranktest.h"

#include <float.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "harness/stats.h"
#include "harness/util.h"

/*
 * How many orders of nr_x and nr_y distinct values have U = 0, 1, ... nr_x * nr_y. The largest
 * value is an x, which beats all y, or a y, which beats none:
 * count(k, j, u) = count(k - 1, j, u - j) + count(k, j - 1, u).
 */
static double *count_orders(size_t nr_x, size_t nr_y)
{
	size_t nr = nr_x * nr_y + 1;
	autofree double *counts = xzalloc((nr_x + 1) * nr * sizeof(*counts));
	double *last = xrealloc(NULL, nr * sizeof(*last));

	for (size_t k = 0; k <= nr_x; k++)
		counts[k * nr] = 1;
	for (size_t j = 1; j <= nr_y; j++)
		for (size_t k = 1; k <= nr_x; k++)
			for (size_t u = j; u <= k * j; u++)
				counts[k * nr + u] += counts[(k - 1) * nr + u - j];
	memcpy(last, counts + nr_x * nr, nr * sizeof(*last));
	return last;
}

static double choose(size_t n, size_t k)
{
	double ways = 1;

	for (size_t i = 1; i <= k; i++)
		ways = ways * (double)(n - k + i) / (double)i;
	return ways;
}

double rank_smallest_p(size_t nr_x, size_t nr_y)
{
	return fmin(1, 2 / choose(nr_x + nr_y, nr_x));
}

/* Twice the smaller tail of what was counted, of which the value is one. */
static double two_sided(const double *counts, size_t nr, size_t value)
{
	double below = 0, above = 0, all = 0;

	for (size_t i = 0; i < nr; i++) {
		below += i <= value ? counts[i] : 0;
		above += i >= value ? counts[i] : 0;
		all += counts[i];
	}
	return fmin(1, 2 * fmin(below, above) / all);
}

struct item {
	double value;
	bool is_x;
	size_t rank2; /* twice the mid-rank, a whole number */
};

static int compare_items(const void *a, const void *b)
{
	const struct item *x = a, *y = b;

	return (x->value > y->value) - (x->value < y->value);
}

/* Both samples in order, with mid-ranks. *ties: the sum of t^3 - t over groups of t equals. */
static struct item *rank_items(const double *x, size_t nr_x, const double *y, size_t nr_y,
			       double *ties)
{
	size_t nr = nr_x + nr_y;
	struct item *items = xzalloc(nr * sizeof(*items));

	for (size_t i = 0; i < nr; i++)
		items[i] = (struct item){ i < nr_x ? x[i] : y[i - nr_x], i < nr_x, 0 };
	qsort(items, nr, sizeof(*items), compare_items);
	*ties = 0;
	for (size_t i = 0, end; i < nr; i = end) {
		double t;

		for (end = i + 1; end < nr && items[end].value == items[i].value;)
			end++;
		for (size_t j = i; j < end; j++)
			items[j].rank2 = i + 1 + end;
		t = (double)(end - i);
		*ties += t * t * t - t;
	}
	return items;
}

/*
 * The permutation distribution with ties: in how many ways have nr_x of the items which sum of
 * doubled ranks? One item after the other is taken or left.
 */
static double p_of_tied(const struct item *items, size_t nr_x, size_t nr_y, size_t sum2)
{
	size_t nr = nr_x + nr_y, nr_sums = nr * (nr + 1) + 1;
	autofree double *ways = xzalloc((nr_x + 1) * nr_sums * sizeof(*ways));
	size_t reached = 0;

	ways[0] = 1;
	for (size_t i = 0; i < nr; i++) {
		reached += items[i].rank2;
		for (size_t k = i < nr_x ? i + 1 : nr_x; k > 0; k--) {
			double *with = ways + k * nr_sums;
			const double *without = with - nr_sums;

			for (size_t s = items[i].rank2; s <= reached; s++)
				with[s] += without[s - items[i].rank2];
		}
	}
	return two_sided(ways + nr_x * nr_sums, nr_sums, sum2);
}

static double p_of_distinct(size_t nr_x, size_t nr_y, double u)
{
	autofree double *counts = count_orders(nr_x, nr_y);

	return two_sided(counts, nr_x * nr_y + 1, (size_t)u);
}

static double p_normal(double nr_x, double nr_y, double u, double ties)
{
	double nr = nr_x + nr_y, z = u - nr_x * nr_y / 2;
	double variance = nr_x * nr_y / 12 * (nr + 1 - ties / (nr * (nr - 1)));

	if (!(variance > 0) || z == 0)
		return 1; /* all are equal, or neither is larger */
	z = (fabs(z) - 0.5) / sqrt(variance);
	return fmin(1, 2 * stats_normal(-z));
}

void rank_test(const double *x, size_t nr_x, const double *y, size_t nr_y, struct rank_test *out)
{
	size_t larger = nr_x > nr_y ? nr_x : nr_y, sum2 = 0;
	autofree struct item *items = NULL;
	double ties;

	*out = (struct rank_test){ .u = NAN, .p = NAN };
	if (!nr_x || !nr_y)
		return;
	items = rank_items(x, nr_x, y, nr_y, &ties);
	for (size_t i = 0; i < nr_x + nr_y; i++)
		sum2 += items[i].is_x ? items[i].rank2 : 0;
	out->u = (double)sum2 / 2 - (double)nr_x * (double)(nr_x + 1) / 2;
	out->ties = ties > 0;
	out->exact = larger <= (out->ties ? RANK_EXACT_TIES_MAX : RANK_EXACT_MAX);
	if (!out->exact)
		out->p = p_normal((double)nr_x, (double)nr_y, out->u, ties);
	else if (out->ties)
		out->p = p_of_tied(items, nr_x, nr_y, sum2);
	else
		out->p = p_of_distinct(nr_x, nr_y, out->u);
}

/*
 * How many of the ordered differences the interval leaves out on each side, plus one: the
 * smallest u with P(U <= u) >= tail, R's qwilcox(), at least 1. *outside: P(U < u).
 */
static size_t interval_place(size_t nr_x, size_t nr_y, double tail, double *outside)
{
	autofree double *counts = count_orders(nr_x, nr_y);
	double all = choose(nr_x + nr_y, nr_x), below = 0;
	size_t u = 0;

	tail -= 10 * DBL_EPSILON; /* as R: sums are not exact */
	*outside = 0;
	while (u < nr_x * nr_y && (below += counts[u] / all) < tail) {
		*outside = below;
		u++;
	}
	if (u)
		return u;
	*outside = counts[0] / all; /* even the whole range is not as confident */
	return 1;
}

static size_t normal_place(double nr_x, double nr_y, double tail, double *outside)
{
	double variance = nr_x * nr_y * (nr_x + nr_y + 1) / 12;
	double place = floor(nr_x * nr_y / 2 + stats_normal_quantile(tail) * sqrt(variance));

	*outside = tail;
	return place < 1 ? 1 : (size_t)place;
}

void rank_shift(const double *x, size_t nr_x, const double *y, size_t nr_y, double confidence,
		struct rank_shift *out)
{
	autofree double *differences = NULL, *sorted = NULL;
	size_t nr = nr_x * nr_y, place;
	double outside;

	*out = (struct rank_shift){ .shift = NAN, .low = NAN, .high = NAN };
	if (!nr)
		return;
	differences = xrealloc(NULL, nr * sizeof(*differences));
	for (size_t i = 0; i < nr; i++)
		differences[i] = x[i / nr_y] - y[i % nr_y];
	sorted = stats_sorted(differences, nr);
	out->shift = nr % 2 ? sorted[nr / 2] : sorted[nr / 2 - 1] / 2 + sorted[nr / 2] / 2;
	if (nr_x <= RANK_EXACT_MAX && nr_y <= RANK_EXACT_MAX)
		place = interval_place(nr_x, nr_y, (1 - confidence) / 2, &outside);
	else
		place = normal_place((double)nr_x, (double)nr_y, (1 - confidence) / 2, &outside);
	out->low = sorted[place - 1];
	out->high = sorted[nr - place];
	out->confidence = 1 - 2 * outside;
}
