// SPDX-License-Identifier: GPL-2.0-only
/*
 * The journal on a fake sysfs. Its drivers' bind, unbind and drivers_probe are pipes that a
 * child, the "kernel", reads and reacts to.
 */
#include "tests/tree.h"

#include <errno.h>
#include <jansson.h>
#include <poll.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "harness/journal.h"
#include "harness/log.h"
#include "harness/rebind.h"

#define NVME "0000:5e:00.0"
#define NIC "0000:af:00.0"
#define BELOW "sys/devices/pci0000:00/0000:00:01.0/"
#define DRIVERS "sys/bus/pci/drivers/"
#define THP "sys/kernel/mm/transparent_hugepage/enabled"
#define KILLS 60

static char journal_dir[96];
static const char *const drivers[] = { "nvme", "ixgbe", "vfio-pci", "broken" };

/* ---- the kernel ---- */

static struct {
	pid_t pid;
	int request, reply; /* its ends of pipes: a byte asks it to react to all that was written */
	int unbind[ARRAY_SIZE(drivers)], bind[ARRAY_SIZE(drivers)], probe;
} kernel;

static int open_fifo(const char *name)
{
	autofree char *path = tree_path(name);

	return open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
}

static char *driver_link(const char *bdf)
{
	return xasprintf("%s/" BELOW "%s/driver", tree_root, bdf);
}

static bool kernel_override_is(const char *bdf, const char *driver)
{
	autofree char *now = rebind_override(bdf);

	return !now || !strcmp(now, driver);
}

static void kernel_bind(const char *bdf, const char *driver)
{
	autofree char *link = driver_link(bdf);
	autofree char *target = xasprintf("%s/" DRIVERS "%s", tree_root, driver);

	if (kernel_override_is(bdf, driver) && strcmp(driver, "broken") != 0 &&
	    symlink(target, link))
		return;
}

/* Keeps what the journal says when the first device is unbound. */
static void kernel_unbind(const char *bdf, const char *driver)
{
	autofree char *now = pci_driver(bdf), *link = driver_link(bdf);
	autofree char *from = xasprintf("%s/journal", journal_dir);
	autofree char *to = tree_path("journal-at-unbind"), *text = file_read(from, NULL);

	if (text && !file_exists(to))
		file_write(to, text, true);
	if (now && !strcmp(now, driver))
		unlink(link);
}

static void kernel_probe(const char *bdf, const char *unused)
{
	autofree char *override = rebind_override(bdf);

	kernel_bind(bdf, override ? override : !strcmp(bdf, NVME) ? "nvme" : "ixgbe");
}

/* Calls react for each address in the pipe. */
static bool kernel_read(int fd, const char *driver,
			void (*react)(const char *bdf, const char *driver))
{
	char text[4096];
	ssize_t len = read(fd, text, sizeof(text) - 1);

	if (len <= 0)
		return false;
	/* Writers that follow each other closely leave no white space. */
	text[len] = '\0';
	for (char *p = text; strlen(p) >= strlen(NVME); p += strlen(NVME)) {
		char bdf[sizeof(NVME)];

		snprintf(bdf, sizeof(bdf), "%.12s", p);
		react(bdf, driver);
	}
	return true;
}

static bool kernel_react(void)
{
	bool any = kernel_read(kernel.probe, NULL, kernel_probe);

	for (size_t i = 0; i < ARRAY_SIZE(drivers); i++) {
		any |= kernel_read(kernel.unbind[i], drivers[i], kernel_unbind);
		any |= kernel_read(kernel.bind[i], drivers[i], kernel_bind);
	}
	return any;
}

static void kernel_main(void)
{
	struct pollfd fds[2 + 2 * ARRAY_SIZE(drivers)] = {
		{ .fd = kernel.request, .events = POLLIN },
		{ .fd = kernel.probe, .events = POLLIN },
	};
	char byte;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (size_t i = 0; i < ARRAY_SIZE(drivers); i++) {
		fds[2 + 2 * i] = (struct pollfd){ .fd = kernel.unbind[i], .events = POLLIN };
		fds[3 + 2 * i] = (struct pollfd){ .fd = kernel.bind[i], .events = POLLIN };
	}
	while (poll(fds, ARRAY_SIZE(fds), -1) > 0) {
		while (kernel_react())
			;
		if (fds[0].revents &&
		    (read(kernel.request, &byte, 1) != 1 || write(kernel.reply, &byte, 1) != 1))
			_exit(0);
	}
	_exit(1);
}

