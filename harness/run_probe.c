// SPDX-License-Identifier: GPL-2.0-only
/* What of a plan can run on this host, and why the rest cannot. */
#include "bench/registry.h"
#include "harness/run_host.h"
#include "harness/util.h"

/* Plug-ins that have nothing to do with how the mode reaches the device. */
static char *why_unreachable(const struct cell *cell)
{
	static const char *const how[] = {
		[ATTACH_VFIO] = "assigned to the VM",
		[ATTACH_EMULATED] = "emulated by QEMU",
		[ATTACH_VIRTIO] = "paravirtual",
		[ATTACH_HOST] = "the host's own, without a VM",
	};
	enum attach attach = cell->mode->attach;
	unsigned int bit = ATTACH_BIT(attach);

	if (cell->device->except & bit)
		return xasprintf("device %s is not supported in mode %s, where it is %s",
				 cell->device->name, cell->mode->name, how[attach]);
	if (cell->workload->except & bit)
		return xasprintf("workload %s says nothing in mode %s, where the device is %s",
				 cell->workload->name, cell->mode->name, how[attach]);
	return NULL;
}

/* With its own devices QEMU opens the drive for writing. */
static bool needs_writable(const struct cell *cell)
{
	const struct workload_ops *workload = cell->workload;

	return cell->mode->attach == ATTACH_EMULATED || cell->mode->attach == ATTACH_VIRTIO ||
	       cell->device->destroys_data ||
	       (workload->destroys_data && workload->destroys_data(cell->workload_settings));
}

/* Drivers of the host take none of the virtual functions that are made for a run. */
static char *why_no_driver(const struct cell *cell, const struct host_device *device)
{
	if (!device || !device->functions || cell->mode->attach == ATTACH_VFIO)
		return NULL;
	return xasprintf("%s is to have virtual functions, which are made to be assigned: mode %s "
			 "needs a driver of the host: leave 'functions' out of the host file",
			 device->address, cell->mode->name);
}

static char *why_skipped(const struct host *host, const struct guest_config *guest,
			 const struct cell *cell)
{
	const struct host_device *device = host_device(host, device_kind(cell->device));
	const struct workload_ops *workload = cell->workload;
	char *why = why_unreachable(cell);

	if (!why)
		why = why_no_driver(cell, device);
	if (why)
		return why;
	if (cell->mode->probe && cell->mode->probe(host, cell->mode_settings, &why))
		return why;
	if (cell->device->probe(host, cell->device_settings, &why))
		return why;
	if (workload->unfit)
		why = workload->unfit(cell->mode);
	if (!why && workload->probe)
		workload->probe(host, cell, guest->memory_bytes, &why);
	if (why)
		return why;
	if (needs_writable(cell) && !(device && device->writable))
		return xasprintf("it could overwrite the data on %s: add 'writable: yes' to the "
				 "device in the host file to allow that",
				 device ? device->address : device_kind(cell->device));
	return NULL;
}

void run_probe_cells(struct plan *plan, const struct host *host, const struct guest_config *guest)
{
	for (size_t i = 0; i < plan->nr_cells; i++)
		plan->cells[i].skip = why_skipped(host, guest, &plan->cells[i]);
}
