// SPDX-License-Identifier: GPL-2.0-only
/* The VM's start itself: creation time by stage and what is pinned meanwhile. */
#include "bench/workload.h"
#include "harness/boot.h"

static const struct metric_desc metrics[] = { { 0 } };

static double estimate_s(const struct settings *settings)
{
	return 0;
}

static int run_boot(struct cell_run *run)
{
	measure_boot(run);
	return 0;
}

const struct workload_ops workload_boot = {
	.name = "boot",
	.help = "the VM's start, by stage; nothing runs in it",
	.needs = DEVICE_ANY,
	.except = ATTACH_NO_VM,
	.metrics = metrics,
	.estimate_s = estimate_s,
	.run = run_boot,
};
