// SPDX-License-Identifier: GPL-2.0-only
/* The host's CPUs and NUMA nodes as hwloc sees them; what it does not know, sysfs may. */
#include "harness/topology.h"

#include <errno.h>
#include <hwloc.h>
#include <hwloc/glibc-sched.h>
#include <numa.h>
#include <string.h>

#include "harness/log.h"
#include "harness/pci.h"
#include "harness/util.h"

/* The list in a file of sysfs ("0-3,7") as a set; false: there is none. */
static bool read_list(const char *name, hwloc_bitmap_t set)
{
	autofree char *path = xasprintf("%s/%s", sysfs_root, name);
	autofree char *text = file_read_trimmed(path);

	return text && *text && !hwloc_bitmap_list_sscanf(set, text);
}

static void to_cpu_set(const struct topology *topology, hwloc_const_bitmap_t from, cpu_set_t *to)
{
	CPU_ZERO(to);
	for (size_t i = 0; i < topology->nr_cpus; i++)
		if (hwloc_bitmap_isset(from, topology->cpus[i].id))
			CPU_SET(topology->cpus[i].id, to);
}

/* --- reading --- */

/*
 * All PCI devices, not only those that hwloc thinks important; no plug-in that would start a GPU's
 * runtime to find out about its OS devices.
 */
static int open_hwloc(hwloc_topology_t *out)
{
	hwloc_topology_t hwloc;

	if (hwloc_topology_init(&hwloc))
		return -errno;
	hwloc_topology_set_io_types_filter(hwloc, HWLOC_TYPE_FILTER_KEEP_ALL);
	hwloc_topology_set_type_filter(hwloc, HWLOC_OBJ_OS_DEVICE, HWLOC_TYPE_FILTER_KEEP_NONE);
	if (hwloc_topology_load(hwloc)) {
		int ret = errno ? -errno : -EIO;

		hwloc_topology_destroy(hwloc);
		return ret;
	}
	*out = hwloc;
	return 0;
}

/* Of nodes with the same CPUs (a second kind of memory), the first is theirs. */
static int node_of(hwloc_topology_t hwloc, unsigned int cpu)
{
	hwloc_obj_t node = NULL;

	while ((node = hwloc_get_next_obj_by_type(hwloc, HWLOC_OBJ_NUMANODE, node)))
		if (hwloc_bitmap_isset(node->cpuset, cpu))
			return (int)node->os_index;
	return -1;
}

static int compare_cpus(const void *a, const void *b)
{
	const struct topology_cpu *cpu_a = a, *cpu_b = b;

	return cpu_a->id < cpu_b->id ? -1 : cpu_a->id > cpu_b->id;
}

/* Where hwloc knows no cores, each CPU counts as one. */
static void read_cpus(struct topology *topology)
{
	int nr = hwloc_get_nbobjs_by_type(topology->hwloc, HWLOC_OBJ_PU);
	hwloc_bitmap_t isolated = hwloc_bitmap_alloc();
	hwloc_obj_t pu = NULL;

	read_list("devices/system/cpu/isolated", isolated);
	topology->cpus = xzalloc((size_t)(nr > 0 ? nr : 1) * sizeof(*topology->cpus));
	while ((pu = hwloc_get_next_obj_by_type(topology->hwloc, HWLOC_OBJ_PU, pu))) {
		hwloc_obj_t core =
			hwloc_get_ancestor_obj_by_type(topology->hwloc, HWLOC_OBJ_CORE, pu);

		if (pu->os_index >= CPU_SETSIZE)
			continue;
		topology->cpus[topology->nr_cpus++] = (struct topology_cpu){
			.id = pu->os_index,
			.core = core ? core->logical_index : CPU_SETSIZE + pu->logical_index,
			.node = node_of(topology->hwloc, pu->os_index),
			.isolated = hwloc_bitmap_isset(isolated, pu->os_index),
		};
	}
	qsort(topology->cpus, topology->nr_cpus, sizeof(*topology->cpus), compare_cpus);
	hwloc_bitmap_free(isolated);
}

/* Of a topology that is not this machine's (a test's), all memory counts as free. */
static uint64_t free_bytes(hwloc_topology_t hwloc, hwloc_obj_t node)
{
	long long unused = -1;

	if (!hwloc_topology_is_thissystem(hwloc))
		return node->attr->numanode.local_memory;
	if (numa_available() >= 0)
		numa_node_size64((int)node->os_index, &unused);
	return unused > 0 ? (uint64_t)unused : 0;
}

static void read_nodes(struct topology *topology)
{
	int nr = hwloc_get_nbobjs_by_type(topology->hwloc, HWLOC_OBJ_NUMANODE);
	hwloc_obj_t node = NULL;

	topology->nodes = xzalloc((size_t)(nr > 0 ? nr : 1) * sizeof(*topology->nodes));
	while ((node = hwloc_get_next_obj_by_type(topology->hwloc, HWLOC_OBJ_NUMANODE, node)))
		if (!hwloc_bitmap_iszero(node->cpuset))
			topology->nodes[topology->nr_nodes++] =
				(struct topology_node){ (int)node->os_index,
							free_bytes(topology->hwloc, node) };
}

