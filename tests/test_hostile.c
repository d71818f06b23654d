// SPDX-License-Identifier: GPL-2.0-only
/*
 * Results that are cut, mixed, doubled or made to harm: each command that reads them refuses
 * with one clear line, and the same one, or gives the right answer.
 */
#include "tests/made_runs.h"

#include <sys/stat.h>

#include "harness/export.h"
#include "harness/report.h"

/* A run that is all right, to compare with and to spoil. */
static int good_runs(void **state)
{
	static const char *const names[] = { "base", "new" };
	int ret = made_runs_clean(state);

	for (size_t i = 0; i < ARRAY_SIZE(names) && !ret; i++) {
		struct made made = { .boots = 8 };

		add_values(&made, IOPS, 1000);
		add_values(&made, P99, 0.001);
		put_run(names[i], &made);
	}
	return ret;
}

/* Each gives its exit status or error, and what it logged. */
static int do_export(char **said)
{
	autofree char *run = path_of("new", "."), *text = NULL;
	const struct export_options options = { .run = run, .format = "csv" };
	size_t len;
	FILE *out = open_memstream(&text, &len);
	int ret;

	capture_begin();
	ret = export_command(&options, out);
	*said = capture_end();
	fclose(out);
	assert_true(ret == EXIT_OK || !len);
	return ret;
}

static int do_report(char **said)
{
	autofree char *run = path_of("new", "."), *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);
	int ret;

	capture_begin();
	ret = report_print_table(run, out);
	*said = capture_end();
	fclose(out);
	return ret;
}

static int do_compare(char **said)
{
	char *printed = NULL;
	int ret = compare_with((struct compare_options){ 0 }, &printed, said);

	free(printed);
	return ret;
}

static int (*const commands[])(char **said) = { do_export, do_report, do_compare };

static void all_refuse(const char *what)
{
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		autofree char *said = NULL;
		int ret = commands[i](&said);

		if (ret >= 0 && ret != EXIT_USAGE)
			fail_msg("no error, but '%s' was expected", what);
		assert_one_line(said);
		assert_contains(said, "error: ");
		assert_contains(said, what);
	}
}

/* All give an answer, and say this. */
static void all_answer(const char *what)
{
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		autofree char *said = NULL;
		int ret = commands[i](&said);

		if (ret != EXIT_OK)
			fail_msg("command %zu: %d: %s", i, ret, said);
		assert_one_line(said);
		assert_contains(said, what);
	}
}

static char *text_of(const char *name)
{
	autofree char *path = path_of("new", name);
	char *text = file_read(path, NULL);

	assert_non_null(text);
	return text;
}

/* In the file, the first such part becomes another. */
static void change(const char *name, const char *part, const char *by)
{
	autofree char *text = text_of(name), *changed = NULL;
	char *at = strstr(text, part);

	if (!at)
		fail_msg("no '%s' in %s", part, name);
	changed = xasprintf("%.*s%s%s", (int)(at - text), text, by, at + strlen(part));
	put("new", name, changed);
}

static void put_bytes(const char *name, const void *data, size_t len)
{
	autofree char *path = path_of("new", name);

	assert_int_equal(file_replace(path, data, len), 0);
}

