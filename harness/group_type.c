// SPDX-License-Identifier: GPL-2.0-only
/* The type of a device's IOMMU group (Documentation/ABI/testing/sysfs-kernel-iommu_groups). */
#include "harness/group_type.h"

#include <errno.h>
#include <string.h>

#include "harness/change.h"
#include "harness/journal_record.h"
#include "harness/log.h"
#include "harness/pci.h"
#include "harness/rebind.h"
#include "harness/util.h"

static char *type_path(const char *bdf)
{
	return xasprintf("%s/bus/pci/devices/%s/iommu_group/type", sysfs_root, bdf);
}

char *group_type_read(const char *bdf)
{
	autofree char *path = type_path(bdf);

	return file_read_trimmed(path);
}

static int switch_without_driver(const struct rebind *none, const char *type)
{
	autofree char *path = type_path(none->bdf), *now = group_type_read(none->bdf);
	int ret = rebind(none);

	if (ret || (now && !strcmp(now, type)))
		return ret;
	ret = attribute_write(path, type);
	if (ret)
		log_err("%s: the kernel refuses group type %s: %s", none->bdf, type,
			strerror(-ret));
	return ret;
}

int group_type_set(const char *bdf, const char *type, const char *driver, int lock_fd)
{
	autofree char *override = rebind_override(bdf);
	struct rebind to = { .bdf = bdf, .override = override, .lock_fd = lock_fd };
	int ret = switch_without_driver(&to, type), back;

	if (ret == -ETIMEDOUT)
		return ret;
	to.driver = driver;
	back = rebind(&to);
	return ret ? ret : back;
}

int journal_group_type(struct journal *journal, const char *bdf, const char *type)
{
	autofree char *old = group_type_read(bdf), *driver = pci_driver(bdf);
	int ret;

	if (!old) {
		log_err("%s: its IOMMU group has no type", bdf);
		return -ENOENT;
	}
	ret = journal_add_record(journal, json_pack("{s:s, s:s, s:s, s:s?}", "kind", "group_type",
						    "bdf", bdf, "old", old, "driver", driver));
	if (ret)
		return ret;
	log_debug("%s: group type %s -> %s", bdf, old, type);
	ret = group_type_set(bdf, type, driver, journal_lock_fd(journal));
	if (ret)
		journal_roll_back(journal, ret == -ETIMEDOUT);
	return ret;
}
