// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rank test, shift and bootstrap against R 4.2: wilcox.test(x, y, exact = TRUE, conf.int = TRUE);
 * with ties against all permutations, counted in R.
 */
#include "tests/close.h"

#include "harness/bootstrap.h"
#include "harness/ranktest.h"
#include "harness/stats.h"
#include "harness/util.h"

#define EPSILON 1e-9

struct reference {
	double x[20], y[20];
	size_t nr_x, nr_y;
	double u, p, shift, low, high;
};
static const struct reference references[] = {
	{ { 1.1, 2.2, 3.3, 4.4, 5.5, 6.6 },
	  { 1.5, 2.5, 3.5, 7.5, 8.5, 9.5 },
	  6,
	  6,
	  12,
	  0.39393939393939392,
	  -1.65,
	  -6.2,
	  2.9 },
	{ { 0.80, 0.83, 1.89, 1.04, 1.45, 1.38, 1.91, 1.64, 0.73, 1.46 },
	  { 1.15, 0.88, 0.90, 0.74, 1.21 },
	  10,
	  5,
	  35,
	  0.2544122544122544,
	  0.305,
	  -0.15,
	  0.76 },
	{ { 1075.745, 1006.065, 1016.114, 1021.754, 1010.587, 1011.054, 1044.963, 1027.661,
	    1033.053, 1073.8 },
	  { 1007.14, 1054.335, 1045.629, 1006.48, 1037.921, 1009.354, 982.124, 993.853, 999.904,
	    1019.763 },
	  10,
	  10,
	  70,
	  0.14314014159215399,
	  15.742,
	  -8.709,
	  37.823 },
	{ { 51.68, 51.411, 52.612, 47.224, 52.546, 50.368, 51.505, 51.183 },
	  { 44.034, 45.448, 44.258, 47.437, 46.221, 45.843, 45.159, 44.876, 47.995, 43.79, 45.715,
	    46.63 },
	  8,
	  12,
	  94,
	  6.35071842502183e-05,
	  5.8135,
	  4.147,
	  7.098 },
	{ { 7, 8, 9, 10, 11, 12 }, { 1, 2, 3, 4, 5, 6 }, 6, 6, 36, 0.0021645021645021645, 6, 3, 9 },
	{ { 1.12186, 0.93007, 0.97146, 0.86884, 0.9609,	 0.95985, 1.13505,
	    1.05912, 1.01005, 1.09311, 0.97373, 0.99923, 1.03672, 1.17072,
	    1.07237, 1.0481,  0.84321, 1.03183, 1.0166,	 0.91001 },
	  { 1.05764, 1.06592, 1.10437, 1.12048, 1.0819, 1.16092, 1.12692, 1.16535, 1.17607, 1.12006,
	    1.09326, 0.95774, 0.98844, 0.96333, 0.88605 },
	  20,
	  15,
	  91,
	  0.050290453974570166,
	  -0.067725,
	  -0.12757,
	  0.00138 },
	{ { 3.5 }, { 1, 2, 3, 4 }, 1, 4, 3, 0.8, 1, -0.5, 2.5 },
	{ { 1, 2, 3 }, { 4.5, 5.5, 6.5 }, 3, 3, 0, 0.1, -3.5, -5.5, -1.5 },
};

static void equals_r(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(references); i++) {
		const struct reference *r = &references[i];
		struct rank_shift shift;
		struct rank_test test;

		rank_test(r->x, r->nr_x, r->y, r->nr_y, &test);
		assert_true(test.exact && !test.ties);
		assert_close(test.u, r->u, 0);
		assert_close(test.p, r->p, EPSILON * r->p);
		rank_shift(r->x, r->nr_x, r->y, r->nr_y, 0.95, &shift);
		assert_close(shift.shift, r->shift, EPSILON);
		assert_close(shift.low, r->low, EPSILON);
		assert_close(shift.high, r->high, EPSILON);
	}
}

/* Multiples of an irrational step, modulo 1: distinct, in no order. */
static void fill(double *values, size_t nr, double step)
{
	for (size_t i = 0; i < nr; i++)
		values[i] = fmod((double)(i + 1) * step, 1);
}

/* R: f <- function(n, s) ((1:n) * s) %% 1; x <- f(nr_x, sqrt(2)) + by; y <- f(nr_y, sqrt(3)) */
struct large {
	size_t nr_x, nr_y;
	double by, u, p, shift, low, high;
};

