// SPDX-License-Identifier: GPL-2.0-only
/* Modes: what each adds to the VM, where it is skipped and why. */
#include "tests/tree.h"

#include "bench/registry.h"
#include "harness/boot.h"
#include "harness/plan.h"
#include "harness/run_host.h"

#define NVME "0000:5e:00.0"
#define REAL "sys/devices/pci0000:00/0000:00:01.0/" NVME
#define TYPE "sys/kernel/iommu_groups/7/type"
#define ECAP REAL "/iommu/intel-iommu/ecap"

static struct host_device nvme;
static struct host host;

static int setup(void **state)
{
	if (tree_setup(state))
		return -1;
	nvme = (struct host_device){ .kind = (char *)"nvme", .address = (char *)NVME };
	host = (struct host){ .devices = &nvme, .nr_devices = 1, .build_dir = tree_root };
	tree_dir("sys/bus/pci/drivers/vfio-pci");
	tree_pci(NVME, "0x010802\n", "nvme", 7);
	tree_put("proc/self/mountinfo", "");
	tree_put("proc/swaps", "");
	tree_put("proc/net/route", "");
	tree_put("proc/net/ipv6_route", "");
	tree_put("kernel/vmlinuz", "");
	tree_put("images/guest.cpio", "");
	tree_put("images/guest.erofs", "");
	return 0;
}

/* A cell of the mode with its settings; name NULL: as they are by default. */
static struct cell new_cell(const char *mode, const char *device, const char *workload,
			    const char *name, const char *value)
{
	struct cell cell = { .mode = registry_mode(mode),
			     .device = registry_device(device),
			     .workload = registry_workload(workload) };
	struct settings *settings = settings_new(cell.mode->settings);
	char *why = NULL;

	if (name)
		assert_int_equal(settings_set(settings, name, value, &why), 0);
	cell.mode_settings = settings;
	cell.device_settings = settings_new(cell.device->settings);
	cell.workload_settings = settings_new(cell.workload->settings);
	return cell;
}

static void free_cell(struct cell *cell)
{
	settings_free((struct settings *)cell->mode_settings);
	settings_free((struct settings *)cell->device_settings);
	settings_free((struct settings *)cell->workload_settings);
	free(cell->skip);
}

/* --- where they run --- */

/* Skipped with a reason that has this word; NULL: not skipped. */
static void assert_skip(const char *mode, const char *device, const char *workload,
			const char *setting, const char *value, const char *word)
{
	struct cell cell = new_cell(mode, device, workload, setting, value);
	struct plan plan = { .cells = &cell, .nr_cells = 1 };
	const struct guest_config guest = { .memory_bytes = 256 * MIB, .cpus = 1 };

	run_probe_cells(&plan, &host, &guest);
	if (word && !(cell.skip && strstr(cell.skip, word)))
		fail_msg("%s: '%s' lacks '%s'", mode, cell.skip ? cell.skip : "", word);
	if (!word && cell.skip)
		fail_msg("%s: %s", mode, cell.skip);
	free_cell(&cell);
}

static void test_without_assignment(void **state)
{
	assert_skip("emulated", "nvme", "fio", NULL, NULL, "writable: yes");
	assert_skip("virtio", "nvme", "boot", NULL, NULL, "writable: yes");
	nvme.writable = true;
	assert_skip("emulated", "nvme", "fio", NULL, NULL, NULL);
	assert_skip("virtio", "nvme", "boot", NULL, NULL, NULL);
	assert_skip("emulated", "nic", "tcp", NULL, NULL, "device nic is not supported");
	assert_skip("virtio", "nic", "tcp", NULL, NULL, "device nic is not supported");
}

/* A plug-in that uses another one's device, and destroys its data. */
static void test_rogue_drive(void **state)
{
	host.nr_devices = 0;
	assert_skip("static", "nvme_rogue", "isolation", NULL, NULL, "names no nvme device");
	host.nr_devices = 1;
	assert_skip("static", "nvme_rogue", "isolation", NULL, NULL, NVME ": add 'writable: yes'");
	nvme.writable = true;
	assert_skip("static", "nvme_rogue", "isolation", NULL, NULL, NULL);
	assert_skip("emulated", "nvme_rogue", "isolation", NULL, NULL, "is not supported");
}

static void test_virtual_function(void **state)
{
	tree_put(TYPE, "identity\n");
	tree_put(REAL "/sriov_totalvfs", "4\n");
	tree_put(REAL "/sriov_numvfs", "0\n");
	nvme.writable = true;
	nvme.functions = 2;
	assert_skip("native-lazy", "nvme", "fio", NULL, NULL, "'functions'");
	assert_skip("virtio", "nvme", "fio", NULL, NULL, "'functions'");
	assert_skip("static", "nvme", "fio", NULL, NULL, NULL);
}

static void test_bounce_without_kernel(void **state)
{
	autofree char *why = registry_workload("dpdk")->unfit(registry_mode("bounce"));

	assert_non_null(why);
	assert_null(registry_workload("dpdk")->unfit(registry_mode("virtio-iommu")));
}

