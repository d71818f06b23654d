// SPDX-License-Identifier: GPL-2.0-only
/* The statistical gate between two runs. */
#include "harness/compare.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "harness/compare_data.h"
#include "harness/floors.h"
#include "harness/log.h"
#include "harness/partner.h"
#include "harness/run.h"

/* A cell in both runs. */
struct cells {
	const struct report_cell *base, *value;
};

static void add_pair(struct comparison *c, const struct cells *cells, const struct series *base,
		     const struct series *value)
{
	const struct series *one = base ? base : value;
	size_t nr = c->nr_pairs;
	struct pair *pair;
	uint64_t seed;

	if (!(nr & (nr - 1))) /* full at each power of two */
		c->pairs = xrealloc(c->pairs, (nr ? nr * 2 : 1) * sizeof(*c->pairs));
	pair = &c->pairs[c->nr_pairs++];
	*pair = (struct pair){ .cell = cells->base->id,
			       .other = cells->value->id,
			       .metric = one->metric,
			       .unit = one->unit };
	compare_values(c, base, value, pair);
	pair->test.direction = one->direction;
	pair->test.share = looks_share(&c->looks);
	/* Of its own for each: what else is compared does not change it. */
	seed = fnv1a(FNV1A_INIT, &c->options->seed, sizeof(c->options->seed));
	seed = fnv1a(seed, pair->cell, strlen(pair->cell) + 1);
	pair->test.seed = fnv1a(seed, pair->metric, strlen(pair->metric));
}

/* Wanted in one run; the other may have no values of it. Errors are logged. */
static int pair_series(struct comparison *c, const struct cells *cells, const struct series *base,
		       const struct series *value)
{
	const struct series *one = base ? base : value;
	const struct compare_run *other = base ? &c->value : &c->base;
	const struct report_cell *without = base ? cells->value : cells->base;

	if (base && value &&
	    (strcmp(base->unit, value->unit) != 0 || base->direction != value->direction)) {
		log_err("%s of %s has another unit or direction in %s than in %s: written by "
			"different versions",
			one->metric, one->cell->id, c->options->base, c->options->value);
		return -EINVAL;
	}
	if (base && value) {
		add_pair(c, cells, base, value);
		return 0;
	}
	/* A cell whose boots all failed must not pass as one without a regression. */
	if (!without->nr_ok || report_metric(&other->report, one->metric) != NO_METRIC)
		add_pair(c, cells, base, value);
	else
		strlist_addf(&c->notes, "only in %s: %s of %s", base ? "BASE" : "NEW", one->metric,
			     one->cell->id);
	return 0;
}

static int pair_cell(struct comparison *c, const struct cells *cells)
{
	const char *base_id = cells->base->id, *value_id = cells->value->id;
	size_t nr_base, nr_value;
	const struct series *base = compare_run_series(&c->base, base_id, &nr_base);
	const struct series *value = compare_run_series(&c->value, value_id, &nr_value);
	int ret = 0;

	for (size_t i = 0; i < nr_base && !ret; i++)
		if (compare_wants(c, &base[i], cells->base, cells->value))
			ret = pair_series(c, cells, &base[i],
					  compare_run_find(&c->value, value_id, base[i].metric));
	for (size_t i = 0; i < nr_value && !ret; i++)
		if (compare_wants(c, &value[i], cells->base, cells->value) &&
		    !compare_run_find(&c->base, base_id, value[i].metric))
			ret = pair_series(c, cells, NULL, &value[i]);
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

static int pair_both(struct comparison *c, const struct cells *cells)
{
	autofree char *why = NULL;

	note_boots(c, cells->base, "BASE");
	note_boots(c, cells->value, "NEW");
	if (is_skipped(cells->base) || is_skipped(cells->value))
		return 0;
	if (compare_same_cell(c, cells->base, cells->value, &why))
		return pair_cell(c, cells);
	strlist_addf(&c->notes, "%s: %s: %s", c->ab ? "tested" : "not the same in both",
		     cells->base->id, why);
	c->tested = c->ab;
	return c->ab ? pair_cell(c, cells) : 0;
}

static int pair_cells(struct comparison *c)
{
	const struct report *base = &c->base.report, *value = &c->value.report;
	autofree bool *found = xzalloc(value->nr_cells + 1);
	int ret = 0;

	compare_find_partners(c);
	for (size_t i = 0; i < base->nr_cells && !ret; i++) {
		size_t partner = c->partners[i];

		if (partner == NO_PARTNER) {
			strlist_addf(&c->notes, "only in BASE: %s", base->cells[i].id);
			continue;
		}
		found[partner] = true;
		ret = pair_both(c, &(struct cells){ &base->cells[i], &value->cells[partner] });
	}
	for (size_t i = 0; i < value->nr_cells; i++)
		if (!found[i])
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
		if (c->partners[i] != NO_PARTNER)
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

int comparison_make(struct comparison *c)
{
	json_t *environment;
	struct floors floors;
	const char *host;
	int ret = load(c);

	if (ret || !c->nr_pairs)
		return ret ? ret : no_pairs(c);
	environment = json_object_get(c->base.report.manifest, "environment");
	host = json_string_value(json_object_get(environment, "fingerprint"));
	ret = floors_find(c->options->floors, host ? host : "unknown", &floors);
	if (ret)
		return ret;
	if (floors.host && !c->options->floors)
		strlist_addf(&c->notes,
			     "noise floors of this host from %s (--floors none: without)",
			     floors.path);
	judge(c, &floors);
	floors_free(&floors);
	return 0;
}

int comparison_status(const struct comparison *c)
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

void comparison_free(struct comparison *c)
{
	for (size_t i = 0; i < c->nr_pairs; i++) {
		free(c->pairs[i].base);
		free(c->pairs[i].value);
	}
	free(c->pairs);
	free(c->partners);
	strlist_free(&c->forced);
	strlist_free(&c->notes);
	compare_run_free(&c->base);
	compare_run_free(&c->value);
}

int compare_command(const struct compare_options *options, FILE *out)
{
	struct comparison c = { .options = options };
	int status = EXIT_USAGE;

	if (!comparison_make(&c)) {
		status = comparison_status(&c);
		if (options->as_json)
			print_json(&c, status, out);
		else
			compare_print(&c, out);
		/* A page that cannot be written is no regression, and hides none. */
		if (options->html && compare_html(&c) && status != EXIT_REGRESSION)
			status = EXIT_USAGE;
	}
	comparison_free(&c);
	return status;
}
