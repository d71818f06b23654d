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
/* Leaf pages by block of 1024 pages, so that a lookup is one load; NULL until one is needed. */
extern u32 **coiommu_dtt_leaves;
extern u64 coiommu_dtt_nr_leaves;
/* Makes the leaf page of a block; NULL if memory is short. */
u32 *coiommu_dtt_make_leaf(u64 block);

/* The tracking unit of a page; NULL if it has none yet. */
static inline u32 *coiommu_dtt_peek(u64 pfn)
{
	u64 block = pfn >> COIOMMU_LEAF_BITS;
	u32 *leaf;

	if (unlikely(block >= coiommu_dtt_nr_leaves))
		return NULL;
	leaf = READ_ONCE(coiommu_dtt_leaves[block]);
	return likely(leaf) ? leaf + (pfn & (COIOMMU_LEAF_UNITS - 1)) : NULL;
}

/* The same, made if need be; NULL if the page is beyond the table or memory is short. */
static inline u32 *coiommu_dtt_unit(u64 pfn)
{
	u32 *unit = coiommu_dtt_peek(pfn);
	u32 *leaf;

	if (likely(unit) || pfn >> COIOMMU_LEAF_BITS >= coiommu_dtt_nr_leaves)
		return unit;
	leaf = coiommu_dtt_make_leaf(pfn >> COIOMMU_LEAF_BITS);
	return leaf ? leaf + (pfn & (COIOMMU_LEAF_UNITS - 1)) : NULL;
}

u64 coiommu_dtt_end_pfn(void);
u64 coiommu_dtt_root_pfn(void);
unsigned int coiommu_dtt_levels(void);
unsigned long coiommu_dtt_pages(void);

/* coiommu_track.c: counting mappings. All may be called in any context but NMI. */
/* 0, or -ENOMEM with every count undone if one page is not pinned afterwards. */
int coiommu_track(struct device *dev, phys_addr_t phys, size_t size);
void coiommu_untrack(struct device *dev, phys_addr_t phys, size_t size);
int coiommu_track_sg(struct device *dev, struct scatterlist *sgl, int nents);
/* True if an entry is a bounce buffer, which must be unmapped by way of the proxy, too. */
bool coiommu_untrack_sg(struct device *dev, struct scatterlist *sgl, int nents);
/*
 * Gives a list that is not mapped yet its addresses, and tracks it. -EOPNOTSUPP with nothing
 * tracked if the device cannot reach an entry as it is: then the proxy must map it.
 */
int coiommu_map_direct_sg(struct device *dev, struct scatterlist *sgl, int nents);

/* coiommu_request.c: asking the host. In any context but NMI, init and exit apart. */
int coiommu_request_init(void);
void coiommu_request_exit(void);
/* One request without entries. arg[6] is passed and replaced by the reply. */
u32 coiommu_command(u32 op, u64 *arg);
/* The devices that the host assigned; returns their number, or -errno. */
int coiommu_query_devices(u64 *ids, int max);

/* The host gives up those of the pages that have no count, as far as it holds them apart. */
void coiommu_release(u64 pfn, u64 nr);

/* coiommu_user.c: memory of user-space drivers. Open files keep the module. */
int coiommu_user_init(void);
void coiommu_user_exit(void);
/* Pages registered now; one that is registered twice counts twice. */
unsigned long coiommu_user_pages(void);

/* coiommu_stats.c, beside what coiommu_stats.h offers to other modules */
void coiommu_stats_reset(void);
void coiommu_latency_read(u64 *buckets);

/* coiommu_debugfs.c */
void coiommu_debugfs_init(void);
void coiommu_debugfs_exit(void);

#endif
