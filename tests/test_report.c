// SPDX-License-Identifier: GPL-2.0-only
/* The report of small made-up runs: its figures, what it leaves out, and what it refuses. */
#include "tests/capture.h"

#include <errno.h>
#include <math.h>
#include <sys/stat.h>

#include "harness/report.h"
#include "harness/stats.h"

#define SCRIPTS "scripts"
#define HEADER "cell,mode,device,workload,variant,boot,metric,unit,direction,value\n"

/* A run in the making: cells of the manifest, rows of the samples. */
struct made {
	struct strbuf cells, rows;
};

static void add_cell(struct made *made, const char *mode, const char *workload, const char *variant,
		     const char *status, const char *boots)
{
	bool ok = !strcmp(status, "ok");

	strbuf_addf(&made->cells,
		    "%s{\"id\": \"%s.nvme.%s%s%s\", \"mode\": \"%s\", \"device\": \"nvme\", "
		    "\"workload\": \"%s\", \"variant\": \"%s\", \"status\": \"%s\", "
		    "\"reason\": %s, \"boots\": [%s]}",
		    made->cells.len ? "," : "", mode, workload, *variant ? "." : "", variant, mode,
		    workload, variant, status, ok ? "null" : "\"because of <this> & \\\"that\\\"\"",
		    boots);
}

#define BOOT(n, status)                                                    \
	"{\"boot\": " #n ", \"status\": \"" status "\", \"attempts\": 1, " \
	"\"reason\": null, \"proof\": {\"group\": \"DMA\"}}"
#define THREE_BOOTS BOOT(0, "ok") "," BOOT(1, "ok") "," BOOT(2, "ok")

struct names {
	const char *mode, *workload, *variant;
};
#define CELL(...) (&(const struct names){ __VA_ARGS__ })

static void add_value(struct made *made, const struct names *cell, unsigned int boot,
		      const char *metric, const char *unit, double value)
{
	strbuf_addf(&made->rows, "%s.nvme.%s%s%s,%s,nvme,%s,%s,%u,%s,%s,none,%.12g\n", cell->mode,
		    cell->workload, *cell->variant ? "." : "", cell->variant, cell->mode,
		    cell->workload, cell->variant, boot, metric, unit, value);
}

/* Three boots of fio: values around the medians. */
static void add_fio(struct made *made, const char *mode, double iops, double p99_s)
{
	static const double spread[] = { 1.1, 1, 0.9 };

	for (unsigned int b = 0; b < ARRAY_SIZE(spread); b++) {
		add_value(made, CELL(mode, "fio", ""), b, "read_iops", "ops/s",
			  iops * spread[b] * 0.75);
		add_value(made, CELL(mode, "fio", ""), b, "write_iops", "ops/s",
			  iops * spread[b] * 0.25);
		add_value(made, CELL(mode, "fio", ""), b, "lat_p99_s", "s", p99_s * spread[b]);
		add_value(made, CELL(mode, "fio", ""), b, "vm_create_s", "s", 0.5);
	}
}

static char *path_of(const char *name)
{
	return xasprintf("%s/run/%s", capture_dir, name);
}

static void put(const char *name, const char *text)
{
	autofree char *path = path_of(name), *dir = xstrdup(path);

	*strrchr(dir, '/') = '\0';
	assert_int_equal(mkdir_all(dir), 0);
	assert_int_equal(file_write(path, text, true), 0);
}

static char *get(const char *name)
{
	autofree char *path = path_of(name);
	char *text = file_read(path, NULL);

	if (!text)
		fail_msg("no %s", name);
	return text;
}

static void put_run(struct made *made, const char *status, const char *where)
{
	autofree char *manifest = xasprintf(
		"{\"schema\": 1, \"run_id\": \"r1\", \"name\": \"<script>alert(1)</script>\", "
		"\"status\": \"%s\", \"started\": \"2026-01-31T23:59:59Z\", \"finished\": null, "
		"\"where\": \"%s\", \"git_revision\": \"abc\", \"config\": {\"name\": \"<b>\"}, "
		"\"environment\": {\"cpu\": \"<img src=x>\", \"mitigations\": {\"a\": \"<u>\"}, "
		"\"fingerprint\": \"00ff\"}, \"cells\": [%s]}",
		status, where, made->cells.data ? made->cells.data : "");
	autofree char *samples = xasprintf(HEADER "%s", made->rows.data ? made->rows.data : "");

	put("manifest.json", manifest);
	put("samples.csv", samples);
	free(made->cells.data);
	free(made->rows.data);
}

