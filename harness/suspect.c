// SPDX-License-Identifier: GPL-2.0-only
/* Is the newest value unlike those before it? */
#include "harness/suspect.h"

#include <math.h>

#include "harness/stats.h"
#include "harness/ttest.h"
#include "harness/util.h"

/*
 * Beyond so many deviations, as the median absolute deviation estimates them, a value is far
 * off. Many, because of 10 normal values the estimate may be far below the true one.
 */
#define FAR_OFF 10
#define DEVIATIONS 1.4826 /* in a median absolute deviation, of the normal distribution */

/*
 * The values near the median, to free, how many in *nr. All, if most are equal: then the median
 * absolute deviation says nothing of the others.
 */
static double *near_values(const double *values, size_t *nr, double median)
{
	autofree double *distances = xzalloc(*nr * sizeof(*distances));
	double *near = xzalloc(*nr * sizeof(*near)), limit;
	size_t nr_near = 0;

	for (size_t i = 0; i < *nr; i++)
		distances[i] = fabs(values[i] - median);
	limit = FAR_OFF * DEVIATIONS * stats_median(distances, *nr);
	for (size_t i = 0; i < *nr; i++)
		if (limit == 0 || fabs(values[i] - median) <= limit)
			near[nr_near++] = values[i];
	*nr = nr_near;
	return near;
}

void suspect_test(const double *before, size_t nr, double newest, struct suspect *out)
{
	double median = stats_median(before, nr), change = newest - median;
	autofree double *near = NULL;
	struct ttest test;

	*out = (struct suspect){ .level = median, .p = NAN };
	out->change = change == 0   ? 0
		      : median != 0 ? change / fabs(median)
				    : copysign(INFINITY, change);
	if (nr < SUSPECT_MIN)
		return;
	out->p = 1;
	if (newest >= stats_min(before, nr) && newest <= stats_max(before, nr))
		return;
	near = near_values(before, &nr, median);
	if (nr < 2)
		return;
	ttest(near, nr, &newest, 1, &test);
	out->p = test.p;
}
