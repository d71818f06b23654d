/* SPDX-License-Identifier: GPL-2.0-only */
/* Statistics: pure maths on arrays of finite values. Of no values, every answer is NAN. */
#ifndef HARNESS_STATS_H
#define HARNESS_STATS_H

#include <stddef.h>

double stats_min(const double *values, size_t nr);
double stats_max(const double *values, size_t nr);

/* The q-quantile, 0 <= q <= 1, of unsorted values (type 7: linear between order statistics). */
double stats_quantile(const double *values, size_t nr, double q);
double stats_median(const double *values, size_t nr);

/*
 * The interval between two order statistics that holds the median of what the values are drawn
 * from with at least the given confidence, by the binomial distribution (Conover, Practical
 * Nonparametric Statistics, 3.2). NANs if there are too few values for that confidence (fewer
 * than 6 for 0.95).
 */
void stats_median_interval(const double *values, size_t nr, double confidence, double *low,
			   double *high);

/*
 * The geometric mean, which treats twice and half alike: for ratios. 0 if a value is 0, NAN if
 * one is negative.
 */
double stats_geomean(const double *values, size_t nr);

/* Standard deviation of a sample (n - 1). NAN of fewer than 2 values. */
double stats_deviation(const double *values, size_t nr);

/* A sorted copy, to free; NULL of no values. */
double *stats_sorted(const double *values, size_t nr);

/* The normal distribution's P(Z <= z), as R's pnorm(), and its inverse, qnorm(), 0 < p < 1. */
double stats_normal(double z);
double stats_normal_quantile(double p);
/*
 * Student's t, R's qt(), by the expansion of Abramowitz and Stegun, 26.7.5: within 1 % from 5
 * degrees of freedom on and 0.0005 < p < 0.9995, which is enough to plan with.
 */
double stats_t_quantile(double p, double freedom);

/* value / base, or NAN if that says nothing: either is not finite, or base is 0. */
double stats_ratio(double value, double base);

#endif
