/* SPDX-License-Identifier: GPL-2.0-only */
/* PCI devices of the host, read from sysfs. */
#ifndef HARNESS_PCI_H
#define HARNESS_PCI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The mounts of sysfs, procfs and devtmpfs: "/sys", "/proc", "/dev" unless the tests point them
 * at trees of their own. journal.c and check.c use them too.
 */
extern const char *sysfs_root, *procfs_root, *devfs_root;

/* Is the text a full address, dddd:bb:dd.f, in lower case as sysfs has it? */
bool pci_address_valid(const char *bdf);

/* Name of the driver bound to it, to free; NULL: none (errno 0) or no such device (ENODEV). */
char *pci_driver(const char *bdf);

/* Its IOMMU group number, or -ENODEV (no such device), -ENOENT (no IOMMU). */
int pci_iommu_group(const char *bdf);

/* Total bytes of its memory BARs, which VFIO maps for peer DMA beside the guest's memory. */
uint64_t pci_bar_bytes(const char *bdf);

/*
 * May the harness take this device from the host? 0, or -errno with "reason: remedy" in *why
 * (to free): -ENODEV no such device, -ENOENT no IOMMU group, -EBUSY it holds a mounted file
 * system, active swap or the default route (itself, or through LVM, RAID, a bond, a bridge ...),
 * is a bridge, has virtual functions, or another device of its group is bound to a host driver
 * that is neither vfio-pci nor a bridge's.
 */
int pci_assignable(const char *bdf, char **why);

#endif
