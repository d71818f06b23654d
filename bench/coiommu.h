/* SPDX-License-Identifier: GPL-2.0-only */
/* How mode, metrics and workloads reach the two halves of coIOMMU in a running VM. */
#ifndef BENCH_COIOMMU_H
#define BENCH_COIOMMU_H

#include <stdint.h>
#include <sys/types.h>

#include "drivers/include/coiommu_abi.h"
#include "drivers/include/coiommu_counters.h"

struct guest;

#define COIOMMU_DEBUGFS "/sys/kernel/debug/coiommu"

/*
 * Maps the counters of the backend in QEMU's process, read-only; they stay readable when QEMU
 * is gone. NULL with errno: ENOENT if that QEMU has no backend. To release with
 * coiommu_counters_unmap().
 */
const struct coiommu_counters *coiommu_counters_map(pid_t pid);
void coiommu_counters_unmap(const struct coiommu_counters *counters);

/* What all vCPUs did together. */
struct coiommu_requests {
	uint64_t exits, pin_requests, bad, refused;
};
void coiommu_requests(const struct coiommu_counters *counters, struct coiommu_requests *sum);

/*
 * The counters of one moment. While the backend keeps a log, seq / 2 is the number of its calls
 * of the policy by then, and everything is what exactly these left.
 */
struct coiommu_snapshot {
	uint64_t seq;
	struct coiommu_policy_counters policy;
	struct coiommu_requests requests;
};
void coiommu_snapshot(const struct coiommu_counters *counters, struct coiommu_snapshot *s);
/* The backend's log, to read and close; -1 with errno, ENOENT if it keeps none. */
int coiommu_log_open(pid_t pid);

/*
 * The value behind "name " in text of "name value" lines, as in the guest driver's stats and
 * in dmamap's result. 0, or -ENOENT.
 */
int coiommu_stat(const char *text, const char *name, double *value);

#endif
