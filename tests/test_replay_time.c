// SPDX-License-Identifier: GPL-2.0-only
/* What happens when: from the trace's first event to its last, curves, costs, fleets. */
#include "tests/replay_trace.h"

#include <math.h>

#include "bench/replay/costs.h"
#include "bench/replay/fleet.h"
#include "tests/close.h"

/* Page 1 is mapped for the third of four seconds: of all of them the mean is a quarter. */
static void test_means_are_of_the_whole_trace(void **state)
{
	struct replay_policy *p[] = { replay_static(), replay_strict(), replay_deferred(),
				      coiommu(NULL), replay_oracle(0) };

	begin_trace();
	map(2 * S, 1, 1);
	unmap(3 * S, 1, 1);
	assert_null(run(4 * S, p, ARRAY_SIZE(p)));
	assert_close(curve_mean(&p[0]->curve), 16384, 1e-9);
	assert_close(curve_mean(&p[1]->curve), 0.25, 1e-9);
	assert_close(curve_mean(&p[2]->curve), 0.2525, 1e-9); /* until the timer runs out */
	assert_close(curve_mean(&p[3]->curve), 0.5, 1e-9);    /* seen accessed at 3 s */
	assert_close(curve_mean(&p[4]->curve), 0.25, 1e-9);
	for (size_t i = 0; i < ARRAY_SIZE(p); i++) {
		assert_int_equal(curve_steps(&p[i]->curve), 4001);
		done(p[i]);
	}
}

/* Time goes on until the END, though nothing is mapped any more. */
static void test_last_scans(void **state)
{
	struct replay_policy *p[] = { coiommu(NULL), replay_deferred() };

	begin_trace();
	map(100 * MS, 1, 3);
	unmap(200 * MS, 1, 3);
	assert_null(run(10 * S, p, ARRAY_SIZE(p)));
	expect(p[0], COUNT_UNPINS, 3);
	expect(p[1], COUNT_UNPINS, 3);
	expect(p[1], COUNT_REQUESTS, 2);
	assert_int_equal(p[0]->curve.value, 0);
	done(p[0]);
	done(p[1]);
}

/* A call has one place in the queue, of however many entries its list is. */
static void test_deferred_lists(void **state)
{
	struct replay_policy *p = replay_deferred();

	begin_trace();
	for (uint64_t i = 0; i < 200; i++) {
		trace_write_pages(&writer, TRACE_MAP | TRACE_MORE, i * 1000, 4 * i, 2);
		map(i * 1000, 4 * i + 3, 1);
		trace_write_pages(&writer, TRACE_UNMAP | TRACE_MORE, i * 1000 + 500, 4 * i, 2);
		unmap(i * 1000 + 500, 4 * i + 3, 1);
	}
	assert_null(run(1 * MS, &p, 1));
	expect(p, COUNT_UNPINS, 0);
	expect(p, COUNT_REQUESTS, 200);
	assert_int_equal(p->curve.peak, 600);
	done(p);
}

/* A flush of the full queue does not put the timer off: 10 ms after the first unmap. */
static void test_deferred_timer(void **state)
{
	struct replay_policy *p = replay_deferred();

	begin_trace();
	for (uint64_t i = 0; i < 256; i++) {
		map(9 * MS * (i == 255), i, 1);
		unmap(9 * MS * (i == 255), i, 1);
	}
	map(11 * MS, 500, 1);
	assert_null(run(12 * MS, &p, 1));
	expect(p, COUNT_UNPINS, 256);
	expect(p, COUNT_REQUESTS, 257 + 2);
	done(p);
}

/* Clocks may step back a little; what no clock shows is no trace. */
static void test_impossible_times(void **state)
{
	static const struct {
		uint64_t first, last;
		const char *wrong;
	} cases[] = {
		{ 5 * S, 4 * S, NULL },
		{ 0, REPLAY_SPAN_MAX_NS, NULL },
		{ 0, REPLAY_SPAN_MAX_NS + 1, "30 days" },
		{ 0, UINT64_MAX, "no clock" },
		{ UINT64_MAX - 5, UINT64_MAX, "no clock" },
		{ 0, 1ULL << 63, "no clock" },
		{ 0, (1ULL << 62) - 1, "30 days" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct replay_policy *p[] = { replay_static(), replay_strict(), replay_deferred(),
					      coiommu(NULL), replay_oracle(3) };
		const char *error;

		trace_writer_init(&writer, memfd_create("trace", MFD_CLOEXEC));
		begin_config(cases[i].first);
		map(cases[i].first, 1, 1);
		unmap(cases[i].last, 1, 1);
		error = run(cases[i].last, p, ARRAY_SIZE(p));
		if (cases[i].wrong)
			assert_non_null(strstr(error, cases[i].wrong));
		else
			assert_null(error);
		for (size_t k = 0; k < ARRAY_SIZE(p); k++)
			done(p[k]);
	}
}

static void request(uint64_t time_ns, uint64_t ns)
{
	const struct trace_args args = { .nr = TRACE_REQUEST_ARGS, .v = { 0, 1, 1, ns } };

	trace_write_call(&writer, TRACE_REQUEST, time_ns, &args, NULL);
}

/* Of the whole recording: what the guest waited for, less what the host spent on pins. */
static void test_measured_costs(void **state)
{
	struct coiommu_policy_counters n = { .map_calls = 100, .map_ns = 300000 };
	struct replay_policy *p = replay_strict();
	struct costs c;

	begin_trace();
	request(1 * MS, 500000);
	mark_counters(2 * MS, TRACE_MARK_BEGIN, &n);
	request(3 * MS, 100000);
	request(4 * MS, 200000);
	n = (struct coiommu_policy_counters){
		.map_calls = 200, .map_ns = 500000, .unmap_calls = 10, .unmap_ns = 30000
	};
	mark_counters(5 * MS, TRACE_MARK_STOP, &n);
	assert_null(run(6 * MS, &p, 1));
	costs_measured(&c, &totals);
	assert_close(c.s[COST_REQUEST], 1e-4, 1e-12);
	assert_close(c.s[COST_PIN_CALL], 2.5e-6, 1e-12);
	assert_close(c.s[COST_UNPIN_CALL], 3e-6, 1e-12);
	assert_true(isnan(c.s[COST_SCAN_UNIT]) && isnan(c.s[COST_VIOMMU]));
	done(p);
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
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_means_are_of_the_whole_trace),
		cmocka_unit_test(test_last_scans),
		cmocka_unit_test(test_deferred_lists),
		cmocka_unit_test(test_deferred_timer),
		cmocka_unit_test(test_impossible_times),
		cmocka_unit_test(test_measured_costs),
		cmocka_unit_test(test_curve),
		cmocka_unit_test(test_fleet),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
