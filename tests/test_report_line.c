// SPDX-License-Identifier: GPL-2.0-only
/* What a page says of lines: their intervals, what is extrapolated, and who has none. */
#include "tests/made_report.h"

/* Boots of one size of guest: a second, and two more for each GiB. */
static void add_size(struct made *made, const char *mode, double gib)
{
	autofree char *variant = xasprintf("memory=%gGiB", gib);
	const struct names *cell = CELL(mode, "boot", variant);

	add_cell(made, mode, "boot", variant, "ok", THREE_BOOTS);
	for (unsigned int b = 0; b < 3; b++) {
		add_value(made, cell, b, "guest_memory_bytes", "bytes", gib * 0x1p30);
		add_value(made, cell, b, "vm_create_s", "s", 1 + 2 * gib);
	}
}

static void every_mode_has_a_line_or_is_named(void **state)
{
	autofree char *html = NULL, *words = NULL;
	struct made made = { 0 };

	for (unsigned int gib = 1; gib <= 4; gib *= 2)
		add_size(&made, "static", gib);
	add_size(&made, "bounce", 1);
	add_size(&made, "coiommu", 1);
	add_size(&made, "coiommu", 2);
	put_run(&made, "complete", "host");
	html = report();
	words = words_of(html);
	assert_contains(words, "static2.00 s per GiB (2.00 s to 2.00 s)257 s (257 s to 257 s)9");
	assert_contains(words, "coiommu2.00 s per GiB (2.00 s to 2.00 s)257 s (257 s to 257 s)6");
	assert_contains(words, "at 128 GiB, extrapolated");
	assert_contains(words, "with a confidence of 90 % or more");
	assert_contains(words, "Figures at 128 GiB are extrapolations: nothing beyond 4 GiB");
	assert_contains(words, "No line: bounce (measured at one size only).");
}

static void nobody_is_left_out_for_nothing(void **state)
{
	autofree char *html = NULL, *words = NULL;
	struct made made = { 0 };

	add_size(&made, "static", 1);
	add_size(&made, "static", 2);
	put_run(&made, "complete", "host");
	html = report();
	words = words_of(html);
	assert_contains(words, "extrapolations: nothing beyond 2 GiB");
	assert_lacks(words, "No line");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(every_mode_has_a_line_or_is_named, clean),
		cmocka_unit_test_setup(nobody_is_left_out_for_nothing, clean),
	};

	return cmocka_run_group_tests(tests, capture_setup, capture_teardown);
}
