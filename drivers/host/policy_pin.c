// SPDX-License-Identifier: GPL-2.0-only
/* Pinning on request: quota and eviction, ranges, speculation. */
#include "policy_internal.h"

#include <errno.h>
#include <stddef.h>

#include "coiommu_unit.h"

#define SPECULATION_MIN_PAGES 64 /* outstanding speculation is allowed up to this anyway */
#define EXPLORE_REQUESTS 64	 /* when learning said "none", try again after so many */
#define EVICT_BATCH 64

/* ---- Speculation: learning ---- */

static void speculation_learn(struct policy *p, struct block *b, uint32_t hits, uint32_t misses)
{
	uint32_t max = p->config.speculate_pages > 1 ? log2_floor(p->config.speculate_pages) : 0;

	p->n->speculation_hits += hits;
	p->n->speculation_misses += misses;
	p->speculative_pages -= hits + misses;
	if (hits > misses) {
		if (b->spec_order < max)
			b->spec_order++;
		if (p->spec_order < max)
			p->spec_order++;
	} else if (misses > hits) {
		if (b->spec_order)
			b->spec_order--;
		if (p->spec_order)
			p->spec_order--;
	}
}

/* Looks which speculative pages have been used; with give_up the others count as misses. */
void policy_speculation_settle(struct policy *p, struct block *b, const uint32_t *leaf,
			       bool give_up)
{
	uint32_t hits = 0, misses = 0;

	for (uint32_t i = bit_next(b->speculative, 0); i < BLOCK_PAGES;
	     i = bit_next(b->speculative, i + 1)) {
		uint32_t unit = leaf ? coiommu_unit_load(&leaf[i]) : 0;

		if (policy_look(p, POLICY_LOOK_USED,
				(unit & (COIOMMU_UNIT_COUNT | COIOMMU_UNIT_ACCESSED)) != 0))
			hits++;
		else if (give_up)
			misses++;
		else
			continue;
		bit_clear(b->speculative, i);
	}
	if (hits || misses)
		speculation_learn(p, b, hits, misses);
}

/* Log2 of the aligned neighbourhood to pin around a page asked for. */
static uint32_t speculation_order(struct policy *p, struct block *b)
{
	uint64_t allowed = p->n->pinned_pages / 4;

	if (p->config.speculate_pages <= 1 || p->parked)
		return 0;
	if (allowed < SPECULATION_MIN_PAGES)
		allowed = SPECULATION_MIN_PAGES;
	if (p->speculative_pages + p->config.speculate_pages > allowed)
		return 0;
	if (!b->spec_order && ++p->spec_skipped >= EXPLORE_REQUESTS) {
		p->spec_skipped = 0;
		b->spec_order = 1;
	}
	return b->spec_order;
}

/* ---- Quota ---- */

static bool fits(const struct policy *p, uint32_t nr)
{
	const struct policy_config *c = &p->config;

	return (!c->quota_pages || p->n->pinned_pages + nr <= c->quota_pages) &&
	       (!c->max_mappings || p->n->mappings < c->max_mappings);
}

static uint32_t evict_block(struct policy *p, struct block *b, uint32_t want, bool accessed_too)
{
	uint32_t *leaf = b->nr_pinned ? p->ops->leaf(p->ctx, b->index) : NULL;
	uint32_t freed = 0;

	if (!b->nr_pinned)
		return 0;
	for (uint32_t i = bit_next(b->head, 0); i < BLOCK_PAGES && freed < want;
	     i = bit_next(b->head, i + 1)) {
		enum use use = policy_mapping_use(p, b, leaf, i);

		if (use == USE_BUSY || (use == USE_ACCESSED && !accessed_too))
			continue;
		if (use == USE_ACCESSED)
			policy_mapping_clear_accessed(b, leaf, i);
		freed += policy_mapping_release(p, b, leaf, i);
	}
	return freed;
}

