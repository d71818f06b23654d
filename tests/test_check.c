// SPDX-License-Identifier: GPL-2.0-only
/* Preflight on a fake host, with a script for QEMU. */
#include "tests/tree.h"

#include "harness/check.h"
#include "harness/config.h"

#define NVME "0000:5e:00.0"

static char *old_path;
static struct host host_settings; /* beside its device */

static void put_qemu(const char *script)
{
	autofree char *path = tree_path("bin/qemu-system-x86_64");

	tree_put("bin/qemu-system-x86_64", script);
	assert_int_equal(chmod(path, 0755), 0);
}

/* A host that lacks nothing (but a /dev/kvm that is more than a file). */
static int setup(void **state)
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
	tree_pci(NVME, "0x010802\n", "nvme", 7);
	setenv("HWLOC_SYNTHETIC", "pack:2 [numa] core:4 pu:2", 1);
	return 0;
}

static int teardown(void **state)
{
	setenv("PATH", old_path, 1);
	unsetenv("HWLOC_SYNTHETIC");
	host_settings = (struct host){ 0 };
	free(old_path);
	old_path = NULL;
	return tree_teardown(state);
}

static const struct check_item *find(const struct check_report *report, const char *name)
{
	for (size_t i = 0; i < report->nr; i++)
		if (!strcmp(report->items[i].name, name))
			return &report->items[i];
	return NULL;
}

static void check(unsigned long long guest_bytes, const char *out_dir, struct check_report *report)
{
	const struct guest_config guest = { .memory_bytes = guest_bytes, .cpus = 1 };
	static char kind[] = "nvme", address[] = NVME;
	struct host_device device = { .kind = kind, .address = address };
	const struct host host = { .devices = &device,
				   .nr_devices = 1,
				   .placement = host_settings.placement,
				   .vcpu_cpu = host_settings.vcpu_cpu };

	check_host(&host, guest_bytes ? &guest : NULL, out_dir, report);
	/* Whatever is not ok comes with its remedy, and nothing else does. */
	for (size_t i = 0; i < report->nr; i++) {
		assert_non_null(report->items[i].found);
		assert_int_equal(!report->items[i].remedy, report->items[i].status == CHECK_OK);
	}
}

/* Checks a host and asserts one item: its status, and a word that it says. */
static void assert_item(const char *name, enum check_status status, const char *word)
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

static void assert_no_item(const char *name)
{
	struct check_report report;

	check(0, NULL, &report);
	assert_null(find(&report, name));
	check_free(&report);
}

static void test_good_host(void **state)
{
	assert_item("iommu", CHECK_OK, "1 groups");
	assert_item("vfio", CHECK_OK, "dma_entry_limit 65535");
	assert_item("device", CHECK_OK, "nvme " NVME ", nvme");
	assert_item("memory", CHECK_OK, "4.0 GiB");
	assert_item("disk", CHECK_OK, tree_root);
	assert_item("qemu", CHECK_OK, "version 7.2.9 (Debian)");
	assert_item("tracefs", CHECK_OK, "mounted");
	assert_item("thp", CHECK_OK, "madvise");
	assert_no_item("memory");
	assert_no_item("disk");
	assert_no_item("numa");
	assert_no_item("swap");
	assert_no_item("leftover");
	assert_no_item("irq");
	assert_no_item("load");
}

static void test_missing(void **state)
{
	tree_remove("sys/kernel/iommu_groups");
	assert_item("iommu", CHECK_FAIL, "intel_iommu=on");
	tree_pci("0000:5e:00.1", "0x010802\n", "nvme", -1);
	tree_link("sys/bus/pci/devices/" NVME, "sys/bus/pci/devices/0000:5e:00.1");
	assert_item("device", CHECK_FAIL, NVME);
	tree_remove("sys/bus/pci/drivers/vfio-pci");
	assert_item("vfio", CHECK_FAIL, "modprobe vfio-pci");
	tree_dir("sys/bus/pci/drivers/vfio-pci");
	tree_remove("dev/vfio");
	assert_item("vfio", CHECK_FAIL, "modprobe vfio");
	tree_remove("sys/kernel/tracing");
	assert_item("tracefs", CHECK_WARN, "mount -t tracefs");
	tree_put("proc/meminfo", "MemAvailable: 1048576 kB\n");
	assert_item("memory", CHECK_FAIL, "1.2 GiB needed");
}

static void test_kvm(void **state)
{
	/* A plain file answers no ioctl. */
	assert_item("kvm", CHECK_FAIL, "Inappropriate ioctl");
	tree_remove("dev/kvm");
	assert_item("kvm", CHECK_FAIL, "modprobe kvm_intel");
}

static void test_device_in_use(void **state)
{
	tree_pci("0000:5e:00.1", "0x040300\n", "snd_hda_intel", 7);
	assert_item("device", CHECK_FAIL, "is bound to snd_hda_intel");
	assert_item("device", CHECK_FAIL, "if the host can do without it");
}

static void test_placement(void **state)
{
	/* One node, as far as sysfs knows: nothing to place, nothing to say. */
	assert_item("placement", CHECK_OK, "nvme: vCPUs and memory placed by the kernel");
	tree_put("sys/devices/system/node/online", "0-1\n");
	tree_put("sys/bus/pci/devices/" NVME "/numa_node", "1\n");
	assert_item("placement", CHECK_WARN, "placement: auto");
	host_settings.vcpu_cpu = 2;
	assert_item("placement", CHECK_WARN, "vCPUs are on another node than the device");
	host_settings.placement = true;
	assert_item("placement", CHECK_WARN, "device on node 1, 1 vCPU on CPU 2 (node 0)");
	host_settings.vcpu_cpu = 0;
	assert_item("placement", CHECK_WARN, "too little free memory");
	setenv("HWLOC_SYNTHETIC", "pack:2 [numa(memory=4294967296)] core:4 pu:2", 1);
	assert_item("placement", CHECK_OK,
		    "device on node 1, 1 vCPU on CPU 8 (node 1), memory on node 1");
	setenv("HWLOC_SYNTHETIC", "core:2 pu:1", 1);
	assert_item("placement", CHECK_WARN, "too few CPUs");
}

