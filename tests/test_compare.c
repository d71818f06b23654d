// SPDX-License-Identifier: GPL-2.0-only
/* compare on small made-up runs: verdicts, exit codes, and what it refuses. */
#include "tests/made_runs.h"

#include <jansson.h>
#include <math.h>
#include <sys/stat.h>

#include "harness/floors.h"

static int compare(void)
{
	return compare_with((struct compare_options){ 0 }, NULL, NULL);
}

static void assert_refused(const char *why)
{
	autofree char *said = NULL, *printed = NULL;

	assert_int_equal(compare_with((struct compare_options){ 0 }, &printed, &said), EXIT_USAGE);
	assert_contains(said, why);
	assert_string_equal(printed, "");
}

static void verdicts_are_exit_codes(void **state)
{
	autofree char *printed = NULL;

	put_iops("base", &(struct made){ 0 }, 1000);
	put_iops("new", &(struct made){ 0 }, 900);
	assert_int_equal(compare_with((struct compare_options){ 0 }, &printed, NULL),
			 EXIT_REGRESSION);
	assert_contains(printed, "\nregression  " FIO "  read_iops  1.00 k/s  900/s  -10.0 %");
	assert_contains(printed, "regressions: 1, inconclusive: 0");
	put_iops("new", &(struct made){ 0 }, 1100);
	assert_int_equal(compare(), EXIT_OK);
	put_iops("new", &(struct made){ 0 }, 1001);
	assert_int_equal(compare(), EXIT_OK);
	put_iops("new", &(struct made){ .boots = 3 }, 100);
	free(printed);
	assert_int_equal(compare_with((struct compare_options){ 0 }, &printed, NULL),
			 EXIT_INCONCLUSIVE);
	assert_contains(printed, "10/3, needs 6");
	put_iops("base", &(struct made){ .boots = 3 }, 1000);
	free(printed);
	assert_int_equal(compare_with((struct compare_options){ 0 }, &printed, NULL),
			 EXIT_INCONCLUSIVE);
	assert_contains(printed, "(90 %)");
}

/* A regression counts more than something inconclusive, and stands above it. */
static void worst_first(void **state)
{
	struct made base = { .boots = 10 }, value = { .boots = 10 };
	autofree char *printed = NULL;

	add_values(&base, IOPS, 1000);
	add_values(&base, P99, 0.001);
	add_values(&value, IOPS, 1000);
	add_values(&value, P99, 0.002);
	for (unsigned int b = 0; b < 10; b++) {
		const struct metric *create = &(const struct metric){ "vm_create_s", "s", "lower" };

		add_row(&base, b, create, b + 1.0);
		add_row(&value, b, create, 11.0 - b);
	}
	put_run("base", &base);
	put_run("new", &value);
	assert_int_equal(compare_with((struct compare_options){ 0 }, &printed, NULL),
			 EXIT_REGRESSION);
	assert_true(strstr(printed, "lat_p99_s") < strstr(printed, "vm_create_s"));
	assert_true(strstr(printed, "vm_create_s") < strstr(printed, "read_iops"));
}

static void refuses_what_differs(void **state)
{
	static const struct {
		struct made made;
		const char *why;
	} cases[] = {
		{ { .where = "lab-tcg" }, "host against lab-tcg" },
		{ { .memory = "2048" }, "config guest: {\"memory_bytes\":1024" },
		{ { .address = "b" }, "other config devices" },
		{ { .fingerprint = "beef" }, "environment fingerprint: \"00ff\", now \"beef\"" },
		{ { .fingerprint = "beef", .kernel = "6.2" },
		  "environment kernel: \"6.1\", now \"6.2\"" },
	};

	put_iops("base", &(struct made){ 0 }, 1000);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct made made = cases[i].made;
		autofree char *printed = NULL, *said = NULL;

		put_iops("new", &made, 900);
		assert_refused(cases[i].why);
		assert_refused("--force");
		/* In the lab IOPS are no metric to judge by. */
		if (made.where)
			continue;
		assert_int_equal(
			compare_with((struct compare_options){ .force = true }, &printed, &said),
			EXIT_REGRESSION);
		assert_contains(said, cases[i].why);
		assert_contains(printed, cases[i].why);
	}
}

