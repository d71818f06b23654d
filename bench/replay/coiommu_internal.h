/* SPDX-License-Identifier: GPL-2.0-only */
/* What the guest's and the host's half of coIOMMU in a replay share; nobody else includes this. */
#ifndef BENCH_REPLAY_COIOMMU_INTERNAL_H
#define BENCH_REPLAY_COIOMMU_INTERNAL_H

#include "bench/replay/replay.h"
#include "bench/replay/table.h"
#include "memmap.h"
#include "trace_looks.h"

struct run {
	uint64_t pfn;
	uint32_t nr;
};

struct runs {
	struct run *v;
	size_t nr, cap;
};

struct coiommu_replay {
	struct replay_policy p;
	struct policy_config config;
	uint32_t batch;
	struct policy *policy; /* NULL until the recording's CONFIG */
	struct coiommu_policy_counters n;
	uint64_t now_ns, deadline_ns;
	struct memmap memory;
	struct table units;

	struct runs call;    /* of the guest, still incomplete */
	bool missing;	     /* one of its pages is not pinned */
	struct runs refused; /* maps that failed here and not when they were recorded */
	struct coiommu_request request;

	/* What the recorded call saw. */
	struct trace_predictor predictor;
	const uint8_t *look, *looks_end;
	uint64_t looks_left, until_surprise;
	bool surprise;
};

static inline struct coiommu_replay *self(struct replay_policy *p)
{
	return (struct coiommu_replay *)p;
}

/* ---- coiommu.c: the host ---- */

/* Counts and curve follow the policy's counters. */
void coiommu_replay_update(struct coiommu_replay *c);
/* All cycles of unpinning that are due by then. */
void coiommu_replay_scan_due(struct coiommu_replay *c, uint64_t time_ns);

/* ---- coiommu_guest.c ---- */

void coiommu_replay_pages(struct replay_policy *p, const struct page_event *e, size_t nr);

#endif
