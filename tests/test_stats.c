// SPDX-License-Identifier: GPL-2.0-only
/* Statistics against values worked out by hand (and R's quantile(), type 7). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>

#include "harness/stats.h"
#include "harness/util.h"

#define EPSILON 1e-12

static const double values[] = { 7, 1, 4, 2 };

static void of_nothing(void **state)
{
	assert_true(isnan(stats_min(NULL, 0)));
	assert_true(isnan(stats_max(NULL, 0)));
	assert_true(isnan(stats_median(NULL, 0)));
	assert_true(isnan(stats_quantile(NULL, 0, 0.9)));
	assert_true(isnan(stats_geomean(NULL, 0)));
}

static void min_and_max(void **state)
{
	assert_float_equal(stats_min(values, 4), 1, EPSILON);
	assert_float_equal(stats_max(values, 4), 7, EPSILON);
}

static void median_of_odd_and_even(void **state)
{
	assert_float_equal(stats_median(values, 1), 7, EPSILON);
	assert_float_equal(stats_median(values, 3), 4, EPSILON);
	assert_float_equal(stats_median(values, 4), 3, EPSILON);
	assert_float_equal(values[0], 7, EPSILON); /* not sorted in place */
}

static void quantiles(void **state)
{
	assert_float_equal(stats_quantile(values, 4, 0), 1, EPSILON);
	assert_float_equal(stats_quantile(values, 4, 0.25), 1.75, EPSILON);
	assert_float_equal(stats_quantile(values, 4, 0.9), 6.1, EPSILON);
	assert_float_equal(stats_quantile(values, 4, 1), 7, EPSILON);
	assert_true(isnan(stats_quantile(values, 4, 1.01)));
	assert_true(isnan(stats_quantile(values, 4, (double)NAN)));
}

static void geometric_mean(void **state)
{
	static const double halves[] = { 0.5, 2 }, zero[] = { 0, 3 }, negative[] = { -1, 3 };

	assert_float_equal(stats_geomean(halves, 2), 1, EPSILON);
	assert_float_equal(stats_geomean(zero, 2), 0, EPSILON);
	assert_true(isnan(stats_geomean(negative, 2)));
}

static void ratio_only_where_it_says_something(void **state)
{
	assert_float_equal(stats_ratio(3, 4), 0.75, EPSILON);
	assert_float_equal(stats_ratio(0, 4), 0, EPSILON);
	assert_true(isnan(stats_ratio(3, 0)));
	assert_true(isnan(stats_ratio(0, 0)));
	assert_true(isnan(stats_ratio((double)NAN, 1)));
	assert_true(isnan(stats_ratio(1, (double)INFINITY)));
	assert_true(isnan(stats_ratio(1e300, 1e-300)));
}

/* Tables of the sign test: at 95 %, no value is left out below n = 6, one from 6, two from 9. */
static void interval_of_the_median(void **state)
{
	static const double many[] = { 12, 3, 7, 1, 9, 5, 11, 2, 8, 4, 10, 6 };
	double low, high;

	stats_median_interval(many, 5, 0.95, &low, &high);
	assert_true(isnan(low) && isnan(high));
	stats_median_interval(many, 6, 0.95, &low, &high);
	assert_float_equal(low, 1, EPSILON);
	assert_float_equal(high, 12, EPSILON);
	stats_median_interval(many, 12, 0.95, &low, &high);
	assert_float_equal(low, 3, EPSILON); /* the 3rd and the 10th: 96.1 % */
	assert_float_equal(high, 10, EPSILON);
	stats_median_interval(NULL, 0, 0.95, &low, &high);
	assert_true(isnan(low) && isnan(high));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(of_nothing),
		cmocka_unit_test(min_and_max),
		cmocka_unit_test(median_of_odd_and_even),
		cmocka_unit_test(quantiles),
		cmocka_unit_test(geometric_mean),
		cmocka_unit_test(interval_of_the_median),
		cmocka_unit_test(ratio_only_where_it_says_something),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