/* What taskset and cpusets leave us counts; no task of ours is to be stuck on an isolated CPU. */
static void read_allowed(struct topology *topology)
{
	cpu_set_t own;
	bool here = hwloc_topology_is_thissystem(topology->hwloc) &&
		    !sched_getaffinity(0, sizeof(own), &own);

	CPU_ZERO(&topology->allowed);
	for (size_t i = 0; i < topology->nr_cpus; i++) {
		const struct topology_cpu *cpu = &topology->cpus[i];

		if (!cpu->isolated && (!here || CPU_ISSET(cpu->id, &own)))
			CPU_SET(cpu->id, &topology->allowed);
	}
}

void topology_load(struct topology *topology)
{
	int ret;

	*topology = (struct topology){ 0 };
	ret = open_hwloc(&topology->hwloc);
	if (ret) {
		log_warn("the host's topology cannot be read: %s", strerror(-ret));
		return;
	}
	read_cpus(topology);
	read_nodes(topology);
	read_allowed(topology);
}

void topology_free(struct topology *topology)
{
	if (topology->hwloc)
		hwloc_topology_destroy(topology->hwloc);
	free(topology->cpus);
	free(topology->nodes);
	*topology = (struct topology){ 0 };
}

/* --- a device --- */

/* The node that all these CPUs are on, or -1. */
static int common_node(const struct topology *topology, const cpu_set_t *cpus)
{
	int node = -1;

	for (size_t i = 0; i < topology->nr_cpus; i++) {
		const struct topology_cpu *cpu = &topology->cpus[i];

		if (!CPU_ISSET(cpu->id, cpus))
			continue;
		if (cpu->node < 0 || (node >= 0 && cpu->node != node))
			return -1;
		node = cpu->node;
	}
	return node;
}

/*
 * A socket may have several nodes, and then sysfs may know which one. A device near to all CPUs
 * is near to none.
 */
static bool find_by_hwloc(const struct topology *topology, const char *bdf,
			  struct topology_spot *spot)
{
	hwloc_obj_t device = hwloc_get_pcidev_by_busidstring(topology->hwloc, bdf);
	hwloc_obj_t near = device ? hwloc_get_non_io_ancestor_obj(topology->hwloc, device) : NULL;

	if (!near)
		return false;
	to_cpu_set(topology, near->cpuset, &spot->cpus);
	spot->node = common_node(topology, &spot->cpus);
	if (spot->node < 0 && (size_t)CPU_COUNT(&spot->cpus) == topology->nr_cpus)
		CPU_ZERO(&spot->cpus);
	return spot->node >= 0;
}

static void find_by_sysfs(const struct topology *topology, const char *bdf,
			  struct topology_spot *spot)
{
	autofree char *list = xasprintf("bus/pci/devices/%s/local_cpulist", bdf);
	autofree char *path = xasprintf("%s/bus/pci/devices/%s/numa_node", sysfs_root, bdf);
	autofree char *node = file_read_trimmed(path);
	hwloc_bitmap_t set = hwloc_bitmap_alloc();

	/* Of a device without a node, local_cpulist names all CPUs. */
	if (node && *node != '-')
		spot->node = (int)strtol(node, NULL, 10);
	if (spot->node >= 0 && read_list(list, set))
		to_cpu_set(topology, set, &spot->cpus);
	hwloc_bitmap_free(set);
}

void topology_find(const struct topology *topology, const char *bdf, struct topology_spot *spot)
{
	spot->node = -1;
	CPU_ZERO(&spot->cpus);
	if (!topology->hwloc || !find_by_hwloc(topology, bdf, spot))
		find_by_sysfs(topology, bdf, spot);
	if (spot->node < 0 && topology->nr_nodes == 1)
		spot->node = topology->nodes[0].id;
	if (CPU_COUNT(&spot->cpus))
		return;
	for (size_t i = 0; i < topology->nr_cpus; i++)
		if (spot->node >= 0 && topology->cpus[i].node == spot->node)
			CPU_SET(topology->cpus[i].id, &spot->cpus);
}

/* --- small ones --- */

size_t topology_count_nodes(void)
{
	hwloc_bitmap_t set = hwloc_bitmap_alloc();
	int nr = read_list("devices/system/node/online", set) ? hwloc_bitmap_weight(set) : 1;

	hwloc_bitmap_free(set);
	return nr > 1 ? (size_t)nr : 1;
}

char *topology_cpus_text(const cpu_set_t *cpus)
{
	struct strbuf sb = { 0 };

	strbuf_add(&sb, "", 0);
	for (size_t first = 0; first < CPU_SETSIZE; first++) {
		size_t last = first;

		if (!CPU_ISSET(first, cpus))
			continue;
		while (last + 1 < CPU_SETSIZE && CPU_ISSET(last + 1, cpus))
			last++;
		strbuf_addf(&sb, "%s%zu", sb.len ? "," : "", first);
		if (last > first)
			strbuf_addf(&sb, "-%zu", last);
		first = last;
	}
	return sb.data;
}
