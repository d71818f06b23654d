/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Test doubles for the coIOMMU backend: VFIO containers that behave like type1 v2 and watch
 * for mistakes, guest memory, and a guest which follows the protocol.
 */
#ifndef TEST_COIOMMU_FAKE_H
#define TEST_COIOMMU_FAKE_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

#include <cmocka.h>

#include "backend.h"
#include "coiommu_unit.h"

#define FAKE_CONTAINERS 2
#define FAKE_FD 100 /* containers are 100, 101 */
#define PAGE ((uint64_t)COIOMMU_PAGE_SIZE)
#define RW 3U

struct fake {
	uint8_t *mem; /* guest memory, at guest address 0 */
	uint64_t pages;
	uint32_t *owner[FAKE_CONTAINERS]; /* per page: first page of its mapping + 1 */
	uint64_t mapped[FAKE_CONTAINERS]; /* pages */
	uint64_t mapped_peak;
	uint64_t mistakes;	       /* outside of memory, wrong address, cut mapping */
	uint32_t fail_map, fail_unmap; /* one call in so many fails; 0: none */
	uint32_t limit;		       /* mappings; 0: none */
	uint32_t mappings;
	bool real_clock;
	uint64_t clock;
	uint32_t random;
};

static inline uint32_t fake_random(uint32_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 17;
	*state ^= *state << 5;
	return *state;
}

static inline void fake_init(struct fake *f, uint64_t pages)
{
	memset(f, 0, sizeof(*f));
	f->pages = pages;
	f->random = 12345;
	f->mem = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	assert_ptr_not_equal(f->mem, MAP_FAILED);
	for (int i = 0; i < FAKE_CONTAINERS; i++)
		f->owner[i] = calloc(pages, sizeof(uint32_t));
}

static inline void fake_free(struct fake *f)
{
	munmap(f->mem, f->pages * PAGE);
	for (int i = 0; i < FAKE_CONTAINERS; i++)
		free(f->owner[i]);
}

static inline uint32_t fake_owner(const struct fake *f, int container, uint64_t pfn)
{
	return __atomic_load_n(&f->owner[container][pfn], __ATOMIC_ACQUIRE);
}

static inline int fake_dma_map(void *ctx, int fd, uint64_t iova, uint64_t vaddr, uint64_t size,
			       uint32_t flags)
{
	struct fake *f = ctx;
	uint64_t pfn = iova / PAGE, nr = size / PAGE;
	int c = fd - FAKE_FD;

	if (c < 0 || c >= FAKE_CONTAINERS || pfn >= f->pages || nr > f->pages - pfn || !nr ||
	    vaddr != (uint64_t)(uintptr_t)f->mem + iova) {
		f->mistakes++;
		return -EFAULT;
	}
	if (f->fail_map && fake_random(&f->random) % f->fail_map == 0)
		return -ENOMEM;
	if (f->limit && f->mappings >= f->limit)
		return -ENOSPC;
	for (uint64_t i = pfn; i < pfn + nr; i++) {
		if (fake_owner(f, c, i))
			return -EEXIST;
	}
	for (uint64_t i = pfn; i < pfn + nr; i++)
		__atomic_store_n(&f->owner[c][i], (uint32_t)pfn + 1, __ATOMIC_RELEASE);
	f->mappings++;
	f->mapped[c] += nr;
	if (f->mapped[c] > f->mapped_peak)
		f->mapped_peak = f->mapped[c];
	return 0;
}

static inline int fake_dma_unmap(void *ctx, int fd, uint64_t iova, uint64_t size)
{
	struct fake *f = ctx;
	uint64_t pfn = iova / PAGE, end = pfn + size / PAGE;
	int c = fd - FAKE_FD;

	if (f->fail_unmap && fake_random(&f->random) % f->fail_unmap == 0)
		return -EIO;
	if (c < 0 || c >= FAKE_CONTAINERS || end > f->pages) {
		f->mistakes++;
		return -EINVAL;
	}
	/* Version 2 of the interface does not cut mappings. */
	if ((fake_owner(f, c, pfn) && fake_owner(f, c, pfn) != pfn + 1) ||
	    (end < f->pages && fake_owner(f, c, end) && fake_owner(f, c, end) != end + 1)) {
		f->mistakes++;
		return -EINVAL;
	}
	for (uint64_t i = pfn; i < end; i++) {
		f->mappings -= fake_owner(f, c, i) == i + 1;
		f->mapped[c] -= fake_owner(f, c, i) != 0;
		__atomic_store_n(&f->owner[c][i], 0, __ATOMIC_RELEASE);
	}
	return 0;
}

