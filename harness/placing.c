// SPDX-License-Identifier: GPL-2.0-only
/* Carries out where things are to be: CPU affinity, memory policy, interrupts. */
#include "harness/placing.h"

#include <dirent.h>
#include <errno.h>
#include <numa.h>
#include <string.h>

#include "harness/journal.h"
#include "harness/log.h"
#include "harness/pci.h"
#include "harness/util.h"
#include "harness/vm.h"

/* --- the plans of a host --- */

/* Reading the topology takes its time, and where nothing is placed, one node needs none. */
static void read_topology(const struct host *host, struct topology *topology)
{
	if (host->placement || topology_count_nodes() > 1) {
		topology_load(topology);
		return;
	}
	*topology = (struct topology){ 0 };
	sched_getaffinity(0, sizeof(topology->allowed), &topology->allowed);
}

void placements_make(const struct host *host, const struct guest_config *guest,
		     struct placements *placements)
{
	struct topology topology;
	struct placement_request request = {
		.topology = &topology,
		.nr_vcpus = guest->cpus,
		.memory_bytes = guest->memory_bytes,
		.automatic = host->placement,
		.vcpu_cpu = host->vcpu_cpu,
	};

	read_topology(host, &topology);
	placements->items = xzalloc(host->nr_devices * sizeof(*placements->items) + 1);
	placements->nr = host->nr_devices;
	for (size_t i = 0; i < host->nr_devices; i++) {
		topology_find(&topology, host->devices[i].address, &request.device);
		placement_plan(&request, &placements->items[i]);
	}
	topology_free(&topology);
}

void placements_free(struct placements *placements)
{
	free(placements->items);
	*placements = (struct placements){ 0 };
}

const struct placement *placements_find(const struct placements *placements,
					const struct host *host, const char *kind)
{
	for (size_t i = 0; i < placements->nr; i++)
		if (!strcmp(host->devices[i].kind, kind))
			return &placements->items[i];
	return NULL;
}

json_t *placements_json(const struct placements *placements, const struct host *host)
{
	json_t *json = json_object();

	for (size_t i = 0; i < placements->nr; i++)
		json_object_set_new(json, host->devices[i].kind,
				    placement_json(&placements->items[i]));
	return json;
}

/* --- CPUs and memory --- */

bool placing_fits(unsigned int first, unsigned int nr)
{
	return first + nr <= (unsigned int)sysconf(_SC_NPROCESSORS_ONLN);
}

/* Children inherit both; QEMU's guest memory has a policy of its own. */
void placing_enter(const struct placement *placement)
{
	const cpu_set_t *cpus = placement ? &placement->others : NULL;

	if (!cpus || !CPU_COUNT(cpus))
		return;
	if (sched_setaffinity(0, sizeof(*cpus), cpus)) {
		log_warn("cannot leave the vCPUs' CPUs: %s", strerror(errno));
		return;
	}
	if (numa_available() < 0 || !numa_max_node())
		return;
	if (placement->memory_node >= 0)
		numa_set_preferred(placement->memory_node);
	else
		numa_set_localalloc(); /* the last cell's device may have been elsewhere */
}

static int pin_thread(pid_t tid, unsigned int cpu)
{
	cpu_set_t set;

	if (cpu >= CPU_SETSIZE)
		return -ERANGE;
	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (!sched_setaffinity(tid, sizeof(set), &set))
		return 0;
	return errno == EINVAL ? -ERANGE : -errno;
}

int placing_pin_vcpus(struct vm *vm, const struct placement *placement)
{
	json_t *vcpus = NULL, *vcpu;
	size_t i;
	int ret;

	if (!placement || placement->by == PLACEMENT_KERNEL)
		return 0;
	ret = qmp_command(vm->qmp, "query-cpus-fast", NULL, 10, &vcpus);
	json_array_foreach(vcpus, i, vcpu) {
		json_t *tid = json_object_get(vcpu, "thread-id");

		if (!ret && i < placement->nr_vcpus)
			ret = pin_thread((pid_t)json_integer_value(tid), placement->vcpus[i]);
	}
	json_decref(vcpus);
	return ret;
}

/* --- interrupts --- */

static void send_interrupts(struct journal *journal, const char *bdf, const cpu_set_t *cpus)
{
	autofree char *path = xasprintf("%s/bus/pci/devices/%s/msi_irqs", sysfs_root, bdf);
	autofree char *text = topology_cpus_text(cpus);
	DIR *dir = *text ? opendir(path) : NULL;
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		int ret;

		if (entry->d_name[0] == '.')
			continue;
		ret = journal_interrupt(journal, bdf, entry->d_name, text);
		if (ret)
			log_debug("interrupt %s of %s stays where it is: %s", entry->d_name, bdf,
				  strerror(-ret));
	}
	if (dir)
		closedir(dir);
}

void placing_interrupts(struct journal *journal, const struct host_device *device,
			const struct placement *placement)
{
	if (!device || !placement || !CPU_COUNT(&placement->interrupts))
		return;
	send_interrupts(journal, device->address, &placement->interrupts);
	/* The load generator is at the peer. */
	if (device->peer)
		send_interrupts(journal, device->peer, &placement->others);
}
