/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Inside of export: one const table a format, each in a file of its own and in the list of
 * export.c. Every format has the values that count, those of boots that are ok, and the same
 * medians as the report.
 */
#ifndef HARNESS_EXPORT_FORMAT_H
#define HARNESS_EXPORT_FORMAT_H

#include <stdio.h>

#include "harness/report_data.h"
#include "harness/util.h"

struct export_format {
	const char *name, *help;
	/*
	 * Writes the run; whoever calls looks for errors of the stream. 0, or -EINVAL with a
	 * logged reason if the format cannot express this run.
	 */
	int (*write)(const struct report *report, FILE *out);
};
extern const struct export_format export_csv, export_json, export_junit, export_openmetrics;

/*
 * How a cell went: ok, skipped, failed or invalid; by its boots where these are worse than what
 * the manifest says of the cell.
 */
const char *export_status(const struct report_cell *cell);
/* Why it is not ok. Never NULL. */
const char *export_reason(const struct report_cell *cell);
/* Did the run come to its end? */
bool export_is_complete(const struct report *report);
/* Of the environment; "" if there is none. */
const char *export_fingerprint(const struct report *report);

/* Adds a text and a comma as RFC 4180 wants them; a spreadsheet takes it for no formula. */
void export_csv_field(struct strbuf *sb, const char *text);
/* Writes the text and empties it. */
void export_flush(struct strbuf *sb, FILE *out);

#endif