/* Evicts idle pages, then merely accessed ones, until about want are free. */
static uint32_t evict(struct policy *p, uint32_t want)
{
	uint32_t freed = 0;

	for (int pass = 0; pass < 2 && freed < want && !p->parked; pass++) {
		for (uint32_t i = 0; i < p->nr_blocks && freed < want; i++) {
			if (p->reclaim_at >= p->nr_blocks)
				p->reclaim_at = 0;
			freed += evict_block(p, p->list[p->reclaim_at], want - freed, pass);
			if (freed < want)
				p->reclaim_at++;
		}
	}
	p->n->released_quota += freed;
	p->nothing_to_evict = !freed;
	return freed;
}

static bool make_room(struct policy *p, uint32_t nr)
{
	uint32_t batch = nr;

	if (fits(p, nr))
		return true;
	if (p->nothing_to_evict || (p->config.quota_pages && nr > p->config.quota_pages))
		return false;
	/* A few more than needed, so that not every request has to search. */
	if (p->config.quota_pages / 32 > batch)
		batch = p->config.quota_pages / 32 < EVICT_BATCH
				? (uint32_t)(p->config.quota_pages / 32)
				: EVICT_BATCH;
	evict(p, batch < nr ? nr : batch);
	return fits(p, nr);
}

/* ---- Pinning ---- */

/* Pages of one block that may be pinned in one go: [from, to) asked for, [lo, hi) allowed. */
struct span {
	uint32_t from, to;
	uint32_t lo, hi;
};

static bool asked(const struct span *s, uint32_t page)
{
	return page >= s->from && page < s->to;
}

static void pinned_new(struct policy *p, struct block *b, uint32_t *leaf, const struct span *s,
		       uint32_t page, uint32_t nr)
{
	for (uint32_t i = page; i < page + nr; i++) {
		if (asked(s, i)) {
			p->n->repinned += bit_test(b->released, i);
		} else {
			bit_set(b->speculative, i);
			p->speculative_pages++;
			p->n->speculated++;
			b->spec_cycle = p->cycle;
		}
		bit_clear(b->released, i);
		coiommu_unit_set_pinned(&leaf[i]);
	}
}

static int pin_mapping(struct policy *p, struct block *b, uint32_t *leaf, const struct span *s,
		       uint32_t page, uint32_t order)
{
	int err = policy_mapping_add(p, b, page, order);

	/* Out of mappings or of the memory lock limit: as good as a quota. Once. */
	if ((err == -ENOSPC || err == -ENOMEM) && !p->nothing_to_evict && evict(p, EVICT_BATCH))
		err = policy_mapping_add(p, b, page, order);
	if (!err)
		pinned_new(p, b, leaf, s, page, 1U << order);
	return err;
}

/* One aligned chunk, all of it unpinned; the pages asked for one by one if it fails whole. */
static void pin_chunk(struct policy *p, struct block *b, uint32_t *leaf, const struct span *s,
		      uint32_t page, uint32_t order)
{
	uint32_t nr = 1U << order;
	bool wanted = page < s->to && page + nr > s->from;

	/* Speculation takes only what is free: up to 7/8 of a quota, and never by eviction. */
	if (!wanted && (!fits(p, nr) || (p->config.quota_pages &&
					 p->n->pinned_pages + nr > p->config.quota_pages / 8 * 7)))
		return;
	if (!wanted && !order)
		pin_mapping(p, b, leaf, s, page, 0);
	if (order && (!wanted || make_room(p, nr)) && !pin_mapping(p, b, leaf, s, page, order))
		return;
	for (uint32_t i = page; i < page + nr; i++) {
		if (!asked(s, i))
			continue;
		if (make_room(p, 1))
			pin_mapping(p, b, leaf, s, i, 0);
		else
			p->n->refused_quota++;
	}
}

/* Largest aligned chunk that starts at page and ends by end. */
static uint32_t chunk_order(const struct policy *p, uint32_t page, uint32_t end)
{
	uint32_t order = log2_floor(p->config.range_pages);

	while (order && ((page & ((1U << order) - 1)) || page + (1U << order) > end))
		order--;
	return order;
}

static void pin_span(struct policy *p, struct block *b, uint32_t *leaf, const struct span *s)
{
	uint32_t page = s->lo;

	while (page < s->hi) {
		uint32_t end, order;

		page = bit_next_clear(b->pinned, page, s->hi);
		if (page >= s->hi)
			break;
		end = bit_next(b->pinned, page);
		if (end > s->hi)
			end = s->hi;
		order = chunk_order(p, page, end);
		pin_chunk(p, b, leaf, s, page, order);
		page += 1U << order;
	}
}

