// SPDX-License-Identifier: GPL-2.0-only
/* PCI devices in a fake sysfs, and what the host uses them for in a fake procfs. */
#include "tests/tree.h"

#include <errno.h>

#define NVME "0000:5e:00.0"
#define NIC "0000:af:00.0"
#define BELOW "sys/devices/pci0000:00/0000:00:01.0/"
#define DISK BELOW NVME "/nvme/nvme0/nvme0n1"
#define PORT BELOW NIC "/net/eth9"

static void no_mounts(void)
{
	tree_put("proc/self/mountinfo", "22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n");
	tree_put("proc/swaps", "Filename\tType\tSize\tUsed\tPriority\n"
			       "/dev/sda2 partition 1024 0 -2\n");
	tree_put("proc/net/route", "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\t"
				   "MTU\tWindow\tIRTT\n"
				   "eth0\t00000000\t0100000A\t0003\t0\t0\t0\t00000000\t0\t0\t0\n"
				   "eth0\t0000000A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n");
}

static int setup(void **state)
{
	if (tree_setup(state))
		return -1;
	no_mounts();
	tree_dir("sys/bus/pci/drivers/vfio-pci");
	tree_pci(NVME, "0x010802\n", "nvme", 7);
	tree_put(DISK "/dev", "259:0\n");
	tree_put(DISK "/nvme0n1p1/dev", "259:1\n");
	tree_put(DISK "/nvme0n1p1/partition", "1\n");
	tree_link("sys/class/block/nvme0n1", DISK);
	tree_link("sys/class/block/nvme0n1p1", DISK "/nvme0n1p1");
	tree_put("sys/devices/pci0000:00/0000:00:17.0/ata1/sda/sda1/dev", "8:1\n");
	tree_link("sys/class/block/sda1", "sys/devices/pci0000:00/0000:00:17.0/ata1/sda/sda1");
	tree_pci(NIC, "0x020000\n", "ixgbe", 8);
	tree_put(PORT "/address", "52:54:00:00:00:09\n");
	tree_link("sys/class/net/eth9", PORT);
	return 0;
}

/* A dm or md device on a partition, with a number and maybe a name. */
static void stack_block(const char *name, const char *number, const char *below, const char *dm)
{
	autofree char *real = xasprintf("sys/devices/virtual/block/%s", name);
	autofree char *dev = xasprintf("%s/dev", real), *dm_name = xasprintf("%s/dm/name", real);
	autofree char *class = xasprintf("sys/class/block/%s", name);
	autofree char *holder = xasprintf("sys/class/block/%s/holders/%s", below, name);

	tree_put(dev, number);
	tree_link(class, real);
	tree_link(holder, real);
	if (dm)
		tree_put(dm_name, dm);
}

static void assert_free(const char *bdf)
{
	autofree char *why = NULL;
	int ret = pci_assignable(bdf, &why);

	if (why)
		print_error("%s\n", why);
	assert_int_equal(ret, 0);
	assert_null(why);
}

static void assert_refused(const char *bdf, int error, const char *word)
{
	autofree char *why = NULL;

	assert_int_equal(pci_assignable(bdf, &why), error);
	assert_non_null(why);
	if (!strstr(why, word))
		fail_msg("\"%s\" does not say \"%s\"", why, word);
	/* The reason comes with a remedy. */
	assert_non_null(strstr(why, ": "));
}

static void test_address(void **state)
{
	static const char *const bad[] = { "",
					   "5e:00.0",
					   "0000:5e:00",
					   "0000:5e:00.8",
					   "0000:5e:20.0",
					   "0000:5E:00.0",
					   "000:5e:00.0",
					   "0000:5e:00.00",
					   "0000;5e:00.0",
					   "../../../a/b",
					   "0000:5g:00.0" };

	assert_true(pci_address_valid("0000:5e:00.0"));
	assert_true(pci_address_valid("ffff:ff:1f.7"));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_false(pci_address_valid(bad[i]));
}

