// SPDX-License-Identifier: GPL-2.0-only
/*
 * Is every figure of a report what samples.csv says? For made-up runs; and called with the folder
 * of a run, for that one.
 */
#include "tests/made_report.h"

#include "tests/figures_page.h"

/* Numbers that look measured: the same in each run of the test. */
static double noise(unsigned int i)
{
	return 1 + 0.05 * sin(12.9898 * i);
}

static const char *const modes[] = { "viommu-strict", "static", "unknown" };
static const char *const intervals[] = { "interval=100ms", "interval=1s", "interval=10s" };
static const char *const variants[] = { "rw=randread", "rw=randwrite", "rw=randrw" };

static void add_boot(struct made *made, const char *mode, const char *variant, unsigned int boot,
		     unsigned int seed)
{
	const struct names *cell = CELL(mode, "fio", variant);
	double scale = mode[0] == 's' ? 1 : 0.4;

	if (variant != variants[1])
		add_rate(made, cell, boot, "read_iops", 12345 * scale * noise(seed));
	if (variant != variants[0])
		add_rate(made, cell, boot, "write_iops", 2345 * scale * noise(seed + 3));
	add_value(made, cell, boot, "lat_p99_s", "s", 0.000123456 / scale * noise(seed + 7));
	add_value(made, cell, boot, "vm_exits_per_op", "count", 2.345 / scale * noise(seed + 9));
	add_value(made, cell, boot, "pinned_mean_bytes", "bytes", 123456789 * scale);
	add_value(made, cell, boot, "pinned_start_bytes", "bytes", 536870912);
	add_value(made, cell, boot, "verify_errors", "count", 0);
	add_value(made, cell, boot, "odd<&'>", "count", 5 * noise(seed));
	add_value(made, cell, boot, "vm_create_s", "s", 7.5 * noise(seed + 11));
	add_value(made, cell, boot, "lab_instructions_per_op", "count",
		  31999 / scale * noise(seed + 13));
}

/* Boots of several sizes: creation time grows with them in one mode, and hardly in the other. */
static void put_sizes(unsigned int boots, unsigned int sizes)
{
	static const double per_gib[] = { 9.8, 0.01 };
	struct made made = { 0 };
	struct strbuf json = { 0 };

	for (unsigned int b = 0; b < boots; b++)
		strbuf_addf(&json, "%s{\"boot\": %u, \"status\": \"ok\", \"attempts\": 1}",
			    b ? "," : "", b);
	for (unsigned int i = 0; i < 2 * sizes; i++) {
		unsigned int gib = 1 + i / 2;
		autofree char *variant = xasprintf("memory=%uGiB", gib);
		const struct names *cell = CELL(i % 2 ? "coiommu" : "static", "boot", variant);

		add_cell(&made, cell->mode, "boot", variant, "ok", json.data);
		for (unsigned int b = 0; b < boots; b++) {
			add_value(&made, cell, b, "guest_memory_bytes", "bytes", gib * 0x1p30);
			add_value(&made, cell, b, "vm_create_s", "s",
				  (5 + per_gib[i % 2] * gib) * noise(i * boots + b));
		}
	}
	put_run(&made, "complete", "host");
	free(json.data);
}

/* A mode with a setting of three values, each with the variants. */
static void add_sweep(struct made *made, const char *boots_json, unsigned int boots,
		      unsigned int seed)
{
	for (size_t i = 0; i < ARRAY_SIZE(intervals) * ARRAY_SIZE(variants); i++) {
		autofree char *variant = xasprintf("%s+%s", intervals[i % ARRAY_SIZE(intervals)],
						   variants[i / ARRAY_SIZE(intervals)]);
		const struct names *cell = CELL("swept", "fio", variant);

		add_cell(made, "swept", "fio", variant, "ok", boots_json);
		for (unsigned int b = 0; b < boots; b++, seed++) {
			add_rate(made, cell, b, "read_iops", 5000 * noise(seed));
			add_value(made, cell, b, "pinned_mean_bytes", "bytes", 5e6 * noise(seed));
			add_value(made, cell, b, "mapped_mean_bytes", "bytes",
				  3e5 * noise(seed + 1));
			add_value(made, cell, b, "pin_requests_per_1000_maps", "count",
				  0.01 * noise(seed + 2));
		}
	}
}

