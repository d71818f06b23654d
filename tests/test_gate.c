// SPDX-License-Identifier: GPL-2.0-only
/* The gate on made-up boots: its rules, and how often it is wrong. */
#include "tests/close.h"

#include <stdio.h>
#include <string.h>

#include "harness/floors.h"
#include "harness/gate.h"
#include "harness/util.h"

#define EPSILON 1e-9
#define MAX_BOOTS 20
#define NR_SETS 2000

static const struct gate_options options = { .alpha = GATE_ALPHA, .resamples = 0 };

static struct gate_test test_of(const double *base, size_t nr_base, const double *value,
				size_t nr_value, enum direction direction)
{
	return (struct gate_test){ .base = base,
				   .nr_base = nr_base,
				   .value = value,
				   .nr_value = nr_value,
				   .direction = direction,
				   .floor = FLOOR_DEFAULT,
				   .margin = MARGIN_DEFAULT };
}

static struct gate_test judged(const double *base, size_t nr_base, const double *value,
			       size_t nr_value, enum direction direction)
{
	struct gate_test test = test_of(base, nr_base, value, nr_value, direction);

	gate_run(&test, 1, &options);
	return test;
}

/* R: p.adjust(c(.01, .04, .03, .005, .8, .03), "BH") */
static void adjusted_as_by_r(void **state)
{
	double p[] = { 0.01, 0.04, 0.03, 0.005, 0.8, 0.03 };
	static const double q[] = { 0.03, 0.048, 0.045, 0.03, 0.8, 0.045 };

	gate_adjust(p, ARRAY_SIZE(p));
	for (size_t i = 0; i < ARRAY_SIZE(p); i++)
		assert_close(p[i], q[i], EPSILON);
	gate_adjust(p, 0);
}

static const double steady[] = { 100, 101, 99, 100.5, 99.5, 100.2, 99.8, 100.7, 99.3, 100.1 };

static void scaled(double *to, double by)
{
	for (size_t i = 0; i < 10; i++)
		to[i] = steady[i] * by;
}

static void direction_decides_what_is_worse(void **state)
{
	double more[10], less[10];
	struct gate_test test;

	scaled(more, 1.1);
	scaled(less, 0.9);
	test = judged(steady, 10, more, 10, DIRECTION_LOWER);
	assert_int_equal(test.verdict, VERDICT_REGRESSION);
	assert_close(test.change, 0.1, 0.002);
	assert_close(gate_harm(&test), test.change, 0);
	assert_true(test.low > 0.08 && test.high < 0.12 && test.boots_needed == 0);
	test = judged(steady, 10, more, 10, DIRECTION_HIGHER);
	assert_int_equal(test.verdict, VERDICT_IMPROVEMENT);
	assert_int_equal(judged(steady, 10, less, 10, DIRECTION_HIGHER).verdict,
			 VERDICT_REGRESSION);
	assert_int_equal(judged(steady, 10, less, 10, DIRECTION_LOWER).verdict,
			 VERDICT_IMPROVEMENT);
}

static void below_the_floor_is_no_regression(void **state)
{
	struct gate_test test;
	double more[10];

	scaled(more, 1.013);
	test = judged(steady, 10, more, 10, DIRECTION_LOWER);
	assert_true(test.q < GATE_ALPHA); /* real, but too small to matter */
	assert_int_equal(test.verdict, VERDICT_NO_CHANGE);
	test.floor = 0.01;
	test.margin = 0.01;
	gate_run(&test, 1, &options);
	assert_int_equal(test.verdict, VERDICT_REGRESSION);
}

/* p 0.02: may be chance, may be not; 5 % is excluded, yet that is no reason to say "no change". */
static void suspects_are_not_acquitted(void **state)
{
	static const double more[] = { 101.2, 103.4, 99.7,  102.9, 98.6,
				       104.1, 101.9, 103.8, 100.9, 104.4 };
	struct gate_test test = judged(steady, 10, more, 10, DIRECTION_LOWER);

	assert_true(test.rank.p > GATE_ALPHA && test.rank.p < GATE_SUSPECT);
	assert_true(test.change > FLOOR_DEFAULT && test.high < MARGIN_DEFAULT);
	assert_int_equal(test.verdict, VERDICT_INCONCLUSIVE);
	assert_true(test.boots_needed > 10);
	test.floor = 0.03;
	gate_run(&test, 1, &options);
	assert_int_equal(test.verdict, VERDICT_NO_CHANGE);
}

