// SPDX-License-Identifier: GPL-2.0-only
/* Giving pages up: asked by the guest, forced, and by lazy unpinning. */
#include "policy_internal.h"

#include <string.h>

#include "coiommu_unit.h"

#define CALM_CYCLES 4 /* without regrets before the interval may shrink */

uint32_t policy_release(struct policy *p, uint64_t pfn, uint32_t nr)
{
	uint64_t end = pfn + nr;
	uint32_t freed = 0;

	for (uint64_t index = pfn / BLOCK_PAGES; index * BLOCK_PAGES < end; index++) {
		struct block *b = policy_block_find(p, index);
		uint64_t base = index * BLOCK_PAGES;
		uint32_t *leaf;

		if (!b || !b->nr_pinned)
			continue;
		leaf = p->ops->leaf(p->ctx, index);
		for (uint32_t i = bit_next(b->head, 0); i < BLOCK_PAGES;
		     i = bit_next(b->head, i + 1)) {
			if (base + i < pfn || base + i + (1U << b->order[i]) > end)
				continue;
			if (policy_mapping_use(p, b, leaf, i) == USE_BUSY)
				continue;
			if (leaf)
				policy_mapping_clear_accessed(b, leaf, i);
			freed += policy_mapping_release(p, b, leaf, i);
		}
	}
	p->n->released_guest += freed;
	return freed;
}

void policy_forget(struct policy *p, uint64_t pfn, uint64_t nr)
{
	for (uint32_t at = 0; at < p->nr_blocks; at++) {
		struct block *b = p->list[at];
		uint64_t base = b->index * BLOCK_PAGES;
		uint32_t *leaf;

		if (!b->nr_pinned || base + BLOCK_PAGES <= pfn || base >= pfn + nr)
			continue;
		leaf = p->ops->leaf(p->ctx, b->index);
		for (uint32_t i = bit_next(b->head, 0); i < BLOCK_PAGES;
		     i = bit_next(b->head, i + 1)) {
			if (base + i + (1U << b->order[i]) > pfn && base + i < pfn + nr)
				policy_mapping_force(p, b, leaf, i);
		}
	}
}

int policy_visit(const struct policy *p, uint64_t pfn, uint64_t nr,
		 int (*visit)(void *ctx, uint64_t pfn, uint32_t nr), void *ctx)
{
	for (uint32_t at = 0; at < p->nr_blocks; at++) {
		const struct block *b = p->list[at];
		uint64_t base = b->index * BLOCK_PAGES;

		for (uint32_t i = bit_next(b->head, 0); i < BLOCK_PAGES;
		     i = bit_next(b->head, i + 1)) {
			uint32_t size = 1U << b->order[i];
			int err = 0;

			if (base + i >= pfn && base + i + size <= pfn + nr)
				err = visit(ctx, base + i, size);
			if (err)
				return err;
		}
	}
	return 0;
}

void policy_drop(struct policy *p, bool clear_units)
{
	bool failed = false;

	for (uint32_t at = 0; at < p->nr_blocks; at++) {
		struct block *b = p->list[at];
		uint32_t *leaf =
			clear_units && b->nr_pinned ? p->ops->leaf(p->ctx, b->index) : NULL;

		for (uint32_t i = bit_next(b->head, 0); i < BLOCK_PAGES;
		     i = bit_next(b->head, i + 1))
			policy_mapping_force(p, b, leaf, i);
		failed |= b->nr_pinned != 0;
	}
	if (!failed)
		policy_blocks_free(p);
}

static bool has_count(const struct policy *p, const uint32_t *unit)
{
	return policy_look(p, POLICY_LOOK_COUNT,
			   (coiommu_unit_load(unit) & COIOMMU_UNIT_COUNT) != 0);
}

uint32_t policy_adopt(struct policy *p, uint64_t index)
{
	uint32_t *leaf = p->ops->leaf(p->ctx, index);
	uint64_t base = index * BLOCK_PAGES;
	uint32_t failed = 0, i = 0;

	while (leaf && i < BLOCK_PAGES) {
		uint32_t nr = 0;

		while (i + nr < BLOCK_PAGES && has_count(p, &leaf[i + nr]))
			nr++;
		if (nr)
			failed += nr - policy_pin(p, base + i, nr);
		i += nr;
		/* The one that ended the run. */
		if (i < BLOCK_PAGES && (coiommu_unit_load(&leaf[i]) & COIOMMU_UNIT_PINNED) &&
		    !policy_is_pinned(p, base + i))
			coiommu_unit_clear_pinned(&leaf[i]);
		i++;
	}
	return failed;
}

/* ---- Unpinning ---- */

static void cycle_start(struct policy *p, uint64_t now)
{
	p->running = true;
	p->started_ns = now;
	p->cycle++;
	p->blocks_left = p->nr_blocks;
	if (p->at_block >= p->nr_blocks)
		p->at_block = p->at_page = 0;
	p->cycle_released = p->cycle_busy = p->cycle_seen = 0;
}

/*
 * Many pages wanted back soon after their release: the interval is too short. None for some
 * cycles, and most of what is pinned idle: too long.
 */
