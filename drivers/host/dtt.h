/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Walking the guest's DMA tracking table. The table is guest memory and hostile: every entry
 * is read once, every frame goes through the caller's translation, and a walk takes as many
 * steps as the table has levels, so that loops in it do no harm.
 */
#ifndef COIOMMU_DTT_H
#define COIOMMU_DTT_H

#include <stdint.h>

#include "coiommu_abi.h"

/* Host address of a guest page, or NULL if pfn is not guest memory. */
typedef void *(*dtt_page_fn)(void *ctx, uint64_t pfn);

struct dtt {
	uint64_t root_pfn;
	uint32_t levels; /* 0: no table */
};

/* Accepts a table whose shape is possible and whose root is guest memory. 0 or -EINVAL. */
int dtt_set(struct dtt *dtt, uint64_t root_pfn, uint64_t levels, dtt_page_fn page, void *ctx);
void dtt_clear(struct dtt *dtt);

/* First block number that the table cannot hold. */
uint64_t dtt_blocks(const struct dtt *dtt);

/* The leaf page of a block (1024 units), or NULL. */
uint32_t *dtt_leaf(const struct dtt *dtt, uint64_t block, dtt_page_fn page, void *ctx);

#endif
