// SPDX-License-Identifier: GPL-2.0-only
/* The statistical gate between two runs. */
#include "harness/compare.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "harness/compare_data.h"
#include "harness/floors.h"
#include "harness/log.h"
#include "harness/run.h"

static void add_pair(struct comparison *c, const struct series *base, const struct series *value)
{
	const struct series *one = base ? base : value;
	size_t nr = c->nr_pairs;
	struct pair *pair;
	uint64_t seed;

	if (!(nr & (nr - 1))) /* full at each power of two */
		c->pairs = xrealloc(c->pairs, (nr ? nr * 2 : 1) * sizeof(*c->pairs));
	pair = &c->pairs[c->nr_pairs++];
	*pair = (struct pair){ .cell = one->cell->id, .metric = one->metric, .unit = one->unit };
	compare_values(c, base, value, pair);
	pair->test.direction = one->direction;
	/* Of its own for each: what else is compared does not change it. */
	seed = fnv1a(FNV1A_INIT, &c->options->seed, sizeof(c->options->seed));
	seed = fnv1a(seed, pair->cell, strlen(pair->cell) + 1);
	pair->test.seed = fnv1a(seed, pair->metric, strlen(pair->metric));
}

/* Wanted in one run; the other may have no values of it. Errors are logged. */
static int pair_series(struct comparison *c, const struct series *base, const struct series *value)
{
	const struct series *one = base ? base : value;
	const struct compare_run *other = base ? &c->value : &c->base;

	if (base && value &&
	    (strcmp(base->unit, value->unit) != 0 || base->direction != value->direction)) {
		log_err("%s of %s has another unit or direction in %s than in %s: written by "
			"different versions",
			one->metric, one->cell->id, c->options->base, c->options->value);
		return -EINVAL;
	}
	if (base && value) {
		add_pair(c, base, value);
		return 0;
	}
	/* A cell whose boots all failed must not pass as one without a regression. */
	if (report_metric(&other->report, one->metric) != NO_METRIC)
		add_pair(c, base, value);
	else
		strlist_addf(&c->notes, "only in %s: %s of %s", base ? "BASE" : "NEW", one->metric,
			     one->cell->id);
	return 0;
}

static int pair_cell(struct comparison *c, const char *cell)
{
	size_t nr_base, nr_value;
	const struct series *base = compare_run_series(&c->base, cell, &nr_base);
	const struct series *value = compare_run_series(&c->value, cell, &nr_value);
	int ret = 0;

	for (size_t i = 0; i < nr_base && !ret; i++)
		if (compare_wants(c, &base[i]))
			ret = pair_series(c, &base[i],
					  compare_run_find(&c->value, cell, base[i].metric));
	for (size_t i = 0; i < nr_value && !ret; i++)
		if (compare_wants(c, &value[i]) &&
		    !compare_run_find(&c->base, cell, value[i].metric))
			ret = pair_series(c, NULL, &value[i]);
	return ret;
}

static bool is_skipped(const struct report_cell *cell)
{
	return !strcmp(cell->status, "skipped");
}

/* Boots that do not count, and why. */
static void note_boots(struct comparison *c, const struct report_cell *cell, const char *side)
{
	if (is_skipped(cell))
		strlist_addf(&c->notes, "skipped in %s: %s: %s", side, cell->id,
			     cell->reason ? cell->reason : "no reason given");
	else if (cell->nr_ok < cell->nr_boots || !cell->nr_boots)
		strlist_addf(&c->notes, "%zu of %zu boots are not ok in %s: %s: %s: %s",
			     cell->nr_boots - cell->nr_ok, cell->nr_boots, side, cell->id,
			     cell->status, cell->reason ? cell->reason : "no reason given");
}

static int pair_cells(struct comparison *c)
{
	const struct report *base = &c->base.report, *value = &c->value.report;
	int ret = 0;

	for (size_t i = 0; i < base->nr_cells && !ret; i++) {
		const struct report_cell *cell = &base->cells[i];
		const struct report_cell *other = compare_run_cell(&c->value, cell->id);
		autofree char *why = NULL;

		if (!other) {
			strlist_addf(&c->notes, "only in BASE: %s", cell->id);
			continue;
		}
		note_boots(c, cell, "BASE");
		note_boots(c, other, "NEW");
		if (is_skipped(cell) || is_skipped(other))
			continue;
		if (!compare_same_cell(c, cell, &why))
			strlist_addf(&c->notes, "not the same in both: %s: %s", cell->id, why);
		else
			ret = pair_cell(c, cell->id);
	}
	for (size_t i = 0; i < value->nr_cells; i++)
		if (!compare_run_cell(&c->base, value->cells[i].id))
			strlist_addf(&c->notes, "only in NEW: %s", value->cells[i].id);
	return ret;
}