static uint32_t span_report(struct policy *p, struct block *b, uint32_t *leaf, const struct span *s)
{
	uint32_t nr = 0;

	for (uint32_t i = s->from; i < s->to; i++) {
		if (bit_test(b->pinned, i)) {
			coiommu_unit_set_pinned(&leaf[i]);
			nr++;
		} else {
			p->n->refused_pages++;
		}
	}
	return nr;
}

/* Pages [from, to) of a block, all in lazy memory which extends over [lo, hi). */
static uint32_t pin_block(struct policy *p, uint64_t index, uint32_t from, uint32_t to, uint32_t lo,
			  uint32_t hi)
{
	uint32_t *leaf = p->ops->leaf(p->ctx, index);
	struct span s = { from, to, from, to };
	struct block *b;
	uint32_t missing = 0, order;

	if (!leaf) {
		p->n->refused_pages += to - from;
		p->n->refused_memory += to - from;
		return 0;
	}
	b = policy_block_get(p, index);
	for (uint32_t i = from; i < to; i++)
		missing += !bit_test(b->pinned, i);
	p->n->hits += to - from - missing;
	if (missing) {
		if (p->config.speculate_pages > 1)
			policy_speculation_settle(p, b, leaf, false);
		order = speculation_order(p, b);
		s.lo = from & ~((1U << order) - 1);
		s.hi = (to + (1U << order) - 1) & ~((1U << order) - 1);
		s.lo = s.lo < lo ? lo : s.lo;
		s.hi = s.hi > hi ? hi : s.hi;
		pin_span(p, b, leaf, &s);
	}
	return span_report(p, b, leaf, &s);
}

static uint32_t pin_static(struct policy *p, uint64_t pfn, uint32_t nr)
{
	uint64_t index = pfn / BLOCK_PAGES;
	uint32_t *leaf = p->ops->leaf(p->ctx, index);

	if (!leaf) {
		p->n->refused_pages += nr;
		p->n->refused_memory += nr;
		return 0;
	}
	for (uint32_t i = 0; i < nr; i++)
		coiommu_unit_set_pinned(&leaf[pfn % BLOCK_PAGES + i]);
	p->n->hits += nr;
	return nr;
}

/* Start of the lazy memory that holds pfn, or of pfn's block: speculation may go down to it. */
static uint64_t lazy_start(struct policy *p, uint64_t base, uint64_t pfn, uint64_t end)
{
	uint64_t low = base, next = 0;

	if (p->config.speculate_pages <= 1)
		return pfn;
	while (low < pfn) {
		if (p->ops->memory(p->ctx, low, &next) == POLICY_MEMORY_LAZY && next >= end)
			return low;
		low = next > low ? next : pfn;
	}
	return pfn;
}

uint32_t policy_pin(struct policy *p, uint64_t pfn, uint32_t nr)
{
	uint32_t done = 0;

	p->nothing_to_evict = false;
	while (nr) {
		uint64_t base = pfn & ~(uint64_t)(BLOCK_PAGES - 1), end = pfn + 1;
		uint32_t from = (uint32_t)(pfn - base), n = BLOCK_PAGES - from;
		enum policy_memory memory = p->ops->memory(p->ctx, pfn, &end);

		if (end <= pfn)
			end = pfn + 1;
		if (end > base + BLOCK_PAGES)
			end = base + BLOCK_PAGES;
		if (n > nr)
			n = nr;
		if (n > end - pfn)
			n = (uint32_t)(end - pfn);
		if (memory == POLICY_MEMORY_LAZY) {
			uint64_t low = lazy_start(p, base, pfn, end);

			done += pin_block(p, base / BLOCK_PAGES, from, from + n,
					  (uint32_t)(low - base), (uint32_t)(end - base));
		} else if (memory == POLICY_MEMORY_STATIC) {
			done += pin_static(p, pfn, n);
		} else {
			p->n->refused_pages += n;
			p->n->refused_memory += n;
		}
		pfn += n;
		nr -= n;
	}
	return done;
}
