// SPDX-License-Identifier: GPL-2.0-only
/* What export writes of small made-up runs, and how it writes it. */
#include "tests/made_runs.h"

#include <float.h>
#include <jansson.h>
#include <sys/stat.h>

#include "harness/export.h"

/* Exports the run "base". What is written is returned, to be freed; what is logged in *said. */
static char *export_as(const char *format, int status, char **said)
{
	autofree char *run = xasprintf("%s/base", capture_dir), *logged = NULL;
	const struct export_options options = { .run = run, .format = format };
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);
	int got;

	capture_begin();
	got = export_command(&options, out);
	logged = capture_end();
	fclose(out);
	if (got != status)
		fail_msg("exit status %d: %s", got, logged);
	if (said) {
		*said = logged;
		logged = NULL;
	}
	return text;
}

/* Two boots: 1000.5 and 2000 operations a second, 1 and 3 ms. */
static void put_two_boots(struct made *made)
{
	made->boots = 2;
	add_row(made, 0, IOPS, 1000.5);
	add_row(made, 1, IOPS, 2000);
	add_row(made, 0, P99, 0.001);
	add_row(made, 1, P99, 0.003);
	put_run("base", made);
}

#define FRONT "base,,host,00ff,static.nvme.fio,static,nvme,fio,,"
#define CSV_HEADER                                                                             \
	"run_id,started,where,fingerprint,cell,mode,device,workload,variant,boot,metric,unit," \
	"direction,value\r\n"

static void csv_has_a_line_for_each_value(void **state)
{
	autofree char *text = NULL;

	put_two_boots(&(struct made){ 0 });
	text = export_as("csv", EXIT_OK, NULL);
	assert_string_equal(text, CSV_HEADER FRONT "0,read_iops,ops/s,higher,1000.5\r\n" FRONT
						   "0,lat_p99_s,s,lower,0.001\r\n" FRONT
						   "1,read_iops,ops/s,higher,2000\r\n" FRONT
						   "1,lat_p99_s,s,lower,0.003\r\n");
}

static void csv_quotes_what_needs_it(void **state)
{
	struct made made = { .where = "a,\\\"b\\\"\\nc", .fingerprint = "=1+1", .boots = 1 };
	autofree char *text = NULL;

	add_row(&made, 0, IOPS, 5);
	put_run("base", &made);
	text = export_as("csv", EXIT_OK, NULL);
	assert_contains(text, "\r\nbase,,\"a,\"\"b\"\"\nc\",'=1+1,static.nvme.fio,");
}

static void values_of_bad_boots_are_left_out(void **state)
{
	static const char *const formats[] = { "csv", "json", "junit", "openmetrics" };

	put_two_boots(&(struct made){ .bad_status = "invalid" });
	for (size_t i = 0; i < ARRAY_SIZE(formats); i++) {
		autofree char *text = export_as(formats[i], EXIT_OK, NULL);

		assert_contains(text, "1000.5");
		if (strstr(text, "2000"))
			fail_msg("%s has a value of an invalid boot", formats[i]);
	}
}

