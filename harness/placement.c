// SPDX-License-Identifier: GPL-2.0-only
/* Which CPUs and memory what runs on, as a plan. */
#include "harness/placement.h"

#include "harness/util.h"

#define SPARE_MEMORY (256 * MIB) /* on the node, for QEMU itself, beside the guest's */

/* A plan in the making: of each of the topology's CPUs, what is known so far. */
struct draft {
	const struct topology *topology;
	cpu_set_t near, taken;
	bool *core_taken; /* by index of the CPU: a vCPU has its core */
};

static const struct topology_cpu *find_cpu(const struct topology *topology, unsigned int id)
{
	for (size_t i = 0; i < topology->nr_cpus; i++)
		if (topology->cpus[i].id == id)
			return &topology->cpus[i];
	return NULL;
}

/* --- vCPUs --- */

/* vCPUs may have isolated CPUs: there is one thread for each. */
static bool usable(const struct draft *draft, const struct topology_cpu *cpu)
{
	return (cpu->isolated || CPU_ISSET(cpu->id, &draft->topology->allowed)) &&
	       !CPU_ISSET(cpu->id, &draft->taken);
}

static size_t count_usable(const struct draft *draft)
{
	size_t nr = 0;

	for (size_t i = 0; i < draft->topology->nr_cpus; i++)
		nr += usable(draft, &draft->topology->cpus[i]);
	return nr;
}

/*
 * How bad a CPU is for a vCPU. Far is worse than a shared core, and that is worse than a CPU that
 * the kernel's own work comes to; CPU 0 has most of that, and its siblings feel it.
 */
static unsigned int badness(const struct draft *draft, size_t index)
{
	const struct topology_cpu *cpu = &draft->topology->cpus[index];
	const struct topology_cpu *first = find_cpu(draft->topology, 0);
	bool with_first = first && cpu->core == first->core;

	return !CPU_ISSET(cpu->id, &draft->near) * 8U + draft->core_taken[index] * 4U +
	       !cpu->isolated * 2U + with_first;
}

static void take(struct draft *draft, const struct topology_cpu *cpu)
{
	CPU_SET(cpu->id, &draft->taken);
	for (size_t i = 0; i < draft->topology->nr_cpus; i++)
		if (draft->topology->cpus[i].core == cpu->core)
			draft->core_taken[i] = true;
}

static const struct topology_cpu *best_cpu(const struct draft *draft)
{
	const struct topology_cpu *best = NULL;
	unsigned int least = 0;

	for (size_t i = 0; i < draft->topology->nr_cpus; i++) {
		unsigned int bad = badness(draft, i);

		if (!usable(draft, &draft->topology->cpus[i]) || (best && bad >= least))
			continue;
		best = &draft->topology->cpus[i];
		least = bad;
	}
	return best;
}

static void choose_vcpus(struct draft *draft, struct placement *placement)
{
	if (count_usable(draft) < placement->nr_vcpus + PLACEMENT_SPARE_CPUS) {
		placement->problems |= PLACEMENT_FEW_CPUS;
		return;
	}
	placement->by = PLACEMENT_HWLOC;
	for (unsigned int i = 0; i < placement->nr_vcpus; i++) {
		const struct topology_cpu *cpu = best_cpu(draft);

		placement->vcpus[i] = cpu->id;
		take(draft, cpu);
	}
}

/* The host file's word counts even for CPUs that the topology does not show. */
static void take_named_vcpus(struct draft *draft, unsigned int first, struct placement *placement)
{
	placement->by = PLACEMENT_HOST_FILE;
	for (unsigned int i = 0; i < placement->nr_vcpus; i++) {
		const struct topology_cpu *cpu = find_cpu(draft->topology, first + i);

		placement->vcpus[i] = first + i;
		CPU_SET(first + i, &draft->taken);
		if (cpu)
			take(draft, cpu);
	}
}

/* --- everything else --- */

/* The CPUs left for our own processes: near or anywhere, with vCPUs' cores or without. */
static void leftover(const struct draft *draft, bool near, bool own_cores, cpu_set_t *set)
{
	CPU_ZERO(set);
	for (size_t i = 0; i < draft->topology->nr_cpus; i++) {
		unsigned int id = draft->topology->cpus[i].id;

		if (CPU_ISSET(id, &draft->topology->allowed) && !CPU_ISSET(id, &draft->taken) &&
		    (!near || CPU_ISSET(id, &draft->near)) && (!own_cores || !draft->core_taken[i]))
			CPU_SET(id, set);
	}
}

