// SPDX-License-Identifier: GPL-2.0-only
/* fio's JSON: recorded output, and the same broken in the ways that happen. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <math.h>
#include <string.h>

#include <jansson.h>

#include "bench/workloads/fio.h"
#include "harness/util.h"

/* A figure straight from the recorded file, by another way than the parser's. */
static double recorded(const char *path, const char *direction, const char *a, const char *b,
		       const char *c)
{
	json_t *root = json_load_file(path, 0, NULL), *node;
	double value;

	assert_non_null(root);
	node = json_object_get(json_array_get(json_object_get(root, "jobs"), 0), direction);
	node = json_object_get(node, a);
	node = b ? json_object_get(node, b) : node;
	node = c ? json_object_get(node, c) : node;
	assert_true(json_is_number(node));
	value = json_number_value(node);
	json_decref(root);
	return value;
}

static int parse_text(const char *text, size_t len, struct sample_set *set, const char *wanted)
{
	char *why = NULL;
	int ret = fio_parse(text, len, set, &why);

	if (wanted) {
		assert_non_null(why);
		assert_non_null(strstr(why, wanted));
	} else {
		assert_null(why);
	}
	free(why);
	return ret;
}

static void assert_near(double value, double wanted)
{
	assert_true(fabs(value - wanted) <= 1e-12 * fabs(wanted));
}

#define READ "tests/data/fio-randread.json"
#define MIXED "tests/data/fio-randrw.json"

static void test_read(void **state)
{
	size_t len;
	autofree char *text = file_read(READ, &len);
	struct sample_set set = { 0 };

	assert_non_null(text);
	assert_int_equal(parse_text(text, len, &set, NULL), 0);
	assert_near(sample_get(&set, "read_iops"), recorded(READ, "read", "iops", NULL, NULL));
	assert_near(sample_get(&set, "read_bytes_per_s"),
		    recorded(READ, "read", "bw_bytes", NULL, NULL));
	assert_near(sample_get(&set, "lat_p50_s") * 1e9,
		    recorded(READ, "read", "clat_ns", "percentile", "50.000000"));
	assert_near(sample_get(&set, "lat_p99_s") * 1e9,
		    recorded(READ, "read", "clat_ns", "percentile", "99.000000"));
	assert_near(sample_get(&set, "lat_p999_s") * 1e9,
		    recorded(READ, "read", "clat_ns", "percentile", "99.900000"));
	assert_true(isnan(sample_get(&set, "write_iops")));
	sample_set_free(&set);
}

static void test_mixed(void **state)
{
	size_t len;
	autofree char *text = file_read(MIXED, &len);
	struct sample_set set = { 0 };

	assert_non_null(text);
	assert_int_equal(parse_text(text, len, &set, NULL), 0);
	assert_near(sample_get(&set, "read_iops"), recorded(MIXED, "read", "iops", NULL, NULL));
	assert_near(sample_get(&set, "write_iops"), recorded(MIXED, "write", "iops", NULL, NULL));
	/* One latency for the cell: that of the mix, not of either direction. */
	assert_near(sample_get(&set, "lat_p99_s") * 1e9,
		    recorded(MIXED, "mixed", "clat_ns", "percentile", "99.000000"));
	sample_set_free(&set);
}

/* fio prints warnings to its standard output, before the JSON. */
static void test_note_before(void **state)
{
	autofree char *json = file_read(READ, NULL);
	autofree char *text = xasprintf("note: both iodepth >= 1 and synchronous\n%s", json);
	struct sample_set set = { 0 };

	assert_int_equal(parse_text(text, strlen(text), &set, NULL), 0);
	sample_set_free(&set);
}

static void test_truncated(void **state)
{
	size_t len;
	autofree char *text = file_read(READ, &len);

	/* Wherever it is cut, it is refused with a reason. */
	while (len && text[len - 1] != '}')
		len--;
	for (size_t cut = 0; cut < len; cut += 97) {
		struct sample_set set = { 0 };

		assert_int_equal(parse_text(text, cut, &set, "fio"), -EINVAL);
		sample_set_free(&set);
	}
}

static void test_broken(void **state)
{
	static const struct {
		const char *text, *why;
		int ret;
	} cases[] = {
		{ "", "no JSON", -EINVAL },
		{ "Killed\n", "no JSON", -EINVAL },
		{ "{}", "0 jobs", -EINVAL },
		{ "{\"jobs\": 7}", "0 jobs", -EINVAL },
		{ "{\"jobs\": [{}, {}]}", "2 jobs", -EINVAL },
		{ "{\"jobs\": [{\"error\": 5}]}", "error 5", -EIO },
		{ "{\"jobs\": [{\"error\": 0}]}", "no I/O", -EINVAL },
		{ "{\"jobs\": [{\"error\": 0, \"read\": {\"total_ios\": 0}}]}", "no I/O", -EINVAL },
		{ "{\"jobs\": [{\"error\": 0, \"read\": {\"total_ios\": 9}}]}", "lacks", -EINVAL },
		{ "{\"jobs\": [{\"error\": 0, \"read\": {\"total_ios\": 9, \"iops\": \"many\", "
		  "\"bw_bytes\": 1}}]}",
		  "lacks", -EINVAL },
		{ "{\"jobs\": [{\"error\": 0, \"read\": {\"total_ios\": 9, \"iops\": 1, "
		  "\"bw_bytes\": 1, \"clat_ns\": {\"percentile\": {\"50.000000\": 3}}}}]}",
		  "lacks", -EINVAL },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct sample_set set = { 0 };

		assert_int_equal(
			parse_text(cases[i].text, strlen(cases[i].text), &set, cases[i].why),
			cases[i].ret);
		sample_set_free(&set);
	}
}

/* What fio 3.33 printed: of a drive whose blocks were changed, of a guest with too little memory.
 */
static void test_read_back_wrong(void **state)
{
	assert_true(
		fio_read_back_wrong("verify: bad magic header 0, wanted acca at file /dev/nvme0n1 "
				    "offset 4096, length 4096 (requested block: offset=4096, "
				    "length=4096)\n"));
	assert_true(fio_read_back_wrong("crc32c: verify failed at file /dev/nvme0n1 offset 0\n"));
	assert_false(
		fio_read_back_wrong("fio: state file: local-cell-0-verify.state (for_write=1)\n"
				    "error: failed to allocate shm segment\n"));
	assert_false(fio_read_back_wrong(""));
	assert_false(fio_read_back_wrong(NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_read_back_wrong), cmocka_unit_test(test_read),
		cmocka_unit_test(test_mixed),		cmocka_unit_test(test_note_before),
		cmocka_unit_test(test_truncated),	cmocka_unit_test(test_broken),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
