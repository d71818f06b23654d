/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which guest pages are pinned: demand pins, range pins, speculative pins, quota and lazy
 * unpinning. No I/O: everything outside goes through struct policy_ops, so that the backend
 * and a trace replayer use the same code. Not thread-safe: the caller holds one lock around
 * every call, and that same lock is the one the unit protocol needs.
 */
#ifndef COIOMMU_POLICY_H
#define COIOMMU_POLICY_H

#include <stdbool.h>
#include <stdint.h>

#include "coiommu_abi.h"
#include "coiommu_counters.h"

enum policy_unpin {
	POLICY_UNPIN_OFF,
	POLICY_UNPIN_LRU,      /* fixed interval */
	POLICY_UNPIN_ADAPTIVE, /* between interval / 8 and interval * 8, by regretted releases */
};

struct policy_config {
	enum policy_unpin unpin;
	uint64_t interval_ns;	  /* an idle page leaves after one to two of these */
	uint32_t limit_pages;	  /* released per cycle; the next goes on from there. 0: no limit */
	uint32_t generations;	  /* busy this many cycles: visited every so many. 0: off */
	uint64_t quota_pages;	  /* never more than these. 0: no quota */
	uint64_t max_mappings;	  /* the same for VFIO mappings. 0: no limit */
	uint32_t range_pages;	  /* longest aligned run in one mapping, a power of two. 1: off */
	uint32_t speculate_pages; /* widest neighbourhood, a power of two. 0 or 1: off */
	bool break_release;	  /* negative control: release pages in use */
};

/* Interval 10 s, ranges of 16 pages, no quota, no speculation. */
extern const struct policy_config policy_defaults;

enum policy_memory {
	POLICY_MEMORY_NONE,   /* not guest memory */
	POLICY_MEMORY_LAZY,   /* pinned on request */
	POLICY_MEMORY_STATIC, /* pinned by somebody else, for as long as it exists */
};

/* What the policy learns from units, which the guest changes at the same time. */
enum policy_look {
	POLICY_LOOK_USE,     /* of a mapping: 0 busy, 1 accessed, 2 idle */
	POLICY_LOOK_RELEASE, /* 1: all units of a mapping went from "pinned" to 0 */
	POLICY_LOOK_USED,    /* of a page pinned unasked: 1 used */
	POLICY_LOOK_COUNT,   /* of a page being adopted: 1 has a count */
};

struct policy_ops {
	/* Pins nr pages as one mapping, completely or not at all. 0 or -errno. */
	int (*map)(void *ctx, uint64_t pfn, uint32_t nr);
	/* Undoes whole mappings that together cover exactly these pages. 0 or -errno. */
	int (*unmap)(void *ctx, uint64_t pfn, uint32_t nr);
	uint64_t (*now_ns)(void *ctx);
	/* The table's leaf page of this block, or NULL. Valid until the lock is dropped. */
	uint32_t *(*leaf)(void *ctx, uint64_t block);
	/* What pfn is; *end is set to the first frame after it that may differ. */
	enum policy_memory (*memory)(void *ctx, uint64_t pfn, uint64_t *end);
	/* Somebody waits for the lock: cut a scan short. May be NULL. */
	bool (*contended)(void *ctx);
	/* Told each such look; its result is believed instead. May be NULL. */
	uint32_t (*look)(void *ctx, enum policy_look what, uint32_t seen);
};

/*
 * Pages of one call of policy_pin() at most, so that other vCPUs and the VMM are not kept
 * waiting for the lock. Calls end at frames that are a multiple of it, so as not to cut ranges.
 */
#define POLICY_PIN_BATCH 64

struct policy;

/* Never NULL. counters must be zeroed and outlive the policy; ops too. */
struct policy *policy_new(const struct policy_config *config, const struct policy_ops *ops,
			  void *ctx, struct coiommu_policy_counters *counters);
/* Forgets everything without unmapping. */
void policy_free(struct policy *p);

/*
 * Pins [pfn, pfn + nr) for the guest and sets the units' pinned bits. Returns how many of
 * them are pinned now; units of the others are unchanged.
 */
uint32_t policy_pin(struct policy *p, uint64_t pfn, uint32_t nr);

/* The guest gives pages up: those without a count go, accessed or not. Returns pages freed. */
uint32_t policy_release(struct policy *p, uint64_t pfn, uint32_t nr);

/* The memory disappears: unpins in any case and clears the units that can be reached. */
void policy_forget(struct policy *p, uint64_t pfn, uint64_t nr);

/* Unpins everything; clears the units only if the table may still be written. */
void policy_drop(struct policy *p, bool clear_units);

/* One block of a table just made active or memory just added: pins what has a count and
 * corrects stale pinned bits. Returns the number of pages it could not pin.
 */
uint32_t policy_adopt(struct policy *p, uint64_t index);

/*
 * Continues the running unpin cycle, or starts one if it is due, looking at about budget
 * units. Returns true if there is more to do at once.
 */
bool policy_scan(struct policy *p, uint32_t budget);
/* When the next cycle is due, in terms of now_ns; UINT64_MAX: never. */
uint64_t policy_deadline(const struct policy *p);
/* Parked: the table is written only on behalf of pins. */
void policy_park(struct policy *p, bool parked);

/* Calls visit for every mapping that lies in the range; stops at the first error, returns it. */
int policy_visit(const struct policy *p, uint64_t pfn, uint64_t nr,
		 int (*visit)(void *ctx, uint64_t pfn, uint32_t nr), void *ctx);
bool policy_is_pinned(const struct policy *p, uint64_t pfn);
/*
 * What is really in use: adds to *mapped the pages that are pinned and have a count, of blocks from
 * *at (0 to begin with) on, until about so many were looked at. True: that was the last block.
 */
bool policy_count_mapped(const struct policy *p, uint32_t budget, uint32_t *at, uint64_t *mapped);

#endif
