// SPDX-License-Identifier: GPL-2.0-only
/* The pinning policy: what scans and counts cost. */
#include "test_coiommu_policy.h"

static uint64_t real_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

/* 100,000 pages at the default interval must take less than 1 % of a core: 100 ms of 10 s. */
static void test_scan_cost(void **state)
{
	static const struct {
		const char *name;
		uint32_t stride, range;
	} layouts[] = { { "adjacent, ranges", 1, 16 },
			{ "adjacent, single", 1, 1 },
			{ "every second, single", 2, 1 } };

	for (size_t k = 0; k < 3; k++) {
		struct policy_config config = policy_defaults;
		uint64_t t0, busy, accessed, idle;

		config.range_pages = layouts[k].range;
		start(&config);
		for (uint64_t i = 0; i < 100000; i += layouts[k].range)
			assert_true(map(i * layouts[k].stride, layouts[k].range));
		t0 = real_ns();
		cycle();
		busy = real_ns() - t0;
		for (uint64_t i = 0; i < 100000; i += layouts[k].range)
			unmap(i * layouts[k].stride, layouts[k].range);
		t0 = real_ns();
		cycle();
		accessed = real_ns() - t0;
		t0 = real_ns();
		cycle();
		idle = real_ns() - t0;
		assert_int_equal(n.pinned_pages, 0);
		printf("scan of 100000 pages, %s: busy %.2f ms, clearing accessed %.2f ms, "
		       "releasing %.2f ms, %llu bytes of metadata\n",
		       layouts[k].name, (double)busy / 1e6, (double)accessed / 1e6,
		       (double)idle / 1e6, (unsigned long long)n.metadata_bytes);
		assert_true(busy < 100000000 && accessed < 100000000);
		if (k < 2)
			finish(state);
	}
}

static void test_map_cost(void **state)
{
	uint64_t t0, ns, calls;
	const uint64_t rounds = 5000000;
	uint32_t before;

	start(&policy_defaults);
	assert_true(touch(0, 1));
	before = *unit(0);
	calls = n.map_calls + n.unmap_calls;
	t0 = real_ns();
	for (uint64_t i = 0; i < rounds; i++) {
		coiommu_unit_get(unit(0));
		coiommu_unit_put(unit(0));
	}
	ns = real_ns() - t0;
	/* Memory accesses only: nothing of it reaches the host. */
	assert_int_equal(*unit(0), before);
	assert_int_equal(n.map_calls + n.unmap_calls, calls);
	printf("count up and down of a pinned page: %.1f ns\n", (double)ns / (double)rounds);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		POLICY_TEST(test_scan_cost),
		POLICY_TEST(test_map_cost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
