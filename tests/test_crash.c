// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every write of a run's life on a host, one after the other, is the one at which the harness
 * dies, which is torn, or which fails: afterwards the host is as before. The linker gives us the
 * calls (--wrap); those of the harness and of the children that write for it are counted.
 */
#include "tests/tree.h"

#include <errno.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "harness/group_type.h"
#include "harness/log.h"
#include "harness/rebind.h"
#include "harness/sriov.h"
#include "tests/fake_host.h"
#include "tests/fake_kernel.h"
#include "tests/fake_nvme.h"

#define MIN_CALLS 50  /* else it is not the life that is meant */
#define WHOLE_LIVES 3 /* in a row in which no call was left to fail */
#define GROUP_TYPE "sys/kernel/iommu_groups/7/type"
#define FUNCTIONS BELOW NVME "/sriov_numvfs"
#define AUTOPROBE BELOW NVME "/sriov_drivers_autoprobe"

enum fault {
	NONE,
	DIE_BEFORE, /* kill -9; a child that writes for the harness lives on, as it does then */
	DIE_AFTER,
	TORN,	   /* half of a write is done, then it dies */
	FAIL_ONCE, /* the call fails */
	FAIL,	   /* and so does every later one of that path */
};

/* Shared with the harness under test and its children. */
static struct {
	enum fault fault;
	unsigned int target, count; /* which call, from 1; how many there were */
	int err;
	pid_t harness;
	bool fired;
	char path[256];
} * shared;

/* Only in the harness under test: the fake kernel and the test write undisturbed. */
static bool armed;

/* The next call on this path: shall it go wrong? */
static bool strikes(const char *path)
{
	if (!armed || strncmp(path, tree_root, strlen(tree_root)) != 0)
		return false;
	if (shared->fired)
		return shared->fault == FAIL && !strcmp(shared->path, path);
	if (__atomic_add_fetch(&shared->count, 1, __ATOMIC_SEQ_CST) != shared->target)
		return false;
	shared->fired = true;
	snprintf(shared->path, sizeof(shared->path), "%s", path);
	return true;
}

static void die(void)
{
	kill(shared->harness, SIGKILL);
	while (getpid() == shared->harness)
		pause();
}

static const char *fd_path(int fd)
{
	static char target[256];
	char link[32];
	ssize_t len;

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	len = readlink(link, target, sizeof(target) - 1);
	target[len > 0 ? len : 0] = '\0';
	return target;
}

/* Is it to fail? Or else whether it struck is in *struck. */
static bool fails(const char *path, bool *struck)
{
	*struck = strikes(path);
	if (!*struck)
		return false;
	if (shared->fault == FAIL || shared->fault == FAIL_ONCE) {
		errno = shared->err;
		return true;
	}
	if (shared->fault == DIE_BEFORE)
		die();
	return false;
}

#define WRAP(type, name, params, args, path) \
	type __real_##name params;           \
	type __wrap_##name params;           \
	type __wrap_##name params            \
	{                                    \
		bool struck;                 \
		type ret;                    \
                                             \
		if (fails(path, &struck))    \
			return -1;           \
		ret = __real_##name args;    \
		if (struck)                  \
			die();               \
		return ret;                  \
	}

WRAP(int, fsync, (int fd), (fd), fd_path(fd))
WRAP(int, ftruncate, (int fd, off_t len), (fd, len), fd_path(fd))
WRAP(int, mkdir, (const char *path, mode_t mode), (path, mode), path)
WRAP(int, rmdir, (const char *path), (path), path)
WRAP(int, unlink, (const char *path), (path), path)
WRAP(int, rename, (const char *from, const char *to), (from, to), to)

ssize_t __real_write(int fd, const void *data, size_t len);
ssize_t __wrap_write(int fd, const void *data, size_t len);
ssize_t __wrap_write(int fd, const void *data, size_t len)
{
	bool struck;
	ssize_t ret;

	if (!armed)
		return __real_write(fd, data, len);
	if (fails(fd_path(fd), &struck))
		return -1;
	ret = __real_write(fd, data, struck && shared->fault == TORN ? len / 2 : len);
	if (struck)
		die();
	return ret;
}

