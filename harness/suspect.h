/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Is the newest value unlike those before it? Robust: values far off do not count towards the
 * level and the spread, yet what has been there before, a spike or the other one of two modes,
 * is never unlike. Pure maths on finite values.
 */
#ifndef HARNESS_SUSPECT_H
#define HARNESS_SUSPECT_H

#include <stddef.h>

#define SUSPECT_MIN 10 /* values to compare with */

struct suspect {
	double level;  /* the median of the values before */
	double change; /* relative to it; infinite if it is 0 */
	double p;      /* NAN: too few values. 1: within their range. Else two-sided, Student's t of
			  the newest value against those of the others that are not far off. */
};

void suspect_test(const double *before, size_t nr, double newest, struct suspect *out);

#endif
