// SPDX-License-Identifier: GPL-2.0-only
/* Change points of made-up series with known answers; Student's t test; suspicion. */
#include "tests/close.h"

#include "harness/bootstrap.h"
#include "harness/edivisive.h"
#include "harness/suspect.h"
#include "harness/ttest.h"
#include "harness/util.h"

#define MAX 400
static const struct edivisive_options usual = { EDIVISIVE_WEAK_P, EDIVISIVE_P, 0.02 };

/* Around 1000, from the place on by the step (relative) off. */
static void make_step(struct prng *prng, double *values, size_t nr, double cv, size_t place,
		      double step)
{
	for (size_t i = 0; i < nr; i++)
		values[i] = 1000 * (1 + cv * prng_normal(prng)) * (i >= place ? 1 + step : 1);
}

static size_t count(const double *values, size_t nr)
{
	struct change_point *points;
	size_t found = edivisive(values, nr, &usual, &points);

	free(points);
	return found;
}

static void assert_one_point(const double *values, size_t nr, size_t place, size_t slack)
{
	struct change_point *points;
	size_t found = edivisive(values, nr, &usual, &points);

	if (found != 1)
		fail_msg("%zu points, not 1 at %zu", found, place);
	assert_in_range(points[0].index + slack, place, place + 2 * slack);
	free(points);
}

/* t.test(x, y, var.equal = TRUE) and 2 * pt(-t, f) in R 4.2. */
static void t_test_as_in_r(void **state)
{
	static const double x[] = { 5.1, 4.9, 5.6, 5.8, 6.1 }, y[] = { 6.2, 6.8, 6.1, 7.1 };
	static const double same[] = { 3, 3, 3 }, other[] = { 4, 4, 4 };
	struct ttest test;

	assert_close(ttest_p(2, 10), 0.07338803477074037, 1e-14);
	assert_close(ttest_p(-5, 3), 0.01539243807330230, 1e-14);
	assert_close(ttest_p(0.1, 200), 0.9204444925043, 1e-12);
	assert_close(ttest_p(30, 4) / 7.352856097661e-06, 1, 1e-9);
	assert_close(ttest_p(8, 98) / 2.536943394094e-12, 1, 1e-9);
	assert_close(ttest_p(0, 5), 1, 0);
	assert_close(ttest_p(INFINITY, 5), 0, 0);
	assert_true(isnan(ttest_p(NAN, 5)));
	ttest(x, 5, y, 4, &test);
	assert_close(test.mean_x, 5.5, 1e-14);
	assert_close(test.mean_y, 6.55, 1e-14);
	assert_close(test.t, -3.204599987182, 1e-11);
	assert_close(test.p, 0.01496987160029, 1e-13);
	ttest(same, 3, other, 3, &test);
	assert_close(test.p, 0, 0);
	ttest(same, 3, same, 3, &test);
	assert_close(test.p, 1, 0);
	ttest(same, 1, other, 1, &test);
	assert_true(isnan(test.p));
}

/* Wherever the step is, windows or not; and means and change are those of both sides. */
static void a_step_is_found_wherever_it_is(void **state)
{
	struct change_point *points;
	struct prng prng;
	double values[MAX];

	prng_seed(&prng, 1);
	for (size_t place = 10; place <= 220; place++) {
		make_step(&prng, values, 230, 0.004, place, -0.05);
		assert_one_point(values, 230, place, 1);
	}
	make_step(&prng, values, 60, 1e-9, 40, -0.1);
	assert_int_equal(edivisive(values, 60, &usual, &points), 1);
	assert_int_equal(points[0].index, 40);
	assert_close(points[0].before, 1000, 1e-4);
	assert_close(points[0].after, 900, 1e-4);
	assert_close(points[0].change, -0.1, 1e-6);
	assert_true(points[0].p < 1e-20);
	free(points);
}

/* Three nights are a level, fewer are not, at the end or in the middle. */
static void spikes_are_no_changes(void **state)
{
	struct prng prng;
	double values[MAX];

	prng_seed(&prng, 2);
	for (size_t place = 12; place < 100; place++) {
		make_step(&prng, values, 100, 0.005, 100, 0);
		values[place] *= 2;
		assert_int_equal(count(values, 100), 0);
		values[place - 1] *= 2;
		assert_int_equal(count(values, 100), 0);
	}
	make_step(&prng, values, 60, 0.005, 57, 0.1);
	assert_one_point(values, 60, 57, 0);
	make_step(&prng, values, 60, 0.005, 58, 0.1);
	assert_int_equal(count(values, 60), 0);
}

