// SPDX-License-Identifier: GPL-2.0-only
/* Joining the shards of a run: what comes out, what is refused, and what is never compared. */
#include "tests/made_shards.h"

#include <math.h>

#include "harness/compare.h"
#include "harness/report_data.h"

static const char *text_of(const json_t *json, const char *key)
{
	return json_string_value(json_object_get(json, key));
}

static int merge(char **said)
{
	return merge_to("out", "one", "two", said);
}

/* Refused, with this in the one error, and nothing written. */
static void assert_refused(const char *why)
{
	autofree char *said = NULL, *out = shard_path("out", ""),
		      *left = xasprintf("%s/out.merging", capture_dir);

	assert_int_equal(merge(&said), EXIT_USAGE);
	assert_contains(said, why);
	assert_false(file_exists(out));
	assert_false(file_exists(left));
}

static void joins_all(void **state)
{
	static const char *const ids[] = { "static.nvme.boot", "static.nvme.fio",
					   "coiommu.nvme.boot", "coiommu.nvme.fio" };
	autofree char *samples = NULL, *one = NULL, *two = NULL, *expected = NULL;
	json_t *root, *cells, *env;

	put_shard("one", 1, (struct made_shard){ 0 });
	put_shard("two", 2, (struct made_shard){ 0 });
	assert_int_equal(merge_to("out", "two", "one", NULL), EXIT_OK);
	root = shard_manifest("out");
	cells = json_object_get(root, "cells");
	env = json_object_get(root, "environment");
	assert_string_equal(text_of(root, "status"), "complete");
	assert_string_equal(text_of(root, "run_id"), "night");
	assert_string_equal(text_of(root, "started"), "2026-01-01");
	assert_string_equal(text_of(root, "finished"), "2026-01-04");
	assert_string_equal(text_of(env, "fingerprint"), "00ff");
	assert_true(json_is_null(json_object_get(env, "load_average")));
	assert_null(json_object_get(root, "shard"));
	assert_int_equal(json_array_size(json_object_get(root, "shards")), 2);
	assert_int_equal(json_array_size(cells), ARRAY_SIZE(ids));
	for (size_t i = 0; i < ARRAY_SIZE(ids); i++) {
		const json_t *cell = json_array_get(cells, i);
		autofree char *file = xasprintf("cells/%s/0/console.log", ids[i]);
		autofree char *console = shard_get("out", file);

		assert_string_equal(text_of(cell, "id"), ids[i]);
		assert_string_equal(text_of(cell, "status"), "ok");
		assert_int_equal(json_integer_value(json_object_get(cell, "shard")), i % 2 + 1);
		assert_int_equal(json_array_size(json_object_get(cell, "boots")), SHARD_BOOTS);
		assert_string_equal(console, shard_workloads[i % 2]);
	}
	samples = shard_get("out", "samples.csv");
	one = shard_get("one", "samples.csv");
	two = shard_get("two", "samples.csv");
	expected = xasprintf("%s%s", one, strchr(two, '\n') + 1);
	assert_string_equal(samples, expected);
	json_decref(root);
}

static void missing_shard(void **state)
{
	autofree char *said = NULL;
	json_t *root, *cell, *shard;
	size_t i;

	put_shard("one", 1, (struct made_shard){ 0 });
	assert_int_equal(merge_to("out", "one", NULL, &said), EXIT_CELLS);
	assert_contains(said, "shard 2 of 2 is missing");
	root = shard_manifest("out");
	assert_string_equal(text_of(root, "status"), "partial");
	json_array_foreach(json_object_get(root, "cells"), i, cell) {
		bool there = i % 2 == 0;

		assert_string_equal(text_of(cell, "status"), there ? "ok" : "skipped");
		if (!there)
			assert_string_equal(text_of(cell, "reason"), "shard 2 of 2 is missing");
		assert_int_equal(json_array_size(json_object_get(cell, "boots")),
				 there ? SHARD_BOOTS : 0);
	}
	shard = json_array_get(json_object_get(root, "shards"), 1);
	assert_string_equal(text_of(shard, "status"), "missing");
	json_decref(root);
}

