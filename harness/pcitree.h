/* SPDX-License-Identifier: GPL-2.0-only */
/* All PCI functions of the host, each with the bridges above it. */
#ifndef HARNESS_PCITREE_H
#define HARNESS_PCITREE_H

#include "harness/pciconf.h"

#define PCITREE_NONE SIZE_MAX

/* What the kernel knows of a function's isolation, whatever its ACS capability says (quirk.h). */
enum quirk_acs { QUIRK_NONE, QUIRK_ISOLATES, QUIRK_LEAKS, QUIRK_UNKNOWN };

struct pcitree_node {
	char bdf[20]; /* as sysfs names it */
	unsigned int domain, bus, devfn;
	size_t parent;	    /* the bridge above it; PCITREE_NONE: none, or it is adrift */
	size_t requester;   /* whose ID its DMA carries, being behind a VMD; else PCITREE_NONE */
	size_t physfn;	    /* of a virtual function, if it is there; else PCITREE_NONE */
	bool is_virtual;    /* a virtual function (SR-IOV) */
	bool root_bus;	    /* there is no bridge above it */
	bool adrift;	    /* its place below the root cannot be told, from here upwards */
	bool multifunction; /* one of several functions of a device, as the kernel counts */
	int type;	    /* as in struct pciconf, impossible switch ports put right */
	int group;	    /* of the IOMMU; -1: none */
	unsigned int vendor, device;
	enum quirk_acs quirk;
	uint64_t aliases[4]; /* bits of the devfns whose requester IDs it uses, too (quirk.h) */
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

/* An attribute that is one hexadecimal number; 0: not there. */
unsigned int pcitree_hex(const struct pcitree_node *node, const char *attribute);

/* 32 bits of its configuration space; ones beyond its end; false: they cannot be read. */
bool pcitree_read(const struct pcitree_node *node, size_t pos, uint32_t *value);

/* "root port", "conventional PCI" ... */
const char *pcitree_type_text(const struct pcitree_node *node);

#endif