static void too_few_boots_for_any_verdict(void **state)
{
	static const double apart[] = { 200, 201, 202, 203, 204, 205 };
	struct gate_test test = judged(steady, 3, apart, 3, DIRECTION_LOWER);

	assert_int_equal(test.verdict, VERDICT_INCONCLUSIVE);
	assert_int_equal(test.boots_needed, GATE_MIN_BOOTS);
	assert_true(isnan(test.q) && isnan(test.smallest));
	/* Alike as they are, 5 are not enough either. */
	assert_int_equal(judged(steady, 5, steady, 5, DIRECTION_LOWER).verdict,
			 VERDICT_INCONCLUSIVE);
	assert_int_equal(judged(steady, 10, apart, 5, DIRECTION_LOWER).verdict,
			 VERDICT_INCONCLUSIVE);
	assert_int_equal(judged(steady, 6, apart, 6, DIRECTION_LOWER).verdict, VERDICT_REGRESSION);
	assert_int_equal(judged(steady, 6, apart, 0, DIRECTION_LOWER).verdict,
			 VERDICT_INCONCLUSIVE);
	assert_int_equal(judged(steady, 0, apart, 0, DIRECTION_LOWER).verdict,
			 VERDICT_INCONCLUSIVE);
}

/* 6 boots a side can give p = 0.0022, which is not enough among many tests. */
static void many_tests_need_more_boots(void **state)
{
	static const double apart[] = { 200, 201, 202, 203, 204, 205 };
	struct gate_test tests[20];

	for (size_t i = 0; i < ARRAY_SIZE(tests); i++)
		tests[i] = test_of(steady, 6, i ? steady : apart, 6, DIRECTION_LOWER);
	gate_run(tests, ARRAY_SIZE(tests), &options);
	assert_close(tests[0].q, 20 * 2 / 924.0, EPSILON);
	assert_int_equal(tests[0].verdict, VERDICT_INCONCLUSIVE);
	assert_int_equal(tests[0].boots_needed, 8);
	assert_int_equal(tests[1].verdict, VERDICT_NO_CHANGE);
}

/* An interval that reaches beyond the margin proves nothing. */
static void noise_is_inconclusive(void **state)
{
	static const double noisy[] = { 80, 120, 95, 105, 90, 110, 100, 85, 115, 101 };
	struct gate_test test = judged(noisy, 10, noisy, 10, DIRECTION_LOWER);

	assert_int_equal(test.verdict, VERDICT_INCONCLUSIVE);
	assert_int_equal(test.boots_needed, 54); /* 1.96 * 0.129 * sqrt(2 / 54 * pi / 3) <= 0.05 */
	assert_true(test.smallest > 0.15);
}

static void constants(void **state)
{
	static const double zero[10] = { 0 }, one[] = { 1, 1, 1, 1, 1, 1, 1, 1, 1, 1 };
	static const double once[] = { 0, 0, 0, 0, 0, 1, 0, 0, 0, 0 };
	struct gate_test test = judged(one, 10, one, 10, DIRECTION_LOWER);

	assert_int_equal(test.verdict, VERDICT_NO_CHANGE);
	assert_close(test.rank.p, 1, 0);
	assert_int_equal(judged(zero, 10, zero, 10, DIRECTION_LOWER).verdict, VERDICT_NO_CHANGE);
	assert_int_equal(judged(zero, 10, once, 10, DIRECTION_LOWER).verdict, VERDICT_NO_CHANGE);
	test = judged(zero, 10, one, 10, DIRECTION_LOWER);
	assert_int_equal(test.verdict, VERDICT_REGRESSION);
	assert_true(isinf(test.change) && isnan(test.ratio.ratio));
	test = judged(one, 10, zero, 10, DIRECTION_LOWER);
	assert_int_equal(test.verdict, VERDICT_IMPROVEMENT);
	assert_close(test.change, -1, 0);
}

