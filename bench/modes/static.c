// SPDX-License-Identifier: GPL-2.0-only
/* Static pinning: an assigned device without any IOMMU in the guest; 4 KiB pages. */
#include <errno.h>

#include "bench/mode.h"
#include "bench/modes/proof.h"
#include "harness/boot.h"
#include "harness/proc.h"
#include "harness/util.h"

static int prove(struct boot *boot, const struct settings *settings, json_t *proof)
{
	unsigned long long pinned = proc_locked_bytes(boot->vm->proc.pid);
	int ret = proof_no_guest_iommu(boot, proof);

	json_object_set_new(proof, "host.pinned_bytes", json_integer((json_int_t)pinned));
	if (!ret && pinned < boot->guest_config->memory_bytes)
		ret = boot_fail(boot, -EPROTO, "only %s of %s guest memory are pinned",
				human_bytes((double)pinned),
				human_bytes((double)boot->guest_config->memory_bytes));
	return ret;
}

const struct mode_ops mode_static = {
	.name = "static",
	.help = "no vIOMMU: all guest memory pinned at start, 4 KiB pages",
	.prove = prove,
};
