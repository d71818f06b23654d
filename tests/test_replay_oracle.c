// SPDX-License-Identifier: GPL-2.0-only
/* The oracle against trying everything. */
#include "tests/replay_trace.h"

#include "bench/replay/bridges.h"

#define GAPS 9
#define TIMES 14

struct gap {
	int from, to;
};

/* The most gaps that fit, by trying all subsets. room[t] is between times t and t + 1. */
static int best(const struct gap *gaps, int nr, const int *room)
{
	int most = 0;

	for (unsigned int set = 0; set < 1U << nr; set++) {
		bool fits = true;

		for (int t = 0; t < TIMES && fits; t++) {
			int taken = 0;

			for (int i = 0; i < nr; i++)
				taken += (set >> i & 1) && gaps[i].from <= t && t < gaps[i].to;
			fits = !taken || taken <= room[t];
		}
		if (fits && __builtin_popcount(set) > most)
			most = __builtin_popcount(set);
	}
	return most;
}

struct tried {
	int page[TIMES]; /* mapped or unmapped at each time */
	bool maps[TIMES];
	struct gap gaps[TIMES];
	int nr_gaps, pins, room[TIMES];
};

static void make_trace(struct tried *t, uint64_t *random, int limit)
{
	int since[4] = { -1, -1, -1, -1 }, mapped = 0;
	bool is_mapped[4] = { false };

	*t = (struct tried){ 0 };
	for (int i = 0; i < TIMES; i++) {
		int page = (int)(*random >> 40 & 3);

		*random = *random * 6364136223846793005ULL + 1442695040888963407ULL;
		t->page[i] = page;
		t->maps[i] = !is_mapped[page];
		is_mapped[page] = t->maps[i];
		mapped += t->maps[i] ? 1 : -1;
		t->room[i] = limit - mapped;
		if (t->maps[i]) {
			t->pins++;
			if (since[page] >= 0)
				t->gaps[t->nr_gaps++] = (struct gap){ since[page], i };
		} else {
			since[page] = i;
		}
	}
}

static void test_oracle(void **state)
{
	uint64_t random = 42;
	int bridged = 0;

	for (int round = 0; round < 3000; round++) {
		int limit = 1 + round % 4;
		struct replay_policy *p = replay_oracle((uint64_t)limit);
		struct tried t;
		int most;

		make_trace(&t, &random, limit);
		begin_trace();
		for (int i = 0; i < TIMES; i++)
			trace_write_pages(&writer, t.maps[i] ? TRACE_MAP : TRACE_UNMAP,
					  (uint64_t)i + 1, (uint64_t)t.page[i] * 2000, 1);
		assert_null(run(TIMES + 1, &p, 1));
		most = best(t.gaps, t.nr_gaps, t.room);
		bridged += most;
		expect(p, COUNT_PINS, (uint64_t)(t.pins - most));
		done(p);
	}
	assert_true(bridged > 1000);
}

/* Many slots, so that they are merged again and again: the same as a list that never is. */
static void test_bridges(void **state)
{
	enum { PAGES = 600, EVENTS = 40000 };
	static uint32_t slots[PAGES], from[PAGES];
	static int room[EVENTS];
	struct bridges *b = bridges_new();
	uint64_t random = 7;
	int mapped = 0, kept = 0;
	bool is_mapped[PAGES] = { false }, used[PAGES] = { false };

	for (uint32_t i = 0; i < EVENTS; i++) {
		uint32_t page = (uint32_t)(random >> 33) % PAGES, least = INT32_MAX;

		random = random * 6364136223846793005ULL + 1442695040888963407ULL;
		is_mapped[page] = !is_mapped[page];
		mapped += is_mapped[page] ? 1 : -1;
		room[i] = 400 - mapped;
		if (!is_mapped[page]) {
			bridges_begin(b, room[i], &slots[page]);
			from[page] = i;
			used[page] = true;
			continue;
		}
		for (uint32_t t = from[page]; used[page] && t < i; t++)
			if (room[t] < (int)least)
				least = (uint32_t)(room[t] < 0 ? 0 : room[t]);
		least = used[page] ? least : 0;
		assert_int_equal(bridges_end(b, room[i], used[page] ? &slots[page] : NULL),
				 least > 0);
		for (uint32_t t = from[page]; least && t < i; t++)
			room[t]--;
		kept += least > 0;
	}
	assert_in_range(kept, 1000, EVENTS / 2);
	bridges_free(b);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_oracle),
		cmocka_unit_test(test_bridges),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
