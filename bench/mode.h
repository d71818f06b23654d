/* SPDX-License-Identifier: GPL-2.0-only */
/* A mode: one way of running the IOMMU for a VM. One file in bench/modes, one table. */
#ifndef BENCH_MODE_H
#define BENCH_MODE_H

#include <jansson.h>
#include <stdbool.h>

#include "bench/device.h"
#include "harness/settings.h"

struct boot;
struct host;
struct vm_config;

/* A value that the mode needs in a sysfs or procfs attribute of the host. */
struct host_write {
	const char *path;
	const char *value;
};

/* Which IOMMU a guest's user-space drivers have. */
enum guest_iommu { GUEST_IOMMU_NONE, GUEST_IOMMU_TRANSLATES, GUEST_IOMMU_PASSTHROUGH };

/*
 * What an assigned device reaches of the guest's memory: all of it; what is mapped for it, and no
 * longer than that; for a time also what was mapped; for good what was ever mapped; a pool that is
 * nobody's own page, somewhere in the guest's memory.
 */
enum reach { REACH_UNKNOWN, REACH_ALL, REACH_MAPPED, REACH_STALE, REACH_HELD, REACH_POOL };

/*
 * NULL callbacks mean nothing to do; `name`, `help` and `prove` are required. Callbacks
 * return 0 or -errno and log or store their reason once, where the detail is known.
 */
struct mode_ops {
	const char *name;
	const char *help; /* one line */
	const struct setting *settings;
	enum attach attach;
	enum guest_iommu guest_iommu;
	bool bounces; /* the guest's kernel copies all DMA, which user space's drivers go past */
	bool tracks;  /* the guest tracks its DMA mappings, and can be told not to */
	bool hugetlb; /* the guest's memory is of reserved pages, which no memory cgroup counts */
	/* What the mode promises; NULL: REACH_UNKNOWN. */
	enum reach (*reach)(const struct settings *settings);
	/* Written through the journal before each boot; ends with a NULL path. May be NULL. */
	const struct host_write *host_writes;

	/*
	 * Checks settings against each other when the configuration is read. 0, or -EINVAL with
	 * the message in *why, to free.
	 */
	int (*validate)(const struct settings *settings, char **why);
	/*
	 * Can this mode run on this host? 0, or -errno with the reason and the remedy in *why
	 * (to free): every cell of the mode is then skipped with that reason.
	 */
	int (*probe)(const struct host *host, const struct settings *settings, char **why);
	/*
	 * Makes the host ready before QEMU starts, for all VMs of the boot's cell, before the
	 * device's own host_setup, through the journal; host_change says what for --dry-run. A boot
	 * that fails gets boot_fail().
	 */
	const char *host_change;
	int (*host_setup)(struct boot *boot, const struct settings *settings);
	/* After QEMU's end: gives back early what other modes' boots need. */
	void (*host_restore)(struct boot *boot);
	/* Adds QEMU arguments and guest kernel arguments. Changes nothing else: --dry-run uses it.
	 */
	void (*configure)(const struct settings *settings, struct vm_config *vm);
	/*
	 * In the running guest, before the assigned device's driver is loaded: switches the mode
	 * on as far as the command line did not.
	 */
	int (*guest_setup)(struct boot *boot, const struct settings *settings);
	/*
	 * Reads back from guest and host that the mode is active, after the device's driver is
	 * up. Records what it read in proof (an object), whether it holds or not; -EPROTO with
	 * boot_fail()'s reason when it does not: the boot is then invalid.
	 */
	int (*prove)(struct boot *boot, const struct settings *settings, json_t *proof);
};

#endif
