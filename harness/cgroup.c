// SPDX-License-Identifier: GPL-2.0-only
/* A memory cgroup that VMs share. */
#include "harness/cgroup.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness/change.h"
#include "harness/journal.h"
#include "harness/util.h"

#define ROOT "/sys/fs/cgroup"

/* Cgroups have a controller if their parent hands it on. */
static int check_controller(char **why)
{
	autofree char *handed_on = file_read(ROOT "/cgroup.subtree_control", NULL);

	if (handed_on && strstr(handed_on, "memory"))
		return 0;
	*why = xstrdup(handed_on ? "cgroups have no memory controller here: 'echo +memory > " ROOT
				   "/cgroup.subtree_control'"
				 : "no cgroups of version 2 at " ROOT
				   ": boot with systemd.unified_cgroup_hierarchy=1");
	return -ENOTSUP;
}

static int cgroup_limit(const char *path, uint64_t limit_bytes)
{
	autofree char *limit = xasprintf("%llu", (unsigned long long)limit_bytes);
	autofree char *max = xasprintf("%s/memory.max", path);

	return attribute_write(max, limit);
}

int cgroup_make(struct journal *journal, uint64_t limit_bytes, char **path, char **why)
{
	static unsigned int made;
	int ret = check_controller(why);

	*path = NULL;
	if (ret)
		return ret;
	/* A new one each time: its peak cannot be reset. */
	*path = xasprintf(ROOT "/iommubench-%d-%u", (int)getpid(), made++);
	ret = journal_mkdir(journal, *path);
	if (!ret)
		ret = cgroup_limit(*path, limit_bytes);
	if (ret)
		*why = xasprintf("cannot make a memory cgroup of %s: %s",
				 human_bytes((double)limit_bytes), strerror(-ret));
	return ret;
}

int cgroup_read(const char *path, const char *file, const char *key, uint64_t *value)
{
	autofree char *name = xasprintf("%s/%s", path, file);
	autofree char *text = file_read(name, NULL);
	size_t len = key ? strlen(key) : 0;

	if (!text)
		return -errno;
	for (const char *line = text; line && *line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (len && (strncmp(line, key, len) != 0 || line[len] != ' '))
			continue;
		*value = strtoull(line + len, NULL, 10);
		return 0;
	}
	return -ENODATA;
}

bool cgroup_has(const char *path, pid_t pid)
{
	autofree char *name = xasprintf("%s/cgroup.procs", path);
	autofree char *pids = file_read(name, NULL), *line = xasprintf("%d\n", (int)pid);
	const char *at = pids ? strstr(pids, line) : NULL;

	/* "12" is in "112", too, but after a digit. */
	while (at && at != pids && at[-1] != '\n')
		at = strstr(at + 1, line);
	return at;
}
