// SPDX-License-Identifier: GPL-2.0-only
/* How the emulated host stands still, and what is kept of that. */
#include "harness/lab_stall.h"

#include <string.h>

#include "harness/lab.h"
#include "harness/log.h"
#include "harness/util.h"

/* For whoever has to find out why: what its processors were doing. */
void lab_save_stall(struct lab *lab)
{
	autofree char *path = xasprintf("%s/../lab-stall.txt", lab->dir);
	json_t *text = NULL;

	lab->vm->waiter.uninterruptible = true;
	if (!qmp_command(lab->vm->qmp, "human-monitor-command",
			 json_pack("{s:s}", "command-line", "info registers -a"), 10, &text) &&
	    json_is_string(text))
		file_write(path, json_string_value(text), true);
	json_decref(text);
}

/*
 * Emulated processors lose their timer's interrupt now and then; what waits for it on such a one,
 * QEMUs that were killed among them, then waits for ever, while the other one goes on and answers.
 * The kernel says so after 21 s (kernel/rcu/tree_stall.h).
 */
bool lab_lost_timer(const struct lab *lab)
{
	autofree char *path = xasprintf("%s/console.log", lab->dir);
	autofree char *text = file_read(path, NULL);

	if (!text || !strstr(text, "kthread timer wakeup didn't happen"))
		return false;
	log_warn("a processor of the virtual lab has lost its timer");
	return true;
}
