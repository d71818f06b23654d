/* SPDX-License-Identifier: GPL-2.0-only */
/* A fake host that lacks nothing, for tests of the preflight. */
#ifndef TESTS_CHECK_HOST_H
#define TESTS_CHECK_HOST_H

#include "tests/tree.h"

#include "harness/check.h"
#include "harness/config.h"

#define NVME "0000:5e:00.0"

static char *old_path;
static struct host host_settings; /* beside its device */

static inline void put_qemu(const char *script)
{
	autofree char *path = tree_path("bin/qemu-system-x86_64");

	tree_put("bin/qemu-system-x86_64", script);
	assert_int_equal(chmod(path, 0755), 0);
}

/* A host that lacks nothing (but a /dev/kvm that is more than a file). */
static inline int check_setup(void **state)
{
	autofree char *path = NULL;

	if (tree_setup(state))
		return -1;
	old_path = xstrdup(getenv("PATH"));
	path = xasprintf("%s/bin:%s", tree_root, old_path);
	setenv("PATH", path, 1);
	put_qemu("#!/bin/sh\necho 'QEMU emulator version 7.2.9 (Debian)'\necho Copyright\n");
	tree_put("proc/meminfo", "MemTotal: 8388608 kB\nMemAvailable:    4194304 kB\n"
				 "SwapTotal: 1024 kB\nSwapFree: 1024 kB\n");
	tree_put("proc/loadavg", "0.01 0.05 0.01 1/100 999\n");
	tree_put("proc/sys/kernel/numa_balancing", "0\n");
	tree_put("proc/self/mountinfo", "");
	tree_put("proc/12/comm", "bash\n");
	tree_put("sys/module/vfio_iommu_type1/parameters/dma_entry_limit", "65535\n");
	tree_put("sys/kernel/mm/transparent_hugepage/enabled", "always [madvise] never\n");
	tree_dir("sys/kernel/tracing/instances");
	tree_dir("sys/bus/pci/drivers/vfio-pci");
	tree_put("dev/vfio/vfio", "");
	tree_put("dev/kvm", "");
	tree_put("proc/interrupts", "           CPU0\n  1:    9   IR-IO-APIC   1-edge   i8042\n");
	tree_put("sys/kernel/iommu_groups/7/type", "identity\n");
	tree_pci(NVME, "0x010802\n", "nvme", 7);
	tree_put("sys/bus/pci/devices/" NVME "/reset_method", "flr\n");
	setenv("HWLOC_SYNTHETIC", "pack:2 [numa] core:4 pu:2", 1);
	return 0;
}

static inline int check_teardown(void **state)
{
	setenv("PATH", old_path, 1);
	unsetenv("HWLOC_SYNTHETIC");
	host_settings = (struct host){ 0 };
	free(old_path);
	old_path = NULL;
	return tree_teardown(state);
}

static inline const struct check_item *find(const struct check_report *report, const char *name)
{
	for (size_t i = 0; i < report->nr; i++)
		if (!strcmp(report->items[i].name, name))
			return &report->items[i];
	return NULL;
}

static inline void check(unsigned long long guest_bytes, const char *out_dir,
			 struct check_report *report)
{
	const struct guest_config guest = { .memory_bytes = guest_bytes, .cpus = 1 };
	static char kind[] = "nvme", address[] = NVME;
	struct host_device device = { .kind = kind, .address = address };
	const struct host host = { .devices = &device,
				   .nr_devices = 1,
				   .placement = host_settings.placement,
				   .vcpu_cpu = host_settings.vcpu_cpu,
				   .tuning = host_settings.tuning };

	check_host(&host, guest_bytes ? &guest : NULL, out_dir, report);
	/* Whatever is not ok comes with its remedy, and nothing else does. */
	for (size_t i = 0; i < report->nr; i++) {
		assert_non_null(report->items[i].found);
		assert_int_equal(!report->items[i].remedy, report->items[i].status == CHECK_OK);
	}
}

/* Checks a host and asserts one item: its status, and a word that it says. */
static inline void assert_item(const char *name, enum check_status status, const char *word)
{
	struct check_report report;
	const struct check_item *item;

	check(GIB, tree_root, &report);
	item = find(&report, name);
	assert_non_null(item);
	if (!strstr(item->found, word) && !(item->remedy && strstr(item->remedy, word)))
		fail_msg("%s: \"%s\" lacks \"%s\"", name, item->found, word);
	assert_int_equal(item->status, status);
	check_free(&report);
}

static inline void assert_no_item(const char *name)
{
	struct check_report report;

	check(0, NULL, &report);
	assert_null(find(&report, name));
	check_free(&report);
}

#define CHECK_TEST(name) cmocka_unit_test_setup_teardown(name, check_setup, check_teardown)

#endif