static void json_has_values_and_medians(void **state)
{
	autofree char *text = NULL;
	json_t *json, *cell, *metric;
	const char *name, *unit, *direction, *status;
	double median, min, max, low, high, first, last;
	struct made made = { .boots = 6 };
	int boot;

	for (unsigned int b = 0; b < 6; b++)
		add_row(&made, b, IOPS, 1.5 * (b + 1));
	put_run("base", &made);
	text = export_as("json", EXIT_OK, NULL);
	json = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
	assert_non_null(json);
	cell = json_array_get(json_object_get(json, "cells"), 0);
	assert_int_equal(json_unpack(cell, "{s:s, s:[o!]}", "status", &status, "metrics", &metric),
			 0);
	assert_string_equal(status, "ok");
	assert_int_equal(json_array_size(json_object_get(metric, "values")), 6);
	assert_int_equal(json_unpack(metric,
				     "{s:s, s:s, s:s, s:f, s:f, s:f, s:f, s:f, s:[f,*], s:[i,*]}",
				     "metric", &name, "unit", &unit, "direction", &direction,
				     "median", &median, "min", &min, "max", &max, "median_low",
				     &low, "median_high", &high, "values", &first, "boots", &boot),
			 0);
	last = json_real_value(json_array_get(json_object_get(metric, "values"), 5));
	assert_string_equal(name, "read_iops");
	assert_string_equal(unit, "ops/s");
	assert_string_equal(direction, "higher");
	assert_int_equal(boot, 0);
	assert_true(first == 1.5 && last == 9);
	assert_true(min == first && max == last);
	assert_true(median == 5.25);
	/* Of 6 values the interval of at least 95 % is from the first to the last. */
	assert_true(low == first && high == last);
	json_decref(json);
}

static void json_of_few_boots_has_no_interval(void **state)
{
	autofree char *text = NULL;

	put_two_boots(&(struct made){ 0 });
	text = export_as("json", EXIT_OK, NULL);
	assert_contains(text, "\"median\": 1500.25,\n");
	assert_contains(text, "\"median_low\": null,\n");
	assert_contains(text, "\"git_revision\": \"abc\"");
	assert_contains(text, "\"fingerprint\": \"00ff\"");
}

/* The number after the n-th place where the text has this. */
static double number_after(const char *text, const char *what, unsigned int n)
{
	const char *at = strstr(text, what);

	for (; at && n; n--)
		at = strstr(at + 1, what);
	if (!at)
		fail_msg("no '%s' in '%s'", what, text);
	return at ? strtod(at + strlen(what), NULL) : 0;
}

static void numbers_survive(void **state)
{
	static const double values[] = {
		0.1, 1.0 / 3, 5e-324, DBL_MAX, -2.5, 1e21, 0, 1e-9, 123456789.123456789, DBL_MIN
	};
	struct made made = { .boots = ARRAY_SIZE(values) };
	autofree char *csv = NULL, *json = NULL, *metrics = NULL;

	for (unsigned int b = 0; b < made.boots; b++)
		strbuf_addf(&made.rows, FIO ",static,nvme,fio,,%u,read_iops,ops/s,higher,%.17g\n",
			    b, values[b]);
	put_run("base", &made);
	csv = export_as("csv", EXIT_OK, NULL);
	json = export_as("json", EXIT_OK, NULL);
	for (unsigned int b = 0; b < ARRAY_SIZE(values); b++)
		assert_true(number_after(csv, ",read_iops,ops/s,higher,", b) == values[b]);
	assert_true(number_after(json, "\"max\": ", 0) == DBL_MAX);
	assert_true(number_after(json, "\"min\": ", 0) == -2.5);
	metrics = export_as("openmetrics", EXIT_OK, NULL);
	assert_true(number_after(metrics, "stat=\"max\"} ", 0) == DBL_MAX);
}

#define CELL(id, status, reason, boots)                                        \
	", {\"id\": \"" id "\", \"mode\": \"" id "\", \"device\": \"nvme\", "  \
	"\"workload\": \"w\", \"status\": \"" status "\", \"reason\": " reason \
	", \"boots\": [" boots "]}"
#define BAD_BOOT "{\"boot\": 0, \"status\": \"invalid\", \"reason\": \"a <fault>\"}"

