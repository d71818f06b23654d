// SPDX-License-Identifier: GPL-2.0-only
/* A fake host for tests of the journal. */
#include "tests/fake_host.h"

#include "tests/fake_kernel.h"
#include "tests/tree.h"

#include <sys/file.h>
#include <sys/wait.h>

#include "harness/rebind.h"

char journal_dir[96];

int fake_host_setup(void **state)
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
	rebind_limits =
		(struct rebind_limits){ .write_ms = 1000, .driver_ms = 500, .attempt_ms = 200 };
	return kernel_start();
}

int fake_host_teardown(void **state)
{
	kernel_stop();
	return tree_teardown(state);
}

char *in_tree(const char *name)
{
	static char paths[4][160];
	static unsigned int next;
	char *path = paths[next++ % ARRAY_SIZE(paths)];

	snprintf(path, sizeof(paths[0]), "%s/%s", tree_root, name);
	return path;
}

struct journal *open_journal(void)
{
	struct journal *journal = NULL;

	assert_int_equal(journal_open(journal_dir, 0, &journal), 0);
	assert_non_null(journal);
	return journal;
}

char *journal_text(void)
{
	autofree char *path = xasprintf("%s/journal", journal_dir);

	return file_read(path, NULL);
}

void assert_no_journal(void)
{
	autofree char *text = journal_text();

	assert_null(text);
}

void assert_journal_has(const char *word)
{
	autofree char *text = journal_text();

	assert_non_null(text);
	assert_non_null(strstr(text, word));
}

void assert_driver(const char *bdf, const char *driver)
{
	autofree char *now = pci_driver(bdf);

	if (!driver) {
		assert_null(now);
	} else {
		assert_non_null(now);
		assert_string_equal(now, driver);
	}
}

void assert_override(const char *bdf, const char *override)
{
	autofree char *now = rebind_override(bdf);

	if (!override) {
		assert_null(now);
	} else {
		assert_non_null(now);
		assert_string_equal(now, override);
	}
}

void assert_host_as_before(void)
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

static int saved_stderr;

void capture(void)
{
	autoclose int fd = open(in_tree("stderr"), O_RDWR | O_CREAT | O_TRUNC, 0600);

	saved_stderr = dup(STDERR_FILENO);
	dup2(fd, STDERR_FILENO);
}

void captured(const char *word)
{
	autofree char *text = NULL;

	dup2(saved_stderr, STDERR_FILENO);
	close(saved_stderr);
	text = file_read(in_tree("stderr"), NULL);
	assert_non_null(text);
	if (!strstr(text, word))
		fail_msg("\"%s\" lacks \"%s\"", text, word);
}

void await_writes(void)
{
	autofree char *path = xasprintf("%s/lock", journal_dir);
	autoclose int fd = open(path, O_RDWR | O_CLOEXEC);

	if (fd >= 0)
		assert_int_equal(flock(fd, LOCK_EX), 0);
	kernel_sync();
}

void crash_after(void (*work)(struct journal *journal))
{
	struct journal *journal;
	pid_t pid = fork();
	int status;

	if (!pid) {
		if (journal_open(journal_dir, 0, &journal))
			_exit(1);
		work(journal);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}
