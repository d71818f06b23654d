// SPDX-License-Identifier: GPL-2.0-only
/* Placement: plans for hosts of all kinds, how a host is read, and what is told about it. */
#include "tests/tree.h"

#include <hwloc.h>
#include <sched.h>

#include "bench/device.h"
#include "bench/mode.h"
#include "bench/registry.h"
#include "harness/boot.h"
#include "harness/config.h"
#include "harness/journal.h"
#include "harness/placing.h"

#define NVME "0000:5e:00.0"
#define CPUS_MAX 64
/* What hwloc is told where the host is to be read. */
#define HOST "pack:2 [numa(memory=4294967296)] core:4 pu:2"

/* --- made-up hosts --- */

struct fake {
	struct topology_cpu cpus[CPUS_MAX];
	struct topology_node nodes[4];
	struct topology topology;
	struct placement_request request;
	struct placement placement;
};

/*
 * As many PCs have it: first one CPU of each core, node by node, then their siblings in the same
 * order. All may be used, each node has 8 GiB, and the device is nowhere.
 */
static void fake_host(struct fake *fake, unsigned int nr_nodes, unsigned int cores,
		      unsigned int threads)
{
	unsigned int nr_cores = nr_nodes * cores;

	*fake = (struct fake){ 0 };
	for (unsigned int id = 0; id < nr_cores * threads; id++) {
		unsigned int core = id % nr_cores;

		fake->cpus[id] = (struct topology_cpu){ id, core, (int)(core / cores), false };
		CPU_SET(id, &fake->topology.allowed);
	}
	for (unsigned int i = 0; i < nr_nodes; i++)
		fake->nodes[i] = (struct topology_node){ (int)i, 8 * GIB };
	fake->topology.cpus = fake->cpus;
	fake->topology.nr_cpus = (size_t)nr_cores * threads;
	fake->topology.nodes = fake->nodes;
	fake->topology.nr_nodes = nr_nodes;
	fake->request = (struct placement_request){
		.topology = &fake->topology,
		.device.node = -1,
		.nr_vcpus = 1,
		.memory_bytes = GIB,
		.automatic = true,
	};
}

static void put_device(struct fake *fake, int node)
{
	fake->request.device.node = node;
	for (size_t i = 0; i < fake->topology.nr_cpus; i++)
		if (fake->cpus[i].node == node)
			CPU_SET(fake->cpus[i].id, &fake->request.device.cpus);
}

static void forbid(struct fake *fake, unsigned int first, unsigned int last)
{
	for (unsigned int id = first; id <= last; id++)
		CPU_CLR(id, &fake->topology.allowed);
}

static void isolate(struct fake *fake, unsigned int first, unsigned int last)
{
	forbid(fake, first, last);
	for (unsigned int id = first; id <= last; id++)
		fake->cpus[id].isolated = true;
}

static void assert_cpus(const cpu_set_t *set, const char *text)
{
	autofree char *now = topology_cpus_text(set);

	assert_string_equal(now, text);
}

/* Plans, and asserts the vCPUs' CPUs in order ("4,5"), all else's, and the interrupts'. */
static void assert_plan(struct fake *fake, const char *vcpus, const char *others,
			const char *interrupts)
{
	const struct placement *placement = &fake->placement;
	struct strbuf sb = { 0 };

	placement_plan(&fake->request, &fake->placement);
	strbuf_add(&sb, "", 0);
	for (unsigned int i = 0; placement->by != PLACEMENT_KERNEL && i < placement->nr_vcpus; i++)
		strbuf_addf(&sb, "%s%u", i ? "," : "", placement->vcpus[i]);
	assert_string_equal(sb.data, vcpus);
	free(sb.data);
	assert_cpus(&placement->others, others);
	assert_cpus(&placement->interrupts, interrupts);
}

/* --- plans --- */

static void test_one_node(void **state)
{
	struct fake fake;

	fake_host(&fake, 1, 8, 1);
	put_device(&fake, 0);
	assert_plan(&fake, "1", "0,2-7", "0,2-7");
	fake.request.nr_vcpus = 3;
	assert_plan(&fake, "1,2,3", "0,4-7", "0,4-7");
	assert_int_equal(fake.placement.by, PLACEMENT_HWLOC);
	assert_int_equal(fake.placement.memory_node, -1); /* nothing to choose from */
	assert_int_equal(fake.placement.problems, 0);
	/* CPU 0 only when nothing else is left that is near. */
	fake.request.nr_vcpus = 6;
	assert_plan(&fake, "1,2,3,4,5,6", "0,7", "0,7");
}

