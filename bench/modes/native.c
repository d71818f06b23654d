// SPDX-License-Identifier: GPL-2.0-only
/*
 * No VM: the workload runs on the host, on the host's own driver of the device, whose IOMMU group
 * passes DMA through, or translates it with deferred or strict invalidation.
 */
#include <errno.h>
#include <string.h>

#include "bench/mode.h"
#include "harness/boot.h"
#include "harness/group_type.h"
#include "harness/journal.h"
#include "harness/pci.h"
#include "harness/util.h"

static const char *address_of(const struct boot *boot)
{
	return host_device(boot->host, device_kind(boot->cell->device))->address;
}

/* Each device names its own group: which one it will be, only the boot knows. */
static int probe(const struct host *host, const struct settings *settings, char **why)
{
	autofree char *version = file_read_trimmed("/proc/sys/kernel/osrelease");

	for (size_t i = 0; i < host->nr_devices; i++) {
		autofree char *type = group_type_read(host->devices[i].address);

		if (type)
			return 0;
	}
	*why = xasprintf("no device of the host file has an IOMMU group with a type: boot with the "
			 "IOMMU on and Linux 5.11 or newer (this is %s)",
			 version ? version : "unknown");
	return -EOPNOTSUPP;
}

static int switch_type(struct boot *boot, const char *type)
{
	const char *address = address_of(boot);
	int ret = journal_put_back(boot->journal, address);

	if (ret)
		return boot_fail(boot, ret, "cannot give %s back to the host's driver: %s", address,
				 strerror(-ret));
	ret = journal_group_type(boot->journal, address, type);
	return ret ? boot_fail(boot, ret, "cannot switch the IOMMU group of %s to %s: %s", address,
			       type, strerror(-ret))
		   : 0;
}

static int prove_type(struct boot *boot, const char *type, json_t *proof)
{
	const char *address = address_of(boot);
	autofree char *found = group_type_read(address), *driver = pci_driver(address);

	json_object_set_new(proof, "host.iommu_group/type",
			    found ? json_string(found) : json_null());
	json_object_set_new(proof, "host.driver", driver ? json_string(driver) : json_null());
	if (!found || strcmp(found, type) != 0)
		return boot_fail(boot, -EPROTO, "the IOMMU group of %s is %s, not %s", address,
				 found ? found : "of no type", type);
	if (!driver || !strcmp(driver, "vfio-pci"))
		return boot_fail(boot, -EPROTO, "%s is not with a driver of the host: %s", address,
				 driver ? driver : "it has none");
	return 0;
}

static int setup_identity(struct boot *boot, const struct settings *settings)
{
	return switch_type(boot, "identity");
}

static int prove_identity(struct boot *boot, const struct settings *settings, json_t *proof)
{
	return prove_type(boot, "identity", proof);
}

static int setup_lazy(struct boot *boot, const struct settings *settings)
{
	return switch_type(boot, "DMA-FQ");
}

static int prove_lazy(struct boot *boot, const struct settings *settings, json_t *proof)
{
	return prove_type(boot, "DMA-FQ", proof);
}

static int setup_strict(struct boot *boot, const struct settings *settings)
{
	return switch_type(boot, "DMA");
}

static int prove_strict(struct boot *boot, const struct settings *settings, json_t *proof)
{
	return prove_type(boot, "DMA", proof);
}

const struct mode_ops mode_native_identity = {
	.name = "native-identity",
	.help = "no VM: the host's own driver, IOMMU in passthrough",
	.attach = ATTACH_HOST,
	.host_change = "the device's IOMMU group type: identity",
	.probe = probe,
	.host_setup = setup_identity,
	.prove = prove_identity,
};

const struct mode_ops mode_native_lazy = {
	.name = "native-lazy",
	.help = "no VM: the host's own driver, deferred invalidation (group type DMA-FQ)",
	.attach = ATTACH_HOST,
	.host_change = "the device's IOMMU group type: DMA-FQ",
	.probe = probe,
	.host_setup = setup_lazy,
	.prove = prove_lazy,
};

const struct mode_ops mode_native_strict = {
	.name = "native-strict",
	.help = "no VM: the host's own driver, every unmap invalidates at once",
	.attach = ATTACH_HOST,
	.host_change = "the device's IOMMU group type: DMA",
	.probe = probe,
	.host_setup = setup_strict,
	.prove = prove_strict,
};
