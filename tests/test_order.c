// SPDX-License-Identifier: GPL-2.0-only
/* The order of VM lives: each once a round, the same again for the same seed, none favoured. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include "harness/order.h"
#include "harness/util.h"

#define LIVES 4
#define ROUNDS 6000

static void alternate_turns_around(void **state)
{
	static const size_t there[] = { 0, 1, 2, 3 }, back[] = { 3, 2, 1, 0 };
	size_t places[LIVES];

	for (unsigned int round = 0; round < 6; round++) {
		order_round(ORDER_ALTERNATE, 7, round, LIVES, places);
		assert_memory_equal(places, round % 2 ? back : there, sizeof(places));
		order_round(ORDER_SEQUENTIAL, 7, round, LIVES, places);
		assert_memory_equal(places, there, sizeof(places));
	}
}

static void the_seed_decides(void **state)
{
	size_t one[LIVES], again[LIVES];
	unsigned int other_seed = 0, other_round = 0;

	for (unsigned int round = 0; round < 100; round++) {
		order_round(ORDER_RANDOM, 7, round, LIVES, one);
		order_round(ORDER_RANDOM, 7, round, LIVES, again);
		assert_memory_equal(one, again, sizeof(one));
		order_round(ORDER_RANDOM, 8, round, LIVES, again);
		other_seed += memcmp(one, again, sizeof(one)) != 0;
		order_round(ORDER_RANDOM, 7, round + 1, LIVES, again);
		other_round += memcmp(one, again, sizeof(one)) != 0;
	}
	/* 23 of 24 orders are others. */
	assert_in_range(other_seed, 85, 100);
	assert_in_range(other_round, 85, 100);
}

/* 1,500 expected in each place, with a deviation of 34. */
static void each_life_is_everywhere_alike(void **state)
{
	unsigned int counts[LIVES][LIVES] = { 0 };

	for (unsigned int round = 0; round < ROUNDS; round++) {
		size_t places[LIVES];

		order_round(ORDER_RANDOM, 1, round, LIVES, places);
		for (size_t i = 0; i < LIVES; i++)
			counts[i][places[i]]++;
	}
	for (size_t i = 0; i < LIVES; i++) {
		unsigned int all = 0;

		for (size_t life = 0; life < LIVES; life++) {
			assert_in_range(counts[i][life], ROUNDS / LIVES - 170,
					ROUNDS / LIVES + 170);
			all += counts[i][life];
		}
		assert_int_equal(all, ROUNDS);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(alternate_turns_around),
		cmocka_unit_test(the_seed_decides),
		cmocka_unit_test(each_life_is_everywhere_alike),
	};

	return cmocka_run_group_tests_name("order", tests, NULL, NULL);
}
