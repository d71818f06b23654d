// SPDX-License-Identifier: GPL-2.0-only
/* Devices bound and unbound through the journal, by a kernel that obeys, refuses or blocks. */
#include "tests/tree.h"

#include <errno.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/wait.h>

#include "harness/group_type.h"
#include "harness/rebind.h"
#include "tests/fake_host.h"
#include "tests/fake_kernel.h"

static void test_bind(void **state)
{
	struct journal *journal = open_journal();

	assert_int_equal(journal_bind(journal, NVME, "vfio-pci"), 0);
	assert_int_equal(journal_bind(journal, NIC, "vfio-pci"), 0);
	assert_driver(NVME, "vfio-pci");
	assert_driver(NIC, "vfio-pci");
	assert_override(NVME, "vfio-pci");
	/* What the journal said when the kernel got the first unbind. */
	{
		autofree char *text = file_read(in_tree("journal-at-unbind"), NULL);

		assert_non_null(text);
		assert_non_null(strstr(text, "\"bdf\":\"" NVME "\""));
		assert_non_null(strstr(text, "\"old_driver\":\"nvme\""));
		assert_non_null(strstr(text, "\"old_override\":null"));
	}
	assert_int_equal(journal_undo(journal), 0);
	assert_host_as_before();
	/* Where it is already, nothing is done. */
	assert_int_equal(journal_bind(journal, NVME, "nvme"), 0);
	assert_no_journal();
	assert_int_equal(journal_close(journal), 0);
}

/* One device, one attribute go back; the rest waits for the end. */
static void test_put_back(void **state)
{
	struct journal *journal = open_journal();

	assert_int_equal(journal_write(journal, in_tree("sys/a"), "two"), 0);
	assert_int_equal(journal_write(journal, in_tree("sys/b"), "9"), 0);
	assert_int_equal(journal_write(journal, in_tree("sys/a"), "three"), 0);
	assert_int_equal(journal_bind(journal, NVME, "vfio-pci"), 0);
	assert_int_equal(journal_bind(journal, NIC, "vfio-pci"), 0);
	assert_int_equal(journal_put_back(journal, NVME), 0);
	assert_driver(NVME, "nvme");
	assert_driver(NIC, "vfio-pci");
	assert_int_equal(journal_put_back(journal, in_tree("sys/a")), 0);
	tree_assert("sys/a", "one\n");
	tree_assert("sys/b", "9");
	assert_journal_has(NIC);
	{
		autofree char *text = journal_text();

		assert_null(strstr(text, "sys/a"));
		assert_null(strstr(text, NVME));
	}
	assert_int_equal(journal_put_back(journal, NVME), 0);
	assert_int_equal(journal_undo(journal), 0);
	assert_host_as_before();
	assert_int_equal(journal_close(journal), 0);
}

#define GROUP_TYPE "sys/kernel/iommu_groups/7/type"

static void switch_group(struct journal *journal)
{
	assert_int_equal(journal_group_type(journal, NVME, "DMA-FQ"), 0);
}

/* Caught between the old driver's end and the switch. */
static void switch_group_half(struct journal *journal)
{
	switch_group(journal);
	tree_put(GROUP_TYPE, "identity\n");
	assert_int_equal(rebind(&(struct rebind){ .bdf = NVME, .lock_fd = -1 }), 0);
}

/* The device leaves its driver for the switch, and is back with it afterwards. */
static void test_group_type(void **state)
{
	struct journal *journal = open_journal();

	assert_int_not_equal(journal_group_type(journal, NVME, "DMA"), 0);
	tree_put(GROUP_TYPE, "identity\n");
	switch_group(journal);
	tree_assert(GROUP_TYPE, "DMA-FQ");
	assert_driver(NVME, "nvme");
	{
		autofree char *text = file_read(in_tree("journal-at-unbind"), NULL);

		assert_non_null(text);
		assert_non_null(strstr(text, "\"kind\":\"group_type\""));
		assert_non_null(strstr(text, "\"old\":\"identity\""));
	}
	/* Assigned to a VM, and then to the host again. */
	assert_int_equal(journal_bind(journal, NVME, "vfio-pci"), 0);
	assert_int_equal(journal_put_back(journal, NVME), 0);
	tree_assert(GROUP_TYPE, "identity");
	assert_driver(NVME, "nvme");
	assert_int_equal(journal_close(journal), 0);
	assert_host_as_before();
	crash_after(switch_group);
	tree_assert(GROUP_TYPE, "DMA-FQ");
	journal = open_journal();
	tree_assert(GROUP_TYPE, "identity");
	assert_host_as_before();
	assert_int_equal(journal_close(journal), 0);
	crash_after(switch_group_half);
	assert_driver(NVME, NULL);
	journal = open_journal();
	assert_host_as_before();
	assert_int_equal(journal_close(journal), 0);
}

static void test_bind_restores_override(void **state)
{
	struct journal *journal = open_journal();

	tree_put(BELOW NVME "/driver_override", "nvme\n");
	assert_int_equal(journal_bind(journal, NVME, "vfio-pci"), 0);
	assert_override(NVME, "vfio-pci");
	assert_int_equal(journal_close(journal), 0);
	assert_driver(NVME, "nvme");
	assert_override(NVME, "nvme");
	assert_no_journal();
}

/* A driver that the bus does not find for the device is bound by name. */
static void test_bind_by_name(void **state)
{
	struct journal *journal = open_journal();

	tree_remove(BELOW NVME "/driver");
	tree_link(BELOW NVME "/driver", DRIVERS "ixgbe");
	assert_int_equal(journal_bind(journal, NVME, "vfio-pci"), 0);
	assert_int_equal(journal_close(journal), 0);
	assert_driver(NVME, "ixgbe");
	assert_override(NVME, NULL);
	assert_no_journal();
}

