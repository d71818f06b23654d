// SPDX-License-Identifier: GPL-2.0-only
/* Files read ahead of who needs them. */
#include "harness/preload.h"

#include <fcntl.h>
#include <string.h>

#include "harness/log.h"
#include "harness/proc.h"
#include "harness/util.h"

#define LIMIT_S 30.0

void preload_file(const char *path)
{
	autoclose int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	autofree char *buffer = xzalloc(MIB);
	ssize_t n;

	do
		n = fd < 0 ? -1 : read(fd, buffer, MIB);
	while (n > 0);
	if (n && path)
		log_debug("%s is not read ahead", path);
}

/* What a command prints, a path a line somewhere in it. */
static void preload_listed(const char *const argv[])
{
	autofree char *output = NULL;
	char *rest, *line;

	if (proc_run((char *const *)argv, LIMIT_S, &output) || !output)
		return;
	rest = output;
	while ((line = strsep(&rest, "\n"))) {
		char *path = strchr(line, '/');

		if (!path)
			continue;
		path[strcspn(path, " ")] = '\0';
		preload_file(path);
	}
}

void preload_program(const char *name)
{
	const char *const find[] = { "sh", "-c", "command -v \"$0\"", name, NULL };
	/* The dynamic linker then says what it would load (ld.so(8)), and runs nothing. */
	const char *const link[] = { "env", "LD_TRACE_LOADED_OBJECTS=1", name, NULL };

	preload_listed(find);
	preload_listed(link);
}
