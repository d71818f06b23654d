// SPDX-License-Identifier: GPL-2.0-only
/* The report of small made-up runs: its figures, what it leaves out, and what it refuses. */
#include "tests/made_report.h"

#include <errno.h>
#include <math.h>

#include "harness/stats.h"

/* The line of the table that starts with a word. */
static char *line_of(const char *text, const char *word)
{
	autofree char *start = xasprintf("\n%s ", word);
	const char *line = strstr(text, start);

	if (!line)
		fail_msg("no line '%s' in '%s'", word, text);
	return line ? xasprintf("%.*s", (int)strcspn(line + 1, "\n"), line + 1) : NULL;
}

static void figures_are_those_of_the_samples(void **state)
{
	double iops[] = { 1000, 400 }, p99_s[] = { 0.0005, 0.0015 };
	struct made made = { 0 };
	autofree char *html = NULL, *text = NULL, *line = NULL, *base = NULL, *ratios = NULL;
	autofree char *words = NULL;

	/* The baseline is "static" wherever it stands. */
	add_cell(&made, "slow", "fio", "", "ok", THREE_BOOTS);
	add_cell(&made, "static", "fio", "", "ok", THREE_BOOTS);
	add_fio(&made, "slow", iops[1], p99_s[1]);
	add_fio(&made, "static", iops[0], p99_s[0]);
	put_run(&made, "complete", "host");
	html = report();
	text = table();
	line = line_of(text, "slow");
	base = line_of(text, "static");
	words = words_of(html);
	/* Of three boots a side the interval is from the lowest ratio of two boots to the highest.
	 */
	ratios = xasprintf("%.2f× (%.2f to %.2f) the throughput, %.2f× (%.2f to %.2f) the p99",
			   iops[1] / iops[0], iops[1] * 0.9 / (iops[0] * 1.1),
			   iops[1] * 1.1 / (iops[0] * 0.9), p99_s[1] / p99_s[0],
			   p99_s[1] * 0.9 / (p99_s[0] * 1.1), p99_s[1] * 1.1 / (p99_s[0] * 0.9));
	assert_contains(words, ratios);
	assert_contains(words, "a confidence of 90 % or more");
	assert_contains(words, "400/s0.40×; 360/s to 440/s");
	assert_contains(words, "1.50 ms3.00×; 1.35 ms to 1.65 ms");
	assert_contains(line, " 0.40× ");
	assert_contains(line, " 3.00× ");
	assert_contains(line, " 500 ms ");
	assert_contains(line, " 3/3");
	assert_contains(base, " 1.00× ");
	assert_true(strstr(text, "static ") < strstr(text, "slow "));
	assert_lacks(html, "Not complete");
	assert_lacks(html, "Virtual lab");
}

static void ratio_over_workloads_is_their_geometric_mean(void **state)
{
	static const double values[] = { 50, 800 };
	double ratios[] = { 0.5, 8 };
	struct made made = { 0 };
	autofree char *text = NULL, *line = NULL, *expected = NULL;

	add_cell(&made, "static", "tcp", "a=1", "ok", BOOT(0, "ok"));
	add_cell(&made, "static", "tcp", "a=2", "ok", BOOT(0, "ok"));
	add_cell(&made, "other", "tcp", "a=1", "ok", BOOT(0, "ok"));
	add_cell(&made, "other", "tcp", "a=2", "ok", BOOT(0, "ok"));
	for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
		autofree char *variant = xasprintf("a=%zu", i + 1);

		add_value(&made, CELL("static", "tcp", variant), 0, "read_iops", "ops/s", 100);
		add_value(&made, CELL("other", "tcp", variant), 0, "read_iops", "ops/s", values[i]);
	}
	put_run(&made, "complete", "host");
	text = table();
	line = line_of(text, "other");
	expected = xasprintf(" %.2f× ", stats_geomean(ratios, 2));
	assert_contains(line, expected);
}

static void settings_of_modes_are_compared(void **state)
{
	struct made made = { 0 };
	autofree char *text = NULL, *off = NULL, *lru = NULL;

	add_cell(&made, "static", "fio", "rw=read", "ok", BOOT(0, "ok"));
	add_cell(&made, "co", "fio", "unpin=off+rw=read", "ok", BOOT(0, "ok"));
	add_cell(&made, "co", "fio", "unpin=lru+rw=read", "ok", BOOT(0, "ok"));
	add_value(&made, CELL("static", "fio", "rw=read"), 0, "read_iops", "ops/s", 100);
	add_value(&made, CELL("co", "fio", "unpin=off+rw=read"), 0, "read_iops", "ops/s", 90);
	add_value(&made, CELL("co", "fio", "unpin=lru+rw=read"), 0, "read_iops", "ops/s", 80);
	put_run(&made, "complete", "host");
	text = table();
	off = line_of(text, "co unpin=off");
	lru = line_of(text, "co unpin=lru");
	assert_contains(off, " 0.90× ");
	assert_contains(lru, " 0.80× ");
}

