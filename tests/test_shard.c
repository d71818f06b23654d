// SPDX-License-Identifier: GPL-2.0-only
/* Splitting a run over hosts: complete, disjoint, groups whole, balanced, the same everywhere. */
#include "tests/capture.h"

#include <errno.h>

#include "bench/registry.h"
#include "harness/boot.h"
#include "harness/resume.h"
#include "harness/shard.h"

#define MODES 3
#define WORKLOADS_MAX 12

/* A workload that takes as many seconds as its setting says. */
static const struct setting seconds_table[] = {
	{ "s", SETTING_COUNT, "1", NULL, 0, 100000, "seconds" },
	{ 0 },
};
static double estimate(const struct settings *settings)
{
	return (double)settings_count(settings, "s");
}
static const struct mode_ops modes[MODES] = { { .name = "a" }, { .name = "b" }, { .name = "c" } };
static const struct device_ops device = { .name = "disk", .class = DEVICE_BLOCK };
static const struct workload_ops workload = {
	.name = "io", .needs = DEVICE_ANY, .settings = seconds_table, .estimate_s = estimate
};

static void add(struct choices *choices, const void *ops, const struct setting *table,
		const unsigned int *seconds, size_t nr)
{
	struct choice *choice;
	char *why;

	choices->items = xrealloc(choices->items, (choices->nr + 1) * sizeof(*choices->items));
	choice = &choices->items[choices->nr++];
	*choice = (struct choice){ ops, xzalloc(nr * sizeof(struct variant)), nr };
	for (size_t i = 0; i < nr; i++) {
		struct variant *variant = &choice->variants[i];

		variant->settings = settings_new(table);
		variant->name = seconds ? xasprintf("s=%u.%zu", seconds[i], i) : xstrdup("");
		if (seconds) {
			autofree char *text = xasprintf("%u", seconds[i]);

			assert_int_equal(settings_set(variant->settings, "s", text, &why), 0);
		}
	}
}

/* Three modes, and one group for each of the workload's times. */
static struct experiment *make_experiment(const unsigned int *seconds, size_t nr, bool share_vm)
{
	struct experiment *exp = xzalloc(sizeof(*exp));

	exp->path = xstrdup("test.yaml");
	exp->boots = 3;
	exp->warmup = 1;
	exp->share_vm = share_vm;
	exp->guest.memory_bytes = GIB;
	for (size_t m = 0; m < MODES; m++)
		add(&exp->modes, &modes[m], NULL, NULL, 1);
	add(&exp->devices, &device, NULL, NULL, 1);
	add(&exp->workloads, &workload, seconds_table, seconds, nr);
	return exp;
}

static struct plan *make_plan(const struct experiment *exp)
{
	struct plan *plan;

	assert_int_equal(plan_new(exp, NULL, 0, &plan), 0);
	return plan;
}

static double boot_s(const struct experiment *exp)
{
	const struct host host = { .kind = (char *)"host" };

	return boot_estimate_s(&host, exp->guest.memory_bytes);
}

static const unsigned int mixed[] = { 100, 1, 40, 30, 30, 5, 2, 60, 7, 11, 13, 1 };

static void texts(void **state)
{
	static const char *const bad[] = { "",	     "1",    "0/3",   "4/3",
					   "1/0",    "-1/2", "1/2/3", "/",
					   "1/",     "/2",   " 1/2",  "1/2 ",
					   "1/1001", "+1/2", "1.0/2", "99999999999/99999999999" };
	struct shard shard;

	assert_int_equal(shard_parse("2/3", &shard), 0);
	assert_int_equal(shard.k, 2);
	assert_int_equal(shard.n, 3);
	assert_int_equal(shard_parse("1/1", &shard), 0);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		if (shard_parse(bad[i], &shard) != -EINVAL)
			fail_msg("'%s' is taken", bad[i]);
}

