// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tracking and remapping in one guest: it has an emulated VT-d beside coIOMMU's driver. Devices
 * that it trusts pass the IOMMU and are tracked; those it does not trust are remapped, and what
 * the guest maps for them is what QEMU pins. The group's type chooses, before the driver is there.
 */
#include <errno.h>
#include <string.h>

#include "bench/coiommu.h"
#include "bench/mode.h"
#include "bench/modes/coiommu.h"
#include "bench/modes/proof.h"
#include "harness/boot.h"
#include "harness/proc.h"
#include "harness/util.h"

static const struct setting settings_table[] = {
	{ "untrusted", SETTING_BOOL, "no", NULL, 0, 0,
	  "the device is one of those that are remapped" },
	{ 0 },
};

static void configure(const struct settings *settings, struct vm_config *vm)
{
	coiommu_preload(vm);
	strlist_add(&vm->args, "-device");
	strlist_add(&vm->args, "intel-iommu,intremap=on,caching-mode=on");
	strlist_add(&vm->cmdline, "intel_iommu=on");
	strlist_add(&vm->cmdline, "iommu=pt");
	strlist_add(&vm->cmdline, "iommu.strict=1");
}

static int guest_setup(struct boot *boot, const struct settings *settings)
{
	int ret = coiommu_guest_setup(boot, settings);

	if (ret || !settings_bool(settings, "untrusted"))
		return ret;
	return guest_group_type(boot, "DMA");
}

/* Translated, hence not tracked; a part of the guest's memory is pinned, never all of it. */
static int prove_remapped(struct boot *boot, json_t *proof)
{
	unsigned long long pinned = proc_locked_bytes(boot->vm->proc.pid);
	autofree char *devices = NULL;
	int ret = proof_guest_group_type(boot, "DMA", proof);

	if (!ret)
		ret = guest_read(boot->vm->guest, COIOMMU_DEBUGFS "/devices", &devices);
	if (ret)
		return ret;
	json_object_set_new(proof, "guest." COIOMMU_DEBUGFS "/devices", json_string(devices));
	json_object_set_new(proof, "host.pinned_bytes", json_integer((json_int_t)pinned));
	if (strstr(devices, BOOT_DEVICE_BDF))
		return boot_fail(boot, -EPROTO, "the guest tracks the device and remaps it, too");
	if (!pinned || pinned > boot_guest_bytes(boot) / 4)
		return boot_fail(boot, -EPROTO, "%s are pinned: that is not what the guest maps",
				 human_bytes((double)pinned));
	return 0;
}

static int prove(struct boot *boot, const struct settings *settings, json_t *proof)
{
	int ret;

	if (settings_bool(settings, "untrusted"))
		return prove_remapped(boot, proof);
	ret = proof_guest_group_type(boot, "identity", proof);
	return ret ? ret : coiommu_prove_tracking(boot, proof);
}

static enum reach reach(const struct settings *settings)
{
	return settings_bool(settings, "untrusted") ? REACH_MAPPED : REACH_STALE;
}

const struct mode_ops mode_coiommu_viommu = {
	.name = "coiommu-viommu",
	.help = "coIOMMU's tracking, and an emulated VT-d that remaps the devices not trusted",
	.settings = settings_table,
	.guest_iommu = GUEST_IOMMU_PASSTHROUGH,
	.reach = reach,
	.host_writes = coiommu_host_writes,
	.configure = configure,
	.guest_setup = guest_setup,
	.prove = prove,
};