static void refuses_what_is_no_run(void **state)
{
	put_iops("base", &(struct made){ 0 }, 1000);
	assert_refused("/new/manifest.json: No such file");
	put("new", "manifest.json", "{\"schema\": 2, \"cells\": []}");
	assert_refused("schema");
	put("new", "manifest.json", "{\"schema\": 1, \"status\": ");
	assert_refused("/new/manifest.json:");
	put("new", "manifest.json", "[]");
	assert_refused("top level");
	put("new", "manifest.json", "{\"schema\": 1, \"status\": \"complete\", \"cells\": []}");
	assert_refused("no boot is ok");
}

static void refuses_samples_that_are_not_clear(void **state)
{
	struct made made = { .boots = 10 };

	put_iops("base", &(struct made){ 0 }, 1000);
	for (unsigned int b = 0; b < 9; b++)
		add_row(&made, b, IOPS, 900);
	put_run("new", &made);
	assert_refused("nothing of boot 9 of " FIO);

	add_values(&made, IOPS, 900);
	add_row(&made, 3, IOPS, 1000);
	put_run("new", &made);
	assert_refused("two values in boot 3");

	add_values(&made, IOPS, 900);
	add_row(&made, 4, &(const struct metric){ "read_iops", "ops/s", "lower" }, 900);
	put_run("new", &made);
	assert_refused("two units or directions");

	add_values(&made, &(const struct metric){ "read_iops", "bytes/s", "higher" }, 900);
	put_run("new", &made);
	assert_refused("another unit or direction");

	add_values(&made, IOPS, 900);
	strbuf_addf(&made.rows, FIO ",static,nvme,fio,,1,lat_p99_s,s,lower,nan\n");
	put_run("new", &made);
	assert_refused("no finite decimal number");
}

static void a_row_twice_counts_once(void **state)
{
	struct made made = { .boots = 10 };
	autofree char *printed = NULL, *said = NULL;

	put_iops("base", &(struct made){ 0 }, 1000);
	add_values(&made, IOPS, 900);
	add_values(&made, IOPS, 900);
	put_run("new", &made);
	assert_int_equal(compare_with((struct compare_options){ 0 }, &printed, &said),
			 EXIT_REGRESSION);
	assert_contains(said, "10 rows are there twice");
	assert_contains(printed, "10/10");
}

/* The last boot failed; its value, if it left one, would hide the regression of the rest. */
static void bad_boots_do_not_count(void **state)
{
	static const char *const statuses[] = { "failed", "invalid" };

	put_iops("base", &(struct made){ 0 }, 1000);
	for (size_t i = 0; i < ARRAY_SIZE(statuses); i++) {
		struct made made = { .boots = 11, .bad_status = statuses[i] };
		autofree char *printed = NULL;

		for (unsigned int b = 0; b < 10; b++)
			add_row(&made, b, IOPS, 900 + b);
		add_row(&made, 10, IOPS, 1e9);
		put_run("new", &made);
		assert_int_equal(compare_with((struct compare_options){ 0 }, &printed, NULL),
				 EXIT_REGRESSION);
		assert_contains(printed, "10/10");
		assert_contains(printed, "10 of 11 boots count");
		assert_contains(printed, "1 of 11 boots are not ok in NEW: " FIO);
	}
}

