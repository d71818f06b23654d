// SPDX-License-Identifier: GPL-2.0-only
/* Walking the guest's DMA tracking table; see dtt.h. */
#include "dtt.h"

#include <errno.h>
#include <stddef.h>

int dtt_set(struct dtt *dtt, uint64_t root_pfn, uint64_t levels, dtt_page_fn page, void *ctx)
{
	if (levels < COIOMMU_LEVELS_MIN || levels > COIOMMU_LEVELS_MAX)
		return -EINVAL;
	if (root_pfn > COIOMMU_ENTRY_FRAME >> COIOMMU_PAGE_SHIFT || !page(ctx, root_pfn))
		return -EINVAL;
	dtt->root_pfn = root_pfn;
	dtt->levels = (uint32_t)levels;
	return 0;
}

void dtt_clear(struct dtt *dtt)
{
	dtt->levels = 0;
}

uint64_t dtt_blocks(const struct dtt *dtt)
{
	return dtt->levels ? 1ULL << (COIOMMU_UPPER_BITS * (dtt->levels - 1)) : 0;
}

uint32_t *dtt_leaf(const struct dtt *dtt, uint64_t block, dtt_page_fn page, void *ctx)
{
	uint64_t pfn = dtt->root_pfn;

	if (block >= dtt_blocks(dtt))
		return NULL;
	for (uint32_t level = dtt->levels; level > 1; level--) {
		uint32_t shift = COIOMMU_UPPER_BITS * (level - 2);
		const uint64_t *table = page(ctx, pfn);
		uint64_t entry;

		if (!table)
			return NULL;
		entry = __atomic_load_n(&table[block >> shift & (COIOMMU_UPPER_ENTRIES - 1)],
					__ATOMIC_ACQUIRE);
		if (!(entry & COIOMMU_ENTRY_PRESENT))
			return NULL;
		pfn = (entry & COIOMMU_ENTRY_FRAME) >> COIOMMU_PAGE_SHIFT;
	}
	return page(ctx, pfn);
}