static void boots_that_are_not_ok_do_not_count_but_are_listed(void **state)
{
	struct made made = { 0 };
	autofree char *html = NULL, *text = NULL, *line = NULL;

	add_cell(&made, "static", "fio", "", "ok", BOOT(0, "ok"));
	add_cell(&made, "bad", "fio", "", "invalid", BOOT(0, "ok") "," BOOT(1, "invalid"));
	add_cell(&made, "never", "fio", "", "skipped", "");
	add_cell(&made, "dead", "fio", "", "failed", BOOT(0, "failed"));
	add_value(&made, CELL("static", "fio", ""), 0, "read_iops", "ops/s", 100);
	add_value(&made, CELL("bad", "fio", ""), 0, "read_iops", "ops/s", 70);
	add_value(&made, CELL("bad", "fio", ""), 1, "read_iops", "ops/s", 123456000);
	add_value(&made, CELL("dead", "fio", ""), 0, "read_iops", "ops/s", 100);
	add_value(&made, CELL("gone", "fio", ""), 0, "read_iops", "ops/s", 100);
	put_run(&made, "partial", "host");
	html = report();
	capture_begin();
	text = table();
	free(capture_end());
	line = line_of(text, "bad");
	assert_contains(line, " 0.70× ");
	assert_contains(line, " 1/2");
	assert_contains(text, "skipped: never.nvme.fio: because of");
	assert_contains(text, "failed: dead.nvme.fio: because of");
	assert_contains(text, "2 values of boots that are not ok are left out");
	assert_contains(html, "Values that do not count");
	assert_contains(html, ">123 M/s</data></td>");
	assert_contains(html, "1 values in samples.csv belong to no boot");
	assert_contains(html, "Not complete.");
	assert_contains(html, "<em>partial</em>");
}

static void nothing_to_divide_by_is_a_dash(void **state)
{
	struct made made = { 0 };
	autofree char *html = NULL, *text = NULL, *line = NULL;

	add_cell(&made, "static", "fio", "", "ok", THREE_BOOTS);
	add_cell(&made, "other", "fio", "", "ok", THREE_BOOTS);
	add_fio(&made, "static", 0, 0);
	add_fio(&made, "other", 100, 0.001);
	put_run(&made, "complete", "host");
	html = report();
	text = table();
	line = line_of(text, "other");
	assert_contains(line, " – ");
	assert_lacks(line, "×");
	assert_lacks(line, "nan");
	assert_lacks(html, ">nan");
	assert_lacks(html, ">inf");
}

static void runs_that_have_hardly_begun(void **state)
{
	struct made none = { 0 }, one = { 0 };
	autofree char *samples = NULL, *empty = NULL, *html = NULL, *text = NULL;

	put_run(&none, "running", "host");
	empty = report();
	assert_contains(empty, "nothing to report");
	add_cell(&one, "first", "fio", "", "failed", "");
	add_cell(&one, "second", "fio", "", "ok", "");
	put_run(&one, "running", "host");
	samples = path_of("samples.csv");
	assert_int_equal(unlink(samples), 0);
	html = report();
	text = table();
	assert_contains(html, "Compared with <strong>first</strong>");
	assert_contains(html, "nothing to plot");
	assert_contains(text, "multiples of first");
}

static void lab_figures_are_marked(void **state)
{
	struct made made = { 0 };
	autofree char *html = NULL, *text = NULL, *words = NULL;

	add_cell(&made, "static", "fio", "", "ok", THREE_BOOTS);
	add_cell(&made, "other", "fio", "", "ok", THREE_BOOTS);
	add_fio(&made, "static", 1000, 0.001);
	add_fio(&made, "other", 1000, 0.001);
	add_value(&made, CELL("static", "fio", ""), 0, "lab_instructions_per_op", "count", 30000);
	add_value(&made, CELL("other", "fio", ""), 0, "lab_instructions_per_op", "count", 75000);
	put_run(&made, "complete", "lab-tcg");
	html = report();
	text = table();
	assert_contains(html,
			"measured in the virtual lab (lab-tcg): figures compare modes with one "
			"another; they are not hardware figures");
	assert_contains(html, "which a busy machine changes least");
	words = words_of(html);
	assert_contains(words, ": 2.50× the emulated instructions per operation; no clear "
			       "difference: 1.00× (0.82 to 1.22) the throughput, 1.00×");
	assert_contains(text, "they are not hardware figures");
	assert_true(strstr(text, "instr/op") < strstr(text, "throughput  "));
}

