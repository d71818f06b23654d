// SPDX-License-Identifier: GPL-2.0-only
/* Creation time by stage. All stages are counted from QEMU's process start. */
#include "bench/device.h"
#include "bench/metric.h"
#include "harness/boot.h"

static const struct metric_desc metrics[] = {
	{ "vm_create_s", "s", DIRECTION_LOWER, "until the first vCPU can run" },
	{ "stage_kernel_s", "s", DIRECTION_LOWER, "until the guest kernel's entry" },
	{ "vm_ready_s", "s", DIRECTION_LOWER, "until the guest agent answers" },
	{ 0 },
};

static double since_start(const struct vm *vm, uint64_t ns)
{
	return (double)(ns - vm->started_ns) * 1e-9;
}

/* The kernel's entry is the agent's first word less the guest's own uptime at that moment. */
static int finish(struct cell_run *run, void *priv)
{
	const struct vm *vm = run->boot->vm;

	sample_add(&run->samples, &metrics[0], since_start(vm, vm->created_ns));
	sample_add(&run->samples, &metrics[1], since_start(vm, vm->ready_ns - vm->guest_uptime_ns));
	sample_add(&run->samples, &metrics[2], since_start(vm, vm->ready_ns));
	return 0;
}

const struct metric_ops metric_stages = {
	.name = "stages",
	.help = "VM creation time and its stages",
	.metrics = metrics,
	.except = ATTACH_NO_VM,
	.finish = finish,
};
