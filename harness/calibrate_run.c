// SPDX-License-Identifier: GPL-2.0-only
/* calibrate: the boots of runs, what is found in them, and the file it is kept in. */
#include "harness/calibrate.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "harness/ab.h"
#include "harness/compare_data.h"
#include "harness/floors.h"
#include "harness/log.h"
#include "harness/run.h"
#include "harness/util.h"

#define SEED 1
#define ALARM_SEED 2 /* of other splits than those that the floors come from */

struct calibration {
	const struct calibrate_options *options;
	struct pools pools;
	char *fingerprint;
	struct strlist run_ids;
	unsigned int comparisons, alarms; /* of the runs as they were */
};

/* --- the boots --- */

static struct pool *find_pool(struct pools *pools, const struct pair *pair)
{
	struct pool *pool;

	for (size_t i = 0; i < pools->nr; i++)
		if (!strcmp(pools->items[i].cell, pair->cell) &&
		    !strcmp(pools->items[i].metric, pair->metric))
			return &pools->items[i];
	pools->items = xrealloc(pools->items, (pools->nr + 1) * sizeof(*pools->items));
	pool = &pools->items[pools->nr++];
	*pool = (struct pool){ .cell = xstrdup(pair->cell),
			       .metric = xstrdup(pair->metric),
			       .direction = pair->test.direction };
	return pool;
}

static void add_values(struct pool *pool, const double *values, size_t nr)
{
	pool->values = xrealloc(pool->values, (pool->nr + nr + 1) * sizeof(*pool->values));
	memcpy(pool->values + pool->nr, values, nr * sizeof(*values));
	pool->nr += nr;
}

/* Each run's boots once: all are compared with the first, which is the base then. */
static void take_pairs(struct calibration *c, const struct comparison *comparison, size_t base,
		       size_t value)
{
	for (size_t i = 0; i < comparison->nr_pairs; i++) {
		const struct pair *pair = &comparison->pairs[i];
		struct pool *pool = find_pool(&c->pools, pair);
		double change = fabs(pair->test.change);

		if (base == 0 && value == 1)
			add_values(pool, pair->base, pair->test.nr_base);
		if (base == 0)
			add_values(pool, pair->value, pair->test.nr_value);
		if (pair->test.nr_base >= GATE_MIN_BOOTS && pair->test.nr_value >= GATE_MIN_BOOTS)
			pool->between = fmax(pool->between, change);
	}
	c->comparisons++;
	c->alarms += comparison_status(comparison) == EXIT_REGRESSION;
}

static int compare_two(struct calibration *c, size_t base, size_t value)
{
	const struct compare_options options = { .base = c->options->runs[base],
						 .value = c->options->runs[value],
						 .all = c->options->all,
						 .floors = "none",
						 .seed = COMPARE_SEED };
	struct comparison comparison = { .options = &options };
	int ret = comparison_make(&comparison);
	const struct report *report = &comparison.value.report;

	if (!ret && !strcmp(report_text(&comparison.base.report, "run_id"),
			    report_text(report, "run_id"))) {
		log_err("%s, %s: the same run twice: its boots would count twice", options.base,
			options.value);
		ret = -EINVAL;
	}
	if (!ret && comparison.tested) {
		log_err("%s, %s: what they differ in was tested (run --ab), so their difference is no "
			"noise: give runs of one experiment",
			options.base, options.value);
		ret = -EINVAL;
	}
	if (!ret) {
		json_t *environment = json_object_get(report->manifest, "environment");
		const char *host = json_string_value(json_object_get(environment, "fingerprint"));

		take_pairs(c, &comparison, base, value);
		if (base == 0 && value == 1)
			strlist_add(&c->run_ids, report_text(&comparison.base.report, "run_id"));
		if (base == 0)
			strlist_add(&c->run_ids, report_text(report, "run_id"));
		if (!c->fingerprint)
			c->fingerprint = xstrdup(host ? host : "unknown");
	}
	comparison_free(&comparison);
	return ret;
}

static int take_runs(struct calibration *c)
{
	int ret = 0;

	for (size_t base = 0; base < c->options->nr_runs && !ret; base++)
		for (size_t value = base + 1; value < c->options->nr_runs && !ret; value++)
			ret = compare_two(c, base, value);
	return ret;
}

/* --- what is found --- */

static bool any_floor(const struct pools *pools)
{
	for (size_t i = 0; i < pools->nr; i++)
		if (!isnan(pools->items[i].floor))
			return true;
	return false;
}

/* The cell that sets the metric's floor; NULL if another metric's line has been printed for it. */
static const struct pool *noisiest(const struct pools *pools, size_t first)
{
	const struct pool *found = &pools->items[first];

	for (size_t i = 0; i < pools->nr; i++) {
		const struct pool *pool = &pools->items[i];

		if (strcmp(pool->metric, pools->items[first].metric) != 0)
			continue;
		if (i < first)
			return NULL;
		if (!(pool->floor <= found->floor) && !isnan(pool->floor))
			found = pool;
	}
	return found;
}

static void print_rate(const char *what, const struct alarm_rate *rate, FILE *out)
{
	fprintf(out, "  %s %.1f %% (95 %%: %.1f %% to %.1f %%)\n", what,
		100.0 * rate->alarms / rate->splits, 100 * rate->low, 100 * rate->high);
}

