/* SPDX-License-Identifier: GPL-2.0-only */
/* PCI devices of the host, read from sysfs. */
#ifndef HARNESS_PCI_H
#define HARNESS_PCI_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct strlist;

/*
 * The mounts of sysfs, procfs and devtmpfs: "/sys", "/proc", "/dev" unless the tests point them
 * at trees of their own. journal.c and check.c use them too.
 */
extern const char *sysfs_root, *procfs_root, *devfs_root;

/* The name that VFIO gives the groups it makes where there is no IOMMU. */
#define PCI_NOIOMMU "vfio-noiommu"

/* Is the text a full address, dddd:bb:dd.f, in lower case as sysfs has it? */
bool pci_address_valid(const char *bdf);

/* Name of the driver bound to it, to free; NULL: none (errno 0) or no such device (ENODEV). */
char *pci_driver(const char *bdf);

/* "0x8086:0x10d3", its vendor and kind, to free; NULL: unreadable. */
char *pci_id(const char *bdf);

/* Its IOMMU group number, or -ENODEV (no such device), -ENOENT (no IOMMU). */
int pci_iommu_group(const char *bdf);

/* Total bytes of its memory BARs, which VFIO maps for peer DMA beside the guest's memory. */
uint64_t pci_bar_bytes(const char *bdf);

/* The path of an attribute in sysfs, to free. */
char *pci_path(const char *bdf, const char *attribute);

/*
 * What the host uses on its block devices (mounted file systems, active swap, claims of RAID, LVM
 * or ZFS), as a share (9p) or on its network interfaces (a default route, an address, a bond, a
 * bridge), through whatever is built upon them: "reason: remedy", to free; NULL: nothing.
 */
char *pci_block_use(const char *bdf);
char *pci_share_use(const char *bdf);
char *pci_net_use(const char *bdf);

/*
 * May the harness take this device from the host? 0, or -errno with "reason: remedy" in *why
 * (to free): -ENODEV no such device; -ENOENT no IOMMU group, or vfio-pci is not loaded; -EBUSY it
 * holds a mounted file system, active swap, the default route or an address (itself, or through
 * LVM, RAID, a bond, a bridge ...), is a bridge or the host's console, has virtual functions, is
 * one that vfio-pci or (for its RMRR) the kernel gives to no guest, or its group is not viable:
 * another device of it is bound to a host driver.
 */
int pci_assignable(const char *bdf, char **why);

/*
 * The same if the devices in with (NULL: none) are taken together with it: they must share its
 * group, the host must be able to do without each, and they may be bound to host drivers.
 */
int pci_assignable_with(const char *bdf, const struct strlist *with, char **why);

/* What speaks against it, yet does not forbid it: "reason: remedy", to free, or NULL. */
char *pci_caution(const char *bdf);

/* The ways the kernel can reset it, as "flr bus", to free; NULL: none. */
char *pci_reset_methods(const char *bdf);

/* Cuts "reason: remedy" behind the reason and returns the remedy, within why; NULL: it has none. */
char *pci_split_why(char *why);

#endif