/* What cannot be compared is said; a cell that failed does not pass. */
static void cells_of_one_run(void **state)
{
	autofree char *lost = cell_json(BOOT_CELL, "boot", "");
	autofree char *lost_cell = xasprintf(", %s", lost), *printed = NULL, *again = NULL;
	struct made made = { .boots = 10, .more_cells = lost_cell };

	put_iops("base", &(struct made){ 0 }, 1000);
	put_iops("new", &made, 1000);
	assert_int_equal(compare_with((struct compare_options){ 0 }, &printed, NULL), EXIT_OK);
	assert_contains(printed, "only in NEW: " BOOT_CELL);

	made.boots = 10;
	add_values(&made, IOPS, 1000);
	for (unsigned int b = 0; b < 10; b++)
		strbuf_addf(&made.rows,
			    BOOT_CELL ",static,nvme,boot,,%u,read_iops,ops/s,higher,5\n", b);
	free(lost);
	free(lost_cell);
	lost = cell_json(BOOT_CELL, "boot",
			 "{\"boot\": 0, \"status\": \"ok\"}, {\"boot\": 1, \"status\": \"ok\"}");
	lost_cell = xasprintf(", %s", lost);
	made.more_cells = lost_cell;
	put_run("base", &made);
	free(lost);
	free(lost_cell);
	lost = cell_json(BOOT_CELL, "boot", "{\"boot\": 0, \"status\": \"failed\"}");
	lost_cell = xasprintf(", %s", lost);
	put_iops("new", &(struct made){ .more_cells = lost_cell }, 1000);
	assert_int_equal(compare_with((struct compare_options){ 0 }, &again, NULL),
			 EXIT_INCONCLUSIVE);
	assert_contains(again, "inconclusive  " BOOT_CELL "  read_iops");
	assert_contains(again, "2/0");
}

/* Nor does one that was the only one with its metrics. */
static void all_boots_failed(void **state)
{
	static const char *const boots = "{\"boot\": 0, \"status\": \"failed\"}";
	autofree char *failed = cell_json(BOOT_CELL, "boot", boots), *printed = NULL;
	autofree char *ok = cell_json(BOOT_CELL, "boot", "{\"boot\": 0, \"status\": \"ok\"}");
	autofree char *failed_cell = xasprintf(", %s", failed), *ok_cell = xasprintf(", %s", ok);
	struct made made = { .boots = 10, .more_cells = ok_cell };

	add_values(&made, IOPS, 1000);
	strbuf_addf(&made.rows, BOOT_CELL ",static,nvme,boot,,0,write_iops,ops/s,higher,5\n");
	put_run("base", &made);
	put_iops("new", &(struct made){ .more_cells = failed_cell }, 1000);
	assert_int_equal(compare_with((struct compare_options){ 0 }, &printed, NULL),
			 EXIT_INCONCLUSIVE);
	assert_contains(printed, "inconclusive  " BOOT_CELL "  write_iops");
}

static void skipped_cells_are_said(void **state)
{
	static const char *const skipped =
		", {\"id\": \"" BOOT_CELL "\", \"mode\": \"static\", \"device\": \"nvme\", "
		"\"workload\": \"boot\", \"variant\": \"\", \"status\": \"skipped\", "
		"\"reason\": \"no \\u001b[2J KVM\", \"boots\": []}";
	autofree char *printed = NULL, *again = NULL;

	put_iops("base", &(struct made){ .more_cells = skipped }, 1000);
	put_iops("new", &(struct made){ .more_cells = skipped }, 1000);
	assert_int_equal(compare_with((struct compare_options){ 0 }, &printed, NULL), EXIT_OK);
	assert_contains(printed, "skipped in BASE: " BOOT_CELL ": no ?[2J KVM");
	assert_contains(printed, "skipped in NEW: " BOOT_CELL);
	put_iops("new", &(struct made){ 0 }, 1000);
	assert_int_equal(compare_with((struct compare_options){ 0 }, &again, NULL), EXIT_OK);
	assert_contains(again, "only in BASE: " BOOT_CELL);
}

static void other_settings_are_another_cell(void **state)
{
	autofree char *said = NULL;

	put_iops("base", &(struct made){ 0 }, 1000);
	put_iops("new", &(struct made){ .bs = "8192" }, 900);
	assert_int_equal(compare_with((struct compare_options){ 0 }, NULL, &said), EXIT_USAGE);
	assert_contains(said, "fio has other settings: [{\"bs\":4096}], now [{\"bs\":8192}]");
	assert_contains(said, "in common");
}

