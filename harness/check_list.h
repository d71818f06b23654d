/* SPDX-License-Identifier: GPL-2.0-only */
/* What the preflight's checks share; each file of them is about one subject. */
#ifndef HARNESS_CHECK_LIST_H
#define HARNESS_CHECK_LIST_H

#include "harness/check.h"

struct check_args {
	const char *name;	 /* of the check, and of the items it adds */
	const struct host *host; /* NULL: none given */
	const struct guest_config *guest;
	unsigned long long guest_bytes;
	const char *out_dir;
	struct check_report *report;
};

/* Add an item; found and remedy are taken over. */
void check_ok(const struct check_args *args, char *found);
void check_warn(const struct check_args *args, char *found, char *remedy);
void check_fail(const struct check_args *args, char *found, char *remedy);
/*
 * A warning that a setting of the host file (harness/tuning.h) mends: ok if the file has it, since
 * runs will set it. The remedy is that, or what by_hand says.
 */
void check_tunable(const struct check_args *args, const char *setting, const char *value,
		   char *found, const char *by_hand);

/* A small file below a mount, without the white space at its end; to free, NULL: unreadable. */
char *check_read(const char *root, const char *name);
bool check_exists(const char *root, const char *name);
/* Field of /proc/meminfo in bytes; 0: not there. */
unsigned long long check_meminfo(const char *field);

/* QEMU itself and the host need as much memory beside the guest. */
#define CHECK_SPARE_MEMORY (256 * MIB)

/* check_machine.c: what it takes to run at all */
void check_root(const struct check_args *args);
void check_kvm(const struct check_args *args);
void check_memlock(const struct check_args *args);
void check_disk(const struct check_args *args);
void check_qemu(const struct check_args *args);
void check_tracefs(const struct check_args *args);

/* check_iommu.c */
void check_iommu(const struct check_args *args);
void check_domain(const struct check_args *args);
void check_remapping(const struct check_args *args);
void check_vfio(const struct check_args *args);
void check_mappings(const struct check_args *args);

/* check_device.c: the devices of the host file */
void check_devices(const struct check_args *args);
void check_peers(const struct check_args *args);
void check_links(const struct check_args *args);
void check_placement(const struct check_args *args);

/* check_cpu.c */
void check_governor(const struct check_args *args);
void check_turbo(const struct check_args *args);
void check_idle(const struct check_args *args);
void check_smt(const struct check_args *args);

/* check_memory.c */
void check_memory(const struct check_args *args);
void check_hugepages(const struct check_args *args);
void check_numa(const struct check_args *args);
void check_thp(const struct check_args *args);
void check_ksm(const struct check_args *args);
void check_swap(const struct check_args *args);

/* check_load.c: what else runs */
void check_leftover(const struct check_args *args);
void check_irqbalance(const struct check_args *args);
void check_load(const struct check_args *args);
void check_pressure(const struct check_args *args);

#endif
