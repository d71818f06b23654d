// SPDX-License-Identifier: GPL-2.0-only
/* What a run would do: its cells, command lines, placement and host writes, and how long. */
#include <string.h>

#include "bench/registry.h"
#include "harness/boot.h"
#include "harness/pci.h"
#include "harness/peer.h"
#include "harness/placing.h"
#include "harness/run_host.h"
#include "harness/util.h"

struct dry_run {
	const struct run_options *options;
	const struct experiment *exp;
	const struct host *host;
	struct placements placements; /* none for the lab, seen from outside of it */
};

static void print_command(const struct host *host, const struct cell *cell)
{
	const struct host_device *device = host_device(host, cell->device->name);
	const struct host_command *command = device ? device->command : NULL;

	if (cell->workload->runs_command && command)
		printf("  in the guest: %s\n  its figure, in %s, the %s the better: %s\n",
		       command->run, command->unit, direction_name(command->better),
		       command->score);
}

static void print_cell(const struct dry_run *run, const struct cell *cell)
{
	const struct placement *placement =
		placements_find(&run->placements, run->host, device_kind(cell->device));
	struct vm_config config;
	autofree char *command = NULL;

	printf("cell %s%s%s\n", cell->id, cell->skip ? ": skipped: " : "",
	       cell->skip ? cell->skip : "");
	if (!cell->skip && cell->mode->attach == ATTACH_HOST)
		printf("  no VM: on this host itself\n");
	if (cell->skip || cell->mode->attach == ATTACH_HOST ||
	    boot_config(run->options->build_dir, run->host, &run->exp->guest, placement, cell,
			&config))
		return;
	command = vm_command_line(&config, "DIR");
	printf("  %s\n", command);
	print_command(run->host, cell);
	vm_config_free(&config);
}

static void print_placements(const struct dry_run *run)
{
	for (size_t i = 0; i < run->placements.nr; i++) {
		const struct placement *placement = &run->placements.items[i];
		const struct host_device *device = &run->host->devices[i];
		const char *remedy, *warning = placement_warning(placement, &remedy);
		autofree char *text = placement_text(placement);

		printf("placement of %s: %s\n", device->kind, text);
		if (warning)
			printf("  warning: %s: %s\n", warning, remedy);
		if (CPU_COUNT(&placement->interrupts))
			printf("host write: CPUs of the interrupts of %s%s%s; undone at the end\n",
			       device->address, device->peer ? " and " : "",
			       device->peer ? device->peer : "");
	}
}

/* Is the device taken from the host's driver by any of its cells? */
static bool is_assigned(const struct plan *plan, const char *kind)
{
	for (size_t i = 0; i < plan->nr_cells; i++) {
		const struct cell *cell = &plan->cells[i];

		if (!cell->skip && !strcmp(device_kind(cell->device), kind) &&
		    cell->mode->attach == ATTACH_VFIO)
			return true;
	}
	return false;
}

static void print_bind(const char *what, const char *address)
{
	autofree char *driver = pci_driver(address);

	printf("host write: bind %s (%s) to vfio-pci, from %s; undone at the end\n", address, what,
	       driver ? driver : "its driver");
}

static void print_host_writes(const struct plan *plan, const struct host *host)
{
	for (size_t i = 0; i < host->nr_devices; i++) {
		const struct host_device *device = &host->devices[i];
		bool assigned = is_assigned(plan, device->kind);

		if (device->functions)
			printf("host write: %u virtual functions of %s (%s), the first for the "
			       "VM; removed at the end\n",
			       device->functions, device->address, device->kind);
		else if (assigned)
			print_bind(device->kind, device->address);
		for (size_t k = 0; assigned && k < device->with.nr; k++)
			print_bind("with it", device->with.items[k]);
		if (device->peer || device->remote)
			printf("host write: network namespace " PEER_NETNS
			       " for the interface of %s%s%s; "
			       "undone at the end\n",
			       device->peer ? device->peer : device->interface,
			       device->remote ? " on " : "", device->remote ? device->remote : "");
	}
}

/* Each once, however many cells have its mode. */
static void print_mode_writes(const struct plan *plan)
{
	for (size_t i = 0; i < plan->nr_cells; i++) {
		const struct mode_ops *mode = plan->cells[i].mode;
		const struct host_write *write = mode->host_writes;
		bool seen = false;

		for (size_t k = 0; k < i && !seen; k++)
			seen = plan->cells[k].mode == mode;
		for (; write && write->path && !seen; write++)
			printf("host write: %s to %s, for %s; undone at the end\n", write->value,
			       write->path, mode->name);
		if (mode->host_change && !seen)
			printf("host write: %s, for %s; put back for the other modes\n",
			       mode->host_change, mode->name);
	}
}

int run_host_dry(const struct run_options *options, const struct experiment *exp, struct plan *plan,
		 const struct host *host)
{
	struct dry_run run = { .options = options, .exp = exp, .host = host };
	struct guest_config guest = exp->guest;
	double estimate = 0;

	/* The lab's devices cannot be looked at from outside of it. */
	if (!strcmp(host->kind, "host")) {
		run_probe_cells(plan, host, &exp->guest);
		guest.memory_bytes = run_memory_bytes(exp);
		placements_make(host, &guest, &run.placements);
	}
	for (size_t i = 0; i < plan->nr_cells; i++)
		print_cell(&run, &plan->cells[i]);
	print_placements(&run);
	print_host_writes(plan, host);
	if (!strcmp(host->kind, "host") && tuning_print(host, stdout)) {
		placements_free(&run.placements);
		return EXIT_PREFLIGHT;
	}
	print_mode_writes(plan);
	for (size_t i = 0; i < plan->nr_boots; i++)
		estimate += run_estimate_s(exp, plan, host, &plan->boots[i]);
	printf("%zu cells, %zu boots, about %s\n", plan->nr_cells, plan->nr_boots,
	       human_duration(estimate));
	if (options->estimate_s)
		*options->estimate_s += estimate;
	placements_free(&run.placements);
	return EXIT_OK;
}