static void up_and_down_again(void **state)
{
	struct change_point *points;
	struct prng prng;
	double values[MAX];

	prng_seed(&prng, 3);
	make_step(&prng, values, 200, 0.01, 80, 0.08);
	for (size_t i = 120; i < 200; i++)
		values[i] /= 1.08;
	assert_int_equal(edivisive(values, 200, &usual, &points), 2);
	assert_in_range(points[0].index, 79, 81);
	assert_in_range(points[1].index, 119, 121);
	assert_true(points[0].change > 0.06 && points[1].change < -0.06);
	free(points);
}

static void values_that_do_not_vary(void **state)
{
	double values[MAX];

	for (size_t i = 0; i < 100; i++)
		values[i] = 4096;
	assert_int_equal(count(values, 100), 0);
	for (size_t i = 60; i < 100; i++)
		values[i] = 8192;
	assert_one_point(values, 100, 60, 0);
	for (size_t i = 60; i < 100; i++)
		values[i] = 4100; /* certain, but 0.1 % */
	assert_int_equal(count(values, 100), 0);
	for (size_t i = 0; i < 100; i++)
		values[i] = i < 60 ? 0 : 3; /* of nothing, any change is infinite */
	assert_one_point(values, 100, 60, 0);
	for (size_t i = 0; i < 100; i++)
		values[i] = i < 60 ? 1.5e308 : 1.7e308;
	assert_one_point(values, 100, 60, 0);
	assert_int_equal(count(values, 0), 0);
	assert_int_equal(count(values, 1), 0);
	assert_int_equal(count(values, 5), 0);
}

/* Few values, most of them equal; and two modes that come and go by chance. */
static void tied_and_bimodal_values(void **state)
{
	size_t tied = 0, bimodal = 0;
	struct prng prng;
	double values[MAX];

	prng_seed(&prng, 4);
	for (int s = 0; s < 500; s++) {
		for (size_t i = 0; i < 60; i++)
			values[i] = 100 + prng_below(&prng, 4);
		tied += count(values, 60) > 0;
		for (size_t i = 0; i < 60; i++)
			values[i] =
				(prng_below(&prng, 10) < 3 ? 1100 : 1000) + 5 * prng_normal(&prng);
		bimodal += count(values, 60) > 0;
	}
	assert_in_range(tied, 0, 20);
	assert_in_range(bimodal, 0, 20);
}

/* A drift ends at another level: it is found, in its direction only. */
static void drift_is_found(void **state)
{
	struct change_point *points;
	struct prng prng;
	double values[MAX];
	size_t nr;

	prng_seed(&prng, 5);
	for (int s = 0; s < 50; s++) {
		for (size_t i = 0; i < 100; i++)
			values[i] = (1000 - 1.5 * (double)i) * (1 + 0.01 * prng_normal(&prng));
		nr = edivisive(values, 100, &usual, &points);
		assert_true(nr > 0);
		for (size_t i = 0; i < nr; i++)
			assert_true(points[i].change < 0);
		free(points);
	}
}

/* The same values give the same points, in any unit. */
static void no_chance_is_in_it(void **state)
{
	struct change_point *a, *b;
	struct prng prng;
	double values[MAX], scaled[MAX];
	size_t nr;

	prng_seed(&prng, 6);
	make_step(&prng, values, MAX, 0.05, 200, 0.1);
	for (size_t i = 0; i < MAX; i++)
		scaled[i] = values[i] * 1e-9;
	nr = edivisive(values, MAX, &usual, &a);
	assert_true(nr > 0);
	assert_int_equal(edivisive(scaled, MAX, &usual, &b), nr);
	for (size_t i = 0; i < nr; i++) {
		assert_int_equal(a[i].index, b[i].index);
		assert_close(a[i].change, b[i].change, 1e-9);
	}
	free(a);
	free(b);
}

/*
 * Pure noise, 60 nights: the rate of series in which any of the 60 nights is a change point at
 * p < 0.001. It is looked for at every place, so it is more than 0.001.
 */
static void false_alarms_on_noise(void **state)
{
	static const double cvs[] = { 0.01, 0.02, 0.03, 0.05 };
	struct prng prng;
	double values[MAX];

	prng_seed(&prng, 7);
	for (size_t c = 0; c < ARRAY_SIZE(cvs); c++) {
		size_t any = 0;

		for (int s = 0; s < 2000; s++) {
			make_step(&prng, values, 60, cvs[c], 60, 0);
			any += count(values, 60) > 0;
		}
		assert_in_range(any, 0, 60); /* 3 % */
	}
}