static void test_two_nodes_smt(void **state)
{
	struct fake fake;

	/* Node 0: CPUs 0-3 and 8-11; node 1: 4-7 and 12-15. */
	fake_host(&fake, 2, 4, 2);
	put_device(&fake, 1);
	fake.request.nr_vcpus = 2;
	assert_plan(&fake, "4,5", "6-7,14-15", "6-7,14-15");
	assert_int_equal(fake.placement.device_node, 1);
	assert_int_equal(fake.placement.vcpu_node, 1);
	assert_int_equal(fake.placement.memory_node, 1);
	assert_int_equal(fake.placement.problems, 0);
	/* All cores of the node for vCPUs: all else goes to the other node. */
	fake.request.nr_vcpus = 4;
	assert_plan(&fake, "4,5,6,7", "0-3,8-11", "0-3,8-11");
	assert_int_equal(fake.placement.problems, 0);
	/* Siblings before another node. */
	fake.request.nr_vcpus = 5;
	assert_plan(&fake, "4,5,6,7,12", "0-3,8-11", "0-3,8-11");
	assert_int_equal(fake.placement.problems, PLACEMENT_SHARED);
	/* More than the node has. */
	fake.request.nr_vcpus = 9;
	assert_plan(&fake, "4,5,6,7,12,13,14,15,1", "0,2-3,8,10-11", "0,2-3,8,10-11");
	assert_int_equal(fake.placement.problems, PLACEMENT_SHARED | PLACEMENT_FAR);
	assert_int_equal(fake.placement.vcpu_node, -1);
	/* On node 0 CPU 0's core is the last choice. */
	fake_host(&fake, 2, 4, 2);
	put_device(&fake, 0);
	fake.request.nr_vcpus = 3;
	assert_plan(&fake, "1,2,3", "0,8", "0,8");
}

static void test_little_room(void **state)
{
	struct fake fake;

	/* One near CPU is left: for interrupts, but all else needs two. */
	fake_host(&fake, 2, 4, 1);
	put_device(&fake, 1);
	fake.request.nr_vcpus = 3;
	assert_plan(&fake, "4,5,6", "0-3,7", "7");
	/* Only siblings of vCPUs' cores are left. */
	fake_host(&fake, 1, 2, 2);
	put_device(&fake, 0);
	fake.request.nr_vcpus = 2;
	assert_plan(&fake, "1,0", "2-3", "2-3");
	assert_int_equal(fake.placement.problems, 0);
}

static void assert_left_to_kernel(struct fake *fake, unsigned int problems)
{
	assert_plan(fake, "", "", "");
	assert_int_equal(fake->placement.by, PLACEMENT_KERNEL);
	assert_int_equal(fake->placement.memory_node, -1);
	assert_int_equal(fake->placement.problems, problems);
}

static void test_too_few_cpus(void **state)
{
	struct fake fake;

	fake_host(&fake, 1, 2, 1);
	put_device(&fake, 0);
	assert_left_to_kernel(&fake, PLACEMENT_FEW_CPUS);
	fake_host(&fake, 2, 4, 1);
	put_device(&fake, 1);
	fake.request.nr_vcpus = 7;
	assert_left_to_kernel(&fake, PLACEMENT_FEW_CPUS);
	/* No topology at all. */
	fake_host(&fake, 1, 4, 1);
	fake.topology.nr_cpus = fake.topology.nr_nodes = 0;
	assert_left_to_kernel(&fake, PLACEMENT_FEW_CPUS);
}