static void malformed_manifests_are_refused(void **state)
{
	static const struct {
		const char *manifest, *what;
	} cases[] = {
		{ "", "manifest.json:" },
		{ "{\"schema\": 1,", "manifest.json:1:" },
		{ "[]", "no object" },
		{ "{}", "schema" },
		{ "{\"schema\": 2, \"status\": \"ok\", \"cells\": []}", "schema" },
		{ "{\"schema\": 1, \"status\": 3, \"cells\": []}", "status" },
		{ "{\"schema\": 1, \"status\": \"complete\"}", "cells" },
		{ "{\"schema\": 1, \"status\": \"complete\", \"cells\": {}}", "cells" },
		{ "{\"schema\": 1, \"status\": \"complete\", \"cells\": [7]}", "no valid id" },
		{ "{\"schema\": 1, \"status\": \"complete\", \"cells\": [{\"id\": \"../x\"}]}",
		  "no valid id" },
		{ "{\"schema\": 1, \"status\": \"complete\", \"cells\": [{\"id\": \"x\"}]}",
		  "x: mode" },
		{ "{\"schema\": 1, \"status\": \"complete\", \"cells\": [{\"id\": \"x\", "
		  "\"mode\": \"m\", \"device\": \"d\", \"workload\": \"w\", \"boots\": 1}]}",
		  "boots is no list" },
		{ "{\"schema\": 1, \"status\": \"complete\", \"cells\": [{\"id\": \"x\", "
		  "\"mode\": \"m\", \"device\": \"d\", \"workload\": \"w\", \"boots\": [{}]}]}",
		  "a boot has no number" },
		{ "{\"schema\": 1, \"status\": \"complete\", \"cells\": ["
		  "{\"id\": \"x\", \"mode\": \"m\", \"device\": \"d\", \"workload\": \"w\"}, "
		  "{\"id\": \"x\", \"mode\": \"m\", \"device\": \"d\", \"workload\": \"w\"}]}",
		  "two cells" },
	};
	autofree char *dir = xasprintf("%s/run", capture_dir);

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		autofree char *said = NULL, *again = NULL;
		int ret, table_ret;

		put("manifest.json", cases[i].manifest);
		capture_begin();
		ret = report_write(dir, SCRIPTS);
		said = capture_end();
		capture_begin();
		table_ret = report_print_table(dir, stdout);
		again = capture_end();
		assert_int_equal(ret, -EINVAL);
		assert_int_equal(table_ret, -EINVAL);
		assert_one_line(said);
		assert_contains(said, cases[i].what);
		assert_string_equal(said, again);
	}
}

static void missing_and_malformed_files(void **state)
{
	autofree char *dir = xasprintf("%s/run", capture_dir), *said = NULL;
	struct made made = { 0 };
	int ret;

	capture_begin();
	ret = report_write(dir, SCRIPTS);
	said = capture_end();
	assert_int_equal(ret, -ENOENT);
	assert_one_line(said);
	add_cell(&made, "static", "fio", "", "ok", BOOT(0, "ok"));
	put_run(&made, "complete", "host");
	put("samples.csv", "not,the,header\n");
	capture_begin();
	ret = report_write(dir, SCRIPTS);
	free(capture_end());
	assert_int_equal(ret, -EINVAL);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(figures_are_those_of_the_samples, clean),
		cmocka_unit_test_setup(ratio_over_workloads_is_their_geometric_mean, clean),
		cmocka_unit_test_setup(settings_of_modes_are_compared, clean),
		cmocka_unit_test_setup(boots_that_are_not_ok_do_not_count_but_are_listed, clean),
		cmocka_unit_test_setup(nothing_to_divide_by_is_a_dash, clean),
		cmocka_unit_test_setup(runs_that_have_hardly_begun, clean),
		cmocka_unit_test_setup(lab_figures_are_marked, clean),
		cmocka_unit_test_setup(malformed_manifests_are_refused, clean),
		cmocka_unit_test_setup(missing_and_malformed_files, clean),
	};

	return cmocka_run_group_tests(tests, capture_setup, capture_teardown);
}
