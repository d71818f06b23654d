/* SPDX-License-Identifier: GPL-2.0-only */
/* What several modes switch in the guest, and read back to prove that they are active. */
#ifndef BENCH_MODES_PROOF_H
#define BENCH_MODES_PROOF_H

#include <jansson.h>

struct boot;

/* The guest's kernel runs no IOMMU at all. 0, -EPROTO with a reason, or -errno. */
int proof_no_guest_iommu(struct boot *boot, json_t *proof);

/*
 * Switches the type of the assigned device's IOMMU group in the guest, before the device's driver
 * is there. 0 or -errno with a reason.
 */
int guest_group_type(struct boot *boot, const char *type);

/*
 * The assigned device's IOMMU group in the guest has this type: DMA (strict), DMA-FQ
 * (deferred), identity. 0, -EPROTO with a reason, or -errno.
 */
int proof_guest_group_type(struct boot *boot, const char *type, json_t *proof);

#endif
