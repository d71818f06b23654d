/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Replaying a trace of DMA mappings through policies, without a VM or a device. A policy gets
 * the guest's events in packets and the host's one by one, and keeps its counts and the curve
 * of what it has pinned.
 */
#ifndef BENCH_REPLAY_REPLAY_H
#define BENCH_REPLAY_REPLAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "bench/replay/curve.h"
#include "coiommu_counters.h"
#include "coiommu_trace_file.h"
#include "policy.h"

struct trace_event;
struct trace_reader;

/* Times of events are below; the last one is at most so long after the first. */
#define REPLAY_TIME_MAX_NS (1ULL << 62)
#define REPLAY_SPAN_MAX_NS (30ULL * 86400 * 1000000000)

enum replay_count {
	COUNT_MAPS,	    /* calls of the DMA API that mapped */
	COUNT_UNMAPS,	    /* calls */
	COUNT_REFUSED_MAPS, /* calls that failed here because a page was not pinned */
	COUNT_REQUESTS,	    /* of the guest to the host; each is a VM exit */
	COUNT_PINS,	    /* pages */
	COUNT_UNPINS,	    /* pages */
	COUNT_REFUSALS,	    /* pages asked for and not pinned */
	COUNT_EVICTIONS,    /* pages unpinned to make room */
	COUNT_HITS,	    /* pages asked for that were pinned already */
	COUNT_SPECULATED,   /* pages pinned unasked */
	COUNT_PIN_CALLS,    /* VFIO calls */
	COUNT_UNPIN_CALLS,
	COUNT_SCANNED, /* tracking units looked at by lazy unpinning */
	REPLAY_COUNTS
};
extern const char *const replay_count_names[REPLAY_COUNTS];

struct replay_counts {
	uint64_t n[REPLAY_COUNTS];
};

/* One event of the guest. */
struct page_event {
	uint64_t time_ns, pfn;
	uint32_t nr;
	uint8_t kind; /* TRACE_MAP, TRACE_UNMAP, TRACE_UNDO */
	bool more;
};

/* Recorded and replayed, where the recording holds both. */
struct replay_check {
	uint64_t compared, different;
	char first[160]; /* the first difference, in words */
};

struct replay_policy {
	const struct replay_ops *ops;
	char *name; /* with its settings, owned */
	struct replay_counts counts;
	struct replay_counts window; /* between the marks; all of it if there are none */
	bool windowed;
	struct curve curve; /* pinned pages */
	/* coIOMMU with the recorded settings only. */
	bool as_recorded;
	struct replay_check check;
	uint64_t looks, raced; /* units looked at; seen otherwise than the guest's events say */
	uint64_t predicted_requests;
	bool infeasible;   /* more was mapped than the limit allows */
	const char *error; /* the trace and this policy do not go together */

	struct replay_counts at_begin;
	struct replay_counts at_reset; /* when the guest's own counts began again */
	bool want_guest;	       /* its counts at the window's end are still to come */
};

struct replay_ops {
	void (*pages)(struct replay_policy *p, const struct page_event *e, size_t nr);
	/* May be NULL. */
	void (*call)(struct replay_policy *p, const struct trace_event *e);
	void (*free)(struct replay_policy *p); /* and p itself */
};

/* ---- The policies; all to be freed with ops->free() ---- */

/* config NULL: the recorded one, in the recorded order of events. */
struct replay_policy *replay_coiommu(const struct policy_config *config);
struct replay_policy *replay_static(void);
struct replay_policy *replay_strict(void);
struct replay_policy *replay_deferred(void);
/*
 * No policy can do with less: pinned is what is mapped; pins are the fewest possible if at most
 * limit_pages are pinned at any time (0: no limit, so that each page is pinned once), with
 * all of the future known. Exact: of the times in which a page is not mapped the largest
 * number is bridged, by taking those that end first.
 */
struct replay_policy *replay_oracle(uint64_t limit_pages);

/* Time from a page's last unmap to its next map, and what the trace is made of. */
struct replay_locality {
	uint64_t reused[COIOMMU_HISTOGRAM_BUCKETS]; /* by ns, coiommu_histogram_bucket() */
	uint64_t window[COIOMMU_HISTOGRAM_BUCKETS]; /* of these: mapped again between the marks */
	bool windowed;				    /* there are marks */
	uint64_t first_uses;			    /* pages mapped for the first time */
	uint64_t mapped_peak;
	uint64_t unbalanced; /* unmaps of pages that were not mapped */
};
struct replay_policy *replay_locality(struct replay_locality *out);

struct replay_totals {
	uint64_t events, page_events;
	uint64_t begin_ns, end_ns;
	struct policy_config config; /* recorded */
	/* For costs: of the whole recording. */
	uint64_t requests, request_ns;	     /* of which is known how long the guest waited */
	struct coiommu_policy_counters live; /* at the last mark */
};

/*
 * Runs the trace through all policies. 0, or -EBADMSG with *error: what is wrong with the
 * trace, constant text.
 */
int replay_run(struct trace_reader *r, struct replay_policy *const *policies, size_t nr,
	       struct replay_totals *totals, const char **error);

/* Compares with what a MARK or GUEST event says of the recorded run; for others nothing. */
void replay_check(struct replay_policy *p, const struct coiommu_policy_counters *n,
		  const struct trace_event *e);

/* Counts the calls of the DMA API, for policies that never refuse one. */
static inline void replay_count_call(struct replay_policy *p, const struct page_event *e)
{
	if (e->more)
		return;
	p->counts.n[COUNT_MAPS] += e->kind == TRACE_MAP;
	p->counts.n[COUNT_UNMAPS] += e->kind == TRACE_UNMAP;
	/* It failed for want of a pin: here it is as if it had not been tried. */
	p->counts.n[COUNT_MAPS] -= e->kind == TRACE_UNDO;
}

struct memmap;
/* Follows a change of the VM's memory; false: the event is none. */
bool replay_memory(struct memmap *map, uint8_t kind, const uint64_t *v);

/* What the trace's CONFIG says. */
struct policy_config replay_config(const struct trace_event *e);

#endif
