// SPDX-License-Identifier: GPL-2.0-only
/* PCI devices of the host, read from sysfs. */
#include "harness/pci.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#include "harness/util.h"

#define RESOURCE_MEMORY 0x200 /* IORESOURCE_MEM of linux/ioport.h */
#define NR_BARS 6

const char *sysfs_root = "/sys";
const char *procfs_root = "/proc";
const char *devfs_root = "/dev";

char *pci_path(const char *bdf, const char *attribute)
{
	return xasprintf("%s/bus/pci/devices/%s/%s", sysfs_root, bdf, attribute);
}

bool pci_address_valid(const char *bdf)
{
	static const char hex[] = "0123456789abcdef";
	static const char *const allowed[] = { hex, hex, hex,  hex, ":", hex,
					       hex, ":", "01", hex, ".", "01234567" };

	if (strlen(bdf) != ARRAY_SIZE(allowed))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(allowed); i++)
		if (!strchr(allowed[i], bdf[i]))
			return false;
	return true;
}

/* Behind a VMD, the kernel counts domains from 10000 on. */
static bool device_exists(const char *bdf)
{
	static const char hex[] = "0123456789abcdef";
	autofree char *path = pci_path(bdf, "");
	size_t domain = strspn(bdf, hex);

	if (domain > 4 && domain <= 8)
		bdf += domain - 4;
	return pci_address_valid(bdf) && file_exists(path);
}

char *pci_driver(const char *bdf)
{
	autofree char *path = pci_path(bdf, "driver");
	char *name = link_name(path);

	if (!name)
		errno = device_exists(bdf) ? 0 : ENODEV;
	return name;
}

char *pci_id(const char *bdf)
{
	autofree char *vendor_path = pci_path(bdf, "vendor"),
		      *device_path = pci_path(bdf, "device");
	autofree char *vendor = file_read_trimmed(vendor_path);
	autofree char *device = file_read_trimmed(device_path);

	return vendor && device ? xasprintf("%s:%s", vendor, device) : NULL;
}

int pci_iommu_group(const char *bdf)
{
	autofree char *path = pci_path(bdf, "iommu_group");
	autofree char *name = link_name(path);
	char *end;
	long group;

	if (!name)
		return device_exists(bdf) ? -ENOENT : -ENODEV;
	errno = 0;
	group = strtol(name, &end, 10);
	if (errno || end == name || *end || group < 0 || group > INT_MAX)
		return -ENOENT;
	return (int)group;
}

uint64_t pci_bar_bytes(const char *bdf)
{
	autofree char *path = pci_path(bdf, "resource");
	autofree char *text = file_read(path, NULL);
	char *save = NULL, *line = text ? strtok_r(text, "\n", &save) : NULL;
	uint64_t total = 0;

	/* After the BARs come the expansion ROM, SR-IOV and bridge windows. */
	for (int i = 0; line && i < NR_BARS; i++, line = strtok_r(NULL, "\n", &save)) {
		unsigned long long start, end, flags;
		char *p = line;

		start = strtoull(p, &p, 16);
		end = strtoull(p, &p, 16);
		flags = strtoull(p, &p, 16);
		if ((flags & RESOURCE_MEMORY) && end > start)
			total += end - start + 1;
	}
	return total;
}
