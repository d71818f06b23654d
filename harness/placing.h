/* SPDX-License-Identifier: GPL-2.0-only */
/* Carries out where things are to be: CPU affinity, memory policy, interrupts. */
#ifndef HARNESS_PLACING_H
#define HARNESS_PLACING_H

#include "harness/config.h"
#include "harness/placement.h"

struct journal;
struct vm;

/* The placement for each device of a host, in the host file's order. */
struct placements {
	struct placement *items;
	size_t nr;
};

/*
 * Plans for guests of that size. To be called before this process leaves any CPU: it counts as
 * free what the process may use. Free with placements_free().
 */
void placements_make(const struct host *host, const struct guest_config *guest,
		     struct placements *placements);
void placements_free(struct placements *placements);
/* For devices of that kind; NULL: the host file names none. */
const struct placement *placements_find(const struct placements *placements,
					const struct host *host, const char *kind);
/* The manifest's record: device kind -> placement. New reference. */
json_t *placements_json(const struct placements *placements, const struct host *host);

/* Are there CPUs first to first + nr - 1? */
bool placing_fits(unsigned int first, unsigned int nr);

/*
 * Takes this process, and what it starts from now on, to the CPUs beside the vCPUs', and its new
 * memory to their node. NULL, or left to the kernel: nothing changes.
 */
void placing_enter(const struct placement *placement);

/* Pins the vCPUs of a created VM. 0, -ERANGE (no such CPU), or -errno. NULL is fine. */
int placing_pin_vcpus(struct vm *vm, const struct placement *placement);

/*
 * Sends the interrupts that the device and its local peer have now where they belong, through
 * the journal. One that the kernel does not let go elsewhere stays. NULL is fine.
 */
void placing_interrupts(struct journal *journal, const struct host_device *device,
			const struct placement *placement);

#endif