/* Several modes and workloads, boots that do not count, a cell that is not there. */
static void put_big_run(unsigned int boots, bool share_vm)
{
	struct made made = { .share_vm = share_vm };
	struct strbuf json = { 0 };
	unsigned int seed = boots;

	assert_int_equal(clean(NULL), 0); /* no plot of another run stays */
	for (unsigned int b = 0; b < boots; b++)
		strbuf_addf(&json,
			    "%s{\"boot\": %u, \"status\": \"ok\", \"attempts\": %u, "
			    "\"reason\": null, \"proof\": {}}",
			    b ? "," : "", b, b % 2 + 1);
	for (size_t m = 0; m < ARRAY_SIZE(modes); m++) {
		for (size_t v = 0; v < ARRAY_SIZE(variants); v++) {
			add_cell(&made, modes[m], "fio", variants[v], "ok", json.data);
			for (unsigned int b = 0; b < boots; b++)
				add_boot(&made, modes[m], variants[v], b, seed++);
		}
		add_cell(&made, modes[m], "boot", "", "ok", BOOT(0, "ok") "," BOOT(1, "invalid"));
		add_value(&made, CELL(modes[m], "boot", ""), 0, "vm_create_s", "s", 5 + (double)m);
		add_value(&made, CELL(modes[m], "boot", ""), 1, "vm_create_s", "s", 1e9);
	}
	add_cell(&made, "gone", "fio", variants[0], "skipped", "");
	if (boots == 3) /* its plots take their time */
		add_sweep(&made, json.data, boots, seed);
	put_run(&made, "complete", "lab-tcg");
	free(json.data);
}

/* How many figures were right; fails if one is not. */
static size_t check(void)
{
	autofree char *dir = xasprintf("%s/run", capture_dir);
	size_t nr_wrong, nr;

	free(report());
	nr = figures_check(dir, &nr_wrong, stderr);
	assert_int_equal(nr_wrong, 0);
	return nr;
}

static void every_figure_is_that_of_the_samples(void **state)
{
	static const unsigned int boots[] = { 1, 2, 3, 4, 7, 10 };

	for (size_t i = 0; i < ARRAY_SIZE(boots); i++) {
		put_big_run(boots[i], false);
		assert_true(check() > 400);
	}
	put_big_run(5, true);
	assert_true(check() > 400);
}

static void every_slope_is_that_of_the_samples(void **state)
{
	for (unsigned int boots = 1; boots <= 5; boots += 2) {
		for (unsigned int sizes = 2; sizes <= 4; sizes += 2) {
			autofree char *html = NULL;

			put_sizes(boots, sizes);
			assert_true(check() > sizes);
			html = get("report.html");
			assert_non_null(strstr(html, "data-of=\"far\""));
			/* 4 sizes, or 3 boots of 2, are the first to have an interval. */
			assert_int_equal(!!strstr(html, "data-of=\"slope-low\""),
					 boots > 1 || sizes > 3);
		}
	}
}

/* There are few things that a report cannot be made of; none is a wrong figure. */
static void odd_values_are_no_wrong_figures(void **state)
{
	static const double values[] = { 0, 1e-12, 1e15, 0.999499, 0.9995, 999.5, 1023.9, 99.95 };
	struct made made = { 0 };

	add_cell(&made, "static", "fio", "", "ok", BOOT(0, "ok"));
	add_cell(&made, "other", "fio", "", "ok", BOOT(1, "ok"));
	for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
		static const char *const units[] = { "s", "bytes", "count", "ops/s" };

		for (size_t u = 0; u < ARRAY_SIZE(units); u++) {
			autofree char *name = xasprintf("m%zu_%zu", i, u);

			add_value(&made, CELL("static", "fio", ""), 0, name, units[u], values[i]);
			add_value(&made, CELL("other", "fio", ""), 1, name, units[u],
				  values[ARRAY_SIZE(values) - 1 - i]);
		}
	}
	put_run(&made, "partial", "host");
	assert_true(check() > 100);
}

