// SPDX-License-Identifier: GPL-2.0-only
/*
 * Between backend and policy: what the policy asks for, done in all containers, and the calls
 * of the policy, noted in the log.
 */
#include "backend_internal.h"

#include <errno.h>
#include <string.h>

#define PAGE ((uint64_t)COIOMMU_PAGE_SIZE)

/* ---- What the policy asks for ------------------------------------------------------- */

/* Lazy memory that holds the pages; *containers gets all containers that reach it. */
static struct memmap_region *lazy_region(struct backend *b, uint64_t pfn, uint32_t nr,
					 uint32_t *containers)
{
	struct memmap_region *found = NULL;

	*containers = 0;
	for (uint32_t i = 0; i < b->memmap.nr; i++) {
		struct memmap_region *r = &b->memmap.regions[i];

		if (r->lazy && r->iova <= pfn * PAGE && (pfn + nr) * PAGE - r->iova <= r->size) {
			found = r;
			*containers |= r->containers;
		}
	}
	return found;
}

void backend_unmap_from(struct backend *b, uint32_t containers, uint64_t iova, uint64_t size)
{
	for (int i = 0; i < MEMMAP_CONTAINERS; i++) {
		if ((containers >> i & 1) &&
		    b->sys->dma_unmap(b->ctx, b->containers[i], iova, size))
			b->leaked++;
	}
}

int backend_map_into(struct backend *b, uint32_t containers, const struct memmap_region *r,
		     uint64_t iova, uint64_t size)
{
	for (int i = 0; i < MEMMAP_CONTAINERS; i++) {
		int err;

		if (!(containers >> i & 1))
			continue;
		err = b->sys->dma_map(b->ctx, b->containers[i], iova, r->vaddr + (iova - r->iova),
				      size, r->flags);
		/* An unmap that failed has left something: it may be less than what is wanted. */
		if (err == -EEXIST && b->leaked &&
		    !b->sys->dma_unmap(b->ctx, b->containers[i], iova, size))
			err = b->sys->dma_map(b->ctx, b->containers[i], iova,
					      r->vaddr + (iova - r->iova), size, r->flags);
		if (err) {
			backend_unmap_from(b, containers & ((1U << i) - 1), iova, size);
			return err;
		}
	}
	return 0;
}

/* The negative control of tests. */
bool backend_pretends(const struct backend *b)
{
	return b->settings.break_pin && b->counters->policy.pinned_pages >= b->settings.break_after;
}

static int pin_pages(struct backend *b, uint64_t pfn, uint32_t nr)
{
	struct memmap_region *r;
	uint64_t start;
	uint32_t containers;
	int err;

	if (backend_pretends(b))
		return 0;
	r = lazy_region(b, pfn, nr, &containers);
	if (!r)
		return -EFAULT;
	start = b->sys->now_ns(b->ctx);
	err = backend_map_into(b, containers, r, pfn * PAGE, nr * PAGE);
	b->counters->map_latency[coiommu_histogram_bucket(b->sys->now_ns(b->ctx) - start)]++;
	return err;
}

static int op_map(void *ctx, uint64_t pfn, uint32_t nr)
{
	struct backend *b = ctx;
	int err = pin_pages(b, pfn, nr);

	record_look(b->record, TRACE_LOOK_MAP, (uint32_t)-err);
	return err;
}

/* All containers or none. If neither can be had, a mapping is left over in one: leaked. */
static int unpin_pages(struct backend *b, uint64_t pfn, uint32_t nr)
{
	uint64_t iova = pfn * PAGE, size = nr * PAGE;
	struct memmap_region *r;
	uint32_t containers;

	if (backend_pretends(b) && !b->settings.break_after)
		return 0;
	r = lazy_region(b, pfn, nr, &containers);
	for (int i = 0; r && i < MEMMAP_CONTAINERS; i++) {
		int err;

		if (!(containers >> i & 1))
			continue;
		err = b->sys->dma_unmap(b->ctx, b->containers[i], iova, size);
		if (!err)
			continue;
		backend_log(b, "unmap of %#llx failed: %s", (unsigned long long)iova,
			    strerror(-err));
		if (!backend_map_into(b, containers & ((1U << i) - 1), r, iova, size))
			return err;
		b->leaked++;
		backend_unmap_from(b, containers & ~((2U << i) - 1), iova, size);
		return 0;
	}
	return 0;
}

static int op_unmap(void *ctx, uint64_t pfn, uint32_t nr)
{
	struct backend *b = ctx;
	int err = unpin_pages(b, pfn, nr);

	record_look(b->record, TRACE_LOOK_UNMAP, (uint32_t)-err);
	return err;
}