static void equals_r_for_large_samples(void **state)
{
	static const struct large cases[] = {
		{ 49, 40, 0.08, 1117, 0.26166961276722323, 0.070894071732507169,
		  -0.056741891615201878, 0.19828503413714488 },
		{ 100, 100, 0.15, 6384, 0.0006675861630969465, 0.14913320594255597,
		  0.065630106799341115, 0.23277716376928981 },
		{ 30, 100, -0.2, 929, 0.0014012826669144089, -0.2117507231956049,
		  -0.33619981859929454, -0.087488512635002291 },
		/* Normal; R's shift and interval are roots there, found to 1e-4. */
		{ 120, 130, 0.1, 9271, 0.010044772483846975, 0.0984016001120257,
		  0.024135840502952002, 0.17279035255197867 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct large *c = &cases[i];
		bool exact = c->nr_y <= RANK_EXACT_MAX;
		double x[130], y[130], epsilon = exact ? EPSILON : 2e-3;
		struct rank_shift shift;
		struct rank_test test;

		fill(x, c->nr_x, M_SQRT2);
		fill(y, c->nr_y, sqrt(3));
		for (size_t j = 0; j < c->nr_x; j++)
			x[j] += c->by;
		rank_test(x, c->nr_x, y, c->nr_y, &test);
		assert_true(test.exact == exact);
		assert_close(test.u, c->u, 0);
		assert_close(test.p, c->p, EPSILON * c->p);
		rank_shift(x, c->nr_x, y, c->nr_y, 0.95, &shift);
		assert_close(shift.shift, c->shift, epsilon);
		assert_close(shift.low, c->low, epsilon);
		assert_close(shift.high, c->high, epsilon);
	}
}

struct tied {
	double x[8], y[8];
	size_t nr_x, nr_y;
	double p;
};

static void exact_with_ties(void **state)
{
	static const struct tied cases[] = {
		{ { 1, 2, 2, 3, 3, 3 }, { 2, 3, 4, 4, 5, 5 }, 6, 6, 0.05627705627705628 },
		{ { 1, 1, 1, 1, 2, 2, 9 }, { 1, 1, 2, 2, 3 }, 7, 5, 0.84848484848484851 },
		{ { 5, 5, 5, 5, 5, 5 }, { 6, 6, 6, 6, 6, 6 }, 6, 6, 0.0021645021645021645 },
		{ { 1, 2, 3, 4, 4, 6, 7, 8 },
		  { 4, 5, 5, 6, 7, 9, 9, 9 },
		  8,
		  8,
		  0.061383061383061384 },
		{ { 5, 5, 5, 5 }, { 5, 5, 5 }, 4, 3, 1 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct tied *c = &cases[i];
		struct rank_test test, turned;

		rank_test(c->x, c->nr_x, c->y, c->nr_y, &test);
		assert_true(test.exact && test.ties);
		assert_close(test.p, c->p, EPSILON * c->p);
		rank_test(c->y, c->nr_y, c->x, c->nr_x, &turned);
		assert_close(turned.p, test.p, EPSILON);
		assert_close(turned.u + test.u, (double)(c->nr_x * c->nr_y), 0);
	}
}

/* Too many ties to count: wilcox.test(rep(1:12, each = 5), rep(3:14, each = 5), exact = FALSE). */
static void normal_above_the_size(void **state)
{
	double x[60], y[60], same[60];
	struct rank_test test;

	for (size_t i = 0; i < 60; i++) {
		size_t level = i / 5;

		x[i] = (double)(level + 1);
		y[i] = (double)(level + 3);
		same[i] = 1;
	}
	rank_test(x, 60, y, 60, &test);
	assert_true(test.ties && !test.exact);
	assert_close(test.u, 1250, 0);
	assert_close(test.p, 0.0038178878942947249, 1e-12);
	rank_test(same, 60, same, 60, &test);
	assert_close(test.p, 1, 0);
}

static void of_too_little(void **state)
{
	static const double x[] = { 1, 2 }, y[] = { 3, 4 };
	struct rank_shift shift;
	struct rank_test test;

	rank_test(x, 2, y, 0, &test);
	assert_true(isnan(test.p) && isnan(test.u));
	rank_shift(x, 0, y, 2, 0.95, &shift);
	assert_true(isnan(shift.shift) && isnan(shift.low) && isnan(shift.high));
	rank_shift(x, 2, y, 2, 0.95, &shift); /* all the differences reach only 2/3 */
	assert_close(shift.low, -3, 0);
	assert_close(shift.high, -1, 0);
	assert_close(shift.confidence, 2 / 3.0, EPSILON);
	assert_close(rank_smallest_p(6, 6), 2 / 924.0, EPSILON);
	assert_close(rank_smallest_p(1, 1), 1, EPSILON);
}

static void shift_of_constants(void **state)
{
	static const double x[] = { 7, 7, 7, 7, 7, 7 };
	struct rank_shift shift;

	rank_shift(x, 6, x, 6, 0.95, &shift);
	assert_close(shift.shift, 0, 0);
	assert_close(shift.low, 0, 0);
	assert_close(shift.high, 0, 0);
	assert_true(shift.confidence >= 0.95);
}

/* xoshiro256** of the state 1, 2, 3, 4: worked out by hand from its definition. */
static void generator_is_the_published_one(void **state)
{
	struct prng prng = { { 1, 2, 3, 4 } };

	assert_true(prng_next(&prng) == 11520);
	assert_true(prng_next(&prng) == 0);
	assert_true(prng_next(&prng) == 1509978240);
	prng_seed(&prng, 0); /* splitmix64 of 0 */
	assert_true(prng.state[0] == 0xe220a8397b1dcdafULL);
}

static void draws_are_even(void **state)
{
	unsigned int seen[3] = { 0 };
	double sum = 0, squares = 0;
	struct prng prng;

	prng_seed(&prng, 1);
	for (size_t i = 0; i < 30000; i++) {
		double z = prng_normal(&prng);

		seen[prng_below(&prng, 3)]++;
		sum += z;
		squares += z * z;
	}
	for (size_t i = 0; i < 3; i++)
		assert_in_range(seen[i], 9700, 10300);
	assert_true(fabs(sum / 30000) < 0.02);
	assert_true(fabs(squares / 30000 - 1) < 0.03);
}

#define OPTIONS(resamples, seed) (&(const struct bootstrap_options){ 0.95, resamples, seed })

static void ratio_and_its_interval(void **state)
{
	double value[10], base[10];
	struct bootstrap_ratio first, again, other;

	fill(base, 10, M_SQRT2);
	for (size_t i = 0; i < 10; i++) {
		base[i] = 100 + base[i];
		value[i] = base[i] * 1.1;
	}
	bootstrap_ratio(value, 10, base, 10, OPTIONS(2000, 1), &first);
	bootstrap_ratio(value, 10, base, 10, OPTIONS(2000, 1), &again);
	bootstrap_ratio(value, 10, base, 10, OPTIONS(2000, 2), &other);
	assert_close(first.ratio, 1.1, EPSILON);
	assert_true(first.low < 1.1 && first.low > 1.09 && first.high > 1.1 && first.high < 1.11);
	assert_close(first.low, again.low, 0);
	assert_close(first.high, again.high, 0);
	assert_true(other.low != first.low || other.high != first.high);
	assert_close(other.low, first.low, 0.002);
}

static void ratio_of_nothing(void **state)
{
	static const double zeros[] = { 0, 0, 0 }, ones[] = { 1, 1, 1 }, mixed[] = { 0, 1, 1 };
	struct bootstrap_ratio ratio;

	bootstrap_ratio(ones, 3, zeros, 3, OPTIONS(100, 1), &ratio);
	assert_true(isnan(ratio.ratio) && isnan(ratio.low));
	bootstrap_ratio(ones, 3, mixed, 3, OPTIONS(100, 1), &ratio); /* now and then all are 0 */
	assert_close(ratio.ratio, 1, EPSILON);
	assert_true(isnan(ratio.low) && isnan(ratio.high));
	bootstrap_ratio(ones, 0, mixed, 3, OPTIONS(100, 1), &ratio);
	assert_true(isnan(ratio.ratio));
	bootstrap_ratio(ones, 3, ones, 3, OPTIONS(0, 1), &ratio);
	assert_close(ratio.ratio, 1, EPSILON);
	assert_true(isnan(ratio.low));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(equals_r),
		cmocka_unit_test(equals_r_for_large_samples),
		cmocka_unit_test(exact_with_ties),
		cmocka_unit_test(normal_above_the_size),
		cmocka_unit_test(of_too_little),
		cmocka_unit_test(shift_of_constants),
		cmocka_unit_test(generator_is_the_published_one),
		cmocka_unit_test(draws_are_even),
		cmocka_unit_test(ratio_and_its_interval),
		cmocka_unit_test(ratio_of_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