static void run_ids(void **state)
{
	static const char *const bad[] = { "",	  ".",	 "..",	".x",	   "a/b",
					   "a b", "a\n", "a,b", "\xc3\xa4" };
	autofree char *longest = xzalloc(130);

	memset(longest, 'x', 128);
	assert_true(shard_run_id_valid("nightly-2026.01_A"));
	assert_true(shard_run_id_valid(longest));
	longest[128] = 'x';
	assert_false(shard_run_id_valid(longest));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		if (shard_run_id_valid(bad[i]))
			fail_msg("'%s' is taken", bad[i]);
}

/* Every cell in one shard, modes of a workload together, no shard empty, times add up. */
static void check_split(const struct experiment *exp, unsigned int n)
{
	struct plan *plan = make_plan(exp);
	size_t nr = plan->nr_cells, groups = nr / MODES;
	unsigned int of[MODES * WORKLOADS_MAX], again[MODES * WORKLOADS_MAX];
	double time_s[WORKLOADS_MAX], sum, *same_time_s = time_s;

	assert_int_equal(shard_split(exp, plan, n, of, time_s), 0);
	for (unsigned int k = 1; k <= n; k++) {
		size_t cells = 0;

		sum = 0;
		for (size_t i = 0; i < nr; i++) {
			if (of[i] != k)
				continue;
			assert_true(i < groups || of[i - groups] == k); /* workloads innermost */
			sum += estimate(plan->cells[i].workload_settings);
			cells++;
		}
		assert_true(cells >= MODES);
		sum += boot_s(exp) * (exp->share_vm ? MODES : (double)cells);
		assert_true(time_s[k - 1] > sum - 1e-6 && time_s[k - 1] < sum + 1e-6);
	}
	for (size_t i = 0; i < nr; i++)
		assert_in_range(of[i], 1, n);
	assert_int_equal(shard_split(exp, plan, n, again, same_time_s), 0);
	assert_memory_equal(of, again, nr * sizeof(*of));
	plan_free(plan);
}

static void splits(void **state)
{
	for (int share = 0; share < 2; share++) {
		struct experiment *exp = make_experiment(mixed, ARRAY_SIZE(mixed), share);

		for (unsigned int n = 1; n <= ARRAY_SIZE(mixed); n++)
			check_split(exp, n);
		experiment_free(exp);
	}
}

/* Workloads that take no time at all still leave no shard empty. */
static void splits_nothing(void **state)
{
	static const unsigned int zeros[4];
	struct experiment *exp = make_experiment(zeros, ARRAY_SIZE(zeros), true);

	for (unsigned int n = 1; n <= ARRAY_SIZE(zeros); n++)
		check_split(exp, n);
	experiment_free(exp);
}

/* The longest first: never worse than 4/3 of the best (Graham); here the best is known. */
static void balances(void **state)
{
	static const unsigned int even[] = { 40, 10, 20, 30, 30, 20, 10, 40 }; /* 2 x 100 */
	struct experiment *exp = make_experiment(even, ARRAY_SIZE(even), false);
	struct plan *plan = make_plan(exp);
	unsigned int of[MODES * WORKLOADS_MAX];
	double time_s[2];

	assert_int_equal(shard_split(exp, plan, 2, of, time_s), 0);
	assert_true(time_s[0] == time_s[1]);
	plan_free(plan);
	experiment_free(exp);

	exp = make_experiment(mixed, ARRAY_SIZE(mixed), false); /* 300 s a mode; 100 x 3 */
	plan = make_plan(exp);
	double times[3], longest = 0, sum = 0;

	assert_int_equal(shard_split(exp, plan, 3, of, times), 0);
	for (size_t k = 0; k < 3; k++) {
		longest = times[k] > longest ? times[k] : longest;
		sum += times[k];
	}
	assert_true(longest < sum / 3 * 1.05);
	plan_free(plan);
	experiment_free(exp);
}

