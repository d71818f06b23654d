/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The guest's memory as VFIO containers see it: which guest pages exist, where the VMM has
 * them, which containers reach them, and whether they are pinned on request (lazy) or all the
 * time (static). Not thread-safe.
 */
#ifndef COIOMMU_MEMMAP_H
#define COIOMMU_MEMMAP_H

#include <stdbool.h>
#include <stdint.h>

#include "policy.h"

#define MEMMAP_CONTAINERS 32

struct memmap_region {
	uint64_t iova, size; /* multiples of the page size */
	uint64_t vaddr;
	uint32_t flags;	     /* of the VFIO mapping */
	uint32_t containers; /* bit per container */
	bool lazy;
	bool writable; /* else it stays static whatever the policy */
};

struct memmap {
	struct memmap_region *regions;
	uint32_t nr, cap;
};

/* Adds a region for one container, or one more container to an equal region. */
struct memmap_region *memmap_add(struct memmap *map, const struct memmap_region *region);
/*
 * Takes [iova, iova + size) from the containers in the mask, splitting regions at the edges.
 * Returns the bytes taken.
 */
uint64_t memmap_remove(struct memmap *map, uint64_t iova, uint64_t size, uint32_t containers);
/* The first region that overlaps the range and shares a container with the mask, or NULL. */
struct memmap_region *memmap_find(const struct memmap *map, uint64_t iova, uint64_t size,
				  uint32_t containers);
/* The same, but it must hold the range completely. */
struct memmap_region *memmap_find_whole(const struct memmap *map, uint64_t iova, uint64_t size,
					uint32_t containers);
/* What the policy is told of a frame: see struct policy_ops. */
enum policy_memory memmap_memory(const struct memmap *map, uint64_t pfn, uint64_t *end);
uint64_t memmap_bytes(const struct memmap *map, bool static_only);
void memmap_free(struct memmap *map);

#endif