static void test_no_locality(void **state)
{
	struct fake fake;

	fake_host(&fake, 2, 4, 1);
	assert_plan(&fake, "1", "0,2-3", "0,2-3");
	assert_int_equal(fake.placement.memory_node, -1);
	assert_int_equal(fake.placement.problems, PLACEMENT_UNKNOWN);
	/* No NUMA information at all is no problem. */
	fake_host(&fake, 1, 4, 1);
	fake.topology.nr_nodes = 0;
	for (size_t i = 0; i < fake.topology.nr_cpus; i++)
		fake.cpus[i].node = -1;
	assert_plan(&fake, "1", "0,2-3", "0,2-3");
	assert_int_equal(fake.placement.problems, 0);
}

static void test_restricted(void **state)
{
	struct fake fake;

	/* taskset -c 0-3,6-7 */
	fake_host(&fake, 2, 4, 1);
	put_device(&fake, 1);
	forbid(&fake, 4, 5);
	assert_plan(&fake, "6", "0-3,7", "7");
	/* A cpuset without the device's node. */
	forbid(&fake, 6, 7);
	assert_plan(&fake, "1", "0,2-3", "0,2-3");
	assert_int_equal(fake.placement.problems, PLACEMENT_FAR);
}

static void test_isolated(void **state)
{
	struct fake fake;

	/* isolcpus=6,7: for vCPUs, and for nothing else. */
	fake_host(&fake, 1, 8, 1);
	put_device(&fake, 0);
	isolate(&fake, 6, 7);
	assert_plan(&fake, "6", "0-5", "0-5");
	fake.request.nr_vcpus = 3;
	assert_plan(&fake, "6,7,1", "0,2-5", "0,2-5");
	/* Near counts for more. */
	fake_host(&fake, 2, 4, 1);
	put_device(&fake, 0);
	isolate(&fake, 6, 7);
	assert_plan(&fake, "1", "0,2-3", "0,2-3");
}

static void test_host_file(void **state)
{
	struct fake fake;

	/* Two CPUs, and nothing else is to be placed: as the virtual lab is. */
	fake_host(&fake, 1, 2, 1);
	put_device(&fake, 0);
	fake.request.vcpu_cpu = 1;
	fake.request.automatic = false;
	assert_plan(&fake, "1", "0", "");
	assert_int_equal(fake.placement.by, PLACEMENT_HOST_FILE);
	assert_int_equal(fake.placement.problems, 0);
	fake.request.nr_vcpus = 2;
	forbid(&fake, 0, 0);
	assert_plan(&fake, "1,2", "", "");
	assert_int_equal(fake.placement.problems, PLACEMENT_NO_OTHERS);
	/* Without a topology the affinity alone counts. */
	fake_host(&fake, 1, 4, 1);
	fake.topology.nr_cpus = fake.topology.nr_nodes = 0;
	fake.request.vcpu_cpu = 2;
	fake.request.automatic = false;
	assert_plan(&fake, "2", "0-1,3", "");
	/* CPUs that nobody has ever seen. */
	fake.request.vcpu_cpu = 4095;
	assert_plan(&fake, "4095", "0-3", "");
}

static void test_bad_host_file(void **state)
{
	struct fake fake;

	fake_host(&fake, 2, 4, 2);
	put_device(&fake, 1);
	fake.request.vcpu_cpu = 1;
	fake.request.nr_vcpus = 2;
	assert_plan(&fake, "1,2", "0,3-15", "4-7,12-15");
	assert_int_equal(fake.placement.problems, PLACEMENT_FAR);
	assert_int_equal(fake.placement.memory_node, 1);
	/* Siblings next to each other, as some hosts count them. */
	fake.cpus[5].core = fake.cpus[4].core;
	fake.request.vcpu_cpu = 4;
	placement_plan(&fake.request, &fake.placement);
	assert_int_equal(fake.placement.problems, PLACEMENT_SHARED);
	/* Off where it would matter. */
	fake.request.vcpu_cpu = 0;
	fake.request.automatic = false;
	assert_left_to_kernel(&fake, PLACEMENT_OFF);
}

static void test_memory(void **state)
{
	struct fake fake;

	fake_host(&fake, 2, 4, 1);
	put_device(&fake, 1);
	fake.request.memory_bytes = 9 * GIB;
	assert_plan(&fake, "4", "5-7", "5-7");
	assert_int_equal(fake.placement.memory_node, -1);
	assert_int_equal(fake.placement.problems, PLACEMENT_MEMORY);
	fake.nodes[1].free_bytes = 10 * GIB;
	placement_plan(&fake.request, &fake.placement);
	assert_int_equal(fake.placement.memory_node, 1);
}

