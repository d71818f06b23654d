// SPDX-License-Identifier: GPL-2.0-only
/* The pinning policy: ranges, quota, lazy unpinning, generations, speculation, errors. */
#include "test_coiommu_policy.h"

static void test_what_is_mapped_of_what_is_pinned(void **state)
{
	start(&policy_defaults);
	assert_int_equal(count_mapped(1000000), 0);
	assert_true(map(0, 64));
	assert_true(map(5000, 16));
	assert_true(map(5000, 1)); /* twice: one page */
	assert_int_equal(count_mapped(1), 80);
	unmap(0, 60);
	unmap(5000, 1);
	assert_int_equal(count_mapped(1000000), 20);
	assert_int_equal(n.pinned_pages, 80);
	coiommu_unit_get(unit(9000)); /* about to ask for it: not mapped yet */
	assert_int_equal(count_mapped(1), 20);
	coiommu_unit_put(unit(9000));
	unmap(60, 4);
	unmap(5000, 16);
	assert_int_equal(count_mapped(1), 0);
}

static void test_pin_and_idle_release(void **state)
{
	start(&policy_defaults);
	assert_true(map(100, 1));
	assert_int_equal(n.pinned_pages, 1);
	cycle();
	cycle();
	cycle();
	assert_int_equal(n.pinned_pages, 1); /* busy pages stay */
	unmap(100, 1);
	cycle(); /* clears accessed */
	assert_int_equal(n.pinned_pages, 1);
	cycle();
	assert_int_equal(n.pinned_pages, 0);
	assert_int_equal(*unit(100), 0);
	assert_int_equal(n.released_idle, 1);
	assert_true(touch(100, 1));
	assert_int_equal(n.repinned, 1);
	check_agreement();
}

static void test_unpin_off(void **state)
{
	struct policy_config config = policy_defaults;

	config.unpin = POLICY_UNPIN_OFF;
	start(&config);
	assert_true(touch(5, 1));
	assert_true(policy_deadline(policy) == UINT64_MAX);
	fake.clock += 1ULL << 50;
	assert_false(policy_scan(policy, 1000));
	assert_int_equal(n.pinned_pages, 1);
}

static void test_ranges(void **state)
{
	start(&policy_defaults);     /* 16 pages */
	assert_true(map(1030, 100)); /* 1030..1129: 2 + 8 + 5 * 16 + 8 + 2 */
	assert_int_equal(n.pinned_pages, 100);
	assert_int_equal(n.mappings, 9);
	assert_int_equal(fake_owner(&fake, 0, 1040), 1041);
	assert_int_equal(fake_owner(&fake, 0, 1055), 1041);
	check_agreement();
	/* One page in use keeps its range, and only that. */
	unmap(1030, 10);
	unmap(1041, 89);
	cycle();
	cycle();
	assert_int_equal(n.pinned_pages, 16);
	check_agreement();
	unmap(1040, 1);
	/* Across blocks. */
	assert_true(touch(2040, 16));
	check_agreement();
}

static void test_single_pages(void **state)
{
	struct policy_config config = policy_defaults;

	config.range_pages = 1;
	start(&config);
	assert_true(touch(64, 64));
	assert_int_equal(n.mappings, 64);
}

static void test_quota(void **state)
{
	struct policy_config config = policy_defaults;

	config.quota_pages = 100;
	start(&config);
	/* Evicts idle pages before it refuses, accessed or not. */
	for (uint64_t pfn = 0; pfn < 10000; pfn++)
		assert_true(touch(pfn * 3, 1));
	assert_true(fake.mapped_peak <= 100);
	assert_true(n.released_quota > 0);
	assert_int_equal(n.refused_pages, 0);
	/* All in use: refuses, with nothing left behind. */
	assert_true(map(50000, 100));
	assert_false(map(60000, 1));
	assert_int_equal(*unit(60000) & COIOMMU_UNIT_COUNT, 0);
	assert_int_equal(n.refused_quota, 1);
	check_agreement();
	unmap(50000, 1);
	assert_false(map(60000, 4)); /* range of 4 pages held by one: 16-page mapping is busy */
	unmap(50001, 99);
	assert_true(touch(60000, 4));
	/* More than the quota at once can never be. */
	assert_false(map(70000, 101));
	assert_true(fake.mapped_peak <= 100);
	check_agreement();
}

static void test_mapping_limit(void **state)
{
	struct policy_config config = policy_defaults;

	config.max_mappings = 50;
	start(&config);
	for (uint64_t pfn = 0; pfn < 1000; pfn++)
		assert_true(touch(pfn * 2, 1));
	assert_true(n.mappings_peak <= 50);
	/* Unknown limit: VFIO's own error has the same effect. */
	fake.limit = 20;
	for (uint64_t pfn = 0; pfn < 1000; pfn++)
		assert_true(touch(10000 + pfn * 2, 1));
	fake.limit = 0;
	check_agreement();
}