/* Commands to the drive. */
int __wrap_ioctl(int fd, unsigned long request, void *arg);
int __wrap_ioctl(int fd, unsigned long request, void *arg)
{
	bool struck;
	int ret;

	if (fails(fd_path(fd), &struck))
		return -1;
	ret = fake_nvme_ioctl(request, arg);
	if (struck)
		die();
	return ret;
}

/* ---- the life that is disturbed ---- */

static int change_all(struct journal *journal)
{
	autolist struct strlist set = { 0 };

	strlist_add(&set, NVME);
	strlist_add(&set, NIC);
	if (journal_write(journal, in_tree("sys/a"), "two") ||
	    journal_mkdir(journal, in_tree("sys/group")) || journal_sriov(journal, NVME, 2) ||
	    journal_group_type(journal, NVME, "DMA-FQ") ||
	    journal_bind_all(journal, &set, "vfio-pci") ||
	    journal_write(journal, in_tree("sys/b"), "two") || journal_put_back(journal, NVME) ||
	    journal_write(journal, in_tree("sys/c"), "two"))
		return -EIO;
	return 0;
}

/* As a run does it: what fails ends it, and the end undoes what was done. */
static void live(void)
{
	struct journal *journal;

	/* What goes on failing is tried again and again; one attempt too few is explained, too. */
	if (shared->fault == FAIL)
		rebind_limits.driver_ms = rebind_limits.attempt_ms = 100;
	shared->harness = getpid();
	armed = true;
	if (!journal_open(journal_dir, 0, &journal)) {
		change_all(journal);
		journal_close(journal);
	}
	_exit(0);
}

/* Lives it with a fault at the target-th call. Was it struck? */
static bool live_with(enum fault fault, unsigned int target, int err)
{
	pid_t pid;

	memset(shared, 0, sizeof(*shared));
	shared->fault = fault;
	shared->target = target;
	shared->err = err;
	pid = fork();
	if (!pid)
		live();
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	await_writes();
	return shared->fired;
}

/* ---- what is expected ---- */

static bool differs(const char *name, const char *text)
{
	autofree char *path = tree_path(name), *now = file_read_trimmed(path);

	return !now || strcmp(now, text) != 0;
}

static bool device_differs(const char *bdf, const char *driver)
{
	autofree char *now = pci_driver(bdf), *override = rebind_override(bdf);

	return override || !now != !driver || (now && driver && strcmp(now, driver) != 0);
}

/* What of the host is not as it was: as messages name it. */
static void list_changed(struct strlist *names)
{
	if (differs("sys/a", "one"))
		strlist_add(names, "sys/a");
	if (differs("sys/b", "1 2 3\n4 5 6"))
		strlist_add(names, "sys/b");
	if (differs("sys/c", "it's \"quoted\" \\ and\ttabbed"))
		strlist_add(names, "sys/c");
	if (tree_has("sys/group"))
		strlist_add(names, "sys/group");
	if (differs(AUTOPROBE, "1"))
		strlist_add(names, "sriov_drivers_autoprobe");
	/* One that was opened and not written is empty only here, not in sysfs. */
	if ((differs(FUNCTIONS, "0") && differs(FUNCTIONS, "")) ||
	    differs(GROUP_TYPE, "identity") || !fake_nvme_as_before())
		strlist_add(names, NVME);
	if (device_differs(NVME, "nvme"))
		strlist_add(names, NVME);
	if (device_differs(NIC, NULL))
		strlist_add(names, NIC);
}

static size_t nr_changed(void)
{
	autolist struct strlist names = { 0 };

	list_changed(&names);
	return names.nr;
}

