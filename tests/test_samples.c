// SPDX-License-Identifier: GPL-2.0-only
/* samples.csv: what is written is read back; what is malformed is refused with its line. */
#include "tests/capture.h"

#include <errno.h>
#include <float.h>
#include <math.h>
#include <sys/stat.h>

#include "harness/samples.h"

#define HEADER "cell,mode,device,workload,variant,boot,metric,unit,direction,value\n"
#define ROW "a.b.c,a,b,c,,0,latency,s,lower,0.25\n"

static const struct metric_desc latency = { "latency", "s", DIRECTION_LOWER, "" };
static const struct metric_desc rate = { "rate", "ops/s", DIRECTION_HIGHER, "" };
static const struct sample_key key = { "a.b.c", "a", "b", "c", "", 3 };

static char *samples_path(void)
{
	return xasprintf("%s/samples.csv", capture_dir);
}

static int clean(void **state)
{
	autofree char *path = samples_path();

	unlink(path);
	return 0;
}

/* Appends one value of the metric. */
static int append(const struct sample_key *where, const struct metric_desc *desc, double value)
{
	autofree char *path = samples_path();
	struct sample_set set = { 0 };
	int ret;

	sample_add(&set, desc, value);
	ret = samples_append(path, where, &set);
	sample_set_free(&set);
	return ret;
}

static void set_keeps_values(void **state)
{
	struct sample_set set = { 0 };

	assert_true(isnan(sample_get(&set, "rate")));
	for (int i = 0; i < 100; i++)
		sample_add(&set, i % 2 ? &rate : &latency, i);
	assert_int_equal(set.nr, 100);
	assert_true(sample_get(&set, "latency") == 0);
	assert_true(sample_get(&set, "rate") == 1);
	assert_true(isnan(sample_get(&set, "other")));
	sample_set_free(&set);
	assert_int_equal(set.nr, 0);
}

/* As of a figure that the user defines. */
static void a_unit_and_direction_of_its_own(void **state)
{
	autofree char *path = samples_path(), *text = NULL;
	struct sample_set set = { 0 };
	char unit[] = "GFLOP/s";

	sample_add_as(&set, &latency, unit, DIRECTION_HIGHER, 2);
	unit[0] = 'x'; /* it was copied */
	sample_add_as(&set, &rate, "s", DIRECTION_LOWER, 3);
	assert_int_equal(samples_append(path, &key, &set), 0);
	text = file_read(path, NULL);
	assert_string_equal(text, HEADER "a.b.c,a,b,c,,3,latency,GFLOP/s,higher,2\n"
					 "a.b.c,a,b,c,,3,rate,s,lower,3\n");
	sample_set_free(&set);
	assert_null(set.own);
}

static void read_back_is_the_same(void **state)
{
	static const double values[] = {
		0,    1,       -1.5,	0.1,	 1.0 / 3,  1e-9, 4096, 536870912, 123456789.123456,
		1e20, DBL_MAX, DBL_MIN, 2.2e-15, 0.000463, 1e6
	};
	autofree char *path = samples_path();
	struct sample_table table;

	for (size_t i = 0; i < ARRAY_SIZE(values); i++)
		assert_int_equal(append(&key, i % 2 ? &rate : &latency, values[i]), 0);
	assert_int_equal(samples_read(path, &table), 0);
	assert_int_equal(table.nr, ARRAY_SIZE(values));
	for (size_t i = 0; i < table.nr; i++) {
		const struct sample_row *row = &table.rows[i];
		const struct metric_desc *desc = i % 2 ? &rate : &latency;

		assert_true(row->value == values[i]);
		assert_string_equal(row->cell, "a.b.c");
		assert_string_equal(row->mode, "a");
		assert_string_equal(row->device, "b");
		assert_string_equal(row->workload, "c");
		assert_string_equal(row->variant, "");
		assert_int_equal(row->boot, 3);
		assert_string_equal(row->metric, desc->name);
		assert_string_equal(row->unit, desc->unit);
		assert_int_equal(row->direction, desc->direction);
	}
	sample_table_free(&table);
}

