// SPDX-License-Identifier: GPL-2.0-only
/* Guest memory, containers and the life of the table; see backend.h. */
#include "backend_internal.h"

#include <errno.h>
#include <linux/vfio.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define PAGE ((uint64_t)COIOMMU_PAGE_SIZE)
#define ALL_CONTAINERS UINT32_MAX
#define READ_WRITE (VFIO_DMA_MAP_FLAG_READ | VFIO_DMA_MAP_FLAG_WRITE)

void backend_lock(struct backend *b)
{
	__atomic_add_fetch(&b->waiters, 1, __ATOMIC_RELAXED);
	pthread_mutex_lock(&b->lock);
	__atomic_sub_fetch(&b->waiters, 1, __ATOMIC_RELAXED);
}

void backend_unlock(struct backend *b)
{
	pthread_mutex_unlock(&b->lock);
}

void backend_log(const struct backend *b, const char *fmt, ...)
{
	va_list args;

	if (!b->settings.log)
		return;
	va_start(args, fmt);
	fputs("coiommu: ", stderr);
	vfprintf(stderr, fmt, args);
	fputc('\n', stderr);
	va_end(args);
}

static void update_gauges(struct backend *b)
{
	struct coiommu_counters *n = b->counters;

	n->ram_bytes = memmap_bytes(&b->memmap, false);
	n->static_bytes = memmap_bytes(&b->memmap, true);
	if (b->dtt.levels)
		n->state = b->parked ? COIOMMU_STATE_PARKED : COIOMMU_STATE_ACTIVE;
	else if (n->state != COIOMMU_STATE_BROKEN)
		n->state = b->memmap.nr ? COIOMMU_STATE_WAITING : COIOMMU_STATE_NEW;
}

/* ---- Containers --------------------------------------------------------------------- */

/* The container's bit, or 0 if there are too many. */
static uint32_t container_bit(struct backend *b, int fd)
{
	int empty = -1;

	for (int i = 0; i < MEMMAP_CONTAINERS; i++) {
		if (b->containers[i] == fd)
			return 1U << i;
		if (b->containers[i] < 0 && empty < 0)
			empty = i;
	}
	if (empty < 0)
		return 0;
	b->containers[empty] = fd;
	b->counters->containers++;
	return 1U << empty;
}

void backend_container(struct backend *b, int fd)
{
	uint32_t bit;

	backend_lock(b);
	bit = container_bit(b, fd);
	/* If the number was a container before, that one is closed and its mappings are gone. */
	memmap_remove(&b->memmap, 0, UINT64_MAX, bit);
	update_gauges(b);
	backend_unlock(b);
}

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

static void unmap_from(struct backend *b, uint32_t containers, uint64_t iova, uint64_t size)
{
	for (int i = 0; i < MEMMAP_CONTAINERS; i++) {
		if ((containers >> i & 1) &&
		    b->sys->dma_unmap(b->ctx, b->containers[i], iova, size))
			b->leaked++;
	}
}

static int map_into(struct backend *b, uint32_t containers, const struct memmap_region *r,
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
			unmap_from(b, containers & ((1U << i) - 1), iova, size);
			return err;
		}
	}
	return 0;
}

/* The negative control of tests. */
static bool pretends(const struct backend *b)
{
	return b->settings.break_pin && b->counters->policy.pinned_pages >= b->settings.break_after;
}

static int op_map(void *ctx, uint64_t pfn, uint32_t nr)
{
	struct backend *b = ctx;
	struct memmap_region *r;
	uint64_t start;
	uint32_t containers;
	int err;

	if (pretends(b))
		return 0;
	r = lazy_region(b, pfn, nr, &containers);
	if (!r)
		return -EFAULT;
	start = b->sys->now_ns(b->ctx);
	err = map_into(b, containers, r, pfn * PAGE, nr * PAGE);
	b->counters->map_latency[coiommu_histogram_bucket(b->sys->now_ns(b->ctx) - start)]++;
	return err;
}

