// SPDX-License-Identifier: GPL-2.0-only
/* One life of a measured VM, from the host's preparation to its end. */
#include "harness/boot.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "bench/registry.h"
#include "harness/journal.h"
#include "harness/log.h"
#include "harness/peer.h"
#include "harness/placement.h"
#include "harness/placing.h"
#include "harness/util.h"

int boot_fail(struct boot *boot, int err, const char *fmt, ...)
{
	va_list ap;

	if (boot->reason)
		return err;
	va_start(ap, fmt);
	if (vasprintf(&boot->reason, fmt, ap) < 0)
		abort();
	va_end(ap);
	return err;
}

int boot_guest_script(struct boot *boot, const char *script, const char *arg, const char *failed)
{
	char *const argv[] = { (char *)"sh", (char *)"-c", (char *)script, (char *)arg, NULL };
	int ret = guest_run(boot->vm->guest, argv, 60, NULL);

	return ret == -EREMOTEIO ? boot_fail(boot, ret, "%s", failed) : ret;
}

void cell_invalid(struct cell_run *run, const char *fmt, ...)
{
	va_list ap;

	run->status = BOOT_INVALID;
	if (run->reason)
		return;
	va_start(ap, fmt);
	if (vasprintf(&run->reason, fmt, ap) < 0)
		abort();
	va_end(ap);
}

int cell_save(const struct cell_run *run, const char *name, const char *data, size_t len)
{
	autofree char *path = xasprintf("%s/%s", run->dir, name);
	int ret = file_replace(path, data, len);

	if (ret)
		log_err("cannot write %s: %s", path, strerror(-ret));
	return ret;
}

/* --- metric sources --- */

static void sources_tick(void *arg)
{
	struct boot *boot = arg;

	for (size_t i = 0; i < boot->nr_sources; i++)
		if (boot->sources[i].ops->tick)
			boot->sources[i].ops->tick(boot, boot->sources[i].priv);
}

static int sources_open(struct boot *boot)
{
	size_t nr = 0;

	while (registry_metrics[nr])
		nr++;
	boot->sources = xzalloc(nr * sizeof(*boot->sources));
	for (size_t i = 0; i < nr; i++) {
		const struct metric_ops *ops = registry_metrics[i];
		struct metric_source *source = &boot->sources[boot->nr_sources];
		autofree char *why = NULL;
		int ret;

		if (ops->except & ATTACH_BIT(boot->cell->mode->attach))
			continue;
		if (ops->probe && ops->probe(boot->host, &why)) {
			log_debug("metric source %s: %s", ops->name, why ? why : "not here");
			continue;
		}
		*source = (struct metric_source){ ops, xzalloc(ops->priv_size) };
		boot->nr_sources++;
		ret = ops->open ? ops->open(boot, source->priv) : 0;
		if (ret)
			return boot_fail(boot, ret, "cannot open metric source %s: %s", ops->name,
					 strerror(-ret));
	}
	return 0;
}

static void sources_close(struct boot *boot)
{
	for (size_t i = 0; i < boot->nr_sources; i++) {
		const struct metric_ops *ops = boot->sources[i].ops;

		if (ops->close)
			ops->close(boot, boot->sources[i].priv);
		free(boot->sources[i].priv);
	}
	free(boot->sources);
	boot->sources = NULL;
	boot->nr_sources = 0;
}

static int sources_created(struct boot *boot)
{
	int ret = 0;

	for (size_t i = 0; i < boot->nr_sources && !ret; i++)
		if (boot->sources[i].ops->created)
			ret = boot->sources[i].ops->created(boot, boot->sources[i].priv);
	return ret;
}

/*
 * Which of a source's per-cell callbacks to call. The window is bracketed: what begins last
 * ends first, so that the sources which reading disturbs most stand last in the registry.
 */
enum source_phase { SOURCE_BEGIN, SOURCE_END, SOURCE_FINISH };

static int sources_phase(struct cell_run *run, enum source_phase phase)
{
	struct boot *boot = run->boot;

	for (size_t i = 0; i < boot->nr_sources; i++) {
		size_t n = phase == SOURCE_BEGIN ? i : boot->nr_sources - 1 - i;
		const struct metric_ops *ops = boot->sources[n].ops;
		int (*const calls[])(struct cell_run *, void *) = { ops->begin, ops->end,
								    ops->finish };
		int ret = calls[phase] ? calls[phase](run, boot->sources[n].priv) : 0;

		if (ret)
			return boot_fail(boot, ret, "metric source %s: %s", ops->name,
					 strerror(-ret));
	}
	return 0;
}

/* --- the measured window --- */

/* They are there only once a driver, the guest's or the peer's, has switched them on. */
static void place_interrupts(struct boot *boot)
{
	placing_interrupts(boot->journal, host_device(boot->host, boot->cell->device->name),
			   boot->placement);
}