static int clean(void **state)
{
	autofree char *dir = xasprintf("%s/run", capture_dir);

	return remove_all(dir);
}

/* Writes the report and reads it back. */
static char *report(void)
{
	autofree char *dir = xasprintf("%s/run", capture_dir), *said = NULL;
	int ret;

	capture_begin();
	ret = report_write(dir, SCRIPTS);
	said = capture_end();
	if (ret)
		fail_msg("report_write: %d: %s", ret, said);
	return get("report.html");
}

static char *table(void)
{
	autofree char *dir = xasprintf("%s/run", capture_dir);
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	assert_int_equal(report_print_table(dir, out), 0);
	fclose(out);
	return text;
}

/* The line of the table that starts with a word. */
static char *line_of(const char *text, const char *word)
{
	autofree char *start = xasprintf("\n%s ", word);
	const char *line = strstr(text, start);

	if (!line)
		fail_msg("no line '%s' in '%s'", word, text);
	return line ? xasprintf("%.*s", (int)strcspn(line + 1, "\n"), line + 1) : NULL;
}

static void assert_lacks(const char *text, const char *part)
{
	if (strstr(text, part))
		fail_msg("'%s' in '%s'", part, text);
}

static bool have_gnuplot(void)
{
	return system("gnuplot --version >/dev/null 2>&1") == 0;
}

static void figures_are_those_of_the_samples(void **state)
{
	double iops[] = { 1000, 400 }, p99_s[] = { 0.0005, 0.0015 };
	struct made made = { 0 };
	autofree char *html = NULL, *text = NULL, *line = NULL, *base = NULL, *ratios = NULL;

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
	ratios = xasprintf("%.2f× the throughput, %.2f× the p99 latency",
			   stats_ratio(iops[1], iops[0]), stats_ratio(p99_s[1], p99_s[0]));
	assert_contains(html, ratios);
	assert_contains(html, ">400/s<small>0.40×; 360/s to 440/s</small>");
	assert_contains(html, ">1.50 ms<small>3.00×; 1.35 ms to 1.65 ms</small>");
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

static void everything_from_files_is_escaped(void **state)
{
	struct made made = { 0 };
	autofree char *html = NULL, *text = NULL;

	add_cell(&made, "static", "<svg onload=x>", "", "ok", BOOT(0, "ok") "," BOOT(1, "ok"));
	add_cell(&made, "<i>'`touch x`", "<svg onload=x>", "", "ok", BOOT(0, "ok"));
	add_cell(&made, "\\u001b[2J", "<svg onload=x>", "", "skipped", "");
	add_value(&made, CELL("static", "<svg onload=x>", ""), 0, "<b>metric", "<s>", 5);
	add_value(&made, CELL("static", "<svg onload=x>", ""), 1, "lat_p99_s", "<s>", 5);
	add_value(&made, CELL("<i>'`touch x`", "<svg onload=x>", ""), 0, "lat_p99_s", "<s>", 5);
	put_run(&made, "<em>", "<em>");
	html = report();
	text = table();
	assert_contains(html, "&lt;script&gt;alert(1)&lt;/script&gt;");
	assert_contains(html, "because of &lt;this&gt; &amp; &quot;that&quot;");
	assert_contains(html, "&lt;b&gt;metric");
	assert_contains(html, "&lt;img src=x&gt;");
	assert_lacks(html, "<script");
	assert_lacks(html, "<img");
	assert_lacks(html, "<svg onload");
	assert_lacks(html, "<b>");
	assert_lacks(html, "<i>");
	assert_lacks(html, "<s>");
	assert_lacks(html, "<u>");
	assert_lacks(text, "\x1b");
	assert_false(file_exists("x"));
}

static void page_needs_no_network(void **state)
{
	struct made made = { 0 };
	autofree char *html = NULL;

	add_cell(&made, "static", "fio", "", "ok", THREE_BOOTS);
	add_fio(&made, "static", 1000, 0.001);
	put_run(&made, "complete", "host");
	html = report();
	assert_lacks(html, " src=\"");
	assert_lacks(html, "@import");
	assert_lacks(html, "href=\"http");
	assert_lacks(html, "<link");
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
	assert_contains(html, "123 M/s</td>");
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
	autofree char *html = NULL, *text = NULL;

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
	assert_contains(html,
			": 2.50× the emulated instructions per operation, 1.00× the throughput");
	assert_contains(text, "they are not hardware figures");
	assert_true(strstr(text, "instr/op") < strstr(text, "throughput  "));
}

static void plots_are_drawn_and_embedded(void **state)
{
	static const char *const names[] = { "throughput", "latency_p99", "exits_per_op",
					     "creation", "pinned" };
	struct made made = { 0 };
	autofree char *html = NULL;

	if (!have_gnuplot())
		skip();
	add_cell(&made, "static", "fio", "", "ok", THREE_BOOTS);
	add_cell(&made, "other", "fio", "", "ok", THREE_BOOTS);
	add_fio(&made, "static", 1000, 0.001);
	add_fio(&made, "other", 500, 0.002);
	add_value(&made, CELL("other", "fio", ""), 0, "vm_exits_per_op", "count", 4);
	add_value(&made, CELL("other", "fio", ""), 0, "vm_exits", "count", 400);
	add_value(&made, CELL("other", "fio", ""), 0, "vm_exits_mmio", "count", 300);
	put_run(&made, "complete", "host");
	put("cells/static.nvme.fio/0/pinned.csv", "t_s,pinned_bytes\n0,0\n0.5,536870912\n9,53");
	put("cells/other.nvme.fio/1/pinned.csv", "t_s,pinned_bytes\n0,0\n0.5,4096\nx\n");
	html = report();
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		autofree char *figure = xasprintf("id=\"plot-%s\">\n<svg class=\"plot\"", names[i]);
		autofree char *png = xasprintf("plots/%s.png", names[i]);
		autofree char *image = get(png);

		assert_contains(html, figure);
		assert_memory_equal(image, "\x89PNG", 4);
	}
	assert_contains(html, ">mmio</text>");
	assert_contains(html, "id='throughput-gp");
	assert_lacks(html, "id='gp");
	assert_lacks(html, "could not be drawn");
}

