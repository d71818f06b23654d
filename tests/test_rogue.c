// SPDX-License-Identifier: GPL-2.0-only
/* What a rogue device's tries say, from words of the guest's module as they come. */
#include <stdarg.h>
#include <setjmp.h>
#include <stddef.h>

#include <cmocka.h>
#include <errno.h>
#include <math.h>
#include <string.h>

#include "bench/registry.h"
#include "bench/rogue/judge.h"
#include "harness/util.h"

#define HEX "000102030405060708090a0b0c0d0eff"

static struct rogue_tally tally_of(unsigned int passed, unsigned int blocked)
{
	struct rogue_tally tally = { 0 };

	while (passed--)
		rogue_count(&tally, true);
	while (blocked--)
		rogue_count(&tally, false);
	return tally;
}

static void test_verdicts(void **state)
{
	struct rogue_tally none = { 0 }, blocked = tally_of(0, 2), passed = tally_of(2, 0),
			   partly = tally_of(1, 1), window = tally_of(3, 2), open = tally_of(3, 2);

	window.open_s = open.open_s = 0.004;
	rogue_count(&open, true); /* it was reached again */
	assert_int_equal(rogue_verdict(&none), ROGUE_UNTRIED);
	assert_int_equal(rogue_verdict(&blocked), ROGUE_BLOCKED);
	assert_int_equal(rogue_verdict(&passed), ROGUE_PASSED);
	assert_int_equal(rogue_verdict(&partly), ROGUE_PARTLY);
	assert_int_equal(rogue_verdict(&window), ROGUE_WINDOW);
	assert_int_equal(rogue_verdict(&open), ROGUE_PARTLY);
}

static void assert_missed(const char *missed, const char *wanted)
{
	if (!wanted) {
		assert_null(missed);
		return;
	}
	assert_non_null(missed);
	assert_string_equal(missed, wanted);
}

