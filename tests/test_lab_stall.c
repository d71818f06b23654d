// SPDX-License-Identifier: GPL-2.0-only
/* What the emulated host's kernel says when one of its processors has lost its timer. */
#include "tests/tree.h"

#include "harness/lab.h"
#include "harness/lab_stall.h"

static void a_lost_timer_is_seen(void **state)
{
	struct lab lab = { .dir = tree_root };

	assert_false(lab_lost_timer(&lab)); /* no console yet */
	tree_put("console.log", "[  334.281419] rcu: INFO: rcu_preempt detected stalls on "
				"CPUs/tasks:\n");
	assert_false(lab_lost_timer(&lab)); /* a busy machine does that, too */
	tree_put("console.log",
		 "[  334.282495] rcu: \t1-...!: (0 ticks this GP) (false positive?)\n"
		 "[  334.289930] rcu: rcu_preempt kthread timer wakeup didn't happen for 5255 "
		 "jiffies! g89993 f0x0 RCU_GP_WAIT_FQS(5) ->state=0x402\n");
	assert_true(lab_lost_timer(&lab));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_lost_timer_is_seen, tree_setup, tree_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
