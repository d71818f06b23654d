// SPDX-License-Identifier: GPL-2.0-only
/* The journal of host changes: what is recorded, undone, and left after crashes and reboots. */
#include "tests/tree.h"

#include <errno.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "harness/log.h"
#include "harness/rebind.h"
#include "tests/fake_host.h"
#include "tests/fake_kernel.h"

#define KILLS 60

static void test_write(void **state)
{
	struct journal *journal = open_journal();

	assert_no_journal();
	assert_int_equal(journal_write(journal, in_tree("sys/a"), "two"), 0);
	assert_int_equal(journal_write(journal, in_tree("sys/a"), "three"), 0);
	assert_int_equal(journal_write(journal, in_tree("sys/b"), "7"), 0);
	assert_int_equal(journal_write(journal, in_tree("sys/c"), ""), 0);
	tree_assert("sys/a", "three");
	tree_assert("sys/b", "7");
	assert_journal_has("\"seq\":4");
	assert_int_equal(journal_undo(journal), 0);
	assert_host_as_before();
	/* The journal can be used on. */
	assert_int_equal(journal_write(journal, in_tree("sys/a"), "four"), 0);
	assert_journal_has("\"seq\":1");
	assert_int_equal(journal_close(journal), 0);
	assert_host_as_before();
	assert_int_equal(journal_close(NULL), 0);
}

static void test_chosen_word(void **state)
{
	struct journal *journal = open_journal();

	assert_int_equal(journal_write(journal, in_tree(THP), "never"), 0);
	tree_assert(THP, "never");
	assert_int_equal(journal_undo(journal), 0);
	tree_assert(THP, "madvise");
	/* Unchanged, as the kernel shows it: not written. */
	tree_put(THP, "always [madvise] never\n");
	assert_int_equal(journal_write(journal, in_tree(THP), "never"), 0);
	tree_put(THP, "always [madvise] never\n");
	assert_int_equal(journal_undo(journal), 0);
	tree_assert(THP, "always [madvise] never\n");
	/* Brackets that mean no choice. */
	tree_put("sys/a", "[x] [y]\n");
	tree_put("sys/b", "[x]\nz\n");
	assert_int_equal(journal_write(journal, in_tree("sys/a"), "1"), 0);
	assert_int_equal(journal_write(journal, in_tree("sys/b"), "1"), 0);
	assert_int_equal(journal_close(journal), 0);
	tree_assert("sys/a", "[x] [y]\n");
	tree_assert("sys/b", "[x]\nz\n");
}

/* The record is there although the write fails: it came first. */
static void test_record_before_write(void **state)
{
	autoclose int fd = memfd_create("sealed", MFD_ALLOW_SEALING);
	autofree char *path = xasprintf("/proc/self/fd/%d", fd);
	struct journal *journal = open_journal();

	assert_int_equal(write(fd, "old\n", 4), 4);
	assert_int_equal(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE | F_SEAL_SHRINK), 0);
	capture();
	assert_int_equal(journal_write(journal, path, "new"), -EPERM);
	captured("cannot write \"new\"");
	assert_journal_has(path);
	assert_journal_has("\"old\":\"old\\n\"");
	assert_int_equal(journal_close(journal), 0);
	assert_no_journal();
}

/* Without a record there is no change. */
static void test_unwritable_journal(void **state)
{
	struct journal *journal = open_journal();

	tree_dir("state/journal.d/journal.tmp");
	capture();
	assert_int_equal(journal_write(journal, in_tree("sys/a"), "two"), -EISDIR);
	captured("so the host is not changed");
	tree_assert("sys/a", "one\n");
	capture();
	assert_int_equal(journal_mkdir(journal, in_tree("sys/group")), -EISDIR);
	assert_int_equal(journal_bind(journal, NVME, "vfio-pci"), -EISDIR);
	captured("so the host is not changed");
	capture();
	assert_int_equal(journal_write(journal, "/nonexistent/attribute", "1"), -ENOENT);
	captured("cannot read /nonexistent/attribute");
	tree_remove("state/journal.d/journal.tmp");
	assert_int_equal(journal_close(journal), 0);
	assert_host_as_before();
}

