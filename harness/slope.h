/* SPDX-License-Identifier: GPL-2.0-only */
/* A line through points, of which some may be far off. Values must be finite. */
#ifndef HARNESS_SLOPE_H
#define HARNESS_SLOPE_H

#include <stddef.h>

#define SLOPE_MAX_POINTS 400 /* more take too long: the slopes of all pairs are sorted */
/* Less confident intervals are none: three values at each of two x give 90 %, two 67 %. */
#define SLOPE_MIN_CONFIDENCE 0.75

struct slope {
	double slope, offset; /* y = offset + slope * x; NAN: no two different x, or too many */
	double low, high;     /* the slope's interval; NAN: too few points for one */
	double confidence;    /* reached; less than asked for if there are few points */
	double low_offset, high_offset; /* of the lines with these slopes */
};

/*
 * Theil and Sen's line: its slope is the median of the slopes of all pairs of points with
 * different x, its offset the median of y - slope * x, so that a few slow boots do not move it.
 * The interval lies between two of the ordered slopes (Sen 1968; Hollander, Wolfe and Chicken,
 * Nonparametric Statistical Methods, 9.3); their places are exact for values of x that occur
 * several times, too: how many slopes are below the true one is distributed as Jonckheere and
 * Terpstra's statistic is when there is no trend (the same book, 6.2). It supposes that y scatters
 * alike at every x.
 */
void slope_fit(const double *x, const double *y, size_t nr, double confidence, struct slope *out);

#endif
