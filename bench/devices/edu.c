// SPDX-License-Identifier: GPL-2.0-only
/*
 * QEMU's teaching device: a DMA engine that the guest can point anywhere (drivers/guest/
 * rogue_main.c). On a host that is itself a VM, as the virtual lab is; no real machine has one.
 */
#include <errno.h>

#include "bench/devices/vfio.h"
#include "bench/rogue/rogue.h"
#include "harness/boot.h"
#include "harness/util.h"

static int probe(const struct host *host, const struct settings *settings, char **why)
{
	return vfio_probe(host, "edu", why);
}

static int host_setup(struct boot *boot, const struct settings *settings)
{
	return vfio_bind(boot, "edu");
}

static void configure(const struct host *host, const struct settings *settings, enum attach attach,
		      struct vm_config *vm)
{
	vfio_configure(host, "edu", vm);
}

static int guest_setup(struct boot *boot, const struct settings *settings)
{
	char *const argv[] = { (char *)"modprobe", (char *)"rogue", NULL };
	autofree char *pages = NULL;
	int ret = guest_run(boot->vm->guest, argv, 30, NULL);

	if (ret == -EREMOTEIO)
		return boot_fail(boot, ret, "the guest has no module rogue for its kernel");
	if (!ret)
		ret = guest_read(boot->vm->guest, ROGUE_DEBUGFS "/pages", &pages);
	if (!ret && !*pages)
		ret = boot_fail(boot, -ENODEV, "the guest's driver has not bound the device");
	return ret;
}

const struct device_ops device_edu = {
	.name = "edu",
	.help = "QEMU's edu device, a DMA engine that the guest can point anywhere",
	.class = DEVICE_ROGUE,
	.except = ATTACH_VFIO_ONLY,
	.probe = probe,
	.host_setup = host_setup,
	.configure = configure,
	.guest_setup = guest_setup,
};