static void test_driver_and_group(void **state)
{
	autofree char *driver = pci_driver(NVME);

	assert_string_equal(driver, "nvme");
	assert_int_equal(pci_iommu_group(NVME), 7);
	tree_pci("0000:5e:00.1", "0x010802\n", NULL, -1);
	errno = EIO;
	assert_null(pci_driver("0000:5e:00.1"));
	assert_int_equal(errno, 0);
	assert_int_equal(pci_iommu_group("0000:5e:00.1"), -ENOENT);
	assert_null(pci_driver("0000:5e:00.2"));
	assert_int_equal(errno, ENODEV);
	assert_int_equal(pci_iommu_group("0000:5e:00.2"), -ENODEV);
}

static void test_bars(void **state)
{
	tree_put(BELOW NVME "/resource",
		 "0x00000000fb000000 0x00000000fb003fff 0x0000000000140204\n"
		 "0x0000000000000000 0x0000000000000000 0x0000000000000000\n"
		 "0x000000000000e000 0x000000000000e0ff 0x0000000000040101\n"
		 "0x0000380000000000 0x00003800ffffffff 0x000000000014220c\n"
		 "0x0000000000000000 0x0000000000000000 0x0000000000000000\n"
		 "0x0000000000000000 0x0000000000000000 0x0000000000000000\n"
		 "0x00000000fb100000 0x00000000fb10ffff 0x0000000000046200\n"
		 "0x0000000010000000 0x000000001fffffff 0x0000000000140204\n");
	assert_int_equal(pci_bar_bytes(NVME), 0x4000 + 4 * GIB);
	assert_int_equal(pci_bar_bytes(NIC), 0);
}

static void test_assignable(void **state)
{
	assert_free(NVME);
	assert_free(NIC);
	assert_refused("0000:01:00.0", -ENODEV, "no such PCI device");
	assert_refused("nonsense", -ENODEV, "no such PCI device");
	tree_pci("0000:5e:00.1", "0x010802\n", NULL, -1);
	assert_refused("0000:5e:00.1", -ENOENT, "intel_iommu=on");
}

static void test_mounted(void **state)
{
	tree_put("proc/self/mountinfo",
		 "30 22 259:1 / /data rw,relatime shared:7 master:2 - xfs /dev/x rw\n");
	assert_refused(NVME, -EBUSY, "/dev/nvme0n1p1, mounted on /data");
	assert_free(NIC);
	/* The whole disk, and a file system with a device number of its own. */
	tree_put("proc/self/mountinfo", "30 22 259:0 / /data rw - xfs /dev/x rw\n");
	assert_refused(NVME, -EBUSY, "/dev/nvme0n1, mounted on /data");
	tree_put("proc/self/mountinfo",
		 "30 22 0:44 /@ /pool rw - btrfs /dev/nvme0n1p1 rw,subvol=/@\n");
	assert_refused(NVME, -EBUSY, "/dev/nvme0n1p1, mounted on /pool");
	/* Numbers and names that only begin alike. */
	tree_put("proc/self/mountinfo", "30 22 259:10 / /data rw - xfs /dev/nvme0n1p10 rw\n");
	assert_free(NVME);
}

static void test_stacked(void **state)
{
	/* NVMe partition <- md0 <- its partition <- LVM volume. */
	stack_block("md0", "9:0\n", "nvme0n1p1", NULL);
	tree_put("sys/devices/virtual/block/md0/md0p1/dev", "259:7\n");
	tree_put("sys/devices/virtual/block/md0/md0p1/partition", "1\n");
	tree_link("sys/class/block/md0p1", "sys/devices/virtual/block/md0/md0p1");
	stack_block("dm-3", "253:3\n", "md0p1", "vg-root\n");
	assert_free(NVME);
	tree_put("proc/self/mountinfo", "30 22 253:3 / / rw - ext4 /dev/mapper/other rw\n");
	assert_refused(NVME, -EBUSY, "/dev/dm-3, mounted on /");
	tree_put("proc/self/mountinfo", "30 22 0:44 / /pool rw - btrfs /dev/mapper/vg-root rw\n");
	assert_refused(NVME, -EBUSY, "/dev/dm-3, mounted on /pool");
	no_mounts();
	tree_put("proc/swaps", "Filename Type Size Used Priority\n/dev/dm-3 partition 9 0 -2\n");
	assert_refused(NVME, -EBUSY, "swapoff /dev/dm-3");
}

