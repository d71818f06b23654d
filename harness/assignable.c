// SPDX-License-Identifier: GPL-2.0-only
/* May a PCI device be taken from the host and given to a guest? One decision for all who ask. */
#include <errno.h>
#include <string.h>

#include "harness/pci.h"
#include "harness/util.h"

static bool class_is(const char *bdf, const char *prefix)
{
	autofree char *path = pci_path(bdf, "class");
	autofree char *class = file_read_trimmed(path);

	return class && !strncmp(class, prefix, strlen(prefix));
}

/* One that has a bus behind it: VFIO does not take it, and may share a group with it. */
static bool is_bridge(const char *bdf)
{
	return class_is(bdf, "0x0604") || class_is(bdf, "0x0609");
}

static char *class_use(const char *bdf)
{
	if (is_bridge(bdf))
		return xstrdup("it is a PCI bridge, which VFIO does not take: name the device "
			       "behind it");
	/* Of the other kinds, 80 is what fits nowhere else: switches between GPUs and the like. */
	if ((class_is(bdf, "0x06") && !class_is(bdf, "0x0680")) || class_is(bdf, "0x0806") ||
	    class_is(bdf, "0x0807"))
		return xstrdup("it is a bridge or an IOMMU, a part of the machine itself: name a "
			       "device");
	return NULL;
}

/* Behind VFIO's stand-in for an IOMMU, a guest's device reaches all memory. */
static char *group_missing(const char *bdf, int group)
{
	autofree char *path = pci_path(bdf, "iommu_group/name");
	autofree char *name = file_read_trimmed(path);

	if (group < 0)
		return xstrdup("it has no IOMMU group: enable VT-d or AMD-Vi in the firmware and "
			       "boot with intel_iommu=on");
	if (name && !strcmp(name, PCI_NOIOMMU))
		return xstrdup("VFIO gave it a group without an IOMMU (no-IOMMU mode): enable VT-d "
			       "or AMD-Vi in the firmware and boot with intel_iommu=on");
	return NULL;
}

/* Taking the physical function from its driver takes its virtual functions, too. */
static char *function_use(const char *bdf)
{
	autofree char *path = pci_path(bdf, "sriov_numvfs");
	autofree char *nr = file_read_trimmed(path);

	if (nr && strcmp(nr, "0") != 0)
		return xasprintf("it has %s virtual functions: echo 0 > %s", nr, path);
	return NULL;
}

/* Does nothing with the device but keep it for guests. */
static bool is_stub(const char *driver)
{
	size_t len = strlen(driver);
	const char *end = len >= 8 ? driver + len - 8 : "";

	return !strcmp(driver, "pci-stub") || !strcmp(end, "vfio-pci") ||
	       !strcmp(end, "vfio_pci"); /* mlx5_vfio_pci ... */
}

/*
 * Those the kernel lets share a group with a guest (driver_managed_dma, since 5.18): they use no
 * DMA of their own. shpchp, another driver of bridges, is not among them.
 */
static bool may_share(const char *driver)
{
	return is_stub(driver) || !strcmp(driver, "pcieport");
}

/* The host's console; one that was given to a stub at boot is none. */
static char *console_use(const char *bdf)
{
	autofree char *path = pci_path(bdf, "boot_vga");
	autofree char *boot = file_read_trimmed(path), *driver = pci_driver(bdf);

	if (!boot || strcmp(boot, "1") != 0 || (driver && is_stub(driver)))
		return NULL;
	return xstrdup("it is the host's console (boot VGA): make another GPU the primary one in "
		       "the firmware, or give it to vfio-pci at boot (vfio-pci.ids=)");
}

/* The kernel lets VFIO have a group only if nobody else does DMA in it: it must be viable. */
static char *group_use(const char *bdf, int group, const struct strlist *with)
{
	autofree char *path = pci_path(bdf, "iommu_group/devices");
	autolist struct strlist names = { 0 };

	dir_names(path, &names);
	for (size_t i = 0; i < names.nr; i++) {
		const char *other = names.items[i];
		/* Not all are PCI devices. */
		autofree char *link = xasprintf("%s/%s/driver", path, other);
		autofree char *driver = link_name(link);

		if (!strcmp(other, bdf) || !driver || may_share(driver) ||
		    (with && strlist_has(with, other)))
			continue;
		return xasprintf("%s in its IOMMU group %d is bound to %s: if the host can do "
				 "without it, echo %s > %s/kernel/iommu_groups/%d/devices/%s/"
				 "driver/unbind, or name it under 'with' in the host file",
				 other, group, driver, other, sysfs_root, group, other);
	}
	return NULL;
}

/*
 * Memory that the firmware wants one of the group to reach untranslated (RMRR): the kernel gives
 * such a device to no guest. "direct-relaxable" is what it does without.
 */
