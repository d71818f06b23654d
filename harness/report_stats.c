// SPDX-License-Identifier: GPL-2.0-only
/* The figures of a report: medians of boots, and ratios to the baseline with their intervals. */
#include <math.h>

#include "harness/ranktest.h"
#include "harness/report_data.h"
#include "harness/stats.h"
#include "harness/util.h"

/* The boots' values that there are: to free, *nr of them. */
static double *collect_values(const struct report_cell *cell, size_t metric, size_t *nr)
{
	double *values = xzalloc((cell ? cell->nr_boots + 1 : 1) * sizeof(*values));

	*nr = 0;
	for (size_t b = 0; cell && metric != NO_METRIC && b < cell->nr_boots; b++)
		if (!isnan(cell->values[metric * cell->nr_boots + b]))
			values[(*nr)++] = cell->values[metric * cell->nr_boots + b];
	return values;
}

struct report_stat report_stat(const struct report_cell *cell, size_t metric)
{
	struct report_stat stat;
	autofree double *values = collect_values(cell, metric, &stat.nr);

	stat.median = stats_median(values, stat.nr);
	stat.min = stats_min(values, stat.nr);
	stat.max = stats_max(values, stat.nr);
	return stat;
}

bool report_scenario_has(const struct report *report, size_t scenario, size_t metric)
{
	for (size_t i = 0; i < report->nr_cells; i++)
		if (report->cells[i].scenario == scenario &&
		    report_stat(&report->cells[i], metric).nr)
			return true;
	return false;
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

/* Logarithms in place; false if there is one that has none. */
static bool take_logs(double *values, size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		if (!(values[i] > 0))
			return false;
		values[i] = log(values[i]);
	}
	return nr > 0;
}

struct report_ratio report_cell_ratio(const struct report *report, const struct report_cell *cell,
				      size_t metric)
{
	const struct report_cell *base = cell ? report_cell(report, 0, cell->scenario) : NULL;
	struct report_ratio ratio = { .low = NAN, .high = NAN };
	size_t nr, nr_base;
	autofree double *values = collect_values(cell, metric, &nr);
	autofree double *base_values = collect_values(base, metric, &nr_base);
	struct rank_shift shift;

	ratio.ratio = stats_ratio(stats_median(values, nr), stats_median(base_values, nr_base));
	ratio.nr = !isnan(ratio.ratio);
	if (!ratio.nr || cell == base || nr < REPORT_MIN_BOOTS || nr_base < REPORT_MIN_BOOTS ||
	    nr > REPORT_MAX_BOOTS || nr_base > REPORT_MAX_BOOTS || !take_logs(values, nr) ||
	    !take_logs(base_values, nr_base))
		return ratio;
	rank_shift(values, nr, base_values, nr_base, REPORT_CONFIDENCE, &shift);
	ratio.low = exp(shift.low);
	ratio.high = exp(shift.high);
	ratio.confidence = shift.confidence;
	return ratio;
}

/* Ratios of several scenarios on their way to one. */
struct pool {
	double logs, below, above; /* of the ratios, and of the intervals' ends to each side */
	double confidence;	   /* the lowest of all */
	bool zero;
	size_t nr;
};

static void pool_add(struct pool *pool, const struct report_ratio *ratio, bool dependent)
{
	double log_ratio = log(ratio->ratio);
	double below = fmax(0, log_ratio - log(ratio->low));
	double above = fmax(0, log(ratio->high) - log_ratio);

	if (isnan(ratio->low))
		below = above = NAN;
	if (!pool->nr || ratio->confidence < pool->confidence)
		pool->confidence = ratio->confidence;
	pool->nr++;
	pool->zero |= ratio->ratio == 0;
	pool->logs += log_ratio;
	pool->below += dependent ? below : below * below;
	pool->above += dependent ? above : above * above;
}

/* The widths of independent intervals add up as their squares do, of others as they are. */
static struct report_ratio pool_ratio(const struct pool *pool, bool dependent)
{
	double nr = (double)pool->nr, below = pool->below, above = pool->above;

	if (!pool->nr || pool->zero)
		return (struct report_ratio){ pool->zero ? 0 : NAN, NAN, NAN, 0, pool->nr };
	if (!dependent) {
		below = sqrt(below);
		above = sqrt(above);
	}
	return (struct report_ratio){
		.ratio = exp(pool->logs / nr),
		.low = exp((pool->logs - below) / nr),
		.high = exp((pool->logs + above) / nr),
		.confidence = isnan(below + above) ? 0 : pool->confidence,
		.nr = pool->nr,
	};
}

/* Over the scenarios that both have, all or just those under load. */
static struct report_ratio series_ratio(const struct report *report, size_t series, size_t metric,
					bool load)
{
	bool dependent = report_shares_vm(report);
	struct pool pool = { 0 };

	for (size_t s = 0; s < report->nr_scenarios; s++) {
		struct report_ratio ratio =
			report_cell_ratio(report, report_cell(report, series, s), metric);

		if (load && report->scenarios[s].throughput == NO_METRIC)
			continue;
		if (!isnan(ratio.ratio) && ratio.ratio >= 0)
			pool_add(&pool, &ratio, dependent);
	}
	return pool_ratio(&pool, dependent);
}

struct report_ratio report_series_ratio(const struct report *report, size_t series, size_t metric)
{
	struct report_ratio ratio = series_ratio(report, series, metric, true);

	return ratio.nr ? ratio : series_ratio(report, series, metric, false);
}
