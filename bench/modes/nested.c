// SPDX-License-Identifier: GPL-2.0-only
/*
 * VT-d's scalable mode. With nesting hardware the guest's own tables are the first stage, which
 * QEMU hands to the host (iommufd), and all guest memory is pinned for the second stage. Without
 * it QEMU can shadow the guest's tables of scalable mode, too, as it does in viommu-strict.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bench/mode.h"
#include "bench/modes/proof.h"
#include "bench/modes/reach.h"
#include "harness/boot.h"
#include "harness/pci.h"
#include "harness/proc.h"
#include "harness/util.h"

#define ECAP "/sys/bus/pci/devices/" BOOT_DEVICE_BDF "/iommu/intel-iommu/ecap"
/* Extended capabilities of VT-d, by bit. */
enum { ECAP_NEST = 26, ECAP_SCALABLE = 43, ECAP_SECOND_STAGE = 46, ECAP_FIRST_STAGE = 47 };

static const char *const stage_choices[] = { "hardware", "shadow", NULL };

static const struct setting settings_table[] = {
	{ "stages", SETTING_CHOICE, "hardware", stage_choices, 0, 0,
	  "who joins both stages: nesting hardware, or QEMU, which shadows the guest's tables" },
	{ 0 },
};

static bool is_nested(const struct settings *settings)
{
	return !strcmp(settings_text(settings, "stages"), "hardware");
}

static bool ecap_has(const char *ecap, unsigned int bit)
{
	return strtoull(ecap, NULL, 16) >> bit & 1;
}

/* Does this QEMU's device have the property? */
static bool qemu_knows(const char *device, const char *property)
{
	autofree char *question = xasprintf("%s,help", device), *line = NULL, *output = NULL;
	char *const argv[] = { (char *)"qemu-system-x86_64", (char *)"-device", question, NULL };

	line = xasprintf("\n  %s=", property);
	return !proc_run(argv, 30, &output) && strstr(output, line);
}

/* Each device of the host file may be behind another IOMMU; one that nests is enough. */
static bool hardware_nests(const struct host *host)
{
	for (size_t i = 0; i < host->nr_devices; i++) {
		autofree char *path = xasprintf("%s/bus/pci/devices/%s/iommu/intel-iommu/ecap",
						sysfs_root, host->devices[i].address);
		autofree char *ecap = file_read_trimmed(path);

		if (ecap && ecap_has(ecap, ECAP_NEST) && ecap_has(ecap, ECAP_SCALABLE))
			return true;
	}
	return false;
}

static int probe(const struct host *host, const struct settings *settings, char **why)
{
	if (!qemu_knows("intel-iommu", "x-scalable-mode")) {
		*why = xstrdup("this QEMU's intel-iommu has no scalable mode (x-scalable-mode): "
			       "install QEMU 5.0 or newer");
		return -EOPNOTSUPP;
	}
	if (!is_nested(settings))
		return 0;
	if (!hardware_nests(host))
		*why = xstrdup("no device of the host file is behind a VT-d with scalable mode and "
			       "nested translation: that needs other hardware");
	else if (!qemu_knows("intel-iommu", "x-flts"))
		*why = xstrdup("this QEMU's intel-iommu has no first stage (x-flts) for assigned "
			       "devices: install QEMU 11.0 or newer");
	else if (!qemu_knows("vfio-pci", "iommufd") || access("/dev/iommu", R_OK | W_OK))
		*why = xstrdup("no iommufd: boot Linux 6.8 or newer, modprobe iommufd, and install "
			       "a QEMU that is built with it");
	return *why ? -EOPNOTSUPP : 0;
}

static void configure(const struct settings *settings, struct vm_config *vm)
{
	if (is_nested(settings)) {
		strlist_add(&vm->args, "-object");
		strlist_add(&vm->args, "iommufd,id=iommufd0");
		vm->vfio_options = ",iommufd=iommufd0";
	}
	strlist_add(&vm->args, "-device");
	strlist_add(&vm->args, is_nested(settings)
				       ? "intel-iommu,intremap=on,x-scalable-mode=on,x-flts=on"
				       : "intel-iommu,intremap=on,x-scalable-mode=on,"
					 "caching-mode=on");
	strlist_add(&vm->cmdline, "intel_iommu=on,sm_on");
	strlist_add(&vm->cmdline, "iommu=nopt");
	strlist_add(&vm->cmdline, "iommu.strict=1");
}

static int prove_stages(struct boot *boot, bool nested, json_t *proof)
{
	autofree char *ecap = NULL;
	int ret = guest_read(boot->vm->guest, ECAP, &ecap);

	if (ret)
		return boot_fail(boot, -EPROTO, "cannot read " ECAP " in the guest: %s",
				 strerror(-ret));
	json_object_set_new(proof, "guest." ECAP, json_string(ecap));
	if (!ecap_has(ecap, ECAP_SCALABLE))
		return boot_fail(boot, -EPROTO, "the guest's IOMMU has no scalable mode");
	if (ecap_has(ecap, ECAP_FIRST_STAGE) != nested ||
	    ecap_has(ecap, ECAP_SECOND_STAGE) == nested)
		return boot_fail(boot, -EPROTO, "the guest has not the %s stage only",
				 nested ? "first" : "second");
	return 0;
}

/* The second stage holds all of the guest's memory; shadowed, it is what the guest maps. */
static int prove(struct boot *boot, const struct settings *settings, json_t *proof)
{
	unsigned long long pinned = proc_locked_bytes(boot->vm->proc.pid);
	unsigned long long memory = boot_guest_bytes(boot);
	bool nested = is_nested(settings);
	int ret = proof_guest_group_type(boot, "DMA", proof);

	if (!ret)
		ret = prove_stages(boot, nested, proof);
	json_object_set_new(proof, "host.pinned_bytes", json_integer((json_int_t)pinned));
	if (!ret && (nested ? pinned < memory : !pinned || pinned > memory / 4))
		ret = boot_fail(boot, -EPROTO, "%s of %s guest memory are pinned",
				human_bytes((double)pinned), human_bytes((double)memory));
	return ret;
}

const struct mode_ops mode_viommu_nested = {
	.name = "viommu-nested",
	.help = "VT-d's scalable mode: the guest's tables as first stage in hardware (iommufd)",
	.settings = settings_table,
	.guest_iommu = GUEST_IOMMU_TRANSLATES,
	.reach = reach_mapped,
	.probe = probe,
	.configure = configure,
	.prove = prove,
};
