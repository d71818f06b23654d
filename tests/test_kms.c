// SPDX-License-Identifier: GPL-2.0-only
/* The display program's options, and how a run inside of the lab gets a picture. */
#include "tests/capture.h"

#include <getopt.h>
#include <stdlib.h>

#include "bench/load/kms.h"
#include "harness/proc.h"

static int parse(struct options *o, const char *const *args, size_t nr)
{
	const char *argv[8] = { "kms" };

	assert_true(nr + 1 < ARRAY_SIZE(argv));
	for (size_t i = 0; i < nr; i++)
		argv[i + 1] = args[i];
	optind = 0; /* getopt begins anew */
	return options_parse((int)nr + 1, (char **)argv, o);
}
#define PARSE(o, ...)                                  \
	parse(o, (const char *const[]){ __VA_ARGS__ }, \
	      ARRAY_SIZE(((const char *const[]){ __VA_ARGS__ })))

static void options_have_defaults(void **state)
{
	struct options o;

	assert_int_equal(PARSE(&o, "--device=0000:00:10.0"), 0);
	assert_string_equal(o.device, "0000:00:10.0");
	assert_int_equal(o.width, 1024);
	assert_int_equal(o.height, 768);
	assert_int_equal(o.buffers, 2);
	assert_int_equal(o.fill, 100);
	assert_int_equal(o.churn, 0);
	assert_int_equal(o.limit_s, 0);
	assert_int_equal(o.frames, 0);
	assert_false(o.hold);
}

static void options_are_read(void **state)
{
	struct options o;

	assert_int_equal(PARSE(&o, "--device=x", "--width=512", "--height=64", "--buffers=64",
			       "--fill=0", "--churn=3"),
			 0);
	assert_int_equal(o.width, 512);
	assert_int_equal(o.height, 64);
	assert_int_equal(o.buffers, 64);
	assert_int_equal(o.fill, 0);
	assert_int_equal(o.churn, 3);
	assert_int_equal(PARSE(&o, "--device=x", "--limit=9", "--hold"), 0);
	assert_int_equal(o.limit_s, 9);
	assert_true(o.hold);
	assert_int_equal(PARSE(&o, "--device=x", "--frames=40"), 0);
	assert_int_equal(o.frames, 40);
}

static void bad_options_are_refused(void **state)
{
	static const struct {
		const char *option, *said;
	} bad[] = {
		{ "--width=511", "--width 511: not from 512 to 16384" },
		{ "--height=63", "--height 63: not from 64 to 16384" },
		{ "--buffers=1", "--buffers 1: not from 2 to 64" },
		{ "--buffers=65", "not from 2 to 64" },
		{ "--fill=101", "not from 0 to 100" },
		{ "--churn=-1", "--churn -1: not from" },
		{ "--churn=1x", "not from" },
		{ "--limit=", "not from" },
		{ "--frames=-1", "not from" },
		{ "--what", "unrecognized option" },
		{ "what", "takes options only" },
	};
	struct options o;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		autofree char *said = NULL;
		int ret;

		capture_begin();
		ret = PARSE(&o, "--device=x", bad[i].option);
		said = capture_end();
		assert_int_equal(ret, -1);
		assert_contains(said, bad[i].said);
	}
	capture_begin();
	assert_int_equal(PARSE(&o, "--hold"), -1);
	assert_int_equal(PARSE(&o, "--device=x", "--hold", "--frames=1"), -1);
	free(capture_end());
}

/* Asks for a picture while somebody does that with the request, in the share, as $0. */
static int ask(const char *answer, char **said)
{
	autofree char *script = xasprintf(
		"(until rm \"$0/screen.ask\" 2>/dev/null; do sleep 0.02; done; cd \"$0\"; %s) & "
		"sh scripts/lab-screen.sh \"$0\" \"$0/got.png\"; ret=$?; wait; exit $ret",
		answer);
	char *const argv[] = { (char *)"sh", (char *)"-c", script, capture_dir, NULL };

	return proc_run(argv, 20, said);
}

static void the_lab_is_asked_for_a_picture(void **state)
{
	autofree char *path = xasprintf("%s/got.png", capture_dir), *said = NULL, *got = NULL;

	/* One of before is not taken for the answer. */
	free(capture_file("screen.png", "old", 3));
	free(capture_file("screen.failed", "old", 3));
	assert_int_equal(ask("test ! -e screen.png && printf new >part; mv part screen.png", &said),
			 0);
	got = file_read(path, NULL);
	assert_string_equal(got, "new");
}

static void a_lab_without_a_picture_is_an_error(void **state)
{
	autofree char *said = NULL;

	assert_int_not_equal(ask("echo 'no such screen' >screen.failed", &said), 0);
	assert_contains(said, "takes no picture: no such screen");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options_have_defaults),
		cmocka_unit_test(options_are_read),
		cmocka_unit_test(bad_options_are_refused),
		cmocka_unit_test(the_lab_is_asked_for_a_picture),
		cmocka_unit_test(a_lab_without_a_picture_is_an_error),
	};

	return cmocka_run_group_tests(tests, capture_setup, capture_teardown);
}
