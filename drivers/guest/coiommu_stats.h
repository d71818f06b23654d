/* SPDX-License-Identifier: GPL-2.0-only */
/* Statistics of the coiommu module; for other modules through symbol_get(). */
#ifndef COIOMMU_STATS_H
#define COIOMMU_STATS_H

#include <linux/types.h>

struct coiommu_stats {
	u64 maps;		/* calls: page, scatter list or allocation */
	u64 unmaps;
	u64 more_pages;		/* mapped by them, beyond the first page of each */
	u64 requests;		/* doorbells for pins */
	u64 request_entries;
	u64 request_pages;
	u64 request_ns;
	u64 refused;		/* maps that failed because a page stayed unpinned */
	u64 failed;		/* maps that failed for want of a unit, or with a full count */
	u64 unbalanced;		/* unmaps of pages without a count */
	s64 mapped_pages;	/* pages with a count at this moment */
	u64 mapped_peak;	/* highest value seen: looked at with every request and read */
};

void coiommu_stats_read(struct coiommu_stats *sum);

#endif
