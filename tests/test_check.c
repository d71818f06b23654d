// SPDX-License-Identifier: GPL-2.0-only
/* Preflight on a fake host, with a script for QEMU. */
#include "tests/check_host.h"

#include "bench/registry.h"
#include "harness/preflight.h"

static void test_good_host(void **state)
{
	assert_item("iommu", CHECK_OK, "1 groups");
	assert_item("domain", CHECK_OK, "1 identity");
	assert_item("remapping", CHECK_OK, "are remapped");
	assert_item("vfio", CHECK_OK, "vfio-pci loaded");
	assert_item("mappings", CHECK_OK, "dma_entry_limit 65535");
	assert_item("link", CHECK_OK, "no link");
	assert_item("device", CHECK_OK, "nvme " NVME ", nvme");
	assert_item("memory", CHECK_OK, "4.0 GiB");
	assert_item("disk", CHECK_OK, tree_root);
	assert_item("qemu", CHECK_OK, "version 7.2.9 (Debian)");
	assert_item("tracefs", CHECK_OK, "mounted");
	assert_item("thp", CHECK_OK, "madvise");
	assert_no_item("memory");
	assert_no_item("disk");
	assert_no_item("peer");
	assert_item("numa", CHECK_OK, "no automatic balancing");
	assert_item("swap", CHECK_OK, "unused");
	assert_item("leftover", CHECK_OK, "no QEMU");
	assert_item("irq", CHECK_OK, "nothing moves");
	assert_item("load", CHECK_OK, "0.01");
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

static void test_iommu(void **state)
{
	tree_put("proc/interrupts", "  1:    9   IO-APIC   1-edge   i8042\n");
	assert_item("remapping", CHECK_FAIL, "intremap=off");
	tree_put("sys/module/vfio_iommu_type1/parameters/allow_unsafe_interrupts", "Y\n");
	assert_item("remapping", CHECK_WARN, "told to bear it");
	tree_remove("proc/interrupts");
	assert_item("remapping", CHECK_WARN, "cannot be read");
	tree_put("sys/module/vfio_iommu_type1/parameters/dma_entry_limit", "100\n");
	assert_item("mappings", CHECK_WARN, "echo 65535 >");
	tree_remove("sys/module/vfio_iommu_type1/parameters/dma_entry_limit");
	assert_item("mappings", CHECK_WARN, "modprobe vfio_iommu_type1");
	tree_put("sys/kernel/iommu_groups/8/type", "DMA-FQ\n");
	tree_put("sys/kernel/iommu_groups/9/type", "identity\n");
	assert_item("domain", CHECK_OK, "2 identity, 1 DMA-FQ");
}

/* The host's end of a cable is driven by the host. */
static void test_translated_peer(void **state)
{
	static char kind[] = "nic", address[] = NVME, peer[] = "0000:5e:00.1";
	struct host_device device = { .kind = kind, .address = address, .peer = peer };
	const struct host host = { .devices = &device, .nr_devices = 1 };
	struct check_report report;

	tree_pci(peer, "0x020000\n", "ixgbe", 8);
	tree_put("sys/kernel/iommu_groups/8/type", "DMA\n");
	check_host(&host, NULL, NULL, &report);
	assert_int_equal(find(&report, "domain")->status, CHECK_WARN);
	assert_non_null(strstr(find(&report, "domain")->found, "end of nic"));
	check_free(&report);
	tree_put("sys/kernel/iommu_groups/8/type", "identity\n");
	check_host(&host, NULL, NULL, &report);
	assert_int_equal(find(&report, "domain")->status, CHECK_OK);
	check_free(&report);
}

static void test_no_reset(void **state)
{
	tree_remove("sys/bus/pci/devices/" NVME "/reset_method");
	assert_item("device", CHECK_WARN, "it has no reset");
}

static void put_link(const char *dir, const char *speed, const char *width, const char *max_speed,
		     const char *max_width)
{
	const char *const values[][2] = { { "current_link_speed", speed },
					  { "current_link_width", width },
					  { "max_link_speed", max_speed },
					  { "max_link_width", max_width } };

	for (size_t i = 0; i < ARRAY_SIZE(values); i++) {
		autofree char *path = xasprintf("%s/%s", dir, values[i][0]);

		tree_put(path, values[i][1]);
	}
}

static void test_link(void **state)
{
	static const char device[] = "sys/bus/pci/devices/" NVME;
	static const char port[] = "sys/devices/pci0000:00/0000:00:01.0";

	tree_link("sys/bus/pci/devices/0000:00:01.0", port);
	put_link(device, "16.0 GT/s PCIe\n", "4\n", "16.0 GT/s PCIe\n", "4\n");
	assert_item("link", CHECK_OK, "16 GT/s x4, all it can do");
	put_link(device, "8.0 GT/s PCIe\n", "4\n", "16.0 GT/s PCIe\n", "4\n");
	assert_item("link", CHECK_WARN, "8 GT/s x4 of 16 GT/s x4");
	assert_item("link", CHECK_WARN, "seat it anew");
	put_link(device, "16.0 GT/s PCIe\n", "1\n", "16.0 GT/s PCIe\n", "4\n");
	assert_item("link", CHECK_WARN, "16 GT/s x1 of 16 GT/s x4");
	/* The port is as slow as that. */
	put_link(port, "8.0 GT/s PCIe\n", "1\n", "8.0 GT/s PCIe\n", "2\n");
	assert_item("link", CHECK_WARN, "(port 0000:00:01.0) can do 8 GT/s x2");
	put_link(port, "8.0 GT/s PCIe\n", "1\n", "16.0 GT/s PCIe\n", "16\n");
	assert_item("link", CHECK_WARN, "seat it anew");
	put_link(device, "Unknown\n", "0\n", "Unknown\n", "255\n");
	assert_item("link", CHECK_OK, "no link");
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

/* The drive is fine, and the edu device has no driver to give it back to, nor a reset. */
static char *preflight_of(const char *device)
{
	static char kinds[][8] = { "nvme", "edu" }, addresses[][16] = { NVME, "0000:5e:00.1" };
	struct host_device devices[] = { { .kind = kinds[0], .address = addresses[0] },
					 { .kind = kinds[1], .address = addresses[1] } };
	const struct host host = { .devices = devices, .nr_devices = ARRAY_SIZE(devices) };
	struct choice choice = { .ops = registry_device(device) };
	const struct experiment exp = { .guest = { .memory_bytes = GIB, .cpus = 1 },
					.devices = { .items = &choice, .nr = 1 } };
	json_t *found = NULL;
	char *text;

	assert_non_null(choice.ops);
	preflight_again(&host, &exp, tree_root, &found);
	text = json_dumps(found, 0);
	json_decref(found);
	assert_non_null(text);
	return text;
}

static void test_preflight_of_used_devices(void **state)
{
	autofree char *used = NULL, *unused = NULL;

	tree_pci("0000:5e:00.1", "0x00ff00\n", "edu", 8);
	used = preflight_of("edu");
	assert_non_null(strstr(used, "0000:5e:00.1"));
	assert_null(strstr(used, NVME));
	unused = preflight_of("nvme");
	assert_non_null(strstr(unused, NVME));
	assert_null(strstr(unused, "0000:5e:00.1"));
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
	const struct CMUnitTest tests[] = {
		CHECK_TEST(test_good_host),
		CHECK_TEST(test_missing),
		CHECK_TEST(test_kvm),
		CHECK_TEST(test_iommu),
		CHECK_TEST(test_translated_peer),
		CHECK_TEST(test_device_in_use),
		CHECK_TEST(test_no_reset),
		CHECK_TEST(test_link),
		CHECK_TEST(test_placement),
		CHECK_TEST(test_no_devices),
		CHECK_TEST(test_qemu),
		CHECK_TEST(test_disk),
		CHECK_TEST(test_json),
		CHECK_TEST(test_preflight_of_used_devices),
		CHECK_TEST(test_print),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