static int request_fd, reply_fd;

/* Until the kernel has reacted to all that was written to it. */
static void kernel_sync(void)
{
	char byte = 'x';

	assert_int_equal(write(request_fd, &byte, 1), 1);
	assert_int_equal(read(reply_fd, &byte, 1), 1);
}

static void make_fifo(const char *name)
{
	autofree char *path = tree_path(name);

	tree_parent(name);
	assert_int_equal(mkfifo(path, 0600), 0);
}

static int kernel_start(void)
{
	int request[2], reply[2];

	make_fifo("sys/bus/pci/drivers_probe");
	kernel.probe = open_fifo("sys/bus/pci/drivers_probe");
	for (size_t i = 0; i < ARRAY_SIZE(drivers); i++) {
		autofree char *unbind = xasprintf(DRIVERS "%s/unbind", drivers[i]);
		autofree char *bind = xasprintf(DRIVERS "%s/bind", drivers[i]);

		make_fifo(unbind);
		make_fifo(bind);
		kernel.unbind[i] = open_fifo(unbind);
		kernel.bind[i] = open_fifo(bind);
	}
	if (pipe2(request, O_CLOEXEC) || pipe2(reply, O_CLOEXEC))
		return -1;
	kernel.request = request[0];
	kernel.reply = reply[1];
	kernel.pid = fork();
	if (!kernel.pid)
		kernel_main();
	close(request[0]);
	close(reply[1]);
	request_fd = request[1];
	reply_fd = reply[0];
	return kernel.pid < 0 ? -1 : 0;
}

/* Afterwards a write blocks, as one to a driver whose device is in use. */
static void kernel_stop(void)
{
	if (!kernel.pid)
		return;
	kill(kernel.pid, SIGKILL);
	waitpid(kernel.pid, NULL, 0);
	kernel.pid = 0;
	close(request_fd);
	close(reply_fd);
	close(kernel.probe);
	for (size_t i = 0; i < ARRAY_SIZE(drivers); i++) {
		close(kernel.unbind[i]);
		close(kernel.bind[i]);
	}
}

/* ---- the rest of the host ---- */

static int setup(void **state)
{
	if (tree_setup(state))
		return -1;
	snprintf(journal_dir, sizeof(journal_dir), "%s/state/journal.d", tree_root);
	tree_put("proc/sys/kernel/random/boot_id", "11111111-2222\n");
	tree_put(THP, "always [madvise] never\n");
	tree_put("sys/a", "one\n");
	tree_put("sys/b", "1 2 3\n4 5 6\n");
	tree_put("sys/c", "it's \"quoted\" \\ and\ttabbed\n");
	tree_pci(NVME, "0x010802\n", "nvme", 7);
	tree_pci(NIC, "0x020000\n", NULL, 8);
	rebind_limits = (struct rebind_limits){ .write_ms = 1000, .driver_ms = 500 };
	return kernel_start();
}

static int teardown(void **state)
{
	kernel_stop();
	return tree_teardown(state);
}

static char *in_tree(const char *name)
{
	static char paths[4][160];
	static unsigned int next;
	char *path = paths[next++ % ARRAY_SIZE(paths)];

	snprintf(path, sizeof(paths[0]), "%s/%s", tree_root, name);
	return path;
}

static struct journal *open_journal(void)
{
	struct journal *journal = NULL;

	assert_int_equal(journal_open(journal_dir, &journal), 0);
	assert_non_null(journal);
	return journal;
}

static char *journal_text(void)
{
	autofree char *path = xasprintf("%s/journal", journal_dir);

	return file_read(path, NULL);
}

static void assert_no_journal(void)
{
	autofree char *text = journal_text();

	assert_null(text);
}

static void assert_journal_has(const char *word)
{
	autofree char *text = journal_text();

	assert_non_null(text);
	assert_non_null(strstr(text, word));
}

static void assert_driver(const char *bdf, const char *driver)
{
	autofree char *now = pci_driver(bdf);

	if (!driver) {
		assert_null(now);
	} else {
		assert_non_null(now);
		assert_string_equal(now, driver);
	}
}