/* --- told --- */

static void test_text(void **state)
{
	autofree char *text = NULL, *kernel = NULL;
	const char *remedy = NULL;
	struct fake fake;

	fake_host(&fake, 2, 4, 1);
	put_device(&fake, 1);
	fake.request.nr_vcpus = 2;
	placement_plan(&fake.request, &fake.placement);
	text = placement_text(&fake.placement);
	assert_string_equal(text, "device on node 1, 2 vCPUs on CPUs 4-5 (node 1), memory on node "
				  "1, interrupts on CPUs 6-7, all else on CPUs 6-7");
	assert_null(placement_warning(&fake.placement, &remedy));
	fake.request.nr_vcpus = 7;
	placement_plan(&fake.request, &fake.placement);
	kernel = placement_text(&fake.placement);
	assert_string_equal(kernel, "device on node 1, vCPUs and memory placed by the kernel");
	assert_non_null(strstr(placement_warning(&fake.placement, &remedy), "too few CPUs"));
	assert_non_null(strstr(remedy, "fewer vCPUs"));
}

/* Every problem has its words, the worst first. */
static void test_warnings(void **state)
{
	for (unsigned int bit = PLACEMENT_FAR; bit <= PLACEMENT_OFF; bit <<= 1) {
		const struct placement placement = { .problems = bit };
		const struct placement worse = { .problems = bit | PLACEMENT_FAR };
		const char *remedy = NULL;

		assert_non_null(placement_warning(&placement, &remedy));
		assert_non_null(remedy);
		assert_non_null(strstr(placement_warning(&worse, &remedy), "another node"));
	}
}

static void assert_json(const json_t *json, const char *key, const char *text)
{
	autofree char *now = json_dumps(json_object_get(json, key), JSON_ENCODE_ANY);

	assert_non_null(now);
	assert_string_equal(now, text);
}

static void test_json(void **state)
{
	struct fake fake;
	json_t *json;

	fake_host(&fake, 2, 4, 1);
	put_device(&fake, 1);
	fake.request.nr_vcpus = 2;
	placement_plan(&fake.request, &fake.placement);
	json = placement_json(&fake.placement);
	assert_json(json, "by", "\"hwloc\"");
	assert_json(json, "vcpus", "[4, 5]");
	assert_json(json, "others", "\"6-7\"");
	assert_json(json, "interrupts", "\"6-7\"");
	assert_json(json, "device_node", "1");
	assert_json(json, "memory_node", "1");
	assert_json(json, "warning", "null");
	json_decref(json);
	fake.request.automatic = false;
	placement_plan(&fake.request, &fake.placement);
	json = placement_json(&fake.placement);
	assert_json(json, "by", "\"kernel\"");
	assert_json(json, "vcpus", "null");
	assert_json(json, "others", "null");
	assert_json(json, "memory_node", "null");
	assert_true(json_is_string(json_object_get(json, "warning")));
	json_decref(json);
}

/* --- read --- */

static int setup(void **state)
{
	if (tree_setup(state))
		return -1;
	setenv("HWLOC_SYNTHETIC", HOST, 1);
	tree_put("sys/bus/pci/devices/" NVME "/numa_node", "1\n");
	tree_put("sys/bus/pci/devices/" NVME "/local_cpulist", "8-15\n");
	return 0;
}

static int teardown(void **state)
{
	unsetenv("HWLOC_SYNTHETIC");
	unsetenv("HWLOC_XMLFILE");
	return tree_teardown(state);
}

static void test_load(void **state)
{
	struct topology topology;

	tree_put("sys/devices/system/cpu/isolated", "2-3,9\n");
	topology_load(&topology);
	assert_int_equal(topology.nr_cpus, 16);
	assert_int_equal(topology.nr_nodes, 2);
	assert_int_equal(topology.nodes[1].id, 1);
	assert_true(topology.nodes[1].free_bytes == 4 * GIB);
	for (unsigned int i = 0; i < 16; i++) {
		assert_int_equal(topology.cpus[i].id, i);
		assert_int_equal(topology.cpus[i].core, i / 2);
		assert_int_equal(topology.cpus[i].node, i / 8);
		assert_int_equal(topology.cpus[i].isolated, i == 2 || i == 3 || i == 9);
	}
	assert_cpus(&topology.allowed, "0-1,4-8,10-15");
	topology_free(&topology);
	topology_free(&topology);
}

