/* SPDX-License-Identifier: GPL-2.0-only */
/* How the guest fills a request with pages: its driver, and a replay of it. */
#ifndef COIOMMU_BATCH_H
#define COIOMMU_BATCH_H

#include "coiommu_abi.h"

struct coiommu_batch {
	__u32 nr, pages; /* entries used, pages they cover */
};

/* Adds a page. 0: there is no room, the request must be sent first. */
static inline int coiommu_batch_add(struct coiommu_batch *b, __u64 *entry, __u64 pfn)
{
	if (b->pages == COIOMMU_REQUEST_PAGES)
		return 0;
	if (b->nr) {
		__u64 last = entry[b->nr - 1];
		__u32 nr = COIOMMU_RUN_NR(last);

		if ((last & COIOMMU_RUN_PFN) + nr == pfn && nr < COIOMMU_RUN_MAX) {
			entry[b->nr - 1] = last + (1ULL << COIOMMU_RUN_SHIFT);
			b->pages++;
			return 1;
		}
	}
	if (b->nr == COIOMMU_REQUEST_ENTRIES)
		return 0;
	entry[b->nr++] = COIOMMU_RUN(pfn, 1);
	b->pages++;
	return 1;
}

#endif