static void test_mkdir(void **state)
{
	struct journal *journal = open_journal();

	assert_int_equal(journal_mkdir(journal, in_tree("sys/group")), 0);
	assert_int_equal(journal_mkdir(journal, in_tree("sys/group/inner")), 0);
	capture();
	assert_int_equal(journal_mkdir(journal, in_tree("sys/group")), -EEXIST);
	assert_int_equal(journal_mkdir(journal, in_tree("sys/no/parent")), -ENOENT);
	captured("sys/no/parent");
	/* What exists, and what was not made, is not for us to remove. */
	tree_dir("sys/no/parent");
	assert_int_equal(journal_undo(journal), 0);
	assert_true(tree_has("sys/no/parent"));
	assert_int_equal(journal_close(journal), 0);
	assert_host_as_before();
}

static void test_failed_undo(void **state)
{
	struct journal *journal = open_journal();
	struct journal *again;

	assert_int_equal(journal_write(journal, in_tree("sys/a"), "two"), 0);
	assert_int_equal(journal_mkdir(journal, in_tree("sys/group")), 0);
	assert_int_equal(journal_write(journal, in_tree("sys/b"), "two"), 0);
	tree_put("sys/group/file", "in the way");
	capture();
	assert_int_equal(journal_undo(journal), -EIO);
	captured("by hand: rmdir ");
	/* The rest is undone; only the failed one is kept. */
	tree_assert("sys/a", "one\n");
	tree_assert("sys/b", "1 2 3\n4 5 6\n");
	assert_journal_has("sys/group");
	assert_int_equal(journal_write(journal, in_tree("sys/a"), "three"), 0);
	capture();
	assert_int_equal(journal_close(journal), -EIO);
	assert_int_equal(journal_open(journal_dir, 0, &again), -EIO);
	captured("by hand: rmdir ");
	assert_null(again);
	tree_assert("sys/a", "one\n");
	tree_remove("sys/group/file");
	assert_int_equal(journal_close(open_journal()), 0);
	assert_host_as_before();
}

static void change_all(struct journal *journal)
{
	if (journal_write(journal, in_tree("sys/a"), "two") ||
	    journal_mkdir(journal, in_tree("sys/group")) ||
	    journal_bind(journal, NVME, "vfio-pci") || journal_bind(journal, NIC, "vfio-pci") ||
	    journal_write(journal, in_tree("sys/b"), "two") ||
	    journal_write(journal, in_tree("sys/c"), "two"))
		_exit(2);
}

static void test_crash(void **state)
{
	struct journal *journal;

	crash_after(change_all);
	tree_assert("sys/c", "two");
	assert_driver(NVME, "vfio-pci");
	journal = open_journal();
	assert_host_as_before();
	assert_int_equal(journal_close(journal), 0);
}

static void test_crash_and_objects_gone(void **state)
{
	crash_after(change_all);
	tree_remove("sys/a");
	tree_remove("sys/group");
	tree_remove("sys/bus/pci/devices/" NVME);
	assert_int_equal(journal_close(open_journal()), 0);
	assert_no_journal();
	assert_false(tree_has("sys/a"));
	tree_assert("sys/b", "1 2 3\n4 5 6\n");
}

static void test_other_boot(void **state)
{
	crash_after(change_all);
	tree_put("proc/sys/kernel/random/boot_id", "99999999-0000\n");
	capture();
	assert_int_equal(journal_close(open_journal()), 0);
	captured("from before a reboot");
	assert_no_journal();
	tree_assert("sys/a", "two");
	assert_driver(NVME, "vfio-pci");
}

static void append_bytes(const char *bytes, size_t len)
{
	autofree char *path = xasprintf("%s/journal", journal_dir);
	autoclose int fd = open(path, O_WRONLY | O_APPEND);

	assert_int_equal(write_all(fd, bytes, len), 0);
}

static void append_text(const char *text)
{
	append_bytes(text, strlen(text));
}

/* By hand, as a new boot would have it. */
static void put_all_back(void)
{
	const struct rebind nvme = { .bdf = NVME, .driver = "nvme", .lock_fd = -1 };
	const struct rebind nic = { .bdf = NIC, .lock_fd = -1 };

	tree_put("sys/a", "one\n");
	tree_put("sys/b", "1 2 3\n4 5 6\n");
	tree_put("sys/c", "it's \"quoted\" \\ and\ttabbed\n");
	tree_remove("sys/group");
	assert_int_equal(rebind(&nvme), 0);
	assert_int_equal(rebind(&nic), 0);
}