static void test_find_by_sysfs(void **state)
{
	struct topology topology;
	struct topology_spot spot;

	topology_load(&topology);
	topology_find(&topology, NVME, &spot);
	assert_int_equal(spot.node, 1);
	assert_cpus(&spot.cpus, "8-15");
	tree_remove("sys/bus/pci/devices/" NVME "/local_cpulist");
	topology_find(&topology, NVME, &spot);
	assert_cpus(&spot.cpus, "8-15");
	/* Firmware that says nothing: the kernel calls all CPUs local. */
	tree_put("sys/bus/pci/devices/" NVME "/numa_node", "-1\n");
	tree_put("sys/bus/pci/devices/" NVME "/local_cpulist", "0-15\n");
	topology_find(&topology, NVME, &spot);
	assert_int_equal(spot.node, -1);
	assert_cpus(&spot.cpus, "");
	topology_find(&topology, "0000:77:00.0", &spot);
	assert_int_equal(spot.node, -1);
	topology_free(&topology);
}

/* A host as XML, with the drive below the first object that is written so. */
static void put_xml(const char *host, const char *parent)
{
	static const char drive[] =
		"<object type=\"Bridge\" gp_index=\"900\" bridge_type=\"0-1\" depth=\"0\" "
		"bridge_pci=\"0000:[5e-5e]\"><object type=\"PCIDev\" gp_index=\"901\" "
		"pci_busid=\"" NVME "\" pci_type=\"0108 [8086:0953] [8086:3702] 01\" "
		"pci_link_speed=\"0.000000\"/></object>";
	autofree char *path = tree_path("host.xml"), *text = NULL;
	struct strbuf sb = { 0 };
	hwloc_topology_t hwloc;
	char *xml, *at;
	int len;

	assert_int_equal(hwloc_topology_init(&hwloc), 0);
	assert_int_equal(hwloc_topology_set_synthetic(hwloc, host), 0);
	assert_int_equal(hwloc_topology_load(hwloc), 0);
	assert_int_equal(hwloc_topology_export_xmlbuffer(hwloc, &xml, &len, 0), 0);
	text = xstrdup(xml);
	hwloc_free_xmlbuffer(hwloc, xml);
	hwloc_topology_destroy(hwloc);
	at = strstr(text, parent);
	assert_non_null(at);
	at = strstr(at + 1, "<object"); /* its first child */
	assert_non_null(at);
	strbuf_add(&sb, text, (size_t)(at - text));
	strbuf_addf(&sb, "%s%s", drive, at);
	assert_int_equal(file_write(path, sb.data, true), 0);
	free(sb.data);
	unsetenv("HWLOC_SYNTHETIC");
	setenv("HWLOC_XMLFILE", path, 1);
}

static void test_find_by_hwloc(void **state)
{
	struct topology topology;
	struct topology_spot spot;

	tree_remove("sys/bus/pci/devices");
	put_xml(HOST, "<object type=\"Package\" os_index=\"1\"");
	topology_load(&topology);
	assert_int_equal(topology.nr_cpus, 16);
	topology_find(&topology, NVME, &spot);
	assert_int_equal(spot.node, 1);
	assert_cpus(&spot.cpus, "8-15");
	topology_free(&topology);
	/* Near to everything. */
	put_xml(HOST, "<object type=\"Machine\"");
	topology_load(&topology);
	assert_int_equal(topology.nr_cpus, 16);
	topology_find(&topology, NVME, &spot);
	assert_int_equal(spot.node, -1);
	assert_cpus(&spot.cpus, "");
	topology_free(&topology);
}

/* What hwloc cannot read leaves nothing to place. */
static void test_unreadable(void **state)
{
	struct topology topology;

	autofree char *path = tree_path("host.xml");

	tree_put("host.xml", "<?xml version=\"1.0\"?>\n<!DOCTYPE topology SYSTEM \"hwloc2.dtd\">\n"
			     "<topology version=\"2.0\"><object type=\"Core\"/></topology>\n");
	unsetenv("HWLOC_SYNTHETIC");
	setenv("HWLOC_XMLFILE", path, 1);
	topology_load(&topology);
	assert_int_equal(topology.nr_cpus, 0);
	topology_free(&topology);
}

