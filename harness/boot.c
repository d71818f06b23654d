// SPDX-License-Identifier: GPL-2.0-only
/* One life of a measured VM, from the host's preparation to its end. */
#include "harness/boot.h"

#include <errno.h>
#include <string.h>

#include "bench/mode.h"
#include "bench/workload.h"
#include "harness/journal.h"
#include "harness/log.h"
#include "harness/measure.h"
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

uint64_t boot_guest_bytes(const struct boot *boot)
{
	return cell_guest_bytes(boot->cell, boot->guest_config->memory_bytes);
}

uint64_t boot_all_bytes(const struct boot *boot)
{
	const struct cell *cell = boot->cell;

	return cell->workload->memory_bytes
		       ? cell->workload->memory_bytes(cell->workload_settings,
						      boot->guest_config->memory_bytes)
		       : boot_guest_bytes(boot);
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

/* --- a life --- */

int boot_config(const char *build_dir, const struct host *host, const struct guest_config *guest,
		const struct placement *placement, const struct cell *cell,
		struct vm_config *config)
{
	int ret = vm_config_guest(build_dir, &guest->files,
				  cell_guest_bytes(cell, guest->memory_bytes), guest->cpus, config);

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
	uint64_t bytes = boot_guest_bytes(boot);

	return 60 + 60 * (double)bytes / (double)GIB;
}

double boot_estimate_s(const struct host *host, uint64_t memory_bytes)
{
	double gib = (double)memory_bytes / (double)GIB;
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

int boot_launch(struct boot *boot, const char *dir)
{
	struct vm_config config;
	int ret = boot_config(boot->build_dir, boot->host, boot->guest_config, boot->placement,
			      boot->cell, &config);

	if (ret)
		return boot_fail(boot, ret, "cannot configure the VM");
	config.cgroup = boot->cgroup;
	config.pin_bytes = boot->pin_bytes;
	ret = vm_start(&config, dir, &boot->vm);
	vm_config_free(&config);
	if (ret)
		return boot_fail(boot, ret, "cannot start QEMU: %s", strerror(-ret));
	boot->started_ns = boot->vm->started_ns;
	boot->vm->waiter.tick = measure_tick;
	boot->vm->waiter.arg = boot;
	return 0;
}

int boot_await_created(struct boot *boot)
{
	int ret = explain(boot, vm_await_created(boot->vm, start_limit_s(boot)), "creating the VM");

	if (!ret)
		ret = explain(boot, placing_pin_vcpus(boot->vm, boot->placement),
			      "placing the vCPUs");
	return ret ? ret : measure_created(boot);
}

static int await_guest(struct boot *boot)
{
	int ret = boot->vm->created_ns ? 0 : boot_await_created(boot);

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
	boot->vm->waiter.tick = measure_tick;
	boot->vm->waiter.arg = boot;
	return explain(boot, vm_await_ready(boot->vm, 30), "starting the agent");
}

static int prepare_guest(struct boot *boot)
{
	const struct cell *cell = boot->cell;
	int ret = 0;

	if (cell->device->guest_release)
		ret = explain(boot, cell->device->guest_release(boot),
			      "taking the device from the guest's driver");
	if (!ret && cell->mode->guest_setup)
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

int boot_await(struct boot *boot)
{
	int ret = await_guest(boot);

	return ret ? ret : prepare_guest(boot);
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
		int finished = explain(boot, measure_finish(run), "reading the metrics");

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

int boot_prepare_device(struct boot *boot)
{
	const struct device_ops *device = boot->cell->device;

	return device->host_setup ? device->host_setup(boot, boot->cell->device_settings) : 0;
}

static int prepare_host(struct boot *boot)
{
	const struct mode_ops *mode = boot->cell->mode;
	int ret = write_host(boot);

	if (!ret && mode->host_setup)
		ret = mode->host_setup(boot, boot->cell->mode_settings);
	return ret ? ret : boot_prepare_device(boot);
}

/* A warm-up runs no workload, so that it needs none of what one changes. */
static int prepare_for_workload(struct boot *boot, const struct cell_run *runs, size_t nr)
{
	const struct cell *cell = nr ? runs[0].cell : NULL;

	return cell && cell->workload->host_setup
		       ? cell->workload->host_setup(boot, cell->workload_settings)
		       : 0;
}

static int bring_up(struct boot *boot, const char *dir)
{
	int ret;

	if (boot->cell->mode->attach == ATTACH_HOST) {
		ret = start_without_vm(boot, dir);
		return ret ? ret : prepare_guest(boot);
	}
	ret = boot_launch(boot, dir);
	return ret ? ret : boot_await(boot);
}

enum boot_status boot_live(struct boot *boot, const char *dir, struct cell_run *runs, size_t nr)
{
	const struct mode_ops *mode = boot->cell->mode;
	int ret = 0;

	boot->proof = json_object();
	placing_enter(boot->placement);
	ret = prepare_host(boot);
	if (!ret)
		ret = prepare_for_workload(boot, runs, nr);
	if (!ret)
		ret = measure_open(boot);
	if (!ret)
		ret = bring_up(boot, dir);
	if (!ret)
		measure_place_interrupts(boot);
	ret = run_cells(boot, runs, nr, ret);
	if (boot->vm)
		boot->vm->waiter.tick = NULL;
	vm_stop(boot->vm, ret != -ETIMEDOUT);
	boot->vm = NULL;
	measure_close(boot);
	peer_close(boot->peer);
	boot->peer = NULL;
	free(boot->cgroup);
	boot->cgroup = NULL;
	boot->pin_bytes = 0;
	if (mode->host_restore)
		mode->host_restore(boot);
	boot->timed_out = ret == -ETIMEDOUT;
	return status_of(ret);
}