static void manifests_that_are_none(void **state)
{
	static const struct {
		const char *text, *what;
	} cases[] = {
		{ "", "manifest.json:1:0: '[' or '{' expected" },
		{ "{\"schema\": 1, \"status\": \"complete\", \"cells\": [{\"id\":",
		  "manifest.json:1:" },
		{ "[]", "manifest.json: top level: no object" },
		{ "{\"schema\": 2, \"status\": \"complete\", \"cells\": []}",
		  "manifest.json: schema: not 1, the only one this program reads" },
		{ "{\"schema\": \"1\", \"status\": \"complete\", \"cells\": []}", "schema: not 1" },
		{ "{\"schema\": 1, \"schema\": 1}", "duplicate object key" },
		{ "{\"schema\": 1, \"status\": \"\xff\"}", "unable to decode byte 0xff" },
		{ "{\"schema\": 1, \"status\": \"a\\u0000b\"}", "\\u0000 is not allowed" },
		{ "{\"schema\": 1, \"status\": NaN}", "invalid token near 'NaN'" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		put("new", "manifest.json", cases[i].text);
		all_refuse(cases[i].what);
	}
	put_bytes("manifest.json", "{}\0{}", 5);
	all_refuse("manifest.json:1:");
}

static void manifests_of_great_depth_or_size(void **state)
{
	autofree char *path = path_of("new", "manifest.json");
	struct strbuf sb = { 0 };

	for (int i = 0; i < 100000; i++)
		strbuf_add(&sb, "[", 1);
	put_bytes("manifest.json", sb.data, sb.len);
	free(sb.data);
	all_refuse("maximum parsing depth reached");
	assert_int_equal(truncate(path, 65 * (off_t)MIB), 0);
	all_refuse("manifest.json: 65 MiB are more than the 64 MiB that any run needs");
}

static void cells_that_cannot_be(void **state)
{
	static const struct {
		const char *part, *by, *what;
	} cases[] = {
		{ FIO, "a/b", "a cell has no valid id" },
		{ FIO, "..", "a cell has no valid id" },
		{ FIO, "", "a cell has no valid id" },
		{ "\"boot\": 1", "\"boot\": 0", "static.nvme.fio: boot 0 is there twice" },
		{ "\"boot\": 1", "\"boot\": -1", "static.nvme.fio: a boot has no number" },
		{ "\"boot\": 1", "\"boot\": 1.5", "static.nvme.fio: a boot has no number" },
		{ "\"mode\": \"static\"", "\"mode\": 7", "mode, device or workload is missing" },
		{ "\"mode\": \"static\"", "\"mode\": \"coiommu\"",
		  "has other modes, devices, workloads or variants here than in manifest.json" },
		{ "\"cells\": [",
		  "\"cells\": [{\"id\": \"x\", \"mode\": \"static\", \"device\": "
		  "\"nvme\", \"workload\": \"fio\", \"boots\": []},",
		  "another cell has the same mode, device, workload and variant" },
		{ "\"boots\": [", "\"boots\": [{\"boot\": 9, \"status\": \"ok\"},",
		  "samples.csv: nothing of boot 9 of static.nvme.fio, which is ok in the "
		  "manifest: the file was cut or is of another run" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		good_runs(state);
		change("manifest.json", cases[i].part, cases[i].by);
		all_refuse(cases[i].what);
	}
}

static void samples_that_are_none_or_ambiguous(void **state)
{
	static const struct {
		const char *part, *by, *what;
	} cases[] = {
		{ ",992", ",nan", "samples.csv:2: value is no finite decimal number" },
		{ ",992", ",inf", "samples.csv:2: value is no finite decimal number" },
		{ ",992", ",1e400", "samples.csv:2: value is no finite decimal number" },
		{ ",992", ",0x10", "samples.csv:2: value is no finite decimal number" },
		{ ",value\n", ",value\r\n", "samples.csv:1: the line ends in CR LF" },
		{ ",992\n", ",992\r\n", "samples.csv:2: the line ends in CR LF" },
		{ "cell,mode", "mode,cell", "samples.csv:1: the header is not cell,mode" },
		{ "higher", "upwards", "samples.csv:2: direction is none of" },
		{ "higher", "lower",
		  "read_iops has two units or directions: ops/s, lower; in "
		  "static.nvme.fio ops/s, higher" },
		{ "ops/s", "bytes", "read_iops has two units or directions: bytes, higher; in" },
		{ "static,nvme", "coiommu,nvme",
		  "static.nvme.fio has other modes, devices, workloads or variants here than in" },
		{ "fio,,0,", "fio,,1,", "read_iops of static.nvme.fio has two values in boot 1" },
		{ "read_iops", "read\xff", "samples.csv:2: a field is no UTF-8" },
		{ "read_iops", "\"read", "samples.csv:2: a quote or a control character" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		good_runs(state);
		change("samples.csv", cases[i].part, cases[i].by);
		all_refuse(cases[i].what);
	}
	put_bytes("samples.csv", HEADER "a\0b\n", strlen(HEADER) + 4);
	all_refuse("samples.csv:2: a NUL byte");
}

static void samples_of_great_length(void **state)
{
	autofree char *path = path_of("new", "samples.csv");
	struct strbuf sb = { 0 };

	strbuf_addf(&sb, HEADER);
	for (int i = 0; i < 100000; i++)
		strbuf_add(&sb, "x", 1);
	put_bytes("samples.csv", sb.data, sb.len);
	free(sb.data);
	all_refuse("samples.csv:2: the line is too long");
	assert_int_equal(truncate(path, 10 * (off_t)GIB), 0); /* a hole: it takes no space */
	all_refuse("samples.csv: 10 GiB are more than the 1 GiB that is read of a run: make so "
		   "large an experiment in several runs");
}

static void more_metrics_than_there_are(void **state)
{
	struct made made = { .boots = 1 };

	for (int i = 0; i < 1100; i++) {
		autofree char *name = xasprintf("m%d", i);

		add_row(&made, 0, &(struct metric){ name, "s", "none" }, i);
	}
	put_run("new", &made);
	all_refuse("samples.csv: too many metrics");
}

/* What a crash leaves: whole boots are lost, which is refused, or a part of the last one. */
static void cut_samples(void **state)
{
	autofree char *text = text_of("samples.csv"), *empty = path_of("new", "samples.csv");
	size_t len = strlen(text);

	put_bytes("samples.csv", text, len - 1);
	all_answer("samples.csv:17: the last line is incomplete and left out");
	put_bytes("samples.csv", text, len / 4);
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		autofree char *said = NULL;

		assert_int_not_equal(commands[i](&said), EXIT_OK);
		assert_contains(said, "the last line is incomplete and left out");
		assert_contains(said, "samples.csv: nothing of boot");
	}
	put_bytes("samples.csv", "", 0);
	all_refuse("samples.csv: nothing of boot 0 of static.nvme.fio");
	assert_int_equal(unlink(empty), 0);
	all_refuse("samples.csv: nothing of boot 0 of static.nvme.fio");
}

static void rows_twice_count_once(void **state)
{
	autofree char *text = text_of("samples.csv");
	autofree char *twice = xasprintf("%s%s", text, text + strlen(HEADER));

	put("new", "samples.csv", twice);
	all_answer("samples.csv: 16 rows are there twice; they count once");
}

static void rows_of_no_boot_are_left_out(void **state)
{
	autofree char *text = text_of("samples.csv");
	autofree char *more = xasprintf("%s" FIO ",static,nvme,fio,,8,read_iops,ops/s,higher,1\n"
					"../../etc.x,a,b,c,,0,read_iops,ops/s,higher,1\n",
					text);

	put("new", "samples.csv", more);
	all_answer("samples.csv: 2 samples belong to no boot of the manifest");
}

static void folders_that_are_no_runs(void **state)
{
	autofree char *manifest = path_of("new", "manifest.json");
	autofree char *samples = path_of("new", "samples.csv");

	assert_int_equal(unlink(samples), 0);
	assert_int_equal(symlink("samples.csv", samples), 0);
	all_refuse("samples.csv: Too many levels of symbolic links");
	assert_int_equal(unlink(samples), 0);
	assert_int_equal(mkfifo(samples, 0600), 0);
	all_refuse("samples.csv: not a regular file");
	assert_int_equal(unlink(manifest), 0);
	assert_int_equal(symlink("manifest.json", manifest), 0);
	all_refuse("manifest.json: Too many levels of symbolic links: is ");
	assert_int_equal(unlink(manifest), 0);
	assert_int_equal(mkfifo(manifest, 0600), 0);
	all_refuse("manifest.json: not a regular file: is ");
	assert_int_equal(unlink(manifest), 0);
	assert_int_equal(mkdir(manifest, 0700), 0);
	all_refuse("manifest.json: not a regular file: is ");
	assert_int_equal(rmdir(manifest), 0);
	all_refuse("manifest.json: No such file or directory: is ");
}

static void files_that_may_not_be_read(void **state)
{
	static const char *const names[] = { "samples.csv", "manifest.json" };
	autofree char *run = path_of("new", ".");
	const struct export_options options = { .run = run, .format = "csv" };
	uid_t own = geteuid();

	assert_int_equal(chmod(capture_dir, 0755), 0);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		autofree char *path = path_of("new", names[i]), *said = NULL;
		int ret;

		good_runs(state);
		assert_int_equal(chmod(path, 0), 0);
		capture_begin();
		assert_int_equal(seteuid(own ? own : 65534), 0); /* root may read everything */
		ret = export_command(&options, stdout);
		assert_int_equal(seteuid(own), 0);
		said = capture_end();
		assert_int_equal(ret, EXIT_USAGE);
		assert_one_line(said);
		assert_contains(said, names[i]);
		assert_contains(said, ": Permission denied");
	}
}

static void a_pipe_does_not_hang_the_plots(void **state)
{
	autofree char *run = path_of("new", "."), *page = path_of("new", "report.html");
	autofree char *folder = path_of("new", "cells/" FIO "/0");
	autofree char *path = xasprintf("%s/pinned.csv", folder);

	assert_int_equal(mkdir_all(folder), 0);
	assert_int_equal(mkfifo(path, 0600), 0);
	capture_begin();
	report_write(run, "scripts");
	free(capture_end());
	assert_true(file_exists(page));
}

#define HOSTILE_TEST(f) cmocka_unit_test_setup(f, good_runs)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		HOSTILE_TEST(manifests_that_are_none),
		HOSTILE_TEST(manifests_of_great_depth_or_size),
		HOSTILE_TEST(cells_that_cannot_be),
		HOSTILE_TEST(samples_that_are_none_or_ambiguous),
		HOSTILE_TEST(samples_of_great_length),
		HOSTILE_TEST(more_metrics_than_there_are),
		HOSTILE_TEST(cut_samples),
		HOSTILE_TEST(rows_twice_count_once),
		HOSTILE_TEST(rows_of_no_boot_are_left_out),
		HOSTILE_TEST(folders_that_are_no_runs),
		HOSTILE_TEST(files_that_may_not_be_read),
		HOSTILE_TEST(a_pipe_does_not_hang_the_plots),
	};

	return cmocka_run_group_tests(tests, capture_setup, capture_teardown);
}