/* hwloc knows the socket only; the firmware may have told the kernel more. */
static void test_nodes_in_socket(void **state)
{
	struct topology topology;
	struct topology_spot spot;

	put_xml("pack:2 group:2 [numa] core:2 pu:2", "<object type=\"Package\" os_index=\"1\"");
	tree_put("sys/bus/pci/devices/" NVME "/numa_node", "3\n");
	tree_put("sys/bus/pci/devices/" NVME "/local_cpulist", "12-15\n");
	topology_load(&topology);
	topology_find(&topology, NVME, &spot);
	assert_int_equal(spot.node, 3);
	assert_cpus(&spot.cpus, "12-15");
	tree_remove("sys/bus/pci/devices");
	topology_find(&topology, NVME, &spot);
	assert_int_equal(spot.node, -1);
	assert_cpus(&spot.cpus, "8-15");
	topology_free(&topology);
}

static void test_nodes(void **state)
{
	assert_int_equal(topology_count_nodes(), 1);
	tree_put("sys/devices/system/node/online", "0-1,4\n");
	assert_int_equal(topology_count_nodes(), 3);
	tree_put("sys/devices/system/node/online", "0\n");
	assert_int_equal(topology_count_nodes(), 1);
}

/* From the host file's words to the plans of its devices. */
static void test_host(void **state)
{
	static char nvme[] = "nvme", address[] = NVME;
	struct host_device device = { .kind = nvme, .address = address };
	struct host host = { .devices = &device, .nr_devices = 1, .placement = true };
	const struct guest_config guest = { .memory_bytes = GIB, .cpus = 2 };
	struct placements placements;
	const struct placement *placement;
	json_t *json;

	placements_make(&host, &guest, &placements);
	placement = placements_find(&placements, &host, "nvme");
	assert_non_null(placement);
	assert_null(placements_find(&placements, &host, "nic"));
	assert_int_equal(placement->vcpus[0], 8);
	assert_int_equal(placement->vcpus[1], 10);
	assert_cpus(&placement->others, "12-15");
	assert_int_equal(placement->memory_node, 1);
	json = placements_json(&placements, &host);
	assert_json(json_object_get(json, "nvme"), "by", "\"hwloc\"");
	json_decref(json);
	placements_free(&placements);
	/* Off, on one node: nothing is read, nothing moves. */
	host.placement = false;
	placements_make(&host, &guest, &placements);
	assert_int_equal(placements.items[0].by, PLACEMENT_KERNEL);
	assert_int_equal(placements.items[0].problems, 0);
	placing_enter(&placements.items[0]);
	placing_enter(NULL);
	assert_int_equal(placing_pin_vcpus(NULL, &placements.items[0]), 0);
	assert_int_equal(placing_pin_vcpus(NULL, NULL), 0);
	placements_free(&placements);
}

/* Guest memory is bound where the plan says so, and as ever elsewhere. */
static void test_command_line(void **state)
{
	struct cell cell = { .mode = registry_mode("static"), .device = registry_device("nvme") };
	struct settings *mode = settings_new(cell.mode->settings);
	struct settings *device = settings_new(cell.device->settings);
	const struct host host = { 0 };
	const struct guest_config guest = { .memory_bytes = GIB, .cpus = 1 };
	struct placement placement = { .memory_node = 1 };
	autofree char *bound = NULL, *free_to_go = NULL;
	struct vm_config config;

	cell.mode_settings = mode;
	cell.device_settings = device;
	tree_put("kernel/vmlinuz", "");
	tree_put("images/guest.cpio", "");
	tree_put("images/guest.erofs", "");
	assert_int_equal(boot_config(tree_root, &host, &guest, &placement, &cell, &config), 0);
	bound = vm_command_line(&config, "DIR");
	vm_config_free(&config);
	assert_non_null(strstr(bound, "-m 1024M"));
	assert_non_null(strstr(bound, "memory-backend-ram,id=ram0,size=1024M,host-nodes=1,"
				      "policy=bind"));
	assert_non_null(strstr(bound, "memory-backend=ram0"));
	placement.memory_node = -1;
	assert_int_equal(boot_config(tree_root, &host, &guest, &placement, &cell, &config), 0);
	free_to_go = vm_command_line(&config, "DIR");
	vm_config_free(&config);
	assert_null(strstr(free_to_go, "memory-backend"));
	settings_free(mode);
	settings_free(device);
}