static void test_limit_per_cycle(void **state)
{
	struct policy_config config = policy_defaults;

	config.limit_pages = 64;
	start(&config);
	assert_true(touch(0, 1024));
	cycle();
	for (int i = 1; i <= 16; i++) {
		cycle();
		assert_int_equal(n.pinned_pages, 1024 - 64 * i);
	}
	check_agreement();
}

static void test_generations(void **state)
{
	struct policy_config config = policy_defaults;
	uint64_t before;

	config.generations = 4;
	config.range_pages = 1;
	start(&config);
	assert_true(map(0, 512));
	for (int i = 0; i < 5; i++)
		cycle();
	before = n.scan_units;
	for (int i = 0; i < 4; i++)
		cycle();
	assert_int_equal(n.scan_units - before, 512); /* once in four cycles */
	unmap(0, 512);
	for (int i = 0; i < 8; i++)
		cycle();
	assert_int_equal(n.pinned_pages, 0); /* and never forgotten */
}

static void test_adaptive(void **state)
{
	struct policy_config config = policy_defaults;

	config.unpin = POLICY_UNPIN_ADAPTIVE;
	start(&config);
	/* Each page wanted again just after it was released: longer. */
	for (int i = 0; i < 30; i++) {
		assert_true(touch(0, 256));
		cycle();
		cycle();
	}
	assert_true(n.interval_ns > config.interval_ns);
	assert_true(n.interval_ns <= config.interval_ns * 8);
	/* Never the same page again: shorter. */
	for (uint64_t i = 1; i < 40; i++) {
		assert_true(touch(i * 1024, 256));
		cycle();
		cycle();
	}
	assert_true(n.interval_ns < config.interval_ns);
	assert_true(n.interval_ns >= config.interval_ns / 8);
}

static void test_speculation_pays(void **state)
{
	struct policy_config config = policy_defaults;
	uint64_t asked;

	config.speculate_pages = 32;
	start(&config);
	/* A sequential sweep: the neighbourhood grows, requests become rare. */
	for (uint64_t pfn = 0; pfn < 8192; pfn++)
		assert_true(touch(pfn, 1));
	asked = n.pins - n.speculated;
	assert_true(n.speculation_hits > 7 * asked);
	assert_true(asked < 8192 / 16);
	check_agreement();
}

static void test_speculation_does_not_pay(void **state)
{
	struct policy_config config = policy_defaults;

	config.speculate_pages = 32;
	start(&config);
	for (uint64_t i = 0; i < 5000; i++) {
		assert_true(touch(fake_random(&fake.random) % PAGES, 1));
		if (i % 50 == 49)
			cycle();
	}
	/* Learns to leave it, and what is outstanding stays bounded. */
	assert_true(n.speculated < n.pins / 3);
	check_agreement();
}

static void test_speculation_respects_quota(void **state)
{
	struct policy_config config = policy_defaults;

	config.speculate_pages = 64;
	config.quota_pages = 64;
	start(&config);
	for (uint64_t pfn = 0; pfn < 4096; pfn++)
		assert_true(touch(pfn, 1));
	assert_true(fake.mapped_peak <= 64);
	assert_int_equal(n.refused_pages, 0);
	check_agreement();
}

static void test_static_and_absent_memory(void **state)
{
	start(&policy_defaults);
	static_from = 2000;
	assert_int_equal(policy_pin(policy, 1990, 20), 20);
	assert_int_equal(n.pinned_pages, 10);
	assert_true(*unit(2005) >> 31);
	assert_int_equal(policy_pin(policy, PAGES - 5, 10), 5);
	assert_int_equal(policy_pin(policy, UINT64_MAX / PAGE, 1), 0);
	assert_int_equal(n.refused_memory, 6);
	/* No unit, no pin: the guest could never learn of it. */
	static_from = UINT64_MAX;
	free(leaves[3]);
	leaves[3] = NULL;
	assert_int_equal(policy_pin(policy, 3ULL * 1024, 1), 0);
	leaves[3] = calloc(COIOMMU_LEAF_UNITS, sizeof(uint32_t));
	for (uint64_t pfn = 2000; pfn < 2010; pfn++)
		*unit(pfn) = 0;
	for (uint64_t pfn = PAGES - 5; pfn < PAGES; pfn++)
		*unit(pfn) = 0;
}

static void test_guest_release(void **state)
{
	start(&policy_defaults);
	assert_true(touch(0, 64));
	assert_true(map(64, 1));
	assert_int_equal(policy_release(policy, 0, 128), 64); /* accessed does not matter */
	assert_int_equal(n.released_guest, 64);
	assert_int_equal(n.pinned_pages, 1); /* the one in use stays */
	unmap(64, 1);
	check_agreement();
}

