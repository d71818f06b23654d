/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Several VMs that share a memory cgroup: started one after the other until one does not come up
 * for want of memory, then all working at the same time.
 */
#ifndef BENCH_WORKLOADS_CROWD_H
#define BENCH_WORKLOADS_CROWD_H

#include "bench/workload.h"
#include "harness/boot.h"
#include "harness/guest.h"

#define CROWD_MAX 64

/* One of the VMs; [0] is the boot's own. */
struct crowd_member {
	struct sibling *sibling; /* NULL: the boot's own, or ended */
	struct boot *boot;
	uint32_t job;
	bool lost; /* it ended, or does not answer any more */
};

/* The first part is the caller's to set. */
struct crowd {
	struct cell_run *run;
	unsigned int wanted; /* VMs */
	unsigned int fill;   /* percentage of its memory that each fills with random data */
	uint64_t pin_limit;  /* bytes that all together may pin */

	struct crowd_member members[CROWD_MAX];
	unsigned int nr;     /* that came up */
	struct strbuf notes; /* a line for each VM: how it went */
};

/*
 * Fills the boot's own VM, starts and fills the others. That one does not come up for want of
 * memory is no failure: it is the last. 0, or -errno with the boot's reason.
 */
int crowd_start(struct crowd *crowd);
/* Ends all but the boot's own. To be called in any case, after crowd_start(). */
void crowd_end(struct crowd *crowd);

/* A VM's result. 0, or -errno with the boot's reason. */
typedef int crowd_use_fn(void *data, unsigned int index, const struct guest_result *result);

/*
 * Starts a command in all VMs; awaits its end in all. A VM other than the first that is lost is
 * left out from then on. 0, or -errno with the boot's reason.
 */
int crowd_command(struct crowd *crowd, char *const argv[]);
int crowd_await(struct crowd *crowd, crowd_use_fn *use, void *data);
/* Each checks the data that its memory was filled with. As crowd_command(). */
int crowd_check_memory(struct crowd *crowd);

uint64_t crowd_pinned_bytes(const struct crowd *crowd);
unsigned int crowd_lost(const struct crowd *crowd);
/* How many processes of the cgroup the kernel has ended for want of memory. */
uint64_t crowd_kills(const struct crowd *crowd);

#endif
