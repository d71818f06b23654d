// SPDX-License-Identifier: GPL-2.0-only
/*
 * The paravirtual IOMMU of QEMU. Without bypass at boot nothing is mapped, and so nothing pinned,
 * until the guest maps it. Needs a guest kernel with the driver: make images-newer.
 */
#include <errno.h>
#include <string.h>

#include "bench/mode.h"
#include "bench/modes/proof.h"
#include "harness/boot.h"
#include "harness/proc.h"
#include "harness/util.h"

#define IOMMU "/sys/bus/pci/devices/" BOOT_DEVICE_BDF "/iommu"

static const char *const invalidate_choices[] = { "strict", "lazy", NULL };

static const struct setting settings_table[] = {
	{ "invalidate", SETTING_CHOICE, "strict", invalidate_choices, 0, 0,
	  "with every unmap, or deferred (group type DMA-FQ)" },
	{ 0 },
};

static bool is_lazy(const struct settings *settings)
{
	return !strcmp(settings_text(settings, "invalidate"), "lazy");
}

static int probe(const struct host *host, const struct settings *settings, char **why)
{
	autofree char *image = xasprintf("%s/images-newer/guest.erofs", host->build_dir);

	if (file_exists(image))
		return 0;
	*why = xasprintf("%s is missing, a guest whose kernel has the driver: run "
			 "'make images-newer'",
			 image);
	return -ENOENT;
}

static void configure(const struct settings *settings, struct vm_config *vm)
{
	vm_config_images(vm, "-newer");
	strlist_add(&vm->args, "-device");
	strlist_add(&vm->args, "virtio-iommu-pci,boot-bypass=off,addr=0x4");
	strlist_addf(&vm->cmdline, "iommu.strict=%d", !is_lazy(settings));
	strlist_add(&vm->cmdline, "iommu.passthrough=0");
}

static int prove(struct boot *boot, const struct settings *settings, json_t *proof)
{
	unsigned long long pinned = proc_locked_bytes(boot->vm->proc.pid);
	char *const argv[] = { (char *)"readlink", (char *)"-f", (char *)IOMMU, NULL };
	autofree char *iommu = NULL, *kernel = NULL;
	int ret = proof_guest_group_type(boot, is_lazy(settings) ? "DMA-FQ" : "DMA", proof);

	if (!ret)
		ret = guest_run(boot->vm->guest, argv, 30, &iommu);
	if (!ret) /* not the other modes' guest kernel: let it be seen */
		ret = guest_read(boot->vm->guest, "/proc/sys/kernel/osrelease", &kernel);
	if (ret)
		return ret;
	iommu[strcspn(iommu, "\n")] = '\0';
	json_object_set_new(proof, "guest." IOMMU, json_string(iommu));
	json_object_set_new(proof, "guest.kernel", json_string(kernel));
	json_object_set_new(proof, "host.pinned_bytes", json_integer((json_int_t)pinned));
	if (!strstr(iommu, "/virtio"))
		return boot_fail(boot, -EPROTO, "the device's IOMMU is %s, not the paravirtual one",
				 iommu);
	if (!pinned || pinned > boot_guest_bytes(boot) / 4)
		return boot_fail(boot, -EPROTO, "%s are pinned: that is not what the guest maps",
				 human_bytes((double)pinned));
	return 0;
}

static enum reach reach(const struct settings *settings)
{
	return is_lazy(settings) ? REACH_STALE : REACH_MAPPED;
}

const struct mode_ops mode_virtio_iommu = {
	.name = "virtio-iommu",
	.help = "QEMU's paravirtual IOMMU, no bypass at boot (make images-newer)",
	.settings = settings_table,
	.guest_iommu = GUEST_IOMMU_TRANSLATES,
	.reach = reach,
	.probe = probe,
	.configure = configure,
	.prove = prove,
};
