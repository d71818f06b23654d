// SPDX-License-Identifier: GPL-2.0-only
/* trend on made-up nights: verdicts, exit codes, what is new, what is acknowledged. */
#include "tests/nights.h"

#include <math.h>

static void nothing_new(void **state)
{
	autofree char *printed = NULL;

	put_nights(0, 40, 1000, NIGHT);
	assert_int_equal(trend_with((struct trend_options){ 0 }, &printed, NULL), EXIT_OK);
	assert_contains(printed, "40 runs, 40 of them new; the newest: night-0039");
	assert_contains(printed, "no new change  " CELL "  read_iops");
	assert_verdict(EXIT_OK, "no new change");
}

static void a_step_is_a_regression(void **state)
{
	autofree char *printed = NULL;
	json_t *json, *change;

	put_nights(0, 30, 1000, NIGHT);
	put_nights(30, 36, 900, NIGHT);
	json = trend_json_of((struct trend_options){ 0 }, EXIT_REGRESSION);
	assert_string_equal(text_in(json, "verdict"), "regression");
	assert_string_equal(text_in(first_series(json), "verdict"), "regression");
	assert_int_equal(nr_changes(json), 1);
	change = change_at(json, 0);
	assert_string_equal(text_in(change, "run_id"), "night-0030");
	assert_string_equal(text_in(change, "time"), "2026-01-31T02:00:00Z");
	assert_string_equal(text_in(change, "verdict"), "regression");
	assert_string_equal(text_in(change, "state"), "new");
	assert_true(fabs(json_number_value(json_object_get(change, "change")) + 0.1) < 0.01);
	assert_true(fabs(json_number_value(json_object_get(change, "before")) - 1000) < 5);
	assert_true(fabs(json_number_value(json_object_get(change, "after")) - 900) < 5);
	json_decref(json);
	assert_int_equal(trend_with((struct trend_options){ 0 }, &printed, NULL), EXIT_REGRESSION);
	assert_contains(printed, "regression  " CELL "  read_iops  night-0030  "
				 "2026-01-31T02:00:00Z  1.00 k/s  897/s  -10.2 %");
}

/* Which way is worse, the metric says. */
static void directions(void **state)
{
	static const struct night latency = { .metric = "lat_p99_s",
					      .unit = "s",
					      .direction = "lower" };
	static const struct night none = { .metric = "x", .unit = "count", .direction = "none" };

	put_nights(0, 30, 1000, NIGHT);
	put_nights(30, 36, 1100, NIGHT);
	assert_verdict(EXIT_OK, "improvement");
	nights_clean(NULL);
	put_nights(0, 30, 1000, &latency);
	put_nights(30, 36, 1100, &latency);
	assert_verdict(EXIT_REGRESSION, "regression");
	nights_clean(NULL);
	put_nights(0, 30, 1000, &none);
	put_nights(30, 36, 1100, &none);
	assert_int_equal(trend_with((struct trend_options){ 0 }, NULL, NULL), EXIT_INCONCLUSIVE);
	assert_int_equal(trend_with((struct trend_options){ .all = true }, NULL, NULL),
			 EXIT_INCONCLUSIVE);
	json_t *json = trend_json_of((struct trend_options){ .metrics = "x*" }, EXIT_OK);

	assert_string_equal(text_in(first_series(json), "verdict"), "changed");
	json_decref(json);
}

/* After 14 nights a change is the new normal; it stays in the list. */
static void an_old_regression_is_no_alarm(void **state)
{
	json_t *json;

	put_nights(0, 30, 1000, NIGHT);
	put_nights(30, 44, 900, NIGHT);
	assert_verdict(EXIT_REGRESSION, "regression");
	put_nights(44, 45, 900, NIGHT);
	json = trend_json_of((struct trend_options){ 0 }, EXIT_OK);
	assert_string_equal(text_in(first_series(json), "verdict"), "no new change");
	assert_int_equal(nr_changes(json), 1);
	assert_string_equal(text_in(change_at(json, 0), "state"), "earlier");
	json_decref(json);
}

/* Red from the first night on, with no gap until it is confirmed. */
static void the_newest_night_is_suspected(void **state)
{
	json_t *json;

	put_nights(0, 30, 1000, NIGHT);
	for (unsigned int day = 30; day < 32; day++) {
		put_nights(day, day + 1, 900, NIGHT);
		json = trend_json_of((struct trend_options){ 0 }, EXIT_REGRESSION);
		assert_string_equal(text_in(first_series(json), "verdict"), "suspected regression");
		assert_string_equal(text_in(change_at(json, 0), "state"), "suspected");
		assert_string_equal(text_in(change_at(json, 0), "run_id"),
				    day == 30 ? "night-0030" : "night-0031");
		json_decref(json);
	}
	put_nights(32, 33, 900, NIGHT);
	assert_verdict(EXIT_REGRESSION, "regression");
}

