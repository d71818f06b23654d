/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The backend proper: decides what happens to the VMM's VFIO mappings of guest memory and
 * answers the guest's requests. System calls go through struct backend_sys, so that tests
 * run it against an imitation. All functions may be called from any thread.
 */
#ifndef COIOMMU_BACKEND_H
#define COIOMMU_BACKEND_H

#include <stdbool.h>
#include <stdint.h>

#include "coiommu_abi.h"
#include "coiommu_counters.h"
#include "settings.h"

struct backend_sys {
	/* VFIO_IOMMU_MAP_DMA and VFIO_IOMMU_UNMAP_DMA on a container. 0 or -errno. */
	int (*dma_map)(void *ctx, int fd, uint64_t iova, uint64_t vaddr, uint64_t size,
		       uint32_t flags);
	int (*dma_unmap)(void *ctx, int fd, uint64_t iova, uint64_t size);
	uint64_t (*now_ns)(void *ctx);
	/* Is this the guest's main memory, as opposed to a device's? */
	bool (*is_ram)(void *ctx, uint64_t iova, uint64_t vaddr, uint64_t size);
};

struct backend;

/* One vCPU thread's private state; only that thread uses it. */
struct backend_vcpu {
	struct coiommu_vcpu_counters *n;
	uint32_t status;		/* what COIOMMU_REG_REQUEST reads as */
	struct coiommu_request request; /* copy: the guest cannot change it any more */
};

/* Never NULL. All three must outlive the backend. */
struct backend *backend_new(const struct settings *settings, const struct backend_sys *sys,
			    void *ctx, struct coiommu_counters *counters);
void backend_free(struct backend *b);

/* The VMM's calls. BACKEND_PASS: not ours, make the call as it is. Else its result. */
#define BACKEND_PASS 1
int backend_dma_map(struct backend *b, int fd, uint64_t iova, uint64_t vaddr, uint64_t size,
		    uint32_t flags);
/* *lazy_bytes: to be added to what the real call reports if the result is BACKEND_PASS. */
int backend_dma_unmap(struct backend *b, int fd, uint64_t iova, uint64_t size,
		      uint64_t *lazy_bytes);
/* fd is a fresh container, whatever it was before. */
void backend_container(struct backend *b, int fd);
/* An assigned device, as COIOMMU_DEVICE(). */
void backend_device(struct backend *b, uint64_t id);
/* Perhaps the machine is being reset: no background work until a vCPU runs or it was. */
void backend_device_reset(struct backend *b);
/* A vCPU is about to run. Cheap. */
void backend_vcpu_runs(struct backend *b);
/* The machine was reset: the table is gone. No vCPU may run. */
void backend_vm_reset(struct backend *b);

struct backend_vcpu *backend_vcpu_new(struct backend *b);
/* Access of size bytes to port COIOMMU_PORT + offset. */
void backend_port(struct backend *b, struct backend_vcpu *vcpu, bool write, uint32_t offset,
		  uint32_t size, void *data);

/* One batch of background unpinning; true if there is more to do at once. For tests. */
bool backend_scan(struct backend *b);

#endif
