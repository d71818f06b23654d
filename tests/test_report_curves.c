// SPDX-License-Identifier: GPL-2.0-only
/* Plots of a report that are made of boots' curves, and those against a setting of a mode. */
#include "tests/made_report.h"

#define WINDOW_BOOT(n, begin)                                      \
	"{\"boot\": " #n ", \"status\": \"ok\", \"attempts\": 1, " \
	"\"reason\": null, \"proof\": {}, \"window_s\": [" #begin ", 9.0]}"

static void put_curves(const char *cell, unsigned int boot, const char *pinned, const char *mapped)
{
	autofree char *a = xasprintf("cells/%s/%u/pinned.csv", cell, boot);
	autofree char *b = xasprintf("cells/%s/%u/mapped.csv", cell, boot);

	put(a, pinned);
	if (mapped)
		put(b, mapped);
}

static void mapped_is_beside_pinned(void **state)
{
	struct made made = { 0 };
	autofree char *html = NULL, *whole = NULL, *own = NULL;

	add_cell(&made, "static", "fio", "", "ok", WINDOW_BOOT(0, 5.5));
	add_cell(&made, "other", "fio", "", "ok", WINDOW_BOOT(0, 5));
	add_fio(&made, "static", 1000, 0.001);
	add_fio(&made, "other", 500, 0.002);
	put_run(&made, "complete", "host");
	put_curves("static.nvme.fio", 0, "t_s,pinned_bytes\n0,0\n1,4096000\n6,4096000\n", NULL);
	put_curves("other.nvme.fio", 0, "t_s,pinned_bytes\n0,0\n4,8192\n5,12288\n7,16384\n",
		   "t_s,mapped_bytes\n0,0\n4,4096\n6,8192\n7,0\n");
	html = report();
	whole = get("plots/pinned.dat");
	assert_string_equal(whole, "\"static\"\n0 0\n1 4096000\n6 4096000\n\n\n"
				   "\"other\"\n0 0\n4 8192\n5 12288\n7 16384\n\n\n"
				   "\"other, mapped\"\n0 0\n4 4096\n6 8192\n7 0\n");
	/* From where each window began, with what was in force then. */
	own = get("plots/pinned-fio.dat");
	assert_string_equal(own, "\"static\"\n0 4096000\n0.5 4096000\n\n\n"
				 "\"other\"\n0 12288\n2 16384\n\n\n"
				 "\"other, mapped\"\n0 4096\n1 8192\n2 0\n");
	assert_contains(html, "id=\"plot-pinned-fio\"");
}

static void pages_used_again_are_shares_of_all_boots(void **state)
{
	struct made made = { 0 };
	autofree char *html = NULL, *data = NULL;

	add_cell(&made, "static", "fio", "", "ok", THREE_BOOTS);
	add_cell(&made, "other", "fio", "", "invalid",
		 BOOT(0, "ok") "," BOOT(1, "ok") "," BOOT(2, "invalid"));
	add_fio(&made, "static", 1000, 0.001);
	add_fio(&made, "other", 500, 0.002);
	put_run(&made, "complete", "host");
	put("cells/other.nvme.fio/0/reuse.csv", "within_s,pages\n0.001,10\n0.1,30\n");
	put("cells/other.nvme.fio/1/reuse.csv", "within_s,pages\n0.01,10\n0.1,10\n");
	put("cells/other.nvme.fio/2/reuse.csv", "within_s,pages\n0.5,1000\n");
	html = report();
	data = get("plots/reuse-fio.dat");
	assert_string_equal(data, "\"other: nvme\"\n0.001 0.25\n0.01 0.5\n0.1 1\n0.1 1\n");
	assert_contains(html, "id=\"plot-reuse-fio\"");
}

static void add_swept(struct made *made, const char *variant, double pinned)
{
	add_cell(made, "co", "fio", variant, "ok", BOOT(0, "ok"));
	add_value(made, CELL("co", "fio", variant), 0, "pinned_mean_bytes", "bytes", pinned);
}

/* Nothing is drawn that would join what differs in something else, too. */
static void metrics_against_settings(void **state)
{
	struct made made = { 0 };
	autofree char *html = NULL, *data = NULL, *range = path_of("plots/pinned_by_2-fio.dat");
	const char *table;

	add_cell(&made, "static", "fio", "", "ok", BOOT(0, "ok"));
	add_value(&made, CELL("static", "fio", ""), 0, "pinned_mean_bytes", "bytes", 1 << 20);
	add_swept(&made, "interval=10s", 3000);
	add_swept(&made, "interval=250ms", 1000);
	add_swept(&made, "interval=2s", 2000);
	add_swept(&made, "interval=5s+range=16", 7);
	add_swept(&made, "range=1", 8);
	add_swept(&made, "range=16", 9);
	add_swept(&made, "unpin=off", 10);
	add_swept(&made, "unpin=lru", 11);
	add_swept(&made, "unpin=adaptive", 12);
	put_run(&made, "complete", "host");
	html = report();
	data = get("plots/pinned_by_1-fio.dat");
	assert_string_equal(
		data, "\"co: nvme\"\n"
		      "# co.nvme.fio.interval=250ms pinned_mean_bytes -\n0.25 1000 1000 1000\n"
		      "# co.nvme.fio.interval=2s pinned_mean_bytes -\n2 2000 2000 2000\n"
		      "# co.nvme.fio.interval=10s pinned_mean_bytes -\n10 3000 3000 3000\n");
	assert_false(file_exists(range)); /* of two values there is no curve */
	table = strstr(html, "What the modes&#39; settings change");
	if (!table)
		table = strstr(html, "What the modes' settings change");
	assert_non_null(table);
	assert_contains(table, "co interval=250ms");
	assert_contains(table, "co range=16");
}

/* Modes without settings need no such table. */
static void no_settings(void **state)
{
	struct made made = { 0 };
	autofree char *html = NULL;

	add_cell(&made, "static", "fio", "", "ok", THREE_BOOTS);
	add_cell(&made, "other", "fio", "", "ok", THREE_BOOTS);
	add_fio(&made, "static", 1000, 0.001);
	add_value(&made, CELL("other", "fio", ""), 0, "pinned_mean_bytes", "bytes", 1 << 20);
	add_value(&made, CELL("other", "fio", ""), 1, "pinned_mean_bytes", "bytes", 1 << 20);
	add_value(&made, CELL("other", "fio", ""), 2, "pinned_mean_bytes", "bytes", 1 << 20);
	put_run(&made, "complete", "host");
	html = report();
	assert_lacks(html, "settings change");
	assert_lacks(html, "plot-pinned_by");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(mapped_is_beside_pinned, clean),
		cmocka_unit_test_setup(pages_used_again_are_shares_of_all_boots, clean),
		cmocka_unit_test_setup(metrics_against_settings, clean),
		cmocka_unit_test_setup(no_settings, clean),
	};

	return cmocka_run_group_tests(tests, capture_setup, capture_teardown);
}
