/* SPDX-License-Identifier: GPL-2.0-only */
/* The bootstrap: how far a statistic moves when the boots are drawn again. */
#ifndef HARNESS_BOOTSTRAP_H
#define HARNESS_BOOTSTRAP_H

#include <stddef.h>
#include <stdint.h>

/* xoshiro256** (Blackman and Vigna 2018), seeded by splitmix64: the same on every machine. */
struct prng {
	uint64_t state[4];
};
void prng_seed(struct prng *prng, uint64_t seed);
uint64_t prng_next(struct prng *prng);
/* Below bound, which is not 0, without bias (Lemire 2019). */
uint32_t prng_below(struct prng *prng, uint32_t bound);
/* In (0, 1), and of the standard normal distribution. */
double prng_uniform(struct prng *prng);
double prng_normal(struct prng *prng);

struct bootstrap_options {
	double confidence;
	unsigned int resamples; /* 0: no interval */
	uint64_t seed;
};

struct bootstrap_ratio {
	double ratio, low, high; /* NAN if the ratio says nothing, see stats_ratio() */
};

/*
 * median(value) / median(base) with its percentile interval (Efron and Tibshirani, An
 * Introduction to the Bootstrap, 13.3): both samples are drawn again, with replacement. The same
 * seed gives the same interval. The interval is NAN without resamples, or if more than a few of
 * them have no ratio.
 */
void bootstrap_ratio(const double *value, size_t nr_value, const double *base, size_t nr_base,
		     const struct bootstrap_options *options, struct bootstrap_ratio *out);

#endif
