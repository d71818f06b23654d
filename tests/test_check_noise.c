// SPDX-License-Identifier: GPL-2.0-only
/* Preflight: what can spoil figures, on a fake host. */
#include "tests/check_host.h"

#define CPU "sys/devices/system/cpu/"
#define NODE "sys/devices/system/node/"

static void test_cpu(void **state)
{
	assert_item("governor", CHECK_OK, "does not scale");
	assert_item("turbo", CHECK_OK, "not to be seen");
	assert_item("idle", CHECK_OK, "no idle states");
	assert_item("smt", CHECK_OK, "off");
	tree_put(CPU "cpufreq/policy0/scaling_governor", "performance\n");
	assert_item("governor", CHECK_OK, "performance");
	tree_put(CPU "cpufreq/policy3/scaling_governor", "powersave\n");
	assert_item("governor", CHECK_WARN, "powersave");
	assert_item("governor", CHECK_WARN, "settings: { governor: performance }");
	tree_put(CPU "cpufreq/boost", "1\n");
	assert_item("turbo", CHECK_WARN, "cpufreq/boost");
	tree_put(CPU "cpufreq/boost", "0\n");
	assert_item("turbo", CHECK_OK, "off");
	/* Intel's driver says it the other way round. */
	tree_put(CPU "intel_pstate/no_turbo", "0\n");
	assert_item("turbo", CHECK_WARN, "settings: { turbo: off }");
	tree_put(CPU "intel_pstate/no_turbo", "1\n");
	assert_item("turbo", CHECK_OK, "off");
}

static void put_state(const char *state, const char *name, const char *latency, const char *disable)
{
	autofree char *name_file = xasprintf(CPU "cpu0/cpuidle/%s/name", state);
	autofree char *latency_file = xasprintf(CPU "cpu0/cpuidle/%s/latency", state);
	autofree char *disable_file = xasprintf(CPU "cpu0/cpuidle/%s/disable", state);

	tree_put(name_file, name);
	tree_put(latency_file, latency);
	tree_put(disable_file, disable);
}

static void test_idle(void **state)
{
	put_state("state0", "POLL\n", "0\n", "0\n");
	put_state("state1", "C1\n", "2\n", "0\n");
	assert_item("idle", CHECK_OK, "longer than 2 us");
	put_state("state2", "C6\n", "133\n", "0\n");
	assert_item("idle", CHECK_WARN, "state C6 takes 133 us");
	put_state("state2", "C6\n", "133\n", "1\n");
	assert_item("idle", CHECK_OK, "longer than 2 us");
}

static void test_smt(void **state)
{
	tree_put(CPU "smt/active", "1\n");
	assert_item("smt", CHECK_WARN, "without placement");
	host_settings.placement = true;
	assert_item("smt", CHECK_OK, "cores of their own");
	tree_put(CPU "smt/active", "0\n");
	assert_item("smt", CHECK_OK, "off");
}

static void test_memory(void **state)
{
	tree_put("proc/sys/kernel/numa_balancing", "1\n");
	assert_item("numa", CHECK_WARN, "sysctl");
	tree_put("sys/kernel/mm/transparent_hugepage/enabled", "[always] madvise never\n");
	assert_item("thp", CHECK_WARN, "khugepaged");
	tree_remove("sys/kernel/mm/transparent_hugepage/enabled");
	assert_item("thp", CHECK_OK, "has no transparent huge pages");
	assert_item("ksm", CHECK_OK, "none");
	tree_put("sys/kernel/mm/ksm/run", "1\n");
	assert_item("ksm", CHECK_WARN, "merged");
	tree_put("sys/kernel/mm/ksm/run", "0\n");
	assert_item("ksm", CHECK_OK, "off");
	tree_put("proc/meminfo",
		 "MemAvailable: 4194304 kB\nSwapTotal: 2048 kB\nSwapFree: 1024 kB\n");
	assert_item("swap", CHECK_WARN, "1.0 MiB");
	tree_put("proc/meminfo", "MemAvailable: 4194304 kB\nSwapTotal: 0 kB\nSwapFree: 0 kB\n");
	assert_item("swap", CHECK_OK, "none");
}

static void test_hugepages(void **state)
{
	assert_item("hugepages", CHECK_OK, "none");
	tree_put(NODE "online", "0-1\n");
	tree_put(NODE "node0/hugepages/hugepages-2048kB/nr_hugepages", "512\n");
	tree_put(NODE "node0/hugepages/hugepages-2048kB/free_hugepages", "500\n");
	tree_put(NODE "node0/hugepages/hugepages-1048576kB/nr_hugepages", "0\n");
	assert_item("hugepages", CHECK_OK, "node0: 500 of 512 free (2.0 MiB)");
	tree_put(NODE "node1/hugepages/hugepages-2048kB/nr_hugepages", "0\n");
	assert_item("hugepages", CHECK_WARN, "not every node");
	tree_put(NODE "node1/hugepages/hugepages-2048kB/nr_hugepages", "8\n");
	tree_put(NODE "node1/hugepages/hugepages-2048kB/free_hugepages", "8\n");
	assert_item("hugepages", CHECK_OK, "node1: 8 of 8 free");
}

static void test_load(void **state)
{
	tree_put("proc/345/comm", "qemu-system-x86\n");
	assert_item("leftover", CHECK_WARN, "kill 345");
	tree_put("proc/345/comm", "qemu-kvm\n");
	assert_item("leftover", CHECK_WARN, "kill 345");
	tree_put("proc/346/comm", "irqbalance\n");
	assert_item("leftover", CHECK_WARN, "kill 345");
	assert_item("irq", CHECK_OK, "placement: off");
	host_settings.placement = true;
	assert_item("irq", CHECK_WARN, "process 346");
	tree_put("proc/loadavg", "4000.0 0.05 0.01 1/100 999\n");
	assert_item("load", CHECK_WARN, "4000.0");
	assert_item("pressure", CHECK_OK, "does not tell");
	tree_put("proc/pressure/cpu", "some avg10=3.10 avg60=0.00 avg300=0.00 total=1\n");
	tree_put("proc/pressure/io", "some avg10=4.25 avg60=99.00 avg300=0.00 total=1\n"
				     "full avg10=99.00 avg60=0.00 avg300=0.00 total=1\n");
	assert_item("pressure", CHECK_OK, "4.2 % waiting (io)");
	tree_put("proc/pressure/memory", "some avg10=55.00 avg60=0.00 avg300=0.00 total=1\n");
	assert_item("pressure", CHECK_WARN, "waited for memory");
}

/* What the host file sets for runs is nothing to warn of. */
static void test_settings(void **state)
{
	char *why = NULL;

	tree_put(CPU "cpufreq/policy0/scaling_governor", "powersave\n");
	tree_put("sys/kernel/mm/ksm/run", "1\n");
	host_settings.tuning = settings_new(tuning_table);
	assert_int_equal(settings_set(host_settings.tuning, "governor", "performance", &why), 0);
	assert_item("governor", CHECK_OK, "runs set it: performance");
	assert_item("ksm", CHECK_WARN, "settings: { ksm: off }");
	settings_free(host_settings.tuning);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		CHECK_TEST(test_cpu),	   CHECK_TEST(test_idle),      CHECK_TEST(test_smt),
		CHECK_TEST(test_memory),   CHECK_TEST(test_hugepages), CHECK_TEST(test_load),
		CHECK_TEST(test_settings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
