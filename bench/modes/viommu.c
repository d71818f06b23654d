// SPDX-License-Identifier: GPL-2.0-only
/*
 * QEMU's emulated VT-d: strict, deferred (lazy) and passthrough. Linux refuses deferred
 * invalidation on its own where caching-mode shows that the IOMMU is emulated, so lazy is
 * switched on by the group's type, before the device's driver is there.
 */
#include <errno.h>
#include <string.h>

#include "bench/mode.h"
#include "bench/modes/proof.h"
#include "bench/modes/reach.h"
#include "harness/boot.h"
#include "harness/proc.h"
#include "harness/util.h"

static void configure_with(struct vm_config *vm, const char *domain)
{
	strlist_add(&vm->args, "-device");
	strlist_add(&vm->args, "intel-iommu,intremap=on,caching-mode=on");
	strlist_add(&vm->cmdline, "intel_iommu=on");
	strlist_add(&vm->cmdline, domain);
}

static void configure_translated(const struct settings *settings, struct vm_config *vm)
{
	configure_with(vm, "iommu=nopt");
	strlist_add(&vm->cmdline, "iommu.strict=1");
}

static void configure_pt(const struct settings *settings, struct vm_config *vm)
{
	configure_with(vm, "iommu=pt");
}

/*
 * The guest translates: what is pinned is what it mapped. A quarter of its memory is no
 * expectation, just far away from all of it.
 */
static int prove_translated(struct boot *boot, const char *type, json_t *proof)
{
	unsigned long long pinned = proc_locked_bytes(boot->vm->proc.pid);
	int ret = proof_guest_group_type(boot, type, proof);

	json_object_set_new(proof, "host.pinned_bytes", json_integer((json_int_t)pinned));
	if (!ret && pinned > boot_guest_bytes(boot) / 4)
		ret = boot_fail(boot, -EPROTO, "%s are pinned: the guest does not translate",
				human_bytes((double)pinned));
	return ret;
}

static int prove_strict(struct boot *boot, const struct settings *settings, json_t *proof)
{
	return prove_translated(boot, "DMA", proof);
}

static int switch_to_lazy(struct boot *boot, const struct settings *settings)
{
	return guest_group_type(boot, "DMA-FQ");
}

static int prove_lazy(struct boot *boot, const struct settings *settings, json_t *proof)
{
	return prove_translated(boot, "DMA-FQ", proof);
}

static int prove_pt(struct boot *boot, const struct settings *settings, json_t *proof)
{
	unsigned long long pinned = proc_locked_bytes(boot->vm->proc.pid);
	int ret = proof_guest_group_type(boot, "identity", proof);

	json_object_set_new(proof, "host.pinned_bytes", json_integer((json_int_t)pinned));
	if (!ret && pinned < boot_guest_bytes(boot))
		ret = boot_fail(boot, -EPROTO, "only %s are pinned in passthrough",
				human_bytes((double)pinned));
	return ret;
}

const struct mode_ops mode_viommu_strict = {
	.name = "viommu-strict",
	.help = "emulated VT-d in the guest, every unmap invalidates at once",
	.guest_iommu = GUEST_IOMMU_TRANSLATES,
	.reach = reach_mapped,
	.configure = configure_translated,
	.prove = prove_strict,
};

const struct mode_ops mode_viommu_lazy = {
	.name = "viommu-lazy",
	.help = "emulated VT-d in the guest, deferred invalidation (group type DMA-FQ)",
	.guest_iommu = GUEST_IOMMU_TRANSLATES,
	.reach = reach_stale,
	.configure = configure_translated,
	.guest_setup = switch_to_lazy,
	.prove = prove_lazy,
};

const struct mode_ops mode_viommu_pt = {
	.name = "viommu-pt",
	.help = "emulated VT-d in the guest, passthrough: present but not translating",
	.guest_iommu = GUEST_IOMMU_PASSTHROUGH,
	.reach = reach_all,
	.configure = configure_pt,
	.prove = prove_pt,
};
