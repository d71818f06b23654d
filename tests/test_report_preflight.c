// SPDX-License-Identifier: GPL-2.0-only
/* What the preflight warned of is in the report. */
#include "tests/capture.h"

#include "harness/report.h"

static char *report_of(const char *manifest)
{
	autofree char *dir = xasprintf("%s/run", capture_dir);
	autofree char *manifest_path = xasprintf("%s/manifest.json", dir);
	autofree char *samples_path = xasprintf("%s/samples.csv", dir);
	autofree char *report_path = xasprintf("%s/report.html", dir), *said = NULL;
	static const char header[] =
		"cell,mode,device,workload,variant,boot,metric,unit,direction,value\n";
	char *text;
	int ret;

	assert_int_equal(mkdir_all(dir), 0);
	assert_int_equal(file_write(manifest_path, manifest, true), 0);
	assert_int_equal(file_write(samples_path, header, true), 0);
	capture_begin();
	ret = report_write(dir, "scripts");
	said = capture_end();
	if (ret)
		fail_msg("report_write: %d: %s", ret, said);
	text = file_read(report_path, NULL);
	assert_non_null(text);
	return text;
}

static void test_warnings(void **state)
{
	autofree char *text = report_of(
		"{\"schema\": 1, \"run_id\": \"r1\", \"name\": \"n\", \"status\": \"complete\", "
		"\"started\": \"2026-01-31T23:59:59Z\", \"finished\": null, \"where\": \"host\", "
		"\"git_revision\": \"abc\", \"config\": {}, \"cells\": [], \"environment\": "
		"{\"cpu\": \"c\", \"preflight\": {\"ok\": true, \"items\": ["
		"{\"name\": \"kvm\", \"status\": \"ok\", \"found\": \"API 12\", \"remedy\": null}, "
		"{\"name\": \"turbo\", \"status\": \"warn\", \"found\": \"on <i>\", "
		"\"remedy\": \"settings\"}]}}}");

	assert_contains(text, "warning: turbo");
	assert_contains(text, "on &lt;i&gt;");
	assert_null(strstr(text, "API 12"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_warnings),
	};

	return cmocka_run_group_tests(tests, capture_setup, capture_teardown);
}
