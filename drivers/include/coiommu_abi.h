/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * coIOMMU: what guest and host agree on. The only definition of the DMA tracking table, of
 * the registers and of the request page. Compiles in the kernel and in user space.
 *
 * The guest keeps one 32-bit tracking unit per 4 KiB guest page in a table in its own memory
 * and tells the host where it is. Before a page is given to a device its unit's count is
 * raised; if the unit then says "pinned", nothing else is needed. If not, the guest writes
 * the pages into a request page and rings the doorbell, a port write which the host answers
 * before the instruction completes. The host's answer is the pinned bit itself: a page whose
 * bit is still clear has been refused. The host may clear the pinned bit, by compare-and-swap
 * only, of a unit that has no count and was not accessed since the host last looked.
 *
 * All values are little-endian; all pages are 4 KiB.
 */
#ifndef COIOMMU_ABI_H
#define COIOMMU_ABI_H

#include <linux/types.h>

#define COIOMMU_PAGE_SHIFT 12
#define COIOMMU_PAGE_SIZE (1U << COIOMMU_PAGE_SHIFT)

/* major << 16 | minor: another major is incompatible, a higher minor only adds. */
#define COIOMMU_VERSION_MAJOR 1
#define COIOMMU_VERSION_MINOR 0
#define COIOMMU_VERSION ((COIOMMU_VERSION_MAJOR << 16) | COIOMMU_VERSION_MINOR)

/* ---- Tracking unit ---------------------------------------------------------------- */

#define COIOMMU_UNIT_COUNT 0x0000ffffU /* live DMA mappings of the page; guest only */
/* The guest sets it with the count, the host clears it to learn whether a page is in use. */
#define COIOMMU_UNIT_ACCESSED (1U << 30)
/* A device may access the page. Set and cleared by the host only. */
#define COIOMMU_UNIT_PINNED (1U << 31)
/* Bits 16-29 are zero. */

/* ---- Tracking table --------------------------------------------------------------- */

/*
 * Level 1 is the leaf: 1024 units, covering 4 MiB (a "block"). Upper pages hold 512 entries.
 * With n levels the table covers 2^(10 + 9 * (n - 1)) pages.
 */
#define COIOMMU_LEAF_BITS 10
#define COIOMMU_LEAF_UNITS (1U << COIOMMU_LEAF_BITS)
#define COIOMMU_UPPER_BITS 9
#define COIOMMU_UPPER_ENTRIES (1U << COIOMMU_UPPER_BITS)
#define COIOMMU_LEVELS_MIN 2
#define COIOMMU_LEVELS_MAX 5
#define COIOMMU_ENTRY_PRESENT 1ULL
#define COIOMMU_ENTRY_FRAME 0x000ffffffffff000ULL

/* ---- Registers: 32-bit accesses to I/O ports --------------------------------------- */

/* Free on q35 and below the range in which Linux places PCI I/O resources. */
#define COIOMMU_PORT 0xe80
#define COIOMMU_PORT_NR 16
#define COIOMMU_REG_MAGIC 0x0	 /* read */
#define COIOMMU_REG_VERSION 0x4	 /* read: COIOMMU_VERSION */
#define COIOMMU_REG_FEATURES 0x8 /* read: COIOMMU_F_* */
/* Write: frame number of a request page. Read: status of this vCPU's last request. */
#define COIOMMU_REG_REQUEST 0xc
#define COIOMMU_MAGIC 0x554f4943U /* "CIOU" in memory */

#define COIOMMU_F_RUNS (1U << 0)    /* request entries may cover several pages */
#define COIOMMU_F_DEVICES (1U << 1) /* COIOMMU_OP_DEVICES */
#define COIOMMU_F_PARK (1U << 2)    /* COIOMMU_OP_PARK, COIOMMU_OP_UNPARK */
#define COIOMMU_F_RELEASE (1U << 3) /* COIOMMU_OP_RELEASE */
#define COIOMMU_F_STATIC (1U << 4)  /* all memory is pinned while no table is active */

/* ---- Request page ------------------------------------------------------------------ */

