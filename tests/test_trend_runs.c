// SPDX-License-Identifier: GPL-2.0-only
/* trend and folders as they come: doubled, damaged, moved, hostile; and the files it writes. */
#include "tests/nights.h"

#include <errno.h>
#include <sys/stat.h>

#include "harness/proc.h"

static json_int_t nr_runs(int status)
{
	json_t *json = trend_json_of((struct trend_options){ 0 }, status);
	json_int_t nr = json_integer_value(json_object_get(json, "runs"));

	json_decref(json);
	return nr;
}

/* Says why, names what, and is no regression. */
static void assert_trouble(const char *what, const char *reason)
{
	autofree char *printed = NULL, *said = NULL;

	assert_int_equal(trend_with((struct trend_options){ 0 }, &printed, &said), EXIT_CELLS);
	assert_contains(said, what);
	assert_contains(said, reason);
}

static void the_same_id_twice(void **state)
{
	autofree char *printed = NULL, *said = NULL;

	put_nights(0, 12, 1000, NIGHT);
	put_nights(3, 4, 1000, &(const struct night){ .folder = "zcopy" });
	assert_int_equal(nr_runs(EXIT_OK), 12);
	put_nights(3, 4, 900, &(const struct night){ .folder = "other" });
	assert_int_equal(trend_with((struct trend_options){ 0 }, &printed, &said), EXIT_CELLS);
	assert_contains(said, "/night-0003 and ");
	assert_contains(said, "/other are both run night-0003, with different content");
	assert_string_equal(printed, "");
	/* Only one of them is left: the other one than the history has. */
	autofree char *first = nights_path("night-0003"), *copy = nights_path("zcopy");

	assert_int_equal(remove_all(first), 0);
	assert_int_equal(remove_all(copy), 0);
	assert_int_equal(nr_runs(EXIT_OK), 12);
	put_file("other", "manifest.json", "{}"); /* not silently, either */
	assert_trouble("/other: skipped", "repair it or move it away");
}

/* Its points stay; so do those of a run whose folder has another name now. */
static void folders_come_and_go(void **state)
{
	put_nights(0, 20, 1000, NIGHT);
	assert_int_equal(nr_runs(EXIT_OK), 20);
	for (unsigned int day = 0; day < 15; day++) {
		autofree char *run = night_run(day), *dir = nights_path(run);

		assert_int_equal(remove_all(dir), 0);
	}
	autofree char *from = nights_path("night-0017"), *to = nights_path("renamed");
	autofree char *latest = nights_path("latest");

	assert_int_equal(rename(from, to), 0);
	assert_int_equal(symlink("night-0019", latest), 0);
	assert_int_equal(nr_runs(EXIT_OK), 20);
	put_nights(20, 24, 900, NIGHT);
	assert_int_equal(nr_runs(EXIT_REGRESSION), 24);
}

static void a_run_that_has_changed(void **state)
{
	autofree char *said = NULL;

	put_nights(0, 30, 1000, NIGHT);
	assert_int_equal(trend_with((struct trend_options){ 0 }, NULL, NULL), EXIT_OK);
	put_night(29, 500, NIGHT);
	assert_int_equal(trend_with((struct trend_options){ 0 }, NULL, &said), EXIT_REGRESSION);
	assert_contains(said, "night-0029 has changed since it was added");
}

static void runs_that_are_not_complete(void **state)
{
	autofree char *printed = NULL;

	put_nights(0, 12, 1000, NIGHT);
	put_nights(12, 13, 1, &(const struct night){ .status = "running" });
	assert_int_equal(trend_with((struct trend_options){ 0 }, &printed, NULL), EXIT_OK);
	assert_contains(printed, "12 runs");
	assert_contains(printed, "not complete (running), not added: night-0012");
	put_nights(12, 13, 1000, NIGHT);
	assert_int_equal(nr_runs(EXIT_OK), 13);
}