static void test_huge_pages_in_a_cgroup(void **state)
{
	const struct workload_ops *overcommit = registry_workload("overcommit");
	autofree char *why = overcommit->unfit(registry_mode("static-hugetlb"));

	assert_non_null(why);
	assert_null(overcommit->unfit(registry_mode("static-thp")));
}

static void test_native(void **state)
{
	assert_skip("native-lazy", "nvme", "fio", NULL, NULL, "IOMMU group with a type");
	tree_put(TYPE, "identity\n");
	assert_skip("native-lazy", "nvme", "fio", NULL, NULL, NULL);
	assert_skip("native-strict", "nvme", "fio", NULL, NULL, NULL);
	assert_skip("native-identity", "nvme", "boot", NULL, NULL, "without a VM");
	assert_skip("native-identity", "nvme", "dmamap", NULL, NULL, "without a VM");
	assert_skip("native-lazy", "nic", "dpdk", NULL, NULL, "without a VM");
	/* As ever, nothing that the host uses. */
	tree_pci("0000:5e:00.1", "0x010802\n", "nvme", 7);
	assert_skip("native-lazy", "nvme", "fio", NULL, NULL, "0000:5e:00.1");
}

static void test_virtio_iommu(void **state)
{
	assert_skip("virtio-iommu", "nvme", "fio", NULL, NULL, "make images-newer");
	tree_put("images-newer/guest.erofs", "");
	assert_skip("virtio-iommu", "nvme", "fio", NULL, NULL, NULL);
}

/* Bits 26, nested translation, and 43, scalable mode; what QEMU has comes after them. */
static void test_nested(void **state)
{
	struct cell cell = new_cell("viommu-nested", "nvme", "fio", NULL, NULL);
	autofree char *why = NULL;

	assert_skip("viommu-nested", "nvme", "fio", NULL, NULL, "other hardware");
	tree_put(ECAP, "80000000000\n");
	assert_skip("viommu-nested", "nvme", "fio", NULL, NULL, "other hardware");
	tree_put(ECAP, "4000000\n");
	assert_skip("viommu-nested", "nvme", "fio", NULL, NULL, "other hardware");
	tree_put(ECAP, "80004000000\n");
	if (cell.mode->probe(&host, cell.mode_settings, &why))
		assert_null(strstr(why, "other hardware"));
	assert_skip("viommu-nested", "nvme", "fio", "stages", "shadow", NULL);
	free_cell(&cell);
}

/* --- what they add --- */

/* The command line has all of these words; a NULL ends them. */
static void assert_command(const char *mode, const char *setting, const char *value,
			   const char *const words[])
{
	struct cell cell = new_cell(mode, "nvme", "fio", setting, value);
	const struct guest_config guest = { .memory_bytes = GIB, .cpus = 1 };
	autofree char *line = NULL;
	struct vm_config config;

	assert_int_equal(boot_config(tree_root, &host, &guest, NULL, &cell, &config), 0);
	line = vm_command_line(&config, "DIR");
	for (size_t i = 0; words[i]; i++)
		if (!strstr(line, words[i]))
			fail_msg("%s lacks '%s': %s", mode, words[i], line);
	vm_config_free(&config);
	free_cell(&cell);
}

static void test_commands(void **state)
{
	static const struct {
		const char *mode, *setting, *value;
		const char *words[5];
	} wanted[] = {
		{ "emulated", NULL, NULL, { "filename=/dev/nvme3n1,", " nvme,drive=disk," } },
		{ "virtio",
		  NULL,
		  NULL,
		  { "filename=/dev/nvme3n1,", "virtio-blk-pci,drive=disk," } },
		{ "bounce",
		  "pool",
		  "8MiB",
		  { "swiotlb=4096,force", "libcoiommu.so", "UNPIN=off" } },
		{ "static-hugetlb", NULL, NULL, { "memory-backend-memfd,", "hugetlb=on" } },
		{ "coiommu-viommu",
		  NULL,
		  NULL,
		  { "libcoiommu.so", "intel-iommu,", "iommu=pt", "vfio-pci,host=" NVME } },
		{ "virtio-iommu",
		  "invalidate",
		  "lazy",
		  { "kernel-newer/vmlinuz", "images-newer/guest.erofs", "boot-bypass=off",
		    "iommu.strict=0" } },
		{ "viommu-nested",
		  NULL,
		  NULL,
		  { "iommufd,id=iommufd0", "x-flts=on", ",iommufd=iommufd0", "sm_on" } },
		{ "viommu-nested", "stages", "shadow", { "x-scalable-mode=on,caching-mode=on" } },
	};

	tree_put(REAL "/nvme/nvme3/nvme3n1/size", "2048\n");
	tree_put(REAL "/nvme/nvme3/state", "live\n");
	for (size_t i = 0; i < ARRAY_SIZE(wanted); i++)
		assert_command(wanted[i].mode, wanted[i].setting, wanted[i].value, wanted[i].words);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, tree_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_without_assignment),
		TEST(test_rogue_drive),
		TEST(test_bounce_without_kernel),
		TEST(test_virtual_function),
		TEST(test_huge_pages_in_a_cgroup),
		TEST(test_native),
		TEST(test_virtio_iommu),
		TEST(test_nested),
		TEST(test_commands),
	};

	return cmocka_run_group_tests_name("modes", tests, NULL, NULL);
}