static void numbers_are_plain_decimals(void **state)
{
	static const struct {
		double value;
		const char *text;
	} cases[] = {
		{ 0.1, ",0.1\n" },
		{ 1e-9, ",0.000000001\n" },
		{ 536870912, ",536870912\n" },
		{ 1e6, ",1000000\n" },
		{ 0.000463, ",0.000463\n" },
		{ 12345.678, ",12345.678\n" },
		{ 1.0 / 3, ",0.3333333333333333\n" },
		{ 0, ",0\n" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		autofree char *path = samples_path(), *text = NULL;

		unlink(path);
		assert_int_equal(append(&key, &rate, cases[i].value), 0);
		text = file_read(path, NULL);
		assert_non_null(text);
		assert_contains(text, cases[i].text);
	}
}

static void bad_values_and_names_are_not_written(void **state)
{
	static const char *const names[] = { "a,b", "a\"b", "a\nb", "a\rb", "a\177b" };
	autofree char *path = samples_path();

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct sample_key bad = key;
		autofree char *said = NULL;

		bad.variant = names[i];
		capture_begin();
		assert_int_equal(append(&bad, &rate, 1), -EINVAL);
		said = capture_end();
		assert_contains(said, "cannot be a field");
	}
	capture_begin();
	assert_int_equal(append(&key, &rate, (double)NAN), -EINVAL);
	assert_int_equal(append(&key, &rate, -(double)INFINITY), -EINVAL);
	free(capture_end());
	assert_false(file_exists(path));
}

static void torn_line_is_cut_before_appending(void **state)
{
	static const char torn[] = HEADER ROW "a.b.c,a,b,c,,0,lat";
	autofree char *path = capture_file("samples.csv", torn, strlen(torn));
	autofree char *text = NULL;

	assert_int_equal(append(&key, &rate, 2), 0);
	text = file_read(path, NULL);
	assert_string_equal(text, HEADER ROW "a.b.c,a,b,c,,3,rate,ops/s,higher,2\n");
}

static void torn_header_is_written_anew(void **state)
{
	autofree char *path = capture_file("samples.csv", "cell,mo", 7), *text = NULL;

	assert_int_equal(append(&key, &rate, 2), 0);
	text = file_read(path, NULL);
	assert_string_equal(text, HEADER "a.b.c,a,b,c,,3,rate,ops/s,higher,2\n");
}

static void torn_last_line_is_left_out(void **state)
{
	static const char torn[] = HEADER ROW "a.b.c,a,b,c,,0,latency,s,lower,0.2";
	autofree char *path = capture_file("samples.csv", torn, strlen(torn)), *said = NULL;
	struct sample_table table;
	int ret;

	capture_begin();
	ret = samples_read(path, &table);
	said = capture_end();
	assert_int_equal(ret, 0);
	assert_int_equal(table.nr, 1);
	assert_one_line(said);
	assert_contains(said, "samples.csv:3: the last line is incomplete");
	sample_table_free(&table);
}

static void empty_file_has_no_rows(void **state)
{
	autofree char *path = capture_file("samples.csv", "", 0);
	struct sample_table table;

	assert_int_equal(samples_read(path, &table), 0);
	assert_int_equal(table.nr, 0);
	sample_table_free(&table);
}

/* Each is refused, with one line that names file and line. */
static void refuse(const char *data, size_t len, const char *where, const char *what)
{
	autofree char *path = capture_file("samples.csv", data, len), *said = NULL;
	struct sample_table table;
	int ret;

	capture_begin();
	ret = samples_read(path, &table);
	said = capture_end();
	assert_int_equal(ret, -EINVAL);
	assert_int_equal(table.nr, 0);
	assert_null(table.rows);
	assert_one_line(said);
	assert_contains(said, where);
	assert_contains(said, what);
}

