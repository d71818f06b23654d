// SPDX-License-Identifier: GPL-2.0-only
/* A small generator of random numbers, and the bootstrap drawn with it. */
#include "harness/bootstrap.h"

#include <math.h>
#include <string.h>

#include "harness/stats.h"
#include "harness/util.h"

static uint64_t splitmix64(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15ULL;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

void prng_seed(struct prng *prng, uint64_t seed)
{
	for (size_t i = 0; i < ARRAY_SIZE(prng->state); i++)
		prng->state[i] = splitmix64(&seed);
}

static uint64_t rotate_left(uint64_t value, int bits)
{
	return value << bits | value >> (64 - bits);
}

uint64_t prng_next(struct prng *prng)
{
	uint64_t *s = prng->state, result = rotate_left(s[1] * 5, 7) * 9, t = s[1] << 17;

	s[2] ^= s[0];
	s[3] ^= s[1];
	s[1] ^= s[2];
	s[0] ^= s[3];
	s[2] ^= t;
	s[3] = rotate_left(s[3], 45);
	return result;
}

uint32_t prng_below(struct prng *prng, uint32_t bound)
{
	uint32_t unfair = -bound % bound; /* as many values as would be drawn once too often */
	uint64_t product;

	do
		product = (prng_next(prng) >> 32) * bound;
	while ((uint32_t)product < unfair);
	return (uint32_t)(product >> 32);
}

double prng_uniform(struct prng *prng)
{
	return ((double)(prng_next(prng) >> 11) + 0.5) * 0x1p-53;
}

double prng_normal(struct prng *prng)
{
	double radius = sqrt(-2 * log(prng_uniform(prng))); /* Box and Muller */

	return radius * cos(2 * M_PI * prng_uniform(prng));
}

/* The median of a sample drawn again. Of sorted values it is enough to count who was drawn. */
static double redrawn_median(struct prng *prng, const double *sorted, size_t nr, uint32_t *drawn)
{
	size_t seen = 0, i = 0, j;

	memset(drawn, 0, nr * sizeof(*drawn));
	for (size_t d = 0; d < nr; d++)
		drawn[prng_below(prng, (uint32_t)nr)]++;
	while (seen + drawn[i] <= (nr - 1) / 2)
		seen += drawn[i++];
	for (j = i; seen + drawn[j] <= nr / 2; j++)
		seen += drawn[j];
	return sorted[i] / 2 + sorted[j] / 2;
}

void bootstrap_ratio(const double *value, size_t nr_value, const double *base, size_t nr_base,
		     const struct bootstrap_options *options, struct bootstrap_ratio *out)
{
	autofree double *sorted_value = stats_sorted(value, nr_value), *ratios = NULL;
	autofree double *sorted_base = stats_sorted(base, nr_base);
	autofree uint32_t *drawn = NULL;
	struct prng prng;
	size_t nr = 0;

	*out = (struct bootstrap_ratio){ NAN, NAN, NAN };
	if (!nr_value || !nr_base)
		return;
	out->ratio = stats_ratio(stats_median(value, nr_value), stats_median(base, nr_base));
	ratios = xzalloc(options->resamples * sizeof(*ratios));
	drawn = xzalloc((nr_value > nr_base ? nr_value : nr_base) * sizeof(*drawn));
	prng_seed(&prng, options->seed);
	for (unsigned int i = 0; i < options->resamples; i++) {
		double above = redrawn_median(&prng, sorted_value, nr_value, drawn);
		double below = redrawn_median(&prng, sorted_base, nr_base, drawn);
		double ratio = stats_ratio(above, below);

		if (!isnan(ratio))
			ratios[nr++] = ratio;
	}
	if (isnan(out->ratio) || (double)nr < 0.99 * options->resamples)
		return;
	out->low = stats_quantile(ratios, nr, (1 - options->confidence) / 2);
	out->high = stats_quantile(ratios, nr, (1 + options->confidence) / 2);
}