/* Every verdict against what every kind of mode promises. */
static void test_promises(void **state)
{
	static const struct {
		enum reach reach;
		const char *unmapped, *stale; /* what is right */
	} promises[] = {
		{ REACH_ALL, "passed", "passed" },    { REACH_MAPPED, "blocked", "blocked" },
		{ REACH_STALE, "blocked", "window" }, { REACH_HELD, "blocked", "passed" },
		{ REACH_POOL, "blocked", "blocked" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(promises); i++)
		for (enum rogue_verdict v = ROGUE_BLOCKED; v <= ROGUE_PARTLY; v++) {
			const char *name = rogue_verdict_name(v), *right = promises[i].unmapped;
			enum reach reach = promises[i].reach;

			assert_missed(rogue_missed(v, "mode", reach, ROGUE_UNMAPPED),
				      strcmp(name, right) ? right : NULL);
			assert_missed(rogue_missed(v, "mode", reach, ROGUE_ANYWHERE),
				      reach == REACH_POOL || !strcmp(name, right) ? NULL : right);
			right = promises[i].stale;
			assert_missed(rogue_missed(v, "mode", reach, ROGUE_STALE),
				      strcmp(name, right) ? right : NULL);
			assert_missed(rogue_missed(v, "mode", reach, ROGUE_FOREIGN),
				      v == ROGUE_BLOCKED ? NULL : "blocked");
		}
}

static void test_expectations(void **state)
{
	/* The configuration's word counts more than the mode's. */
	assert_missed(rogue_missed(ROGUE_PASSED, "blocked", REACH_ALL, ROGUE_UNMAPPED), "blocked");
	assert_missed(rogue_missed(ROGUE_BLOCKED, "passed", REACH_MAPPED, ROGUE_STALE), "passed");
	assert_missed(rogue_missed(ROGUE_PARTLY, "any", REACH_MAPPED, ROGUE_STALE), NULL);
	assert_missed(rogue_missed(ROGUE_UNTRIED, "blocked", REACH_MAPPED, ROGUE_FOREIGN), NULL);
	/* A mode that promises nothing of the guest's memory keeps off others' all the same. */
	assert_missed(rogue_missed(ROGUE_PARTLY, "mode", REACH_UNKNOWN, ROGUE_STALE), NULL);
	assert_missed(rogue_missed(ROGUE_PASSED, "mode", REACH_UNKNOWN, ROGUE_FOREIGN), "blocked");
}

static void test_words(void **state)
{
	static const char pages[] = "home 0xfffff000 0x1000 " HEX "\n"
				    "beside 0 0x2000 ff0102030405060708090a0b0c0d0e00\n"
				    "far 0 0x30000 zz0102030405060708090a0b0c0d0e00";
	struct rogue_page page;
	uint8_t data[ROGUE_MARK];
	autofree char *hex = NULL;

	assert_int_equal(rogue_parse_page(pages, "home", &page), 0);
	assert_int_equal(page.bus, 0xfffff000);
	assert_int_equal(page.physical, 0x1000);
	hex = rogue_hex(page.content);
	assert_string_equal(hex, HEX);
	assert_int_equal(rogue_parse_page(pages, "beside", &page), 0);
	assert_int_equal(page.physical, 0x2000);
	assert_int_equal(page.content[0], 0xff);
	assert_int_equal(page.content[15], 0);
	assert_int_equal(rogue_parse_page(pages, "far", &page), -EBADMSG);
	assert_int_equal(rogue_parse_page(pages, "hom", &page), -EBADMSG);
	assert_int_equal(rogue_parse_page("", "home", &page), -EBADMSG);
	assert_int_equal(rogue_parse_data("data " HEX, data), 0);
	assert_memory_equal(data, "\0\1\2\3\4\5\6\7\10\11\12\13\14\15\16\377", ROGUE_MARK);
	assert_int_equal(rogue_parse_data("data " HEX "00", data), -EBADMSG);
	assert_int_equal(rogue_parse_data("data 0001", data), -EBADMSG);
	assert_int_equal(rogue_parse_data("", data), -EBADMSG);
}

static void assert_near(double value, double wanted)
{
	assert_true(fabs(value - wanted) < 1e-12);
}

static void test_window(void **state)
{
	struct rogue_tally mapped, stale;

	/* The late shot tells nothing, and what was blocked sooner is no end of the window. */
	assert_int_equal(rogue_parse_stale("shot 2000 early -5 900000\n"
					   "shot 2000 passed 1500000 900000\n"
					   "shot 4000 blocked 3000000 900000\n"
					   "shot 8000 passed 7000000 900000\n"
					   "shot 16000 blocked 15000000 900000\n"
					   "shot 64000 blocked 60000000 900000\n"
					   "control passed\n"
					   "follow blocked 3 130000000 430000000",
					   &mapped, &stale),
			 0);
	assert_int_equal(rogue_verdict(&mapped), ROGUE_PASSED);
	assert_int_equal(rogue_verdict(&stale), ROGUE_WINDOW);
	assert_int_equal(stale.tries, 8);
	assert_int_equal(stale.passed, 2);
	assert_near(stale.open_s, 0.007);
	assert_near(stale.closed_s, 0.015);
}

static void test_no_window(void **state)
{
	struct rogue_tally mapped, stale;

	assert_int_equal(rogue_parse_stale("shot 2000 blocked 1500000 9\ncontrol passed\n"
					   "follow blocked 1 230000000 230000000",
					   &mapped, &stale),
			 0);
	assert_int_equal(rogue_verdict(&stale), ROGUE_BLOCKED);
	assert_near(stale.open_s, 0);
	assert_int_equal(rogue_parse_stale("shot 2000 passed 1500000 9\ncontrol passed\n"
					   "follow passed 29 130000000 3030000000",
					   &mapped, &stale),
			 0);
	assert_int_equal(rogue_verdict(&stale), ROGUE_PASSED);
	assert_near(stale.open_s, 3.03);
	assert_near(stale.closed_s, 0);
	assert_int_equal(rogue_parse_stale("shot 2000 passed 15 9\n", &mapped, &stale), -EBADMSG);
	assert_int_equal(rogue_parse_stale("shot 2000 odd 15 9\ncontrol passed", &mapped, &stale),
			 -EBADMSG);
	assert_int_equal(rogue_parse_stale("control passed\nfollow early 1 15 15", &mapped, &stale),
			 -EBADMSG);
	assert_int_equal(
		rogue_parse_stale("control passed\nfollow passed 0 15 15", &mapped, &stale),
		-EBADMSG);
	assert_int_equal(rogue_parse_stale("control passed\nfollow passed 15", &mapped, &stale),
			 -EBADMSG);
	assert_int_equal(rogue_parse_stale("", &mapped, &stale), -EBADMSG);
}

/* Of a device that begins its DMA at once: rows of tries only. */
static void test_window_without_shots(void **state)
{
	struct rogue_tally mapped, stale;

	assert_int_equal(rogue_parse_stale("control passed\nfollow passed 40 200000 9000000\n"
					   "follow blocked 90 9200000 210000000",
					   &mapped, &stale),
			 0);
	assert_int_equal(rogue_verdict(&mapped), ROGUE_PASSED);
	assert_int_equal(rogue_verdict(&stale), ROGUE_WINDOW);
	assert_int_equal(stale.tries, 130);
	assert_int_equal(stale.passed, 40);
	assert_near(stale.open_s, 0.009);
	assert_near(stale.closed_s, 0.0092);
	/* Several rounds: what a late one misses is no end of the window. */
	assert_int_equal(rogue_parse_stale("control passed\nfollow blocked 9 30000000 240000000\n"
					   "control passed\nfollow passed 2 1000 12000000\n"
					   "follow blocked 8 13000000 230000000",
					   &mapped, &stale),
			 0);
	assert_int_equal(mapped.tries, 2);
	assert_int_equal(rogue_verdict(&stale), ROGUE_WINDOW);
	assert_near(stale.open_s, 0.012);
	assert_near(stale.closed_s, 0.013);
	/* What was out of reach for a moment is no end of the window, nor is what is in reach last.
	 */
	assert_int_equal(rogue_parse_stale("control passed\nfollow passed 1 1000 1000\n"
					   "follow blocked 2 2000 3000\nfollow passed 1 4000 4000",
					   &mapped, &stale),
			 0);
	assert_int_equal(rogue_verdict(&stale), ROGUE_PARTLY);
	assert_near(stale.closed_s, 0);
	assert_int_equal(rogue_parse_stale("control blocked\nfollow blocked 7 1000 200000000",
					   &mapped, &stale),
			 0);
	assert_int_equal(rogue_verdict(&mapped), ROGUE_BLOCKED);
	assert_int_equal(rogue_verdict(&stale), ROGUE_BLOCKED);
	assert_near(stale.closed_s, 0.000001);
}

static void test_sweep(void **state)
{
	struct rogue_tally sweep;

	assert_int_equal(rogue_parse_sweep("probe 0x1000 own passed\nprobe 0x2000 used changed\n"
					   "probe 0x3000 used blocked\n",
					   &sweep),
			 0);
	assert_int_equal(sweep.tries, 2);
	assert_int_equal(sweep.passed, 1);
	assert_int_equal(rogue_parse_sweep("probe 0x2000 used changed", &sweep), -EBADMSG);
	assert_int_equal(rogue_parse_sweep("probe 0x2000 passed", &sweep), -EBADMSG);
}

static void test_guest_memory(void **state)
{
	assert_true(rogue_is_guest_memory(256 * MIB, 256 * MIB - 1));
	assert_false(rogue_is_guest_memory(256 * MIB, 256 * MIB));
	assert_int_equal(rogue_guest_end(256 * MIB), 256 * MIB);
	assert_true(rogue_is_guest_memory(8 * GIB, 2 * GIB - 1));
	assert_false(rogue_is_guest_memory(8 * GIB, 2 * GIB));
	assert_true(rogue_is_guest_memory(8 * GIB, 4 * GIB));
	assert_int_equal(rogue_guest_end(8 * GIB), 10 * GIB);
	assert_false(rogue_is_guest_memory(8 * GIB, 10 * GIB));
}

/* Modes that assign a device say what it reaches, by their settings. */
static void test_modes(void **state)
{
	static const struct {
		const char *mode, *setting, *value;
		enum reach reach;
	} modes[] = {
		{ "static", NULL, NULL, REACH_ALL },
		{ "static-thp", NULL, NULL, REACH_ALL },
		{ "static-hugetlb", NULL, NULL, REACH_ALL },
		{ "viommu-strict", NULL, NULL, REACH_MAPPED },
		{ "viommu-lazy", NULL, NULL, REACH_STALE },
		{ "viommu-pt", NULL, NULL, REACH_ALL },
		{ "viommu-nested", NULL, NULL, REACH_MAPPED },
		{ "virtio-iommu", "invalidate", "strict", REACH_MAPPED },
		{ "virtio-iommu", "invalidate", "lazy", REACH_STALE },
		{ "bounce", NULL, NULL, REACH_POOL },
		{ "coiommu", "unpin", "lru", REACH_STALE },
		{ "coiommu", "unpin", "off", REACH_HELD },
		{ "coiommu-viommu", "untrusted", "no", REACH_STALE },
		{ "coiommu-viommu", "untrusted", "yes", REACH_MAPPED },
	};

	for (size_t i = 0; i < ARRAY_SIZE(modes); i++) {
		const struct mode_ops *ops = registry_mode(modes[i].mode);
		struct settings *settings = settings_new(ops->settings);
		char *why = NULL;

		if (modes[i].setting)
			assert_int_equal(
				settings_set(settings, modes[i].setting, modes[i].value, &why), 0);
		assert_int_equal(ops->reach(settings), modes[i].reach);
		settings_free(settings);
	}
	for (size_t i = 0; registry_modes[i]; i++)
		assert_true(registry_modes[i]->attach != ATTACH_VFIO || registry_modes[i]->reach);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_verdicts),     cmocka_unit_test(test_promises),
		cmocka_unit_test(test_expectations), cmocka_unit_test(test_words),
		cmocka_unit_test(test_window),	     cmocka_unit_test(test_no_window),
		cmocka_unit_test(test_sweep),	     cmocka_unit_test(test_guest_memory),
		cmocka_unit_test(test_modes),	     cmocka_unit_test(test_window_without_shots),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
