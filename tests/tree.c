// SPDX-License-Identifier: GPL-2.0-only
/* A tree of files that stands for sysfs, procfs and /dev in tests. */
#include "tests/tree.h"

char tree_root[64];
static char tree_sys[80], tree_proc[80], tree_dev[80];

char *tree_path(const char *name)
{
	return xasprintf("%s/%s", tree_root, name);
}

void tree_dir(const char *name)
{
	autofree char *path = tree_path(name);

	assert_int_equal(mkdir_all(path), 0);
}

void tree_parent(const char *name)
{
	autofree char *copy = xstrdup(name);
	char *slash = strrchr(copy, '/');

	if (slash) {
		*slash = '\0';
		tree_dir(copy);
	}
}

void tree_put(const char *name, const char *text)
{
	autofree char *path = tree_path(name);

	tree_parent(name);
	assert_int_equal(file_write(path, text, true), 0);
}

void tree_link(const char *name, const char *target)
{
	autofree char *path = tree_path(name), *to = tree_path(target);

	tree_parent(name);
	unlink(path);
	assert_int_equal(symlink(to, path), 0);
}

bool tree_has(const char *name)
{
	autofree char *path = tree_path(name);

	return file_exists(path);
}

void tree_assert(const char *name, const char *text)
{
	autofree char *path = tree_path(name), *now = file_read(path, NULL);

	assert_non_null(now);
	assert_string_equal(now, text);
}

void tree_remove(const char *name)
{
	autofree char *path = tree_path(name);

	assert_int_equal(remove_all(path), 0);
}

int tree_setup(void **state)
{
	strcpy(tree_root, "/tmp/iommubench-test-XXXXXX");
	if (!mkdtemp(tree_root))
		return -1;
	snprintf(tree_sys, sizeof(tree_sys), "%s/sys", tree_root);
	snprintf(tree_proc, sizeof(tree_proc), "%s/proc", tree_root);
	snprintf(tree_dev, sizeof(tree_dev), "%s/dev", tree_root);
	sysfs_root = tree_sys;
	procfs_root = tree_proc;
	devfs_root = tree_dev;
	tree_dir("sys");
	tree_dir("dev");
	tree_dir("proc/self");
	return 0;
}

int tree_teardown(void **state)
{
	return remove_all(tree_root);
}

void tree_pci(const char *bdf, const char *class, const char *driver, int group)
{
	autofree char *real = xasprintf("sys/devices/pci0000:00/0000:00:01.0/%s", bdf);
	autofree char *link = xasprintf("sys/bus/pci/devices/%s", bdf);
	autofree char *class_file = xasprintf("%s/class", real);
	autofree char *override = xasprintf("%s/driver_override", real);
	autofree char *driver_link = xasprintf("%s/driver", real);
	autofree char *driver_dir = xasprintf("sys/bus/pci/drivers/%s", driver ? driver : "none");
	autofree char *group_link = xasprintf("%s/iommu_group", real);
	autofree char *group_dir = xasprintf("sys/kernel/iommu_groups/%d", group);
	autofree char *member = xasprintf("%s/devices/%s", group_dir, bdf);

	tree_put(class_file, class);
	tree_put(override, "(null)\n");
	tree_link(link, real);
	if (driver) {
		tree_dir(driver_dir);
		tree_link(driver_link, driver_dir);
	}
	if (group >= 0) {
		tree_link(member, real);
		tree_link(group_link, group_dir);
	}
}
