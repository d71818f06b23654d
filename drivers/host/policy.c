// SPDX-License-Identifier: GPL-2.0-only
/*
 * Blocks and mappings: what is pinned, and the steps that keep pins, units and records in
 * agreement. Creation and end of a policy.
 *
 * The host's own bitmaps decide what is pinned; the guest's units are only read for hints
 * and written to tell the guest. A hostile table can therefore mislead the guest itself, but
 * not the accounting.
 */
#include "policy_internal.h"

#include <stdlib.h>
#include <string.h>

#include "coiommu_unit.h"

const struct policy_config policy_defaults = {
	.unpin = POLICY_UNPIN_LRU,
	.interval_ns = 10000000000ULL,
	.range_pages = 16,
};

static void *alloc_or_die(void *old, size_t nr, size_t size)
{
	void *new = reallocarray(old, nr, size);

	if (!new)
		abort();
	return new;
}

static struct block **hash_slot(const struct policy *p, uint64_t index)
{
	uint64_t at = index * 0x9e3779b97f4a7c15ULL >> 32;

	while (p->hash[at & (p->nr_hash - 1)] && p->hash[at & (p->nr_hash - 1)]->index != index)
		at++;
	return &p->hash[at & (p->nr_hash - 1)];
}

struct block *policy_block_find(const struct policy *p, uint64_t index)
{
	return p->nr_hash ? *hash_slot(p, index) : NULL;
}

static void hash_grow(struct policy *p)
{
	p->nr_hash = p->nr_hash ? p->nr_hash * 2 : 64;
	free(p->hash);
	p->hash = alloc_or_die(NULL, p->nr_hash, sizeof(struct block *));
	memset(p->hash, 0, p->nr_hash * sizeof(struct block *));
	for (uint32_t i = 0; i < p->nr_blocks; i++)
		*hash_slot(p, p->list[i]->index) = p->list[i];
}

struct block *policy_block_get(struct policy *p, uint64_t index)
{
	struct block *b = policy_block_find(p, index);

	if (b)
		return b;
	if (p->nr_blocks * 2 >= p->nr_hash)
		hash_grow(p);
	if (p->nr_blocks == p->cap_blocks) {
		p->cap_blocks = p->cap_blocks ? p->cap_blocks * 2 : 64;
		p->list = alloc_or_die(p->list, p->cap_blocks, sizeof(struct block *));
	}
	b = alloc_or_die(NULL, 1, sizeof(*b));
	memset(b, 0, sizeof(*b));
	b->index = index;
	b->spec_order = p->spec_order;
	p->list[p->nr_blocks++] = b;
	*hash_slot(p, index) = b;
	p->n->blocks = p->nr_blocks;
	p->n->metadata_bytes =
		p->nr_blocks * sizeof(*b) + (p->nr_hash + p->cap_blocks) * sizeof(struct block *);
	return b;
}

void policy_blocks_free(struct policy *p)
{
	for (uint32_t i = 0; i < p->nr_blocks; i++)
		free(p->list[i]);
	free(p->list);
	free(p->hash);
	p->list = NULL;
	p->hash = NULL;
	p->nr_blocks = p->cap_blocks = p->nr_hash = 0;
	p->at_block = p->at_page = p->blocks_left = p->reclaim_at = 0;
	p->running = false;
	p->speculative_pages = 0;
	p->n->blocks = p->n->metadata_bytes = 0;
}

/* ---- Mappings ---- */

int policy_mapping_add(struct policy *p, struct block *b, uint32_t page, uint32_t order)
{
	uint64_t start = p->ops->now_ns(p->ctx);
	uint32_t nr = 1U << order;
	int err;

	err = p->ops->map(p->ctx, b->index * BLOCK_PAGES + page, nr);
	p->n->map_ns += p->ops->now_ns(p->ctx) - start;
	p->n->map_calls++;
	if (err) {
		p->n->map_errors++;
		return err;
	}
	bit_set(b->head, page);
	bit_clear(b->old, page);
	b->order[page] = (uint8_t)order;
	b->busy[page] = 0;
	for (uint32_t i = page; i < page + nr; i++)
		bit_set(b->pinned, i);
	b->nr_pinned += nr;
	p->n->pins += nr;
	p->n->pinned_pages += nr;
	if (p->n->pinned_pages > p->n->pinned_pages_peak)
		p->n->pinned_pages_peak = p->n->pinned_pages;
	if (++p->n->mappings > p->n->mappings_peak)
		p->n->mappings_peak = p->n->mappings;
	return 0;
}

static int mapping_unmap(struct policy *p, const struct block *b, uint32_t page)
{
	uint64_t start = p->ops->now_ns(p->ctx);
	int err = p->ops->unmap(p->ctx, b->index * BLOCK_PAGES + page, 1U << b->order[page]);

	p->n->unmap_ns += p->ops->now_ns(p->ctx) - start;
	p->n->unmap_calls++;
	p->n->unmap_errors += err != 0;
	return err;
}

/* The mapping is gone: only the bookkeeping is left to do. */
static void mapping_remove(struct policy *p, struct block *b, uint32_t page)
{
	uint32_t nr = 1U << b->order[page];

	for (uint32_t i = page; i < page + nr; i++) {
		bit_clear(b->pinned, i);
		if (bit_test(b->speculative, i)) {
			bit_clear(b->speculative, i);
			p->speculative_pages--;
			p->n->speculation_misses++;
		}
	}
	bit_clear(b->head, page);
	b->nr_pinned -= nr;
	p->n->unpins += nr;
	p->n->pinned_pages -= nr;
	p->n->mappings--;
}