static void malformed_files_are_refused(void **state)
{
	static const struct {
		const char *data, *where, *what;
	} cases[] = {
		{ "cell,mode\n" ROW, "samples.csv:1:", "header" },
		{ ROW, "samples.csv:1:", "header" },
		{ "\n", "samples.csv:1:", "header" },
		{ HEADER "\n", "samples.csv:2:", "not cell,mode" },
		{ HEADER ROW "a.b.c,a,b,c,,0,latency,s,lower\n",
		  "samples.csv:3:", "not cell,mode" },
		{ HEADER "a.b.c,a,b,c,,0,latency,s,lower,1,2\n",
		  "samples.csv:2:", "not cell,mode" },
		{ HEADER "a.b.c,a,b,c,,0,latency,s,lower,nan\n", "samples.csv:2:", "value" },
		{ HEADER "a.b.c,a,b,c,,0,latency,s,lower,inf\n", "samples.csv:2:", "value" },
		{ HEADER "a.b.c,a,b,c,,0,latency,s,lower,1e999\n", "samples.csv:2:", "value" },
		{ HEADER "a.b.c,a,b,c,,0,latency,s,lower,0x10\n", "samples.csv:2:", "value" },
		{ HEADER "a.b.c,a,b,c,,0,latency,s,lower, 1\n", "samples.csv:2:", "value" },
		{ HEADER "a.b.c,a,b,c,,0,latency,s,lower,\n", "samples.csv:2:", "value" },
		{ HEADER "a.b.c,a,b,c,,0,latency,s,lower,1-2\n", "samples.csv:2:", "value" },
		{ HEADER "a.b.c,a,b,c,,-1,latency,s,lower,1\n", "samples.csv:2:", "boot" },
		{ HEADER "a.b.c,a,b,c,,,latency,s,lower,1\n", "samples.csv:2:", "boot" },
		{ HEADER "a.b.c,a,b,c,,4294967296,latency,s,lower,1\n", "samples.csv:2:", "boot" },
		{ HEADER "a.b.c,a,b,c,,0,latency,s,up,1\n", "samples.csv:2:", "direction" },
		{ HEADER ",a,b,c,,0,latency,s,lower,1\n", "samples.csv:2:", "no cell" },
		{ HEADER "a.b.c,a,b,c,,0,,s,lower,1\n", "samples.csv:2:", "no metric" },
		{ HEADER "a.b.c,\"a\",b,c,,0,latency,s,lower,1\n", "samples.csv:2:", "quote" },
		{ HEADER "a.b.c,a,b,c,,0,lat\tency,s,lower,1\n", "samples.csv:2:", "control" },
		{ HEADER "a.b.c,a,b,c,,0,latency,s,lower,1\r\n", "samples.csv:2:", "CR LF" },
		{ "cell,mode\r\n" ROW, "samples.csv:1:", "CR LF" },
		{ HEADER "a.b.c,a\xff,b,c,,0,latency,s,lower,1\n", "samples.csv:2:", "UTF-8" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		refuse(cases[i].data, strlen(cases[i].data), cases[i].where, cases[i].what);
}

static void nul_bytes_and_long_lines_are_refused(void **state)
{
	static const char nul[] = HEADER "a.b.c,a\0b,c";
	struct strbuf line = { 0 };

	refuse(nul, sizeof(nul) - 1, "samples.csv:2:", "NUL");
	strbuf_addf(&line, HEADER);
	for (int i = 0; i < 10000; i++)
		strbuf_add(&line, "x", 1);
	refuse(line.data, line.len, "samples.csv:2:", "too long");
	free(line.data);
}

static void other_files_are_refused(void **state)
{
	autofree char *missing = xasprintf("%s/none", capture_dir);
	autofree char *pipe_path = xasprintf("%s/pipe", capture_dir);
	struct sample_table table;

	assert_int_equal(mkfifo(pipe_path, 0600), 0);
	capture_begin();
	assert_int_equal(samples_read(missing, &table), -ENOENT);
	assert_null(table.rows);
	assert_int_equal(samples_read(capture_dir, &table), -EINVAL);
	assert_int_equal(samples_read(pipe_path, &table), -EINVAL);
	free(capture_end());
}

static void markup_in_names_is_only_text(void **state)
{
	static const char data[] = HEADER "a.b.c,<i>,b,c,,0,<script>&amp;',s,lower,1\n";
	autofree char *path = capture_file("samples.csv", data, strlen(data));
	struct sample_table table;

	assert_int_equal(samples_read(path, &table), 0);
	assert_string_equal(table.rows[0].metric, "<script>&amp;'");
	assert_string_equal(table.rows[0].mode, "<i>");
	sample_table_free(&table);
}

static void too_many_names_are_refused(void **state)
{
	struct strbuf sb = { 0 };

	strbuf_addf(&sb, HEADER);
	for (int i = 0; i < 70000; i++)
		strbuf_addf(&sb, "c%d,a,b,c,,0,latency,s,lower,1\n", i);
	refuse(sb.data, sb.len, "samples.csv:6", "too many different names");
	free(sb.data);
}

static void circles_are_said(void **state)
{
	autofree char *path = samples_path(), *said = NULL;
	struct sample_table table;

	unlink(path);
	assert_int_equal(symlink("samples.csv", path), 0);
	capture_begin();
	assert_int_equal(samples_read(path, &table), -ELOOP);
	said = capture_end();
	unlink(path);
	assert_one_line(said);
	assert_contains(said, "samples.csv: Too many levels of symbolic links");
}

static bool keep_even_boots(const void *arg, const struct sample_row *row)
{
	return row->boot % 2 == 0;
}

static void keep_drops_the_others(void **state)
{
	static const char data[] = HEADER ROW "a.b.c,a,b,c,,1,latency,s,lower,2\n"
					      "a.b.c,a,b,c,,2,latency,s,lower,3\n";
	autofree char *path = capture_file("samples.csv", data, strlen(data)), *text = NULL;

	assert_int_equal(samples_keep(path, keep_even_boots, NULL), 0);
	text = file_read(path, NULL);
	assert_string_equal(text, HEADER ROW "a.b.c,a,b,c,,2,latency,s,lower,3\n");
}

static void many_rows_are_read_fast(void **state)
{
	autofree char *path = NULL;
	struct sample_table table;
	struct strbuf sb = { 0 };
	double start;

	strbuf_addf(&sb, HEADER);
	for (int i = 0; i < 200000; i++)
		strbuf_add(&sb, ROW, strlen(ROW));
	path = capture_file("samples.csv", sb.data, sb.len);
	free(sb.data);
	start = now_s();
	assert_int_equal(samples_read(path, &table), 0);
	assert_true(now_s() - start < 20); /* a tenth of a second; far more if not linear */
	assert_int_equal(table.nr, 200000);
	sample_table_free(&table);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(set_keeps_values),
		cmocka_unit_test_setup(a_unit_and_direction_of_its_own, clean),
		cmocka_unit_test_setup(read_back_is_the_same, clean),
		cmocka_unit_test_setup(numbers_are_plain_decimals, clean),
		cmocka_unit_test_setup(bad_values_and_names_are_not_written, clean),
		cmocka_unit_test(torn_line_is_cut_before_appending),
		cmocka_unit_test(torn_header_is_written_anew),
		cmocka_unit_test(torn_last_line_is_left_out),
		cmocka_unit_test(empty_file_has_no_rows),
		cmocka_unit_test(malformed_files_are_refused),
		cmocka_unit_test(nul_bytes_and_long_lines_are_refused),
		cmocka_unit_test(other_files_are_refused),
		cmocka_unit_test(markup_in_names_is_only_text),
		cmocka_unit_test(too_many_names_are_refused),
		cmocka_unit_test(circles_are_said),
		cmocka_unit_test(keep_drops_the_others),
		cmocka_unit_test(many_rows_are_read_fast),
	};

	return cmocka_run_group_tests(tests, capture_setup, capture_teardown);
}