static void test_torn_record(void **state)
{
	crash_after(change_all);
	append_text("{\"kind\":\"write\",\"path\":\"/no");
	assert_int_equal(journal_close(open_journal()), 0);
	assert_host_as_before();
	/* As some file systems leave it after a power cut. */
	crash_after(change_all);
	append_bytes((const char[64]){ 0 }, 64);
	assert_int_equal(journal_close(open_journal()), 0);
	assert_host_as_before();
	/* Of another boot: what the reboot has undone is not undone again. */
	crash_after(change_all);
	append_text("{\"kind\":\"bind\",\"bdf\":\"" NVME);
	tree_put("proc/sys/kernel/random/boot_id", "99999999-0000\n");
	assert_int_equal(journal_close(open_journal()), 0);
	assert_no_journal();
	assert_driver(NVME, "vfio-pci");
	tree_assert("sys/a", "two");
	tree_put("proc/sys/kernel/random/boot_id", "11111111-2222\n");
	put_all_back();
	/* Not even the first line. */
	tree_put("state/journal.d/journal", "{\"kind\":\"boo");
	assert_int_equal(journal_close(open_journal()), 0);
	assert_host_as_before();
}

static void test_damaged_record(void **state)
{
	autofree char *last =
		xasprintf("{\"kind\":\"mkdir\",\"path\":\"%s\"}\n", in_tree("sys/made"));
	struct journal *journal;

	crash_after(change_all);
	append_text("{\"kind\":\"write\",\"pa\377\n{\"kind\":\"write\",\"path\":\"/x\"}\nnull\n");
	append_text(last);
	tree_dir("sys/made");
	for (int i = 0; i < 2; i++) {
		capture();
		assert_int_equal(journal_open(journal_dir, 0, &journal), -EIO);
		captured("undo what this says");
		assert_false(tree_has("sys/made"));
		assert_driver(NVME, "nvme");
		tree_assert("sys/a", "one\n");
		assert_journal_has("damaged");
	}
	tree_remove("state/journal.d/journal");
	assert_int_equal(journal_close(open_journal()), 0);
	assert_host_as_before();
}

static void test_lock(void **state)
{
	struct journal *journal = open_journal(), *second;
	autofree char *pid = xasprintf("pid %d", (int)getpid());

	capture();
	assert_int_equal(journal_open(journal_dir, 0, &second), -EBUSY);
	captured(pid);
	assert_null(second);
	assert_int_equal(journal_close(journal), 0);
	assert_int_equal(journal_close(open_journal()), 0);
}

