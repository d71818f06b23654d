// SPDX-License-Identifier: GPL-2.0-only
#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "bench/load/memload_random.h"

/* Exactly count numbers with separator between them; the second may not be negative. */
static bool parameters(const char *text, int count, char separator, struct dist *dist)
{
	double *to[] = { &dist->a, &dist->b, &dist->c };

	for (int i = 0; i < count; i++) {
		char *end;

		*to[i] = strtod(text, &end);
		if (end == text || !isfinite(*to[i]))
			return false;
		if (*end != (i + 1 < count ? separator : '\0'))
			return false;
		text = end + 1;
	}
	return dist->b >= 0;
}

bool dist_parse(const char *text, struct dist *dist)
{
	static const struct {
		const char *name;
		enum dist_kind kind;
		int parameters;
		char separator;
	} kinds[] = {
		{ "fixed:", DIST_FIXED, 1, ',' },   { "uniform:", DIST_UNIFORM, 2, '-' },
		{ "normal:", DIST_NORMAL, 2, ',' }, { "gpareto:", DIST_GPARETO, 3, ',' },
		{ "gev:", DIST_GEV, 3, ',' },
	};

	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		size_t len = strlen(kinds[i].name);

		if (strncmp(text, kinds[i].name, len) != 0)
			continue;
		*dist = (struct dist){ .kind = kinds[i].kind };
		if (!parameters(text + len, kinds[i].parameters, kinds[i].separator, dist))
			return false;
		return dist->kind != DIST_UNIFORM || dist->a <= dist->b;
	}
	return false;
}

/*
 * Atikoglu et al., "Workload Analysis of a Large-Scale Key-Value Store", SIGMETRICS 2012, section
 * 5, in the form in which mutilate uses it: sizes below 15 have probabilities of their own.
 */
struct dist dist_etc_key(void)
{
	return (struct dist){ DIST_GEV, 30.7984, 8.20449, 0.078688 };
}

struct dist dist_etc_value(void)
{
	return (struct dist){ DIST_ETC_VALUE, 0, 214.476, 0.348238 };
}

static const double etc_small[] = { 0.00536, 0.00047, 0.17820, 0.09239, 0.00018,
				    0.02740, 0.00065, 0.00606, 0.00023, 0.00837,
				    0.00837, 0.08989, 0.00092, 0.00326, 0.01980 };

static double draw_gpareto(const struct dist *dist, struct rng *rng)
{
	double u = rng_unit(rng);

	if (fabs(dist->c) < 1e-9)
		return dist->a - dist->b * log(u);
	return dist->a + dist->b * (pow(u, -dist->c) - 1) / dist->c;
}

static double draw_gev(const struct dist *dist, struct rng *rng)
{
	double u = -log(rng_unit(rng));

	if (fabs(dist->c) < 1e-9)
		return dist->a - dist->b * log(u);
	return dist->a + dist->b * (pow(u, -dist->c) - 1) / dist->c;
}

static double draw_normal(const struct dist *dist, struct rng *rng)
{
	double radius = sqrt(-2 * log(rng_unit(rng)));

	return dist->a + dist->b * radius * cos(2 * M_PI * rng_unit(rng));
}

static double draw_etc_value(const struct dist *dist, struct rng *rng)
{
	double u = rng_unit(rng);

	for (size_t size = 0; size < sizeof(etc_small) / sizeof(*etc_small); size++) {
		u -= etc_small[size];
		if (u < 0)
			return (double)size;
	}
	return draw_gpareto(dist, rng);
}

static double draw(const struct dist *dist, struct rng *rng)
{
	switch (dist->kind) {
	case DIST_UNIFORM: /* of whole numbers, both ends included */
		return floor(dist->a + rng_unit(rng) * (dist->b - dist->a + 1));
	case DIST_NORMAL:
		return draw_normal(dist, rng);
	case DIST_GPARETO:
		return draw_gpareto(dist, rng);
	case DIST_GEV:
		return draw_gev(dist, rng);
	case DIST_ETC_VALUE:
		return draw_etc_value(dist, rng);
	case DIST_FIXED:
		break;
	}
	return dist->a;
}

uint32_t dist_draw(const struct dist *dist, struct rng *rng, uint32_t min, uint32_t max)
{
	double value = draw(dist, rng) + 0.5;

	if (!(value > min))
		return min;
	return value < max ? (uint32_t)value : max;
}

/*
 * Zipf by rejection from the inverted integral of x^-theta (Hoermann and Derflinger, "Rejection-
 * inversion to generate variates from monotone discrete distributions", 1996): no tables, any
 * theta above 0, less than 1.1 tries on average.
 */
static double integral(double theta, double x)
{
	double l = log(x), t = (1 - theta) * l;

	return fabs(t) > 1e-8 ? l * expm1(t) / t : l * (1 + t / 2);
}

static double integral_inverted(double theta, double y)
{
	double t = fmax(y * (1 - theta), -1);

	return exp(fabs(t) > 1e-8 ? y * log1p(t) / t : y * (1 - t / 2));
}

void zipf_init(struct zipf *zipf, uint32_t n, double theta)
{
	zipf->theta = theta;
	zipf->n = n;
	zipf->at_first = integral(theta, 1.5) - 1;
	zipf->at_last = integral(theta, n + 0.5);
	zipf->s = 2 - integral_inverted(theta, integral(theta, 2.5) - pow(2, -theta));
}

uint32_t zipf_draw(const struct zipf *zipf, struct rng *rng)
{
	for (;;) {
		double u = zipf->at_last + rng_unit(rng) * (zipf->at_first - zipf->at_last);
		double x = integral_inverted(zipf->theta, u);
		double k = fmin(fmax(floor(x + 0.5), 1), zipf->n);

		if (k - x <= zipf->s || u >= integral(zipf->theta, k + 0.5) - pow(k, -zipf->theta))
			return (uint32_t)k - 1;
	}
}