static void test_enter(void **state)
{
	struct placement placement = { .by = PLACEMENT_HWLOC, .memory_node = -1 };
	cpu_set_t before, now;
	size_t first = 0;

	assert_int_equal(sched_getaffinity(0, sizeof(before), &before), 0);
	while (!CPU_ISSET(first, &before))
		first++;
	placing_enter(&placement); /* no other CPUs: stays */
	assert_int_equal(sched_getaffinity(0, sizeof(now), &now), 0);
	assert_true(CPU_EQUAL(&before, &now));
	CPU_SET(first, &placement.others);
	placing_enter(&placement);
	assert_int_equal(sched_getaffinity(0, sizeof(now), &now), 0);
	assert_true(CPU_EQUAL(&placement.others, &now));
	assert_int_equal(sched_setaffinity(0, sizeof(before), &before), 0);
}

/* --- interrupts --- */

static void test_interrupts(void **state)
{
	static char nic[] = "nic", address[] = NVME, peer[] = "0000:5e:00.1";
	const struct host_device device = { .kind = nic, .address = address, .peer = peer };
	struct placement placement = { .by = PLACEMENT_HWLOC };
	autofree char *dir = tree_path("journal");
	struct journal *journal;

	tree_put("proc/sys/kernel/random/boot_id", "one\n");
	tree_put("sys/bus/pci/devices/" NVME "/msi_irqs/40", "msix\n");
	tree_put("sys/bus/pci/devices/" NVME "/msi_irqs/41", "msix\n");
	tree_put("sys/bus/pci/devices/0000:5e:00.1/msi_irqs/50", "msix\n");
	tree_put("proc/irq/40/smp_affinity_list", "0-15\n");
	tree_put("proc/irq/50/smp_affinity_list", "0-15\n"); /* 41 is on its way out */
	assert_int_equal(journal_open(dir, &journal), 0);
	placing_interrupts(journal, &device, &placement);
	placing_interrupts(journal, &device, NULL);
	tree_assert("proc/irq/40/smp_affinity_list", "0-15\n");
	CPU_SET(2, &placement.interrupts);
	CPU_SET(6, &placement.others);
	CPU_SET(7, &placement.others);
	placing_interrupts(journal, &device, &placement);
	placing_interrupts(journal, &device, &placement);
	tree_assert("proc/irq/40/smp_affinity_list", "2");
	tree_assert("proc/irq/50/smp_affinity_list", "6-7");
	/* The guest is gone; its interrupt's number is another device's now. */
	tree_remove("sys/bus/pci/devices/" NVME "/msi_irqs/40");
	assert_int_equal(journal_close(journal), 0);
	tree_assert("proc/irq/40/smp_affinity_list", "2");
	tree_assert("proc/irq/50/smp_affinity_list", "0-15");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_node),
		cmocka_unit_test(test_two_nodes_smt),
		cmocka_unit_test(test_little_room),
		cmocka_unit_test(test_too_few_cpus),
		cmocka_unit_test(test_no_locality),
		cmocka_unit_test(test_restricted),
		cmocka_unit_test(test_isolated),
		cmocka_unit_test(test_host_file),
		cmocka_unit_test(test_bad_host_file),
		cmocka_unit_test(test_memory),
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_warnings),
		cmocka_unit_test(test_json),
		TEST(test_load),
		TEST(test_find_by_sysfs),
		TEST(test_find_by_hwloc),
		TEST(test_unreadable),
		TEST(test_nodes_in_socket),
		TEST(test_nodes),
		TEST(test_host),
		TEST(test_command_line),
		TEST(test_enter),
		TEST(test_interrupts),
	};

	return cmocka_run_group_tests_name("placement", tests, NULL, NULL);
}
