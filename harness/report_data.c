// SPDX-License-Identifier: GPL-2.0-only
/* A run as tables of numbers: what is computed from them. */
#include "harness/report_data.h"

#include <math.h>
#include <string.h>

#include "harness/util.h"

/* What a workload that reads and writes calls its throughput: the sum of these. */
static const char *const summed_throughput[] = { "read_iops", "write_iops" };

/* Is it done per second, and the more the better? */
static bool is_throughput(const struct report_metric *metric)
{
	size_t len = strlen(metric->unit);

	return metric->direction == DIRECTION_HIGHER && len > 2 &&
	       !strcmp(metric->unit + len - 2, "/s");
}

/* Adds a metric to the computed throughput of all cells of a scenario. */
static void add_throughput(struct report *report, size_t scenario, size_t metric)
{
	for (size_t i = 0; i < report->nr_cells; i++) {
		struct report_cell *cell = &report->cells[i];
		double *sum = cell->values;
		const double *value = cell->values + metric * cell->nr_boots;

		for (size_t b = 0; b < cell->nr_boots && cell->scenario == scenario; b++)
			if (!isnan(value[b]))
				sum[b] = (isnan(sum[b]) ? 0 : sum[b]) + value[b];
	}
}

void report_compute_throughput(struct report *report, size_t scenario)
{
	size_t *chosen = &report->scenarios[scenario].throughput;

	for (size_t i = 0; i < ARRAY_SIZE(summed_throughput); i++) {
		size_t m = report_metric(report, summed_throughput[i]);

		if (m == NO_METRIC || !report_scenario_has(report, scenario, m))
			continue;
		*chosen = m;
		add_throughput(report, scenario, m);
	}
	for (size_t m = 1; m < report->nr_metrics && *chosen == NO_METRIC; m++) {
		if (!is_throughput(&report->metrics[m]) ||
		    !report_scenario_has(report, scenario, m))
			continue;
		*chosen = m;
		add_throughput(report, scenario, m);
	}
}

void report_free(struct report *report)
{
	for (size_t i = 0; report->cells && i < report->nr_cells; i++) {
		free(report->cells[i].boots);
		free(report->cells[i].values);
	}
	for (size_t i = 0; i < report->nr_series; i++)
		free(report->series[i].label);
	for (size_t i = 0; i < report->nr_scenarios; i++)
		free(report->scenarios[i].label);
	free(report->cells);
	free(report->series);
	free(report->scenarios);
	free(report->workloads);
	free(report->metrics);
	free(report->excluded);
	sample_table_free(&report->samples);
	json_decref(report->manifest);
	*report = (struct report){ 0 };
}

size_t report_metric(const struct report *report, const char *name)
{
	for (size_t m = 1; m < report->nr_metrics; m++)
		if (!strcmp(report->metrics[m].name, name))
			return m;
	return NO_METRIC;
}

const struct report_cell *report_cell(const struct report *report, size_t series, size_t scenario)
{
	for (size_t i = 0; i < report->nr_cells; i++)
		if (report->cells[i].series == series && report->cells[i].scenario == scenario)
			return &report->cells[i];
	return NULL;
}

const char *report_text(const struct report *report, const char *key)
{
	const char *text = json_string_value(json_object_get(report->manifest, key));

	return text ? text : "";
}

bool report_is_lab(const struct report *report)
{
	return !strncmp(report_text(report, "where"), "lab", 3);
}

bool report_is_emulated(const struct report *report)
{
	return !strcmp(report_text(report, "where"), "lab-tcg");
}

bool report_shares_vm(const struct report *report)
{
	const json_t *config = json_object_get(report->manifest, "config");

	return json_is_true(json_object_get(config, "share_vm"));
}