/* One that waits gets the host when the other has ended, or gives up in time. */
static void test_lock_waits(void **state)
{
	struct journal *journal = open_journal(), *second;
	autofree char *name = xasprintf("proc/%d/cmdline", (int)getpid());
	autofree char *who = xasprintf(
		"still running after 100.0 ms: pid %d (iommubench run x.yaml)", (int)getpid());
	uint64_t start = now_ns();
	pid_t pid;

	tree_put(name, "iommubench run x.yaml");
	capture();
	assert_int_equal(journal_open(journal_dir, 0.1, &second), -EBUSY);
	captured(who);
	assert_true(now_ns() - start >= 100000000ULL);
	assert_int_equal(journal_close(journal), 0);
	pid = fork();
	if (!pid) {
		if (journal_open(journal_dir, 0, &journal))
			_exit(2);
		tree_put("held", "");
		usleep(300000);
		_exit(journal_close(journal) ? 3 : 0);
	}
	while (!tree_has("held"))
		usleep(1000);
	capture();
	assert_int_equal(journal_open(journal_dir, 30, &second), 0);
	captured("waiting for another iommubench on this host: pid ");
	assert_int_equal(journal_close(second), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_host_as_before();
}

/* ---- a namespace on a remote host ---- */

/* In place of ssh: keeps what it is told to do there. */
static void put_ssh(const char *exit_status)
{
	autofree char *script = xasprintf("#!/bin/sh\nfor last; do :; done\necho \"$last\" >>%s\n"
					  "exit %s\n",
					  in_tree("told"), exit_status);
	autofree char *path = xasprintf("%s:/usr/bin:/bin", in_tree("bin"));

	tree_put("bin/ssh", script);
	assert_int_equal(chmod(in_tree("bin/ssh"), 0755), 0);
	setenv("PATH", path, 1);
}

static void put_remote_record(const char *boot)
{
	autofree char *text = xasprintf(
		"{\"kind\":\"boot\",\"boot_id\":\"%s\",\"seq\":0}\n"
		"{\"kind\":\"mkdir\",\"path\":\"%s\",\"seq\":1}\n"
		"{\"kind\":\"netns\",\"name\":\"ns\",\"interface\":\"eth7\",\"mtu\":\"9000\","
		"\"state\":\"up\",\"remote\":\"root@peer\",\"bdf\":null,\"seq\":2}\n",
		boot, in_tree("sys/made"));

	tree_put(JOURNAL, text);
	tree_dir("sys/made");
}

/* Our reboot undoes nothing on another host. */
static void test_remote_after_reboot(void **state)
{
	autofree char *told = NULL;

	put_remote_record("99999999-0000");
	put_ssh("0");
	capture();
	assert_int_equal(journal_close(open_journal()), 0);
	captured("from before a reboot");
	told = file_read(in_tree("told"), NULL);
	assert_non_null(told);
	assert_non_null(strstr(told, "ip netns del ns"));
	assert_non_null(strstr(told, "ip link set eth7 mtu 9000 up"));
	assert_true(tree_has("sys/made")); /* a local change of that boot is left alone */
	tree_remove("sys/made");
	assert_host_as_before();
}

/* One that cannot be reached is kept, with what to do by hand. */
static void test_remote_unreachable(void **state)
{
	struct journal *journal;

	put_remote_record("99999999-0000");
	put_ssh("255");
	capture();
	assert_int_equal(journal_open(journal_dir, 0, &journal), -EIO);
	captured("by hand: ssh ");
	assert_journal_has("root@peer");
	put_ssh("0");
	assert_int_equal(journal_close(open_journal()), 0);
	tree_remove("sys/made");
	assert_host_as_before();
}

/* ---- killed at any moment ---- */

/* Changes and undoes for ever. */
static void worker(void)
{
	struct journal *journal;

	log_set_level(LOG_ERROR);
	if (journal_open(journal_dir, 0, &journal))
		_exit(1);
	for (unsigned int i = 0;; i++) {
		change_all(journal);
		if (i % 2 && journal_undo(journal))
			_exit(3);
		if (!(i % 2) && (journal_close(journal) || journal_open(journal_dir, 0, &journal)))
			_exit(4);
	}
}

static void test_killed(void **state)
{
	unsigned int seed = 12345, interrupted = 0;

	log_set_level(LOG_ERROR);
	for (int i = 0; i < KILLS; i++) {
		autofree char *left = NULL;
		pid_t pid = fork();
		int status;

		if (!pid)
			worker();
		usleep((useconds_t)rand_r(&seed) % 40000);
		kill(pid, SIGKILL);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
		await_writes();
		left = journal_text();
		interrupted += left != NULL;
		assert_int_equal(journal_close(open_journal()), 0);
		kernel_sync();
		assert_host_as_before();
	}
	/* Else the test has tested nothing. */
	assert_true(interrupted > KILLS / 10);
	log_set_level(LOG_INFO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		HOST_TEST(test_write),
		HOST_TEST(test_chosen_word),
		HOST_TEST(test_record_before_write),
		HOST_TEST(test_unwritable_journal),
		HOST_TEST(test_mkdir),
		HOST_TEST(test_failed_undo),
		HOST_TEST(test_crash),
		HOST_TEST(test_crash_and_objects_gone),
		HOST_TEST(test_other_boot),
		HOST_TEST(test_torn_record),
		HOST_TEST(test_damaged_record),
		HOST_TEST(test_lock),
		HOST_TEST(test_lock_waits),
		HOST_TEST(test_remote_after_reboot),
		HOST_TEST(test_remote_unreachable),
		HOST_TEST(test_killed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