/* A host was lost in a boot: its rows without a record do not count. */
static void lost_host(void **state)
{
	autofree char *said = NULL, *samples = NULL, *rows = NULL;
	json_t *root;

	put_shard("one", 1, (struct made_shard){ 0 });
	put_shard("two", 2, (struct made_shard){ .status = "running", .finished = 3 });
	samples = shard_get("two", "samples.csv");
	rows = xasprintf("%sstatic.nvme.fio,static,nvme,fio,,3,read_iops,ops/s,higher,7\nstatic.n",
			 samples);
	shard_put("two", "samples.csv", rows);
	assert_int_equal(merge(&said), EXIT_CELLS);
	assert_contains(said, "shard 2 of 2 is not complete: 'iommubench run --resume ");
	root = shard_manifest("out");
	assert_string_equal(text_of(root, "status"), "partial");
	json_decref(root);
	free(rows);
	rows = shard_get("out", "samples.csv");
	assert_null(strstr(rows, ",3,read_iops,ops/s,higher,7\n"));
	assert_contains(rows, "static.nvme.fio,static,nvme,fio,,2,read_iops");
}

static void refuses_other_runs(void **state)
{
	static const struct {
		struct made_shard made;
		const char *why;
	} cases[] = {
		{ { .run_id = "day" }, "other manifest run_id: \"night\", now \"day\"" },
		{ { .revision = "def" }, "other manifest git_revision" },
		{ { .memory = 2048 }, "other manifest config" },
		{ { .where = "lab-tcg" }, "other manifest where" },
		{ { .n = 3 }, "other manifest shard.n: 2, now 3" },
		{ { .boots = 9 }, "other manifest shard.boots: 6, now 9" },
		{ { .no_shard = true }, "two/manifest.json: this run is no shard" },
		{ { .cells_of = 1 }, "its cells are not those of its shard" },
		{ { .boots = 3 }, "a boot's number is none of the run's" },
		{ { .no_samples = true }, "nothing of boot 0 of static.nvme.fio, which is ok" },
	};

	put_shard("one", 1, (struct made_shard){ 0 });
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		autofree char *two = xasprintf("%s/two", capture_dir);

		assert_int_equal(remove_all(two), 0);
		put_shard("two", 2, cases[i].made);
		assert_refused(cases[i].why);
	}
}

static void refuses_the_same_twice(void **state)
{
	autofree char *said = NULL;

	put_shard("one", 1, (struct made_shard){ 0 });
	put_shard("two", 1, (struct made_shard){ 0 });
	assert_refused("are both shard 1 of 2");
	assert_int_equal(merge_to("out", "one", "one", &said), EXIT_USAGE);
	assert_contains(said, "are both shard 1 of 2");
}

/* Changes a text of shard two's manifest or samples, and wants it refused. */
static void refuses_changed(const char *file, const char *from, const char *to, const char *why)
{
	autofree char *text = NULL, *changed = NULL;
	char *place;

	put_shard("two", 2, (struct made_shard){ 0 });
	text = shard_get("two", file);
	place = strstr(text, from);
	assert_non_null(place);
	changed = xasprintf("%.*s%s%s", (int)(place - text), text, to, place + strlen(from));
	shard_put("two", file, changed);
	assert_refused(why);
}

static void refuses_what_is_wrong(void **state)
{
	const char *row = "static.nvme.fio,static,nvme,fio,,0,read_iops,ops/s,higher,1000\n";
	autofree char *twice = xasprintf("%s%s", row, row);

	put_shard("one", 1, (struct made_shard){ 0 });
	refuses_changed("manifest.json", "\"schema\": 1", "\"schema\": 2", "schema is not 1");
	refuses_changed("manifest.json", "\"k\": 2", "\"k\": 0", "no valid shard");
	refuses_changed("manifest.json", "\"k\": 2", "\"k\": \"2\"", "no valid shard");
	refuses_changed("manifest.json", "\"night\"", "\"../x\"", "no valid shard or run_id");
	refuses_changed("manifest.json", "{\"boot\": 1,", "{\"boot\": 0,", "a boot is there twice");
	refuses_changed("manifest.json", "\"shard\": 1", "\"shard\": 3", "in none of the shards");
	refuses_changed("manifest.json", "{\"schema\"", "{\"sch\"", "schema is not 1");
	refuses_changed("manifest.json", "{\"schema\"", "\"schema\"", "manifest.json:1:");
	refuses_changed("samples.csv", row, twice, "1 samples are there twice");
	refuses_changed("samples.csv", row, "", "nothing of boot 0 of static.nvme.fio");
	refuses_changed("samples.csv", row, "x,static,nvme,fio,,0,read_iops,ops/s,higher,1000\n",
			"1 samples are of no cell");
	refuses_changed("samples.csv", "higher,1000\n", "higher,nan\n", "no finite decimal number");
}