static void too_many_shards(void **state)
{
	struct experiment *exp = make_experiment(mixed, 2, false);
	struct plan *plan = make_plan(exp);
	unsigned int of[MODES * WORKLOADS_MAX];
	double time_s[3];
	autofree char *log = NULL;
	int ret;

	capture_begin();
	ret = shard_split(exp, plan, 3, of, time_s);
	log = capture_end();
	assert_int_equal(ret, -EINVAL);
	assert_one_line(log);
	assert_contains(log, "test.yaml: 3 shards are too many");
	assert_contains(log, "at most 2");
	plan_free(plan);
	experiment_free(exp);
}

/* One shard's plan: its cells, each boot of them once, interleaved, its own warm-up first. */
static void check_shard(const struct experiment *exp, unsigned int k, unsigned int n, size_t *total)
{
	const struct shard shard = { k, n };
	struct plan *plan = make_plan(exp);
	unsigned int seen[MODES * WORKLOADS_MAX] = { 0 }, round = 0;

	assert_int_equal(shard_apply(exp, &shard, "the-run", plan), 0);
	assert_string_equal(plan->run_id, "the-run");
	assert_true(plan->nr_cells && plan->boots[0].warmup && plan->boots[0].nr_cells);
	for (size_t b = 0; b < plan->nr_boots; b++) {
		const struct plan_boot *boot = &plan->boots[b];
		const struct cell *first = &plan->cells[boot->cells[0]];

		assert_int_equal(boot->warmup, b == 0);
		assert_true(boot->nr_cells == (exp->share_vm ? plan->nr_cells / MODES : 1));
		assert_true(boot->warmup || boot->index >= round);
		round = boot->index;
		for (size_t i = 0; i < boot->nr_cells; i++) {
			assert_true(boot->cells[i] < plan->nr_cells);
			assert_ptr_equal(plan->cells[boot->cells[i]].mode, first->mode);
			seen[boot->cells[i]] += !boot->warmup;
		}
	}
	assert_memory_equal(plan->boots[0].cells, plan->boots[1].cells,
			    plan->boots[0].nr_cells * sizeof(size_t));
	for (size_t i = 0; i < plan->nr_cells; i++)
		assert_int_equal(seen[i], exp->boots);
	*total += plan->nr_cells;
	plan_free(plan);
}

static void shards_are_plans(void **state)
{
	for (int share = 0; share < 2; share++) {
		struct experiment *exp = make_experiment(mixed, ARRAY_SIZE(mixed), share);
		size_t total = 0;

		for (unsigned int k = 1; k <= 5; k++)
			check_shard(exp, k, 5, &total);
		assert_int_equal(total, MODES * ARRAY_SIZE(mixed));
		experiment_free(exp);
	}
}

/* What the manifest keeps: all cells of the whole with their shards, the same from every shard. */
static void record(void **state)
{
	struct experiment *exp = make_experiment(mixed, 4, false);
	struct plan *one = make_plan(exp), *two = make_plan(exp);
	json_t *cells, *cell;
	size_t i, own = 0;

	assert_int_equal(shard_apply(exp, &(struct shard){ 1, 2 }, "x", one), 0);
	assert_int_equal(shard_apply(exp, &(struct shard){ 2, 2 }, "x", two), 0);
	cells = json_object_get(one->shard, "cells");
	assert_true(json_equal(cells, json_object_get(two->shard, "cells")));
	assert_int_equal(json_integer_value(json_object_get(two->shard, "k")), 2);
	assert_int_equal(json_integer_value(json_object_get(two->shard, "n")), 2);
	assert_int_equal(json_integer_value(json_object_get(two->shard, "boots")), 3);
	assert_int_equal(json_array_size(cells), 4 * MODES);
	json_array_foreach(cells, i, cell) {
		const char *id = json_string_value(json_object_get(cell, "id"));

		if (json_integer_value(json_object_get(cell, "shard")) == 1)
			assert_string_equal(id, one->cells[own++].id);
	}
	assert_int_equal(own, one->nr_cells);
	assert_int_equal(one->nr_cells + two->nr_cells, 4 * MODES);
	plan_free(one);
	plan_free(two);
	experiment_free(exp);
}

