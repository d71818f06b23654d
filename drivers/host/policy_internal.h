/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of the policy share; nobody else includes this. */
#ifndef COIOMMU_POLICY_INTERNAL_H
#define COIOMMU_POLICY_INTERNAL_H

#include "policy.h"

#define BLOCK_PAGES COIOMMU_LEAF_UNITS
#define WORDS (BLOCK_PAGES / 64)

/* Host metadata of one leaf's 4 MiB. Kept until the table is dropped. */
struct block {
	uint64_t index; /* frame number / 1024 */
	uint32_t nr_pinned;
	uint32_t spec_cycle; /* when speculation last added pages */
	uint8_t spec_order;  /* log2 of the neighbourhood that paid so far */
	uint64_t pinned[WORDS];
	uint64_t head[WORDS];	     /* first page of a mapping */
	uint64_t old[WORDS];	     /* by head: busy for many cycles */
	uint64_t speculative[WORDS]; /* pinned unasked, not used yet */
	uint64_t released[WORDS];    /* released by scanning, lately */
	uint8_t order[BLOCK_PAGES];  /* by head: log2 of the mapping's pages */
	uint8_t busy[BLOCK_PAGES];   /* by head: cycles in a row it was busy */
};

struct policy {
	struct policy_config config;
	const struct policy_ops *ops;
	void *ctx;
	struct coiommu_policy_counters *n;

	struct block **list; /* in order of creation */
	uint32_t nr_blocks, cap_blocks;
	struct block **hash; /* open addressing, a power of two, at most half full */
	uint32_t nr_hash;

	bool parked;
	uint64_t speculative_pages; /* outstanding */
	uint8_t spec_order;	    /* what a new block starts with */
	uint32_t spec_skipped;

	uint32_t reclaim_at;   /* block at which the next eviction starts */
	bool nothing_to_evict; /* a search within this request found nothing: do not repeat it */

	/* The unpin cycle. */
	bool running;
	uint64_t due_ns, started_ns;
	uint32_t cycle;
	uint32_t at_block, at_page, blocks_left;
	uint32_t cycle_released, cycle_busy, cycle_seen;
	uint64_t last_released, repinned_before;
	uint32_t calm_cycles;
};

/* What one mapping's units say. */
enum use {
	USE_BUSY,     /* a count */
	USE_ACCESSED, /* no count, used since the last look */
	USE_IDLE,
};

/* ---- Bitmaps of a block ---- */

static inline bool bit_test(const uint64_t *map, uint32_t bit)
{
	return map[bit / 64] >> (bit % 64) & 1;
}

static inline void bit_set(uint64_t *map, uint32_t bit)
{
	map[bit / 64] |= 1ULL << (bit % 64);
}

static inline void bit_clear(uint64_t *map, uint32_t bit)
{
	map[bit / 64] &= ~(1ULL << (bit % 64));
}

/* First bit set in [from, BLOCK_PAGES), or BLOCK_PAGES. */
static inline uint32_t bit_next(const uint64_t *map, uint32_t from)
{
	uint32_t word = from / 64;
	uint64_t bits;

	if (from >= BLOCK_PAGES)
		return BLOCK_PAGES;
	bits = map[word] & (~0ULL << (from % 64));
	while (!bits) {
		if (++word == WORDS)
			return BLOCK_PAGES;
		bits = map[word];
	}
	return word * 64 + (uint32_t)__builtin_ctzll(bits);
}

/* Unlike bit_next(), up to end only. */
static inline uint32_t bit_next_clear(const uint64_t *map, uint32_t from, uint32_t end)
{
	while (from < end && bit_test(map, from))
		from++;
	return from;
}

static inline uint32_t log2_floor(uint32_t n)
{
	return 31 - (uint32_t)__builtin_clz(n);
}

/* What was seen, or what a replay knows was seen. */
static inline uint32_t policy_look(const struct policy *p, enum policy_look what, uint32_t seen)
{
	return p->ops->look ? p->ops->look(p->ctx, what, seen) : seen;
}

/* ---- policy.c and policy_pin.c ---- */

struct block *policy_block_find(const struct policy *p, uint64_t index);
struct block *policy_block_get(struct policy *p, uint64_t index);
void policy_blocks_free(struct policy *p);
int policy_mapping_add(struct policy *p, struct block *b, uint32_t page, uint32_t order);
uint32_t policy_mapping_release(struct policy *p, struct block *b, uint32_t *leaf, uint32_t page);
void policy_mapping_force(struct policy *p, struct block *b, uint32_t *leaf, uint32_t page);
enum use policy_mapping_use(const struct policy *p, const struct block *b, const uint32_t *leaf,
			    uint32_t page);
void policy_mapping_clear_accessed(const struct block *b, uint32_t *leaf, uint32_t page);
void policy_speculation_settle(struct policy *p, struct block *b, const uint32_t *leaf,
			       bool give_up);

#endif
