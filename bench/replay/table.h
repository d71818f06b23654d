/* SPDX-License-Identifier: GPL-2.0-only */
/* Something for each guest page that was ever used, in leaves of 1024 pages, by frame number. */
#ifndef BENCH_REPLAY_TABLE_H
#define BENCH_REPLAY_TABLE_H

#include <stdint.h>

#include "coiommu_abi.h"
#include "harness/util.h"

#define TABLE_BITS 13 /* of each of the two levels above the leaves */
#define TABLE_PAGES (1ULL << (2 * TABLE_BITS + COIOMMU_LEAF_BITS)) /* 256 TiB */

struct table {
	size_t entry_bytes;
	void **top[1U << TABLE_BITS];
};

static inline void **table_slot(struct table *t, uint64_t block)
{
	void ***middle = &t->top[block >> TABLE_BITS & ((1U << TABLE_BITS) - 1)];

	if (__builtin_expect(!*middle, 0))
		*middle = xzalloc(sizeof(void *) << TABLE_BITS);
	return &(*middle)[block & ((1U << TABLE_BITS) - 1)];
}

/* The leaf of a block, of zeroed entries at first. Frames are below TABLE_PAGES. */
static inline void *table_leaf(struct table *t, uint64_t block)
{
	void **slot = table_slot(t, block);

	if (__builtin_expect(!*slot, 0))
		*slot = xzalloc(t->entry_bytes * COIOMMU_LEAF_UNITS);
	return *slot;
}

static inline void *table_entry(struct table *t, uint64_t pfn)
{
	return (char *)table_leaf(t, pfn >> COIOMMU_LEAF_BITS) +
	       (pfn & (COIOMMU_LEAF_UNITS - 1)) * t->entry_bytes;
}

static inline void table_free(struct table *t)
{
	for (size_t i = 0; i < ARRAY_SIZE(t->top); i++) {
		for (size_t k = 0; t->top[i] && k < 1U << TABLE_BITS; k++)
			free(t->top[i][k]);
		free(t->top[i]);
		t->top[i] = NULL;
	}
}

#endif
