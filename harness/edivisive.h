/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Change points of a series: E-divisive means (Matteson and James, arXiv 1306.4933, alpha = 1)
 * in windows, each point tested with Student's t (Hunter: Fleming et al., arXiv 2301.03034). No
 * chance is in it: the same values give the same points.
 *
 * A window is split where the energy distance of both sides is largest, over all ends of the
 * right side, and its parts again, as long as p < weak_p. The weak points of all windows are
 * then tested against what lies between their neighbours, at most a window of it on either side;
 * the worst is dropped and the others tested anew, until each has p < final_p, is as large as
 * min_change, and parts two levels: at least half of the values of either side, and no fewer than
 * EDIVISIVE_MIN_SEGMENT, are on their side of the middle between both means.
 */
#ifndef HARNESS_EDIVISIVE_H
#define HARNESS_EDIVISIVE_H

#include <stddef.h>

#define EDIVISIVE_WINDOW 50	/* the next window begins half a window on */
#define EDIVISIVE_MIN_SEGMENT 3 /* a shorter one is a spike, no new level */
#define EDIVISIVE_EDGE 5 /* a point so near to where a window cuts is left to its neighbour */
#define EDIVISIVE_WEAK_P 0.01
#define EDIVISIVE_P 0.001

struct edivisive_options {
	double weak_p, final_p;
	double min_change; /* relative: 0.02 is 2 % */
};

struct change_point {
	size_t index;	      /* the first value of the new level */
	double before, after; /* means of what was tested */
	double change;	      /* relative to before; infinite if that is 0 */
	double p;
};

/*
 * Finite values. Returns how many points there are; *points, in order, is to be freed, NULL if
 * there are none.
 */
size_t edivisive(const double *values, size_t nr, const struct edivisive_options *options,
		 struct change_point **points);

#endif
