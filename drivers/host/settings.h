/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Settings of the backend, from the environment of the VMM:
 *
 *   COIOMMU_COUNTERS=FILE    create FILE and keep the counters there, not in a memfd
 *   COIOMMU_UNPIN=lru        off, lru or adaptive
 *   COIOMMU_INTERVAL_MS=10000  of unpinning; adaptive starts here and stays within 1/8 .. 8 times
 *   COIOMMU_LIMIT=0          pages released per interval at most; 0: no limit
 *   COIOMMU_GENERATIONS=0    a page busy in so many intervals is looked at only every so many
 *   COIOMMU_QUOTA=0          bytes pinned at most; 0: no quota; k, M and G may follow
 *   COIOMMU_MAPPINGS=auto    VFIO mappings at most; auto: a little below dma_entry_limit
 *   COIOMMU_RANGE=16         pages in one mapping at most, a power of two; 1: single pages
 *   COIOMMU_SPECULATE=0      widest neighbourhood pinned unasked, a power of two; 0: off
 *   COIOMMU_BEFORE=refuse    DMA while no table is active: refuse, or static (all pinned)
 *   COIOMMU_BATCH=256        tracking units looked at per lock hold when unpinning
 *   COIOMMU_LOG=0            1: one line per event on standard error
 *   COIOMMU_TRACE=0          1: keep a log for replays in a memfd (record.h)
 *   COIOMMU_STRICT=0         1: abort if the VM starts without guest memory seen in VFIO
 *   COIOMMU_BREAK=           negative controls for tests: no-pin (answer without pinning) or
 *                            release (unpin pages in use). Never in a measurement.
 *   COIOMMU_BREAK_AFTER=0    no-pin begins when so many pages are pinned
 */
#ifndef COIOMMU_SETTINGS_H
#define COIOMMU_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy.h"

struct settings {
	struct policy_config policy;
	const char *counters_path; /* not owned; NULL: in a memfd */
	bool mappings_auto;
	bool static_before;
	bool log;
	bool strict;
	bool trace;
	bool break_pin;
	uint64_t break_after;
	bool no_thread; /* not from the environment: tests call backend_scan() */
	uint32_t batch;
};

/*
 * Reads the settings through get (getenv). Returns 0, or -EINVAL with the reason in error:
 * a variable that starts with COIOMMU_ and is wrong must never be ignored.
 */
int settings_read(struct settings *s, char *(*get)(const char *name), char *error, size_t size);

#endif
