/* SPDX-License-Identifier: GPL-2.0-only */
/* Inside of the report: the curves that boots leave beside their samples, as two-column CSV. */
#ifndef HARNESS_REPORT_CURVE_H
#define HARNESS_REPORT_CURVE_H

#include <stddef.h>

#include "harness/report_data.h"

struct report_point {
	double x, y;
};
struct report_curve {
	struct report_point *points;
	size_t nr;
};

/*
 * Reads up to the first line that is none, which is warned of: a crash may have cut the last one.
 * The first line is the header. Nothing if the file is not there. To free: points.
 */
void report_curve_read(const char *path, struct report_curve *curve);

/* Where a boot (by its place in the cell) keeps a file; to free. */
char *report_curve_path(const struct report *report, const struct report_cell *cell, size_t boot,
			const char *name);
/*
 * The boot, of those that are ok and have the file, that took the median time until ready; or the
 * cell's nr_boots: there is none. cell may be NULL.
 */
size_t report_typical_boot(const struct report *report, const struct report_cell *cell,
			   const char *name);

#endif
