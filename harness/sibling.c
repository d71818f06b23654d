// SPDX-License-Identifier: GPL-2.0-only
/* Further VMs beside a boot's own. */
#include "harness/sibling.h"

#include <errno.h>
#include <string.h>

#include "bench/device.h"
#include "harness/util.h"

static struct sibling *sibling_new(const struct boot *first, const struct host_device *device)
{
	struct sibling *sibling = xzalloc(sizeof(*sibling));

	sibling->host = *first->host;
	sibling->host.devices = (struct host_device *)device;
	sibling->host.nr_devices = device ? 1 : 0;
	/* Its memory is where the first one's is; its vCPUs have no CPUs of their own. */
	if (first->placement)
		sibling->placement = *first->placement;
	sibling->placement.by = PLACEMENT_KERNEL;
	sibling->boot = (struct boot){ .host = &sibling->host,
				       .journal = first->journal,
				       .build_dir = first->build_dir,
				       .guest_config = first->guest_config,
				       .cell = first->cell,
				       .cgroup = first->cgroup,
				       .placement = first->placement ? &sibling->placement : NULL,
				       .proof = json_object() };
	return sibling;
}

int siblings_probe(const struct host *host, const struct cell *cell, unsigned int vms,
		   uint64_t memory_bytes, char **why)
{
	const char *kind = device_kind(cell->device);
	uint64_t available = memory_available();

	if (!host_device_at(host, kind, vms - 1)) {
		*why = xasprintf("%u VMs need as many %s devices: list them in the host file, as "
				 "'%s: [ADDRESS, ADDRESS]', or have fewer VMs",
				 vms, kind, kind);
		return -ENODEV;
	}
	if (available < memory_bytes) {
		*why = xasprintf("%s of memory are available, less than its VMs need: have less "
				 "memory or fewer VMs",
				 human_bytes((double)available));
		return -ENOMEM;
	}
	return 0;
}

int sibling_launch(const struct boot *first, unsigned int index, const char *dir,
		   uint64_t pin_bytes, struct sibling **out)
{
	const char *kind = device_kind(first->cell->device);
	const struct host_device *device = host_device_at(first->host, kind, index);
	struct sibling *sibling = sibling_new(first, device);
	struct boot *boot = &sibling->boot;
	int ret;

	*out = sibling;
	boot->pin_bytes = pin_bytes;
	if (!device)
		return boot_fail(boot, -ENODEV, "there is no %s device for VM %u", kind, index);
	ret = boot_prepare_device(boot);
	if (!ret)
		ret = boot_launch(boot, dir);
	if (!ret)
		boot->vm->waiter = first->vm->waiter;
	if (!ret)
		boot->vm->waiter.pidfd = boot->vm->proc.pidfd;
	return ret;
}

int sibling_await_created(struct sibling *sibling)
{
	return boot_await_created(&sibling->boot);
}

int sibling_await(struct sibling *sibling)
{
	return boot_await(&sibling->boot);
}

void sibling_stop(struct sibling *sibling)
{
	if (!sibling)
		return;
	vm_stop(sibling->boot.vm, true);
	json_decref(sibling->boot.proof);
	free(sibling->boot.reason);
	free(sibling);
}
