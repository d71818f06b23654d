// SPDX-License-Identifier: GPL-2.0-only
/*
 * QEMU's teaching device: a DMA engine that the guest can point anywhere (drivers/guest/
 * rogue_edu.c). On a host that is itself a VM, as the virtual lab is; no real machine has one.
 */
#include "bench/devices/vfio.h"
#include "bench/rogue/rogue.h"
#include "harness/boot.h"

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

const struct device_ops device_edu = {
	.name = "edu",
	.help = "QEMU's edu device, a DMA engine that the guest can point anywhere",
	.class = DEVICE_ROGUE,
	.except = ATTACH_VFIO_ONLY,
	.probe = probe,
	.host_setup = host_setup,
	.configure = configure,
	.guest_setup = rogue_guest_setup,
};
