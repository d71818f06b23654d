/* SPDX-License-Identifier: GPL-2.0-only */
/* The rogue device in the guest, and what is tried with it. */
#ifndef BENCH_ROGUE_ROGUE_H
#define BENCH_ROGUE_ROGUE_H

#include "bench/rogue/judge.h"
#include "harness/boot.h"
#include "harness/util.h"

#define ROGUE_DEBUGFS "/sys/kernel/debug/rogue"

/* What its DMA is aimed at. */
enum rogue_target {
	TARGET_MAPPED,	    /* a page that is mapped for it: if that fails, nothing is proof */
	TARGET_BESIDE,	    /* the page beside one that is mapped */
	TARGET_FAR,	    /* guest memory far from what is mapped */
	TARGET_GUEST,	    /* places all over the guest's memory */
	TARGET_UNMAPPED,    /* a page that was mapped */
	TARGET_HOST,	    /* a page of the host's */
	TARGET_OTHER_VM,    /* a page of another VM's memory */
	TARGET_OTHER_GROUP, /* a device of another IOMMU group */
	NR_TARGETS,
};

/* All that was tried in one cell. */
struct rogue {
	struct cell_run *run;
	struct rogue_tally tallies[NR_TARGETS];
	char *notes[NR_TARGETS]; /* why nothing was tried, or NULL */
	unsigned int faults;	 /* that the host's IOMMU reported */
	int kmsg;		 /* the host's messages */
	struct strbuf csv;	 /* a line a try */
};
/* For results: "mapped", "beside" ... */
const char *rogue_target_name(enum rogue_target target);

/* For devices: loads the module, which takes the device. As device_ops.guest_setup. */
int rogue_guest_setup(struct boot *boot, const struct settings *settings);

/* 0 or -errno. To be closed in any case. */
int rogue_open(struct cell_run *run, struct rogue *rogue);
void rogue_close(struct rogue *rogue);

/*
 * Tries all targets but for sweep and stale pages: reads and writes, each proven by comparing
 * memory. What cannot be tried has a note. 0, -EREMOTEIO, or -errno.
 */
int rogue_try_targets(struct rogue *rogue);
/* Maps and unmaps a page, and goes on writing to where it was. Sets TARGET_MAPPED, too. */
int rogue_try_stale(struct rogue *rogue, double limit_s);
/* Reads at so many places of the guest's memory. */
int rogue_try_sweep(struct rogue *rogue, unsigned int probes);

#endif
