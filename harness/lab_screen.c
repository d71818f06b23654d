// SPDX-License-Identifier: GPL-2.0-only
/* Pictures of what the lab's GPU displays, taken by its emulator. */
#include "harness/lab_screen.h"

#include <errno.h>
#include <string.h>

#include "harness/lab.h"
#include "harness/log.h"
#include "harness/util.h"

#define DUMP_S 10

/* Whoever asked sees the whole picture or none. */
static int dump(struct lab *lab, const char *share)
{
	autofree char *part = xasprintf("%s/screen.part", share);
	autofree char *picture = xasprintf("%s/screen.png", share);
	int ret = qmp_command(lab->vm->qmp, "screendump",
			      json_pack("{s:s, s:s, s:i, s:s}", "filename", part, "device",
					LAB_SCREEN, "head", 0, "format", "png"),
			      DUMP_S, NULL);

	return !ret && rename(part, picture) ? -errno : ret;
}

void lab_screen_tick(void *arg)
{
	struct lab *lab = arg;
	autofree char *share = xasprintf("%s/share", lab->dir);
	autofree char *asked = xasprintf("%s/screen.ask", share);
	autofree char *failed = xasprintf("%s/screen.failed", share);
	int ret;

	if (unlink(asked))
		return;
	lab->vm->waiter.tick = NULL; /* the emulator is waited for: not again */
	ret = dump(lab, share);
	lab->vm->waiter.tick = lab_screen_tick;
	if (ret && file_write(failed, strerror(-ret), true))
		log_warn("cannot write %s", failed);
}
