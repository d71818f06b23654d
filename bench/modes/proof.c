// SPDX-License-Identifier: GPL-2.0-only
/* What several modes read back to prove that they are active. */
#include "bench/modes/proof.h"

#include <errno.h>
#include <string.h>

#include "harness/boot.h"
#include "harness/util.h"

#define GROUP_TYPE "/sys/bus/pci/devices/" BOOT_DEVICE_BDF "/iommu_group/type"

int proof_no_guest_iommu(struct boot *boot, json_t *proof)
{
	autofree char *list = NULL;
	char *const argv[] = { (char *)"ls", (char *)"/sys/class/iommu", NULL };
	int ret = guest_run(boot->vm->guest, argv, 30, &list);

	if (ret)
		return ret;
	json_object_set_new(proof, "guest./sys/class/iommu", json_string(list));
	if (*list)
		return boot_fail(boot, -EPROTO, "the guest runs an IOMMU: %s", list);
	return 0;
}

int guest_group_type(struct boot *boot, const char *type)
{
	int ret = guest_write(boot->vm->guest, GROUP_TYPE, type);

	return ret ? boot_fail(boot, ret, "the guest refuses group type %s: %s", type,
			       strerror(-ret))
		   : 0;
}

int proof_guest_group_type(struct boot *boot, const char *type, json_t *proof)
{
	autofree char *found = NULL;
	int ret = guest_read(boot->vm->guest, GROUP_TYPE, &found);

	json_object_set_new(proof, "guest." GROUP_TYPE, ret ? json_null() : json_string(found));
	if (ret == -ENOENT)
		return boot_fail(boot, -EPROTO, "the device is in no IOMMU group in the guest");
	if (ret)
		return ret;
	if (strcmp(found, type) != 0)
		return boot_fail(boot, -EPROTO, "the device's IOMMU group type is %s, not %s",
				 found, type);
	return 0;
}
