// SPDX-License-Identifier: GPL-2.0-only
/* What is read of a memory cgroup, and what is read ahead so that it does not count there. */
#include "tests/tree.h"

#include <errno.h>

#include "harness/cgroup.h"
#include "harness/preload.h"

static void numbers_are_read_by_key_or_alone(void **state)
{
	uint64_t value = 0;

	tree_put("memory.peak", "314572800\n");
	tree_put("memory.events", "low 0\nmax 653\noom 2\noom_kill 1\n");
	assert_int_equal(cgroup_read(tree_root, "memory.peak", NULL, &value), 0);
	assert_int_equal(value, 314572800);
	assert_int_equal(cgroup_read(tree_root, "memory.events", "oom", &value), 0);
	assert_int_equal(value, 2);
	assert_int_equal(cgroup_read(tree_root, "memory.events", "oom_kill", &value), 0);
	assert_int_equal(value, 1);
	assert_int_equal(cgroup_read(tree_root, "memory.events", "high", &value), -ENODATA);
	assert_int_equal(cgroup_read(tree_root, "memory.swap", NULL, &value), -ENOENT);
}

static void processes_are_not_parts_of_others(void **state)
{
	assert_false(cgroup_has(tree_root, 12));
	tree_put("cgroup.procs", "112\n1212\n120\n");
	assert_false(cgroup_has(tree_root, 12));
	assert_true(cgroup_has(tree_root, 112));
	tree_put("cgroup.procs", "112\n12\n");
	assert_true(cgroup_has(tree_root, 12));
	tree_put("cgroup.procs", "");
	assert_false(cgroup_has(tree_root, 12));
}

/* Nothing that is not there may stop a VM. */
static void what_cannot_be_read_ahead_is_left_out(void **state)
{
	preload_file(NULL);
	preload_file("/no/such/file");
	preload_program("no-such-program");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(numbers_are_read_by_key_or_alone, tree_setup,
						tree_teardown),
		cmocka_unit_test_setup_teardown(processes_are_not_parts_of_others, tree_setup,
						tree_teardown),
		cmocka_unit_test(what_cannot_be_read_ahead_is_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
