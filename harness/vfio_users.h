/* SPDX-License-Identifier: GPL-2.0-only */
/* Who has a device open through VFIO? */
#ifndef HARNESS_VFIO_USERS_H
#define HARNESS_VFIO_USERS_H

/*
 * The processes that have its group's or its own file below /dev/vfio open: "/dev/vfio/7 is open
 * in process 12 (qemu-system-x86)", to free; NULL: none that can be seen.
 */
char *vfio_users(const char *bdf);

#endif
