// SPDX-License-Identifier: GPL-2.0-only
/*
 * Each power of two is cut into SUB equal buckets: below 2 * SUB a bucket holds one value, above,
 * it is at most 1/SUB of its values wide. A quantile is its bucket's middle: half of that.
 */
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/load/histogram.h"

#define SUB_BITS 7
#define SUB (1U << SUB_BITS)
#define VALUE_BITS 42
#define VALUE_MAX ((1ULL << VALUE_BITS) - 1)
#define BUCKETS ((VALUE_BITS - SUB_BITS + 1) * SUB)

struct histogram {
	uint64_t count;
	uint64_t max;
	double sum; /* 2^64 ns would be full after four million of the largest values */
	uint64_t buckets[BUCKETS];
};

struct histogram *histogram_new(void)
{
	struct histogram *h = calloc(1, sizeof(*h));

	if (!h) {
		fputs("histogram: out of memory\n", stderr);
		exit(1);
	}
	return h;
}

void histogram_free(struct histogram *h)
{
	free(h);
}

void histogram_reset(struct histogram *h)
{
	memset(h, 0, sizeof(*h));
}

/* How many low bits of ns its bucket ignores. */
static unsigned int shift_of(uint64_t ns)
{
	unsigned int bits = 64 - (unsigned int)__builtin_clzll(ns | 1);

	return bits > SUB_BITS + 1 ? bits - SUB_BITS - 1 : 0;
}

static unsigned int bucket_of(uint64_t ns)
{
	unsigned int shift = shift_of(ns);

	return shift * SUB + (unsigned int)(ns >> shift);
}

static double middle_of(unsigned int bucket)
{
	unsigned int shift = bucket < 2 * SUB ? 0 : bucket / SUB - 1;
	uint64_t low = (uint64_t)(bucket - shift * SUB) << shift;

	return (double)low + (double)((1ULL << shift) - 1) / 2;
}

void histogram_add(struct histogram *h, uint64_t ns)
{
	if (ns > VALUE_MAX)
		ns = VALUE_MAX;
	h->buckets[bucket_of(ns)]++;
	h->count++;
	h->sum += (double)ns;
	if (ns > h->max)
		h->max = ns;
}

void histogram_merge(struct histogram *h, const struct histogram *from)
{
	for (unsigned int i = 0; i < BUCKETS; i++)
		h->buckets[i] += from->buckets[i];
	h->count += from->count;
	h->sum += from->sum;
	if (from->max > h->max)
		h->max = from->max;
}

uint64_t histogram_count(const struct histogram *h)
{
	return h->count;
}

/* 0.07 * 100 is a little more than 7; it must not become the 8th of 100 values. */
static double rank_of(double q, uint64_t count)
{
	double rank = ceil(q * (double)count * (1 - 2 * DBL_EPSILON));

	return rank < 1 ? 1 : rank;
}

double histogram_quantile_s(const struct histogram *h, double q)
{
	double rank = rank_of(q, h->count), seen = 0, ns;

	if (!h->count || !(q >= 0 && q <= 1))
		return (double)NAN;
	if (rank >= (double)h->count)
		return histogram_max_s(h);
	for (unsigned int i = 0; i < BUCKETS; i++) {
		seen += (double)h->buckets[i];
		if (seen < rank)
			continue;
		ns = middle_of(i);
		return (ns < (double)h->max ? ns : (double)h->max) / 1e9;
	}
	return histogram_max_s(h);
}

double histogram_mean_s(const struct histogram *h)
{
	return h->count ? h->sum / (double)h->count / 1e9 : (double)NAN;
}

double histogram_max_s(const struct histogram *h)
{
	return h->count ? (double)h->max / 1e9 : (double)NAN;
}
