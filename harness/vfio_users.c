// SPDX-License-Identifier: GPL-2.0-only
/* Who has a device open through VFIO: found as fuser does it, in /proc/PID/fd. */
#include "harness/vfio_users.h"

#include <limits.h>
#include <string.h>

#include "harness/pci.h"
#include "harness/util.h"

/* Files through which VFIO hands the device out: its group's, and its own for iommufd. */
static void add_files(const char *bdf, struct strlist *files)
{
	autofree char *dir = pci_path(bdf, "vfio-dev");
	autolist struct strlist names = { 0 };
	int group = pci_iommu_group(bdf);

	if (group >= 0)
		strlist_addf(files, "%s/vfio/%d", devfs_root, group);
	dir_names(dir, &names);
	for (size_t i = 0; i < names.nr; i++)
		strlist_addf(files, "%s/vfio/devices/%s", devfs_root, names.items[i]);
}

/* Which of the files the process has open, or NULL. */
static const char *open_file(const char *pid, const struct strlist *files)
{
	autofree char *dir = xasprintf("%s/%s/fd", procfs_root, pid);
	autolist struct strlist fds = { 0 };

	dir_names(dir, &fds);
	for (size_t i = 0; i < fds.nr; i++) {
		autofree char *link = xasprintf("%s/%s", dir, fds.items[i]);
		char target[PATH_MAX] = "";

		if (readlink(link, target, sizeof(target) - 1) < 0)
			continue;
		for (size_t k = 0; k < files->nr; k++)
			if (!strcmp(target, files->items[k]))
				return files->items[k];
	}
	return NULL;
}

char *vfio_users(const char *bdf)
{
	autolist struct strlist files = { 0 }, names = { 0 };
	struct strbuf sb = { 0 };

	add_files(bdf, &files);
	dir_names(procfs_root, &names);
	for (size_t i = 0; i < names.nr; i++) {
		const char *pid = names.items[i], *file;
		autofree char *path = xasprintf("%s/%s/comm", procfs_root, pid), *comm = NULL;

		file = strspn(pid, "0123456789") == strlen(pid) ? open_file(pid, &files) : NULL;
		if (!file)
			continue;
		comm = file_read_trimmed(path);
		strbuf_addf(&sb, "%s%s is open in process %s (%s)", sb.len ? ", " : "", file, pid,
			    comm ? comm : "?");
	}
	return sb.data;
}
