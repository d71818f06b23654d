/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Layout of the backend's counters: a memfd of the VMM, found as a link of this name in
 * /proc/PID/fd, or the file that COIOMMU_COUNTERS names. The backend maps it shared and
 * updates it in place; a reader maps or reads it at any time. Each 64-bit value is
 * consistent by itself, several are not consistent with one another. Values marked "gauge"
 * move both ways, "peak" is the highest value of a gauge, all others only grow.
 */
#ifndef COIOMMU_COUNTERS_H
#define COIOMMU_COUNTERS_H

#include <linux/types.h>

#define COIOMMU_COUNTERS_MAGIC 0x434d4d4f49434f43ULL /* "COCIOMMC" */
#define COIOMMU_COUNTERS_VERSION 1
#define COIOMMU_COUNTERS_VCPUS 64
#define COIOMMU_COUNTERS_MEMFD "coiommu-counters"
#define COIOMMU_TRACE_MEMFD "coiommu-trace" /* the backend's log, with COIOMMU_TRACE=1 */

/* Latencies in ns: bucket 0..3 hold 0..3; above, four buckets an octave. */
#define COIOMMU_HISTOGRAM_BUCKETS 128

/* What the policy does; filled in by the backend and by any other user of the policy. */
struct coiommu_policy_counters {
	__u64 pinned_pages;	 /* gauge */
	__u64 pinned_pages_peak; /* peak */
	__u64 mappings;		 /* gauge: VFIO mappings in use, each of one or more pages */
	__u64 mappings_peak;	 /* peak */
	__u64 pins;		 /* pages pinned, speculative ones included */
	__u64 unpins;		 /* pages unpinned for whatever reason */
	__u64 map_calls;	 /* successful and failed */
	__u64 unmap_calls;
	__u64 map_errors;
	__u64 unmap_errors;
	__u64 map_ns; /* time in the map and unmap calls */
	__u64 unmap_ns;
	__u64 hits;		  /* pages asked for that were pinned already */
	__u64 refused_pages;	  /* asked for and not pinned */
	__u64 refused_quota;	  /* of these: for lack of quota */
	__u64 refused_memory;	  /* of these: not guest memory or not in the table */
	__u64 released_idle;	  /* pages given up by scanning */
	__u64 released_quota;	  /* pages evicted to make room ("evictions") */
	__u64 released_guest;	  /* pages given up because the guest said so */
	__u64 released_forced;	  /* memory removed, table dropped */
	__u64 repinned;		  /* pins of pages that scanning had released lately */
	__u64 speculated;	  /* pages pinned without being asked for */
	__u64 speculation_hits;	  /* of these: used later */
	__u64 speculation_misses; /* of these: not used by the second scan or released */
	__u64 scan_cycles;
	__u64 scan_units;  /* units looked at */
	__u64 scan_ns;	   /* time scanning, unmap calls excluded */
	__u64 busy_pages;  /* gauge: pages with a count in the last complete cycle */
	__u64 interval_ns; /* gauge: now in force; 0: unpinning off */
	__u64 quota_pages;
	__u64 blocks;	      /* gauge: 4 MiB blocks with host metadata */
	__u64 metadata_bytes; /* gauge */
};

/* Written by one vCPU thread only. */
struct coiommu_vcpu_counters {
	__u64 runs;  /* KVM_RUN calls */
	__u64 exits; /* accesses to our ports */
	__u64 requests;
	__u64 pin_requests;
	__u64 pin_entries;
	__u64 pin_pages;    /* asked for */
	__u64 bad_requests; /* malformed: page, operation, argument */
	__u64 refused_requests;
	__u64 request_ns;
	__u64 lock_wait_ns;
	__u64 reserved[6];
	/* Time a request took in the host, from the exit's return to the next entry. */
	__u64 latency[COIOMMU_HISTOGRAM_BUCKETS];
};

enum coiommu_backend_state {
	COIOMMU_STATE_NEW = 0,	    /* no guest memory seen in VFIO yet */
	COIOMMU_STATE_WAITING = 1,  /* memory seen, no table */
	COIOMMU_STATE_ACTIVE = 2,   /* table in use */
	COIOMMU_STATE_PARKED = 3,   /* table in use, no background work */
	COIOMMU_STATE_BROKEN = 255, /* this QEMU or host cannot be handled: see stderr */
};

struct coiommu_counters {
	__u64 magic;
	__u32 version;
	__u32 size;	/* of the whole structure */
	__u32 nr_vcpus; /* vCPUs seen; vcpu[] beyond is zero */
	__u32 state;	/* enum coiommu_backend_state */
	__u64 start_ns; /* CLOCK_MONOTONIC when the VM was created */
	__u64 activations;
	__u64 deactivations; /* by the guest's driver */
	__u64 vm_resets;
	__u64 device_resets;
	__u64 ram_maps; /* maps of guest memory asked by the VMM */
	__u64 ram_unmaps;
	__u64 passed_maps;  /* maps of other memory, passed through */
	__u64 ram_bytes;    /* gauge: guest memory known */
	__u64 static_bytes; /* gauge: of it pinned statically */
	__u64 containers;   /* gauge */
	__u64 devices;	    /* assigned devices seen */
	__u64 entry_limit;  /* vfio_iommu_type1 dma_entry_limit, 0: unknown */
	__u64 scan_cpu_ns;  /* CPU time of the unpinning thread */
	/* Of the log: odd while policy[] may change, even: it is what trace_seq / 2 calls left. */
	__u64 trace_seq;
	__u64 trace_errors; /* errno: the log is incomplete */
	/* As of mapped_ns, a few times a second while the table is in use. */
	__u64 mapped_pages; /* gauge: pages that the guest has mapped for DMA, of those pinned */
	__u64 mapped_ns;    /* CLOCK_MONOTONIC; 0: not counted yet */
	__u64 reserved[11];
	struct coiommu_policy_counters policy;
	__u64 map_latency[COIOMMU_HISTOGRAM_BUCKETS]; /* of one VFIO map call */
	struct coiommu_vcpu_counters vcpu[COIOMMU_COUNTERS_VCPUS];
};

_Static_assert(sizeof(struct coiommu_policy_counters) == 32 * sizeof(__u64), "part of the layout");
_Static_assert(sizeof(struct coiommu_vcpu_counters) == (16 + 128) * sizeof(__u64), "so is this");
_Static_assert(sizeof(struct coiommu_counters) == 256 + 256 + 1024 + 64 * 1152, "the layout");

static inline unsigned int coiommu_histogram_bucket(__u64 ns)
{
	unsigned int log, bucket;

	if (ns < 4)
		return (unsigned int)ns;
	log = 63 - (unsigned int)__builtin_clzll(ns);
	bucket = 4 * (log - 1) + (unsigned int)(ns >> (log - 2) & 3);
	return bucket < COIOMMU_HISTOGRAM_BUCKETS ? bucket : COIOMMU_HISTOGRAM_BUCKETS - 1;
}

/* Smallest value of a bucket. */
static inline __u64 coiommu_histogram_floor(unsigned int bucket)
{
	if (bucket < 4)
		return bucket;
	return (4ULL + (bucket & 3)) << (bucket / 4 - 1);
}

#endif
