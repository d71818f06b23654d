/* SPDX-License-Identifier: GPL-2.0-only */
/* Inside of the report: lines through all boots of a workload, as its plug-in declares them. */
#ifndef HARNESS_REPORT_LINE_H
#define HARNESS_REPORT_LINE_H

#include "bench/workload.h"
#include "harness/report_data.h"
#include "harness/slope.h"

/* The lines of a workload of that number, ended by a NULL y; NULL: it declares none. */
const struct workload_line *report_lines(const struct report *report, size_t workload);

/*
 * Whose boots one line goes through: those of a series on one device (and kind of host), over all
 * settings of the workload.
 */
struct report_line {
	const struct workload_line *line;
	const struct report_names *place; /* its device and host */
	size_t workload, series;
};
/*
 * All for which there are two different x or more, to free; *nr of them. In the order of the
 * places, then of the series.
 */
struct report_line *report_line_find(const struct report *report, size_t workload,
				     const struct workload_line *line, size_t *nr);

/* A value for each boot that has both metrics; x and y to free. */
struct report_points {
	double *x, *y;
	size_t nr;
};
struct report_points report_line_points(const struct report *report,
					const struct report_line *line);
struct slope report_line_fit(const struct report_points *points);
/* What a line comes to at x: never less than nothing. */
double report_line_at(double offset, double slope, double x);

/* "nvme"; of a run on several kinds of hosts also which. To free. */
char *report_line_place(const struct report_line *line);

#endif
