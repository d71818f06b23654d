// SPDX-License-Identifier: GPL-2.0-only
/* JSON: one document with all there is: the run, its cells, values, medians and intervals. */
#include <math.h>
#include <string.h>

#include "harness/export_format.h"
#include "harness/stats.h"

#define EXPORT_SCHEMA 1
#define CONFIDENCE 0.95

static json_t *number_or_null(double value)
{
	return isfinite(value) ? json_real(value) : json_null();
}

/* A member of the manifest, as it is; null if there is none. New reference. */
static json_t *member(const json_t *object, const char *key)
{
	json_t *json = json_object_get(object, key);

	return json ? json_incref(json) : json_null();
}

static json_t *metric_json(const struct report *report, const struct report_cell *cell, size_t m)
{
	const struct report_metric *metric = &report->metrics[m];
	struct report_stat stat = report_stat(cell, m);
	autofree double *values = xzalloc((cell->nr_boots + 1) * sizeof(*values));
	json_t *boots = json_array(), *list = json_array();
	double low, high;
	size_t nr = 0;

	for (size_t b = 0; b < cell->nr_boots; b++) {
		double value = cell->values[m * cell->nr_boots + b];

		if (isnan(value))
			continue;
		values[nr++] = value;
		json_array_append_new(boots, json_integer(cell->boots[b].index));
		json_array_append_new(list, json_real(value));
	}
	stats_median_interval(values, nr, CONFIDENCE, &low, &high);
	return json_pack("{s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "metric",
			 metric->name, "unit", metric->unit, "direction",
			 direction_name(metric->direction), "median", number_or_null(stat.median),
			 "median_low", number_or_null(low), "median_high", number_or_null(high),
			 "min", number_or_null(stat.min), "max", number_or_null(stat.max), "boots",
			 boots, "values", list);
}

static json_t *boots_json(const struct report_cell *cell)
{
	json_t *boots = json_array();

	for (size_t b = 0; b < cell->nr_boots; b++)
		json_array_append_new(boots, json_pack("{s:I, s:s, s:o}", "boot",
						       (json_int_t)cell->boots[b].index, "status",
						       cell->boots[b].status, "reason",
						       member(cell->boots[b].json, "reason")));
	return boots;
}

static json_t *cell_json(const struct report *report, const struct report_cell *cell)
{
	const char *status = export_status(cell);
	json_t *metrics = json_array();

	for (size_t m = 1; m < report->nr_metrics; m++)
		if (report_stat(cell, m).nr)
			json_array_append_new(metrics, metric_json(report, cell, m));
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:s, s:o, s:o, s:o}", "cell", cell->id, "mode",
			 cell->names.mode, "device", cell->names.device, "workload",
			 cell->names.workload, "variant", cell->names.variant, "status", status,
			 "reason",
			 strcmp(status, "ok") != 0 ? json_string(export_reason(cell)) : json_null(),
			 "boots", boots_json(cell), "metrics", metrics);
}

static json_t *run_json(const struct report *report)
{
	static const char *const keys[] = { "run_id",	    "name",	   "status",
					    "started",	    "finished",	   "where",
					    "git_revision", "environment", "config" };
	json_t *json = json_pack("{s:i, s:s, s:f}", "schema", EXPORT_SCHEMA, "kind", "run",
				 "confidence", CONFIDENCE);

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		json_object_set_new(json, keys[i], member(report->manifest, keys[i]));
	json_object_set_new(json, "left_out",
			    json_pack("{s:I, s:I, s:I}", "of_boots_not_ok",
				      (json_int_t)report->nr_excluded, "of_no_boot",
				      (json_int_t)report->nr_unknown, "twice",
				      (json_int_t)report->nr_twice));
	return json;
}

static int write_json(const struct report *report, FILE *out)
{
	json_t *json = run_json(report), *cells = json_array();

	for (size_t i = 0; i < report->nr_cells; i++)
		json_array_append_new(cells, cell_json(report, &report->cells[i]));
	json_object_set_new(json, "cells", cells);
	json_dumpf(json, out, JSON_INDENT(1)); /* fails only with the stream */
	fputc('\n', out);
	json_decref(json);
	return 0;
}

const struct export_format export_json = {
	.name = "json",
	.help = "one document: the run, its cells and boots, values, medians, 95 % intervals",
	.write = write_json,
};
