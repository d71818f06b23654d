/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The gate: is a metric worse in NEW than in BASE? Pure maths, one value a boot. The rules:
 *
 * - Fewer than GATE_MIN_BOOTS boots on a side, or so few that even samples apart have p >= alpha:
 *   inconclusive.
 * - Mann-Whitney's p, exact and two-sided, is adjusted to q over all tests together (Benjamini
 *   and Hochberg 1995). q < alpha and a change beyond the noise floor is a regression or an
 *   improvement. So where nothing has changed, the whole comparison raises an alarm with
 *   probability alpha at most, however many tests it has.
 * - No change: the whole interval is within the margin, so that a larger change is excluded. "Not
 *   significant" alone is not enough: little data would then prove anything. Nor is it no change
 *   if it is suspect: beyond the floor with q < GATE_SUSPECT.
 * - The rest is inconclusive.
 *
 * Where boots were added because of what was seen, each look has a share of alpha: p, divided by
 * it, is what is adjusted, and the interval is as much wider.
 *
 * A change is the Hodges-Lehmann shift of NEW against BASE, relative to BASE's median. Where that
 * is 0, any change is infinite.
 */
#ifndef HARNESS_GATE_H
#define HARNESS_GATE_H

#include <stddef.h>
#include <stdint.h>

#include "harness/bootstrap.h"
#include "harness/ranktest.h"
#include "harness/samples.h"

#define GATE_ALPHA 0.01
#define GATE_SUSPECT 0.05
#define GATE_CONFIDENCE 0.95
#define GATE_POWER 0.8 /* of the smallest change that is said to be seen */
#define GATE_MIN_BOOTS 6
#define GATE_MAX_BOOTS 1000 /* the differences of all pairs are held in memory */
#define GATE_RESAMPLES 10000

/* Worst first. */
enum verdict { VERDICT_REGRESSION, VERDICT_INCONCLUSIVE, VERDICT_IMPROVEMENT, VERDICT_NO_CHANGE };

struct gate_options {
	double alpha;
	unsigned int resamples; /* of the bootstrap; 0: no interval of the ratio */
};

struct gate_test {
	/* What is asked. The values are borrowed; at most GATE_MAX_BOOTS a side. */
	const double *base, *value;
	size_t nr_base, nr_value;
	double floor;  /* relative; a smaller change is never a regression */
	double margin; /* relative, >= floor; "no change" excludes a larger one */
	/*
	 * Of alpha and of what the interval may miss, which this look at the boots has to spend;
	 * 0: all of it, there is no other look (looks.h).
	 */
	double share;
	uint64_t seed;
	enum direction direction; /* not DIRECTION_NONE */

	/* What is found. */
	enum verdict verdict;
	double base_median, value_median;
	struct rank_test rank;
	struct rank_shift shift;
	double confidence;	  /* of the interval, as asked for */
	double change, low, high; /* the shift, relative; infinite if BASE is 0 */
	struct bootstrap_ratio ratio;
	double q;	     /* NAN: not among the tests, too few boots */
	double smallest;     /* relative change that would be seen, see gate_smallest(); or NAN */
	size_t boots_needed; /* a side, for a verdict as things are; 0: has one, or not known */
};

/* Judges all tests together: each one's q depends on all. */
void gate_run(struct gate_test *tests, size_t nr, const struct gate_options *options);

/* How much worse NEW is, relative: the change, turned so that more is worse. */
double gate_harm(const struct gate_test *test);

const char *verdict_name(enum verdict verdict);

/* Adjusts p in place to q (Benjamini and Hochberg 1995; R's p.adjust(method = "BH")). */
void gate_adjust(double *p, size_t nr);

/*
 * The smallest shift that a two-sided rank test at alpha sees with probability GATE_POWER, for
 * values with that standard deviation: that of the t test, whose noncentral distribution is
 * approximated by a shifted one, divided by the root of the rank test's relative efficiency for
 * normal values, 3 / pi:
 *
 *   (t(1 - alpha / 2) + t(GATE_POWER)) * deviation * sqrt(1 / n + 1 / m) * sqrt(pi / 3)
 *
 * with n + m - 2 degrees of freedom. Infinite if no p reaches alpha at these sizes.
 */
double gate_smallest(size_t nr_base, size_t nr_value, double deviation, double alpha);

#endif
