/* SPDX-License-Identifier: GPL-2.0-only */
/* The set of pages that are mapped for DMA. */
#ifndef BENCH_REPLAY_MAPPED_H
#define BENCH_REPLAY_MAPPED_H

#include "bench/replay/replay.h"
#include "bench/replay/table.h"

struct mapped {
	struct table counts; /* uint32_t: mappings of each page */
	uint64_t pages;	     /* with at least one */
	uint64_t unbalanced;
};

static inline void mapped_init(struct mapped *m)
{
	m->counts.entry_bytes = sizeof(uint32_t);
}

/* One mapping more or less of each page. True if the set changed. */
static inline bool mapped_change(struct mapped *m, uint64_t pfn, uint32_t nr, bool maps)
{
	uint64_t before = m->pages;

	for (uint32_t i = 0; i < nr; i++) {
		uint32_t *leaf = table_leaf(&m->counts, (pfn + i) >> COIOMMU_LEAF_BITS);
		uint32_t *count = &leaf[(pfn + i) & (COIOMMU_LEAF_UNITS - 1)];

		if (maps)
			m->pages += !(*count)++;
		else if (*count)
			m->pages -= !--*count;
		else
			m->unbalanced++;
	}
	return m->pages != before;
}

#endif