/* Nights until a step after 25 nights is seen, of most series: as in the reference's table. */
static void power_by_nights(void **state)
{
	static const struct {
		double cv, step;
		size_t nights, percent; /* seen within so many nights in so many series */
	} cases[] = {
		{ 0.01, 0.03, 3, 50 }, { 0.01, 0.03, 5, 90 }, { 0.02, 0.05, 3, 50 },
		{ 0.02, 0.05, 5, 85 }, { 0.02, 0.03, 8, 50 }, { 0.03, 0.05, 6, 50 },
		{ 0.05, 0.10, 4, 50 }, { 0.02, 0.10, 3, 90 }, { 0.05, 0.05, 20, 45 },
	};
	struct prng prng;
	double values[MAX];

	prng_seed(&prng, 8);
	for (size_t c = 0; c < ARRAY_SIZE(cases); c++) {
		size_t seen = 0;

		for (int s = 0; s < 400; s++) {
			struct change_point *points;
			size_t nr;

			make_step(&prng, values, 25 + cases[c].nights, cases[c].cv, 25,
				  cases[c].step);
			nr = edivisive(values, 25 + cases[c].nights, &usual, &points);
			seen += nr && points[nr - 1].index >= 20 && points[nr - 1].change > 0;
			free(points);
		}
		if (seen * 100 < 400 * cases[c].percent)
			fail_msg("case %zu: seen in %zu of 400", c, seen);
	}
}

static double suspicion(const double *values, size_t nr, double newest)
{
	struct suspect test;

	suspect_test(values, nr, newest, &test);
	return test.p;
}

static void suspicion_is_robust(void **state)
{
	struct prng prng;
	double values[MAX];

	prng_seed(&prng, 9);
	make_step(&prng, values, 30, 0.01, 30, 0);
	assert_true(suspicion(values, 30, 950) < 1e-3);
	assert_true(suspicion(values, 30, 1002) > 0.5);
	assert_true(isnan(suspicion(values, SUSPECT_MIN - 1, 950)));
	values[11] = 3000; /* a spike neither hides a change, nor is it seen anew */
	assert_true(suspicion(values, 30, 950) < 1e-3);
	assert_close(suspicion(values, 30, 2900), 1, 0);
	for (size_t i = 0; i < 30; i++)
		values[i] = (i % 3 ? 1000 : 1100) + prng_normal(&prng); /* two modes */
	assert_true(suspicion(values, 30, 1100) > 0.01);
	for (size_t i = 0; i < 30; i++)
		values[i] = i % 5 ? 0 : 1; /* most are equal */
	assert_true(suspicion(values, 30, 2) > 1e-5);
	for (size_t i = 0; i < 30; i++)
		values[i] = 4096;
	assert_close(suspicion(values, 30, 8192), 0, 0);
	assert_close(suspicion(values, 30, 4096), 1, 0);
}

/* Of noise, p < 0.01 and p < 0.001 are no more frequent than they say, short series or long. */
static void suspicion_is_calibrated(void **state)
{
	static const size_t sizes[] = { 10, 14, 30, 50 };
	struct prng prng;
	double values[MAX];

	prng_seed(&prng, 10);
	for (size_t n = 0; n < ARRAY_SIZE(sizes); n++) {
		size_t hundredth = 0, thousandth = 0;

		for (int s = 0; s < 20000; s++) {
			make_step(&prng, values, sizes[n] + 1, 0.02, MAX, 0);
			double p = suspicion(values, sizes[n], values[sizes[n]]);

			hundredth += p < 0.01;
			thousandth += p < 0.001;
		}
		assert_in_range(hundredth, 100, 250); /* 200 */
		assert_in_range(thousandth, 2, 40);   /* 20 */
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(t_test_as_in_r),
		cmocka_unit_test(a_step_is_found_wherever_it_is),
		cmocka_unit_test(spikes_are_no_changes),
		cmocka_unit_test(up_and_down_again),
		cmocka_unit_test(values_that_do_not_vary),
		cmocka_unit_test(tied_and_bimodal_values),
		cmocka_unit_test(drift_is_found),
		cmocka_unit_test(no_chance_is_in_it),
		cmocka_unit_test(false_alarms_on_noise),
		cmocka_unit_test(power_by_nights),
		cmocka_unit_test(suspicion_is_robust),
		cmocka_unit_test(suspicion_is_calibrated),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
