// SPDX-License-Identifier: GPL-2.0-only
/* A GPU with a display, assigned. In the lab it is QEMU's virtio GPU. */
#include <string.h>

#include "bench/devices/vfio.h"
#include "harness/boot.h"

#define DEVICE "/sys/bus/pci/devices/" BOOT_DEVICE_BDF

static int probe(const struct host *host, const struct settings *settings, char **why)
{
	return vfio_probe(host, "gpu", why);
}

static int host_setup(struct boot *boot, const struct settings *settings)
{
	return vfio_bind(boot, "gpu");
}

static void configure(const struct host *host, const struct settings *settings, enum attach attach,
		      struct vm_config *vm)
{
	vfio_configure(host, "gpu", vm);
}

/* The guest's root is on virtio, whose driver takes a virtio GPU, too, as soon as it is there. */
static int guest_release(struct boot *boot)
{
	return boot_guest_script(boot,
				 "test ! -e " DEVICE "/driver || "
				 "echo " BOOT_DEVICE_BDF " >" DEVICE "/driver/unbind",
				 "sh", "the guest's driver does not let go of the GPU");
}

/* A virtio GPU's driver is that of the virtio device, which virtio's PCI driver makes of it. */
static const char script[] =
	"echo " BOOT_DEVICE_BDF " >/sys/bus/pci/drivers_probe; "
	"test -e " DEVICE "/driver || modprobe \"$(cat " DEVICE "/modalias)\" || exit 1; "
	"for virtio in " DEVICE "/virtio*; do "
	"test ! -e $virtio || modprobe \"$(cat $virtio/modalias)\" || exit 1; done; "
	"n=0; until ls -d " DEVICE "/drm/card* " DEVICE "/virtio*/drm/card* 2>/dev/null | "
	"busybox grep -q card; do "
	"n=$((n+1)); test $n -lt 100 || exit 1; busybox usleep 100000; done";

static int guest_setup(struct boot *boot, const struct settings *settings)
{
	return boot_guest_script(boot, script, "sh",
				 "the guest's driver makes no display of this GPU: is it in "
				 "guest_modules in scripts/images.sh?");
}

const struct device_ops device_gpu = {
	.name = "gpu",
	.help = "a GPU with a display, assigned with VFIO",
	.class = DEVICE_GPU,
	.except = ATTACH_VFIO_ONLY,
	.probe = probe,
	.host_setup = host_setup,
	.configure = configure,
	.guest_release = guest_release,
	.guest_setup = guest_setup,
};