static void lab_judges_by_instructions(void **state)
{
	struct made base = { .boots = 10, .where = "lab-tcg" };
	struct made value = { .boots = 10, .where = "lab-tcg" };
	autofree char *printed = NULL;

	add_values(&base, IOPS, 1000);
	add_values(&base, INSTRUCTIONS, 30000);
	add_values(&value, IOPS, 500);
	add_values(&value, INSTRUCTIONS, 30010);
	put_run("base", &base);
	put_run("new", &value);
	assert_int_equal(compare_with((struct compare_options){ 0 }, &printed, NULL), EXIT_OK);
	assert_contains(printed, "lab_instructions_per_op");
	assert_null(strstr(printed, "read_iops"));
	assert_contains(printed, "they are not hardware figures");
	assert_int_equal(compare_with((struct compare_options){ .all = true }, NULL, NULL),
			 EXIT_REGRESSION);
	assert_int_equal(compare_with((struct compare_options){ .metrics = "lab_*" }, NULL, NULL),
			 EXIT_OK);
	assert_int_equal(compare_with((struct compare_options){ .metrics = "x*" }, NULL, NULL),
			 EXIT_USAGE);
}

/* Twice the operations, twice the requests: nothing has changed. */
static void counts_are_per_operation(void **state)
{
	static const struct metric exits = { "vm_exits", "count", "lower" };
	static const struct metric per_op = { "vm_exits_per_op", "count", "lower" };
	static const struct metric requests = { "pin_requests", "count", "lower" };
	struct made base = { .boots = 10 }, value = { .boots = 10 };
	autofree char *printed = NULL;

	for (unsigned int b = 0; b < 10; b++) {
		double operations = 1000 + b;

		add_row(&base, b, &exits, 2 * operations);
		add_row(&base, b, &per_op, 2);
		add_row(&base, b, &requests, 7 * operations);
		add_row(&value, b, &exits, 4 * operations);
		add_row(&value, b, &per_op, 2);
		add_row(&value, b, &requests, 14 * operations);
	}
	put_run("base", &base);
	put_run("new", &value);
	assert_int_equal(compare_with((struct compare_options){ .all = true }, &printed, NULL),
			 EXIT_OK);
	assert_contains(printed, "pin_requests per operation");
	assert_null(strstr(printed, "vm_exits "));
}

static void floors_of_the_host(void **state)
{
	autofree char *path = NULL, *said = NULL;
	struct compare_options options = { 0 };

	put_iops("base", &(struct made){ 0 }, 1000);
	put_iops("new", &(struct made){ 0 }, 950);
	put("floors", "f.json",
	    "{\"schema\": 1, \"hosts\": {\"00ff\": {\"metrics\": {\"read_iops\": 0.08}}}}");
	path = path_of("floors", "f.json");
	assert_int_equal(compare(), EXIT_REGRESSION);
	options.floors = path;
	assert_int_equal(compare_with(options, NULL, NULL), EXIT_OK);
	put("floors", "f.json", "{\"schema\": 1, \"hosts\": {\"00ff\": {\"default\": 0.08}}}");
	assert_int_equal(compare_with(options, NULL, NULL), EXIT_OK);
	put("floors", "f.json", "{\"schema\": 1, \"hosts\": {\"other\": {}}}");
	assert_int_equal(compare_with(options, NULL, &said), EXIT_REGRESSION);
	assert_contains(said, "no floors for the host 00ff");
}

static void bad_floors(void **state)
{
	static const char *const texts[] = {
		"",
		"[]",
		"{\"schema\": 2, \"hosts\": {}}",
		"{\"schema\": 1}",
		"{\"schema\": 1, \"hosts\": {\"00ff\": 3}}",
		"{\"schema\": 1, \"hosts\": {\"00ff\": {\"default\": 1}}}",
		"{\"schema\": 1, \"hosts\": {\"00ff\": {\"metrics\": {\"read_iops\": -0.1}}}}",
	};
	autofree char *path = path_of("floors", "f.json");

	put_iops("base", &(struct made){ 0 }, 1000);
	put_iops("new", &(struct made){ 0 }, 900);
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		autofree char *said = NULL;

		put("floors", "f.json", texts[i]);
		assert_int_equal(
			compare_with((struct compare_options){ .floors = path }, NULL, &said),
			EXIT_USAGE);
		assert_one_line(said);
		assert_contains(said, "f.json");
	}
}

static double number_of(json_t *json, const char *key)
{
	json_t *value = json_object_get(json, key);

	if (!json_is_number(value))
		fail_msg("no number %s", key);
	return json_number_value(value);
}

