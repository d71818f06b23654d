// SPDX-License-Identifier: GPL-2.0-only
/* Policies on traces counted by hand, the oracle against trying everything, curves, fleets. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "bench/replay/bridges.h"
#include "bench/replay/fleet.h"
#include "bench/replay/replay.h"
#include "harness/util.h"
#include "trace_file.h"

#define MS 1000000ULL
#define S (1000 * MS)

static struct trace_writer writer;
static struct replay_totals totals;

static void begin_trace(void)
{
	const struct trace_args config = { .nr = TRACE_CONFIG_ARGS,
					   .v = { POLICY_UNPIN_LRU, S, 0, 0, 0, 0, 1, 0, 256 } };
	const struct trace_args memory = { .nr = 7, .v = { 0, 64 * MIB, 0, 3, 1, 1, 1 } };

	trace_writer_init(&writer, memfd_create("trace", MFD_CLOEXEC));
	trace_write_call(&writer, TRACE_CONFIG, 0, &config, NULL);
	trace_write_call(&writer, TRACE_MEM_ADD, 0, &memory, NULL);
}

static void map(uint64_t time_ns, uint64_t pfn, uint64_t nr)
{
	trace_write_pages(&writer, TRACE_MAP, time_ns, pfn, nr);
}

static void unmap(uint64_t time_ns, uint64_t pfn, uint64_t nr)
{
	trace_write_pages(&writer, TRACE_UNMAP, time_ns, pfn, nr);
}

/* Ends the trace at end_ns and runs it. */
static const char *run(uint64_t end_ns, struct replay_policy **policies, size_t nr)
{
	struct trace_reader r;
	const char *error;

	assert_int_equal(trace_writer_finish(&writer, end_ns), 0);
	assert_int_equal(trace_reader_open(&r, writer.fd), 0);
	replay_run(&r, policies, nr, &totals, &error);
	trace_reader_close(&r);
	close(writer.fd);
	return error;
}

static void done(struct replay_policy *p)
{
	curve_free(&p->curve);
	p->ops->free(p);
}

static void expect(const struct replay_policy *p, enum replay_count count, uint64_t value)
{
	if (p->counts.n[count] != value)
		fail_msg("%s: %llu, not %llu", replay_count_names[count],
			 (unsigned long long)p->counts.n[count], (unsigned long long)value);
}

static struct replay_policy *coiommu(void (*change)(struct policy_config *c))
{
	struct policy_config c = policy_defaults;

	c.interval_ns = S;
	c.range_pages = 1;
	if (change)
		change(&c);
	return replay_coiommu(&c);
}

/* ---- Policies ------------------------------------------------------------------------- */

/* Page 1 twice within an interval, pages 10-13 once and a list of 20 and 21; then silence. */
static void simple_trace(void)
{
	begin_trace();
	map(10 * MS, 1, 1);
	unmap(20 * MS, 1, 1);
	map(30 * MS, 1, 1);
	map(40 * MS, 10, 4);
	unmap(50 * MS, 10, 4);
	trace_write_pages(&writer, TRACE_MAP | TRACE_MORE, 60 * MS, 20, 1);
	map(60 * MS, 21, 1);
	unmap(70 * MS, 1, 1);
	trace_write_pages(&writer, TRACE_UNMAP | TRACE_MORE, 80 * MS, 20, 1);
	unmap(80 * MS, 21, 1);
}

static void test_policies(void **state)
{
	struct replay_policy *p[] = { replay_static(), replay_strict(), replay_deferred(),
				      coiommu(NULL), replay_oracle(0) };

	simple_trace();
	map(3500 * MS, 30, 1); /* so that there is an event after the scans */
	assert_null(run(4 * S, p, ARRAY_SIZE(p)));
	for (size_t i = 0; i < ARRAY_SIZE(p); i++) {
		expect(p[i], COUNT_MAPS, 5);
		expect(p[i], COUNT_UNMAPS, 4);
	}
	expect(p[0], COUNT_PINS, 16384);
	expect(p[0], COUNT_REQUESTS, 0);
	assert_int_equal(p[0]->curve.peak, 16384);
	/* Strict: each mapping pins its pages, each call is an exit. */
	expect(p[1], COUNT_PINS, 1 + 1 + 4 + 2 + 1);
	expect(p[1], COUNT_UNPINS, 8);
	expect(p[1], COUNT_REQUESTS, 9);
	assert_int_equal(p[1]->curve.peak, 5);
	assert_int_equal(p[1]->curve.value, 1);
	/* Deferred: by the timer 10 ms after the first, at 30 ms before the map. */
	expect(p[2], COUNT_UNPINS, 8);
	expect(p[2], COUNT_REQUESTS, 5 + 4);
	assert_int_equal(p[2]->curve.peak, 5);
	/* coIOMMU: page 1 once; the list in one request. Scans at 1 s and 2 s unpin all 7. */
	expect(p[3], COUNT_PINS, 8);
	expect(p[3], COUNT_REQUESTS, 4);
	expect(p[3], COUNT_UNPINS, 7);
	assert_int_equal(p[3]->curve.peak, 7);
	assert_int_equal(p[3]->curve.value, 1);
	/* The oracle keeps pages for nothing. */
	expect(p[4], COUNT_PINS, 8);
	expect(p[4], COUNT_HITS, 1);
	assert_int_equal(p[4]->curve.peak, 5);
	for (size_t i = 0; i < ARRAY_SIZE(p); i++)
		done(p[i]);
}