static void damaged_runs_are_named(void **state)
{
	static const struct {
		const char *file, *text, *reason;
	} cases[] = {
		{ "manifest.json", "{\"schema\": 1, \"run_id\": ", "manifest" },
		{ "manifest.json", "{\"schema\": 2, \"cells\": []}", "schema is not 1" },
		{ "manifest.json", "[]", "schema" },
		{ "samples.csv", "a,b\n", "the header is not" },
		{ "samples.csv",
		  "cell,mode,device,workload,variant,boot,metric,unit,direction,value\n",
		  "nothing of boot 0" },
		{ "samples.csv",
		  "cell,mode,device,workload,variant,boot,metric,unit,direction,value\n" CELL
		  ",static,nvme,fio,,0,read_iops,ops/s,higher,nan\n",
		  "no finite decimal number" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		autofree char *printed = NULL, *said = NULL;

		nights_clean(NULL);
		put_nights(0, 13, 1000, NIGHT);
		put_file("night-0012", cases[i].file, cases[i].text);
		assert_int_equal(trend_with((struct trend_options){ 0 }, &printed, &said),
				 EXIT_CELLS);
		assert_contains(said, cases[i].reason);
		assert_contains(said, "/night-0012: skipped");
		assert_contains(printed, "12 runs");
		assert_contains(printed, "skipped: night-0012: ");
		/* And does not hide a regression of the others. */
		put_nights(13, 18, 800, NIGHT);
		assert_int_equal(nr_runs(EXIT_REGRESSION), 17);
	}
}

static void runs_without_a_place_in_time(void **state)
{
	put_nights(0, 12, 1000, NIGHT);
	put_nights(12, 13, 1000, &(const struct night){ .started = "yesterday" });
	assert_trouble("night-0012: skipped", "no time at which it started");
	put_nights(12, 13, 1000, &(const struct night){ .run = "a\\u001b[2J" });
	assert_trouble("night-0012: skipped", "control character");
	put_nights(12, 13, 1000, &(const struct night){ .run = "" });
	assert_trouble("night-0012: skipped", "no run_id");
	/* It would be the newest for years, and no night after it would be suspected. */
	put_nights(12, 13, 1000, &(const struct night){ .started = "2931-01-01T00:00:00Z" });
	assert_trouble("night-0012: skipped", "in the future");
}

static void a_pipe_is_no_manifest(void **state)
{
	autofree char *path = nights_path("night-0012/manifest.json");

	put_nights(0, 13, 1000, NIGHT);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_trouble("night-0012: skipped", "not a regular file");
}

static void a_folder_that_is_not_there(void **state)
{
	autofree char *dir = nights_path("");

	assert_int_equal(remove_all(dir), 0);
	assert_int_equal(trend_with((struct trend_options){ 0 }, NULL, NULL), EXIT_USAGE);
}

/* --- JUnit and HTML --- */

static char *read_file(const char *name)
{
	autofree char *path = nights_path(name);
	char *text = file_read(path, NULL);

	assert_non_null(text);
	return text;
}

static void assert_xml(const char *name)
{
	autofree char *path = nights_path(name), *said = NULL;
	const char *argv[] = { "xmllint", "--noout", path, NULL };
	int ret = proc_run((char *const *)argv, 30, &said);

	if (ret && ret != -ENOENT)
		fail_msg("%s", said);
}

static void junit_tells_failures_from_errors(void **state)
{
	autofree char *path = nights_path("junit.xml"), *alarm = NULL, *broken = NULL;
	struct trend_options options = { .junit = path };

	put_nights(0, 30, 1000, NIGHT);
	put_nights(30, 36, 900, NIGHT);
	assert_int_equal(trend_with(options, NULL, NULL), EXIT_REGRESSION);
	assert_xml("junit.xml");
	alarm = read_file("junit.xml");
	assert_contains(alarm, "tests=\"1\" failures=\"1\" errors=\"0\" skipped=\"0\"");
	assert_contains(alarm, "<testcase classname=\"" CELL "\" name=\"read_iops\"><failure "
			       "type=\"regression\" message=\"regression of -10.2 %");

	put_nights(30, 36, 1000, NIGHT);
	put_file("night-0003", "samples.csv", "");
	assert_int_equal(trend_with(options, NULL, NULL), EXIT_CELLS);
	assert_xml("junit.xml");
	free(alarm);
	alarm = read_file("junit.xml");
	assert_contains(alarm, "tests=\"2\" failures=\"0\" errors=\"1\" skipped=\"0\"");
	assert_contains(alarm, "classname=\"runs\" name=\"night-0003\"><error ");
	assert_null(strstr(alarm, "<failure"));

	put_file("", "history.sqlite", "not a database, but as long as the header of one would be");
	assert_int_equal(trend_with(options, NULL, NULL), EXIT_CELLS);
	assert_xml("junit.xml");
	broken = read_file("junit.xml");
	assert_contains(broken, "tests=\"1\" failures=\"0\" errors=\"1\"");
	assert_contains(broken, "<error type=\"trend\"");
}

/* A name must break neither XML nor HTML, and move no cursor. */
static void hostile_names(void **state)
{
	static const struct night hostile = {
		.metric = "<script>alert(1)</script>]]>&%s%n\xc2\x9b\xef\xbf\xbe",
		.cell = "--><img src=x onerror=alert(1)>'",
		.unit = "</svg>'`",
	};
	autofree char *path = nights_path("junit.xml"), *page = NULL;
	autofree char *printed = NULL;
	struct trend_options options = { .junit = path, .all = true };

	put_nights(0, 30, 1000, &hostile);
	put_nights(30, 36, 900, &hostile);
	assert_int_equal(trend_with(options, &printed, NULL), EXIT_REGRESSION);
	assert_null(strstr(printed, "\xc2\x9b"));
	assert_xml("junit.xml");
	page = read_file("trend.html");
	assert_null(strstr(page, "<script"));
	assert_null(strstr(page, "<img"));
	assert_null(strstr(page, "</svg>'"));
	assert_contains(page, "&lt;script&gt;alert(1)&lt;/script&gt;");
	options.as_json = true;
	free(printed);
	assert_int_equal(trend_with(options, &printed, NULL), EXIT_REGRESSION);
	json_t *json = json_loads(printed, 0, NULL);

	assert_string_equal(text_in(first_series(json), "metric"), hostile.metric);
	json_decref(json);
}

/* Everything that is marked, once; and no network. */
static void the_page(void **state)
{
	autofree char *page = NULL, *empty = NULL, *path = nights_path("elsewhere.html");
	static const char *const network[] = { "http://", "https://", "src=", "@import", "url(\"" };

	assert_int_equal(trend_with((struct trend_options){ 0 }, NULL, NULL), EXIT_INCONCLUSIVE);
	empty = read_file("trend.html");
	assert_contains(empty, "Too few nights");
	put_nights(0, 40, 1000, &(const struct night){ .fingerprint = "beef" });
	put_nights(40, 60, 1000, NIGHT);
	put_nights(60, 80, 1100, NIGHT);
	put_nights(80, 85, 1000, NIGHT);
	put_nights(85, 90, 900, NIGHT);
	put_file("", "acknowledged.yaml",
		 "- { run: night-0080, cell: \"*\", metric: \"*\", reason: that is known }\n");
	assert_int_equal(trend_with((struct trend_options){ .html = path }, NULL, NULL),
			 EXIT_REGRESSION);
	page = read_file("elsewhere.html");
	assert_contains(page, "<svg class=\"plot\"");
	assert_contains(page, "stroke='rgb(213,  94,   0)'"); /* a regression */
	assert_contains(page, "stroke='rgb(  0, 158, 115)'"); /* an improvement */
	assert_contains(page, "stroke='rgb(153, 153, 153)'"); /* what is acknowledged */
	assert_contains(page, "stroke-dasharray");	      /* another environment */
	assert_contains(page, "acknowledged: that is known");
	assert_contains(page, "<td data-label=\"environment\">beef</td>");
	for (size_t i = 0; i < ARRAY_SIZE(network); i++) {
		const char *found = strstr(page, network[i]);

		if (found && strncmp(found, "http://www.w3.org/", 18) != 0)
			fail_msg("%.60s", found);
	}
}

static void files_that_cannot_be_written(void **state)
{
	struct trend_options page = { .html = "/no/such/dir/x" }, junit = { .junit = "/no/such/x" };

	put_nights(0, 30, 1000, NIGHT);
	assert_int_equal(trend_with(page, NULL, NULL), EXIT_CELLS);
	assert_int_equal(trend_with(junit, NULL, NULL), EXIT_CELLS);
	put_nights(30, 36, 900, NIGHT);
	assert_int_equal(trend_with(page, NULL, NULL), EXIT_REGRESSION);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(the_same_id_twice, nights_clean),
		cmocka_unit_test_setup(folders_come_and_go, nights_clean),
		cmocka_unit_test_setup(a_run_that_has_changed, nights_clean),
		cmocka_unit_test_setup(runs_that_are_not_complete, nights_clean),
		cmocka_unit_test_setup(damaged_runs_are_named, nights_clean),
		cmocka_unit_test_setup(runs_without_a_place_in_time, nights_clean),
		cmocka_unit_test_setup(a_pipe_is_no_manifest, nights_clean),
		cmocka_unit_test_setup(a_folder_that_is_not_there, nights_clean),
		cmocka_unit_test_setup(junit_tells_failures_from_errors, nights_clean),
		cmocka_unit_test_setup(hostile_names, nights_clean),
		cmocka_unit_test_setup(the_page, nights_clean),
		cmocka_unit_test_setup(files_that_cannot_be_written, nights_clean),
	};

	return cmocka_run_group_tests(tests, capture_setup, capture_teardown);
}
