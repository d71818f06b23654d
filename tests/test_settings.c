// SPDX-License-Identifier: GPL-2.0-only
/* Settings: every type's values, its refusals with their messages, and access by name. */
#include "tests/capture.h"

#include <errno.h>
#include <math.h>

#include "harness/settings.h"

static const char *const patterns[] = { "read", "write", "randread", "randwrite", NULL };

static const struct setting table[] = {
	{ "depth", SETTING_COUNT, "1", NULL, 1, 1024, "in range" },
	{ "jobs", SETTING_COUNT, "0", NULL, 0, 0, "any" },
	{ "bs", SETTING_SIZE, "4k", NULL, 512, (double)(16 * MIB), "in range" },
	{ "room", SETTING_SIZE, "0", NULL, 0, 0, "any" },
	{ "runtime", SETTING_TIME, "5s", NULL, 0.25, 3600, "in range" },
	{ "pause", SETTING_TIME, "0", NULL, 0, 0, "any" },
	{ "ratio", SETTING_NUMBER, "0.5", NULL, -1, 1, "in range" },
	{ "factor", SETTING_NUMBER, "2", NULL, 0, 0, "any" },
	{ "flush", SETTING_BOOL, "no", NULL, 0, 0, "either" },
	{ "rw", SETTING_CHOICE, "randread", patterns, 0, 0, "pattern" },
	{ "label", SETTING_TEXT, "", NULL, 0, 0, "any" },
	{ 0 },
};

static void assert_parses(const char *name, const char *text, double expected)
{
	double number = -12345;
	char *why = NULL;

	if (setting_parse(settings_find(table, name), text, &number, &why))
		fail_msg("'%s' refused: %s", text, why);
	if (number != expected)
		fail_msg("'%s' is %.17g, not %.17g", text, number, expected);
}

static void assert_refused(const char *name, const char *text, const char *message)
{
	autofree char *full = xasprintf("%s: %s", name, message);
	autofree char *why = NULL;
	double number = -12345;

	assert_int_equal(setting_parse(settings_find(table, name), text, &number, &why), -EINVAL);
	assert_true(number == -12345);
	assert_string_equal(why, full);
}

static void test_counts(void **state)
{
	assert_parses("depth", "1", 1);
	assert_parses("depth", "1024", 1024);
	assert_parses("depth", "007", 7);
	assert_parses("jobs", "9007199254740992", 9007199254740992.0);
	assert_refused("depth", "0", "'0' is out of range: use 1..1024");
	assert_refused("depth", "1025", "'1025' is out of range: use 1..1024");
	assert_refused("depth", "-3", "'-3' is out of range: use 1..1024");
	assert_refused("jobs", "-3", "'-3' is out of range: use 0 or more");
	assert_refused("depth", "2.0", "'2.0' is no whole number: use digits only, as 16");
	assert_refused("depth", "1e2", "'1e2' is no whole number: use digits only, as 16");
	assert_refused("depth", "0x10", "'0x10' is no whole number: use digits only, as 16");
	assert_refused("depth", " 4", "' 4' is no whole number: use digits only, as 16");
	assert_refused("depth", "+4", "'+4' is no whole number: use digits only, as 16");
	assert_refused("depth", "", "'' is no whole number: use digits only, as 16");
	assert_refused("depth", "nan", "'nan' is no whole number: use digits only, as 16");
	assert_refused("jobs", "9007199254740994",
		       "'9007199254740994' is too large: use at most 2^53");
}