static char *reserved_use(const char *bdf, int group)
{
	autofree char *path = pci_path(bdf, "iommu_group/reserved_regions");
	autofree char *text = file_read_trimmed(path);
	char *save = NULL;

	for (char *line = text ? strtok_r(text, "\n", &save) : NULL; line;
	     line = strtok_r(NULL, "\n", &save)) {
		const char *type = strrchr(line, ' ');

		if (type && !strcmp(type, " direct"))
			return xasprintf("the firmware keeps memory for its IOMMU group %d (RMRR), "
					 "so that the kernel gives it to no guest: switch off what "
					 "uses it (shared memory of the board's management, legacy "
					 "USB) in the firmware",
					 group);
	}
	return NULL;
}

/* Devices whose errata let a guest harm the host: vfio-pci does not take them. */
static char *denied(const char *bdf)
{
	static const char *const ids[] = { "0x8086:0x0435", "0x8086:0x0443", "0x8086:0x0b25",
					   "0x8086:0x0cfe", "0x8086:0x19e2", "0x8086:0x19e3",
					   "0x8086:0x37c8", "0x8086:0x37c9" };
	autofree char *path =
		xasprintf("%s/module/vfio_pci/parameters/disable_denylist", sysfs_root);
	autofree char *allowed = file_read_trimmed(path), *id = pci_id(bdf);
	autofree char *driver = pci_driver(bdf);

	if ((allowed && !strcmp(allowed, "Y")) || (driver && is_stub(driver)))
		return NULL;
	for (size_t i = 0; id && i < ARRAY_SIZE(ids); i++)
		if (!strcmp(id, ids[i]))
			return xstrdup("vfio-pci does not take it (denylist: its errata let a "
				       "guest harm the host): if you trust the guest, echo "
				       "options vfio-pci disable_denylist=1 > "
				       "/etc/modprobe.d/vfio-pci.conf and load it anew");
	return NULL;
}

static char *driver_missing(void)
{
	autofree char *path = xasprintf("%s/bus/pci/drivers/vfio-pci", sysfs_root);

	return file_exists(path) ? NULL : xstrdup("vfio-pci is not loaded: modprobe vfio-pci");
}

/* What the host does with the device itself. */
static char *host_use(const char *bdf)
{
	char *why = function_use(bdf);

	if (!why)
		why = pci_block_use(bdf);
	if (!why)
		why = pci_share_use(bdf);
	if (!why)
		why = pci_net_use(bdf);
	return why ? why : console_use(bdf);
}

/* Each that is to be taken with it. */
static char *companion_use(int group, const struct strlist *with)
{
	for (size_t i = 0; with && i < with->nr; i++) {
		const char *other = with->items[i];
		autofree char *why = class_use(other);

		if (pci_iommu_group(other) != group)
			return xasprintf("%s is not in its IOMMU group %d: remove it from 'with'",
					 other, group);
		if (!why)
			why = host_use(other);
		if (why)
			return xasprintf("%s, to be taken with it: %s", other, why);
	}
	return NULL;
}

int pci_assignable_with(const char *bdf, const struct strlist *with, char **why)
{
	int group = pci_iommu_group(bdf);

	*why = NULL;
	if (group == -ENODEV) {
		*why = xstrdup("there is no such PCI device: lspci -D lists those there are");
		return -ENODEV;
	}
	*why = class_use(bdf);
	if (*why)
		return -EBUSY;
	*why = group_missing(bdf, group);
	if (*why)
		return -ENOENT;
	*why = host_use(bdf);
	if (!*why)
		*why = denied(bdf);
	if (!*why)
		*why = reserved_use(bdf, group);
	if (!*why)
		*why = companion_use(group, with);
	if (!*why)
		*why = group_use(bdf, group, with);
	if (*why)
		return -EBUSY;
	*why = driver_missing();
	return *why ? -ENOENT : 0;
}

int pci_assignable(const char *bdf, char **why)
{
	return pci_assignable_with(bdf, NULL, why);
}

char *pci_reset_methods(const char *bdf)
{
	autofree char *methods_path = pci_path(bdf, "reset_method");
	autofree char *reset_path = pci_path(bdf, "reset");
	char *methods = file_read_trimmed(methods_path);

	if (methods && *methods)
		return methods;
	free(methods);
	/* Kernels before 5.15 do not say which. */
	return file_exists(reset_path) && !file_exists(methods_path) ? xstrdup("unnamed") : NULL;
}

char *pci_caution(const char *bdf)
{
	autofree char *methods = pci_reset_methods(bdf);

	if (methods)
		return NULL;
	return xstrdup("it has no reset: what a guest leaves in it, the next one and the host "
		       "find there: after use, reboot the host before you trust it again");
}

char *pci_split_why(char *why)
{
	char *colon, *split = NULL;

	for (colon = strstr(why, ": "); colon; colon = strstr(colon + 1, ": "))
		split = colon;
	if (!split)
		return NULL;
	*split = '\0';
	return split + 2;
}