static void test_bind_refused(void **state)
{
	struct journal *journal = open_journal();

	capture();
	assert_int_equal(journal_bind(journal, NVME, "uio"), -ENOENT);
	captured("driver uio is not loaded: modprobe uio");
	capture();
	assert_int_equal(journal_bind(journal, "0000:01:00.0", "vfio-pci"), -ENODEV);
	captured("0000:01:00.0");
	assert_no_journal();
	/* A driver that does not take it: back at once, with nothing left to undo. */
	assert_int_equal(journal_write(journal, in_tree("sys/a"), "two"), 0);
	capture();
	assert_int_equal(journal_bind(journal, NVME, "broken"), -EIO);
	captured("broken does not take it");
	assert_driver(NVME, "nvme");
	assert_override(NVME, NULL);
	{
		autofree char *text = journal_text();

		assert_null(strstr(text, NVME));
		assert_non_null(strstr(text, "sys/a"));
	}
	assert_int_equal(journal_close(journal), 0);
	assert_host_as_before();
}

/* An unbind that blocks in the kernel does not block us. */
static void test_blocked_unbind(void **state)
{
	struct journal *journal = open_journal();
	uint64_t start = now_ns();

	kernel_stop();
	rebind_limits.write_ms = 150;
	capture();
	assert_int_equal(journal_bind(journal, NVME, "vfio-pci"), -ETIMEDOUT);
	captured("nvme has not let it go within 150.0 ms");
	assert_true(now_ns() - start < 5000000000ULL);
	assert_driver(NVME, "nvme");
	assert_override(NVME, NULL);
	/* The kernel may still carry it out: this is looked at again at the end. */
	assert_journal_has(NVME);
	assert_int_equal(journal_close(journal), 0);
	assert_host_as_before();
}

/* VFIO lets go only when the VM has closed the device. */
static void test_blocked_undo(void **state)
{
	struct journal *journal = open_journal();

	assert_int_equal(journal_write(journal, in_tree("sys/a"), "two"), 0);
	assert_int_equal(journal_bind(journal, NVME, "vfio-pci"), 0);
	kernel_stop();
	rebind_limits.write_ms = 150;
	capture();
	assert_int_equal(journal_close(journal), -EIO);
	captured("by hand: cd ");
	tree_assert("sys/a", "one\n");
	assert_driver(NVME, "vfio-pci");
	assert_journal_has("\"old_driver\":\"nvme\"");
	/* Later it does, and the next start mends it. */
	tree_remove("sys/bus/pci/drivers_probe");
	for (size_t i = 0; i < NR_FAKE_DRIVERS; i++) {
		autofree char *dir = xasprintf(DRIVERS "%s", fake_drivers[i]);

		tree_remove(dir);
	}
	assert_int_equal(kernel_start(), 0);
	rebind_limits.write_ms = 1000;
	assert_int_equal(journal_close(open_journal()), 0);
	assert_host_as_before();
}

/* Binds, and never comes back. */
static void bind_for_ever(void)
{
	struct journal *journal;

	rebind_limits.write_ms = 60000;
	if (!journal_open(journal_dir, &journal))
		journal_bind(journal, NVME, "vfio-pci");
	_exit(1);
}

/* Starts bind_for_ever(), and kills it when its write to unbind hangs in the kernel. */
static void kill_in_unbind(void)
{
	pid_t pid = fork();

	if (!pid)
		bind_for_ever();
	for (int i = 0; i < 1000; i++) {
		autofree char *override = rebind_override(NVME);

		if (override)
			break;
		usleep(10000);
	}
	usleep(100000);
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

/* A full pipe: writes block. */
static int full_fifo(const char *name)
{
	static const char zeros[4096];
	int fd = fake_fifo(name);

	while (write(fd, zeros, sizeof(zeros)) > 0)
		;
	while (write(fd, zeros, 1) > 0)
		;
	assert_int_equal(errno, EAGAIN);
	return fd;
}

static void drain(int fd)
{
	char data[4096];

	while (read(fd, data, sizeof(data)) > 0)
		;
}

/* While the write of a killed harness is under way, the host is not looked at. */
static void test_killed_in_unbind(void **state)
{
	autofree char *path = xasprintf("%s/lock", journal_dir);
	autoclose int fifo = -1;
	uint64_t start;
	pid_t pid;

	kernel_stop();
	fifo = full_fifo(DRIVERS "nvme/unbind");
	kill_in_unbind();
	{
		autoclose int fd = open(path, O_RDWR | O_CLOEXEC);

		assert_int_equal(flock(fd, LOCK_EX | LOCK_NB), -1);
		assert_int_equal(errno, EWOULDBLOCK);
	}
	start = now_ns();
	pid = fork();
	if (!pid) {
		usleep(200000);
		drain(fifo);
		_exit(0);
	}
	assert_int_equal(journal_close(open_journal()), 0);
	assert_true(now_ns() - start >= 200000000ULL);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_host_as_before();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		HOST_TEST(test_bind),
		HOST_TEST(test_put_back),
		HOST_TEST(test_group_type),
		HOST_TEST(test_bind_restores_override),
		HOST_TEST(test_bind_by_name),
		HOST_TEST(test_bind_refused),
		HOST_TEST(test_blocked_unbind),
		HOST_TEST(test_blocked_undo),
		HOST_TEST(test_killed_in_unbind),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
