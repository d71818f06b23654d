/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the kernel knows of single PCI devices beside what they say themselves (the tables of
 * drivers/pci/quirks.c, Linux 6.1): which isolate without ACS, which use a requester ID that is
 * not theirs. Left out is what depends on a device's memory or the firmware's tables: proxy IDs of
 * Switchtec's non-transparent bridges, aliases that an AMD IOMMU's IVRS names.
 */
#ifndef HARNESS_QUIRK_H
#define HARNESS_QUIRK_H

#include "harness/pcitree.h"

/* Fills in what nodes say of quirks, and puts right ACS registers that are not where they belong.
 */
void quirk_apply(struct pcitree *tree);

/* Do two functions of one bus use each other's requester IDs? */
bool quirk_aliases(const struct pcitree_node *one, const struct pcitree_node *other);

#endif
