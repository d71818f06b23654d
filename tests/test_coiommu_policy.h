/* SPDX-License-Identifier: GPL-2.0-only */
/* A policy with a made-up host and guest around it, for its tests. */
#ifndef TESTS_TEST_COIOMMU_POLICY_H
#define TESTS_TEST_COIOMMU_POLICY_H

#include "policy.h"
#include "test_coiommu_fake.h"

#define PAGES (256ULL * 1024) /* 1 GiB */

static struct fake fake;
static uint32_t *leaves[PAGES / COIOMMU_LEAF_UNITS];
static struct coiommu_policy_counters n;
static struct policy *policy;
static uint64_t static_from = UINT64_MAX; /* frames from here on are pinned by others */

static inline int op_map(void *ctx, uint64_t pfn, uint32_t nr)
{
	return fake_dma_map(&fake, FAKE_FD, pfn * PAGE, (uintptr_t)fake.mem + pfn * PAGE, nr * PAGE,
			    RW);
}

static inline int op_unmap(void *ctx, uint64_t pfn, uint32_t nr)
{
	return fake_dma_unmap(&fake, FAKE_FD, pfn * PAGE, nr * PAGE);
}

static inline uint64_t op_now(void *ctx)
{
	return fake_now_ns(&fake);
}

static inline uint32_t *op_leaf(void *ctx, uint64_t block)
{
	return block < PAGES / COIOMMU_LEAF_UNITS ? leaves[block] : NULL;
}

static inline enum policy_memory op_memory(void *ctx, uint64_t pfn, uint64_t *end)
{
	*end = pfn < static_from && static_from < PAGES ? static_from : PAGES;
	if (pfn >= PAGES)
		return POLICY_MEMORY_NONE;
	return pfn < static_from ? POLICY_MEMORY_LAZY : POLICY_MEMORY_STATIC;
}

static const struct policy_ops ops = {
	.map = op_map,
	.unmap = op_unmap,
	.now_ns = op_now,
	.leaf = op_leaf,
	.memory = op_memory,
};

static inline void start(const struct policy_config *config)
{
	memset(&n, 0, sizeof(n));
	fake_init(&fake, PAGES);
	for (uint64_t i = 0; i < PAGES / COIOMMU_LEAF_UNITS; i++)
		leaves[i] = calloc(COIOMMU_LEAF_UNITS, sizeof(uint32_t));
	static_from = UINT64_MAX;
	policy = policy_new(config, &ops, NULL, &n);
}

static inline int finish(void **state)
{
	fake.fail_unmap = fake.fail_map = 0;
	policy_drop(policy, true);
	assert_int_equal(fake.mapped[0], 0);
	assert_int_equal(fake.mistakes, 0);
	assert_int_equal(n.pinned_pages, 0);
	assert_int_equal(n.mappings, 0);
	assert_int_equal(n.pins, n.unpins);
	policy_free(policy);
	fake_free(&fake);
	for (uint64_t i = 0; i < PAGES / COIOMMU_LEAF_UNITS; i++)
		free(leaves[i]);
	return 0;
}

static inline uint32_t *unit(uint64_t pfn)
{
	return &leaves[pfn / COIOMMU_LEAF_UNITS][pfn % COIOMMU_LEAF_UNITS];
}

/* The guest's map: count, ask for what is not pinned, undo if refused. */
static inline bool map(uint64_t pfn, uint32_t nr)
{
	bool missing = false, ok = true;

	for (uint32_t i = 0; i < nr; i++)
		missing |= !(coiommu_unit_get(unit(pfn + i)) & COIOMMU_UNIT_PINNED);
	if (missing)
		policy_pin(policy, pfn, nr);
	for (uint32_t i = 0; i < nr; i++)
		ok &= *unit(pfn + i) >> 31;
	for (uint32_t i = 0; !ok && i < nr; i++)
		coiommu_unit_put(unit(pfn + i));
	return ok;
}

static inline void unmap(uint64_t pfn, uint32_t nr)
{
	for (uint32_t i = 0; i < nr; i++)
		coiommu_unit_put(unit(pfn + i));
}

static inline bool touch(uint64_t pfn, uint32_t nr)
{
	bool ok = map(pfn, nr);

	if (ok)
		unmap(pfn, nr);
	return ok;
}

static inline void cycle(void)
{
	if (policy_deadline(policy) != UINT64_MAX)
		fake.clock = policy_deadline(policy);
	while (policy_scan(policy, 1000))
		;
}

/* Pinned bit, the policy's record and VFIO agree for every page. */
static inline void check_agreement(void)
{
	uint64_t pinned = 0, wrong = 0;

	for (uint64_t pfn = 0; pfn < PAGES; pfn++) {
		bool mapped = fake_owner(&fake, 0, pfn) != 0;

		wrong += mapped != policy_is_pinned(policy, pfn) || mapped != *unit(pfn) >> 31;
		pinned += mapped;
	}
	assert_int_equal(wrong, 0);
	assert_int_equal(pinned, n.pinned_pages);
}

/* In steps of one block each, or at once. */
static inline uint64_t count_mapped(uint32_t budget)
{
	uint64_t mapped = 0;
	uint32_t at = 0, steps = 1;

	while (!policy_count_mapped(policy, budget, &at, &mapped))
		steps++;
	assert_int_equal(steps, budget == 1 && n.blocks ? n.blocks : 1);
	return mapped;
}

#define POLICY_TEST(f) cmocka_unit_test_teardown(f, finish)

#endif