static void json_says_all_of_it(void **state)
{
	struct compare_options options = { .as_json = true };
	autofree char *text = NULL, *again = NULL;
	json_t *json, *result;

	put_iops("base", &(struct made){ 0 }, 1000);
	put_iops("new", &(struct made){ 0 }, 900);
	assert_int_equal(compare_with(options, &text, NULL), EXIT_REGRESSION);
	assert_int_equal(compare_with(options, &again, NULL), EXIT_REGRESSION);
	assert_string_equal(text, again); /* the bootstrap has a seed */
	json = json_loads(text, 0, NULL);
	assert_non_null(json);
	assert_int_equal(number_of(json, "exit_status"), EXIT_REGRESSION);
	assert_int_equal(number_of(json, "seed"), COMPARE_SEED);
	assert_string_equal(json_string_value(json_object_get(json, "verdict")), "regression");
	assert_int_equal(json_array_size(json_object_get(json, "results")), 1);
	result = json_array_get(json_object_get(json, "results"), 0);
	assert_string_equal(json_string_value(json_object_get(result, "metric")), "read_iops");
	assert_true(fabs(number_of(result, "change") + 0.1) < 1e-3);
	assert_true(number_of(result, "change_low") < -0.1);
	assert_true(fabs(number_of(result, "ratio") - 0.9) < 1e-3);
	assert_true(number_of(result, "ratio_low") <= 0.9 &&
		    number_of(result, "ratio_high") >= 0.9);
	assert_true(fabs(number_of(result, "p") - 2 / 184756.0) < 1e-12);
	assert_true(json_is_null(json_object_get(result, "boots_needed")));
	json_decref(json);
}

/* A name must move no cursor, and break no JSON. */
static void hostile_names(void **state)
{
	static const char *const name = "<script>alert(1)</script>%s%n\xc2\x9b";
	const struct metric hostile = { name, "ops/s", "higher" };
	struct made base = { .boots = 10 }, value = { .boots = 10 };
	autofree char *text = NULL;
	json_t *json, *result;

	add_values(&base, &hostile, 1000);
	add_values(&value, &hostile, 900);
	put_run("base", &base);
	put_run("new", &value);
	assert_int_equal(
		compare_with((struct compare_options){ .all = true, .as_json = true }, &text, NULL),
		EXIT_REGRESSION);
	json = json_loads(text, 0, NULL);
	result = json_array_get(json_object_get(json, "results"), 0);
	assert_string_equal(json_string_value(json_object_get(result, "metric")), name);
	json_decref(json);

	add_values(&value, &hostile, 900);
	add_row(&value, 0, &hostile, 1);
	put_run("new", &value);
	assert_refused("alert(1)</script>%s%n?? of " FIO " has two values");
}

static void huge_samples_are_refused(void **state)
{
	autofree char *path = path_of("new", "samples.csv");

	put_iops("base", &(struct made){ 0 }, 1000);
	put_iops("new", &(struct made){ 0 }, 1000);
	assert_int_equal(truncate(path, 10 * (off_t)GIB), 0); /* a hole: it takes no space */
	assert_refused("10 GiB are more than the 1 GiB that is read of a run");
}

#define COMPARE_TEST(f) cmocka_unit_test_setup(f, made_runs_clean)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		COMPARE_TEST(verdicts_are_exit_codes),
		COMPARE_TEST(worst_first),
		COMPARE_TEST(refuses_what_differs),
		COMPARE_TEST(refuses_what_is_no_run),
		COMPARE_TEST(refuses_samples_that_are_not_clear),
		COMPARE_TEST(a_row_twice_counts_once),
		COMPARE_TEST(bad_boots_do_not_count),
		COMPARE_TEST(cells_of_one_run),
		COMPARE_TEST(all_boots_failed),
		COMPARE_TEST(skipped_cells_are_said),
		COMPARE_TEST(other_settings_are_another_cell),
		COMPARE_TEST(lab_judges_by_instructions),
		COMPARE_TEST(counts_are_per_operation),
		COMPARE_TEST(floors_of_the_host),
		COMPARE_TEST(bad_floors),
		COMPARE_TEST(json_says_all_of_it),
		COMPARE_TEST(hostile_names),
		COMPARE_TEST(huge_samples_are_refused),
	};

	return cmocka_run_group_tests(tests, capture_setup, capture_teardown);
}
