// SPDX-License-Identifier: GPL-2.0-only
/*
 * The DMA tracking table. The host walks it at any time, so a page is zeroed before it is
 * linked, is linked by compare-and-swap, and is never freed while the table is in use.
 */
#include <linux/gfp.h>
#include <linux/io.h>
#include <linux/mm.h>
#include <linux/vmalloc.h>

#include "coiommu.h"

static u64 *root;
static unsigned int levels;
static atomic_long_t nr_pages;

u32 **coiommu_dtt_leaves;
u64 coiommu_dtt_nr_leaves;

static u64 end_of_memory(void)
{
	u64 end = 0;
	int nid;

	for_each_online_node(nid)
		end = max_t(u64, end, node_end_pfn(nid));
	return end;
}

static void *new_page(void)
{
	void *page = (void *)get_zeroed_page(GFP_ATOMIC | __GFP_NOWARN);

	if (page)
		atomic_long_inc(&nr_pages);
	return page;
}

/* The page below an entry, made if there is none. */
static void *next_page(u64 *entry)
{
	u64 old = READ_ONCE(*entry), new;
	void *page;

	if (old & COIOMMU_ENTRY_PRESENT)
		return phys_to_virt(old & COIOMMU_ENTRY_FRAME);
	page = new_page();
	if (!page)
		return NULL;
	new = virt_to_phys(page) | COIOMMU_ENTRY_PRESENT;
	old = cmpxchg64(entry, 0, new);
	if (!old)
		return page;
	free_page((unsigned long)page);
	atomic_long_dec(&nr_pages);
	return phys_to_virt(old & COIOMMU_ENTRY_FRAME);
}

u32 *coiommu_dtt_make_leaf(u64 block)
{
	void *page = root;
	unsigned int level;

	for (level = levels; level > 1; level--) {
		unsigned int shift = COIOMMU_UPPER_BITS * (level - 2);

		page = next_page((u64 *)page + ((block >> shift) & (COIOMMU_UPPER_ENTRIES - 1)));
		if (!page)
			return NULL;
	}
	WRITE_ONCE(coiommu_dtt_leaves[block], page);
	return page;
}

u64 coiommu_dtt_end_pfn(void)
{
	return coiommu_dtt_nr_leaves << COIOMMU_LEAF_BITS;
}

u64 coiommu_dtt_root_pfn(void)
{
	return virt_to_phys(root) >> PAGE_SHIFT;
}

unsigned int coiommu_dtt_levels(void)
{
	return levels;
}

unsigned long coiommu_dtt_pages(void)
{
	return atomic_long_read(&nr_pages);
}

int coiommu_dtt_init(void)
{
	coiommu_dtt_nr_leaves = DIV_ROUND_UP(end_of_memory(), COIOMMU_LEAF_UNITS);
	levels = COIOMMU_LEVELS_MIN;
	while (levels < COIOMMU_LEVELS_MAX &&
	       coiommu_dtt_nr_leaves > 1ULL << (COIOMMU_UPPER_BITS * (levels - 1)))
		levels++;
	coiommu_dtt_leaves = vzalloc(array_size(coiommu_dtt_nr_leaves, sizeof(u32 *)));
	if (!coiommu_dtt_leaves)
		return -ENOMEM;
	root = new_page();
	if (!root) {
		vfree(coiommu_dtt_leaves);
		return -ENOMEM;
	}
	return 0;
}

static void free_level(u64 *table, unsigned int level)
{
	unsigned int i;

	for (i = 0; level > 1 && i < COIOMMU_UPPER_ENTRIES; i++) {
		if (table[i] & COIOMMU_ENTRY_PRESENT)
			free_level(phys_to_virt(table[i] & COIOMMU_ENTRY_FRAME), level - 1);
	}
	free_page((unsigned long)table);
}

void coiommu_dtt_exit(void)
{
	free_level(root, levels);
	vfree(coiommu_dtt_leaves);
}