static void test_park(void **state)
{
	start(&policy_defaults);
	assert_true(touch(0, 64));
	policy_park(policy, true);
	fake.clock += 1ULL << 50;
	assert_false(policy_scan(policy, 1000));
	assert_true(policy_deadline(policy) == UINT64_MAX);
	assert_true(touch(64, 1)); /* requests are still served */
	assert_int_equal(n.pinned_pages, 65);
	policy_park(policy, false);
	cycle();
	cycle();
	assert_int_equal(n.pinned_pages, 0);
}

static void test_forget_and_adopt(void **state)
{
	start(&policy_defaults);
	assert_true(map(0, 64));
	assert_true(touch(64, 64));
	policy_forget(policy, 8, 1); /* the whole mapping around it goes */
	assert_int_equal(n.pinned_pages, 112);
	assert_int_equal(*unit(0) & COIOMMU_UNIT_PINNED, 0);
	*unit(500) = COIOMMU_UNIT_PINNED; /* stale */
	assert_int_equal(policy_adopt(policy, 0), 0);
	assert_int_equal(n.pinned_pages, 128); /* what has a count is back */
	assert_int_equal(*unit(500), 0);
	check_agreement();
	unmap(0, 64);
}

static void test_vfio_errors(void **state)
{
	struct policy_config config = policy_defaults;

	config.quota_pages = 4000;
	start(&config);
	fake.fail_map = 3;
	fake.fail_unmap = 3;
	for (int i = 0; i < 20000; i++) {
		uint64_t pfn = fake_random(&fake.random) % 20000;

		touch(pfn, 1 + fake_random(&fake.random) % 40);
		if (i % 100 == 0)
			cycle();
		if (i % 5000 == 0)
			check_agreement();
	}
	assert_true(n.map_errors > 100 && n.unmap_errors > 100);
	check_agreement();
	fake.fail_unmap = 0;
}

/* All settings at random against a guest at random. */
static void test_random(void **state)
{
	uint32_t seed = 77;

	for (int round = 0; round < 20; round++) {
		struct policy_config config = {
			.unpin = (enum policy_unpin)(fake_random(&seed) % 3),
			.interval_ns = 1000000,
			.limit_pages = fake_random(&seed) % 2 * 100,
			.generations = fake_random(&seed) % 4,
			.quota_pages = fake_random(&seed) % 2 ? 700 : 0,
			.max_mappings = fake_random(&seed) % 2 ? 300 : 0,
			.range_pages = 1U << fake_random(&seed) % 8,
			.speculate_pages = 1U << fake_random(&seed) % 8,
		};
		uint64_t held[64];
		uint32_t size[64], nr = 0;

		start(&config);
		fake.fail_map = fake_random(&seed) % 2 * 20;
		for (int i = 0; i < 5000; i++) {
			uint64_t pfn = fake_random(&seed) % 9000;
			uint32_t pages = 1 + fake_random(&seed) % 30;

			if (nr < 64 && fake_random(&seed) % 2 && map(pfn, pages)) {
				held[nr] = pfn;
				size[nr++] = pages;
			} else if (nr && fake_random(&seed) % 2) {
				nr--;
				unmap(held[nr], size[nr]);
			} else {
				touch(pfn, pages);
			}
			fake.clock += 10000;
			policy_scan(policy, 1 + fake_random(&seed) % 50);
			for (uint32_t k = 0; k < nr; k++)
				assert_true(policy_is_pinned(policy, held[k]));
		}
		check_agreement();
		if (config.quota_pages)
			assert_true(n.pinned_pages_peak <= config.quota_pages);
		while (nr--)
			unmap(held[nr], size[nr]);
		if (round < 19)
			finish(state);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		POLICY_TEST(test_what_is_mapped_of_what_is_pinned),
		POLICY_TEST(test_pin_and_idle_release),
		POLICY_TEST(test_unpin_off),
		POLICY_TEST(test_ranges),
		POLICY_TEST(test_single_pages),
		POLICY_TEST(test_quota),
		POLICY_TEST(test_mapping_limit),
		POLICY_TEST(test_limit_per_cycle),
		POLICY_TEST(test_generations),
		POLICY_TEST(test_adaptive),
		POLICY_TEST(test_speculation_pays),
		POLICY_TEST(test_speculation_does_not_pay),
		POLICY_TEST(test_speculation_respects_quota),
		POLICY_TEST(test_static_and_absent_memory),
		POLICY_TEST(test_guest_release),
		POLICY_TEST(test_park),
		POLICY_TEST(test_forget_and_adopt),
		POLICY_TEST(test_vfio_errors),
		POLICY_TEST(test_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
