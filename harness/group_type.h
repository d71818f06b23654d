/* SPDX-License-Identifier: GPL-2.0-only */
/* The type of a device's IOMMU group: how the kernel's own drivers' DMA is translated. */
#ifndef HARNESS_GROUP_TYPE_H
#define HARNESS_GROUP_TYPE_H

struct journal;

/* "identity", "DMA", "DMA-FQ", to free; NULL: no such device, no IOMMU, or an old kernel. */
char *group_type_read(const char *bdf);

/*
 * Takes the device from its driver, switches its group and gives it to this driver (NULL: to
 * none): the kernel allows the switch only without one. 0 or -errno, logged; the driver is bound
 * in any case. lock_fd: as in struct rebind. Journals nothing.
 */
int group_type_set(const char *bdf, const char *type, const char *driver, int lock_fd);

/*
 * The same with the driver that it has now, after journalling that and its type. Undo, or
 * journal_put_back() of the device, switches it back. The driver starts anew in any case: nothing
 * that was set in it lasts.
 */
int journal_group_type(struct journal *journal, const char *bdf, const char *type);

#endif