static void print_alarms(const struct calibration *c, FILE *out)
{
	struct alarm_rate usual = calibrate_alarms(&c->pools, false, ALARM_SEED);
	struct alarm_rate own = calibrate_alarms(&c->pools, true, ALARM_SEED);

	fprintf(out,
		"\nfalse alarms of compare, on %u random splits of these boots into two runs of %d "
		"boots at most:\n",
		usual.splits, CALIBRATE_SIDE);
	print_rate("with a floor of 1.5 %:", &usual, out);
	print_rate("with these floors:    ", &own, out);
	fprintf(out,
		"The splits are of the same boots, so this checks the gate on this host's noise, not "
		"what changes\nfrom day to day; for that, give runs of several days with --from.\n"
		"The runs as they were: %u of %u comparisons raise an alarm.\n",
		c->alarms, c->comparisons);
}

/* Prints a line a metric; returns them as floors_store() wants them. New reference. */
static json_t *print_floors(const struct pools *pools, FILE *out)
{
	json_t *metrics = json_object();

	fprintf(out, "%-28s %8s  %5s  %s\n", "metric", "floor", "boots", "noisiest cell");
	for (size_t i = 0; i < pools->nr; i++) {
		const struct pool *pool = noisiest(pools, i);

		if (!pool)
			continue;
		if (isnan(pool->floor)) {
			fprintf(out, "%-28s %8s  %5zu  %s: %d are needed\n", pool->metric, "none",
				pool->nr, pool->cell, 2 * GATE_MIN_BOOTS);
			continue;
		}
		json_object_set_new(metrics, pool->metric, json_real(pool->floor));
		fprintf(out, "%-28s %6.2f %%  %5zu  %s\n", pool->metric, 100 * pool->floor,
			pool->nr, pool->cell);
	}
	return metrics;
}

static int store(const struct calibration *c, json_t *metrics, FILE *out)
{
	autofree char *usual = c->options->floors ? NULL : floors_default_path();
	autofree char *now = now_iso8601();
	const char *path = c->options->floors ? c->options->floors : usual;
	json_t *ids = json_array(), *host;
	int ret;

	for (size_t i = 0; i < c->run_ids.nr; i++)
		json_array_append_new(ids, json_string(c->run_ids.items[i]));
	host = json_pack("{s:s, s:o, s:O}", "calibrated", now, "runs", ids, "metrics", metrics);
	if (!path) {
		log_err("neither HOME nor XDG_STATE_HOME is set: say where the floors go with "
			"--floors FILE");
		ret = -EINVAL;
	} else {
		ret = floors_store(path, c->fingerprint, host);
	}
	if (!ret)
		fprintf(out, "\nkept for the host %s in %s%s\n", c->fingerprint, path,
			c->options->floors ? "" : ", where compare finds them");
	json_decref(host);
	return ret;
}

static int report_all(struct calibration *c, FILE *out)
{
	json_t *metrics;
	int ret;

	for (size_t i = 0; i < c->pools.nr; i++)
		calibrate_floor(&c->pools.items[i], SEED);
	if (!any_floor(&c->pools)) {
		log_err("%s ...: no metric has %d boots in a cell over all runs: run it with more",
			c->options->runs[0], 2 * GATE_MIN_BOOTS);
		return -EINVAL;
	}
	metrics = print_floors(&c->pools, out);
	print_alarms(c, out);
	ret = store(c, metrics, out);
	json_decref(metrics);
	return ret;
}

static void calibration_free(struct calibration *c)
{
	for (size_t i = 0; i < c->pools.nr; i++) {
		free(c->pools.items[i].cell);
		free(c->pools.items[i].metric);
		free(c->pools.items[i].values);
	}
	free(c->pools.items);
	free(c->fingerprint);
	strlist_free(&c->run_ids);
}

int calibrate_runs(const struct calibrate_options *options, FILE *out)
{
	struct calibration c = { .options = options };
	int ret;

	if (options->nr_runs < 2 || options->nr_runs > CALIBRATE_RUNS_MAX) {
		log_err("calibrate: %zu runs: give 2 to %d of the same experiment",
			options->nr_runs, CALIBRATE_RUNS_MAX);
		return EXIT_USAGE;
	}
	ret = take_runs(&c);
	if (!ret)
		ret = report_all(&c, out);
	calibration_free(&c);
	return ret ? EXIT_USAGE : EXIT_OK;
}

int calibrate_command(const struct run_options *run, const struct calibrate_options *options,
		      FILE *out)
{
	struct calibrate_options with = *options;
	struct run_options twice = *run;
	char *runs[NR_SIDES];
	autofree char *dir = NULL;
	int code, calibrated;

	if (!run->resume) {
		twice.ab = run->config;
		twice.boots = twice.max_boots = run->boots ? run->boots : CALIBRATE_BOOTS;
	}
	twice.time_limit_s = 1e6; /* none: the number of boots is fixed */
	code = ab_measure(&twice, "calibrate", &dir);
	if (!dir)
		return code;
	for (unsigned int side = 0; side < NR_SIDES; side++)
		runs[side] = xasprintf("%s/%s", dir, turns_side(side));
	with.runs = runs;
	with.nr_runs = NR_SIDES;
	fprintf(out, "\n");
	calibrated = calibrate_runs(&with, out);
	for (unsigned int side = 0; side < NR_SIDES; side++)
		free(runs[side]);
	return code ? code : calibrated;
}