static void never_unpin(struct policy_config *c)
{
	c->unpin = POLICY_UNPIN_OFF;
}

static void ranges(struct policy_config *c)
{
	c->range_pages = 16;
}

static void speculation(struct policy_config *c)
{
	c->speculate_pages = 2;
}

static void limit_2(struct policy_config *c)
{
	c->limit_pages = 2;
}

static void quota_3(struct policy_config *c)
{
	c->quota_pages = 3;
	c->unpin = POLICY_UNPIN_OFF;
}

static void test_settings(void **state)
{
	struct replay_policy *p[] = { coiommu(never_unpin), coiommu(ranges), coiommu(speculation),
				      coiommu(limit_2), coiommu(quota_3) };

	simple_trace();
	map(2500 * MS, 30, 1);
	assert_null(run(3 * S, p, ARRAY_SIZE(p)));
	expect(p[0], COUNT_UNPINS, 0);
	/* An aligned run of 4 cannot start at 10: 10-11 and 12-13. 20-21 are two entries, one run.
	 */
	expect(p[1], COUNT_PIN_CALLS, 1 + 2 + 1 + 1);
	expect(p[1], COUNT_PINS, 8);
	/* The buddies of 1 and of 30 are pinned unasked. */
	expect(p[2], COUNT_SPECULATED, 2);
	expect(p[2], COUNT_PINS, 10);
	/* The cycle of 1 s only sees that all were accessed; that of 2 s ends at two. */
	expect(p[3], COUNT_UNPINS, 2);
	/* 10-13 do not fit beside page 1: the call is refused, and its unmap is none. */
	expect(p[4], COUNT_REFUSED_MAPS, 1);
	expect(p[4], COUNT_MAPS, 4);
	assert_true(p[4]->counts.n[COUNT_REFUSALS] > 0);
	assert_true(p[4]->counts.n[COUNT_EVICTIONS] > 0);
	assert_int_equal(p[4]->curve.peak, 3);
	for (size_t i = 0; i < ARRAY_SIZE(p); i++)
		done(p[i]);
}

/* Maps that failed when they were recorded do not count, and leave nothing. */
static void test_undone(void **state)
{
	struct replay_policy *p[] = { coiommu(never_unpin), replay_strict(), replay_oracle(0) };

	begin_trace();
	map(1 * MS, 5, 2);
	trace_write_pages(&writer, TRACE_UNDO, 1 * MS, 5, 2);
	map(2 * MS, 9, 1);
	assert_null(run(3 * MS, p, ARRAY_SIZE(p)));
	for (size_t i = 0; i < ARRAY_SIZE(p); i++)
		expect(p[i], COUNT_MAPS, 1);
	assert_int_equal(p[1]->curve.value, 1);
	assert_int_equal(p[2]->curve.value, 1);
	expect(p[0], COUNT_REFUSED_MAPS, 1);
	for (size_t i = 0; i < ARRAY_SIZE(p); i++)
		done(p[i]);
}

static void test_deferred_queue(void **state)
{
	struct replay_policy *p = replay_deferred();

	begin_trace();
	for (uint64_t i = 0; i < 300; i++) {
		map(i * 1000, i, 1);
		unmap(i * 1000 + 500, i, 1);
	}
	assert_null(run(1 * MS, &p, 1));
	expect(p, COUNT_UNPINS, 256); /* the queue was full once */
	expect(p, COUNT_REQUESTS, 301);
	assert_int_equal(p->curve.peak, 257);
	done(p);
}

static void test_locality(void **state)
{
	struct replay_locality reuse;
	struct replay_policy *p = replay_locality(&reuse);

	simple_trace();
	unmap(90 * MS, 99, 1);
	assert_null(run(1 * S, &p, 1));
	assert_int_equal(reuse.first_uses, 7);
	assert_int_equal(reuse.mapped_peak, 5);
	assert_int_equal(reuse.unbalanced, 1);
	for (unsigned int i = 0; i < COIOMMU_HISTOGRAM_BUCKETS; i++)
		assert_int_equal(reuse.reused[i], i == coiommu_histogram_bucket(10 * MS));
	done(p);
}

static void mark(uint64_t time_ns, enum trace_mark which)
{
	const struct trace_args args = {
		.nr = 2 + sizeof(struct coiommu_policy_counters) / sizeof(uint64_t), .v = { which }
	};

	trace_write_call(&writer, TRACE_MARK, time_ns, &args, NULL);
}