static void test_no_devices(void **state)
{
	const struct host host = { 0 };
	struct check_report report;

	check_host(&host, NULL, NULL, &report);
	assert_int_equal(find(&report, "device")->status, CHECK_FAIL);
	assert_non_null(strstr(find(&report, "device")->remedy, "--host"));
	assert_true(check_failed(&report));
	check_free(&report);
	check_host(NULL, NULL, NULL, &report);
	assert_int_equal(find(&report, "device")->status, CHECK_FAIL);
	check_free(&report);
}

static void test_qemu(void **state)
{
	put_qemu("#!/bin/sh\nexit 3\n");
	assert_item("qemu", CHECK_FAIL, "Input/output error");
	put_qemu("#!/bin/sh\necho nothing of use\n");
	assert_item("qemu", CHECK_FAIL, "no version");
	setenv("PATH", tree_root, 1);
	assert_item("qemu", CHECK_FAIL, "not in PATH");
}

static void test_noise(void **state)
{
	tree_put("proc/sys/kernel/numa_balancing", "1\n");
	assert_item("numa", CHECK_WARN, "sysctl");
	tree_put("proc/meminfo",
		 "MemAvailable: 4194304 kB\nSwapTotal: 2048 kB\nSwapFree: 1024 kB\n");
	assert_item("swap", CHECK_WARN, "1.0 MiB");
	tree_put("proc/345/comm", "qemu-system-x86\n");
	assert_item("leftover", CHECK_WARN, "kill 345");
	tree_put("proc/346/comm", "irqbalance\n");
	assert_item("leftover", CHECK_WARN, "kill 345");
	assert_no_item("irq");
	host_settings.placement = true;
	assert_item("irq", CHECK_WARN, "process 346");
	tree_put("proc/loadavg", "4000.0 0.05 0.01 1/100 999\n");
	assert_item("load", CHECK_WARN, "4000.0");
}

static void test_disk(void **state)
{
	autofree char *deep = tree_path("not/yet/there");
	struct check_report report;

	/* The nearest directory that there is counts. */
	check(0, deep, &report);
	assert_int_equal(find(&report, "disk")->status, CHECK_OK);
	assert_non_null(strstr(find(&report, "disk")->found, tree_root));
	assert_null(strstr(find(&report, "disk")->found, "not/yet"));
	check_free(&report);
	/* procfs cannot be written to, and has no space. */
	check(0, "/proc/sys/results", &report);
	assert_int_equal(find(&report, "disk")->status, CHECK_FAIL);
	check_free(&report);
	/* A relative path lies in the working directory. */
	check(0, "no-such-directory/x", &report);
	assert_non_null(find(&report, "disk"));
	check_free(&report);
}

static void test_json(void **state)
{
	struct check_report report;
	const json_t *item, *items;
	json_t *json;

	check(0, NULL, &report);
	json = check_json(&report);
	/* kvm fails on this host. */
	assert_true(json_is_false(json_object_get(json, "ok")));
	items = json_object_get(json, "items");
	assert_int_equal(json_array_size(items), report.nr);
	item = json_array_get(items, 1);
	assert_string_equal(json_string_value(json_object_get(item, "name")), "kvm");
	assert_string_equal(json_string_value(json_object_get(item, "status")), "fail");
	assert_true(json_is_string(json_object_get(item, "remedy")));
	item = json_array_get(items, 2);
	assert_string_equal(json_string_value(json_object_get(item, "status")), "ok");
	assert_true(json_is_null(json_object_get(item, "remedy")));
	json_decref(json);
	check_free(&report);
	assert_int_equal(report.nr, 0);
}

/* What check_print() writes to a stdout that is a file. */
static char *printed(const struct check_report *report)
{
	autofree char *path = tree_path("stdout");
	autoclose int saved = dup(STDOUT_FILENO);
	autoclose int fd = open(path, O_RDWR | O_CREAT | O_TRUNC, 0600);

	fflush(stdout);
	assert_true(dup2(fd, STDOUT_FILENO) >= 0);
	check_print(report);
	fflush(stdout);
	assert_true(dup2(saved, STDOUT_FILENO) >= 0);
	return file_read(path, NULL);
}

static void test_print(void **state)
{
	char found[] = "7 groups", none[] = "not there", remedy[] = "modprobe it";
	struct check_item items[] = { { "iommu", CHECK_OK, found, NULL },
				      { "tracefs", CHECK_WARN, none, remedy },
				      { "vfio", CHECK_FAIL, none, remedy } };
	const struct check_report report = { items, ARRAY_SIZE(items) };
	autofree char *text = printed(&report);

	assert_string_equal(text, "ok    iommu      7 groups\n"
				  "warn  tracefs    not there\n"
				  "                 -> modprobe it\n"
				  "FAIL  vfio       not there\n"
				  "                 -> modprobe it\n");
	assert_true(check_failed(&report));
	items[2].status = CHECK_WARN;
	assert_false(check_failed(&report));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_good_host),	  TEST(test_missing),	TEST(test_kvm),
		TEST(test_device_in_use), TEST(test_placement), TEST(test_no_devices),
		TEST(test_qemu),	  TEST(test_noise),	TEST(test_disk),
		TEST(test_json),	  TEST(test_print),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