static void test_swap(void **state)
{
	tree_put("proc/swaps", "Filename Type Size Used Priority\n"
			       "/dev/nvme0n1p1                          partition\t1\t0\t-2\n");
	assert_refused(NVME, -EBUSY, "swap");
	tree_remove("proc/swaps");
	assert_free(NVME);
}

static void test_multipath(void **state)
{
	static const char subsystem[] = "sys/devices/virtual/nvme-subsystem/nvme-subsys0";
	autofree char *disk = xasprintf("%s/nvme0n1", subsystem);
	autofree char *part = xasprintf("%s/nvme0n1p1", disk), *dev = xasprintf("%s/dev", part);
	autofree char *partition = xasprintf("%s/partition", part);
	autofree char *controller = xasprintf("%s/nvme0", subsystem);

	tree_remove(DISK);
	tree_dir(BELOW NVME "/nvme/nvme0");
	tree_put(dev, "259:1\n");
	tree_put(partition, "1\n");
	tree_link(controller, BELOW NVME "/nvme/nvme0");
	tree_link("sys/class/block/nvme0n1", disk);
	tree_link("sys/class/block/nvme0n1p1", part);
	assert_free(NVME);
	tree_put("proc/self/mountinfo", "30 22 259:1 / /data rw - xfs /dev/x rw\n");
	assert_refused(NVME, -EBUSY, "mounted on /data");
	/* A subsystem of other controllers. */
	tree_link(controller, BELOW NIC);
	assert_free(NVME);
}

static void test_default_route(void **state)
{
	tree_put("proc/net/route", "Iface Destination Gateway Flags RefCnt Use Metric Mask M W I\n"
				   "eth9\t00000000\t0100000A\t0003\t0\t0\t0\t00000000\t0\t0\t0\n");
	assert_refused(NIC, -EBUSY, "eth9");
	assert_free(NVME);
	/* 0.0.0.0/1 is no default route, but a route; one that rejects is none. */
	tree_put("proc/net/route", "eth9\t00000000\t0100000A\t0003\t0\t0\t0\t00000080\t0\t0\t0\n");
	assert_refused(NIC, -EBUSY, "an address or a route on eth9");
	tree_put("proc/net/route", "eth9\t00000000\t0100000A\t0201\t0\t0\t0\t00000000\t0\t0\t0\n");
	assert_free(NIC);
}

static void test_address_in_use(void **state)
{
	tree_put("proc/net/route", "eth9\t0000000A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n");
	assert_refused(NIC, -EBUSY, "ip addr flush dev eth9");
	no_mounts();
	tree_put("proc/net/if_inet6", "fe80000000000000505400fffe000009 02 40 20 80     eth9\n"
				      "20010db8000000000000000000000001 03 40 00 80     eth0\n");
	assert_free(NIC);
	tree_put("proc/net/if_inet6", "20010db8000000000000000000000001 03 40 00 80     eth9\n");
	assert_refused(NIC, -EBUSY, "an IPv6 address on eth9");
	assert_free(NVME);
}

static void test_default_route6(void **state)
{
	static const char zero[] = "00000000000000000000000000000000";
	autofree char *route = xasprintf("%s 00 %s 00 fe800000000000000000000000000001 00000400 "
					 "00000001 00000000 00450003     eth9\n",
					 zero, zero);
	autofree char *reject = xasprintf("%s 00 %s 00 %s ffffffff 00000001 00000000 00200200 "
					  "    eth9\n",
					  zero, zero, zero);

	tree_put("proc/net/ipv6_route", reject);
	assert_free(NIC);
	tree_put("proc/net/ipv6_route", route);
	assert_refused(NIC, -EBUSY, "eth9");
}

