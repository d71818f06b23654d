// SPDX-License-Identifier: GPL-2.0-only
/* The distribution's packages that a run's figures come from. */
#include "harness/packages.h"

#include <errno.h>
#include <string.h>

#include "harness/proc.h"
#include "harness/util.h"

static const char *const names[] = { "qemu-system-x86",
				     "qemu-system-common",
				     "qemu-system-data",
				     "seabios",
				     "libc6",
				     "fio",
				     "iperf3",
				     "memcached",
				     "dpdk",
				     "ethtool",
				     "busybox-static" };

json_t *packages_parse(const char *text)
{
	autofree char *copy = xstrdup(text);
	json_t *json = json_object();
	char *save = NULL;

	for (char *line = strtok_r(copy, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		char *version = strchr(line, ' ');

		/* One that was removed has no version. */
		if (*line != '=' || !version || !version[1])
			continue;
		*version = '\0';
		json_object_set_new(json, line + 1, json_string(version + 1));
	}
	return json;
}

json_t *packages_installed(void)
{
	autolist struct strlist argv = { 0 };
	autofree char *output = NULL;

	strlist_add(&argv, "dpkg-query");
	strlist_add(&argv, "-W");
	strlist_add(&argv, "-f=\\=${Package} ${Version}\\n");
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		strlist_add(&argv, names[i]);
	/* It fails if any of them is unknown, and tells of the others all the same. */
	if (proc_run(argv.items, 30, &output) == -ENOENT || !output)
		return json_null();
	return packages_parse(output);
}