static void resume_is(int expected, const char *why, struct manifest *manifest,
		      const struct experiment *exp, const struct plan *plan)
{
	json_t *env = json_pack("{s:s}", "fingerprint", "00ff");
	autofree char *log = NULL;
	int ret;

	capture_begin();
	ret = resume_check("dir", manifest, exp, plan, env);
	log = capture_end();
	json_decref(env);
	assert_int_equal(ret, expected);
	if (expected)
		assert_contains(log, why);
	else
		assert_string_equal(log, "");
}

static json_t *cells_of(const struct plan *plan)
{
	json_t *cells = json_array();

	for (size_t i = 0; i < plan->nr_cells; i++)
		json_array_append_new(cells, manifest_cell_json(&plan->cells[i]));
	return cells;
}

/* A run goes on with the experiment, the cells and boots, the builds and the kind of host that it
 * was started with. */
static void resumes_the_same(void **state)
{
	struct experiment *exp, *changed;
	struct plan *plan, *whole, *second;
	struct manifest manifest = { NULL, json_object() };
	json_t *env = json_pack("{s:s}", "fingerprint", "00ff");

	assert_int_equal(experiment_load("configs/quick.yaml", &exp), 0);
	assert_int_equal(experiment_load("configs/coiommu.yaml", &changed), 0);
	plan = make_plan(exp);
	whole = make_plan(exp);
	second = make_plan(exp);

	assert_int_equal(shard_apply(exp, &(struct shard){ 1, 2 }, "x", plan), 0);
	assert_int_equal(shard_apply(exp, &(struct shard){ 2, 2 }, "x", second), 0);
	json_object_set_new(manifest.root, "config", experiment_json(exp));
	json_object_set(manifest.root, "shard", plan->shard);
	json_object_set(manifest.root, "environment", env);
	resume_is(0, "", &manifest, exp, plan);
	resume_is(-EINVAL, "not the one this run was started with", &manifest, changed, plan);
	resume_is(-EINVAL, "other cells or boots", &manifest, exp, second);
	resume_is(-EINVAL, "other cells or boots", &manifest, exp, whole);
	json_object_del(manifest.root, "shard");
	resume_is(-EINVAL, "other cells or more boots", &manifest, exp, whole);
	json_object_set_new(manifest.root, "cells", cells_of(whole));
	json_object_set_new(manifest.root, "boots", json_integer(manifest_rounds(whole)));
	resume_is(0, "", &manifest, exp, whole);
	json_object_set_new(manifest.root, "boots", json_integer(manifest_rounds(whole) + 1));
	resume_is(-EINVAL, "other cells or more boots", &manifest, exp, whole);
	json_object_set_new(manifest.root, "boots", json_integer(1));
	json_object_set_new(env, "guest_files", json_pack("{s:s}", "qemu", "another build"));
	resume_is(-EINVAL, "boots of two builds", &manifest, exp, whole);
	json_object_del(env, "guest_files");
	json_object_set_new(env, "fingerprint", json_string("beef"));
	resume_is(-EXDEV, "another kind of host (fingerprint beef, here 00ff)", &manifest, exp,
		  whole);
	json_decref(env);
	json_decref(manifest.root);
	plan_free(plan);
	plan_free(whole);
	plan_free(second);
	experiment_free(exp);
	experiment_free(changed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts),
		cmocka_unit_test(run_ids),
		cmocka_unit_test(splits),
		cmocka_unit_test(splits_nothing),
		cmocka_unit_test(balances),
		cmocka_unit_test(too_many_shards),
		cmocka_unit_test(shards_are_plans),
		cmocka_unit_test(record),
		cmocka_unit_test(resumes_the_same),
	};

	return cmocka_run_group_tests(tests, capture_setup, capture_teardown);
}