/* All containers or none. If neither can be had, a mapping is left over in one: leaked. */
static int op_unmap(void *ctx, uint64_t pfn, uint32_t nr)
{
	struct backend *b = ctx;
	uint64_t iova = pfn * PAGE, size = nr * PAGE;
	struct memmap_region *r;
	uint32_t containers;

	if (pretends(b) && !b->settings.break_after)
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
		if (!map_into(b, containers & ((1U << i) - 1), r, iova, size))
			return err;
		b->leaked++;
		unmap_from(b, containers & ~((2U << i) - 1), iova, size);
		return 0;
	}
	return 0;
}

static uint64_t op_now(void *ctx)
{
	struct backend *b = ctx;

	return b->sys->now_ns(b->ctx);
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

	return dtt_leaf(&b->dtt, block, backend_page_locked, b);
}

static enum policy_memory op_memory(void *ctx, uint64_t pfn, uint64_t *end)
{
	struct backend *b = ctx;
	const struct memmap_region *r = NULL;

	*end = pfn + 1;
	if (pfn > UINT64_MAX / PAGE)
		return POLICY_MEMORY_NONE;
	r = memmap_find_whole(&b->memmap, pfn * PAGE, PAGE, ALL_CONTAINERS);
	if (!r)
		return POLICY_MEMORY_NONE;
	*end = (r->iova + r->size) / PAGE;
	return r->lazy ? POLICY_MEMORY_LAZY : POLICY_MEMORY_STATIC;
}

static bool op_contended(void *ctx)
{
	struct backend *b = ctx;

	return __atomic_load_n(&b->waiters, __ATOMIC_RELAXED) != 0;
}

static const struct policy_ops policy_ops = {
	.map = op_map,
	.unmap = op_unmap,
	.now_ns = op_now,
	.leaf = op_leaf,
	.memory = op_memory,
	.contended = op_contended,
};

/* ---- The VMM's mappings ------------------------------------------------------------- */

struct replicate {
	struct backend *b;
	const struct memmap_region *region;
};

static int replicate_one(void *ctx, uint64_t pfn, uint32_t nr)
{
	struct replicate *r = ctx;

	return map_into(r->b, r->region->containers, r->region, pfn * PAGE, nr * PAGE);
}

/* Lazy: gives the new container what is pinned for the others. Static: maps it all. */
static int map_region_locked(struct backend *b, const struct memmap_region *region)
{
	struct replicate r = { b, region };
	int err;

	if (!region->lazy)
		return map_into(b, region->containers, region, region->iova, region->size);
	if (pretends(b))
		return 0;
	err = policy_visit(b->policy, region->iova / PAGE, region->size / PAGE, replicate_one, &r);
	if (err)
		unmap_from(b, region->containers, region->iova, region->size);
	return err;
}

int backend_dma_map(struct backend *b, int fd, uint64_t iova, uint64_t vaddr, uint64_t size,
		    uint32_t flags)
{
	struct memmap_region region = {
		.iova = iova, .size = size, .vaddr = vaddr, .flags = flags
	};
	int err = BACKEND_PASS;

	if (!size || (iova | vaddr | size) % PAGE || size > UINT64_MAX - iova ||
	    (flags & ~READ_WRITE) || !b->sys->is_ram(b->ctx, iova, vaddr, size)) {
		__atomic_add_fetch(&b->counters->passed_maps, 1, __ATOMIC_RELAXED);
		return BACKEND_PASS;
	}
	backend_lock(b);
	region.containers = container_bit(b, fd);
	region.writable = flags == READ_WRITE;
	region.lazy = region.writable && (b->dtt.levels || !b->settings.static_before);
	if (region.containers)
		err = map_region_locked(b, &region);
	if (!err) {
		memmap_add(&b->memmap, &region);
		b->counters->ram_maps++;
		update_gauges(b);
	}
	backend_log(b, "map fd %d iova %#llx size %#llx %s: %d", fd, (unsigned long long)iova,
		    (unsigned long long)size, region.lazy ? "lazy" : "static", err);
	backend_unlock(b);
	if (!err)
		backend_adopt(b, iova, size);
	return err;
}

