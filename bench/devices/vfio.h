/* SPDX-License-Identifier: GPL-2.0-only */
/* What all devices assigned with VFIO share. */
#ifndef BENCH_DEVICES_VFIO_H
#define BENCH_DEVICES_VFIO_H

#include "bench/device.h"

/* The host file names a device of this kind, and it may be taken. As device_ops.probe. */
int vfio_probe(const struct host *host, const char *kind, char **why);
/* Binds it to vfio-pci through the journal. */
int vfio_bind(struct boot *boot, const char *kind);
/* Adds it to the VM, at BOOT_DEVICE_SLOT. */
void vfio_configure(const struct host *host, const char *kind, struct vm_config *vm);

#endif
