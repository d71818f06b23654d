/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of the coiommu module share. */
#ifndef COIOMMU_H
#define COIOMMU_H

#include <linux/dma-map-ops.h>
#include <linux/list.h>
#include <linux/percpu.h>
#include <linux/platform_device.h>
#include <linux/scatterlist.h>
#include <linux/types.h>

#include "coiommu_abi.h"
#include "coiommu_stats.h"

/*
 * One tracked device. The proxy has no DMA ops of its own: called with it, the kernel's
 * exported DMA functions do the direct mapping, bouncing included, with the real device's
 * limits. The direct functions themselves are not exported.
 */
struct coiommu_dev {
	struct list_head node;	/* protected by coiommu_devs_lock */
	struct device *dev;	/* holds a reference */
	struct platform_device *proxy;
	struct dma_map_ops ops;	/* own copy, so that ops lead to this structure */
	bool bound;		/* a driver holds a reference on this module */
};

extern struct list_head coiommu_devs;
extern struct mutex coiommu_devs_lock;
/* Parent of the proxies; stands for the driver itself where a device is asked for. */
extern struct platform_device *coiommu_parent;

/* coiommu_dma.c */
extern const struct dma_map_ops coiommu_dma_ops;

/* coiommu_dtt.c: the table. Leaf pages are added on demand and live until the module goes. */
int coiommu_dtt_init(void);
void coiommu_dtt_exit(void);
/* The tracking unit of a page; NULL if the page is beyond the table or memory is short. */
u32 *coiommu_dtt_unit(u64 pfn);
/* The same without creating anything. */
u32 *coiommu_dtt_peek(u64 pfn);
u64 coiommu_dtt_end_pfn(void);
u64 coiommu_dtt_root_pfn(void);
unsigned int coiommu_dtt_levels(void);
unsigned long coiommu_dtt_pages(void);

/* coiommu_track.c: counts and requests. All may be called in any context but NMI. */
int coiommu_track_init(void);
void coiommu_track_exit(void);
/* 0, or -ENOMEM with every count undone if one page is not pinned afterwards. */
int coiommu_track(struct device *dev, phys_addr_t phys, size_t size);
void coiommu_untrack(struct device *dev, phys_addr_t phys, size_t size);
int coiommu_track_sg(struct device *dev, struct device *proxy, struct scatterlist *sgl, int nents);
void coiommu_untrack_sg(struct device *dev, struct device *proxy, struct scatterlist *sgl,
			int nents);
/* One request without entries. arg[6] is passed and replaced by the reply. */
u32 coiommu_command(u32 op, u64 *arg);
/* The devices that the host assigned; returns their number, or -errno. */
int coiommu_query_devices(u64 *ids, int max);
void coiommu_stats_reset(void);
void coiommu_latency_read(u64 *buckets);

/* coiommu_debugfs.c */
void coiommu_debugfs_init(void);
void coiommu_debugfs_exit(void);

#endif