static inline uint64_t fake_now_ns(void *ctx)
{
	struct fake *f = ctx;
	struct timespec ts;

	if (!f->real_clock)
		return f->clock;
	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec;
}

static inline bool fake_is_ram(void *ctx, uint64_t iova, uint64_t vaddr, uint64_t size)
{
	struct fake *f = ctx;

	return vaddr >= (uintptr_t)f->mem && vaddr - (uintptr_t)f->mem < f->pages * PAGE;
}

static const struct backend_sys fake_sys = {
	.dma_map = fake_dma_map,
	.dma_unmap = fake_dma_unmap,
	.now_ns = fake_now_ns,
	.is_ram = fake_is_ram,
};

/* ---- A guest -------------------------------------------------------------------------- */

/* Frames from the top of memory: root, upper pages and leaves, then request pages. */
struct guest {
	struct fake *f;
	struct backend *b;
	uint64_t root;
	uint64_t next_free; /* goes down; atomic */
};

static inline void *guest_page(const struct fake *f, uint64_t pfn)
{
	return f->mem + pfn * PAGE;
}

static inline uint64_t guest_alloc(struct guest *g)
{
	return __atomic_sub_fetch(&g->next_free, 1, __ATOMIC_RELAXED);
}

/* Two levels: 2 GiB. */
static inline uint32_t *guest_unit(struct guest *g, uint64_t pfn)
{
	uint64_t *table = guest_page(g->f, g->root), *entry = &table[pfn / COIOMMU_LEAF_UNITS];
	uint64_t old = __atomic_load_n(entry, __ATOMIC_ACQUIRE);

	if (!old) {
		uint64_t new = guest_alloc(g) * PAGE | COIOMMU_ENTRY_PRESENT;

		if (__atomic_compare_exchange_n(entry, &old, new, 0, __ATOMIC_SEQ_CST,
						__ATOMIC_ACQUIRE))
			old = new;
	}
	return (uint32_t *)guest_page(g->f, old / PAGE) + pfn % COIOMMU_LEAF_UNITS;
}

static inline uint32_t guest_ring(struct guest *g, struct backend_vcpu *vcpu, uint64_t request_pfn)
{
	uint32_t value = (uint32_t)request_pfn;

	backend_port(g->b, vcpu, true, COIOMMU_REG_REQUEST, sizeof(value), &value);
	backend_port(g->b, vcpu, false, COIOMMU_REG_REQUEST, sizeof(value), &value);
	return value;
}

static inline uint32_t guest_command(struct guest *g, struct backend_vcpu *vcpu,
				     uint64_t request_pfn, uint32_t op)
{
	struct coiommu_request *r = guest_page(g->f, request_pfn);

	r->op = op;
	r->nr = 0;
	r->arg[0] = g->root;
	r->arg[1] = 2;
	r->arg[2] = COIOMMU_VERSION;
	return guest_ring(g, vcpu, request_pfn);
}

static inline uint32_t guest_pin(struct guest *g, struct backend_vcpu *vcpu, uint64_t request_pfn,
				 uint64_t pfn, uint32_t nr)
{
	struct coiommu_request *r = guest_page(g->f, request_pfn);

	r->op = COIOMMU_OP_PIN;
	r->nr = 1;
	r->entry[0] = COIOMMU_RUN(pfn, nr);
	return guest_ring(g, vcpu, request_pfn);
}

/* As the driver does it. Returns false, with nothing counted, if a page is refused. */
static inline bool guest_map(struct guest *g, struct backend_vcpu *vcpu, uint64_t request_pfn,
			     uint64_t pfn, uint32_t nr)
{
	uint32_t missing = 0, i;

	for (i = 0; i < nr; i++)
		missing += !(coiommu_unit_get(guest_unit(g, pfn + i)) & COIOMMU_UNIT_PINNED);
	if (missing)
		guest_pin(g, vcpu, request_pfn, pfn, nr);
	for (i = 0; missing && i < nr; i++) {
		if (coiommu_unit_load(guest_unit(g, pfn + i)) & COIOMMU_UNIT_PINNED)
			continue;
		for (i = 0; i < nr; i++)
			coiommu_unit_put(guest_unit(g, pfn + i));
		return false;
	}
	return true;
}

static inline void guest_unmap(struct guest *g, uint64_t pfn, uint32_t nr)
{
	for (uint32_t i = 0; i < nr; i++)
		coiommu_unit_put(guest_unit(g, pfn + i));
}

#endif
