// SPDX-License-Identifier: GPL-2.0-only
/* Child processes: what they may pin. */
#include "tests/capture.h"

#include <fcntl.h>
#include <linux/capability.h>

#include "harness/proc.h"

static const struct waiter waiter = { .pidfd = -1 };

/* What a shell script prints, to free. */
static char *output_of(const char *script, struct proc_options options)
{
	autofree char *path = xasprintf("%s/out", capture_dir);
	char *const argv[] = { (char *)"sh", (char *)"-c", (char *)script, NULL };
	autoclose int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	struct proc proc;
	int status;

	assert_true(fd >= 0);
	options.out = fd;
	options.err = -1;
	assert_int_equal(proc_start(argv, &options, &proc), 0);
	assert_int_equal(proc_wait(&proc, &waiter, 30, &status), 0);
	assert_int_equal(status, 0);
	return file_read(path, NULL);
}

/* VFIO looks at the limit only for who has not CAP_IPC_LOCK. */
static void pins_are_limited(void **state)
{
	static const char script[] = "ulimit -l; sed -n 's/^CapEff:\t//p' /proc/self/status";
	autofree char *text = output_of(script, (struct proc_options){ .pin_bytes = 3 * MIB });
	char *end;

	assert_int_equal(strtoul(text, &end, 10), 3 * 1024);
	assert_int_equal(strtoull(end, NULL, 16) & (1ULL << CAP_IPC_LOCK), 0);
}

static void else_they_are_not(void **state)
{
	autofree char *ours = output_of("ulimit -l", (struct proc_options){ 0 });
	autofree char *same = output_of("ulimit -l", (struct proc_options){ .no_thp = true });

	assert_string_equal(ours, same);
	assert_string_not_equal(ours, "3072\n");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(pins_are_limited),
		cmocka_unit_test(else_they_are_not),
	};

	return cmocka_run_group_tests_name("child processes", tests, capture_setup,
					   capture_teardown);
}