int backend_dma_unmap(struct backend *b, int fd, uint64_t iova, uint64_t size, uint64_t *lazy_bytes)
{
	const struct memmap_region *r;
	uint64_t end = size > UINT64_MAX - iova ? UINT64_MAX : iova + size;
	uint32_t bit;
	bool whole;

	*lazy_bytes = 0;
	backend_lock(b);
	bit = container_bit(b, fd);
	r = memmap_find_whole(&b->memmap, iova, size, bit);
	whole = r && r->lazy;
	for (uint32_t i = 0; i < b->memmap.nr; i++) {
		uint64_t from, to;

		r = &b->memmap.regions[i];
		from = r->iova > iova ? r->iova : iova;
		to = r->iova + r->size < end ? r->iova + r->size : end;
		if (from >= to || !(r->containers & bit) || !r->lazy)
			continue;
		/* What other containers reach stays pinned for them, unless that is impossible. */
		if (!(r->containers & ~bit) || b->sys->dma_unmap(b->ctx, fd, from, to - from))
			policy_forget(b->policy, from / PAGE, (to - from + PAGE - 1) / PAGE);
		*lazy_bytes += to - from;
	}
	if (memmap_remove(&b->memmap, iova, size, bit))
		b->counters->ram_unmaps++;
	update_gauges(b);
	backend_log(b, "unmap fd %d iova %#llx size %#llx%s", fd, (unsigned long long)iova,
		    (unsigned long long)size, whole ? "" : ", passed");
	backend_unlock(b);
	return whole ? 0 : BACKEND_PASS;
}

/* ---- The table ---------------------------------------------------------------------- */

/* Before a table is active all memory may have to be pinned: turns that on and off. */
static void set_static_locked(struct backend *b, bool on)
{
	if (!b->settings.static_before)
		return;
	for (uint32_t i = 0; i < b->memmap.nr; i++) {
		struct memmap_region *r = &b->memmap.regions[i];
		int err;

		if (!r->writable || r->lazy != on)
			continue;
		if (on) {
			err = map_into(b, r->containers, r, r->iova, r->size);
		} else {
			unmap_from(b, r->containers, r->iova, r->size);
			err = 0;
		}
		if (err)
			fprintf(stderr, "coiommu: cannot pin %#llx bytes: %s\n",
				(unsigned long long)r->size, strerror(-err));
		else
			r->lazy = !on;
	}
}

void backend_deactivate_locked(struct backend *b, bool clear_units)
{
	if (!b->dtt.levels)
		return;
	policy_drop(b->policy, clear_units);
	dtt_clear(&b->dtt);
	backend_park_locked(b, false);
	set_static_locked(b, true);
	update_gauges(b);
}

int backend_activate_locked(struct backend *b, uint64_t root_pfn, uint64_t levels)
{
	struct dtt dtt;
	int err = dtt_set(&dtt, root_pfn, levels, backend_page_locked, b);

	if (err)
		return err;
	if (b->dtt.levels)
		policy_drop(b->policy, false); /* the old table's owner is gone */
	else
		set_static_locked(b, false);
	b->dtt = dtt;
	b->counters->activations++;
	backend_park_locked(b, false);
	backend_unpinner_start_locked(b);
	update_gauges(b);
	backend_log(b, "active: root %#llx, %u levels", (unsigned long long)root_pfn,
		    (unsigned int)levels);
	return 0;
}

