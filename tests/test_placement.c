// SPDX-License-Identifier: GPL-2.0-only
/* Placement: plans for hosts of all kinds, and what is told about them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "harness/placement.h"
#include "harness/util.h"

#define CPUS_MAX 64

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_node),      cmocka_unit_test(test_two_nodes_smt),
		cmocka_unit_test(test_little_room),   cmocka_unit_test(test_too_few_cpus),
		cmocka_unit_test(test_no_locality),   cmocka_unit_test(test_restricted),
		cmocka_unit_test(test_isolated),      cmocka_unit_test(test_host_file),
		cmocka_unit_test(test_bad_host_file), cmocka_unit_test(test_memory),
		cmocka_unit_test(test_text),	      cmocka_unit_test(test_warnings),
		cmocka_unit_test(test_json),
	};

	return cmocka_run_group_tests_name("placement", tests, NULL, NULL);
}