/* Of the measured window: what is mapped again in it, whenever it was unmapped. */
static void test_locality_of_the_window(void **state)
{
	struct replay_locality reuse;
	struct replay_policy *p = replay_locality(&reuse);

	simple_trace(); /* one page again after 10 ms */
	mark(100 * MS, TRACE_MARK_BEGIN);
	map(110 * MS, 1, 1); /* after 40 ms */
	unmap(120 * MS, 1, 1);
	mark(130 * MS, TRACE_MARK_END);
	map(140 * MS, 1, 1);
	assert_null(run(1 * S, &p, 1));
	assert_true(reuse.windowed);
	for (unsigned int i = 0; i < COIOMMU_HISTOGRAM_BUCKETS; i++)
		assert_int_equal(reuse.window[i], i == coiommu_histogram_bucket(40 * MS));
	done(p);
}

static void test_bad_traces(void **state)
{
	const struct trace_args short_args = { .nr = 1, .v = { 5 } };
	struct replay_policy *p = coiommu(NULL);

	begin_trace();
	trace_write_call(&writer, TRACE_PIN, 1, &short_args, NULL);
	assert_non_null(run(2, &p, 1));
	begin_trace();
	map(1, 1ULL << 40, 1);
	assert_non_null(run(2, &p, 1));
	done(p);
	p = coiommu(NULL);
	begin_trace();
	for (uint64_t i = 0; i < 70000; i++)
		map(i, 1, 1);
	assert_non_null(strstr(run(70000, &p, 1), "65,534"));
	done(p);
	p = replay_coiommu(NULL);
	begin_trace();
	trace_write_call(&writer, TRACE_SCAN, 1, &(struct trace_args){ .nr = 1, .v = { 256 } },
			 &(struct trace_bytes){ .data = (uint8_t *)"\x03", .len = 1 });
	assert_non_null(strstr(run(2, &p, 1), "another version"));
	done(p);
}

/* ---- The oracle ----------------------------------------------------------------------- */

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

/* ---- Curves and fleets ---------------------------------------------------------------- */

static void test_curve(void **state)
{
	struct curve c = { 0 };

	curve_start(&c, 100 * MS, 10);
	curve_set(&c, 101 * MS, 30);
	curve_set(&c, 100 * MS + MS / 2, 99); /* back in time: at 101 ms */
	curve_set(&c, 101 * MS, 20);
	curve_set(&c, 104 * MS, 0);
	assert_int_equal(curve_steps(&c), 5);
	assert_int_equal(c.peak, 99);
	assert_true(curve_step_mean(&c, 0) == 10);
	assert_true(curve_step_mean(&c, 1) == 20);
	assert_true(curve_mean(&c) == 70.0 / 4);
	curve_set(&c, 100 * MS + 20 * S, 7); /* 20,000 ms in 4,096 steps: of 8 ms */
	assert_int_equal(c.step_ns, 8 * MS);
	assert_int_equal(c.steps[0].peak, 99);
	assert_true(curve_step_mean(&c, 0) == 70.0 / 8);
	assert_true(c.steps[1].sum == 0 && c.steps[1].peak == 0);
	curve_free(&c);
}

static void test_fleet(void **state)
{
	struct curve a = { 0 }, b = { 0 }, *both[] = { &a, &b };
	struct fleet f, again;

	/* 100 pages for a tenth of the time. */
	curve_start(&a, 0, 100);
	curve_set(&a, 100 * MS, 0);
	curve_set(&a, 1 * S - 1, 0);
	curve_start(&b, 5, 3);
	curve_set(&b, 5 + 5 * S, 3);
	fleet_sum(both, 1, 1, 1, &f);
	assert_true(f.mean > 9.999 && f.mean < 10.001 && f.peak == 100 && f.p50 == 0 &&
		    f.alone == 100);
	fleet_sum(both, 1, 1000, 1, &f);
	assert_true(f.mean > 9999.9 && f.mean < 10000.1);
	assert_true(f.peak < 13000 && f.peak >= f.p99 && f.p99 >= f.p95 && f.p95 >= f.p50);
	assert_true(f.peak_bound >= f.peak && f.alone == 100000);
	fleet_sum(both, 1, 1000, 1, &again);
	assert_memory_equal(&f, &again, sizeof(f));
	fleet_sum(both, 1, 1000, 2, &again);
	assert_true(again.peak != f.peak || again.p95 != f.p95);
	fleet_sum(both, 2, 10, 1, &f); /* five of each */
	assert_true(f.step_s == 0.002 && f.alone == 515);
	assert_true(f.mean > 64 && f.mean < 66.5);
	curve_free(&a);
	curve_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_policies),   cmocka_unit_test(test_settings),
		cmocka_unit_test(test_undone),	   cmocka_unit_test(test_deferred_queue),
		cmocka_unit_test(test_locality),   cmocka_unit_test(test_locality_of_the_window),
		cmocka_unit_test(test_bad_traces), cmocka_unit_test(test_oracle),
		cmocka_unit_test(test_bridges),	   cmocka_unit_test(test_curve),
		cmocka_unit_test(test_fleet),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