uint32_t backend_adopt(struct backend *b, uint64_t iova, uint64_t size)
{
	uint64_t block_bytes = PAGE * COIOMMU_LEAF_UNITS;
	uint32_t failed = 0;

	for (uint64_t block = iova / block_bytes; block <= (iova + size - 1) / block_bytes;
	     block++) {
		bool active;

		backend_lock(b);
		active = b->dtt.levels != 0;
		if (active)
			failed += policy_adopt(b->policy, block);
		backend_unlock(b);
		if (!active)
			break;
	}
	return failed;
}

void backend_park_locked(struct backend *b, bool parked)
{
	b->parked = parked;
	policy_park(b->policy, parked);
	pthread_cond_signal(&b->wake);
	update_gauges(b);
}

void backend_vm_reset(struct backend *b)
{
	backend_lock(b);
	/* The memory that held the table may be in other use already: do not write to it. */
	backend_deactivate_locked(b, false);
	b->counters->vm_resets++; /* last: who waits for it finds the pins gone */
	backend_log(b, "machine reset");
	backend_unlock(b);
}

void backend_device(struct backend *b, uint64_t id)
{
	backend_lock(b);
	b->counters->devices++;
	if (b->nr_devices < BACKEND_DEVICES)
		b->devices[b->nr_devices++] = id;
	backend_unlock(b);
}

void backend_device_reset(struct backend *b)
{
	backend_lock(b); /* what the unpinner is at is finished */
	b->counters->device_resets++;
	__atomic_store_n(&b->paused, true, __ATOMIC_RELAXED);
	backend_unlock(b);
}

void backend_vcpu_runs(struct backend *b)
{
	if (!__atomic_load_n(&b->paused, __ATOMIC_RELAXED))
		return;
	backend_lock(b);
	__atomic_store_n(&b->paused, false, __ATOMIC_RELAXED);
	pthread_cond_signal(&b->wake);
	backend_unlock(b);
}

/* ---- Life --------------------------------------------------------------------------- */

struct backend_vcpu *backend_vcpu_new(struct backend *b)
{
	struct backend_vcpu *vcpu = calloc(1, sizeof(*vcpu));
	uint32_t i;

	if (!vcpu)
		abort();
	backend_lock(b);
	i = b->nr_vcpus++;
	b->counters->nr_vcpus = b->nr_vcpus;
	/* More than the file has room for share the last place: sums stay nearly right. */
	if (i >= COIOMMU_COUNTERS_VCPUS)
		i = COIOMMU_COUNTERS_VCPUS - 1;
	vcpu->n = &b->counters->vcpu[i];
	backend_unlock(b);
	return vcpu;
}

bool backend_scan(struct backend *b)
{
	bool more;

	backend_lock(b);
	more = b->dtt.levels && !b->paused && policy_scan(b->policy, b->settings.batch);
	backend_unlock(b);
	return more;
}

struct backend *backend_new(const struct settings *settings, const struct backend_sys *sys,
			    void *ctx, struct coiommu_counters *counters)
{
	struct backend *b = calloc(1, sizeof(*b));
	pthread_condattr_t attr;

	if (!b)
		abort();
	b->settings = *settings;
	b->sys = sys;
	b->ctx = ctx;
	b->counters = counters;
	for (int i = 0; i < MEMMAP_CONTAINERS; i++)
		b->containers[i] = -1;
	pthread_mutex_init(&b->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&b->wake, &attr);
	pthread_condattr_destroy(&attr);
	b->policy = policy_new(&settings->policy, &policy_ops, b, &counters->policy);
	counters->magic = COIOMMU_COUNTERS_MAGIC;
	counters->version = COIOMMU_COUNTERS_VERSION;
	counters->size = sizeof(*counters);
	counters->start_ns = sys->now_ns(ctx);
	return b;
}

void backend_free(struct backend *b)
{
	backend_unpinner_stop(b);
	policy_free(b->policy);
	memmap_free(&b->memmap);
	pthread_cond_destroy(&b->wake);
	pthread_mutex_destroy(&b->lock);
	free(b);
}
