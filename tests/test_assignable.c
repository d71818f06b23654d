// SPDX-License-Identifier: GPL-2.0-only
/* What the kernel, VFIO and the host's use of a device say against giving it to a guest. */
#include "tests/tree.h"

#include <errno.h>

#define DEVICE "0000:5e:00.0"
#define OTHER "0000:5e:00.1"
#define BELOW "sys/devices/pci0000:00/0000:00:01.0/"
#define GROUP "sys/kernel/iommu_groups/7"
#define DISK BELOW DEVICE "/nvme/nvme0/nvme0n1"

static int setup(void **state)
{
	if (tree_setup(state))
		return -1;
	tree_put("proc/self/mountinfo", "22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n");
	tree_dir("sys/bus/pci/drivers/vfio-pci");
	tree_pci(DEVICE, "0x020000\n", NULL, 7);
	return 0;
}

static void assert_free(void)
{
	autofree char *why = NULL;

	if (pci_assignable(DEVICE, &why))
		fail_msg("refused: %s", why);
}

static void assert_refused(const char *word)
{
	autofree char *why = NULL;

	assert_int_equal(pci_assignable(DEVICE, &why), -EBUSY);
	if (!strstr(why, word))
		fail_msg("'%s' does not say '%s'", why, word);
	assert_non_null(pci_split_why(why));
}

static void put_other(const char *class, const char *driver)
{
	tree_remove(BELOW OTHER);
	tree_pci(OTHER, class, driver, 7);
}

/* The names that the kernel's own variants have. */
static void test_variants(void **state)
{
	put_other("0x020000\n", "mlx5_vfio_pci");
	assert_free();
	put_other("0x020000\n", "hisi_acc_vfio_pci");
	assert_free();
	put_other("0x020000\n", "mlx5_core");
	assert_refused(OTHER " in its IOMMU group 7 is bound to mlx5_core");
}

/* A bridge without a driver or with pcieport does no DMA, in the kernel's eyes; others may. */
static void test_bridges(void **state)
{
	put_other("0x060400\n", "pcieport");
	assert_free();
	put_other("0x060400\n", "shpchp");
	assert_refused(OTHER " in its IOMMU group 7 is bound to shpchp");
	put_other("0x060400\n", NULL);
	assert_free();
	put_other("0x060700\n", "yenta_cardbus");
	assert_refused("yenta_cardbus");
}

static void test_other_buses(void **state)
{
	tree_link("sys/devices/platform/dma0/driver", "sys/bus/platform/drivers/dma");
	tree_dir("sys/bus/platform/drivers/dma");
	tree_link(GROUP "/devices/dma0", "sys/devices/platform/dma0");
	assert_refused("dma0 in its IOMMU group 7 is bound to dma");
}

static void test_reserved(void **state)
{
	tree_put(GROUP "/reserved_regions",
		 "0x0000000000000000 0x0000000000ffffff direct-relaxable\n"
		 "0x00000000fee00000 0x00000000feefffff msi\n");
	assert_free();
	tree_put(GROUP "/reserved_regions", "0x000000007c000000 0x000000007fffffff direct\n"
					    "0x00000000fee00000 0x00000000feefffff msi\n");
	assert_refused("RMRR");
}

static void test_denylist(void **state)
{
	tree_put(BELOW DEVICE "/vendor", "0x8086\n");
	tree_put(BELOW DEVICE "/device", "0x37c9\n");
	assert_refused("denylist");
	tree_put("sys/module/vfio_pci/parameters/disable_denylist", "N\n");
	assert_refused("denylist");
	tree_put("sys/module/vfio_pci/parameters/disable_denylist", "Y\n");
	assert_free();
	tree_remove("sys/module");
	tree_put(BELOW DEVICE "/device", "0x37ca\n");
	assert_free();
}

/* Domains have more than four digits behind a VMD. */
static void test_long_domain(void **state)
{
	autofree char *why = NULL, *missing = NULL, *odd = NULL;

	tree_pci("10000:e1:00.0", "0x010802\n", NULL, -1);
	assert_int_equal(pci_assignable("10000:e1:00.0", &why), -ENOENT);
	assert_non_null(strstr(why, "it has no IOMMU group"));
	assert_int_equal(pci_assignable("10000:e1:00.1", &missing), -ENODEV);
	assert_int_equal(pci_assignable("../" DEVICE, &odd), -ENODEV);
}

static void test_classes(void **state)
{
	tree_put(BELOW DEVICE "/class", "0x068000\n"); /* NVSwitch */
	assert_free();
	tree_put(BELOW DEVICE "/class", "0x060100\n");
	assert_refused("part of the machine");
}

static void put_disk(void)
{
	tree_put(DISK "/dev", "259:0\n");
	tree_link("sys/class/block/nvme0n1", DISK);
}

/* It claims nothing, and is not among the holders. */
static void test_loop(void **state)
{
	static const char loop[] = "sys/devices/virtual/block/loop0";

	put_disk();
	tree_put("sys/devices/virtual/block/loop0/dev", "7:0\n");
	tree_put("sys/devices/virtual/block/loop0/loop/backing_file", "/dev/nvme1n1\n");
	tree_link("sys/class/block/loop0", loop);
	tree_put("proc/self/mountinfo", "30 22 7:0 / /data rw - xfs /dev/loop0 rw\n");
	assert_free();
	tree_put("sys/devices/virtual/block/loop0/loop/backing_file", "/dev/nvme0n1\n");
	assert_refused("/dev/loop0, mounted on /data");
}

/* Nobody but root sees whether a disk is claimed. */
static void test_unprivileged(void **state)
{
	autofree char *node = tree_path("dev/nvme0n1");
	bool is_root = !geteuid();

	put_disk();
	tree_put("dev/nvme0n1", "");
	assert_free();
	assert_int_equal(chmod(node, 0) | chmod(tree_root, 0755), 0);
	if (is_root)
		assert_int_equal(seteuid(65534), 0);
	assert_refused("run as root");
	if (is_root)
		assert_int_equal(seteuid(0), 0);
}

static void test_open_vswitch(void **state)
{
	tree_put(BELOW DEVICE "/net/eth9/address", "52:54:00:00:00:09\n");
	tree_link("sys/class/net/eth9", BELOW DEVICE "/net/eth9");
	tree_put("proc/net/route", "br0\t00000000\t0100000A\t0003\t0\t0\t0\t00000000\t0\t0\t0\n");
	assert_free();
	tree_dir("sys/devices/virtual/net/ovs-system");
	tree_link("sys/class/net/eth9/upper_ovs-system", "sys/devices/virtual/net/ovs-system");
	assert_refused("eth9 is a port of Open vSwitch");
}

static void test_virtiofs(void **state)
{
	tree_dir("sys/bus/virtio/drivers/virtiofs");
	tree_dir("sys/bus/virtio/drivers/virtio_net");
	tree_link(BELOW DEVICE "/virtio3/driver", "sys/bus/virtio/drivers/virtio_net");
	assert_free();
	tree_link(BELOW DEVICE "/virtio3/driver", "sys/bus/virtio/drivers/virtiofs");
	assert_refused("virtiofs share");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, tree_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_variants), TEST(test_bridges),      TEST(test_other_buses),
		TEST(test_reserved), TEST(test_denylist),     TEST(test_long_domain),
		TEST(test_classes),  TEST(test_loop),	      TEST(test_unprivileged),
		TEST(test_virtiofs), TEST(test_open_vswitch),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
