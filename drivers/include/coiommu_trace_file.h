/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Trace files (*.coit): what the guest mapped for DMA and what the host's backend did, as one
 * sequence. The backend's own log, of the host's half, has the same format.
 *
 * A file is a header and frames: 32-bit length of the payload, 32-bit sum of it
 * (trace_sum()), payload. The last event of the last frame is END; a file without it is cut
 * short. A payload is a whole number of events, and begins anew with time and frame number 0:
 * any frame can be read by itself. All numbers are little-endian; "number" below is a LEB128
 * number (seven bits a byte, lowest first, at most ten bytes), "signed" one in zigzag.
 *
 * An event is a byte (enum trace_kind, and TRACE_MORE and TRACE_ONE), the time since the
 * event before as a signed number of ns (CLOCK_MONOTONIC of the host), and
 * - MAP, UNMAP, UNDO: the first frame less that of the last such event, signed; unless
 *   TRACE_ONE is set, the number of pages.
 * - all others: the number of arguments, these numbers, the length in bytes of what follows
 *   as a number, and that: what the policy saw (see drivers/host/trace_looks.h).
 */
#ifndef COIOMMU_TRACE_FILE_H
#define COIOMMU_TRACE_FILE_H

#include <linux/types.h>

#define TRACE_FILE_MAGIC 0x3154494f434d4f49ULL /* "IOMCOIT1" in memory */
#define TRACE_FILE_VERSION 1
#define TRACE_FRAME_MAX (64U << 20) /* bytes of payload */
#define TRACE_ARGS_MAX 64
#define TRACE_PAGES_MAX (1ULL << 24) /* of one MAP, UNMAP or UNDO; frames are below 2^52 */

struct trace_file_header {
	__u64 magic;
	__u32 version;
	__u32 reserved; /* 0 */
};

struct trace_frame_header {
	__u32 bytes;
	__u32 sum;
};

#define TRACE_KIND_MASK 0x1f
#define TRACE_MORE 0x20 /* the same call of the DMA API goes on with the next event */
#define TRACE_ONE 0x40	/* one page */
/* Bit 7 is zero. */

enum trace_kind {
	/* Of the guest. */
	TRACE_MAP = 1,
	TRACE_UNMAP = 2,
	TRACE_UNDO = 3,	 /* of a page or run that a MAP before counted: the call failed */
	TRACE_GUEST = 4, /* enum trace_guest_arg: the driver's own counts at this moment */

	/* Of the host, in the order in which the backend's lock was held. */
	TRACE_CONFIG = 5,     /* enum trace_config_arg: a policy begins */
	TRACE_MEM_ADD = 6,    /* iova, size, vaddr, flags, containers, lazy, writable */
	TRACE_MEM_REMOVE = 7, /* iova, size, containers */
	TRACE_MEM_LAZY = 8,   /* index of the region, lazy: it changed */
	TRACE_REQUEST = 9,    /* enum trace_request_arg: PINs follow */
	TRACE_PIN = 10,	      /* frame, pages, CPU of the guest */
	TRACE_RELEASE = 11,   /* frame, pages */
	TRACE_FORGET = 12,    /* frame, pages */
	TRACE_DROP = 13,      /* 1: units were cleared; 0: the table is gone */
	TRACE_ADOPT = 14,     /* block */
	TRACE_PARK = 15,      /* 1: parked */
	TRACE_SCAN = 16,      /* budget */
	TRACE_MARK = 17,      /* enum trace_mark, pin requests, struct coiommu_policy_counters */
	TRACE_END = 18,	      /* events before this one */
	TRACE_NR
};

enum trace_mark {
	TRACE_MARK_BEGIN, /* of the measured window */
	TRACE_MARK_END,
	TRACE_MARK_STOP, /* the recording's last moment */
};

enum trace_request_arg {
	TRACE_REQUEST_CPU, /* of the guest */
	TRACE_REQUEST_ENTRIES,
	TRACE_REQUEST_PAGES,
	TRACE_REQUEST_NS, /* that the guest waited; not in the backend's own log */
	TRACE_REQUEST_ARGS
};

enum trace_guest_arg {
	TRACE_GUEST_RESET, /* 1: the counts that follow were set to 0 */
	TRACE_GUEST_MAPS,
	TRACE_GUEST_UNMAPS,
	TRACE_GUEST_REQUESTS,
	TRACE_GUEST_REFUSED,
	TRACE_GUEST_REQUEST_NS,
	TRACE_GUEST_ARGS
};

enum trace_config_arg {
	TRACE_CONFIG_UNPIN, /* enum policy_unpin */
	TRACE_CONFIG_INTERVAL_NS,
	TRACE_CONFIG_LIMIT_PAGES,
	TRACE_CONFIG_GENERATIONS,
	TRACE_CONFIG_QUOTA_PAGES,
	TRACE_CONFIG_MAX_MAPPINGS,
	TRACE_CONFIG_RANGE_PAGES,
	TRACE_CONFIG_SPECULATE_PAGES,
	TRACE_CONFIG_BATCH,
	TRACE_CONFIG_ARGS
};

#endif
