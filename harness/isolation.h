/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which PCI functions the kernel takes for isolated from each other, by its own rules
 * (pci_acs_enabled() of drivers/pci/pci.c, pci_device_group() of drivers/iommu/iommu.c, Linux 6.1),
 * and the IOMMU groups that follow, with what the kernel knows of single devices (quirk.h).
 */
#ifndef HARNESS_ISOLATION_H
#define HARNESS_ISOLATION_H

#include "harness/pcitree.h"

/* Does a function keep what is behind or beside it from reaching others without the IOMMU? */
enum isolation_verdict {
	ISOLATION_ON,		 /* the required ACS features are on, or hard-wired */
	ISOLATION_NOT_NEEDED,	 /* a device with one function: nothing is beside it */
	ISOLATION_QUIRK,	 /* the kernel knows that it does */
	ISOLATION_QUIRK_LEAKS,	 /* the kernel knows that it does not */
	ISOLATION_NO_CAPABILITY, /* it should have ACS, and has none */
	ISOLATION_OFF,		 /* it has ACS, with required features off */
	ISOLATION_CONVENTIONAL,	 /* a shared bus: never */
	ISOLATION_BRIDGE,	 /* a bridge between PCI and PCI Express, or alike: never */
	ISOLATION_UNKNOWN,	 /* its configuration space cannot be read */
};
enum isolation_verdict isolation_of(const struct pcitree_node *node);
/* Only the first three are. */
bool isolation_ok(enum isolation_verdict verdict);

/* "has no ACS capability", "has ACS with RR and CR off" ...; to free. */
char *isolation_text(const struct pcitree_node *node);
/* "SV RR CR UF" of PCI_ACS_* bits, "none" of 0; to free. */
char *isolation_flags_text(uint16_t flags);
/* Names of the single features, by bit; NULL ends. */
extern const char *const isolation_flag_names[];

/* Why a function is in the group it is in, if that was there before it. */
enum isolation_cause {
	CAUSE_NONE,	 /* it began one */
	CAUSE_REQUESTER, /* behind a VMD, whose requester ID its DMA carries */
	CAUSE_ALIAS,	 /* behind a bridge that puts its own requester ID upon all DMA */
	CAUSE_PATH,	 /* a bridge on its way to the root does not isolate */
	CAUSE_SHARED_ID, /* it has another function's requester ID, or that has its */
	CAUSE_FUNCTION,	 /* functions of its device can reach each other */
};
struct isolation_member {
	int group; /* counted from 0; -1: the function is not translated */
	enum isolation_cause cause;
	size_t culprit; /* node that is to blame; PCITREE_NONE: none */
	size_t with;	/* node whose group it joined; PCITREE_NONE: none */
};
struct isolation_groups {
	struct isolation_member *members; /* one for each node of the tree */
};

/* Of a host without any IOMMU group, those there would be. Free with isolation_free(). */
void isolation_predict(const struct pcitree *tree, struct isolation_groups *groups);
void isolation_free(struct isolation_groups *groups);

/*
 * Can all be read that its group depends on: its way to the root, and functions that may be joined
 * to those on the way? Else what is predicted of it means nothing.
 */
bool isolation_known(const struct pcitree *tree, size_t node);

/* How the kernel's group of a node relates to the predicted one. */
enum isolation_match { MATCH_UNKNOWN, MATCH_SAME, MATCH_SMALLER, MATCH_LARGER, MATCH_OTHER };
enum isolation_match isolation_compare(const struct pcitree *tree,
				       const struct isolation_groups *groups, size_t node);

#endif
