// SPDX-License-Identifier: GPL-2.0-only
/* The load tools' histogram against exact quantiles of the sorted values. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdlib.h>

#include "bench/load/histogram.h"

#define COUNT 20000U
#define BOUND (1.0 / 128)
#define LARGEST ((1ULL << 42) - 1)

static uint64_t state64;

static double random_unit(void)
{
	state64 = state64 * 6364136223846793005ULL + 1442695040888963407ULL;
	return ((double)(state64 >> 11) + 0.5) / 9007199254740992.0;
}

static uint64_t constant(void)
{
	return 123456789;
}

static uint64_t small(void)
{
	return (uint64_t)(random_unit() * 300);
}

static uint64_t uniform(void)
{
	return (uint64_t)(random_unit() * 1e9);
}

static uint64_t exponential(void)
{
	return (uint64_t)(-log(random_unit()) * 50e3);
}

static uint64_t heavy_tail(void)
{
	return (uint64_t)fmin(1000 * pow(random_unit(), -1.2), (double)LARGEST);
}

static uint64_t two_modes(void)
{
	return random_unit() < 0.99 ? 40000 + small() : 900000000 + small();
}

static int compare(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* cmocka's own compares floats. */
static void assert_close(double got, double want, double epsilon)
{
	assert_true(fabs(got - want) <= epsilon);
}

static void assert_near(double got_s, double want_ns)
{
	assert_true(fabs(got_s * 1e9 - want_ns) <= want_ns * BOUND + 1e-6);
}

/* The smallest value that at least q of all do not exceed, straight from that definition. */
static uint64_t exact(const uint64_t *sorted, unsigned int count, unsigned int per_mille)
{
	for (unsigned int i = 0; i < count; i++) {
		if ((uint64_t)(i + 1) * 1000 >= (uint64_t)per_mille * count)
			return sorted[i];
	}
	return sorted[count - 1];
}

static void check_against(uint64_t (*draw)(void))
{
	static const unsigned int per_mille[] = {
		0, 1, 70, 250, 500, 750, 900, 950, 990, 999, 1000
	};
	static uint64_t values[COUNT];
	struct histogram *h = histogram_new();
	double sum = 0;

	for (unsigned int i = 0; i < COUNT; i++) {
		values[i] = draw();
		sum += (double)values[i];
		histogram_add(h, values[i]);
	}
	qsort(values, COUNT, sizeof(*values), compare);
	for (size_t i = 0; i < sizeof(per_mille) / sizeof(*per_mille); i++)
		assert_near(histogram_quantile_s(h, per_mille[i] / 1000.0),
			    (double)exact(values, COUNT, per_mille[i]));
	assert_int_equal(histogram_count(h), COUNT);
	assert_close(histogram_mean_s(h), sum / COUNT / 1e9, 1e-9 * sum / COUNT / 1e9);
	assert_close(histogram_max_s(h), (double)values[COUNT - 1] / 1e9, 1e-12);
	histogram_free(h);
}

static void quantiles_of_distributions(void **state)
{
	check_against(constant);
	check_against(small);
	check_against(uniform);
	check_against(exponential);
	check_against(heavy_tail);
	check_against(two_modes);
}

/* Every power of two and its neighbours, where a wrong bucket would show. */
static void bound_over_the_whole_range(void **state)
{
	struct histogram *h = histogram_new();

	for (unsigned int bit = 0; bit < 42; bit++) {
		for (int64_t off = -1; off <= 1; off++) {
			uint64_t value = (1ULL << bit) + (uint64_t)off;

			histogram_reset(h);
			histogram_add(h, value);
			histogram_add(h, LARGEST); /* or the quantile would be the exact maximum */
			assert_near(histogram_quantile_s(h, 0.5), (double)value);
		}
	}
	histogram_free(h);
}

static void below_256_ns_exactly(void **state)
{
	struct histogram *h = histogram_new();

	for (uint64_t value = 0; value < 256; value++) {
		histogram_reset(h);
		histogram_add(h, value);
		histogram_add(h, 1000);
		assert_close(histogram_quantile_s(h, 0.5) * 1e9, (double)value, 1e-6);
	}
	histogram_free(h);
}

static void merge_is_as_if_added(void **state)
{
	struct histogram *all = histogram_new(), *a = histogram_new(), *b = histogram_new();

	for (unsigned int i = 0; i < COUNT; i++) {
		uint64_t value = i % 3 ? exponential() : two_modes();

		histogram_add(all, value);
		histogram_add(i % 3 ? a : b, value);
	}
	histogram_merge(a, b);
	assert_int_equal(histogram_count(a), histogram_count(all));
	for (unsigned int i = 0; i <= 2000; i++)
		assert_close(histogram_quantile_s(a, i / 2000.0),
			     histogram_quantile_s(all, i / 2000.0), 0);
	assert_close(histogram_mean_s(a), histogram_mean_s(all), 1e-15);
	assert_close(histogram_max_s(a), histogram_max_s(all), 0);
	histogram_free(all);
	histogram_free(a);
	histogram_free(b);
}

static void empty_and_after_reset(void **state)
{
	struct histogram *h = histogram_new();

	for (int round = 0; round < 2; round++) {
		assert_int_equal(histogram_count(h), 0);
		assert_true(isnan(histogram_quantile_s(h, 0.5)));
		assert_true(isnan(histogram_mean_s(h)));
		assert_true(isnan(histogram_max_s(h)));
		histogram_add(h, 5);
		assert_int_equal(histogram_count(h), 1);
		assert_true(isnan(histogram_quantile_s(h, 1.01)));
		assert_true(isnan(histogram_quantile_s(h, (double)NAN)));
		histogram_reset(h);
	}
	histogram_free(h);
}

static void huge_values_are_the_largest(void **state)
{
	struct histogram *h = histogram_new();

	histogram_add(h, 1);
	histogram_add(h, LARGEST + 1);
	histogram_add(h, UINT64_MAX);
	assert_int_equal(histogram_count(h), 3);
	assert_close(histogram_max_s(h), (double)LARGEST / 1e9, 1e-9);
	assert_near(histogram_quantile_s(h, 0.5), (double)LARGEST);
	histogram_free(h);
}

/* 99.9 % of a hundred values is all of them. */
static void few_values_give_the_maximum(void **state)
{
	struct histogram *h = histogram_new();

	for (uint64_t i = 1; i <= 100; i++)
		histogram_add(h, i * 1000001);
	assert_close(histogram_quantile_s(h, 0.999), 100 * 1000001 / 1e9, 0);
	assert_near(histogram_quantile_s(h, 0.99), 99 * 1000001);
	assert_near(histogram_quantile_s(h, 0.07), 7 * 1000001);
	histogram_free(h);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(quantiles_of_distributions),
		cmocka_unit_test(bound_over_the_whole_range),
		cmocka_unit_test(below_256_ns_exactly),
		cmocka_unit_test(merge_is_as_if_added),
		cmocka_unit_test(empty_and_after_reset),
		cmocka_unit_test(huge_values_are_the_largest),
		cmocka_unit_test(few_values_give_the_maximum),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
