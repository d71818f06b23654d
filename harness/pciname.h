/* SPDX-License-Identifier: GPL-2.0-only */
/* Names of PCI devices, from the system's pci.ids. */
#ifndef HARNESS_PCINAME_H
#define HARNESS_PCINAME_H

struct pci_access;

/* The list of names; free with pciname_close(). */
struct pci_access *pciname_open(void);
void pciname_close(struct pci_access *names);

/* "Intel Corporation 82574L Gigabit Network Connection", to free; unknown ones by number. */
char *pciname_device(struct pci_access *names, unsigned int vendor, unsigned int device);
/* "Ethernet controller", of a class' upper 16 bits; to free. */
char *pciname_class(struct pci_access *names, unsigned int class);

#endif