static int count_ops(struct cell_run *run, uint64_t *ops)
{
	const struct device_ops *device = run->cell->device;
	int ret;

	*ops = 0;
	if (!device->count_ops)
		return 0;
	ret = device->count_ops(run->boot, ops);
	if (ret)
		return boot_fail(run->boot, ret, "cannot read the %s's operations in the guest: %s",
				 device->name, strerror(-ret));
	return 0;
}

int measure_begin(struct cell_run *run)
{
	int ret;

	/* Once more: queues that the workload has opened since have brought interrupts. */
	place_interrupts(run->boot);
	run->begin_ns = now_ns();
	ret = sources_phase(run, SOURCE_BEGIN);
	run->counted_s = -now_s();
	/* Next to the counters that it divides, as at the end. */
	return ret ? ret : count_ops(run, &run->ops);
}

int measure_end(struct cell_run *run)
{
	uint64_t ops;
	int ret = count_ops(run, &ops);

	run->end_ns = now_ns();
	run->counted_s += now_s();
	run->ops = run->device_ops = ops - run->ops;
	return ret ? ret : sources_phase(run, SOURCE_END);
}

void measure_boot(struct cell_run *run)
{
	run->begin_ns = run->boot->vm->started_ns;
	run->end_ns = run->boot->vm->ready_ns;
}

/* --- a life --- */

int boot_config(const char *build_dir, const struct host *host, const struct guest_config *guest,
		const struct placement *placement, const struct cell *cell,
		struct vm_config *config)
{
	int ret =
		vm_config_guest(build_dir, &guest->files, guest->memory_bytes, guest->cpus, config);

	if (ret)
		return ret;
	config->bind_memory = placement && placement->memory_node >= 0;
	if (config->bind_memory)
		config->memory_node = placement->memory_node;
	if (cell->mode->configure)
		cell->mode->configure(cell->mode_settings, config);
	cell->device->configure(host, cell->device_settings, cell->mode->attach, config);
	return 0;
}

/*
 * Limits, not expectations: under emulation zeroing and pinning took 10 s/GiB, and a machine
 * with other work on it was four times slower than a quiet one.
 */
static double start_limit_s(const struct boot *boot)
{
	return 60 + 60 * (double)boot->guest_config->memory_bytes / (double)GIB;
}

double boot_estimate_s(const struct host *host, const struct guest_config *guest)
{
	double gib = (double)guest->memory_bytes / (double)GIB;
	bool emulated = host->kind && !strcmp(host->kind, "lab-tcg");

	return emulated ? 12 + 5 * gib : 3 + gib;
}

/* Turns a failed step into a reason that says what the VM was doing and why it ended. */
static int explain(struct boot *boot, int ret, const char *doing)
{
	autofree char *why = NULL, *console = NULL;

	if (!ret || boot->reason)
		return ret;
	if (ret == -ECHILD) {
		why = vm_why_ended(boot->vm);
		return boot_fail(boot, ret, "while %s: %s", doing, why);
	}
	console = vm_console_tail(boot->vm);
	return boot_fail(boot, ret, "%s: %s%s%s", doing,
			 ret == -ETIMEDOUT ? "no answer within the time limit" : strerror(-ret),
			 *console ? "; guest console ends with: " : "", console);
}

static int start_vm(struct boot *boot, const char *dir)
{
	struct vm_config config;
	int ret = boot_config(boot->build_dir, boot->host, boot->guest_config, boot->placement,
			      boot->cell, &config);

	if (ret)
		return boot_fail(boot, ret, "cannot configure the VM");
	ret = vm_start(&config, dir, &boot->vm);
	vm_config_free(&config);
	if (ret)
		return boot_fail(boot, ret, "cannot start QEMU: %s", strerror(-ret));
	boot->started_ns = boot->vm->started_ns;
	boot->vm->waiter.tick = sources_tick;
	boot->vm->waiter.arg = boot;
	ret = explain(boot, vm_await_created(boot->vm, start_limit_s(boot)), "creating the VM");
	if (!ret)
		ret = explain(boot, placing_pin_vcpus(boot->vm, boot->placement),
			      "placing the vCPUs");
	if (!ret)
		ret = sources_created(boot);
	if (!ret)
		ret = explain(boot, vm_run(boot->vm), "starting the vCPUs");
	if (!ret)
		ret = explain(boot, vm_await_ready(boot->vm, start_limit_s(boot)),
			      "booting the guest");
	return ret;
}

/* The agent runs here, and the workload under it, as it would in a guest. */
static int start_without_vm(struct boot *boot, const char *dir)
{
	int ret = vm_start_agent(boot->build_dir, boot->netns, dir, &boot->vm);

	if (ret)
		return boot_fail(boot, ret, "cannot start the agent: %s", strerror(-ret));
	boot->vm->waiter.tick = sources_tick;
	boot->vm->waiter.arg = boot;
	return explain(boot, vm_await_ready(boot->vm, 30), "starting the agent");
}

