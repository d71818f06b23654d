// SPDX-License-Identifier: GPL-2.0-only
/* Virtual functions, made and removed through the journal, in a fake sysfs. */
#include "tests/tree.h"

#include <errno.h>

#include "harness/config.h"
#include "harness/rebind.h"
#include "harness/sriov.h"
#include "tests/fake_host.h"
#include "tests/fake_kernel.h"

#define FUNCTION "0000:af:10.0"
#define COUNT BELOW NIC "/sriov_numvfs"
#define AUTOPROBE BELOW NIC "/sriov_drivers_autoprobe"

/* The physical function; its virtual one is there at once, as if the kernel had made it already. */
static void put_functions(const char *total)
{
	tree_put(BELOW NIC "/sriov_totalvfs", total);
	tree_put(COUNT, "0\n");
	tree_put(AUTOPROBE, "1\n");
	tree_remove(BELOW NIC "/driver");
	tree_link(BELOW NIC "/driver", DRIVERS "ixgbe");
	tree_pci(FUNCTION, "0x020000\n", NULL, 9);
	tree_link(BELOW NIC "/virtfn0", BELOW FUNCTION);
}

static void assert_before(void)
{
	autofree char *count = file_read_trimmed(in_tree(COUNT));
	autofree char *autoprobe = file_read_trimmed(in_tree(AUTOPROBE));

	assert_string_equal(count, "0");
	assert_string_equal(autoprobe, "1");
	assert_driver(FUNCTION, NULL);
	assert_override(FUNCTION, NULL);
	assert_driver(NIC, "ixgbe");
	assert_no_journal();
}

static void assert_refused(unsigned int nr, int error, const char *word)
{
	autofree char *why = NULL;

	assert_int_equal(sriov_probe(NIC, nr, &why), error);
	assert_non_null(why);
	if (!strstr(why, word))
		fail_msg("\"%s\" lacks \"%s\"", why, word);
}

static void test_probe(void **state)
{
	autofree char *why = NULL;

	assert_refused(1, -ENOTSUP, "enable SR-IOV in the firmware");
	put_functions("4\n");
	assert_int_equal(sriov_probe(NIC, 4, &why), 0);
	assert_null(why);
	assert_refused(5, -ENOTSUP, "4 virtual functions at most");
	tree_put(COUNT, "2\n");
	assert_refused(1, -EBUSY, "name one of them by its own address");
	tree_put(COUNT, "0\n");
	tree_remove(BELOW NIC "/driver");
	assert_refused(1, -ENOTSUP, "load that driver");
}

static void make_and_bind(struct journal *journal)
{
	autofree char *function = NULL;

	if (journal_sriov(journal, NIC, 3))
		_exit(2);
	function = sriov_function(NIC, 0);
	if (!function || journal_bind(journal, function, "vfio-pci"))
		_exit(3);
}

static void test_made_and_removed(void **state)
{
	struct journal *journal = open_journal();

	put_functions("4\n");
	make_and_bind(journal);
	tree_assert(COUNT, "3");
	tree_assert(AUTOPROBE, "0");
	assert_driver(FUNCTION, "vfio-pci");
	assert_int_equal(journal_undo(journal), 0);
	assert_before();
	capture();
	assert_int_equal(journal_sriov(journal, NIC, 9), -ENOTSUP);
	captured(NIC ": it has 4 virtual functions at most: lower 'functions'");
	assert_int_equal(journal_close(journal), 0);
	assert_before();
	/* After a crash, and after one when the card has gone. */
	crash_after(make_and_bind);
	tree_assert(COUNT, "3");
	assert_int_equal(journal_close(open_journal()), 0);
	assert_before();
	crash_after(make_and_bind);
	tree_remove("sys/bus/pci/devices/" NIC);
	tree_remove("sys/bus/pci/devices/" FUNCTION);
	tree_remove(BELOW NIC);
	tree_remove(BELOW FUNCTION);
	assert_int_equal(journal_close(open_journal()), 0);
	assert_no_journal();
}

/* The kernel would wait for one that is open, for ever. */
static void test_in_use(void **state)
{
	struct journal *journal = open_journal();

	put_functions("4\n");
	make_and_bind(journal);
	tree_put("proc/77/comm", "qemu\n");
	tree_link("proc/77/fd/9", "dev/vfio/9");
	rebind_limits.write_ms = 150;
	capture();
	assert_int_equal(journal_undo(journal), -EIO);
	captured("sriov_numvfs");
	capture();
	assert_int_equal(journal_undo(journal), -EIO);
	captured("dev/vfio/9 is open in process 77 (qemu): end it");
	tree_assert(COUNT, "3");
	assert_journal_has("\"kind\":\"sriov\"");
	tree_remove("proc/77");
	assert_int_equal(journal_close(journal), 0);
	assert_before();
}

/* The host's device is the first function from then on. */
static void test_host(void **state)
{
	struct journal *journal = open_journal();
	struct host_device devices[] = {
		{ .kind = (char *)"nvme", .address = xstrdup(NVME) },
		{ .kind = (char *)"nic", .address = xstrdup(NIC), .functions = 2 },
	};
	struct host host = { .devices = devices, .nr_devices = ARRAY_SIZE(devices) };
	autofree char *why = NULL, *none = NULL;

	put_functions("2\n");
	assert_int_equal(host_device_assignable(&devices[1], &why), 0);
	assert_int_equal(sriov_make_all(journal, &host), 0);
	tree_assert(COUNT, "2");
	assert_string_equal(devices[0].address, NVME);
	assert_null(devices[0].physical);
	assert_string_equal(devices[1].address, FUNCTION);
	assert_string_equal(devices[1].physical, NIC);
	/* Now it is judged as what it is. */
	tree_remove(DRIVERS "vfio-pci");
	assert_int_equal(host_device_assignable(&devices[1], &none), -ENOENT);
	assert_non_null(strstr(none, "modprobe vfio-pci"));
	assert_int_equal(journal_close(journal), 0);
	for (size_t i = 0; i < ARRAY_SIZE(devices); i++) {
		free(devices[i].address);
		free(devices[i].physical);
	}
	assert_before();
}

/* A driver that says yes and makes none. */
static void test_none_made(void **state)
{
	struct journal *journal = open_journal();
	struct host_device device = { .address = (char *)NIC, .functions = 1 };
	struct host host = { .devices = &device, .nr_devices = 1 };

	put_functions("2\n");
	tree_remove(BELOW NIC "/virtfn0");
	capture();
	assert_int_equal(sriov_make_all(journal, &host), -ENODEV);
	captured(NIC ": its driver made no virtual function");
	assert_int_equal(journal_close(journal), 0);
	assert_before();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		HOST_TEST(test_probe), HOST_TEST(test_made_and_removed), HOST_TEST(test_in_use),
		HOST_TEST(test_host),  HOST_TEST(test_none_made),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