/* Two levels, as of a guest that lands on this or that node: only how often each comes differs. */
static void two_levels(void **state)
{
	static const double even[] = { 100, 100, 100, 100, 100, 130, 130, 130, 130, 130 };
	static const double rare[] = { 100, 130, 100, 130, 100, 130, 100, 130, 130, 100 };
	static const double high[] = { 130, 130, 130, 130, 130, 130, 130, 130, 130, 130 };
	struct gate_test test = judged(even, 10, rare, 10, DIRECTION_LOWER);

	assert_int_equal(test.verdict, VERDICT_INCONCLUSIVE);
	test = judged(even, 10, high, 10, DIRECTION_LOWER); /* p 0.03: may be chance */
	assert_int_equal(test.verdict, VERDICT_INCONCLUSIVE);
	test = judged(steady, 10, high, 10, DIRECTION_LOWER);
	assert_int_equal(test.verdict, VERDICT_REGRESSION);
}

static void negative_values_have_a_size(void **state)
{
	static const double base[] = { -1, -1.01, -0.99, -1, -1.02, -0.98 };
	static const double more[] = { -0.5, -0.51, -0.49, -0.5, -0.52, -0.48 };
	struct gate_test test = judged(base, 6, more, 6, DIRECTION_LOWER);

	assert_int_equal(test.verdict, VERDICT_REGRESSION);
	assert_close(test.change, 0.5, 0.01);
}

/* --- how often it is wrong --- */

struct rates {
	double regression, improvement, inconclusive, significant;
};

static struct rates simulate(size_t boots, double cv, double shift, uint64_t seed)
{
	struct rates rates = { 0 };
	struct prng prng;

	prng_seed(&prng, seed);
	for (size_t set = 0; set < NR_SETS; set++) {
		double base[MAX_BOOTS], value[MAX_BOOTS];
		struct gate_test test;

		for (size_t i = 0; i < boots; i++) {
			base[i] = 1000 * (1 + cv * prng_normal(&prng));
			value[i] = 1000 * (1 + shift + cv * prng_normal(&prng));
		}
		test = judged(base, boots, value, boots, DIRECTION_LOWER);
		rates.regression += test.verdict == VERDICT_REGRESSION;
		rates.improvement += test.verdict == VERDICT_IMPROVEMENT;
		rates.inconclusive += test.verdict == VERDICT_INCONCLUSIVE;
		rates.significant += test.rank.p < GATE_ALPHA;
	}
	rates.regression /= NR_SETS;
	rates.improvement /= NR_SETS;
	rates.inconclusive /= NR_SETS;
	rates.significant /= NR_SETS;
	return rates;
}

static void false_alarms_are_rare(void **state)
{
	for (int percent = 1; percent <= 5; percent++) {
		struct rates rates = simulate(10, percent / 100.0, 0, (uint64_t)percent);

		print_message("A/A, CV %d %%: %.2f %% alarms, %.2f %% improvements, "
			      "%.1f %% inconclusive\n",
			      percent, 100 * rates.regression, 100 * rates.improvement,
			      100 * rates.inconclusive);
		/* As noisy as can be settled with 10 boots. */
		assert_true(percent > 2 || rates.inconclusive <= 0.05);
		assert_true(rates.regression <= 0.01);
		assert_true(rates.significant <= 0.015); /* nominal 1 %, within chance */
	}
}

/* Ranks do not care what the boots are drawn from: two levels, a long tail, whole numbers. */
static double draw(struct prng *prng, unsigned int kind)
{
	if (kind == 0)
		return prng_below(prng, 3) ? 100 + prng_normal(prng) : 130 + prng_normal(prng);
	if (kind == 1)
		return 100 * exp(0.5 * prng_normal(prng));
	return round(100 + 1.5 * prng_normal(prng));
}

static void no_more_alarms_for_any_distribution(void **state)
{
	for (unsigned int kind = 0; kind < 3; kind++) {
		unsigned int alarms = 0, significant = 0;
		struct prng prng;

		prng_seed(&prng, 400 + kind);
		for (size_t set = 0; set < NR_SETS; set++) {
			double base[10], value[10];
			struct gate_test test;

			for (size_t i = 0; i < 10; i++) {
				base[i] = draw(&prng, kind);
				value[i] = draw(&prng, kind);
			}
			test = judged(base, 10, value, 10, DIRECTION_HIGHER);
			alarms += test.verdict == VERDICT_REGRESSION;
			significant += test.rank.p < GATE_ALPHA;
		}
		print_message("A/A of distribution %u: %u alarms in %d\n", kind, alarms, NR_SETS);
		assert_in_range(alarms, 0, NR_SETS / 100);
		assert_in_range(significant, 0, NR_SETS * 3 / 200);
	}
}