/* Another experiment an hour later does not make last night's of the first an old one. */
static void experiments_in_one_night(void **state)
{
	json_t *json, *series;
	size_t i, suspected = 0;

	put_nights(0, 30, 1000, NIGHT);
	put_nights(30, 31, 900, NIGHT);
	for (unsigned int day = 0; day < 31; day++) {
		autofree char *name = xasprintf("tcp-%04u", day), *time = night_time(day);

		time[12] = '3';
		put_nights(day, day + 1, 70,
			   &(const struct night){ .folder = name,
						  .run = name,
						  .started = time,
						  .cell = "static.nvme.tcp" });
	}
	json = trend_json_of((struct trend_options){ 0 }, EXIT_REGRESSION);
	json_array_foreach(json_object_get(json, "series"), i, series)
		suspected += !strcmp(text_in(series, "verdict"), "suspected regression");
	assert_int_equal(suspected, 1);
	json_decref(json);
}

static void a_spike_passes(void **state)
{
	json_t *json;

	put_nights(0, 40, 1000, NIGHT);
	put_nights(20, 21, 2000, NIGHT);
	put_nights(25, 27, 500, NIGHT);
	json = trend_json_of((struct trend_options){ 0 }, EXIT_OK);
	assert_int_equal(nr_changes(json), 0);
	json_decref(json);
	put_nights(39, 40, 500, NIGHT); /* seen before */
	assert_verdict(EXIT_OK, "no new change");
}

static void too_few_nights(void **state)
{
	autofree char *printed = NULL;

	assert_int_equal(trend_with((struct trend_options){ 0 }, &printed, NULL),
			 EXIT_INCONCLUSIVE);
	assert_contains(printed, "no series to judge");
	put_nights(0, 5, 1000, NIGHT);
	put_nights(5, 9, 500, NIGHT);
	assert_verdict(EXIT_INCONCLUSIVE, "too few nights");
	put_nights(9, 10, 500, NIGHT);
	assert_verdict(EXIT_REGRESSION, "regression");
}

/* Nights that are missing, or in which every boot failed, are no values. */
static void missing_nights(void **state)
{
	json_t *json;

	for (unsigned int day = 0; day < 60; day += day % 7 == 3 ? 4 : 1)
		put_nights(day, day + 1, day < 50 ? 1000 : 900, NIGHT);
	json = trend_json_of((struct trend_options){ 0 }, EXIT_REGRESSION);
	assert_int_equal(nr_changes(json), 1);
	assert_string_equal(text_in(change_at(json, 0), "run_id"), "night-0050");
	json_decref(json);
	nights_clean(NULL);
	put_nights(0, 40, 1000, NIGHT);
	put_nights(40, 43, 1, &(const struct night){ .bad_status = "failed" });
	json = trend_json_of((struct trend_options){ 0 }, EXIT_OK);
	assert_int_equal(json_integer_value(json_object_get(json, "runs")), 43);
	assert_string_equal(json_string_value(json_array_get(json_object_get(json, "notes"), 0)),
			    "no value in the newest night: " CELL " read_iops");
	json_decref(json);
}

/* Another environment, place or setting: a new series, whatever its level. */
static void never_compared_across(void **state)
{
	static const struct night others[] = { { .fingerprint = "beef" },
					       { .where = "lab-kvm" },
					       { .bs = "8192" } };

	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		json_t *json;

		nights_clean(NULL);
		put_nights(0, 30, 1000, NIGHT);
		put_nights(30, 36, 500, &others[i]);
		assert_int_equal(trend_with((struct trend_options){ 0 }, NULL, NULL), EXIT_OK);
		put_nights(36, 50, 500, &others[i]);
		assert_int_equal(trend_with((struct trend_options){ 0 }, NULL, NULL), EXIT_OK);
		put_nights(50, 55, 400, &others[i]);
		json = trend_json_of((struct trend_options){ 0 }, EXIT_REGRESSION);
		assert_int_equal(nr_changes(json), 1);
		json_decref(json);
	}
}

/* Two hosts in turns: each is judged by itself. */
static void hosts_in_turns(void **state)
{
	static const struct night other = { .fingerprint = "beef" };

	for (unsigned int day = 0; day < 60; day += 2) {
		put_nights(day, day + 1, 1000, NIGHT);
		put_nights(day + 1, day + 2, day < 50 ? 500 : 450, &other);
	}
	assert_verdict(EXIT_REGRESSION, "regression");
	json_t *json = trend_json_of((struct trend_options){ 0 }, EXIT_REGRESSION);

	assert_int_equal(nr_changes(json), 1);
	assert_string_equal(text_in(change_at(json, 0), "fingerprint"), "beef");
	json_decref(json);
}

static void the_lab_judges_by_instructions(void **state)
{
	static const struct night lab = { .where = "lab-tcg" };
	static const struct night instructions = { .where = "lab-tcg",
						   .metric = "lab_instructions_per_op",
						   .unit = "count",
						   .direction = "lower" };
	autofree char *printed = NULL;

	put_nights(0, 30, 1000, &lab);
	put_nights(30, 36, 500, &lab);
	assert_int_equal(trend_with((struct trend_options){ 0 }, NULL, NULL), EXIT_INCONCLUSIVE);
	assert_int_equal(trend_with((struct trend_options){ .all = true }, NULL, NULL),
			 EXIT_REGRESSION);
	nights_clean(NULL);
	put_nights(0, 30, 1000, &instructions);
	put_nights(30, 36, 1100, &instructions);
	assert_verdict(EXIT_REGRESSION, "regression");
	assert_int_equal(trend_with((struct trend_options){ 0 }, &printed, NULL), EXIT_REGRESSION);
	assert_contains(printed, "these are not hardware figures");
}

