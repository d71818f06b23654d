/* SPDX-License-Identifier: GPL-2.0-only */
/* Recording a trace of a running VM: coIOMMU's tracepoints in the guest, its log in the host. */
#ifndef BENCH_RECORD_RECORDING_H
#define BENCH_RECORD_RECORDING_H

#include <stdint.h>

#include "bench/coiommu.h"
#include "drivers/include/coiommu_trace_file.h"

struct boot;
struct cell_run;
struct recording;

/*
 * In the guest, with its driver loaded and no device bound: events are kept in so many bytes
 * of memory, and it is an error if they do not suffice. 0 or -errno, with boot_fail()'s reason.
 */
int recording_start(struct boot *boot, uint64_t buffer_bytes);

/* Never NULL. */
struct recording *recording_open(struct boot *boot);
void recording_close(struct recording *r);
/* A window begins or ends. */
void recording_mark(struct recording *r, enum trace_mark mark, const struct coiommu_snapshot *at);
/*
 * Writes trace.coit into the cell's folder: all since the guest's driver was loaded, with the
 * cell's marks. A trace that would not be complete is not written, and the cell is invalid.
 * 0 or -errno, logged.
 */
int recording_save(struct recording *r, struct cell_run *run,
		   const struct coiommu_counters *counters);

#endif