static void restore(void)
{
	assert_int_equal(journal_close(open_journal()), 0);
	kernel_sync();
	tree_assert(GROUP_TYPE, "identity");
	assert_host_as_before();
	assert_int_equal(nr_changed(), 0);
}

/* The kernel writes a line; what is written back has none. */
static void set_up(void)
{
	tree_put(GROUP_TYPE, "identity");
	tree_put(BELOW NVME "/sriov_totalvfs", "4\n");
	tree_put(FUNCTIONS, "0");
	tree_put(AUTOPROBE, "1");
	fake_nvme_put();
	log_set_level(LOG_ERROR);
	/* A busy machine's fake kernel is slow, which is no fault. */
	rebind_limits.driver_ms = 3000;
}

/* Dies at every call in turn; *midway of them left changes behind. */
static unsigned int die_at_each(enum fault fault, unsigned int *midway)
{
	unsigned int nr = 0;

	*midway = 0;
	set_up();
	while (live_with(fault, nr + 1, 0)) {
		nr++;
		*midway += nr_changed() > 0;
		restore();
	}
	log_set_level(LOG_INFO);
	/* The last one was not disturbed at all. */
	assert_host_as_before();
	return nr;
}

static void test_dies(void **state)
{
	static const enum fault faults[] = { DIE_BEFORE, DIE_AFTER, TORN };

	for (size_t i = 0; i < ARRAY_SIZE(faults); i++) {
		unsigned int midway, nr = die_at_each(faults[i], &midway);

		/* Else the test has tested nothing. */
		assert_true(nr >= MIN_CALLS);
		assert_true(midway >= nr / 2);
	}
}

/* What a failure leaves is said, with what mends it. */
static void assert_explained(unsigned int target)
{
	autofree char *said = file_read(in_tree("stderr"), NULL), *left = journal_text();
	autolist struct strlist names = { 0 };

	list_changed(&names);
	if (!left) {
		assert_int_equal(names.nr, 0);
		return;
	}
	assert_non_null(said);
	if (!strstr(said, "by hand: ") && !strstr(said, "cannot write the journal"))
		fail_msg("call %u (%s): nothing says what is left: %s", target, shared->path, said);
	for (size_t i = 0; i < names.nr; i++)
		if (!strstr(said, names.items[i]) || !strstr(left, names.items[i]))
			fail_msg("call %u (%s): %s is left, but not said: %s", target, shared->path,
				 names.items[i], said);
	/* One fault leaves one thing, and what needs it. */
	if (shared->fault == FAIL_ONCE && names.nr > 1)
		fail_msg("call %u (%s): %zu things are left", target, shared->path, names.nr);
}

/* Fails each call in turn; of what was changed, at most what failed is left. */
static unsigned int fail_each(enum fault fault, int err, unsigned int *left)
{
	unsigned int nr = 0, whole = 0;

	*left = 0;
	set_up();
	/* A machine so busy that the fake kernel is too slow has a life end early, but not each. */
	while (whole < WHOLE_LIVES) {
		bool struck;

		capture();
		struck = live_with(fault, nr + 1, err);
		captured("");
		whole = struck ? 0 : whole + 1;
		nr += struck;
		assert_explained(nr);
		*left += nr_changed() > 0;
		capture(); /* a journal that could not be removed is said to be undone */
		restore();
		captured("");
	}
	log_set_level(LOG_INFO);
	assert_host_as_before();
	return nr;
}

static void test_fails(void **state)
{
	unsigned int left, nr = fail_each(FAIL_ONCE, EIO, &left);

	assert_true(nr >= MIN_CALLS);
	assert_true(left > 0);
}

static void test_goes_on_failing(void **state)
{
	unsigned int left, nr;

	nr = fail_each(FAIL, EBUSY, &left);
	assert_true(nr >= MIN_CALLS);
	assert_true(left > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		HOST_TEST(test_dies),
		HOST_TEST(test_fails),
		HOST_TEST(test_goes_on_failing),
	};

	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	return shared == MAP_FAILED ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
