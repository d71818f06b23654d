// SPDX-License-Identifier: GPL-2.0-only
/* What all devices assigned with VFIO share. */
#include "bench/devices/vfio.h"

#include <errno.h>
#include <string.h>

#include "harness/boot.h"
#include "harness/journal.h"
#include "harness/pci.h"
#include "harness/util.h"

int vfio_probe(const struct host *host, const char *kind, char **why)
{
	const struct host_device *device = host_device(host, kind);

	if (device)
		return pci_assignable(device->address, why);
	*why = xasprintf("the host file names no %s device: add 'devices: { %s: \"ADDRESS\" }'",
			 kind, kind);
	return -ENODEV;
}

int vfio_bind(struct boot *boot, const char *kind)
{
	const struct host_device *device = host_device(boot->host, kind);
	autofree char *why = NULL;
	int ret = pci_assignable(device->address, &why);

	if (ret)
		return boot_fail(boot, ret, "%s", why);
	ret = journal_bind(boot->journal, device->address, "vfio-pci");
	if (ret)
		return boot_fail(boot, ret, "cannot bind %s to vfio-pci: %s", device->address,
				 strerror(-ret));
	return 0;
}

void vfio_configure(const struct host *host, const char *kind, struct vm_config *vm)
{
	const struct host_device *device = host_device(host, kind);

	strlist_add(&vm->args, "-device");
	strlist_addf(&vm->args, "vfio-pci,host=%s,id=dut,addr=" BOOT_DEVICE_SLOT "%s",
		     device ? device->address : "ADDRESS",
		     vm->vfio_options ? vm->vfio_options : "");
}
