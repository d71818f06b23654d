/* SPDX-License-Identifier: GPL-2.0-only */
/* Registers of a device that another IOMMU group keeps apart, as the host's CPU sees them. */
#ifndef BENCH_ROGUE_REGISTERS_H
#define BENCH_ROGUE_REGISTERS_H

#include <stdint.h>

#include "bench/rogue/judge.h"

struct host;
struct registers;

/*
 * Of a device of the host file (edu or nvme) in another group than that of the device at address
 * own: ROGUE_MARK bytes of registers that can be read without any effect. The CPU reads them at
 * that time, so that a DMA that is let through is known to find them. Not where the guest has
 * something of its own: guest_bytes of memory, or the registers in bars, the guest's sysfs file
 * "resource" of its device. In edu, if no driver has it, they are made unique. 0, or -errno with
 * *why, to free: why there are none, and the remedy.
 */
int registers_open(const struct host *host, const char *own, const char *bars, uint64_t guest_bytes,
		   struct registers **out, char **why);
void registers_close(struct registers *registers);

/* Where they are, in the host's physical memory. */
uint64_t registers_address(const struct registers *registers);
/* What the CPU reads there at this moment. */
void registers_read(const struct registers *registers, uint8_t *content);

#endif
