// SPDX-License-Identifier: GPL-2.0-only
/* The command line: one binary, sub-commands in the manner of git. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/cli.h"
#include "harness/log.h"
#include "harness/util.h"
#include "harness/wait.h"

/* Images and scripts are beside the binary, as the build leaves them. */
static int find_dirs(void)
{
	char self[PATH_MAX] = "";
	char *slash;

	if (readlink("/proc/self/exe", self, sizeof(self) - 1) < 0)
		return -errno;
	slash = strrchr(self, '/');
	*slash = '\0';
	cli_dirs.build = xstrdup(self);
	slash = strrchr(self, '/');
	if (slash)
		*slash = '\0';
	cli_dirs.scripts = xasprintf("%s/scripts", self);
	return 0;
}

int main(int argc, char **argv)
{
	int ret;

	setvbuf(stdout, NULL, _IOLBF, 0);
	wait_init();
	if (find_dirs()) {
		log_err("/proc/self/exe: %s", strerror(errno));
		return EXIT_USAGE;
	}
	if (getenv("IOMMUBENCH_DEBUG"))
		log_set_level(LOG_DEBUG);
	ret = cli_dispatch(argc, argv);
	free(cli_dirs.build);
	free(cli_dirs.scripts);
	return ret;
}
