// SPDX-License-Identifier: GPL-2.0-only
/* Preflight: the IOMMU, and what VFIO makes of it. */
#include <string.h>

#include "harness/check_list.h"
#include "harness/config.h"
#include "harness/groups.h"
#include "harness/pci.h"
#include "harness/util.h"

/* The kernel's own default. Modes that need more raise it themselves. */
#define USUAL_MAPPINGS 65535

/* But those that VFIO makes where there is no IOMMU. */
static void list_groups(struct strlist *groups)
{
	autofree char *path = xasprintf("%s/kernel/iommu_groups", sysfs_root);
	autolist struct strlist names = { 0 };

	dir_names(path, &names);
	for (size_t i = 0; i < names.nr; i++) {
		autofree char *file = xasprintf("%s/%s/name", path, names.items[i]);
		autofree char *name = file_read_trimmed(file);

		if (!name || strcmp(name, PCI_NOIOMMU) != 0)
			strlist_add(groups, names.items[i]);
	}
}

void check_iommu(const struct check_args *args)
{
	autolist struct strlist groups = { 0 };

	list_groups(&groups);
	if (groups.nr)
		check_ok(args, xasprintf("%zu groups", groups.nr));
	else
		check_fail(args, xstrdup("no IOMMU groups"),
			   xstrdup("enable VT-d or AMD-Vi in the firmware and boot with "
				   "intel_iommu=on"));
}

/* The first port that stays with the host and has its DMA translated, or NULL. */
static const struct host_device *translated_peer(const struct host *host, char **type)
{
	for (size_t i = 0; host && i < host->nr_devices; i++) {
		const struct host_device *device = &host->devices[i];

		free(*type);
		*type = device->peer ? groups_type(pci_iommu_group(device->peer)) : NULL;
		if (*type && strcmp(*type, "identity") != 0)
			return device;
	}
	return NULL;
}

/* "5 identity, 2 DMA-FQ": default domains and how many groups have each; to free. */
static char *count_types(const struct strlist *groups)
{
	autolist struct strlist types = { 0 };
	struct strbuf sb = { 0 };

	for (size_t i = 0; i < groups->nr; i++) {
		autofree char *type = groups_type((int)strtol(groups->items[i], NULL, 10));

		strlist_add(&types, type ? type : "unknown");
	}
	for (size_t i = 0; i < types.nr; i++) {
		size_t nr = 0, before = 0;

		for (size_t k = 0; k < types.nr; k++) {
			bool same = !strcmp(types.items[k], types.items[i]);

			nr += same;
			before += same && k < i;
		}
		if (!before)
			strbuf_addf(&sb, "%s%zu %s", sb.len ? ", " : "", nr, types.items[i]);
	}
	return sb.data;
}

/* What the host's own drivers pay: guests have domains of their own. */
void check_domain(const struct check_args *args)
{
	autolist struct strlist groups = { 0 };
	autofree char *type = NULL, *all = NULL;
	const struct host_device *device = translated_peer(args->host, &type);

	list_groups(&groups);
	all = count_types(&groups);
	if (!all)
		return; /* the check before this one has said it */
	if (device)
		check_warn(args,
			   xasprintf("%s; the host's end of %s pays for translation (%s)", all,
				     device->kind, type),
			   xstrdup("boot with iommu=pt"));
	else
		check_ok(args, xasprintf("default domains: %s", all));
}

/* The kernel names interrupt chips IR-... where the IOMMU remaps them. */
void check_remapping(const struct check_args *args)
{
	autofree char *text = check_read(procfs_root, "interrupts");
	autofree char *unsafe = check_read(
		sysfs_root, "module/vfio_iommu_type1/parameters/allow_unsafe_interrupts");

	if (!text)
		check_warn(args, xstrdup("/proc/interrupts cannot be read"),
			   xstrdup("run as root"));
	else if (strstr(text, " IR-"))
		check_ok(args, xstrdup("interrupts are remapped"));
	else if (unsafe && *unsafe == 'Y')
		check_warn(args,
			   xstrdup("interrupts are not remapped, and VFIO is told to bear it: a "
				   "guest's device can raise any of them"),
			   xstrdup("enable interrupt remapping (x2APIC) in the firmware, and boot "
				   "without intremap=off"));
	else
		check_fail(args, xstrdup("interrupts are not remapped, so that VFIO refuses"),
			   xstrdup("enable interrupt remapping (x2APIC) in the firmware and boot "
				   "without intremap=off; or, if you trust every guest, modprobe "
				   "vfio_iommu_type1 allow_unsafe_interrupts=1"));
}

void check_vfio(const struct check_args *args)
{
	bool node = check_exists(devfs_root, "vfio/vfio");
	bool driver = check_exists(sysfs_root, "bus/pci/drivers/vfio-pci");

	if (!driver)
		check_fail(args, xstrdup("driver vfio-pci is not loaded"),
			   xstrdup("modprobe vfio-pci"));
	else if (!node)
		check_fail(args, xstrdup("there is no /dev/vfio/vfio"), xstrdup("modprobe vfio"));
	else
		check_ok(args, xasprintf("vfio-pci loaded%s",
					 check_exists(devfs_root, "iommu") ? ", iommufd" : ""));
}

void check_mappings(const struct check_args *args)
{
	autofree char *limit =
		check_read(sysfs_root, "module/vfio_iommu_type1/parameters/dma_entry_limit");
	unsigned long long mappings = limit ? strtoull(limit, NULL, 10) : 0;

	if (!limit)
		check_warn(args, xstrdup("VFIO's limit of mappings is not to be seen"),
			   xstrdup("modprobe vfio_iommu_type1"));
	else if (mappings < USUAL_MAPPINGS)
		check_warn(args,
			   xasprintf("a VM can have %llu mappings: guests under a vIOMMU may fail",
				     mappings),
			   xasprintf("echo %d > %s/module/vfio_iommu_type1/parameters/"
				     "dma_entry_limit",
				     USUAL_MAPPINGS, sysfs_root));
	else
		check_ok(args, xasprintf("dma_entry_limit %llu", mappings));
}