static void acknowledged_changes_are_no_alarm(void **state)
{
	autofree char *path = nights_path("other.yaml"), *printed = NULL;
	struct trend_options options = { .acknowledged = path };
	json_t *json;

	put_nights(0, 30, 1000, NIGHT);
	put_nights(30, 33, 900, NIGHT);
	put_file("", "acknowledged.yaml",
		 "- { run: night-0031, cell: \"static.*\", metric: read_iops, reason: <known> }\n");
	json = trend_json_of((struct trend_options){ 0 }, EXIT_OK);
	assert_string_equal(text_in(first_series(json), "verdict"), "acknowledged");
	assert_string_equal(text_in(change_at(json, 0), "acknowledged"), "<known>");
	json_decref(json);
	/* Another regression is new. */
	put_nights(33, 34, 900, NIGHT);
	put_nights(34, 39, 800, NIGHT);
	assert_verdict(EXIT_REGRESSION, "regression");
	/* Of another cell, metric or night. */
	put_file("", "other.yaml",
		 "- { run: night-0031, cell: x, metric: read_iops, reason: a }\n"
		 "- { run: night-0031, cell: \"*\", metric: lat_p99_s, reason: b }\n"
		 "- { run: night-0027, cell: \"*\", metric: \"*\", reason: c }\n"
		 "- { run: typo, cell: \"*\", metric: \"*\", reason: d }\n");
	assert_int_equal(trend_with(options, &printed, NULL), EXIT_REGRESSION);
	assert_contains(printed, "other.yaml:4: without effect: no change of *, * at run typo");
}

static void wrong_acknowledgements_are_refused(void **state)
{
	static const char *const texts[][2] = {
		{ "run: a\n", "must be a list" },
		{ "- a\n", "must be a mapping" },
		{ "- { run: a, cell: b, metric: c }\n", "has no 'reason'" },
		{ "- { run: a, cell: b, metric: c, reason: '' }\n", "'reason' is empty" },
		{ "- { run: a, cell: b, metric: c, reason: d, cells: e }\n",
		  "unknown key 'cells'" },
		{ "- { run: [a], cell: b, metric: c, reason: d }\n", "must be a plain value" },
		{ "- {", "" },
	};

	put_nights(0, 12, 1000, NIGHT);
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		autofree char *said = NULL, *printed = NULL;

		put_file("", "acknowledged.yaml", texts[i][0]);
		assert_int_equal(trend_with((struct trend_options){ 0 }, &printed, &said),
				 EXIT_USAGE);
		assert_one_line(said);
		assert_contains(said, "acknowledged.yaml:");
		assert_contains(said, texts[i][1]);
		assert_string_equal(printed, "");
	}
	assert_int_equal(
		trend_with((struct trend_options){ .acknowledged = "/no/such" }, NULL, NULL),
		EXIT_USAGE);
}

static void floors_of_the_host(void **state)
{
	autofree char *path = nights_path("f.json");
	struct trend_options options = { .floors = path };

	put_nights(0, 30, 1000, NIGHT);
	put_nights(30, 36, 950, NIGHT);
	assert_verdict(EXIT_REGRESSION, "regression");
	put_file("", "f.json",
		 "{\"schema\": 1, \"hosts\": {\"00ff\": {\"metrics\": {\"read_iops\": 0.08}}}}");
	assert_int_equal(trend_with(options, NULL, NULL), EXIT_OK);
	put_file("", "f.json", "{\"schema\": 1}");
	assert_int_equal(trend_with(options, NULL, NULL), EXIT_USAGE);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(nothing_new, nights_clean),
		cmocka_unit_test_setup(a_step_is_a_regression, nights_clean),
		cmocka_unit_test_setup(directions, nights_clean),
		cmocka_unit_test_setup(an_old_regression_is_no_alarm, nights_clean),
		cmocka_unit_test_setup(the_newest_night_is_suspected, nights_clean),
		cmocka_unit_test_setup(experiments_in_one_night, nights_clean),
		cmocka_unit_test_setup(a_spike_passes, nights_clean),
		cmocka_unit_test_setup(too_few_nights, nights_clean),
		cmocka_unit_test_setup(missing_nights, nights_clean),
		cmocka_unit_test_setup(never_compared_across, nights_clean),
		cmocka_unit_test_setup(hosts_in_turns, nights_clean),
		cmocka_unit_test_setup(the_lab_judges_by_instructions, nights_clean),
		cmocka_unit_test_setup(acknowledged_changes_are_no_alarm, nights_clean),
		cmocka_unit_test_setup(wrong_acknowledgements_are_refused, nights_clean),
		cmocka_unit_test_setup(floors_of_the_host, nights_clean),
	};

	return cmocka_run_group_tests(tests, capture_setup, capture_teardown);
}
