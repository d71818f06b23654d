// SPDX-License-Identifier: GPL-2.0-only
/*
 * The host's NVMe drive as a rogue: what any real machine has. It does DMA wherever the guest
 * points it (drivers/guest/rogue_nvme.c); its last blocks are overwritten.
 */
#include "bench/devices/vfio.h"
#include "bench/rogue/rogue.h"
#include "harness/boot.h"

#define KIND "nvme"

static int probe(const struct host *host, const struct settings *settings, char **why)
{
	return vfio_probe(host, KIND, why);
}

static int host_setup(struct boot *boot, const struct settings *settings)
{
	return vfio_bind(boot, KIND);
}

static void configure(const struct host *host, const struct settings *settings, enum attach attach,
		      struct vm_config *vm)
{
	vfio_configure(host, KIND, vm);
}

const struct device_ops device_nvme_rogue = {
	.name = "nvme_rogue",
	.help = "the host file's nvme drive, used as a DMA engine that the guest can point "
		"anywhere; its last 128 blocks are overwritten",
	.class = DEVICE_ROGUE,
	.host_kind = KIND,
	.destroys_data = true,
	.except = ATTACH_VFIO_ONLY,
	.probe = probe,
	.host_setup = host_setup,
	.configure = configure,
	.guest_setup = rogue_guest_setup,
};