static void junit_says_how_each_cell_went(void **state)
{
	struct made made = {
		.more_cells = CELL("skip", "skipped", "\"no \\\"nvme\\\" & more\"", "")
			CELL("bad", "invalid", "\"a <fault>\"", BAD_BOOT)
				CELL("dead", "failed", "\"timeout\"",
				     "{\"boot\": 0, \"status\": \"failed\"}")
					CELL("liar", "ok", "null", BAD_BOOT)
						CELL("empty", "ok", "null", ""),
	};
	autofree char *text = NULL;

	put_two_boots(&made);
	text = export_as("junit", EXIT_OK, NULL);
	assert_contains(text, " tests=\"7\" failures=\"2\" errors=\"2\" skipped=\"1\"");
	assert_contains(text, "<testcase name=\"static.nvme.fio\" classname=\"iommubench.run\" "
			      "time=\"0.000\">\n      <system-out>read_iops: 1500.25 ops/s "
			      "(median of 2; 1000.5 to 2000)\nlat_p99_s: 0.002 s (median of 2; "
			      "0.001 to 0.003)\n</system-out>\n    </testcase>\n");
	assert_contains(text, "<skipped type=\"skipped\" message=\"no &quot;nvme&quot; &amp; "
			      "more\">no &quot;nvme&quot; &amp; more</skipped>");
	assert_contains(text, "name=\"bad\" classname=\"iommubench.run\" time=\"0.000\">\n      "
			      "<failure type=\"invalid\" message=\"a &lt;fault&gt;\">");
	assert_contains(text, "<error type=\"failed\" message=\"timeout\">");
	/* What the manifest says of the cell does not outweigh its boots. */
	assert_contains(text, "name=\"liar\" classname=\"iommubench.run\" time=\"0.000\">\n      "
			      "<failure type=\"invalid\" message=\"a &lt;fault&gt;\">");
	assert_contains(text, "name=\"empty\" classname=\"iommubench.run\" time=\"0.000\">\n      "
			      "<error type=\"failed\" message=\"not run\">");
	assert_contains(text, "<property name=\"environment.cpu_model\" value=\"c\"/>");
	assert_contains(text, "<testcase name=\"the run is complete\" "
			      "classname=\"iommubench.run\">\n    </testcase>");
}

static void a_run_broken_off_is_no_success(void **state)
{
	autofree char *path = path_of("base", "manifest.json"), *manifest = NULL, *said = NULL;
	autofree char *junit = NULL, *metrics = NULL, *changed = NULL;
	const char *status;

	put_two_boots(&(struct made){ 0 });
	manifest = file_read(path, NULL);
	status = strstr(manifest, "complete");
	assert_non_null(status);
	changed = xasprintf("%.*spartial%s", (int)(status - manifest), manifest,
			    status + strlen("complete"));
	put("base", "manifest.json", changed);
	junit = export_as("junit", EXIT_OK, &said);
	metrics = export_as("openmetrics", EXIT_OK, NULL);
	assert_one_line(said);
	assert_contains(said, "the run is not complete: its status is 'partial'");
	assert_contains(junit, " errors=\"1\"");
	assert_contains(junit, "<error type=\"failed\" message=\"the run is not complete");
	assert_contains(metrics, "\niommubench_run_complete 0\n");
}

#define LABELS \
	"cell=\"static.nvme.fio\",mode=\"static\",device=\"nvme\",workload=\"fio\",variant=\"\""

