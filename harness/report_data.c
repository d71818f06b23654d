// SPDX-License-Identifier: GPL-2.0-only
/* A run as tables of numbers: what is computed from them. */
#include "harness/report_data.h"

#include <math.h>
#include <string.h>

#include "harness/stats.h"
#include "harness/util.h"

/* What a workload that reads and writes calls its throughput: the sum of these. */
static const char *const summed_throughput[] = { "read_iops", "write_iops" };

static bool scenario_has(const struct report *report, size_t scenario, size_t metric)
{
	for (size_t i = 0; i < report->nr_cells; i++)
		if (report->cells[i].scenario == scenario &&
		    report_stat(&report->cells[i], metric).nr)
			return true;
	return false;
}

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

		if (m == NO_METRIC || !scenario_has(report, scenario, m))
			continue;
		*chosen = m;
		add_throughput(report, scenario, m);
	}
	for (size_t m = 1; m < report->nr_metrics && *chosen == NO_METRIC; m++) {
		if (!is_throughput(&report->metrics[m]) || !scenario_has(report, scenario, m))
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

struct report_stat report_stat(const struct report_cell *cell, size_t metric)
{
	struct report_stat stat = { .median = NAN, .min = NAN, .max = NAN };
	autofree double *values = NULL;

	if (!cell || metric == NO_METRIC)
		return stat;
	values = xzalloc(cell->nr_boots * sizeof(*values));
	for (size_t b = 0; b < cell->nr_boots; b++)
		if (!isnan(cell->values[metric * cell->nr_boots + b]))
			values[stat.nr++] = cell->values[metric * cell->nr_boots + b];
	stat.median = stats_median(values, stat.nr);
	stat.min = stats_min(values, stat.nr);
	stat.max = stats_max(values, stat.nr);
	return stat;
}

/* The medians of a series' cells, of all or just of those that put the device under load. */
static size_t collect_medians(const struct report *report, size_t series, size_t metric, bool load,
			      double *medians)
{
	size_t nr = 0;

	for (size_t i = 0; i < report->nr_cells; i++) {
		const struct report_cell *cell = &report->cells[i];
		bool loads = report->scenarios[cell->scenario].throughput != NO_METRIC;
		struct report_stat stat = { 0 };

		if (cell->series == series && (loads || !load))
			stat = report_stat(cell, metric);
		if (stat.nr)
			medians[nr++] = stat.median;
	}
	return nr;
}

double report_series_value(const struct report *report, size_t series, size_t metric)
{
	autofree double *medians = xzalloc(report->nr_cells * sizeof(*medians));
	size_t nr = collect_medians(report, series, metric, true, medians);

	if (!nr)
		nr = collect_medians(report, series, metric, false, medians);
	return stats_median(medians, nr);
}

/* The ratios of the scenarios that both have, of all or just of those under load. */
static size_t collect_ratios(const struct report *report, size_t series, size_t metric, bool load,
			     double *ratios)
{
	size_t nr = 0;

	for (size_t s = 0; s < report->nr_scenarios; s++) {
		struct report_stat base = report_stat(report_cell(report, 0, s), metric);
		struct report_stat stat = report_stat(report_cell(report, series, s), metric);
		double ratio = stats_ratio(stat.median, base.median);

		if (load && report->scenarios[s].throughput == NO_METRIC)
			continue;
		if (!isnan(ratio))
			ratios[nr++] = ratio;
	}
	return nr;
}

double report_series_ratio(const struct report *report, size_t series, size_t metric, size_t *nr)
{
	autofree double *ratios = xzalloc(report->nr_scenarios * sizeof(*ratios));
	size_t found = collect_ratios(report, series, metric, true, ratios);

	if (!found)
		found = collect_ratios(report, series, metric, false, ratios);
	if (nr)
		*nr = found;
	return stats_geomean(ratios, found);
}
