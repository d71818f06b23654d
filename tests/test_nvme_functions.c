// SPDX-License-Identifier: GPL-2.0-only
/* An NVMe drive's virtual functions get their shares and give them back, with a fake drive. */
#include "tests/tree.h"

#include <errno.h>

#include "harness/log.h"
#include "harness/nvme_admin.h"
#include "harness/nvme_functions.h"
#include "harness/sriov.h"
#include "tests/fake_host.h"
#include "tests/fake_kernel.h"
#include "tests/fake_nvme.h"

#define COUNT BELOW NVME "/sriov_numvfs"

int __wrap_ioctl(int fd, unsigned long request, void *arg);
int __wrap_ioctl(int fd, unsigned long request, void *arg)
{
	return fake_nvme_ioctl(request, arg);
}

static void put_drive(void)
{
	tree_put(BELOW NVME "/sriov_totalvfs", "4\n");
	tree_put(COUNT, "0\n");
	fake_nvme_put();
}

static void assert_secondary(unsigned int nr, unsigned int queues, unsigned int interrupts,
			     bool online)
{
	const struct fake_secondary *secondary = &fake_nvme->secondaries[nr - 1];

	assert_int_equal(secondary->nr[0], queues);
	assert_int_equal(secondary->nr[1], interrupts);
	assert_int_equal(secondary->online, online);
}

static void assert_before(void)
{
	autofree char *count = file_read_trimmed(in_tree(COUNT));

	assert_string_equal(count, "0");
	assert_true(fake_nvme_as_before());
	assert_driver(NVME, "nvme");
	assert_no_journal();
}

static void test_read(void **state)
{
	autofree char *name = NULL, *serial = NULL;
	struct nvme_drive drive;

	put_drive();
	fake_nvme->unknown = true;
	assert_int_equal(nvme_drive_read(-1, NVME, &drive), -EOPNOTSUPP);
	fake_nvme->unknown = false;
	fake_nvme->secondaries[2] = (struct fake_secondary){ { 3, 1 }, true };
	fake_nvme->granularity[1] = 2;
	name = nvme_controller(NVME);
	serial = nvme_serial(NVME);
	assert_string_equal(name, "nvme0");
	assert_string_equal(serial, FAKE_NVME_SERIAL);
	assert_true(nvme_is_drive(NVME));
	assert_false(nvme_is_drive(NIC));
	assert_int_equal(nvme_drive_read(-1, NVME, &drive), 0);
	assert_int_equal(drive.id, FAKE_NVME_PRIMARY);
	assert_int_equal(drive.nr, FAKE_NVME_SECONDARIES);
	assert_true(drive.pools[NVME_QUEUES].flexible && drive.pools[NVME_INTERRUPTS].flexible);
	assert_int_equal(drive.pools[NVME_QUEUES].total, 8);
	assert_int_equal(drive.pools[NVME_QUEUES].secondaries, 3);
	assert_int_equal(drive.pools[NVME_QUEUES].primary, 8);
	assert_int_equal(drive.pools[NVME_QUEUES].own, 3);
	assert_int_equal(drive.pools[NVME_QUEUES].most, 3);
	assert_int_equal(drive.pools[NVME_INTERRUPTS].total, 4);
	assert_int_equal(drive.pools[NVME_INTERRUPTS].granularity, 2);
	assert_int_equal(drive.secondaries[2].id, 3);
	assert_int_equal(drive.secondaries[2].function, 3);
	assert_int_equal(drive.secondaries[2].nr[NVME_QUEUES], 3);
	assert_int_equal(drive.secondaries[2].nr[NVME_INTERRUPTS], 1);
	assert_true(drive.secondaries[2].online);
	assert_false(drive.secondaries[3].online);
	nvme_drive_free(&drive);
}

static void make_two(struct journal *journal)
{
	if (journal_sriov(journal, NVME, 2))
		_exit(2);
}