static void test_count_overflow(void **state)
{
	char text[900];
	autofree char *why = NULL;
	double number;

	memset(text, '9', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	assert_int_equal(setting_parse(settings_find(table, "jobs"), text, &number, &why), -EINVAL);
	assert_contains(why, "is too large");
	assert_true(strlen(why) < 120);
}

static void test_sizes(void **state)
{
	assert_parses("bs", "4k", 4096);
	assert_parses("bs", "4K", 4096);
	assert_parses("bs", "64KiB", 65536);
	assert_parses("bs", "4096", 4096);
	assert_parses("bs", "4096B", 4096);
	assert_parses("bs", "1.5M", 1572864);
	assert_parses("room", "1GiB", (double)GIB);
	assert_parses("room", "2T", (double)(2048 * GIB));
	assert_parses("room", "0", 0);
	assert_parses("room", "0.5k", 512);
	assert_refused("bs", "4x",
		       "'4x' is no size: use bytes with k, M, G, T (powers of 1024), "
		       "as 4k or 1GiB");
	assert_refused("bs", "4kB",
		       "'4kB' is no size: use bytes with k, M, G, T (powers of 1024), "
		       "as 4k or 1GiB");
	assert_refused("bs", "k",
		       "'k' is no size: use bytes with k, M, G, T (powers of 1024), "
		       "as 4k or 1GiB");
	assert_refused("bs", "1.2.3k",
		       "'1.2.3k' is no size: use bytes with k, M, G, T (powers of 1024), "
		       "as 4k or 1GiB");
	assert_refused("bs", "inf",
		       "'inf' is no size: use bytes with k, M, G, T (powers of 1024), "
		       "as 4k or 1GiB");
	assert_refused("bs", "0.3k", "'0.3k' is no whole number of bytes: use a smaller unit");
	assert_refused("bs", "511", "'511' is out of range: use 512..16MiB");
	assert_refused("bs", "17M", "'17M' is out of range: use 512..16MiB");
	assert_refused("bs", "-4k", "'-4k' is out of range: use 512..16MiB");
	assert_refused("room", "9000T", "'9000T' is too large: use at most 2^53");
}

static void test_times(void **state)
{
	assert_parses("runtime", "10s", 10);
	assert_parses("runtime", "250ms", 0.25);
	assert_parses("runtime", "2m", 120);
	assert_parses("runtime", "1h", 3600);
	assert_parses("runtime", "1.5s", 1.5);
	assert_parses("pause", "50us", 50e-6);
	assert_parses("pause", "7ns", 7e-9);
	assert_parses("pause", "0", 0);
	assert_refused("runtime", "10",
		       "'10' has no unit: use ns, us, ms, s, m or h, as 10s or 250ms");
	assert_refused("runtime", "10 s",
		       "'10 s' is no time: use a number with ns, us, ms, s, m or h, "
		       "as 10s or 250ms");
	assert_refused("runtime", "soon",
		       "'soon' is no time: use a number with ns, us, ms, s, m or h, "
		       "as 10s or 250ms");
	assert_refused("runtime", "200ms", "'200ms' is out of range: use 250ms..1h");
	assert_refused("runtime", "0", "'0' is out of range: use 250ms..1h");
	assert_refused("runtime", "2h", "'2h' is out of range: use 250ms..1h");
	assert_refused("pause", "-1s", "'-1s' is out of range: use 0 or more");
}

static void test_numbers(void **state)
{
	assert_parses("ratio", "0.25", 0.25);
	assert_parses("ratio", "-1", -1);
	assert_parses("factor", "1e6", 1e6);
	assert_refused("ratio", "1.01", "'1.01' is out of range: use -1..1");
	assert_refused("factor", "-0.5", "'-0.5' is out of range: use 0 or more");
	assert_refused("factor", "nan", "'nan' is no number: use digits, as 2.5");
	assert_refused("factor", "inf", "'inf' is no number: use digits, as 2.5");
	assert_refused("factor", "1e", "'1e' is no number: use digits, as 2.5");
	assert_refused("factor", "2,5", "'2,5' is no number: use digits, as 2.5");
	assert_refused("factor", "1e999", "'1e999' is too large: use at most 2^53");
}

static void test_words(void **state)
{
	assert_parses("flush", "yes", 1);
	assert_parses("flush", "True", 1);
	assert_parses("flush", "on", 1);
	assert_parses("flush", "NO", 0);
	assert_parses("flush", "false", 0);
	assert_parses("flush", "off", 0);
	assert_refused("flush", "1",
		       "'1' is neither yes nor no: use yes, no, true, false, on or off");
	assert_refused("rw", "radread", "'radread' is no choice: did you mean 'randread'?");
	assert_refused("rw", "Read", "'Read' is no choice: did you mean 'read'?");
	assert_refused("rw", "zebra-stripes",
		       "'zebra-stripes' is no choice: use one of read, write, randread, randwrite");
	assert_refused("label", "a\nb", "has a control character: remove it");
}

static void test_text_too_long(void **state)
{
	char text[1026];

	memset(text, 'x', sizeof(text));
	text[1024] = '\0';
	assert_parses("label", text, 0);
	text[1024] = 'x';
	text[1025] = '\0';
	assert_refused("label", text, "is longer than 1024 bytes: shorten it");
}

static void test_defaults(void **state)
{
	struct settings *s = settings_new(table);

	assert_int_equal(s->nr, ARRAY_SIZE(table) - 1);
	assert_int_equal(settings_count(s, "depth"), 1);
	assert_int_equal(settings_size(s, "bs"), 4096);
	assert_true(settings_time(s, "runtime") == 5);
	assert_true(settings_number(s, "ratio") == 0.5);
	assert_false(settings_bool(s, "flush"));
	assert_string_equal(settings_text(s, "rw"), "randread");
	assert_string_equal(settings_text(s, "label"), "");
	for (size_t i = 0; i < s->nr; i++)
		assert_false(s->values[i].given);
	settings_free(s);
}

static void test_no_table(void **state)
{
	struct settings *s = settings_new(NULL);
	struct settings *copy = settings_dup(s);
	autofree char *why = NULL;

	assert_int_equal(s->nr, 0);
	assert_null(settings_find(NULL, "x"));
	assert_null(settings_difference(s, copy));
	assert_int_equal(settings_set(s, "x", "1", &why), -EINVAL);
	assert_string_equal(why, "no setting 'x': there are none");
	settings_free(s);
	settings_free(copy);
	settings_free(NULL);
}

static void test_set_and_dup(void **state)
{
	struct settings *s = settings_new(table);
	struct settings *copy;
	char *why = NULL;

	assert_int_equal(settings_set(s, "bs", "64KiB", &why), 0);
	assert_int_equal(settings_set(s, "rw", "write", &why), 0);
	copy = settings_dup(s);
	assert_null(settings_difference(s, copy));
	assert_int_equal(settings_set(copy, "bs", "65536", &why), 0);
	assert_null(settings_difference(s, copy)); /* the same bytes, written otherwise */
	assert_int_equal(settings_set(copy, "rw", "read", &why), 0);
	assert_string_equal(settings_difference(s, copy)->name, "rw");
	assert_string_equal(settings_text(s, "rw"), "write");
	assert_int_equal(settings_size(copy, "bs"), 65536);
	assert_true(copy->values[settings_find(table, "bs") - table].given);
	assert_false(copy->values[settings_find(table, "depth") - table].given);
	settings_free(s);
	settings_free(copy);
}

static void test_set_refused(void **state)
{
	struct settings *s = settings_new(table);
	char *why = NULL;

	assert_int_equal(settings_set(s, "dept", "4", &why), -EINVAL);
	assert_string_equal(why, "no setting 'dept': did you mean 'depth'?");
	free(why);
	assert_int_equal(settings_set(s, "depth", "4096", &why), -EINVAL);
	assert_string_equal(why, "depth: '4096' is out of range: use 1..1024");
	free(why);
	assert_int_equal(settings_count(s, "depth"), 1); /* a refused value leaves the old one */
	assert_string_equal(s->values[0].text, "1");
	assert_false(s->values[0].given);
	settings_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_counts),	      cmocka_unit_test(test_count_overflow),
		cmocka_unit_test(test_sizes),	      cmocka_unit_test(test_times),
		cmocka_unit_test(test_numbers),	      cmocka_unit_test(test_words),
		cmocka_unit_test(test_text_too_long), cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_no_table),      cmocka_unit_test(test_set_and_dup),
		cmocka_unit_test(test_set_refused),
	};

	return cmocka_run_group_tests_name("settings", tests, NULL, NULL);
}
