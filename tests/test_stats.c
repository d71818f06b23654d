// SPDX-License-Identifier: GPL-2.0-only
/* Statistics against values worked out by hand (and by R; quantile() of type 7). */
#include "tests/close.h"

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
	assert_float_equal(stats_quantile((const double[]){ -1.7e308, 1.7e308 }, 2, 0.5), 0,
			   EPSILON);
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

/* R: sd(), pnorm(), qnorm(), qt(). */
static void distributions(void **state)
{
	assert_close(stats_deviation(values, 4), 2.6457513110645907, EPSILON);
	assert_true(isnan(stats_deviation(values, 1)));
	assert_close(stats_normal(1.9599639845400536), 0.975, EPSILON);
	assert_close(stats_normal_quantile(0.975), 1.9599639845400536, EPSILON);
	assert_close(stats_normal_quantile(0.3), -0.52440051270804067, EPSILON);
	assert_close(stats_normal_quantile(1e-10), -6.3613409024040557, 1e-9);
	assert_true(isnan(stats_normal_quantile(0)) && isnan(stats_normal_quantile(1)));
	assert_close(stats_t_quantile(0.995, 18), 2.8784404727386073, 0.01);
	assert_close(stats_t_quantile(0.8, 10), 0.87905782855058934, 0.001);
	assert_close(stats_t_quantile(0.995, 10), 3.16927267261695, 0.01);
	assert_close(stats_t_quantile(0.9995, 10), 4.5868938587027079, 0.046);
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
		cmocka_unit_test(distributions),
		cmocka_unit_test(ratio_only_where_it_says_something),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