static void assert_override(const char *bdf, const char *override)
{
	autofree char *now = rebind_override(bdf);

	if (!override) {
		assert_null(now);
	} else {
		assert_non_null(now);
		assert_string_equal(now, override);
	}
}

static void assert_host_as_before(void)
{
	tree_assert("sys/a", "one\n");
	tree_assert("sys/b", "1 2 3\n4 5 6\n");
	tree_assert("sys/c", "it's \"quoted\" \\ and\ttabbed\n");
	assert_false(tree_has("sys/group"));
	assert_driver(NVME, "nvme");
	assert_driver(NIC, NULL);
	assert_override(NVME, NULL);
	assert_override(NIC, NULL);
	assert_no_journal();
}

/* Messages of what a test makes fail go to a file, to look at. */
static int saved_stderr;

static void capture(void)
{
	autoclose int fd = open(in_tree("stderr"), O_RDWR | O_CREAT | O_TRUNC, 0600);

	saved_stderr = dup(STDERR_FILENO);
	dup2(fd, STDERR_FILENO);
}

static void captured(const char *word)
{
	autofree char *text = NULL;

	dup2(saved_stderr, STDERR_FILENO);
	close(saved_stderr);
	text = file_read(in_tree("stderr"), NULL);
	assert_non_null(text);
	if (!strstr(text, word))
		fail_msg("\"%s\" lacks \"%s\"", text, word);
}

/* Runs work in a child that ends without closing its journal: a crash. */
static void crash_after(void (*work)(struct journal *journal))
{
	struct journal *journal;
	pid_t pid = fork();
	int status;

	if (!pid) {
		if (journal_open(journal_dir, &journal))
			_exit(1);
		work(journal);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

/* ---- tests ---- */

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
	assert_int_equal(journal_open(journal_dir, &again), -EIO);
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

static void append_text(const char *text)
{
	autofree char *path = xasprintf("%s/journal", journal_dir);
	autoclose int fd = open(path, O_WRONLY | O_APPEND);

	assert_int_equal(write_all(fd, text, strlen(text)), 0);
}

static void test_torn_record(void **state)
{
	crash_after(change_all);
	append_text("{\"kind\":\"write\",\"path\":\"/no");
	assert_int_equal(journal_close(open_journal()), 0);
	assert_host_as_before();
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
		assert_int_equal(journal_open(journal_dir, &journal), -EIO);
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
	assert_int_equal(journal_open(journal_dir, &second), -EBUSY);
	captured(pid);
	assert_null(second);
	assert_int_equal(journal_close(journal), 0);
	assert_int_equal(journal_close(open_journal()), 0);
}

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
	for (size_t i = 0; i < ARRAY_SIZE(drivers); i++) {
		autofree char *dir = xasprintf(DRIVERS "%s", drivers[i]);

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
	int fd = open_fifo(name);

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

/* ---- killed at any moment ---- */

/* Changes and undoes for ever. */
static void worker(void)
{
	struct journal *journal;

	log_set_level(LOG_ERROR);
	if (journal_open(journal_dir, &journal))
		_exit(1);
	for (unsigned int i = 0;; i++) {
		change_all(journal);
		if (i % 2 && journal_undo(journal))
			_exit(3);
		if (!(i % 2) && (journal_close(journal) || journal_open(journal_dir, &journal)))
			_exit(4);
	}
}

/* A write that the killed worker had begun goes on and holds the lock until it is over. */
static void wait_for_writes(void)
{
	autofree char *path = xasprintf("%s/lock", journal_dir);
	autoclose int fd = open(path, O_RDWR | O_CLOEXEC);

	if (fd >= 0)
		assert_int_equal(flock(fd, LOCK_EX), 0);
	kernel_sync();
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
		wait_for_writes();
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
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_write),
		TEST(test_chosen_word),
		TEST(test_record_before_write),
		TEST(test_unwritable_journal),
		TEST(test_mkdir),
		TEST(test_failed_undo),
		TEST(test_crash),
		TEST(test_crash_and_objects_gone),
		TEST(test_other_boot),
		TEST(test_torn_record),
		TEST(test_damaged_record),
		TEST(test_lock),
		TEST(test_bind),
		TEST(test_bind_restores_override),
		TEST(test_bind_by_name),
		TEST(test_bind_refused),
		TEST(test_blocked_unbind),
		TEST(test_blocked_undo),
		TEST(test_killed_in_unbind),
		TEST(test_killed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
