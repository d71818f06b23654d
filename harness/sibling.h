/* SPDX-License-Identifier: GPL-2.0-only */
/* Further VMs beside a boot's own: of the same mode, each with a device of the same kind. */
#ifndef HARNESS_SIBLING_H
#define HARNESS_SIBLING_H

#include "harness/boot.h"
#include "harness/placement.h"

/*
 * Does the host lend a device to each of so many VMs, and has it memory_bytes for them? As
 * mode_ops.probe.
 */
int siblings_probe(const struct host *host, const struct cell *cell, unsigned int vms,
		   uint64_t memory_bytes, char **why);

struct sibling {
	struct boot boot; /* without metric sources; boot.reason says why it failed */
	struct host host; /* which lends it its own device only */
	struct placement placement;
};

/*
 * Starts the index-th further VM, from 1, with files in dir and, like the boot's own, in its
 * cgroup. It may pin pin_bytes at most (0: no limit). While its life is waited for, the boot's
 * metrics go on. 0 or -errno; in either case *out, if not NULL, has the reason and is to be freed
 * with sibling_stop().
 */
int sibling_launch(const struct boot *first, unsigned int index, const char *dir,
		   uint64_t pin_bytes, struct sibling **out);
/* Until it is created; may be left out. 0 or -errno. */
int sibling_await_created(struct sibling *sibling);
/* Until its guest and device are up and its mode is proven. 0 or -errno. */
int sibling_await(struct sibling *sibling);
/* Ends it and frees it. NULL is fine. */
void sibling_stop(struct sibling *sibling);

#endif
