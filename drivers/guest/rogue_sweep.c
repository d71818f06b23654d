// SPDX-License-Identifier: GPL-2.0-only
/*
 * How much of the guest's memory does a device reach? Reads by DMA at places all over it. Free
 * memory is taken for that time and marked; elsewhere any memory will do that the CPU knows to hold
 * something, the same before and after the DMA.
 */
#include <linux/list.h>
#include <linux/pfn.h>
#include <linux/random.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "rogue.h"

#define BLOCK_ORDER (21 - PAGE_SHIFT) /* 2 MiB */
#define TRIES 512		      /* pages looked at for content */

struct probe {
	phys_addr_t address; /* 0: there is none */
	bool own;	     /* our memory */
	u8 content[ROGUE_MARK];
};

/* Most of what is free, but no more than a few blocks a probe. */
static void take_blocks(struct list_head *blocks, unsigned int probes)
{
	unsigned long enough;
	struct sysinfo info;
	unsigned int i;

	si_meminfo(&info);
	enough = (info.freeram >> BLOCK_ORDER) * 3 / 4;
	for (i = 0; i < min_t(unsigned long, enough, 4 * probes); i++) {
		struct page *page = alloc_pages(GFP_KERNEL | __GFP_NORETRY | __GFP_NOWARN,
						BLOCK_ORDER);

		if (!page)
			return;
		get_random_bytes(page_address(page), ROGUE_MARK);
		list_add(&page->lru, blocks);
		cond_resched();
	}
}

static void free_blocks(struct list_head *blocks)
{
	struct page *page, *next;

	list_for_each_entry_safe(page, next, blocks, lru) {
		list_del(&page->lru);
		__free_pages(page, BLOCK_ORDER);
	}
}

static bool read_cpu(phys_addr_t address, u8 *content)
{
	unsigned long pfn = PHYS_PFN(address);

	return pfn_valid(pfn) && page_is_ram(pfn) &&
	       !copy_from_kernel_nofault(content, phys_to_virt(address), ROGUE_MARK);
}

/* Not what a blocked read could leave: nothing, or one byte all over. */
static bool tells(const u8 *content)
{
	unsigned int i, different = 0;

	for (i = 1; i < ROGUE_MARK; i++)
		different += content[i] != content[i - 1];
	return different >= 4;
}

/* A place from start to end, which are multiples of pages. */
static void choose(struct probe *probe, struct list_head *blocks, u64 start, u64 end)
{
	struct page *page;
	unsigned int i;

	probe->address = 0;
	list_for_each_entry(page, blocks, lru) {
		phys_addr_t address = page_to_phys(page);

		if (address >= start && address < end && read_cpu(address, probe->content)) {
			probe->address = address;
			probe->own = true;
			return;
		}
	}
	for (i = 0; i < TRIES; i++) {
		u64 page_nr = get_random_u64() % PHYS_PFN(end - start);
		phys_addr_t address = start + PFN_PHYS(page_nr);

		if (!address || !read_cpu(address, probe->content) || !tells(probe->content))
			continue;
		probe->address = address;
		probe->own = false;
		return;
	}
}

static int read_all(struct rogue *rogue, const struct probe *probes, unsigned int nr, u8 *seen)
{
	unsigned int i;
	int err;

	get_random_bytes(seen, nr * ROGUE_MARK);
	err = rogue_load(rogue, seen, nr);
	for (i = 0; i < nr && !err; i++) {
		if (probes[i].address)
			err = rogue_fetch(rogue, probes[i].address, i);
		if (fatal_signal_pending(current))
			err = -EINTR;
	}
	return err ?: rogue_unload(rogue, seen, nr);
}

/* "probe ADDRESS own|used passed|blocked|changed", and how many could be tried. */
static int print_probes(struct rogue *rogue, const struct probe *probes, unsigned int nr,
			const u8 *seen)
{
	unsigned int i;
	int err = 0;

	for (i = 0; i < nr && !err; i++) {
		const struct probe *probe = &probes[i];
		bool passed = !memcmp(seen + i * ROGUE_MARK, probe->content, ROGUE_MARK);
		u8 now[ROGUE_MARK];
		bool same;

		if (!probe->address)
			continue;
		same = read_cpu(probe->address, now) && !memcmp(now, probe->content, ROGUE_MARK);
		err = rogue_print(rogue, "probe %#llx %s %s\n", (u64)probe->address,
				  probe->own ? "own" : "used",
				  passed ? "passed" : same ? "blocked" : "changed");
	}
	return err;
}

int rogue_sweep(struct rogue *rogue, unsigned int nr, u64 end)
{
	u64 step = ALIGN_DOWN(div_u64(end, nr), PAGE_SIZE);
	struct probe *probes;
	LIST_HEAD(blocks);
	unsigned int i;
	u8 *seen;
	int err;

	if (!step)
		return -EINVAL;
	probes = kcalloc(nr, sizeof(*probes), GFP_KERNEL);
	seen = kmalloc(ROGUE_PROBES * ROGUE_MARK, GFP_KERNEL);
	err = probes && seen ? 0 : -ENOMEM;
	if (!err) {
		take_blocks(&blocks, nr);
		for (i = 0; i < nr; i++)
			choose(&probes[i], &blocks, i * step, (i + 1) * step);
		err = read_all(rogue, probes, nr, seen);
	}
	if (!err)
		err = print_probes(rogue, probes, nr, seen);
	free_blocks(&blocks);
	kfree(seen);
	kfree(probes);
	return err;
}
