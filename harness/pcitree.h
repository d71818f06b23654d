/* SPDX-License-Identifier: GPL-2.0-only */
/* All PCI functions of the host, each with the bridges above it. */
#ifndef HARNESS_PCITREE_H
#define HARNESS_PCITREE_H

#include "harness/pciconf.h"

#define PCITREE_NONE SIZE_MAX

struct pcitree_node {
	char bdf[20]; /* as sysfs names it */
	unsigned int domain, bus, devfn;
	size_t parent;	    /* the bridge above it; PCITREE_NONE: it is on a root bus */
	size_t requester;   /* whose ID its DMA carries, being behind a VMD; else PCITREE_NONE */
	size_t physfn;	    /* of a virtual function, if it is there; else PCITREE_NONE */
	bool is_virtual;    /* a virtual function (SR-IOV) */
	bool multifunction; /* one of several functions of a device, as the kernel counts */
	int type;	    /* as in struct pciconf, impossible switch ports put right */
	int group;	    /* of the IOMMU; -1: none */
	struct pciconf conf;
};
/* By address, so that bridges come before what is behind them. */
struct pcitree {
	struct pcitree_node *nodes;
	size_t nr;
};

/* Reads sysfs. What cannot be read is not there. Free with pcitree_free(). */
void pcitree_load(struct pcitree *tree);
void pcitree_free(struct pcitree *tree);

/* The node of that address, or PCITREE_NONE. */
size_t pcitree_find(const struct pcitree *tree, const char *bdf);

/* "root port", "conventional PCI" ... */
const char *pcitree_type_text(const struct pcitree_node *node);

#endif