enum coiommu_op {
	COIOMMU_OP_NOP = 0, /* measures the round trip */
	/* arg[0] frame of the root page, arg[1] levels, arg[2] COIOMMU_VERSION of the guest.
	 * Replaces an active table. Pages with a count are pinned before it returns.
	 */
	COIOMMU_OP_ACTIVATE = 1,
	/* Forgets the table and releases every pin. */
	COIOMMU_OP_DEACTIVATE = 2,
	/* entry[0..nr): runs whose counts were raised. The units tell the outcome.
	 * arg[COIOMMU_PIN_ARG_CPU]: the guest's CPU, for traces.
	 */
	COIOMMU_OP_PIN = 3,
	/* entry[0..nr): runs the guest will not use soon; those without a count are released. */
	COIOMMU_OP_RELEASE = 4,
	/* The host writes to the table only inside requests until UNPARK or ACTIVATE. */
	COIOMMU_OP_PARK = 5,
	COIOMMU_OP_UNPARK = 6,
	/* Reply: done = number of assigned devices, entry[] = COIOMMU_DEVICE() of each. */
	COIOMMU_OP_DEVICES = 7,
	/* Reply: arg[] by enum coiommu_info. */
	COIOMMU_OP_INFO = 8,
	COIOMMU_OP_NR
};

enum coiommu_info {
	COIOMMU_INFO_PINNED_PAGES = 0,
	COIOMMU_INFO_QUOTA_PAGES = 1, /* 0: no quota */
	COIOMMU_INFO_MAPPINGS = 2,
	COIOMMU_INFO_INTERVAL_NS = 3, /* of unpinning; 0: off */
	COIOMMU_INFO_CYCLES = 4,      /* unpinning cycles so far */
};

enum coiommu_status {
	COIOMMU_OK = 0,
	COIOMMU_BAD_PAGE = 1, /* the request page is not guest memory (register only) */
	COIOMMU_BAD_OP = 2,
	COIOMMU_BAD_ARG = 3,
	COIOMMU_INACTIVE = 4,	      /* no table */
	COIOMMU_REFUSED = 5,	      /* some pages were not pinned: see their units */
	COIOMMU_ERROR = 6,	      /* the host failed */
	COIOMMU_PENDING = 0xffffffff, /* what the guest stores before it rings */
};

#define COIOMMU_PIN_ARG_CPU 5

#define COIOMMU_REQUEST_ENTRIES 504
/* A request may name this many pages in all. */
#define COIOMMU_REQUEST_PAGES 4096

/* Run of pages: frame number in bits 0-51, number of pages - 1 in bits 52-63. */
#define COIOMMU_RUN_PFN 0x000fffffffffffffULL
#define COIOMMU_RUN_SHIFT 52
#define COIOMMU_RUN_MAX 4096U
#define COIOMMU_RUN(pfn, nr) ((__u64)(pfn) | ((__u64)((nr)-1) << COIOMMU_RUN_SHIFT))
#define COIOMMU_RUN_NR(run) ((__u32)((run) >> COIOMMU_RUN_SHIFT) + 1)

/* PCI identity of an assigned device. */
#define COIOMMU_DEVICE(vendor, device, sub_vendor, sub_device)                 \
	((__u64)(vendor) | (__u64)(device) << 16 | (__u64)(sub_vendor) << 32 | \
	 (__u64)(sub_device) << 48)

struct coiommu_request {
	__u32 op;     /* enum coiommu_op */
	__u32 status; /* reply: enum coiommu_status */
	__u32 nr;     /* entries used */
	__u32 done;   /* reply: pages pinned or released, or entries filled in */
	__u64 arg[6];
	__u64 entry[COIOMMU_REQUEST_ENTRIES];
};

_Static_assert(sizeof(struct coiommu_request) == COIOMMU_PAGE_SIZE, "request fills a page");
_Static_assert(COIOMMU_LEAF_UNITS * sizeof(__u32) == COIOMMU_PAGE_SIZE, "leaf fills a page");
_Static_assert(COIOMMU_UPPER_ENTRIES * sizeof(__u64) == COIOMMU_PAGE_SIZE, "so do upper levels");
_Static_assert(COIOMMU_REG_REQUEST + sizeof(__u32) == COIOMMU_PORT_NR, "registers fill the ports");
_Static_assert(COIOMMU_REQUEST_PAGES >= COIOMMU_REQUEST_ENTRIES, "single pages always fit");

#endif
