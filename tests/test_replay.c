// SPDX-License-Identifier: GPL-2.0-only
/* Policies on traces counted by hand. */
#include "tests/replay_trace.h"

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
	assert_null(run(2900 * MS, p, ARRAY_SIZE(p)));
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
	expect(p[0], COUNT_REFUSED_MAPS, 0);
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
	expect(p, COUNT_UNPINS, 255); /* the queue was full once */
	expect(p, COUNT_REQUESTS, 301);
	assert_int_equal(p->curve.peak, 256);
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
	done(p);
	p = coiommu(NULL);
	begin_trace();
	map(1, 1ULL << 40, 1);
	writer.events++; /* the END is wrong, too, which is not what is wrong first */
	assert_non_null(strstr(run(2, &p, 1), "beyond 256 TiB"));
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

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_policies),   cmocka_unit_test(test_settings),
		cmocka_unit_test(test_undone),	   cmocka_unit_test(test_deferred_queue),
		cmocka_unit_test(test_locality),   cmocka_unit_test(test_locality_of_the_window),
		cmocka_unit_test(test_bad_traces),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