/* A name that leaves the folder, in the list of the whole and in the shard's own cells. */
static void refuses_paths(void **state)
{
	autofree char *path = shard_path("one", "manifest.json");
	json_t *root, *lists[2];

	put_shard("one", 1, (struct made_shard){ 0 });
	put_shard("two", 2, (struct made_shard){ 0 });
	root = shard_manifest("one");
	lists[0] = json_object_get(root, "cells");
	lists[1] = json_object_get(json_object_get(root, "shard"), "cells");
	for (size_t i = 0; i < 2; i++)
		json_object_set_new(json_array_get(lists[i], 0), "id", json_string("../../etc"));
	assert_int_equal(json_dump_file(root, path, 0), 0);
	json_decref(root);
	assert_refused("a cell has no valid name");
}

static void refuses_to_replace(void **state)
{
	autofree char *said = NULL, *dir = xasprintf("%s/out", capture_dir), *kept = NULL;

	put_shard("one", 1, (struct made_shard){ 0 });
	put_shard("two", 2, (struct made_shard){ 0 });
	shard_put("out", "precious", "text");
	assert_int_equal(merge(&said), EXIT_USAGE);
	assert_contains(said, "a merge replaces nothing");
	kept = shard_get("out", "precious");
	assert_string_equal(kept, "text");
	assert_int_equal(remove_all(dir), 0);
	assert_int_equal(mkdir_all(dir), 0);
	assert_int_equal(merge(NULL), EXIT_OK);
}

/* --- hosts of different kinds --- */

static int compare_out_later(bool force, char **printed)
{
	autofree char *base = xasprintf("%s/out", capture_dir), *log = NULL;
	autofree char *value = xasprintf("%s/later", capture_dir);
	struct compare_options options = { .base = base, .value = value, .force = force };
	size_t len;
	FILE *out = open_memstream(printed, &len);
	int status;

	options.seed = COMPARE_SEED;
	capture_begin();
	status = compare_command(&options, out);
	log = capture_end();
	fclose(out);
	assert_int_equal(!strstr(log, "warning: split over several kinds of hosts"), !force);
	return status;
}

static void put_both(struct made_shard one, struct made_shard two, const char *out)
{
	static const char *const names[] = { "one", "two" };

	for (size_t i = 0; i < 2; i++) {
		autofree char *dir = xasprintf("%s/%s", capture_dir, names[i]);

		assert_int_equal(remove_all(dir), 0);
	}
	put_shard("one", 1, one);
	put_shard("two", 2, two);
	assert_int_equal(merge_to(out, "one", "two", NULL), EXIT_OK);
}

static const struct made_shard other = { .fingerprint = "beef", .kernel = "6.2" };

/* Each cell keeps the environment of its host; the whole has a fingerprint of its own. */
static void keeps_environments(void **state)
{
	json_t *root, *shard, *env;
	autofree char *swapped = NULL;

	put_both((struct made_shard){ 0 }, other, "out");
	root = shard_manifest("out");
	env = json_object_get(root, "environment");
	shard = json_array_get(json_object_get(root, "shards"), 1);
	assert_string_equal(text_of(json_object_get(shard, "environment"), "kernel"), "6.2");
	assert_string_equal(text_of(env, "cpu_model"), "c");
	assert_true(json_is_null(json_object_get(env, "kernel")));
	assert_string_not_equal(text_of(env, "fingerprint"), "00ff");
	assert_string_not_equal(text_of(env, "fingerprint"), "beef");
	swapped = xstrdup(text_of(env, "fingerprint"));
	json_decref(root);
	put_both(other, (struct made_shard){ 0 }, "later");
	root = shard_manifest("later");
	env = json_object_get(root, "environment");
	assert_string_not_equal(text_of(env, "fingerprint"), swapped);
	json_decref(root);
}

/* A cell is compared where it ran on the same kind of host, and only there. */
static void compares_by_host(void **state)
{
	struct made_shard slow = other;
	autofree char *printed = NULL;

	slow.factor = 0.5;
	put_both((struct made_shard){ 0 }, other, "out");
	put_both((struct made_shard){ 0 }, slow, "later");
	assert_int_equal(compare_out_later(false, &printed), EXIT_REGRESSION);
	assert_contains(printed, "regression  static.nvme.fio");
	assert_null(strstr(printed, "regression  static.nvme.boot"));
	/* The slow one is of another kind now: nothing to say about its cells. */
	slow.fingerprint = "cafe";
	slow.kernel = "6.3";
	made_shards_clean(NULL);
	put_both((struct made_shard){ 0 }, other, "out");
	put_both((struct made_shard){ 0 }, slow, "later");
	free(printed);
	printed = NULL;
	assert_int_equal(compare_out_later(false, &printed), EXIT_OK);
	assert_null(strstr(printed, "regression  "));
	assert_contains(printed, "static.nvme.fio: it ran on another kind of host: other "
				 "environment kernel: \"6.2\", now \"6.3\"");
	free(printed);
	printed = NULL;
	assert_int_equal(compare_out_later(true, &printed), EXIT_REGRESSION);
	assert_contains(printed, "compared in spite of: split over several kinds of hosts");
}