/* The primary controller has all of it, and gives it up. */
static void test_taken_and_given_back(void **state)
{
	struct journal *journal = open_journal();

	put_drive();
	make_two(journal);
	tree_assert(COUNT, "2");
	assert_secondary(1, 3, 2, true);
	assert_secondary(2, 3, 2, true);
	assert_secondary(3, 0, 0, false);
	assert_int_equal(fake_nvme->primary[0], 0);
	assert_int_equal(fake_nvme->primary[1], 0);
	assert_int_equal(fake_nvme->resets, 1);
	assert_journal_has("\"division\":\"1:0,0 2:0,0 =65:8,4\"");
	assert_int_equal(journal_close(journal), 0);
	assert_before();
	assert_int_equal(fake_nvme->resets, 2);
	crash_after(make_two);
	assert_int_equal(fake_nvme->primary[0], 0);
	assert_int_equal(journal_close(open_journal()), 0);
	assert_before();
}

/* What the drive keeps through a reboot is put back after it, what the kernel forgets is not. */
static void test_reboot(void **state)
{
	put_drive();
	crash_after(make_two);
	tree_put("proc/sys/kernel/random/boot_id", "33333333-4444\n");
	tree_put(COUNT, "0\n");
	capture();
	assert_int_equal(journal_close(open_journal()), 0);
	captured("before a reboot");
	assert_before();
}

/* A share that is there already stays, and so does what the primary controller has. */
static void test_room(void **state)
{
	struct journal *journal = open_journal();

	put_drive();
	fake_nvme->primary[0] = fake_nvme->pending[0] = 1;
	fake_nvme->primary[1] = fake_nvme->pending[1] = 1;
	fake_nvme->secondaries[1] = (struct fake_secondary){ { 2, 1 }, false };
	fake_nvme->granularity[0] = 2;
	make_two(journal);
	assert_secondary(1, 2, 2, true); /* of 5 that are left 3 can be had, in twos */
	assert_secondary(2, 2, 1, true);
	assert_int_equal(fake_nvme->resets, 0);
	assert_int_equal(fake_nvme->primary[0], 1);
	assert_journal_has("\"division\":\"1:0,0 2:2,1 \"");
	assert_int_equal(journal_close(journal), 0);
	assert_secondary(1, 0, 0, false);
	assert_secondary(2, 2, 1, false);
	assert_int_equal(fake_nvme->primary[0], 1);
	assert_int_equal(fake_nvme->resets, 0);
}

/* One that would not work without keeps some. */
static void test_primary_keeps(void **state)
{
	struct journal *journal = open_journal();

	put_drive();
	fake_nvme->own[0] = 0;
	fake_nvme->own[1] = 0;
	make_two(journal);
	assert_int_equal(fake_nvme->primary[0], 2);
	assert_int_equal(fake_nvme->primary[1], 1);
	assert_secondary(1, 3, 1, true);
	assert_secondary(2, 3, 1, true);
	assert_int_equal(journal_close(journal), 0);
	assert_before();
}

static void assert_refused(unsigned int nr, int error, const char *word)
{
	struct journal *journal = open_journal();

	capture();
	assert_int_equal(journal_sriov(journal, NVME, nr), error);
	captured(word);
	fake_nvme->refused = 0;
	tree_put("dev/nvme0", "");
	assert_int_equal(journal_close(journal), 0);
	assert_before();
}

static void test_refused(void **state)
{
	put_drive();
	fake_nvme->own[1] = 0;
	assert_refused(4, -ENOSPC,
		       "of its 4 interrupts the physical function needs 1, 0 are given already");
	assert_int_equal(fake_nvme->commands, 0);
	fake_nvme->refused = 0x4121;
	assert_refused(2, -EREMOTEIO, "NVMe status 0x121, not that many can be given to it");
	tree_remove("dev/nvme0");
	assert_refused(2, -ENOENT, "cannot open");
	tree_remove(BELOW NVME "/nvme/nvme0");
	capture();
	assert_int_equal(nvme_functions_online(NVME, 2), -ENODEV);
	captured("no controller of the host's nvme driver");
}