/*
 * Gives a mapping up if no page of it is in use. All units must go from "pinned" to 0; when
 * one does not, those already cleared are marked again: they are still mapped, and a guest
 * that saw them clear in between waits for the lock we hold. The same if the unmap fails.
 */
uint32_t policy_mapping_release(struct policy *p, struct block *b, uint32_t *leaf, uint32_t page)
{
	uint32_t nr = 1U << b->order[page], done = 0;

	if (leaf && !p->config.break_release) {
		while (done < nr && coiommu_unit_release(&leaf[page + done]))
			done++;
		if (!policy_look(p, POLICY_LOOK_RELEASE, done == nr))
			goto undo;
		for (; done < nr; done++) /* not but in a replay */
			coiommu_unit_clear_pinned(&leaf[page + done]);
	} else if (leaf) {
		for (; done < nr; done++)
			coiommu_unit_clear_pinned(&leaf[page + done]);
	}
	if (mapping_unmap(p, b, page))
		goto undo;
	mapping_remove(p, b, page);
	return nr;
undo:
	while (done > 0)
		coiommu_unit_set_pinned(&leaf[page + --done]);
	return 0;
}

/* Whatever the guest does. The host's record stays if even the unmap fails. */
void policy_mapping_force(struct policy *p, struct block *b, uint32_t *leaf, uint32_t page)
{
	uint32_t nr = 1U << b->order[page];

	for (uint32_t i = page; leaf && i < page + nr; i++)
		coiommu_unit_clear_pinned(&leaf[i]);
	if (mapping_unmap(p, b, page))
		return;
	mapping_remove(p, b, page);
	p->n->released_forced += nr;
}

enum use policy_mapping_use(const struct policy *p, const struct block *b, const uint32_t *leaf,
			    uint32_t page)
{
	uint32_t nr = 1U << b->order[page], seen = 0;
	enum use use = USE_IDLE;

	if (!leaf) /* without a unit the guest cannot rely on the pin */
		return USE_IDLE;
	for (uint32_t i = page; i < page + nr; i++)
		seen |= coiommu_unit_load(&leaf[i]);
	if (p->config.break_release)
		return USE_IDLE;
	if (seen & COIOMMU_UNIT_COUNT)
		use = USE_BUSY;
	else if (seen & COIOMMU_UNIT_ACCESSED)
		use = USE_ACCESSED;
	return (enum use)policy_look(p, POLICY_LOOK_USE, use);
}

void policy_mapping_clear_accessed(const struct block *b, uint32_t *leaf, uint32_t page)
{
	for (uint32_t i = page; i < page + (1U << b->order[page]); i++)
		coiommu_unit_clear_accessed(&leaf[i]);
}

/* ---- Life ---- */

bool policy_is_pinned(const struct policy *p, uint64_t pfn)
{
	const struct block *b = policy_block_find(p, pfn / BLOCK_PAGES);

	return b && bit_test(b->pinned, pfn % BLOCK_PAGES);
}

static uint64_t block_mapped(const struct block *b, const uint32_t *leaf)
{
	uint64_t mapped = 0;

	for (uint32_t page = bit_next(b->pinned, 0); page < BLOCK_PAGES;
	     page = bit_next(b->pinned, page + 1))
		mapped += (coiommu_unit_load(&leaf[page]) & COIOMMU_UNIT_COUNT) != 0;
	return mapped;
}

bool policy_count_mapped(const struct policy *p, uint32_t budget, uint32_t *at, uint64_t *mapped)
{
	uint32_t seen = 0;

	for (; *at < p->nr_blocks && seen < budget; ++*at) {
		const struct block *b = p->list[*at];
		const uint32_t *leaf = b->nr_pinned ? p->ops->leaf(p->ctx, b->index) : NULL;

		if (leaf)
			*mapped += block_mapped(b, leaf);
		seen += 1 + b->nr_pinned;
	}
	return *at >= p->nr_blocks;
}

struct policy *policy_new(const struct policy_config *config, const struct policy_ops *ops,
			  void *ctx, struct coiommu_policy_counters *counters)
{
	struct policy *p = alloc_or_die(NULL, 1, sizeof(*p));

	memset(p, 0, sizeof(*p));
	p->config = *config;
	if (!p->config.range_pages)
		p->config.range_pages = 1;
	if (p->config.range_pages > BLOCK_PAGES)
		p->config.range_pages = BLOCK_PAGES;
	if (p->config.speculate_pages > BLOCK_PAGES)
		p->config.speculate_pages = BLOCK_PAGES;
	p->ops = ops;
	p->ctx = ctx;
	p->n = counters;
	p->spec_order = p->config.speculate_pages > 1;
	p->due_ns = ops->now_ns(ctx) + config->interval_ns;
	counters->quota_pages = config->quota_pages;
	counters->interval_ns = config->unpin == POLICY_UNPIN_OFF ? 0 : config->interval_ns;
	return p;
}

void policy_free(struct policy *p)
{
	if (!p)
		return;
	policy_blocks_free(p);
	free(p);
}
