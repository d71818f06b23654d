// SPDX-License-Identifier: GPL-2.0-only
/* The report's page: escaped, on its own, its plots and colours. */
#include "tests/made_report.h"

#include <errno.h>
#include <math.h>
#include <sys/stat.h>

#include "bench/registry.h"
#include "harness/report_colour.h"
#include "harness/report_page.h"

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
	assert_lacks(html, "<script");
	assert_lacks(html, "url(");
	assert_contains(html, "content=\"default-src 'none'; style-src 'unsafe-inline'; img-src "
			      "data:\"");
	/* An icon of no bytes: a browser asks a server for one otherwise. */
	assert_contains(html, "<link rel=\"icon\" href=\"data:,\">");
	assert_null(strstr(strstr(html, "<link") + 1, "<link"));
}

static void plots_are_drawn_and_embedded(void **state)
{
	static const char *const names[] = { "costs",	 "throughput-fio",   "latency_p99-fio",
					     "creation", "exits_per_op-fio", "pinned" };
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
	assert_contains(html, "id='throughput-fio-gp");
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

/* Each id once, each link to a part of the page goes somewhere. */
static void assert_links_hold(const char *html)
{
	static const char *const quotes[] = { " id=\"", " id='" };

	for (size_t q = 0; q < ARRAY_SIZE(quotes); q++) {
		for (const char *p = strstr(html, quotes[q]); p; p = strstr(p + 1, quotes[q])) {
			size_t len = strcspn(p + 5, "\"'") + 6;
			autofree char *id = xasprintf("%.*s", (int)len, p);

			if (strstr(p + 1, id))
				fail_msg("%s is there twice", id);
		}
	}
	for (const char *p = strstr(html, "href=\"#"); p; p = strstr(p + 1, "href=\"#")) {
		autofree char *id = xasprintf(" id=\"%.*s\"", (int)strcspn(p + 7, "\""), p + 7);

		assert_contains(html, id);
	}
}

/* What readers with a screen reader need, as far as it can be seen from the text. */
static void assert_accessible(const char *html)
{
	char last = '0';

	assert_contains(html, "<html lang=\"en\">");
	for (const char *p = strstr(html, "<h"); p; p = strstr(p + 1, "<h")) {
		if (p[2] < '1' || p[2] > '6')
			continue;
		if (p[2] > last + 1)
			fail_msg("a heading is left out before %.40s", p);
		last = p[2];
	}
	for (const char *p = strstr(html, "<th"); p; p = strstr(p + 1, "<th"))
		if (p[3] == ' ' || p[3] == '>')
			assert_true(memmem(p, strcspn(p, ">"), " scope=\"", 8) != NULL);
	for (const char *p = strstr(html, "<svg "); p; p = strstr(p + 1, "<svg ")) {
		autofree char *start = xasprintf("%.*s", (int)strcspn(p, ">"), p);

		assert_contains(start, "role=\"img\"");
		assert_contains(start, "aria-label=\"");
		assert_memory_equal(strchr(p, '>') + 1, "\n<desc>", 7);
	}
}

static void put_two_workloads(void)
{
	struct made made = { 0 };

	add_cell(&made, "static", "fio", "", "ok", THREE_BOOTS);
	add_cell(&made, "other", "fio", "", "ok", THREE_BOOTS);
	add_cell(&made, "other", "odd;name", "", "skipped", "");
	add_cell(&made, "static", "fio", "bs=4k #1?", "ok", BOOT(0, "ok") "," BOOT(1, "failed"));
	add_fio(&made, "static", 1000, 0.001);
	add_fio(&made, "other", 500, 0.002);
	add_value(&made, CELL("static", "fio", "bs=4k #1?"), 0, "vm_create_s", "s", 1);
	add_value(&made, CELL("static", "fio", "bs=4k #1?"), 1, "vm_create_s", "s", 1);
	put_run(&made, "partial", "lab-tcg");
}

static void page_can_be_found_ones_way_in(void **state)
{
	autofree char *html = NULL;

	put_two_workloads();
	html = report();
	assert_links_hold(html);
	assert_accessible(html);
	assert_contains(html, "href=\"cells/static.nvme.fio.bs%3D4k%20%231%3F/1/\"");
	assert_contains(html, "href=\"samples.csv\"");
	assert_contains(html, "href=\"manifest.json\"");
	assert_contains(html, "<a href=\"#workload-2\">odd;name</a>");
	assert_contains(html, "<strong>1 of 4 cells</strong>");
}

/* Of sRGB, as the WCAG define it. */
static double luminance(unsigned int colour)
{
	static const double weights[] = { 0.0722, 0.7152, 0.2126 };
	double sum = 0;

	for (size_t i = 0; i < ARRAY_SIZE(weights); i++, colour >>= 8) {
		double c = (colour & 0xff) / 255.;

		sum += weights[i] * (c <= 0.04045 ? c / 12.92 : pow((c + 0.055) / 1.055, 2.4));
	}
	return sum;
}

static double contrast(unsigned int a, unsigned int b)
{
	double x = luminance(a), y = luminance(b);

	return (fmax(x, y) + 0.05) / (fmin(x, y) + 0.05);
}

static unsigned int style_colour(const char *from, const char *name)
{
	autofree char *start = xasprintf("--%s:#", name);
	const char *at = strstr(from, start);
	char *end;
	unsigned long value;

	if (!at) {
		fail_msg("no colour %s", name);
		return 0;
	}
	value = strtoul(at + strlen(start), &end, 16);
	/* The one short colour is white. */
	return (unsigned int)(end - at - (long)strlen(start) == 3 ? 0xffffff : value);
}

static void texts_can_be_read_in_both_themes(void **state)
{
	static const struct {
		const char *text, *ground;
	} pairs[] = {
		{ "ink", "page" },	{ "ink", "card" },	 { "soft", "page" },
		{ "soft", "card" },	{ "link", "page" },	 { "link", "warn-card" },
		{ "ink", "warn-card" }, { "warn", "warn-card" }, { "bad", "bad-card" },
		{ "bad", "page" },	{ "good", "good-card" }, { "good", "page" },
		{ "bad", "card" },
	};
	const char *themes[] = { page_style, strstr(page_style, "prefers-color-scheme:dark") };

	for (size_t t = 0; t < ARRAY_SIZE(themes); t++)
		for (size_t i = 0; i < ARRAY_SIZE(pairs); i++)
			if (contrast(style_colour(themes[t], pairs[i].text),
				     style_colour(themes[t], pairs[i].ground)) < 4.5)
				fail_msg("%s on %s", pairs[i].text, pairs[i].ground);
}

static void modes_have_colours_of_their_own(void **state)
{
	const char *themes[] = { page_style, strstr(page_style, "prefers-color-scheme:dark") };

	for (size_t i = 0; i < NR_COLOURS; i++) {
		unsigned int colour = report_place_colour(i, 0);

		for (size_t t = 0; t < ARRAY_SIZE(themes); t++)
			assert_true(contrast(colour, style_colour(themes[t], "card")) >= 2);
		for (size_t j = 0; j < i; j++)
			assert_int_not_equal(colour, report_place_colour(j, 0));
		assert_int_not_equal(colour, report_place_colour(i, 1));
		assert_int_not_equal(colour, report_place_colour(i + NR_COLOURS, 0));
	}
	for (size_t i = 0; i < report_nr_modes(); i++)
		assert_int_equal(report_mode_place(registry_modes[i]->name), i);
	assert_true(report_mode_place("no such mode") == NO_PLACE);
}

/* The same in a report of it alone and in one with others. */
static void a_mode_keeps_its_colour(void **state)
{
	const char *mode = registry_modes[2]->name;
	autofree char *key =
		xasprintf("background:#%06x\"></span>%s<", report_place_colour(2, 0), mode);
	autofree char *alone = NULL, *among = NULL;
	struct made one = { 0 }, more = { 0 };

	add_cell(&one, mode, "fio", "", "ok", THREE_BOOTS);
	add_fio(&one, mode, 10, 1);
	put_run(&one, "complete", "host");
	alone = report();
	assert_contains(alone, key);
	add_cell(&more, "static", "fio", "", "skipped", "");
	add_cell(&more, "unheard", "fio", "", "skipped", "");
	add_cell(&more, mode, "fio", "", "ok", THREE_BOOTS);
	add_fio(&more, "static", 10, 1);
	add_fio(&more, "unheard", 10, 1);
	add_fio(&more, mode, 10, 1);
	put_run(&more, "complete", "host");
	among = report();
	assert_contains(among, key);
}

/* In the workload's own words; a run without shares has none. */
static void shares_have_a_table(void **state)
{
	const struct names *all = CELL("static", "isolation", "");
	const struct names *none = CELL("<i>", "isolation", "");
	struct made made = { 0 };
	autofree char *html = NULL;

	add_cell(&made, "static", "isolation", "", "ok", BOOT(0, "ok"));
	add_cell(&made, "<i>", "isolation", "", "ok", BOOT(0, "ok"));
	add_value(&made, all, 0, "reached_far", "share", 1);
	add_value(&made, all, 0, "reached_<b>", "share", 0.125);
	add_value(&made, none, 0, "reached_far", "share", 0);
	add_value(&made, none, 0, "isolation_stale_s", "s", 0.5);
	put_run(&made, "complete", "host");
	html = report();
	assert_contains(html, "<tr data-metric=\"reached_far\"><th scope=\"row\">tries at guest "
			      "memory far from what is mapped or pinned</th>"
			      "<td class=\"n\" data-label=\"static\" "
			      "data-cell=\"static.nvme.isolation\">"
			      "<data data-of=\"median\" value=\"1\">100 %</data></td>"
			      "<td class=\"n\" data-label=\"&lt;i&gt;\" "
			      "data-cell=\"&lt;i&gt;.nvme.isolation\">"
			      "<data data-of=\"median\" value=\"0\">0 %</data></td></tr>");
	/* A metric that the workload does not know has its name, a cell without it none. */
	assert_contains(html, "<th scope=\"row\">reached_&lt;b&gt;</th>"
			      "<td class=\"n\" data-label=\"static\" "
			      "data-cell=\"static.nvme.isolation\">"
			      "<data data-of=\"median\" value=\"0.125\">12.5 %</data></td>"
			      "<td class=\"n\" data-label=\"&lt;i&gt;\">");
	assert_contains(html, "Shares, the median of the boots");
	clean(NULL);
	made = (struct made){ 0 };
	add_cell(&made, "static", "fio", "", "ok", THREE_BOOTS);
	add_fio(&made, "static", 1000, 0.001);
	put_run(&made, "complete", "host");
	free(html);
	html = report();
	assert_lacks(html, "Shares, the median of the boots");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(everything_from_files_is_escaped, clean),
		cmocka_unit_test_setup(page_needs_no_network, clean),
		cmocka_unit_test_setup(plots_are_drawn_and_embedded, clean),
		cmocka_unit_test_setup(without_gnuplot_there_is_still_a_page, clean),
		cmocka_unit_test_setup(failing_gnuplot_is_an_error_and_there_is_a_page, clean),
		cmocka_unit_test_setup(page_can_be_found_ones_way_in, clean),
		cmocka_unit_test(texts_can_be_read_in_both_themes),
		cmocka_unit_test(modes_have_colours_of_their_own),
		cmocka_unit_test_setup(a_mode_keeps_its_colour, clean),
		cmocka_unit_test_setup(shares_have_a_table, clean),
	};

	return cmocka_run_group_tests(tests, capture_setup, capture_teardown);
}