/* Puts another text in place of the first one like it, behind a mark; the check must see it. */
static void assert_seen(const char *html, const char *behind, const char *old, const char *other)
{
	autofree char *dir = xasprintf("%s/run", capture_dir), *changed = NULL, *said = NULL;
	const char *mark = strstr(html, behind), *at = mark ? strstr(mark, old) : NULL;
	FILE *out;
	size_t nr_wrong, len;

	assert_non_null(at);
	changed = xasprintf("%.*s%s%s", (int)(at - html), html, other, at + strlen(old));
	put("report.html", changed);
	out = open_memstream(&said, &len);
	figures_check(dir, &nr_wrong, out);
	fclose(out);
	if (!nr_wrong)
		fail_msg("'%s' in place of '%s' is not seen", other, old);
}

static void wrong_figures_are_seen(void **state)
{
	autofree char *html = NULL;

	put_big_run(5, false);
	html = report();
	assert_seen(html, "data-of=\"ratio\"", "value=\"0.", "value=\"0.9");
	assert_seen(html, "data-of=\"low\"", "\">0.", "\">0.9");
	assert_seen(html, "data-of=\"high\"", "value=\"", "value=\"1");
	assert_seen(html, "data-of=\"median\"", "\">", "\">1");
	assert_seen(html, "data-of=\"median\"", " k", " M");
	assert_seen(html, "data-of=\"max\"", "value=\"", "value=\"1");
	assert_seen(html, "data-of=\"boots-ok\"", "value=\"", "value=\"1");
	assert_seen(html, "data-of=\"raw\"", "value=\"", "value=\"1");
	assert_seen(html, "<td class=\"n\"", "<span>", "<span>5 ");
	assert_seen(html, "<tr data-series=\"static\"", "static", "viommu-strict");
	assert_seen(html, "data-metric=\"lat_p99_s\"", "lat_p99_s", "vm_create_s");
	assert_seen(html, "<table", "</table>", "");
}

static void wrong_slopes_are_seen(void **state)
{
	autofree char *html = NULL;

	put_sizes(3, 3);
	html = report();
	assert_seen(html, "data-of=\"slope\"", "value=\"", "value=\"1");
	assert_seen(html, "data-of=\"slope-low\"", "value=\"", "value=\"1");
	assert_seen(html, "data-of=\"slope-high\"", "\">", "\">1");
	assert_seen(html, "data-of=\"far\"", "value=\"", "value=\"1");
	assert_seen(html, "data-of=\"far-high\"", "value=\"", "value=\"1");
	assert_seen(html, "data-of=\"points\"", "value=\"", "value=\"1");
	assert_seen(html, "data-x=", "data-metric=\"vm_create_s\"", "data-metric=\"x\"");
}

/* So is a plot against a setting that shows something else. */
static void wrong_plots_are_seen(void **state)
{
	autofree char *dir = xasprintf("%s/run", capture_dir), *said = NULL, *data = NULL;
	autofree char *changed = NULL;
	size_t nr_wrong, len;
	char *at;
	FILE *out;

	put_big_run(3, false);
	free(report());
	data = get("plots/requests_by_1-fio.dat");
	at = strstr(data, "\n1 0.0");
	assert_non_null(at);
	changed = xasprintf("%.*s\n1 0.9%s", (int)(at - data), data, at + strlen("\n1 0.0"));
	put("plots/requests_by_1-fio.dat", changed);
	out = open_memstream(&said, &len);
	figures_check(dir, &nr_wrong, out);
	fclose(out);
	assert_true(nr_wrong > 0);
	assert_contains(said, "a plot shows something else");
}

int main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(every_figure_is_that_of_the_samples, clean),
		cmocka_unit_test_setup(every_slope_is_that_of_the_samples, clean),
		cmocka_unit_test_setup(wrong_slopes_are_seen, clean),
		cmocka_unit_test_setup(odd_values_are_no_wrong_figures, clean),
		cmocka_unit_test_setup(wrong_figures_are_seen, clean),
		cmocka_unit_test_setup(wrong_plots_are_seen, clean),
	};
	size_t nr, nr_wrong;

	if (argc < 2)
		return cmocka_run_group_tests(tests, capture_setup, capture_teardown);
	nr = figures_check(argv[1], &nr_wrong, stdout);
	printf("%s %zu figures of %s/report.html are those of samples.csv\n",
	       nr_wrong ? "not ok" : "ok", nr, argv[1]);
	return nr_wrong > 0;
}
