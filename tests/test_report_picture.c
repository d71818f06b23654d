// SPDX-License-Identifier: GPL-2.0-only
/* Pictures in the report: within the page, and only what is one. */
#include "tests/made_report.h"

#include "harness/report_picture.h"

#define MAGIC "\x89PNG\r\n\x1a\n"

static void base64_is_the_standards(void **state)
{
	/* RFC 4648, 10. */
	static const char *const pairs[][2] = { { "", "" },
						{ "f", "Zg==" },
						{ "fo", "Zm8=" },
						{ "foo", "Zm9v" },
						{ "foob", "Zm9vYg==" },
						{ "fooba", "Zm9vYmE=" },
						{ "foobar", "Zm9vYmFy" } };

	for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
		struct strbuf sb = { 0 };

		strbuf_add(&sb, "", 0);
		report_base64(&sb, pairs[i][0], strlen(pairs[i][0]));
		assert_string_equal(sb.data, pairs[i][1]);
		free(sb.data);
	}
}

static void put_gpu_run(void)
{
	struct made made = { 0 };

	add_cell(&made, "static", "gpu", "", "ok", BOOT(0, "ok") "," BOOT(1, "ok"));
	add_cell(&made, "coiommu", "gpu", "", "ok", BOOT(0, "ok"));
	add_cell(&made, "coiommu", "fio", "", "ok", BOOT(0, "ok"));
	for (unsigned int boot = 0; boot < 2; boot++)
		add_rate(&made, CELL("static", "gpu", ""), boot, "frames_per_s", 100);
	add_rate(&made, CELL("coiommu", "gpu", ""), 0, "frames_per_s", 99);
	add_rate(&made, CELL("coiommu", "fio", ""), 0, "read_iops", 99);
	put_run(&made, "complete", "host");
}

static void pictures_are_within_the_page(void **state)
{
	autofree char *html = NULL;
	const char *first;

	put_gpu_run();
	put("cells/static.nvme.gpu/1/display.png", MAGIC "abc");
	put("cells/static.nvme.gpu/1/display.png.txt", "frame <7> & \"more\"");
	put("cells/coiommu.nvme.gpu/0/display.png.txt", "no picture: no capture command");
	put("cells/coiommu.nvme.fio/0/display.png", MAGIC "abc");
	html = report();
	first = strstr(html, "<img ");
	assert_non_null(first);
	assert_contains(first, "src=\"data:image/png;base64,iVBORw0KGgphYmM=\"");
	assert_contains(html, "alt=\"frame &lt;7&gt; &amp; &quot;more&quot;\"");
	assert_contains(html, "boot 1: frame &lt;7&gt;");
	assert_contains(html, "boot 0: no picture: no capture command");
	assert_null(strstr(first + 1, "<img ")); /* fio takes none */
}

static void what_is_no_picture_is_left_out(void **state)
{
	autofree char *html = NULL;
	struct strbuf large = { 0 };

	put_gpu_run();
	put("cells/static.nvme.gpu/0/display.png", "<script>");
	put("cells/static.nvme.gpu/0/display.png.txt", "a picture");
	strbuf_addf(&large, MAGIC);
	while (large.len <= 4 * MIB)
		strbuf_addf(&large, "more and more and more");
	put("cells/coiommu.nvme.gpu/0/display.png", large.data);
	free(large.data);
	html = report();
	assert_lacks(html, "<img ");
	assert_contains(html, "boot 0: a picture");
}

static void without_pictures_there_is_no_heading(void **state)
{
	autofree char *html = NULL;

	put_gpu_run();
	html = report();
	assert_lacks(html, "What was displayed");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(base64_is_the_standards),
		cmocka_unit_test_setup(pictures_are_within_the_page, clean),
		cmocka_unit_test_setup(what_is_no_picture_is_left_out, clean),
		cmocka_unit_test_setup(without_pictures_there_is_no_heading, clean),
	};

	return cmocka_run_group_tests(tests, capture_setup, capture_teardown);
}