static void choose_others(const struct draft *draft, struct placement *placement)
{
	cpu_set_t near;

	leftover(draft, true, true, &near);
	placement->others = near;
	if (CPU_COUNT(&placement->others) < PLACEMENT_SPARE_CPUS)
		leftover(draft, false, true, &placement->others);
	if (CPU_COUNT(&placement->others) < PLACEMENT_SPARE_CPUS)
		leftover(draft, false, false, &placement->others);
	placement->interrupts = CPU_COUNT(&near) ? near : placement->others;
}

/* All that this process may use but the vCPUs': the topology may not have been read. */
static void leave_named_vcpus(const struct draft *draft, bool automatic,
			      struct placement *placement)
{
	cpu_set_t near;

	CPU_AND(&placement->others, &draft->topology->allowed, &draft->taken);
	CPU_XOR(&placement->others, &draft->topology->allowed, &placement->others);
	if (!CPU_COUNT(&placement->others))
		placement->problems |= PLACEMENT_NO_OTHERS;
	if (!automatic)
		return;
	leftover(draft, true, true, &near);
	placement->interrupts = CPU_COUNT(&near) ? near : placement->others;
}

/* With one node there is nothing to bind to. */
static void choose_memory(const struct placement_request *request, struct placement *placement)
{
	const struct topology *topology = request->topology;

	for (size_t i = 0; i < topology->nr_nodes && topology->nr_nodes > 1; i++) {
		const struct topology_node *node = &topology->nodes[i];

		if (node->id != request->device.node)
			continue;
		if (node->free_bytes >= request->memory_bytes + SPARE_MEMORY)
			placement->memory_node = node->id;
		else
			placement->problems |= PLACEMENT_MEMORY;
	}
}

/* --- is it good? --- */

static void judge_vcpus(const struct topology *topology, struct placement *placement)
{
	for (unsigned int i = 0; i < placement->nr_vcpus; i++) {
		const struct topology_cpu *cpu = find_cpu(topology, placement->vcpus[i]);
		int node = cpu ? cpu->node : -1;

		placement->vcpu_node = !i || node == placement->vcpu_node ? node : -1;
		if (placement->device_node >= 0 && node >= 0 && node != placement->device_node)
			placement->problems |= PLACEMENT_FAR;
		for (unsigned int k = 0; k < i && cpu; k++) {
			const struct topology_cpu *other = find_cpu(topology, placement->vcpus[k]);

			if (other && other->core == cpu->core)
				placement->problems |= PLACEMENT_SHARED;
		}
	}
}

/*
 * A device that is nowhere in particular: the vCPUs are kept together all the same, on the
 * first node.
 */
static void find_near(const struct placement_request *request, struct placement *placement,
		      cpu_set_t *near)
{
	const struct topology *topology = request->topology;

	*near = request->device.cpus;
	if (request->device.node >= 0)
		return;
	if (topology->nr_nodes > 1)
		placement->problems |= PLACEMENT_UNKNOWN;
	if (CPU_COUNT(near))
		return;
	for (size_t i = 0; i < topology->nr_cpus; i++)
		if (topology->nr_nodes < 2 || topology->cpus[i].node == topology->nodes[0].id)
			CPU_SET(topology->cpus[i].id, near);
}

static void plan_cpus(const struct placement_request *request, struct draft *draft,
		      struct placement *placement)
{
	if (request->automatic)
		find_near(request, placement, &draft->near);
	else if (request->topology->nr_nodes > 1)
		placement->problems |= PLACEMENT_OFF;
	if (request->vcpu_cpu)
		take_named_vcpus(draft, request->vcpu_cpu, placement);
	else if (request->automatic)
		choose_vcpus(draft, placement);
	if (placement->by == PLACEMENT_HOST_FILE)
		leave_named_vcpus(draft, request->automatic, placement);
	else if (placement->by == PLACEMENT_HWLOC)
		choose_others(draft, placement);
}

void placement_plan(const struct placement_request *request, struct placement *placement)
{
	const struct topology *topology = request->topology;
	autofree bool *core_taken = xzalloc(topology->nr_cpus * sizeof(bool) + 1);
	struct draft draft = { .topology = topology, .core_taken = core_taken };

	*placement = (struct placement){
		.nr_vcpus = request->nr_vcpus,
		.vcpu_node = -1,
		.device_node = request->device.node,
		.memory_node = -1,
	};
	plan_cpus(request, &draft, placement);
	if (placement->by == PLACEMENT_KERNEL)
		return;
	judge_vcpus(topology, placement);
	if (request->automatic)
		choose_memory(request, placement);
}

