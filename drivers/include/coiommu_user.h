/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * coIOMMU: how a user-space driver (DPDK, SPDK) makes its memory known to the guest driver.
 * Such a driver bypasses the DMA API, and a device is blocked from memory that nobody counts.
 * Compiles in the kernel and in user space.
 *
 *   1. open the device file before the PCI device is opened (see below)
 *   2. COIOMMU_USER_REGISTER what the device is to access; afterwards it is pinned by the host
 *      at its guest-physical addresses, those of /proc/self/pagemap
 *   3. start the device; stop it
 *   4. COIOMMU_USER_UNREGISTER, or close the file, which unregisters everything
 *
 * The device must have stopped before 4. When a process dies, the kernel closes its files in no
 * order that is promised; Linux 6.1 begins with the highest descriptor. So the file opened first
 * is closed last, when uio_pci_generic has already disabled the device's bus mastering. A file that
 * is closed with memory still registered makes the host give that memory up before the guest
 * reuses it, as far as no other mapping shares its pages; UNREGISTER leaves it to lazy unpinning.
 */
#ifndef COIOMMU_USER_H
#define COIOMMU_USER_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define COIOMMU_USER_PATH "/dev/coiommu"
#define COIOMMU_USER_VERSION 1
#define COIOMMU_USER_REGIONS 4096 /* an open file can register */

/* Of the process that opened the file; both multiples of the page size, 4 KiB. */
struct coiommu_user_range {
	__u64 vaddr;
	__u64 length;
};

/* Returns COIOMMU_USER_VERSION of the driver; another one is incompatible. */
#define COIOMMU_USER_GET_VERSION _IO(0xc1, 0)
/*
 * All of the range or nothing. EINVAL: empty, unaligned or beyond the address space. EBUSY: part
 * of it is registered already. EFAULT: not all of it is writable memory. ENOMEM: no memory, more
 * than there is, or the host refuses (quota). ENOSPC: too many ranges. EPERM: another process
 * opened the file.
 */
#define COIOMMU_USER_REGISTER _IOW(0xc1, 1, struct coiommu_user_range)
/* ENOENT: exactly this range is not registered. EINVAL and EPERM as above. */
#define COIOMMU_USER_UNREGISTER _IOW(0xc1, 2, struct coiommu_user_range)

_Static_assert(sizeof(struct coiommu_user_range) == 2 * sizeof(__u64), "part of the ioctls");

#endif