static int prepare_guest(struct boot *boot)
{
	const struct cell *cell = boot->cell;
	int ret = 0;

	if (cell->mode->guest_setup)
		ret = explain(boot, cell->mode->guest_setup(boot, cell->mode_settings),
			      "switching the mode on in the guest");
	if (!ret)
		ret = explain(boot, cell->device->guest_setup(boot, cell->device_settings),
			      "bringing the device up in the guest");
	if (!ret)
		ret = explain(boot, cell->mode->prove(boot, cell->mode_settings, boot->proof),
			      "reading back the mode");
	return ret;
}

static enum boot_status status_of(int ret)
{
	switch (ret) {
	case 0:
		return BOOT_OK;
	case -EINTR:
		return BOOT_INTERRUPTED;
	case -EPROTO:
		return BOOT_INVALID;
	default:
		return BOOT_FAILED;
	}
}

/* A tool that failed (-EREMOTEIO) spoils its own cell only, if the guest is well. */
static bool only_this_cell(struct boot *boot, int ret)
{
	return ret == -EREMOTEIO && !guest_ping(boot->vm->guest, 10);
}

static int run_cell(struct boot *boot, struct cell_run *run)
{
	int ret;

	run->boot = boot;
	run->status = BOOT_OK;
	ret = explain(boot, run->cell->workload->run(run), run->cell->workload->name);
	/* After a tool's failure, too: an IOMMU fault may be its reason. */
	if (!ret || only_this_cell(boot, ret)) {
		int finished =
			explain(boot, sources_phase(run, SOURCE_FINISH), "reading the metrics");

		ret = ret ? ret : finished;
	}
	return ret;
}

/* A cell that was not reached shares the fate, and the reason, of what ended the VM. */
static void note_result(const struct boot *boot, struct cell_run *run, int ret)
{
	autofree char *also = NULL;

	if (!ret)
		return;
	run->status = status_of(ret);
	also = run->reason;
	run->reason = xasprintf("%s%s%s", boot->reason ? boot->reason : strerror(-ret),
				also ? "; also: " : "", also ? also : "");
}

/*
 * All cells of the VM, unless ret says that it did not even come up as it should: whatever
 * failed then, no cell may run. Returns what ended it, or 0.
 */
static int run_cells(struct boot *boot, struct cell_run *runs, size_t nr, int ret)
{
	for (size_t i = 0; i < nr; i++) {
		bool own = !ret;

		if (own)
			ret = run_cell(boot, &runs[i]);
		note_result(boot, &runs[i], ret);
		if (own && ret && only_this_cell(boot, ret)) {
			free(boot->reason);
			boot->reason = NULL;
			ret = 0;
		}
	}
	return ret;
}

static int write_host(struct boot *boot)
{
	const struct host_write *write = boot->cell->mode->host_writes;
	int ret = 0;

	for (; write && write->path && !ret; write++) {
		autofree char *now = file_read_trimmed(write->path);

		if (now && !strcmp(now, write->value))
			continue;
		ret = journal_write(boot->journal, write->path, write->value);
		if (ret)
			boot_fail(boot, ret, "cannot write %s to %s: %s", write->value, write->path,
				  strerror(-ret));
	}
	return ret;
}

enum boot_status boot_live(struct boot *boot, const char *dir, struct cell_run *runs, size_t nr)
{
	const struct device_ops *device = boot->cell->device;
	const struct mode_ops *mode = boot->cell->mode;
	int ret = 0;

	boot->proof = json_object();
	placing_enter(boot->placement);
	ret = write_host(boot);
	if (!ret && mode->host_setup)
		ret = mode->host_setup(boot, boot->cell->mode_settings);
	if (!ret && device->host_setup)
		ret = device->host_setup(boot, boot->cell->device_settings);
	if (!ret)
		ret = sources_open(boot);
	if (!ret)
		ret = mode->attach == ATTACH_HOST ? start_without_vm(boot, dir)
						  : start_vm(boot, dir);
	if (!ret)
		ret = prepare_guest(boot);
	if (!ret)
		place_interrupts(boot);
	ret = run_cells(boot, runs, nr, ret);
	if (boot->vm)
		boot->vm->waiter.tick = NULL;
	vm_stop(boot->vm, ret != -ETIMEDOUT);
	boot->vm = NULL;
	sources_close(boot);
	peer_close(boot->peer);
	boot->peer = NULL;
	if (mode->host_restore)
		mode->host_restore(boot);
	boot->timed_out = ret == -ETIMEDOUT;
	return status_of(ret);
}