static void test_route_through_bridge(void **state)
{
	tree_link("sys/class/net/br0", "sys/devices/virtual/net/br0");
	tree_dir("sys/devices/virtual/net/br0");
	tree_dir("sys/devices/virtual/net/bond0");
	tree_link("sys/class/net/bond0", "sys/devices/virtual/net/bond0");
	tree_link("sys/class/net/eth9/upper_bond0", "sys/devices/virtual/net/bond0");
	tree_put("proc/net/route", "br0\t00000000\t0100000A\t0003\t0\t0\t0\t00000000\t0\t0\t0\n");
	assert_refused(NIC, -EBUSY, "eth9 carries bond0");
	tree_link("sys/class/net/bond0/upper_br0", "sys/devices/virtual/net/br0");
	assert_refused(NIC, -EBUSY, "the default route goes through br0");
}

static void test_group(void **state)
{
	tree_pci("0000:5e:00.1", "0x040300\n", "snd_hda_intel", 7);
	assert_refused(NVME, -EBUSY, "0000:5e:00.1 in its IOMMU group 7 is bound to snd_hda_intel");
	tree_pci("0000:5e:00.1", "0x040300\n", "vfio-pci", 7);
	assert_free(NVME);
	tree_remove(BELOW "0000:5e:00.1/driver");
	assert_free(NVME);
	tree_pci("0000:00:1c.0", "0x060400\n", "pcieport", 7);
	assert_free(NVME);
	assert_refused("0000:00:1c.0", -EBUSY, "bridge");
}

/* Other functions of its group, taken together with it. */
static void test_with(void **state)
{
	autolist struct strlist with = { 0 };
	autofree char *used = NULL, *elsewhere = NULL, *why = NULL;

	strlist_add(&with, "0000:5e:00.1");
	tree_pci("0000:5e:00.1", "0x040300\n", "snd_hda_intel", 7);
	assert_refused(NVME, -EBUSY, "or name it under 'with' in the host file");
	assert_int_equal(pci_assignable_with(NVME, &with, &why), 0);
	assert_null(why);
	/* The host must be able to do without it, and it must be of the group. */
	tree_put(BELOW "0000:5e:00.1/boot_vga", "1\n");
	assert_int_equal(pci_assignable_with(NVME, &with, &used), -EBUSY);
	assert_non_null(
		strstr(used, "0000:5e:00.1, to be taken with it: it is the host's console"));
	tree_remove(BELOW "0000:5e:00.1/boot_vga");
	strlist_add(&with, NIC);
	assert_int_equal(pci_assignable_with(NVME, &with, &elsewhere), -EBUSY);
	assert_non_null(
		strstr(elsewhere, NIC " is not in its IOMMU group 7: remove it from 'with'"));
}

static void test_virtual_functions(void **state)
{
	tree_put(BELOW NIC "/sriov_numvfs", "0\n");
	assert_free(NIC);
	tree_put(BELOW NIC "/sriov_numvfs", "4\n");
	assert_refused(NIC, -EBUSY, "4 virtual functions");
}

/* A file system that the host gets from its own hypervisor. */
static void test_share(void **state)
{
	tree_pci("0000:00:01.0", "0x000200\n", "virtio-pci", 3);
	tree_put(BELOW "0000:00:01.0/virtio0/mount_tag", "root\n");
	assert_refused("0000:00:01.0", -EBUSY, "9p share root, which may be mounted");
	tree_remove(BELOW "0000:00:01.0/virtio0");
	assert_free("0000:00:01.0");
}

/* Drivers without DMA of their own may share the group, others make it not viable. */
static void test_stubs(void **state)
{
	static const char *const stubs[] = { "pci-stub", "vfio-pci", "mlx5-vfio-pci" };
	static const char *const others[] = { "nvme", "uio_pci_generic", "vfio-pci-mine" };

	for (size_t i = 0; i < ARRAY_SIZE(stubs); i++) {
		tree_remove(BELOW "0000:5e:00.1");
		tree_pci("0000:5e:00.1", "0x040300\n", stubs[i], 7);
		assert_free(NVME);
	}
	for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
		tree_remove(BELOW "0000:5e:00.1");
		tree_pci("0000:5e:00.1", "0x040300\n", others[i], 7);
		assert_refused(NVME, -EBUSY, others[i]);
	}
}

