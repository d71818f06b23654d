// SPDX-License-Identifier: GPL-2.0-only
/* Verdicts on metrics; the rules are in gate.h. */
#include "harness/gate.h"

#include <math.h>

#include "harness/stats.h"
#include "harness/util.h"

static const char *const verdict_names[] = {
	[VERDICT_REGRESSION] = "regression",
	[VERDICT_INCONCLUSIVE] = "inconclusive",
	[VERDICT_IMPROVEMENT] = "improvement",
	[VERDICT_NO_CHANGE] = "no change",
};

const char *verdict_name(enum verdict verdict)
{
	return verdict_names[verdict];
}

double gate_harm(const struct gate_test *test)
{
	return test->direction == DIRECTION_HIGHER ? -test->change : test->change;
}

struct ordered {
	double p;
	size_t place;
};

static int compare_ordered(const void *a, const void *b)
{
	const struct ordered *x = a, *y = b;

	return (x->p > y->p) - (x->p < y->p);
}

void gate_adjust(double *p, size_t nr)
{
	autofree struct ordered *order = xzalloc(nr * sizeof(*order));
	double q = 1;

	for (size_t i = 0; i < nr; i++)
		order[i] = (struct ordered){ p[i], i };
	qsort(order, nr, sizeof(*order), compare_ordered);
	for (size_t i = nr; i > 0; i--) {
		q = fmin(q, order[i - 1].p * (double)nr / (double)i);
		p[order[i - 1].place] = q;
	}
}

double gate_smallest(size_t nr_base, size_t nr_value, double deviation, double alpha)
{
	double n = (double)nr_base, m = (double)nr_value, freedom = n + m - 2;

	if (!(freedom > 0) || rank_smallest_p(nr_base, nr_value) >= alpha)
		return INFINITY;
	return (stats_t_quantile(1 - alpha / 2, freedom) + stats_t_quantile(GATE_POWER, freedom)) *
	       deviation * sqrt(1 / n + 1 / m) * sqrt(M_PI / 3);
}

/* Relative to the size of what it is a change of. */
static double relative(double change, double of)
{
	if (change == 0)
		return 0;
	return of != 0 ? change / fabs(of) : copysign(INFINITY, change);
}

static double share_of(const struct gate_test *test)
{
	return test->share > 0 ? test->share : 1;
}

static bool enough_boots(const struct gate_test *test, double alpha)
{
	return test->nr_base >= GATE_MIN_BOOTS && test->nr_value >= GATE_MIN_BOOTS &&
	       rank_smallest_p(test->nr_base, test->nr_value) < alpha * share_of(test);
}

static void measure(struct gate_test *test, const struct gate_options *options)
{
	const struct bootstrap_options bootstrap = { GATE_CONFIDENCE, options->resamples,
						     test->seed };

	test->base_median = stats_median(test->base, test->nr_base);
	test->value_median = stats_median(test->value, test->nr_value);
	rank_test(test->value, test->nr_value, test->base, test->nr_base, &test->rank);
	test->confidence = 1 - (1 - GATE_CONFIDENCE) * share_of(test);
	rank_shift(test->value, test->nr_value, test->base, test->nr_base, test->confidence,
		   &test->shift);
	bootstrap_ratio(test->value, test->nr_value, test->base, test->nr_base, &bootstrap,
			&test->ratio);
	test->change = relative(test->shift.shift, test->base_median);
	test->low = relative(test->shift.low, test->base_median);
	test->high = relative(test->shift.high, test->base_median);
	test->q = NAN;
	test->smallest = NAN;
	test->boots_needed = 0;
}

/* Returns how many tests there are. */
static size_t adjust(struct gate_test *tests, size_t nr, double alpha)
{
	autofree double *p = xzalloc(nr * sizeof(*p));
	size_t nr_tests = 0;

	for (size_t i = 0; i < nr; i++)
		if (enough_boots(&tests[i], alpha))
			p[nr_tests++] = fmin(1, tests[i].rank.p / share_of(&tests[i]));
	gate_adjust(p, nr_tests);
	for (size_t i = 0, t = 0; i < nr; i++)
		if (enough_boots(&tests[i], alpha))
			tests[i].q = p[t++];
	return nr_tests;
}

/* Over both sides, each around its own mean; relative. */
static double spread(const struct gate_test *test)
{
	double n = (double)test->nr_base, m = (double)test->nr_value;
	double a = stats_deviation(test->base, test->nr_base);
	double b = stats_deviation(test->value, test->nr_value);

	if (test->nr_base < 2 || test->nr_value < 2)
		return NAN;
	return relative(sqrt(((n - 1) * a * a + (m - 1) * b * b) / (n + m - 2)), test->base_median);
}

/* More than what is always there, and perhaps more than chance: not to be called no change. */
static bool is_suspect(const struct gate_test *test)
{
	return test->q * share_of(test) < GATE_SUSPECT && fabs(test->change) > test->floor;
}

/* If things stayed as they are, would this many boots a side give a verdict? */
static bool would_settle(const struct gate_test *test, size_t nr, double deviation, double alpha)
{
	double half = stats_normal_quantile((1 + test->confidence) / 2) * deviation *
		      sqrt(2 / (double)nr) * sqrt(M_PI / 3);
	double change = fabs(test->change);

	if (rank_smallest_p(nr, nr) >= alpha)
		return false;
	if (!isfinite(change) || !isfinite(deviation))
		return true; /* more is not known */
	if (change > test->floor && gate_smallest(nr, nr, deviation, alpha) <= change)
		return true;
	return !is_suspect(test) && change + half <= test->margin;
}

static size_t boots_needed(const struct gate_test *test, double deviation, double alpha)
{
	size_t low = GATE_MIN_BOOTS, high = GATE_MAX_BOOTS + 1;

	while (low < high) { /* more boots never settle less */
		size_t middle = low + (high - low) / 2;

		if (would_settle(test, middle, deviation, alpha))
			high = middle;
		else
			low = middle + 1;
	}
	return low > GATE_MAX_BOOTS ? 0 : low;
}

static enum verdict judge(const struct gate_test *test, double alpha)
{
	bool within = test->low >= -test->margin && test->high <= test->margin;

	if (test->q < alpha && fabs(test->change) > test->floor)
		return gate_harm(test) > 0 ? VERDICT_REGRESSION : VERDICT_IMPROVEMENT;
	if (!isnan(test->q) && within && !is_suspect(test))
		return VERDICT_NO_CHANGE;
	return VERDICT_INCONCLUSIVE;
}

void gate_run(struct gate_test *tests, size_t nr, const struct gate_options *options)
{
	double alone; /* the level a single change among all tests has to reach */
	size_t nr_tests;

	for (size_t i = 0; i < nr; i++)
		measure(&tests[i], options);
	nr_tests = adjust(tests, nr, options->alpha);
	alone = options->alpha / (double)(nr_tests ? nr_tests : 1);
	for (size_t i = 0; i < nr; i++) {
		struct gate_test *test = &tests[i];
		double deviation = spread(test), seen, level = alone * share_of(test);

		test->verdict = judge(test, options->alpha);
		seen = gate_smallest(test->nr_base, test->nr_value, deviation, level);
		test->smallest = isfinite(seen) ? fmax(seen, test->floor) : NAN;
		if (test->verdict == VERDICT_INCONCLUSIVE)
			test->boots_needed = boots_needed(test, deviation, level);
	}
}
