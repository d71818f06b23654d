/* SPDX-License-Identifier: GPL-2.0-only */
/* What a PCI function's configuration space says about its kind and its access control (ACS). */
#ifndef HARNESS_PCICONF_H
#define HARNESS_PCICONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PCICONF_MAX 4096 /* bytes of a PCI Express function's configuration space */
#define PCICONF_CONVENTIONAL (-1)

struct pciconf {
	bool readable; /* all that follows is known; an unprivileged user sees the first 64 bytes */
	const char *broken; /* what is wrong with it, in a few words; NULL: nothing */
	int type;	    /* PCI_EXP_TYPE_* of linux/pci_regs.h, or PCICONF_CONVENTIONAL */
	bool multifunction; /* the bit in the header */
	bool bridge;	    /* has a bus behind it */
	bool has_acs;
	size_t acs_at;			   /* where its capability is */
	uint16_t acs_capable, acs_enabled; /* PCI_ACS_* */
};

/*
 * Parses a configuration space of len bytes as the kernel does: a capability list that loops or
 * points nowhere ends there, with what was found before, and is noted in broken. Spaces have 256
 * bytes or 4096; what a list leads to beyond the end of any other is unknown: not readable.
 */
void pciconf_parse(const uint8_t *bytes, size_t len, struct pciconf *out);

/* The same of a file of that size in sysfs, of which an unprivileged user can read the start. */
void pciconf_read(int fd, size_t size, struct pciconf *out);

#endif
