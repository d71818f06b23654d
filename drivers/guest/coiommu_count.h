/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * State of each CPU, pages and their counts: what is on the path of every mapping, inline and no
 * more than needed.
 */
#ifndef COIOMMU_COUNT_H
#define COIOMMU_COUNT_H

#include <linux/percpu.h>

#include "coiommu.h"
#include "coiommu_batch.h"
#include "coiommu_counters.h"
#include "coiommu_unit.h"

struct coiommu_cpu {
	struct coiommu_request *request;	/* its own page, used with interrupts off */
	struct coiommu_stats stats;
	u64 latency[COIOMMU_HISTOGRAM_BUCKETS];
};

DECLARE_PER_CPU(struct coiommu_cpu, coiommu_cpus);

struct pages {
	u64 pfn;
	u64 nr;
};

static inline struct pages pages_of(phys_addr_t phys, size_t size)
{
	u64 first = phys >> PAGE_SHIFT;
	u64 last = (phys + max_t(size_t, size, 1) - 1) >> PAGE_SHIFT;

	return (struct pages){ first, last - first + 1 };
}

/* What raising counts found out. */
struct tally {
	u32 common;	/* bits that all units had: PINNED if nothing is missing */
	s64 more;	/* pages that had no count before */
};

#define NOTHING_COUNTED ((struct tally){ .common = COIOMMU_UNIT_PINNED })

static __always_inline bool some_missing(const struct tally *t)
{
	return !(t->common & COIOMMU_UNIT_PINNED);
}

static __always_inline bool get_unit(u32 *unit, struct tally *t)
{
	u32 old = coiommu_unit_get(unit);

	if (unlikely((old & COIOMMU_UNIT_COUNT) == COIOMMU_UNIT_COUNT))
		return false;
	t->common &= old;
	t->more += !(old & COIOMMU_UNIT_COUNT);
	return true;
}

/* Returns 1 if the page is not mapped any more. */
static __always_inline s64 put_unit(u32 *unit)
{
	u32 count = coiommu_unit_put(unit) & COIOMMU_UNIT_COUNT;

	if (unlikely(!count))
		this_cpu_inc(coiommu_cpus.stats.unbalanced);
	return count == 1;
}

/* Those of the pages whose units follow one another in memory. */
static __always_inline u64 pages_in_leaf(struct pages p)
{
	return min_t(u64, p.nr, COIOMMU_LEAF_UNITS - (p.pfn & (COIOMMU_LEAF_UNITS - 1)));
}

static inline bool page_is_pinned(u64 pfn)
{
	const u32 *unit = coiommu_dtt_peek(pfn);

	return unit && (READ_ONCE(*unit) & COIOMMU_UNIT_PINNED);
}

static inline bool all_pinned(struct pages p)
{
	while (p.nr && page_is_pinned(p.pfn)) {
		p.pfn++;
		p.nr--;
	}
	return !p.nr;
}

/*
 * coiommu_request.c: pages to ask for together; flushed by coiommu_batch_flush(), all of it with
 * interrupts off.
 */
void coiommu_batch_add_unpinned(struct coiommu_batch *b, struct pages p);
void coiommu_batch_flush(struct coiommu_batch *b);
/* coiommu_stats.c: notes how many pages are mapped now, if never so many were before. */
void coiommu_sample_peak(void);

#endif
