// SPDX-License-Identifier: GPL-2.0-only
/* The small helpers that read text. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "harness/util.h"

static void fields_are_numbered_from_one(void **state)
{
	uint64_t value;

	assert_int_equal(field_number("  11\t 22 33\n", 1, &value), 0);
	assert_int_equal(value, 11);
	assert_int_equal(field_number("  11\t 22 33\n", 3, &value), 0);
	assert_int_equal(value, 33);
	assert_int_equal(field_number(") S -1 18446744073709551615", 4, &value), 0);
	assert_int_equal(value, UINT64_MAX);
}

static void fields_that_are_no_number_are_refused(void **state)
{
	uint64_t value;

	assert_int_equal(field_number("", 1, &value), -EINVAL);
	assert_int_equal(field_number("1 2\n", 3, &value), -EINVAL);
	assert_int_equal(field_number("S", 1, &value), -EINVAL);
	assert_int_equal(field_number("-1", 1, &value), -EINVAL);
	assert_int_equal(field_number("1x", 1, &value), -EINVAL);
	assert_int_equal(field_number("18446744073709551616", 1, &value), -EINVAL);
}

static void test_tail(void **state)
{
	autofree char *all = text_tail("one\ntwo\t\xc3\xa9\x7f.\r\n \n", 16, 100);
	autofree char *end = text_tail("one two", 7, 3), *none = text_tail(" \n", 2, 10);

	assert_string_equal(all, "one two    .");
	assert_string_equal(end, "two");
	assert_string_equal(none, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tail),
		cmocka_unit_test(fields_are_numbered_from_one),
		cmocka_unit_test(fields_that_are_no_number_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
