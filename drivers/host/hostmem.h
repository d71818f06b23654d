/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Tells the guest's main memory from everything else a VMM maps for devices (BARs of other
 * assigned devices, video memory, firmware), by what backs it.
 *
 * Main memory is a memfd or another regular file, or anonymous memory that either holds guest
 * address 0 or is at least 64 MiB large. Anything a device backs passes through, and so does
 * memory at an address where KVM does not show it to the guest (a vIOMMU's mappings).
 * Known limit: shared memory of an ivshmem device looks like main memory.
 */
#ifndef COIOMMU_HOSTMEM_H
#define COIOMMU_HOSTMEM_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* A memory slot was given to KVM. Size 0 (removal) is ignored: the layout is remembered. */
void hostmem_slot(uint64_t gpa, uint64_t vaddr, uint64_t size);
/* maps: /proc/self/maps, or an imitation of it, from its beginning. */
bool hostmem_is_ram(FILE *maps, uint64_t iova, uint64_t vaddr, uint64_t size);
/* For tests. */
void hostmem_reset(void);

#endif