static void report_of(const char *name, struct report *report)
{
	autofree char *dir = xasprintf("%s/%s", capture_dir, name);

	assert_int_equal(report_load(dir, report), 0);
	report->dir = NULL;
}

/* The multiple is 2 on each host, though one is four times as fast as the other. */
static void reports_by_host(void **state)
{
	struct made_shard fast = other;
	struct report report;
	struct report_ratio ratio;

	fast.factor = 4;
	put_both((struct made_shard){ 0 }, fast, "out");
	report_of("out", &report);
	assert_true(report.mixed);
	assert_int_equal(report.nr_scenarios, 2);
	assert_contains(report.scenarios[1].label, "host of shard 2");
	ratio = report_series_ratio(&report, 1, report_metric(&report, "read_iops"));
	assert_int_equal(ratio.nr, 2);
	assert_true(fabs(ratio.ratio - 2) < 1e-3);
	report_free(&report);
}

/* Leaves static on the first host and coiommu on the second, each with a setting of its own. */
static void leave_one_each(const char *name)
{
	autofree char *path = shard_path(name, "manifest.json");
	json_t *root = shard_manifest(name), *cells = json_object_get(root, "cells"), *cell;
	struct strbuf rows = { 0 };
	size_t i;

	strbuf_addf(&rows, "cell,mode,device,workload,variant,boot,metric,unit,direction,value\n");
	json_array_remove(cells, 1); /* static on host 2 */
	json_array_remove(cells, 1); /* coiommu on host 1 */
	json_array_foreach(cells, i, cell) {
		const char *variant = i ? "b=1" : "a=1";

		json_object_set_new(cell, "workload", json_string("fio"));
		json_object_set_new(cell, "variant", json_string(variant));
		for (int b = 0; b < SHARD_BOOTS; b++)
			strbuf_addf(&rows, "%s,%s,nvme,fio,%s,%d,read_iops,ops/s,higher,5\n",
				    text_of(cell, "id"), text_of(cell, "mode"), variant, b);
	}
	shard_put(name, "samples.csv", rows.data);
	assert_int_equal(json_dump_file(root, path, 0), 0);
	json_decref(root);
	free(rows.data);
}

/*
 * `--only` can leave cells of which the report cannot tell what differs: on one kind of host it
 * takes these two for one scenario. On two kinds no ratio may come of that.
 */
static void no_ratio_across_hosts(void **state)
{
	static const char *const names[] = { "out", "later" };
	struct report report;

	put_both((struct made_shard){ 0 }, other, "out");
	put_both((struct made_shard){ 0 }, (struct made_shard){ 0 }, "later");
	for (size_t n = 0; n < 2; n++) {
		leave_one_each(names[n]);
		report_of(names[n], &report);
		assert_int_equal(
			report_series_ratio(&report, 1, report_metric(&report, "read_iops")).nr, n);
		report_free(&report);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(joins_all, made_shards_clean),
		cmocka_unit_test_setup(missing_shard, made_shards_clean),
		cmocka_unit_test_setup(lost_host, made_shards_clean),
		cmocka_unit_test_setup(refuses_other_runs, made_shards_clean),
		cmocka_unit_test_setup(refuses_the_same_twice, made_shards_clean),
		cmocka_unit_test_setup(refuses_what_is_wrong, made_shards_clean),
		cmocka_unit_test_setup(refuses_paths, made_shards_clean),
		cmocka_unit_test_setup(refuses_to_replace, made_shards_clean),
		cmocka_unit_test_setup(keeps_environments, made_shards_clean),
		cmocka_unit_test_setup(compares_by_host, made_shards_clean),
		cmocka_unit_test_setup(reports_by_host, made_shards_clean),
		cmocka_unit_test_setup(no_ratio_across_hosts, made_shards_clean),
	};

	return cmocka_run_group_tests(tests, capture_setup, capture_teardown);
}