static uint64_t op_now(void *ctx)
{
	struct backend *b = ctx;

	return record_now(b->record, b->sys->now_ns(b->ctx));
}

void *backend_page_locked(void *backend, uint64_t pfn)
{
	struct backend *b = backend;
	struct memmap_region *r;

	if (pfn > UINT64_MAX / PAGE)
		return NULL;
	for (uint32_t i = 0; i < b->memmap.nr; i++) {
		r = &b->memmap.regions[i];
		if (r->writable && r->iova <= pfn * PAGE && pfn * PAGE - r->iova < r->size)
			/* NOLINTNEXTLINE(performance-no-int-to-ptr): VFIO has it as a number */
			return (void *)(uintptr_t)(r->vaddr + (pfn * PAGE - r->iova));
	}
	return NULL;
}

static uint32_t *op_leaf(void *ctx, uint64_t block)
{
	struct backend *b = ctx;

	uint32_t *leaf = dtt_leaf(&b->dtt, block, backend_page_locked, b);

	record_look(b->record, TRACE_LOOK_NO_LEAF, !leaf);
	return leaf;
}

static enum policy_memory op_memory(void *ctx, uint64_t pfn, uint64_t *end)
{
	struct backend *b = ctx;

	return memmap_memory(&b->memmap, pfn, end);
}

static bool op_contended(void *ctx)
{
	struct backend *b = ctx;
	bool contended = __atomic_load_n(&b->waiters, __ATOMIC_RELAXED) != 0;

	record_look(b->record, TRACE_LOOK_CONTENDED, contended);
	return contended;
}

static uint32_t op_look(void *ctx, enum policy_look what, uint32_t seen)
{
	struct backend *b = ctx;

	record_look(b->record, (enum trace_look)what, seen);
	return seen;
}

static const struct policy_ops policy_ops = {
	.map = op_map,
	.unmap = op_unmap,
	.now_ns = op_now,
	.leaf = op_leaf,
	.memory = op_memory,
	.contended = op_contended,
	.look = op_look,
};

/* ---- The log ------------------------------------------------------------------------ */

void backend_record_locked(struct backend *b, enum trace_kind kind, const struct trace_args *args)
{
	if (b->record)
		record_begin(b->record, kind, b->sys->now_ns(b->ctx), args);
}

/* A change that is no call of the policy. */
void backend_change_locked(struct backend *b, enum trace_kind kind, const struct trace_args *args)
{
	backend_record_locked(b, kind, args);
	record_end(b->record);
}

void backend_remove_memory_locked(struct backend *b, uint64_t iova, uint64_t size,
				  uint32_t containers)
{
	if (memmap_remove(&b->memmap, iova, size, containers))
		b->counters->ram_unmaps++;
	backend_change_locked(b, TRACE_MEM_REMOVE, RECORD_ARGS(iova, size, containers));
}

void backend_forget_locked(struct backend *b, uint64_t pfn, uint64_t nr)
{
	backend_record_locked(b, TRACE_FORGET, RECORD_ARGS(pfn, nr));
	policy_forget(b->policy, pfn, nr);
	record_end(b->record);
}

void backend_drop_locked(struct backend *b, bool clear_units)
{
	backend_record_locked(b, TRACE_DROP, RECORD_ARGS(clear_units));
	policy_drop(b->policy, clear_units);
	record_end(b->record);
	b->counters->mapped_pages = 0;
}

uint32_t backend_adopt_locked(struct backend *b, uint64_t block)
{
	uint32_t failed;

	if (!dtt_leaf(&b->dtt, block, backend_page_locked, b))
		return 0;
	backend_record_locked(b, TRACE_ADOPT, RECORD_ARGS(block));
	failed = policy_adopt(b->policy, block);
	record_end(b->record);
	return failed;
}

bool backend_scan_locked(struct backend *b)
{
	bool more;

	backend_record_locked(b, TRACE_SCAN, RECORD_ARGS(b->settings.batch));
	more = policy_scan(b->policy, b->settings.batch);
	record_end(b->record);
	return more;
}

void backend_policy_new(struct backend *b)
{
	const struct policy_config *c = &b->settings.policy;

	backend_record_locked(b, TRACE_CONFIG,
			      RECORD_ARGS(c->unpin, c->interval_ns, c->limit_pages, c->generations,
					  c->quota_pages, c->max_mappings, c->range_pages,
					  c->speculate_pages, b->settings.batch));
	b->policy = policy_new(c, &policy_ops, b, &b->counters->policy);
	record_end(b->record);
}