static void openmetrics_of_two_boots(void **state)
{
	autofree char *text = NULL;

	put_two_boots(&(struct made){ 0 });
	text = export_as("openmetrics", EXIT_OK, NULL);
	assert_string_equal(
		text,
		"# TYPE iommubench_run_info gauge\n"
		"# HELP iommubench_run_info Which run this is; always 1.\n"
		"iommubench_run_info{run_id=\"base\",name=\"\",status=\"complete\",where=\"host\","
		"git_revision=\"abc\",fingerprint=\"00ff\"} 1\n"
		"# TYPE iommubench_run_complete gauge\n"
		"# HELP iommubench_run_complete 1 if the run came to its end, else 0.\n"
		"iommubench_run_complete 1\n"
		"# TYPE iommubench_cell_status gauge\n"
		"# HELP iommubench_cell_status Always 1; the label says ok, skipped, failed or "
		"invalid.\n"
		"iommubench_cell_status{" LABELS ",status=\"ok\"} 1\n"
		"# TYPE iommubench_cell_boots gauge\n"
		"# HELP iommubench_cell_boots Boots that count (ok) and that do not (not_ok).\n"
		"iommubench_cell_boots{" LABELS ",result=\"ok\"} 2\n"
		"iommubench_cell_boots{" LABELS ",result=\"not_ok\"} 0\n"
		"# TYPE iommubench_read_iops gauge\n"
		"# HELP iommubench_read_iops read_iops over the boots that are ok, in ops/s; higher "
		"is better.\n"
		"iommubench_read_iops{" LABELS ",stat=\"median\"} 1500.25\n"
		"iommubench_read_iops{" LABELS ",stat=\"min\"} 1000.5\n"
		"iommubench_read_iops{" LABELS ",stat=\"max\"} 2000\n"
		"# TYPE iommubench_lat_p99_seconds gauge\n"
		"# UNIT iommubench_lat_p99_seconds seconds\n"
		"# HELP iommubench_lat_p99_seconds lat_p99_s over the boots that are ok, in s; "
		"lower is better.\n"
		"iommubench_lat_p99_seconds{" LABELS ",stat=\"median\"} 0.002\n"
		"iommubench_lat_p99_seconds{" LABELS ",stat=\"min\"} 0.001\n"
		"iommubench_lat_p99_seconds{" LABELS ",stat=\"max\"} 0.003\n"
		"# EOF\n");
}

static void openmetrics_names_end_in_their_unit(void **state)
{
	static const struct {
		const char *name, *unit, *family;
	} cases[] = {
		{ "vm_create_s", "s", "vm_create_seconds gauge\n# UNIT" },
		{ "host_cpu_s_per_op", "s", "host_cpu_s_per_op_seconds gauge\n# UNIT" },
		{ "pinned_end_bytes", "bytes", "pinned_end_bytes gauge\n# UNIT" },
		{ "tcp_bytes_per_s", "bytes/s", "tcp_bytes_per_second gauge\n# UNIT" },
		{ "packets_per_s", "packets/s", "packets_per_second gauge\n# HELP" },
		{ "packet_loss", "ratio", "packet_loss_ratio gauge\n# UNIT" },
		{ "vm_exits", "count", "vm_exits gauge\n# HELP" },
		{ "_s", "s", "_s_seconds gauge\n# UNIT" },
		{ "a-b<c>", "", "a_b_c_ gauge\n# HELP" },
	};
	struct made made = { .boots = 1 };
	autofree char *text = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		add_row(&made, 0, &(struct metric){ cases[i].name, cases[i].unit, "none" }, 1);
	put_run("base", &made);
	text = export_as("openmetrics", EXIT_OK, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		autofree char *line = xasprintf("# TYPE iommubench_%s", cases[i].family);

		assert_contains(text, line);
	}
}

static void openmetrics_refuses_names_that_become_one(void **state)
{
	static const char *const names[][2] = { { "a-b", "a_b" }, { "run_info", "x" } };
	static const char *const said_of[] = { "both a-b and a_b would be iommubench_a_b",
					       "both run_info and run_info would be" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct made made = { .boots = 1 };
		autofree char *said = NULL;

		add_row(&made, 0, &(struct metric){ names[i][0], "count", "none" }, 1);
		add_row(&made, 0, &(struct metric){ names[i][1], "count", "none" }, 1);
		put_run("base", &made);
		free(export_as("openmetrics", EXIT_USAGE, &said));
		assert_one_line(said);
		assert_contains(said, said_of[i]);
	}
}

static void labels_are_escaped(void **state)
{
	struct made made = { .where = "a\\\\b\\\"c\\nd\\u001be" };
	autofree char *text = NULL;

	put_two_boots(&made);
	text = export_as("openmetrics", EXIT_OK, NULL);
	assert_contains(text, ",where=\"a\\\\b\\\"c\\nd?e\",");
}