/* Runs report_write() with another PATH. */
static int report_with_path(const char *path, char **said)
{
	autofree char *dir = xasprintf("%s/run", capture_dir), *before = xstrdup(getenv("PATH"));
	int ret;

	setenv("PATH", path, 1);
	capture_begin();
	ret = report_write(dir, SCRIPTS);
	*said = capture_end();
	setenv("PATH", before, 1);
	return ret;
}

static void without_gnuplot_there_is_still_a_page(void **state)
{
	struct made made = { 0 };
	autofree char *html = NULL, *said = NULL;

	add_cell(&made, "static", "fio", "", "ok", THREE_BOOTS);
	add_fio(&made, "static", 1000, 0.001);
	put_run(&made, "complete", "host");
	assert_int_equal(report_with_path("/nonexistent", &said), 0);
	assert_one_line(said);
	assert_contains(said, "gnuplot is missing");
	html = get("report.html");
	assert_contains(html, "There are no plots");
	assert_contains(html, ">1.00 ms<");
}

static void failing_gnuplot_is_an_error_and_there_is_a_page(void **state)
{
	autofree char *bin = xasprintf("%s/run/bin", capture_dir), *html = NULL, *said = NULL;
	autofree char *search = xasprintf("%s:%s", bin, getenv("PATH"));
	autofree char *program = xasprintf("%s/gnuplot", bin);
	struct made made = { 0 };

	add_cell(&made, "static", "fio", "", "ok", BOOT(0, "ok"));
	add_value(&made, CELL("static", "fio", ""), 0, "vm_create_s", "s", 1);
	put_run(&made, "complete", "host");
	put("bin/gnuplot", "#!/bin/sh\necho no terminal\nexit 3\n");
	assert_int_equal(chmod(program, 0755), 0);
	assert_int_equal(report_with_path(search, &said), -EIO);
	assert_contains(said, "plot creation: gnuplot failed");
	assert_contains(said, "no terminal");
	html = get("report.html");
	assert_contains(html, "could not be drawn");
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
		cmocka_unit_test_setup(everything_from_files_is_escaped, clean),
		cmocka_unit_test_setup(page_needs_no_network, clean),
		cmocka_unit_test_setup(boots_that_are_not_ok_do_not_count_but_are_listed, clean),
		cmocka_unit_test_setup(nothing_to_divide_by_is_a_dash, clean),
		cmocka_unit_test_setup(runs_that_have_hardly_begun, clean),
		cmocka_unit_test_setup(lab_figures_are_marked, clean),
		cmocka_unit_test_setup(plots_are_drawn_and_embedded, clean),
		cmocka_unit_test_setup(without_gnuplot_there_is_still_a_page, clean),
		cmocka_unit_test_setup(failing_gnuplot_is_an_error_and_there_is_a_page, clean),
		cmocka_unit_test_setup(malformed_manifests_are_refused, clean),
		cmocka_unit_test_setup(missing_and_malformed_files, clean),
	};

	return cmocka_run_group_tests(tests, capture_setup, capture_teardown);
}
