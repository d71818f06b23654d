/* SPDX-License-Identifier: GPL-2.0-only */
/* Student's t test. Values must be finite. */
#ifndef HARNESS_TTEST_H
#define HARNESS_TTEST_H

#include <stddef.h>

/*
 * P(|T| >= |t|) of Student's distribution: R's 2 * pt(-abs(t), freedom). freedom > 0; NAN if t is
 * NAN.
 */
double ttest_p(double t, double freedom);

struct ttest {
	double mean_x, mean_y, deviation_x, deviation_y; /* a deviation of one value is 0 */
	double t, p;					 /* two-sided; NAN with fewer than 3 values,
							    or of an empty sample */
};

/*
 * Two samples with one variance, t.test(x, y, var.equal = TRUE) in R. Values that do not vary
 * at all: p is 1 if the means are equal, else 0.
 */
void ttest(const double *x, size_t nr_x, const double *y, size_t nr_y, struct ttest *out);

#endif
