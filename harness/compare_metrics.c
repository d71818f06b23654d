// SPDX-License-Identifier: GPL-2.0-only
/* Which metrics are judged, and what is compared of a count. */
#include "harness/compare_data.h"

#include <fnmatch.h>
#include <math.h>
#include <string.h>

/* What a user would call slower or dearer. Few: each test more makes all a little blinder. */
static const char *const usual_metrics[] = {
	"read_iops",
	"write_iops",
	"lat_p50_s",
	"lat_p99_s",
	"tcp_bytes_per_s",
	"tcp_rr_per_s",
	"memcached_ops_per_s",
	"packets_per_s",
	"frames_per_s",
	"command_score",
	"dma_map_unmap_p50_s",
	"dma_map_unmap_p99_s",
	"vm_create_s",
	"host_cpu_s_per_op",
	"vm_exits_per_op",
	"vm_exits_per_packet",
	"pinned_start_bytes",
	"pinned_peak_bytes",
	"pin_requests_per_1000_maps",
	"lab_instructions_per_op",
};

/* Of these and of NAME_per_op follows how many operations a boot did. */
static const char *const counted_metrics[] = { "lab_instructions", "vm_exits", "host_cpu_s" };

/* Counts of what there is, not of what happened. */
static const char *const state_metrics[] = { "vfio_mappings" };

static bool in_list(const char *name, const char *const *names, size_t nr)
{
	for (size_t i = 0; i < nr; i++)
		if (!strcmp(names[i], name))
			return true;
	return false;
}

/* "s", and anything "/s": on emulated CPUs these are the emulator's. */
static bool is_time(const char *unit)
{
	size_t len = strlen(unit);

	return !strcmp(unit, "s") || (len >= 2 && !strcmp(unit + len - 2, "/s"));
}

/* Is the same count there per operation already? */
static bool has_per_op(const struct comparison *c, const struct series *series,
		       const struct report_cell *base, const struct report_cell *value)
{
	autofree char *name = xasprintf("%s_per_op", series->metric);

	return compare_run_find(&c->base, base->id, name) &&
	       compare_run_find(&c->value, value->id, name);
}

bool compare_is_usual(const char *metric, const char *unit, bool emulated)
{
	if (emulated && is_time(unit))
		return false;
	return in_list(metric, usual_metrics, ARRAY_SIZE(usual_metrics));
}

bool compare_wants(const struct comparison *c, const struct series *series,
		   const struct report_cell *base, const struct report_cell *value)
{
	const struct compare_options *options = c->options;

	if (series->direction == DIRECTION_NONE)
		return false;
	if (options->metrics)
		return !fnmatch(options->metrics, series->metric, 0);
	if (options->all)
		return !has_per_op(c, series, base, value);
	return compare_is_usual(series->metric, series->unit,
				report_is_emulated(&c->base.report) ||
					report_is_emulated(&c->value.report));
}

static double value_in(const struct series *series, unsigned int boot)
{
	for (size_t i = 0; series && i < series->nr; i++)
		if (series->rows[i]->boot == boot)
			return series->rows[i]->value;
	return NAN;
}

/* Operations in a boot's window, or NAN. */
static double operations(const struct compare_run *run, const char *cell, unsigned int boot)
{
	for (size_t i = 0; i < ARRAY_SIZE(counted_metrics); i++) {
		autofree char *per_op = xasprintf("%s_per_op", counted_metrics[i]);
		double all = value_in(compare_run_find(run, cell, counted_metrics[i]), boot);
		double one = value_in(compare_run_find(run, cell, per_op), boot);

		if (all > 0 && one > 0 && isfinite(all / one))
			return all / one;
	}
	return NAN;
}

/* Returns false if some boot does not say how many operations it did. */
static bool fill(const struct compare_run *run, const struct series *series, bool per_operation,
		 double *values)
{
	for (size_t i = 0; series && i < series->nr; i++) {
		values[i] = series->rows[i]->value;
		if (per_operation)
			values[i] /= operations(run, series->cell->id, series->rows[i]->boot);
		if (!isfinite(values[i]))
			return false;
	}
	return true;
}

void compare_values(const struct comparison *c, const struct series *base,
		    const struct series *value, struct pair *pair)
{
	const struct series *one = base ? base : value;
	struct gate_test *test = &pair->test;

	test->nr_base = base ? base->nr : 0;
	test->nr_value = value ? value->nr : 0;
	pair->base = xzalloc((test->nr_base + 1) * sizeof(*pair->base));
	pair->value = xzalloc((test->nr_value + 1) * sizeof(*pair->value));
	test->base = pair->base;
	test->value = pair->value;
	pair->per_operation = one && !strcmp(one->unit, "count") && !strstr(one->metric, "_per_") &&
			      !in_list(one->metric, state_metrics, ARRAY_SIZE(state_metrics)) &&
			      fill(&c->base, base, true, pair->base) &&
			      fill(&c->value, value, true, pair->value);
	if (pair->per_operation)
		return;
	fill(&c->base, base, false, pair->base);
	fill(&c->value, value, false, pair->value);
}