/* --- told --- */

static char *vcpus_text(const struct placement *placement)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	for (unsigned int i = 0; i < placement->nr_vcpus; i++)
		CPU_SET(placement->vcpus[i], &set);
	return topology_cpus_text(&set);
}

static void add_cpus(struct strbuf *sb, const char *what, const cpu_set_t *set)
{
	autofree char *text = topology_cpus_text(set);

	if (*text)
		strbuf_addf(sb, ", %s on CPU%s %s", what, CPU_COUNT(set) > 1 ? "s" : "", text);
}

char *placement_text(const struct placement *placement)
{
	const char *plural = placement->nr_vcpus > 1 ? "s" : "";
	autofree char *vcpus = NULL;
	struct strbuf sb = { 0 };

	if (placement->device_node >= 0)
		strbuf_addf(&sb, "device on node %d, ", placement->device_node);
	if (placement->by == PLACEMENT_KERNEL) {
		strbuf_addf(&sb, "vCPUs and memory placed by the kernel");
		return sb.data;
	}
	vcpus = vcpus_text(placement);
	strbuf_addf(&sb, "%u vCPU%s on CPU%s %s", placement->nr_vcpus, plural, plural, vcpus);
	if (placement->vcpu_node >= 0)
		strbuf_addf(&sb, " (node %d)", placement->vcpu_node);
	if (placement->memory_node >= 0)
		strbuf_addf(&sb, ", memory on node %d", placement->memory_node);
	add_cpus(&sb, "interrupts", &placement->interrupts);
	add_cpus(&sb, "all else", &placement->others);
	return sb.data;
}

const char *placement_warning(const struct placement *placement, const char **remedy)
{
	static const struct {
		unsigned int problem;
		const char *text, *remedy;
	} warnings[] = {
		{ PLACEMENT_FAR, "vCPUs are on another node than the device",
		  "let vcpu_cpu name CPUs of the device's node, remove it from the host file, or "
		  "use fewer vCPUs" },
		{ PLACEMENT_SHARED, "vCPUs share a core (SMT)",
		  "let vcpu_cpu name CPUs of different cores, use fewer vCPUs, or switch SMT off "
		  "(echo off > /sys/devices/system/cpu/smt/control)" },
		{ PLACEMENT_MEMORY, "the device's node has too little free memory for the guest",
		  "end other programs, drop caches (echo 1 > /proc/sys/vm/drop_caches), or lower "
		  "the experiment's guest memory" },
		{ PLACEMENT_UNKNOWN, "the device's NUMA node is unknown",
		  "switch the device's locality on in the firmware, or choose CPUs with vcpu_cpu "
		  "in the host file" },
		{ PLACEMENT_FEW_CPUS, "too few CPUs for vCPUs with CPUs of their own",
		  "use fewer vCPUs, or start with more CPUs (taskset, cpusets)" },
		{ PLACEMENT_NO_OTHERS, "vCPUs cannot have CPUs of their own: too few CPUs here",
		  "use fewer vCPUs" },
		{ PLACEMENT_OFF, "placement is off on a host with several NUMA nodes",
		  "write 'placement: auto' in the host file" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(warnings); i++) {
		if (!(placement->problems & warnings[i].problem))
			continue;
		if (remedy)
			*remedy = warnings[i].remedy;
		return warnings[i].text;
	}
	return NULL;
}

static json_t *cpus_json(const cpu_set_t *set)
{
	autofree char *text = topology_cpus_text(set);

	return *text ? json_string(text) : json_null();
}

static json_t *node_json(int node)
{
	return node >= 0 ? json_integer(node) : json_null();
}

json_t *placement_json(const struct placement *placement)
{
	static const char *const by[] = { "kernel", "host file", "hwloc" };
	json_t *vcpus = placement->by == PLACEMENT_KERNEL ? json_null() : json_array();

	for (unsigned int i = 0; i < placement->nr_vcpus && json_is_array(vcpus); i++)
		json_array_append_new(vcpus, json_integer(placement->vcpus[i]));
	return json_pack("{s:s, s:o, s:o, s:o, s:o, s:o, s:s?}", "by", by[placement->by], "vcpus",
			 vcpus, "others", cpus_json(&placement->others), "interrupts",
			 cpus_json(&placement->interrupts), "device_node",
			 node_json(placement->device_node), "memory_node",
			 node_json(placement->memory_node), "warning",
			 placement_warning(placement, NULL));
}
