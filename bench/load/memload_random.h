/* SPDX-License-Identifier: GPL-2.0-only */
/* Random numbers and the distributions of sizes, keys and arrivals. */
#ifndef MEMLOAD_RANDOM_H
#define MEMLOAD_RANDOM_H

#include <stdbool.h>
#include <stdint.h>

struct rng {
	uint64_t state;
};

/* A bijection of 64 bits in which each bit of x changes half of the result's (splitmix64). */
static inline uint64_t mix64(uint64_t x)
{
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
	return x ^ (x >> 31);
}

static inline uint64_t rng_next(struct rng *rng)
{
	rng->state += 0x9e3779b97f4a7c15ULL;
	return mix64(rng->state);
}

/* Greater than 0 and less than 1: safe to take the logarithm of. */
static inline double rng_unit(struct rng *rng)
{
	return ((double)(rng_next(rng) >> 12) + 0.5) * 0x1p-52;
}

static inline uint32_t rng_below(struct rng *rng, uint32_t limit)
{
	return (uint32_t)(((rng_next(rng) >> 32) * limit) >> 32);
}

enum dist_kind { DIST_FIXED, DIST_UNIFORM, DIST_NORMAL, DIST_GPARETO, DIST_GEV, DIST_ETC_VALUE };

/* The parameters in the order in which they are written; see dist_parse(). */
struct dist {
	enum dist_kind kind;
	double a, b, c;
};

/* "fixed:N", "uniform:A-B", "normal:MEAN,SD", "gpareto:LOC,SCALE,SHAPE", "gev:LOC,SCALE,SHAPE" */
bool dist_parse(const char *text, struct dist *dist);
/* Rounded to a whole number and clamped to min and max. */
uint32_t dist_draw(const struct dist *dist, struct rng *rng, uint32_t min, uint32_t max);

/* Sizes of Facebook's ETC pool. */
struct dist dist_etc_key(void);
struct dist dist_etc_value(void);

/* Ranks 0 to n - 1, rank r with a probability in proportion to 1 / (r + 1)^theta. */
struct zipf {
	double theta, n, s, at_first, at_last;
};

void zipf_init(struct zipf *zipf, uint32_t n, double theta);
uint32_t zipf_draw(const struct zipf *zipf, struct rng *rng);

#endif
