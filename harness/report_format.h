/* SPDX-License-Identifier: GPL-2.0-only */
/* Inside of the report: how figures are written for people. */
#ifndef HARNESS_REPORT_FORMAT_H
#define HARNESS_REPORT_FORMAT_H

#include <stdbool.h>
#include <stdio.h>

#include "harness/report_data.h"

#define NO_VALUE "–"

/* Strings to free: a value with its unit ("12.3 k/s"); NAN: NO_VALUE. */
char *report_format(double value, const char *unit);
/* A ratio: "0.31×", "0.31", "0.31× (0.29 to 0.33)". */
char *report_format_ratio(double ratio);
char *report_format_bare(double ratio);
char *report_ratio_text(const struct report_ratio *ratio);
/* "95 %", or what an interval of few boots reaches. */
char *report_format_confidence(double confidence);

/* Columns in the terminal, so that "–" and "×" count as one each. */
int report_text_width(const char *text);
/* Text from files must not move the terminal's cursor. */
void report_print_clean(FILE *out, const char *text);
void report_print_padded(FILE *out, const char *text, int width, bool left);

#endif