static int compare_pairs(const void *a, const void *b)
{
	const struct gate_test *x = &((const struct pair *)a)->test;
	const struct gate_test *y = &((const struct pair *)b)->test;
	double worse_x = gate_harm(x), worse_y = gate_harm(y);
	int order = (x->verdict > y->verdict) - (x->verdict < y->verdict);

	if (order)
		return order;
	order = isnan(worse_x) - isnan(worse_y); /* no values on a side */
	if (order)
		return -order;
	order = (worse_x < worse_y) - (worse_x > worse_y);
	return order ? order
		     : strcmp(((const struct pair *)a)->cell, ((const struct pair *)b)->cell);
}

/* qsort() moves the pairs, so tests are collected for the gate and put back. */
static void judge(struct comparison *c, const struct floors *floors)
{
	/* The table has no room for the ratio, so only JSON takes the time to draw for it. */
	const struct gate_options options = { GATE_ALPHA,
					      c->options->as_json ? GATE_RESAMPLES : 0 };
	autofree struct gate_test *tests = xzalloc((c->nr_pairs + 1) * sizeof(*tests));

	for (size_t i = 0; i < c->nr_pairs; i++) {
		struct gate_test *test = &c->pairs[i].test;

		floors_of(floors, c->pairs[i].metric, &test->floor, &test->margin);
		tests[i] = *test;
	}
	gate_run(tests, c->nr_pairs, &options);
	for (size_t i = 0; i < c->nr_pairs; i++)
		c->pairs[i].test = tests[i];
	qsort(c->pairs, c->nr_pairs, sizeof(*c->pairs), compare_pairs);
}

static int load(struct comparison *c)
{
	int ret = compare_run_load(c->options->base, &c->base);

	if (!ret)
		ret = compare_run_load(c->options->value, &c->value);
	if (!ret)
		ret = compare_match(c);
	if (!ret)
		ret = pair_cells(c);
	return ret;
}

static bool any_common_cell(const struct comparison *c)
{
	for (size_t i = 0; i < c->base.report.nr_cells; i++)
		if (compare_run_cell(&c->value, c->base.report.cells[i].id))
			return true;
	return false;
}

static int no_pairs(const struct comparison *c)
{
	const char *what = "metric";
	const char *remedy = "--all takes every metric that has a direction";

	for (size_t i = 0; i < c->notes.nr; i++)
		log_info("%s", c->notes.items[i]);
	if (c->options->metrics || c->options->all)
		remedy = "samples.csv has their names; one with direction none cannot be judged";
	if (!any_common_cell(c)) {
		what = "cell";
		remedy = "run the same experiment twice";
	}
	log_err("%s, %s: no %s in common to compare: %s", c->options->base, c->options->value, what,
		remedy);
	return -EINVAL;
}

static int compare_runs(struct comparison *c)
{
	json_t *environment;
	struct floors floors;
	const char *host;
	int ret = load(c);

	if (ret || !c->nr_pairs)
		return ret ? ret : no_pairs(c);
	environment = json_object_get(c->base.report.manifest, "environment");
	host = json_string_value(json_object_get(environment, "fingerprint"));
	ret = floors_load(c->options->floors, host ? host : "unknown", &floors);
	if (ret)
		return ret;
	judge(c, &floors);
	floors_free(&floors);
	return 0;
}

static int exit_status(const struct comparison *c)
{
	bool inconclusive = false;

	for (size_t i = 0; i < c->nr_pairs; i++) {
		if (c->pairs[i].test.verdict == VERDICT_REGRESSION)
			return EXIT_REGRESSION;
		if (c->pairs[i].test.verdict == VERDICT_INCONCLUSIVE)
			inconclusive = true;
	}
	return inconclusive ? EXIT_INCONCLUSIVE : EXIT_OK;
}

static void print_json(const struct comparison *c, int status, FILE *out)
{
	json_t *json = compare_json(c, status);

	json_dumpf(json, out, JSON_INDENT(2));
	fputc('\n', out);
	json_decref(json);
}

static void comparison_free(struct comparison *c)
{
	for (size_t i = 0; i < c->nr_pairs; i++) {
		free(c->pairs[i].base);
		free(c->pairs[i].value);
	}
	free(c->pairs);
	strlist_free(&c->forced);
	strlist_free(&c->notes);
	compare_run_free(&c->base);
	compare_run_free(&c->value);
}

int compare_command(const struct compare_options *options, FILE *out)
{
	struct comparison c = { .options = options };
	int status = EXIT_USAGE;

	if (!compare_runs(&c)) {
		status = exit_status(&c);
		if (options->as_json)
			print_json(&c, status, out);
		else
			compare_print(&c, out);
		if (options->html && compare_html(&c))
			status = EXIT_USAGE;
	}
	comparison_free(&c);
	return status;
}
