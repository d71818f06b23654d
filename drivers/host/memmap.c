// SPDX-License-Identifier: GPL-2.0-only
/* The guest's memory as VFIO containers see it; see memmap.h. */
#include "memmap.h"

#include <stdlib.h>

static struct memmap_region *append(struct memmap *map, const struct memmap_region *region)
{
	if (map->nr == map->cap) {
		map->cap = map->cap ? map->cap * 2 : 16;
		map->regions = reallocarray(map->regions, map->cap, sizeof(*map->regions));
		if (!map->regions)
			abort();
	}
	map->regions[map->nr] = *region;
	return &map->regions[map->nr++];
}

struct memmap_region *memmap_add(struct memmap *map, const struct memmap_region *region)
{
	for (uint32_t i = 0; i < map->nr; i++) {
		struct memmap_region *r = &map->regions[i];

		if (r->iova == region->iova && r->size == region->size &&
		    r->vaddr == region->vaddr && r->flags == region->flags &&
		    r->lazy == region->lazy) {
			r->containers |= region->containers;
			return r;
		}
	}
	return append(map, region);
}

/* Part [iova, iova + size) of a region; both lie inside it. */
static struct memmap_region part(const struct memmap_region *r, uint64_t iova, uint64_t size)
{
	struct memmap_region p = *r;

	p.vaddr += iova - r->iova;
	p.iova = iova;
	p.size = size;
	return p;
}

uint64_t memmap_remove(struct memmap *map, uint64_t iova, uint64_t size, uint32_t containers)
{
	uint64_t end = size > UINT64_MAX - iova ? UINT64_MAX : iova + size, taken = 0;
	uint32_t nr = map->nr;

	for (uint32_t i = 0; i < nr; i++) {
		struct memmap_region r = map->regions[i], piece;
		uint64_t from = r.iova > iova ? r.iova : iova;
		uint64_t to = r.iova + r.size < end ? r.iova + r.size : end;

		if (from >= to || !(r.containers & containers))
			continue;
		taken += to - from;
		map->regions[i].containers = 0; /* replaced by what is left of it */
		if (from > r.iova) {
			piece = part(&r, r.iova, from - r.iova);
			append(map, &piece);
		}
		if (to < r.iova + r.size) {
			piece = part(&r, to, r.iova + r.size - to);
			append(map, &piece);
		}
		if (r.containers & ~containers) {
			piece = part(&r, from, to - from);
			piece.containers &= ~containers;
			append(map, &piece);
		}
	}
	for (uint32_t i = 0; i < map->nr;) {
		if (!map->regions[i].containers)
			map->regions[i] = map->regions[--map->nr];
		else
			i++;
	}
	return taken;
}

struct memmap_region *memmap_find(const struct memmap *map, uint64_t iova, uint64_t size,
				  uint32_t containers)
{
	for (uint32_t i = 0; i < map->nr; i++) {
		struct memmap_region *r = &map->regions[i];

		if (r->iova < iova + size && iova < r->iova + r->size &&
		    (r->containers & containers))
			return r;
	}
	return NULL;
}

struct memmap_region *memmap_find_whole(const struct memmap *map, uint64_t iova, uint64_t size,
					uint32_t containers)
{
	for (uint32_t i = 0; i < map->nr; i++) {
		struct memmap_region *r = &map->regions[i];

		if (r->iova <= iova && iova - r->iova <= r->size &&
		    size <= r->size - (iova - r->iova) && (r->containers & containers))
			return r;
	}
	return NULL;
}

enum policy_memory memmap_memory(const struct memmap *map, uint64_t pfn, uint64_t *end)
{
	const struct memmap_region *r;

	*end = pfn + 1;
	if (pfn > UINT64_MAX / COIOMMU_PAGE_SIZE)
		return POLICY_MEMORY_NONE;
	r = memmap_find_whole(map, pfn * COIOMMU_PAGE_SIZE, COIOMMU_PAGE_SIZE, UINT32_MAX);
	if (!r)
		return POLICY_MEMORY_NONE;
	*end = (r->iova + r->size) / COIOMMU_PAGE_SIZE;
	return r->lazy ? POLICY_MEMORY_LAZY : POLICY_MEMORY_STATIC;
}

uint64_t memmap_bytes(const struct memmap *map, bool static_only)
{
	uint64_t bytes = 0;

	for (uint32_t i = 0; i < map->nr; i++) {
		if (!static_only || !map->regions[i].lazy)
			bytes += map->regions[i].size;
	}
	return bytes;
}

void memmap_free(struct memmap *map)
{
	free(map->regions);
	map->regions = NULL;
	map->nr = map->cap = 0;
}
