// SPDX-License-Identifier: GPL-2.0-only
/* Noise floors and false alarms from boots between which nothing has changed: pure maths. */
#include "harness/calibrate.h"

#include <math.h>
#include <string.h>

#include "harness/floors.h"
#include "harness/gate.h"
#include "harness/stats.h"
#include "harness/util.h"

/* Boots of each half of a split; 0: too few for a verdict. */
static size_t half(const struct pool *pool)
{
	size_t nr = pool->nr / 2 < CALIBRATE_SIDE ? pool->nr / 2 : CALIBRATE_SIDE;

	return nr < GATE_MIN_BOOTS ? 0 : nr;
}

/*
 * Two halves in random order, in to. Metrics of one cell with as many boots are split alike: what
 * hangs together in a boot stays together.
 */
static void split(const struct pool *pool, uint64_t seed, unsigned int number, double *to)
{
	uint64_t hash = fnv1a(FNV1A_INIT, &seed, sizeof(seed));
	struct prng prng;

	hash = fnv1a(hash, &number, sizeof(number));
	prng_seed(&prng, fnv1a(hash, pool->cell, strlen(pool->cell)));
	memcpy(to, pool->values, pool->nr * sizeof(*to));
	for (size_t i = 0; i < 2 * half(pool); i++) {
		size_t with = i + prng_below(&prng, (uint32_t)(pool->nr - i));
		double value = to[i];

		to[i] = to[with];
		to[with] = value;
	}
}

/* Infinite where the median is 0. */
static double change(const double *base, const double *value, size_t nr)
{
	double median = fabs(stats_median(base, nr));
	struct rank_shift shift;

	rank_shift(value, nr, base, nr, GATE_CONFIDENCE, &shift);
	if (shift.shift == 0)
		return 0;
	return median > 0 ? fabs(shift.shift) / median : INFINITY;
}

void calibrate_floor(struct pool *pool, uint64_t seed)
{
	double changes[CALIBRATE_SPLITS];
	autofree double *values = xzalloc((pool->nr + 1) * sizeof(*values));
	size_t nr = half(pool);

	pool->floor = NAN;
	if (!nr)
		return;
	for (unsigned int i = 0; i < CALIBRATE_SPLITS; i++) {
		split(pool, seed, i, values);
		/* Finite: quantiles between a number and infinity are none. */
		changes[i] = fmin(change(values, values + nr, nr), 1);
	}
	pool->floor =
		fmax(stats_quantile(changes, CALIBRATE_SPLITS, CALIBRATE_QUANTILE), pool->between);
	pool->floor = fmin(fmax(pool->floor, CALIBRATE_FLOOR_MIN), CALIBRATE_FLOOR_MAX);
}

/* A metric's floor is that of its noisiest cell. */
static double floor_of(const struct pools *pools, const char *metric)
{
	double floor = CALIBRATE_FLOOR_MIN;

	for (size_t i = 0; i < pools->nr; i++)
		if (!strcmp(pools->items[i].metric, metric))
			floor = fmax(floor, pools->items[i].floor); /* of a number and NAN: that */
	return floor;
}

static struct alarm_rate rate_of(unsigned int alarms, unsigned int splits)
{
	double z = stats_normal_quantile(0.975), n = splits, p = alarms / n;
	double middle = (p + z * z / (2 * n)) / (1 + z * z / n);
	double width = z / (1 + z * z / n) * sqrt(p * (1 - p) / n + z * z / (4 * n * n));

	return (struct alarm_rate){ alarms, splits, fmax(0, middle - width),
				    fmin(1, middle + width) };
}

struct alarm_rate calibrate_alarms(const struct pools *pools, bool floors, uint64_t seed)
{
	const struct gate_options options = { .alpha = GATE_ALPHA };
	autofree struct gate_test *tests = xzalloc((pools->nr + 1) * sizeof(*tests));
	autofree double **values = xzalloc((pools->nr + 1) * sizeof(*values));
	unsigned int alarms = 0;
	size_t nr = 0;

	for (unsigned int s = 0; s < CALIBRATE_SPLITS; s++) {
		bool alarm = false;

		nr = 0;
		for (size_t i = 0; i < pools->nr; i++) {
			const struct pool *pool = &pools->items[i];
			double floor = floors ? floor_of(pools, pool->metric) : FLOOR_DEFAULT;

			if (isnan(pool->floor))
				continue;
			if (!values[nr])
				values[nr] = xzalloc(pool->nr * sizeof(double));
			split(pool, seed, s, values[nr]);
			tests[nr] = (struct gate_test){ .base = values[nr],
							.value = values[nr] + half(pool),
							.nr_base = half(pool),
							.nr_value = half(pool),
							.direction = pool->direction,
							.floor = floor,
							.margin = fmax(floor, MARGIN_DEFAULT) };
			nr++;
		}
		gate_run(tests, nr, &options);
		for (size_t i = 0; i < nr; i++)
			alarm |= tests[i].verdict == VERDICT_REGRESSION;
		alarms += alarm;
	}
	for (size_t i = 0; i < nr; i++)
		free(values[i]);
	return rate_of(alarms, CALIBRATE_SPLITS);
}
