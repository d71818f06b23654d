/* SPDX-License-Identifier: GPL-2.0-only */
/* What the modes built on coIOMMU's drivers share. */
#ifndef BENCH_MODES_COIOMMU_H
#define BENCH_MODES_COIOMMU_H

#include <jansson.h>

#include "bench/mode.h"

/* Pages are pinned in small mappings, more of them than VFIO allows by default. */
extern const struct host_write coiommu_host_writes[];

/* Puts the backend into QEMU's process, with its own defaults for all that env does not say. */
void coiommu_preload(struct vm_config *vm);

/* Loads the guest's driver. As mode_ops.guest_setup. */
int coiommu_guest_setup(struct boot *boot, const struct settings *settings);

/*
 * The guest's driver tracks the device and has asked for pages; the backend works with its table,
 * and VFIO holds nothing but what it pinned. 0, -EPROTO with a reason, or -errno.
 */
int coiommu_prove_tracking(struct boot *boot, json_t *proof);

#endif
