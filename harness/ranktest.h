/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Two samples compared by their ranks: whether one tends to be larger than the other, and by
 * how much. No shape of distribution is assumed. Values must be finite.
 */
#ifndef HARNESS_RANKTEST_H
#define HARNESS_RANKTEST_H

#include <stdbool.h>
#include <stddef.h>

/* p is exact up to these sizes of both samples, then the normal approximation. */
#define RANK_EXACT_MAX 100     /* without ties */
#define RANK_EXACT_TIES_MAX 50 /* with ties: all sums of ranks have to be counted */

struct rank_test {
	double u; /* pairs in which x is larger, ties count half: R's W */
	double p; /* two-sided; NAN if a sample is empty */
	bool exact, ties;
};

/*
 * The Mann-Whitney U test, two-sided (Mann and Whitney 1947; wilcox.test(x, y, exact = TRUE) in
 * R). With ties, which R 4.2 does not do exactly, p is that of the permutation distribution of
 * the sum of the mid-ranks: twice the smaller tail, at most 1. Above the sizes that are done
 * exactly: normal, with tie and continuity correction, as wilcox.test(x, y, exact = FALSE).
 */
void rank_test(const double *x, size_t nr_x, const double *y, size_t nr_y, struct rank_test *out);

/* The smallest p that samples of these sizes can give: 2 / choose(nr_x + nr_y, nr_x). */
double rank_smallest_p(size_t nr_x, size_t nr_y);

struct rank_shift {
	double shift;	   /* NAN if a sample is empty */
	double low, high;  /* NAN as well */
	double confidence; /* reached; less than asked for if the samples are too small for it */
};

/*
 * The Hodges-Lehmann shift of x against y, the median of all differences, with the interval
 * between two of the ordered differences that belongs to the test above (Hodges and Lehmann 1963;
 * Hollander and Wolfe, Nonparametric Statistical Methods, 4.3; wilcox.test(conf.int = TRUE)).
 * With ties the interval is the same one; it is then at least as confident as it says. (R
 * approximates there.) Above RANK_EXACT_MAX its place is that of the normal approximation.
 */
void rank_shift(const double *x, size_t nr_x, const double *y, size_t nr_y, double confidence,
		struct rank_shift *out);

#endif