static void interval_adapt(struct policy *p)
{
	uint64_t repinned = p->n->repinned - p->repinned_before;
	uint64_t min = p->config.interval_ns / 8, max = p->config.interval_ns * 8;

	p->repinned_before = p->n->repinned;
	p->calm_cycles = repinned > p->last_released / 64 ? 0 : p->calm_cycles + 1;
	if (repinned > p->last_released / 8)
		p->n->interval_ns = p->n->interval_ns * 2 > max ? max : p->n->interval_ns * 2;
	else if (p->calm_cycles >= CALM_CYCLES && p->cycle_busy < p->cycle_seen / 2)
		p->n->interval_ns = p->n->interval_ns / 2 < min ? min : p->n->interval_ns / 2;
	p->last_released = p->cycle_released;
}

static void cycle_end(struct policy *p)
{
	uint64_t interval;

	p->running = false;
	p->n->scan_cycles++;
	p->n->busy_pages = p->cycle_busy;
	if (p->config.unpin == POLICY_UNPIN_ADAPTIVE)
		interval_adapt(p);
	interval = p->n->interval_ns;
	/* Close to the quota: sooner, so that requests need not evict. */
	if (p->config.unpin == POLICY_UNPIN_ADAPTIVE && p->config.quota_pages &&
	    p->n->pinned_pages > p->config.quota_pages / 4 * 3)
		interval /= 2;
	p->due_ns = p->started_ns + interval;
}

static void scan_busy(struct policy *p, struct block *b, uint32_t page)
{
	p->cycle_busy += 1U << b->order[page];
	if (b->busy[page] < UINT8_MAX)
		b->busy[page]++;
	if (p->config.generations && b->busy[page] >= p->config.generations)
		bit_set(b->old, page);
}

static uint32_t scan_mapping(struct policy *p, struct block *b, uint32_t *leaf, uint32_t page)
{
	uint32_t nr = 1U << b->order[page], freed;

	p->cycle_seen += nr;
	switch (policy_mapping_use(p, b, leaf, page)) {
	case USE_BUSY:
		scan_busy(p, b, page);
		return 0;
	case USE_ACCESSED:
		policy_mapping_clear_accessed(b, leaf, page);
		scan_busy(p, b, page);
		p->cycle_busy -= nr; /* not mapped at this moment */
		return 0;
	default:
		break;
	}
	b->busy[page] = 0;
	bit_clear(b->old, page);
	freed = policy_mapping_release(p, b, leaf, page);
	for (uint32_t i = page; i < page + freed; i++)
		bit_set(b->released, i);
	p->cycle_released += freed;
	p->n->released_idle += freed;
	return freed;
}

static bool limit_reached(const struct policy *p)
{
	return p->config.limit_pages && p->cycle_released >= p->config.limit_pages;
}

/* Goes on in the current block; true when it is done with. */
static bool scan_block(struct policy *p, uint32_t *budget)
{
	struct block *b = p->list[p->at_block];
	bool old_too = p->config.generations && p->cycle % p->config.generations == 0;
	uint32_t *leaf = NULL, page;

	if (!p->at_page) {
		/* "Lately" is this cycle and the one before. */
		if (p->cycle % 2)
			memset(b->released, 0, sizeof(b->released));
		if (b->nr_pinned && p->config.speculate_pages > 1) {
			leaf = p->ops->leaf(p->ctx, b->index);
			policy_speculation_settle(p, b, leaf, p->cycle - b->spec_cycle >= 2);
		}
	}
	if (!b->nr_pinned)
		return true;
	if (!leaf)
		leaf = p->ops->leaf(p->ctx, b->index);
	for (page = bit_next(b->head, p->at_page); page < BLOCK_PAGES;
	     page = bit_next(b->head, p->at_page)) {
		uint32_t freed, cost = 1U << b->order[page];

		p->at_page = page + cost;
		if (bit_test(b->old, page) && !old_too) {
			p->cycle_seen += cost;
			p->cycle_busy += cost;
			continue;
		}
		p->n->scan_units += cost;
		freed = scan_mapping(p, b, leaf, page);
		*budget = *budget > cost ? *budget - cost : 0;
		if (limit_reached(p) || !*budget ||
		    (freed && p->ops->contended && p->ops->contended(p->ctx)))
			return false;
	}
	return true;
}

bool policy_scan(struct policy *p, uint32_t budget)
{
	uint64_t start, unmap_ns = p->n->unmap_ns;
	bool more = true;

	if (p->config.unpin == POLICY_UNPIN_OFF || p->parked)
		return false;
	start = p->ops->now_ns(p->ctx);
	if (!p->running) {
		if (start < p->due_ns)
			return false;
		cycle_start(p, start);
	}
	while (p->blocks_left && !limit_reached(p) && budget) {
		if (!scan_block(p, &budget))
			break;
		p->at_page = 0;
		p->blocks_left--;
		p->at_block = p->at_block + 1 >= p->nr_blocks ? 0 : p->at_block + 1;
		budget--;
	}
	if (!p->blocks_left || limit_reached(p)) {
		cycle_end(p);
		more = false;
	}
	p->n->scan_ns += p->ops->now_ns(p->ctx) - start - (p->n->unmap_ns - unmap_ns);
	return more;
}

uint64_t policy_deadline(const struct policy *p)
{
	if (p->config.unpin == POLICY_UNPIN_OFF || p->parked)
		return UINT64_MAX;
	return p->running ? 0 : p->due_ns;
}

void policy_park(struct policy *p, bool parked)
{
	p->parked = parked;
}
