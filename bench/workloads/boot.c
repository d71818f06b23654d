// SPDX-License-Identifier: GPL-2.0-only
/*
 * The VM's start itself: creation time by stage and what is pinned meanwhile, for guests of any
 * size; and of several VMs that are created at the same time.
 */
#include <errno.h>

#include "bench/workload.h"
#include "harness/boot.h"
#include "harness/sibling.h"
#include "harness/util.h"

#define TOGETHER_MAX 63

static const struct setting settings_table[] = {
	{ "memory", SETTING_SIZE, "0", NULL, 0, 1e15,
	  "of the guest, a multiple of 1MiB; 0: as guest.memory says" },
	{ "together", SETTING_COUNT, "0", NULL, 0, TOGETHER_MAX,
	  "further VMs, created at the same time once this one is up; each needs a device" },
	{ 0 },
};

enum { MEMORY, TOGETHER };
static const struct metric_desc metrics[] = {
	[MEMORY] = { "guest_memory_bytes", "bytes", DIRECTION_NONE, "the guest's size" },
	[TOGETHER] = { "together_create_s", "s", DIRECTION_LOWER,
		       "until all of several VMs started at the same time are created" },
	{ 0 },
};

#define AGAINST_MEMORY(metric, what)                                                       \
	{                                                                                  \
		.x = "guest_memory_bytes", .y = (metric), .title = what " against memory", \
		.axis = "guest memory", .per = GIB, .per_name = "GiB", .far = 128.0 * GIB, \
		.far_name = "128 GiB"                                                      \
	}
static const struct workload_line lines[] = {
	AGAINST_MEMORY("vm_create_s", "creation time"),
	AGAINST_MEMORY("vm_ready_s", "time until ready"),
	AGAINST_MEMORY("lab_create_instructions", "instructions of creation"),
	{ 0 },
};

static int validate(const struct settings *settings, char **why)
{
	uint64_t memory = settings_size(settings, "memory");

	if (memory % MIB || (memory && memory < 64 * MIB)) {
		*why = xstrdup("memory must be a multiple of 1MiB, and at least 64MiB");
		return -EINVAL;
	}
	return 0;
}

static uint64_t guest_bytes(const struct settings *settings)
{
	return settings_size(settings, "memory");
}

static uint64_t memory_bytes(const struct settings *settings, uint64_t experiment_bytes)
{
	uint64_t own = guest_bytes(settings);

	return (own ? own : experiment_bytes) * (1 + settings_count(settings, "together"));
}

static int probe(const struct host *host, const struct cell *cell, uint64_t experiment_bytes,
		 char **why)
{
	const struct settings *settings = cell->workload_settings;

	return siblings_probe(host, cell, 1 + (unsigned int)settings_count(settings, "together"),
			      memory_bytes(settings, experiment_bytes), why);
}

static double estimate_s(const struct settings *settings)
{
	return 15 * (double)settings_count(settings, "together");
}

static int launch_together(struct cell_run *run, struct sibling **siblings, unsigned int nr)
{
	int ret = 0;

	for (unsigned int i = 0; i < nr && !ret; i++) {
		autofree char *dir = xasprintf("%s/vm-%u", run->dir, i + 1);

		ret = sibling_launch(run->boot, i + 1, dir, 0, &siblings[i]);
	}
	return ret;
}

static int await_together(struct cell_run *run, struct sibling **siblings, unsigned int nr)
{
	uint64_t first = siblings[0]->boot.vm->started_ns, last = 0;
	int ret = 0;

	/* In whatever order they are waited for, the last moment is that of the last one. */
	for (unsigned int i = 0; i < nr && !ret; i++) {
		ret = sibling_await_created(siblings[i]);
		if (!ret && siblings[i]->boot.vm->created_ns > last)
			last = siblings[i]->boot.vm->created_ns;
	}
	if (!ret)
		sample_add(&run->samples, &metrics[TOGETHER], (double)(last - first) * 1e-9);
	for (unsigned int i = 0; i < nr && !ret; i++)
		ret = sibling_await(siblings[i]);
	return ret;
}

static int create_together(struct cell_run *run, unsigned int nr)
{
	struct sibling *siblings[TOGETHER_MAX] = { 0 };
	int ret = launch_together(run, siblings, nr);

	if (!ret)
		ret = await_together(run, siblings, nr);
	for (unsigned int i = 0; i < nr && siblings[i]; i++) {
		if (ret && siblings[i]->boot.reason)
			boot_fail(run->boot, ret, "VM %u: %s", i + 1, siblings[i]->boot.reason);
		sibling_stop(siblings[i]);
	}
	return ret;
}

static int run_boot(struct cell_run *run)
{
	unsigned int nr = (unsigned int)settings_count(run->cell->workload_settings, "together");

	measure_boot(run);
	sample_add(&run->samples, &metrics[MEMORY], (double)boot_guest_bytes(run->boot));
	return nr ? create_together(run, nr) : 0;
}

const struct workload_ops workload_boot = {
	.name = "boot",
	.help = "the VM's start, by stage; nothing runs in it",
	.needs = DEVICE_ANY,
	.settings = settings_table,
	.except = ATTACH_NO_VM,
	.metrics = metrics,
	.lines = lines,
	.validate = validate,
	.guest_bytes = guest_bytes,
	.memory_bytes = memory_bytes,
	.probe = probe,
	.estimate_s = estimate_s,
	.run = run_boot,
};
