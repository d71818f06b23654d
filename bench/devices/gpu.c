// SPDX-License-Identifier: GPL-2.0-only
/* A GPU, assigned, mostly with a display. In the lab it is QEMU's virtio GPU. */
#include "bench/devices/gpu.h"

#include <string.h>

#include "bench/devices/vfio.h"
#include "harness/boot.h"

#define IMAGE_SERIAL "image"
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
	const struct host_device *device = host_device(host, "gpu");

	vfio_configure(host, "gpu", vm);
	if (!device || !device->image)
		return;
	strlist_add(&vm->args, "-drive");
	strlist_addf(&vm->args, "file=%s,if=none,id=image,format=raw,readonly=on", device->image);
	strlist_add(&vm->args, "-device");
	strlist_add(&vm->args, "virtio-blk-pci,drive=image,serial=" IMAGE_SERIAL ",addr=0x5");
}

/* The guest's root is on virtio, whose driver takes a virtio GPU, too, as soon as it is there. */
static int guest_release(struct boot *boot)
{
	return boot_guest_script(boot,
				 "test ! -e " DEVICE "/driver || "
				 "echo " BOOT_DEVICE_BDF " >" DEVICE "/driver/unbind",
				 "sh", "the guest's driver does not let go of the GPU");
}

/* With the guest's own devices, and its firmware where the kernel looks for it. */
static const char mount_script[] =
	"cd /sys/block; for disk in vd*; do "
	"test \"$(cat $disk/serial)\" != " IMAGE_SERIAL " || break; done; "
	"test \"$(cat $disk/serial)\" = " IMAGE_SERIAL " && busybox mkdir " GPU_IMAGE_DIR " && "
	"mount -t erofs -o ro /dev/$disk " GPU_IMAGE_DIR " && cd " GPU_IMAGE_DIR " && "
	"mount -o bind /dev dev && mount -o bind /proc proc && mount -o bind /sys sys && "
	"mount -t tmpfs tmpfs tmp && mount -t tmpfs tmpfs run && "
	"busybox mkdir -p /dev/shm && mount -t tmpfs tmpfs dev/shm && "
	"printf %s $PWD/lib/firmware >/sys/module/firmware_class/parameters/path";

static int mount_image(struct boot *boot)
{
	if (!host_device(boot->host, "gpu")->image)
		return 0;
	return boot_guest_script(boot, mount_script, "sh",
				 "the guest cannot use the image that the host file names for the "
				 "GPU: is it one that mkfs.erofs made of a root with the folders "
				 "dev, proc, sys, tmp and run?");
}

/*
 * The guest's own driver, or the image's. A virtio GPU's is that of the virtio device, which
 * virtio's PCI driver makes of it. $0 is "compute" if no display is wanted: there need not be one.
 */
static const char driver_script[] =
	"load() { modprobe \"$1\" || { test -d " GPU_IMAGE_DIR "/lib/modules && "
	"modprobe -d " GPU_IMAGE_DIR " \"$1\"; }; }; "
	"echo " BOOT_DEVICE_BDF " >/sys/bus/pci/drivers_probe; "
	"test -e " DEVICE "/driver || load \"$(cat " DEVICE "/modalias)\" || exit 1; "
	"for virtio in " DEVICE "/virtio*; do "
	"test ! -e $virtio || load \"$(cat $virtio/modalias)\" || exit 1; done; "
	"n=0; until ls -d " DEVICE "/drm/card* " DEVICE "/virtio*/drm/card* 2>/dev/null | "
	"busybox grep -q card; do n=$((n+1)); "
	"if test $n -ge 100; then test $0 = compute && test -e " DEVICE "/driver; exit; fi; "
	"busybox usleep 100000; done";

/* A command of the user's own may compute: what it needs it says itself, if that is not there. */
static int guest_setup(struct boot *boot, const struct settings *settings)
{
	bool compute = host_device(boot->host, "gpu")->command;
	int ret = mount_image(boot);

	if (ret)
		return ret;
	return boot_guest_script(
		boot, driver_script, compute ? "compute" : "display",
		"the guest's driver makes no display of this GPU: is it in "
		"guest_modules in scripts/images.sh, or in the image that the host "
		"file names for it (image: PATH)?");
}

const struct device_ops device_gpu = {
	.name = "gpu",
	.help = "a GPU, assigned with VFIO",
	.class = DEVICE_GPU,
	.except = ATTACH_VFIO_ONLY,
	.probe = probe,
	.host_setup = host_setup,
	.configure = configure,
	.guest_release = guest_release,
	.guest_setup = guest_setup,
};
