// SPDX-License-Identifier: GPL-2.0-only
/* May a PCI device be taken from the host and given to a guest? One decision for all who ask. */
#include <errno.h>
#include <string.h>

#include "harness/pci.h"
#include "harness/util.h"

#define NOIOMMU "vfio-noiommu" /* the name that VFIO gives groups without an IOMMU */

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
	if (class_is(bdf, "0x06") || class_is(bdf, "0x0806") || class_is(bdf, "0x0807"))
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
	if (name && !strcmp(name, NOIOMMU))
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

/* Drivers that use no DMA of their own: those the kernel lets share a group with a guest. */
static bool is_stub(const char *driver)
{
	size_t len = strlen(driver);

	return !strcmp(driver, "pci-stub") ||
	       (len >= 8 && !strcmp(driver + len - 8, "vfio-pci")); /* mlx5-vfio-pci ... */
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
static char *group_use(const char *bdf, int group)
{
	autofree char *path = pci_path(bdf, "iommu_group/devices");
	autolist struct strlist names = { 0 };

	dir_names(path, &names);
	for (size_t i = 0; i < names.nr; i++) {
		const char *other = names.items[i];
		autofree char *driver = pci_driver(other);

		if (!strcmp(other, bdf) || !driver || is_stub(driver) || is_bridge(other))
			continue;
		return xasprintf("%s in its IOMMU group %d is bound to %s: if the host can do "
				 "without it, echo %s > %s/bus/pci/devices/%s/driver/unbind",
				 other, group, driver, other, sysfs_root, other);
	}
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

int pci_assignable(const char *bdf, char **why)
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
		*why = group_use(bdf, group);
	if (*why)
		return -EBUSY;
	*why = driver_missing();
	return *why ? -ENOENT : 0;
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
