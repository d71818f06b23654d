// SPDX-License-Identifier: GPL-2.0-only
/* Placement: how a host is read, and how its plan is carried out. */
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
/* What hwloc is told where the host is to be read. */
#define HOST "pack:2 [numa(memory=4294967296)] core:4 pu:2"

static void assert_cpus(const cpu_set_t *set, const char *text)
{
	autofree char *now = topology_cpus_text(set);

	assert_string_equal(now, text);
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
	assert_string_equal(json_string_value(json_object_get(json_object_get(json, "nvme"), "by")),
			    "hwloc");
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
	struct cell cell = { .mode = registry_mode("static"),
			     .device = registry_device("nvme"),
			     .workload = registry_workload("fio") };
	struct settings *mode = settings_new(cell.mode->settings);
	struct settings *device = settings_new(cell.device->settings);
	const struct host host = { 0 };
	const struct guest_config guest = { .memory_bytes = GIB, .cpus = 1 };
	struct placement placement = { .memory_node = 1 };
	autofree char *bound = NULL, *free_to_go = NULL, *huge = NULL;
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
	cell.mode = registry_mode("static-hugetlb");
	placement.memory_node = 1;
	assert_int_equal(boot_config(tree_root, &host, &guest, &placement, &cell, &config), 0);
	huge = vm_command_line(&config, "DIR");
	vm_config_free(&config);
	assert_non_null(strstr(huge, "memory-backend-memfd,id=ram0,size=1024M,hugetlb=on,"));
	assert_non_null(strstr(huge, "host-nodes=1,policy=bind"));
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
	assert_int_equal(journal_open(dir, 0, &journal), 0);
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
		TEST(test_load),       TEST(test_find_by_sysfs),   TEST(test_find_by_hwloc),
		TEST(test_unreadable), TEST(test_nodes_in_socket), TEST(test_nodes),
		TEST(test_host),       TEST(test_command_line),	   TEST(test_enter),
		TEST(test_interrupts),
	};

	return cmocka_run_group_tests_name("placing", tests, NULL, NULL);
}