static void xml_has_no_characters_that_it_must_not_have(void **state)
{
	struct made made = { .where = "a\\u0001b\\uffffc\\ufffed\\u00e4" };
	autofree char *text = NULL;

	put_two_boots(&made);
	text = export_as("junit", EXIT_OK, NULL);
	assert_contains(text, "<property name=\"where\" value=\"abcd\xc3\xa4\"/>");
}

static void unknown_formats_are_refused(void **state)
{
	autofree char *said = NULL;

	put_two_boots(&(struct made){ 0 });
	free(export_as("jsn", EXIT_USAGE, &said));
	assert_one_line(said);
	assert_contains(said, "no format 'jsn'; did you mean 'json'");
}

/* With --out; the exit status. */
static int export_to(const char *run, const char *path, char **said)
{
	autofree char *dir = xasprintf("%s/%s", capture_dir, run);
	const struct export_options options = { .run = dir, .format = "csv", .out = path };
	int status;

	capture_begin();
	status = export_command(&options, stdout);
	*said = capture_end();
	return status;
}

static void files_are_replaced_whole(void **state)
{
	autofree char *path = xasprintf("%s/out.csv", capture_dir), *text = NULL;
	autofree char *tmp = xasprintf("%s.tmp", path), *before = NULL;
	char *said;

	free(capture_file("out.csv", "old", 3));
	assert_int_equal(export_to("nowhere", path, &said), EXIT_USAGE);
	free(said);
	before = file_read(path, NULL);
	assert_string_equal(before, "old");
	put_two_boots(&(struct made){ 0 });
	assert_int_equal(export_to("base", path, &said), EXIT_OK);
	free(said);
	text = file_read(path, NULL);
	assert_memory_equal(text, CSV_HEADER, strlen(CSV_HEADER));
	assert_false(file_exists(tmp));
}

static void where_nothing_can_be_written(void **state)
{
	autofree char *nowhere = xasprintf("%s/none/out.csv", capture_dir), *said = NULL;
	autofree char *full = NULL;
	struct stat st;

	put_two_boots(&(struct made){ 0 });
	assert_int_equal(export_to("base", nowhere, &said), EXIT_USAGE);
	assert_one_line(said);
	assert_contains(said, "none/out.csv: No such file or directory");
	/* A device is written to; it is not replaced by a file. */
	assert_int_equal(export_to("base", "/dev/full", &full), EXIT_USAGE);
	assert_one_line(full);
	assert_contains(full, "cannot write /dev/full: No space left on device");
	assert_int_equal(stat("/dev/full", &st), 0);
	assert_true(S_ISCHR(st.st_mode));
}

#define EXPORT_TEST(f) cmocka_unit_test_setup(f, made_runs_clean)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		EXPORT_TEST(csv_has_a_line_for_each_value),
		EXPORT_TEST(csv_quotes_what_needs_it),
		EXPORT_TEST(values_of_bad_boots_are_left_out),
		EXPORT_TEST(json_has_values_and_medians),
		EXPORT_TEST(json_of_few_boots_has_no_interval),
		EXPORT_TEST(numbers_survive),
		EXPORT_TEST(junit_says_how_each_cell_went),
		EXPORT_TEST(a_run_broken_off_is_no_success),
		EXPORT_TEST(openmetrics_of_two_boots),
		EXPORT_TEST(openmetrics_names_end_in_their_unit),
		EXPORT_TEST(openmetrics_refuses_names_that_become_one),
		EXPORT_TEST(labels_are_escaped),
		EXPORT_TEST(xml_has_no_characters_that_it_must_not_have),
		EXPORT_TEST(unknown_formats_are_refused),
		EXPORT_TEST(files_are_replaced_whole),
		EXPORT_TEST(where_nothing_can_be_written),
	};

	return cmocka_run_group_tests(tests, capture_setup, capture_teardown);
}
