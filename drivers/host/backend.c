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
	if (memmap_remove(&b->memmap, 0, UINT64_MAX, bit))
		backend_change_locked(b, TRACE_MEM_REMOVE, RECORD_ARGS(0, UINT64_MAX, bit));
	update_gauges(b);
	backend_unlock(b);
}

/* ---- The VMM's mappings ------------------------------------------------------------- */

struct replicate {
	struct backend *b;
	const struct memmap_region *region;
};

static int replicate_one(void *ctx, uint64_t pfn, uint32_t nr)
{
	struct replicate *r = ctx;

	return backend_map_into(r->b, r->region->containers, r->region, pfn * PAGE, nr * PAGE);
}

/* Lazy: gives the new container what is pinned for the others. Static: maps it all. */
static int map_region_locked(struct backend *b, const struct memmap_region *region)
{
	struct replicate r = { b, region };
	int err;

	if (!region->lazy)
		return backend_map_into(b, region->containers, region, region->iova, region->size);
	if (backend_pretends(b))
		return 0;
	err = policy_visit(b->policy, region->iova / PAGE, region->size / PAGE, replicate_one, &r);
	if (err)
		backend_unmap_from(b, region->containers, region->iova, region->size);
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
		backend_change_locked(b, TRACE_MEM_ADD,
				      RECORD_ARGS(iova, size, vaddr, flags, region.containers,
						  region.lazy, region.writable));
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
			backend_forget_locked(b, from / PAGE, (to - from + PAGE - 1) / PAGE);
		*lazy_bytes += to - from;
	}
	backend_remove_memory_locked(b, iova, size, bit);
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
			err = backend_map_into(b, r->containers, r, r->iova, r->size);
		} else {
			backend_unmap_from(b, r->containers, r->iova, r->size);
			err = 0;
		}
		if (err)
			fprintf(stderr, "coiommu: cannot pin %#llx bytes: %s\n",
				(unsigned long long)r->size, strerror(-err));
		else
			r->lazy = !on;
		backend_change_locked(b, TRACE_MEM_LAZY, RECORD_ARGS(i, r->lazy));
	}
}

void backend_deactivate_locked(struct backend *b, bool clear_units)
{
	if (!b->dtt.levels)
		return;
	backend_drop_locked(b, clear_units);
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
		backend_drop_locked(b, false); /* the old table's owner is gone */
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
			failed += backend_adopt_locked(b, block);
		backend_unlock(b);
		if (!active)
			break;
	}
	return failed;
}

void backend_park_locked(struct backend *b, bool parked)
{
	b->parked = parked;
	backend_change_locked(b, TRACE_PARK, RECORD_ARGS(parked));
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
	more = b->dtt.levels && !b->paused && backend_scan_locked(b);
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
	if (settings->trace) {
		b->record = record_new((uint64_t *)&counters->trace_seq,
				       (uint64_t *)&counters->trace_errors);
		if (!b->record)
			abort();
	}
	backend_policy_new(b);
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
	record_free(b->record);
	memmap_free(&b->memmap);
	pthread_cond_destroy(&b->wake);
	pthread_mutex_destroy(&b->lock);
	free(b);
}