/* Its functions work by themselves, as far as anybody knows. */
static void test_unmanaged(void **state)
{
	struct journal *journal = open_journal();

	put_drive();
	fake_nvme->unknown = true;
	make_two(journal);
	tree_assert(COUNT, "2");
	assert_int_equal(fake_nvme->commands, 0);
	assert_int_equal(journal_close(journal), 0);
	assert_before();
}

/* Undo of what is no longer there, or no longer that drive, or still in use. */
static void test_undo(void **state)
{
	put_drive();
	tree_put(COUNT, "2\n");
	capture();
	assert_int_equal(nvme_divide(NVME, FAKE_NVME_SERIAL, "1:1,1 =65:2,1", -1), -EBUSY);
	captured("its virtual functions are still there");
	tree_put(COUNT, "0\n");
	capture();
	assert_int_equal(nvme_divide(NVME, "another", "=65:2,1", -1), 0);
	captured("another drive is there by now");
	assert_int_equal(nvme_divide("0000:77:00.0", FAKE_NVME_SERIAL, "=65:2,1", -1), 0);
	assert_int_equal(fake_nvme->commands, 0);
	assert_int_equal(nvme_divide(NVME, FAKE_NVME_SERIAL, "9 =65:2,1", -1), -EBADMSG);
	assert_int_equal(nvme_divide(NVME, FAKE_NVME_SERIAL, "=65:70000,1", -1), -EBADMSG);
	assert_true(fake_nvme_as_before());
	assert_int_equal(nvme_divide(NVME, FAKE_NVME_SERIAL, "=65:2,1", -1), 0);
	assert_false(fake_nvme_as_before());
	assert_int_equal(fake_nvme->primary[0], 2);
}

static void test_by_hand(void **state)
{
	autofree char *line = NULL, *wanted = NULL;

	put_drive();
	line = nvme_divide_by_hand(NVME, "1:0,0 2:2,1 =65:8,4");
	wanted = xasprintf("cd %s/bus/pci/devices/" NVME " && echo 0 > sriov_numvfs"
			   "; nvme virt-mgmt /dev/nvme0 -c 1 -a 7"
			   "; nvme virt-mgmt /dev/nvme0 -c 2 -a 7"
			   "; nvme virt-mgmt /dev/nvme0 -c 2 -a 8 -r 0 -n 2"
			   "; nvme virt-mgmt /dev/nvme0 -c 2 -a 8 -r 1 -n 1"
			   "; nvme virt-mgmt /dev/nvme0 -c 65 -a 1 -r 0 -n 8"
			   "; nvme virt-mgmt /dev/nvme0 -c 65 -a 1 -r 1 -n 4; echo 1 > reset",
			   sysfs_root);
	assert_string_equal(line, wanted);
}

/* The host's own disk is on the drive: its functions would share it. */
static void test_host_uses_it(void **state)
{
	autofree char *why = NULL;

	put_drive();
	tree_put(BELOW NVME "/nvme/nvme0/nvme0n1/dev", "259:0\n");
	tree_link("sys/class/block/nvme0n1", BELOW NVME "/nvme/nvme0/nvme0n1");
	tree_put("proc/self/mountinfo", "36 35 259:0 / /data rw - ext4 /dev/nvme0n1 rw\n");
	assert_int_equal(sriov_probe(NVME, 1, &why), -EBUSY);
	assert_non_null(strstr(why, "mounted on /data"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		HOST_TEST(test_read),	       HOST_TEST(test_taken_and_given_back),
		HOST_TEST(test_reboot),	       HOST_TEST(test_room),
		HOST_TEST(test_primary_keeps), HOST_TEST(test_refused),
		HOST_TEST(test_unmanaged),     HOST_TEST(test_undo),
		HOST_TEST(test_by_hand),       HOST_TEST(test_host_uses_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
