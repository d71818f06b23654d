// SPDX-License-Identifier: GPL-2.0-only
/* Lines through points: their slope, its interval, and what throws neither off. */
#include "tests/close.h"

#include <math.h>

#include "harness/bootstrap.h"
#include "harness/ranktest.h"
#include "harness/slope.h"
#include "harness/util.h"

static const double sizes[] = { 1, 1, 1, 2, 2, 2, 4, 4, 4 };

static void points_on_a_line_give_it(void **state)
{
	double y[ARRAY_SIZE(sizes)];
	struct slope fit;

	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++)
		y[i] = 2 + 3 * sizes[i];
	slope_fit(sizes, y, ARRAY_SIZE(sizes), 0.95, &fit);
	assert_close(fit.slope, 3, 1e-12);
	assert_close(fit.offset, 2, 1e-12);
	assert_close(fit.low, 3, 1e-12);
	assert_close(fit.high, 3, 1e-12);
	assert_close(fit.high_offset, 2, 1e-12);
	y[4] = 1000; /* a boot that stalled */
	slope_fit(sizes, y, ARRAY_SIZE(sizes), 0.95, &fit);
	assert_close(fit.slope, 3, 1e-12);
	assert_close(fit.offset, 2, 1e-12);
	assert_true(fit.low <= 3 && fit.high >= 3);
}

/* By hand: slopes 1, 2 and 3 of the pairs; the median of y - 2 x. */
static void three_points_by_hand(void **state)
{
	static const double x[] = { 0, 1, 2 }, y[] = { 0, 1, 4 };
	struct slope fit;

	slope_fit(x, y, 3, 0.95, &fit);
	assert_close(fit.slope, 2, 1e-12);
	assert_close(fit.offset, 0, 1e-12);
	assert_true(isnan(fit.low)); /* 6 orders: 67 % at most */
}

/*
 * How many slopes are left out on each side, and what confidence remains, from the number of orders
 * of so many values with 0, 1, 2 ... inversions: 1, 4, ... of 120; 1, 5, 14 ... of 720; and for
 * three pairs of values, which do not count against each other, 1, 2, ... of 90.
 */
static void places_are_exact(void **state)
{
	static const double distinct[] = { 1, 2, 3, 4, 5, 6 }, pairs[] = { 1, 1, 2, 2, 3, 3 };
	static const double y[] = { 1, 2, 4, 8, 16, 32 };
	struct slope fit;

	slope_fit(distinct, y, 4, 0.95, &fit);
	assert_close(fit.confidence, 1 - 2 / 24., 1e-12);
	slope_fit(distinct, y, 5, 0.95, &fit);
	assert_close(fit.confidence, 1 - 2 / 120., 1e-12);
	assert_close(fit.low, 1, 1e-12); /* the smallest of all */
	assert_close(fit.high, 8, 1e-12);
	slope_fit(distinct, y, 6, 0.95, &fit);
	assert_close(fit.confidence, 1 - 2 * 6 / 720., 1e-12);
	assert_close(fit.low, 1.5, 1e-12); /* 1 is left out, as is 16 */
	assert_close(fit.high, 12, 1e-12);
	slope_fit(pairs, y, 6, 0.95, &fit);
	assert_close(fit.confidence, 1 - 2 / 90., 1e-12);
	slope_fit(pairs, y, 6, 0.90, &fit);
	assert_close(fit.confidence, 1 - 2 * 3 / 90., 1e-12);
}

/* Of two sizes it is the shift from one to the other. */
static void two_sizes_are_a_shift(void **state)
{
	static const struct {
		size_t nr_low, nr_high;
	} cases[] = { { 3, 3 }, { 4, 7 }, { 5, 5 }, { 10, 10 }, { 20, 30 } };
	double x[50], y[50];
	struct prng prng;

	prng_seed(&prng, 5);
	for (size_t c = 0; c < ARRAY_SIZE(cases); c++) {
		size_t low = cases[c].nr_low, nr = low + cases[c].nr_high;
		struct rank_shift shift;
		struct slope fit;

		for (size_t i = 0; i < nr; i++) {
			x[i] = i < low ? 3 : 5;
			y[i] = x[i] + prng_normal(&prng);
		}
		slope_fit(x, y, nr, 0.95, &fit);
		rank_shift(y + low, nr - low, y, low, 0.95, &shift);
		assert_close(fit.slope, shift.shift / 2, 1e-12);
		assert_close(fit.low, shift.low / 2, 1e-12);
		assert_close(fit.high, shift.high / 2, 1e-12);
		assert_close(fit.confidence, shift.confidence, 1e-9);
	}
}

/* However skewed the noise is: the true slope is as often inside as the interval says. */
static void intervals_hold_what_they_say(void **state)
{
	unsigned int inside = 0, rounds = 4000;
	double y[ARRAY_SIZE(sizes)];
	struct slope fit;
	struct prng prng;
	double share;

	prng_seed(&prng, 1);
	for (unsigned int r = 0; r < rounds; r++) {
		for (size_t i = 0; i < ARRAY_SIZE(sizes); i++)
			y[i] = 1 + 0.5 * sizes[i] - log(prng_uniform(&prng));
		slope_fit(sizes, y, ARRAY_SIZE(sizes), 0.95, &fit);
		inside += fit.low <= 0.5 && fit.high >= 0.5;
	}
	share = inside / (double)rounds;
	assert_true(fit.confidence >= 0.95);
	assert_close(share, fit.confidence, 0.01);
}

static void what_has_no_slope_has_none(void **state)
{
	static double x[SLOPE_MAX_POINTS + 1], y[SLOPE_MAX_POINTS + 1];
	static const double same[] = { 2, 2, 2 }, two[] = { 1, 1, 2, 2 };
	struct slope fit;

	slope_fit(x, y, 0, 0.95, &fit);
	assert_true(isnan(fit.slope) && isnan(fit.low) && isnan(fit.offset));
	slope_fit(same, sizes, 3, 0.95, &fit);
	assert_true(isnan(fit.slope) && isnan(fit.low));
	slope_fit(two, sizes, 4, 0.95, &fit);
	assert_true(!isnan(fit.slope) && isnan(fit.low) && isnan(fit.high));
	for (size_t i = 0; i < ARRAY_SIZE(x); i++)
		x[i] = y[i] = (double)i;
	slope_fit(x, y, SLOPE_MAX_POINTS, 0.95, &fit);
	assert_close(fit.slope, 1, 1e-12);
	slope_fit(x, y, SLOPE_MAX_POINTS + 1, 0.95, &fit);
	assert_true(isnan(fit.slope));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(points_on_a_line_give_it),
		cmocka_unit_test(three_points_by_hand),
		cmocka_unit_test(places_are_exact),
		cmocka_unit_test(two_sizes_are_a_shift),
		cmocka_unit_test(intervals_hold_what_they_say),
		cmocka_unit_test(what_has_no_slope_has_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