/* A comparison has many metrics; it is the whole that must not raise an alarm. */
static void many_metrics_raise_no_more_alarms(void **state)
{
	static double base[20][10], value[20][10];
	struct gate_test tests[20];
	unsigned int alarms = 0;
	struct prng prng;

	prng_seed(&prng, 300);
	for (size_t set = 0; set < NR_SETS / 4; set++) {
		bool alarm = false;

		for (size_t t = 0; t < 20; t++) {
			for (size_t i = 0; i < 10; i++) {
				base[t][i] = 1000 + 50 * prng_normal(&prng);
				value[t][i] = 1000 + 50 * prng_normal(&prng);
			}
			tests[t] = test_of(base[t], 10, value[t], 10, DIRECTION_LOWER);
		}
		gate_run(tests, 20, &options);
		for (size_t t = 0; t < 20; t++)
			alarm |= tests[t].verdict == VERDICT_REGRESSION;
		alarms += alarm;
	}
	print_message("A/A of 20 metrics: %u alarms in %d\n", alarms, NR_SETS / 4);
	assert_in_range(alarms, 0, NR_SETS / 4 / 100);
}

/*
 * The powers that were computed when the gate was designed: U test at 0.01, 2,000 trials each;
 * two such figures differ by 3 % of chance.
 */
static void power_is_as_designed(void **state)
{
	static const struct {
		size_t boots;
		double cv, shift, power;
	} cases[] = {
		{ 6, 0.01, 0.03, 0.92 },  { 6, 0.02, 0.05, 0.80 },  { 8, 0.02, 0.05, 0.94 },
		{ 10, 0.01, 0.03, 1.00 }, { 10, 0.02, 0.03, 0.64 }, { 10, 0.02, 0.05, 0.99 },
		{ 10, 0.03, 0.05, 0.75 }, { 10, 0.05, 0.05, 0.26 }, { 10, 0.05, 0.10, 0.91 },
		{ 15, 0.03, 0.05, 0.94 }, { 20, 0.05, 0.05, 0.65 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct rates rates = simulate(cases[i].boots, cases[i].cv, cases[i].shift, 100 + i);

		print_message("%zu boots, CV %.0f %%, shift %.0f %%: power %.3f, designed %.2f\n",
			      cases[i].boots, 100 * cases[i].cv, 100 * cases[i].shift,
			      rates.regression, cases[i].power);
		assert_true(rates.regression >= cases[i].power - 0.03);
		assert_true(rates.improvement <= 0.001);
	}
}

/* What is said to be seen is seen about as often as is said. */
static void smallest_change_is_seen(void **state)
{
	static const double cvs[] = { 0.01, 0.02, 0.05 };

	for (size_t i = 0; i < ARRAY_SIZE(cvs); i++) {
		double seen = gate_smallest(10, 10, cvs[i], GATE_ALPHA);
		double power = simulate(10, cvs[i], seen, 200 + i).significant;

		print_message("CV %.0f %%: a change of %.2f %% is seen with power %.3f\n",
			      100 * cvs[i], 100 * seen, power);
		assert_true(fabs(power - GATE_POWER) < 0.04);
	}
	assert_true(isinf(gate_smallest(3, 3, 0.01, GATE_ALPHA)));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(adjusted_as_by_r),
		cmocka_unit_test(direction_decides_what_is_worse),
		cmocka_unit_test(below_the_floor_is_no_regression),
		cmocka_unit_test(suspects_are_not_acquitted),
		cmocka_unit_test(too_few_boots_for_any_verdict),
		cmocka_unit_test(many_tests_need_more_boots),
		cmocka_unit_test(noise_is_inconclusive),
		cmocka_unit_test(constants),
		cmocka_unit_test(two_levels),
		cmocka_unit_test(negative_values_have_a_size),
		cmocka_unit_test(false_alarms_are_rare),
		cmocka_unit_test(many_metrics_raise_no_more_alarms),
		cmocka_unit_test(no_more_alarms_for_any_distribution),
		cmocka_unit_test(power_is_as_designed),
		cmocka_unit_test(smallest_change_is_seen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