static void test_parts_of_the_machine(void **state)
{
	tree_pci("0000:00:00.0", "0x060000\n", NULL, 1);
	assert_refused("0000:00:00.0", -EBUSY, "a part of the machine");
	tree_pci("0000:00:1f.0", "0x060100\n", NULL, 2);
	assert_refused("0000:00:1f.0", -EBUSY, "a part of the machine");
	/* An ISA bridge is no bridge that a group may have bound to a driver. */
	tree_pci("0000:5e:00.1", "0x060100\n", "lpc_ich", 7);
	assert_refused(NVME, -EBUSY, "lpc_ich");
}

static void test_console(void **state)
{
	tree_pci("0000:03:00.0", "0x030000\n", "nouveau", 9);
	tree_put(BELOW "0000:03:00.0/boot_vga", "0\n");
	assert_free("0000:03:00.0");
	tree_put(BELOW "0000:03:00.0/boot_vga", "1\n");
	assert_refused("0000:03:00.0", -EBUSY, "vfio-pci.ids=");
	tree_remove(BELOW "0000:03:00.0/driver");
	tree_link(BELOW "0000:03:00.0/driver", "sys/bus/pci/drivers/vfio-pci");
	assert_free("0000:03:00.0");
}

static void test_no_iommu(void **state)
{
	tree_put("sys/kernel/iommu_groups/7/name", "vfio-noiommu\n");
	assert_refused(NVME, -ENOENT, "no-IOMMU mode");
	assert_free(NIC);
	tree_remove("sys/bus/pci/drivers/vfio-pci");
	assert_refused(NIC, -ENOENT, "modprobe vfio-pci");
}

static void assert_resets(const char *expected)
{
	autofree char *methods = pci_reset_methods(NVME), *caution = pci_caution(NVME);

	if (expected)
		assert_string_equal(methods, expected);
	else
		assert_null(methods);
	assert_int_equal(caution == NULL, expected != NULL);
}

static void test_resets(void **state)
{
	assert_resets(NULL);
	tree_put(BELOW NVME "/reset", "");
	assert_resets("unnamed");
	tree_put(BELOW NVME "/reset_method", "flr bus\n");
	assert_resets("flr bus");
	/* All methods were switched off. */
	tree_put(BELOW NVME "/reset_method", "\n");
	assert_resets(NULL);
}

static void test_split(void **state)
{
	char why[] = "0000:5e:00.1 is bound: if you can, echo 0000:5e:00.1 > x";
	char plain[] = "just so";

	assert_string_equal(pci_split_why(why), "if you can, echo 0000:5e:00.1 > x");
	assert_string_equal(why, "0000:5e:00.1 is bound");
	assert_null(pci_split_why(plain));
}

/* What the host uses cannot be known without procfs. */
static void test_no_procfs(void **state)
{
	tree_remove("proc");
	assert_refused(NVME, -EBUSY, "cannot be read");
	assert_refused(NIC, -EBUSY, "cannot be read");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, tree_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_address),
		TEST(test_driver_and_group),
		TEST(test_bars),
		TEST(test_assignable),
		TEST(test_mounted),
		TEST(test_stacked),
		TEST(test_swap),
		TEST(test_multipath),
		TEST(test_default_route),
		TEST(test_default_route6),
		TEST(test_route_through_bridge),
		TEST(test_group),
		TEST(test_with),
		TEST(test_virtual_functions),
		TEST(test_no_procfs),
		TEST(test_address_in_use),
		TEST(test_share),
		TEST(test_stubs),
		TEST(test_parts_of_the_machine),
		TEST(test_console),
		TEST(test_no_iommu),
		TEST(test_resets),
		TEST(test_split),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
