// SPDX-License-Identifier: GPL-2.0-only
/* Statistics: pure maths on arrays of values. */
#include "harness/stats.h"

#include <math.h>
#include <string.h>

#include "harness/util.h"

double stats_min(const double *values, size_t nr)
{
	double min = NAN;

	for (size_t i = 0; i < nr; i++)
		min = fmin(min, values[i]);
	return min;
}

double stats_max(const double *values, size_t nr)
{
	double max = NAN;

	for (size_t i = 0; i < nr; i++)
		max = fmax(max, values[i]);
	return max;
}

static int compare_doubles(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

double *stats_sorted(const double *values, size_t nr)
{
	double *sorted;

	if (!nr)
		return NULL;
	sorted = xrealloc(NULL, nr * sizeof(*sorted));
	memcpy(sorted, values, nr * sizeof(*sorted));
	qsort(sorted, nr, sizeof(*sorted), compare_doubles);
	return sorted;
}

double stats_quantile(const double *values, size_t nr, double q)
{
	autofree double *sorted = NULL;
	double position, below;
	size_t i;

	if (!nr || !(q >= 0 && q <= 1))
		return NAN;
	sorted = stats_sorted(values, nr);
	position = q * (double)(nr - 1);
	below = floor(position);
	i = (size_t)below;
	if (i + 1 >= nr)
		return sorted[nr - 1];
	position -= below;
	if (!isfinite(sorted[i + 1] - sorted[i])) /* too far apart for a difference */
		return (1 - position) * sorted[i] + position * sorted[i + 1];
	return sorted[i] + position * (sorted[i + 1] - sorted[i]);
}

double stats_median(const double *values, size_t nr)
{
	return stats_quantile(values, nr, 0.5);
}

void stats_median_interval(const double *values, size_t nr, double confidence, double *low,
			   double *high)
{
	double outside = 0, tail = pow(0.5, (double)nr); /* P(no value is below the median) */
	autofree double *sorted = xrealloc(NULL, (nr + 1) * sizeof(*sorted));
	size_t out = 0; /* values left out on each side */

	*low = NAN;
	*high = NAN;
	while (2 * out < nr && 2 * (outside + tail) <= 1 - confidence) {
		outside += tail;
		tail *= (double)(nr - out) / (double)(out + 1);
		out++;
	}
	if (!out)
		return;
	memcpy(sorted, values, nr * sizeof(*sorted));
	qsort(sorted, nr, sizeof(*sorted), compare_doubles);
	*low = sorted[out - 1];
	*high = sorted[nr - out];
}

double stats_geomean(const double *values, size_t nr)
{
	double sum = 0;

	if (!nr)
		return NAN;
	for (size_t i = 0; i < nr; i++)
		sum += log(values[i]); /* of 0: -inf, of a negative value: NAN */
	return exp(sum / (double)nr);
}

double stats_deviation(const double *values, size_t nr)
{
	double mean = 0, sum = 0;

	if (nr < 2)
		return NAN;
	for (size_t i = 0; i < nr; i++)
		mean += values[i] / (double)nr; /* divided first: a sum may overflow */
	for (size_t i = 0; i < nr; i++)
		sum += (values[i] - mean) * (values[i] - mean);
	return sqrt(sum / (double)(nr - 1));
}

double stats_normal(double z)
{
	return erfc(-z / M_SQRT2) / 2;
}

double stats_normal_quantile(double p)
{
	double low = -40, high = 40;

	if (!(p > 0 && p < 1))
		return NAN;
	while (high - low > 1e-13 * (1 + fabs(low))) { /* bisection: short, and never astray */
		double middle = (low + high) / 2;

		if (stats_normal(middle) < p)
			low = middle;
		else
			high = middle;
	}
	return (low + high) / 2;
}

double stats_t_quantile(double p, double freedom)
{
	double z = stats_normal_quantile(p), z3 = z * z * z, z5 = z3 * z * z, z7 = z5 * z * z;

	return z + (z3 + z) / (4 * freedom) +
	       (5 * z5 + 16 * z3 + 3 * z) / (96 * freedom * freedom) +
	       (3 * z7 + 19 * z5 + 17 * z3 - 15 * z) / (384 * freedom * freedom * freedom);
}

double stats_ratio(double value, double base)
{
	double ratio = value / base;

	return isfinite(value) && isfinite(base) && isfinite(ratio) ? ratio : NAN;
}
