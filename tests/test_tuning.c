// SPDX-License-Identifier: GPL-2.0-only
/* Settings that a host file asks for: made through the journal, put back, refused by file and line.
 */
#include "tests/tree.h"

#include <errno.h>

#include "harness/config.h"
#include "tests/fake_host.h"
#include "tests/fake_kernel.h"

#define CPU "sys/devices/system/cpu/"
#define GOVERNOR(n) CPU "cpufreq/policy" n "/scaling_governor"
#define STATE(cpu, n) CPU "cpu" cpu "/cpuidle/state" n "/"

static struct host *host;

static int setup(void **state)
{
	if (fake_host_setup(state))
		return -1;
	tree_put(CPU "smt/control", "on\n");
	tree_put(GOVERNOR("0"), "powersave\n");
	tree_put(GOVERNOR("1"), "performance\n");
	tree_put(CPU "cpufreq/policy0/scaling_available_governors", "performance powersave \n");
	tree_put(CPU "intel_pstate/no_turbo", "0\n");
	tree_put("sys/kernel/mm/ksm/run", "1\n");
	tree_put("proc/sys/kernel/numa_balancing", "1\n");
	tree_put(STATE("0", "0") "latency", "0\n");
	tree_put(STATE("0", "0") "disable", "0\n");
	tree_put(STATE("0", "1") "latency", "10\n");
	tree_put(STATE("0", "1") "disable", "0\n");
	tree_put(STATE("0", "2") "latency", "133\n");
	tree_put(STATE("0", "2") "disable", "0\n");
	tree_put(STATE("1", "2") "latency", "133\n");
	tree_put(STATE("1", "2") "disable", "1\n");
	return 0;
}

static int teardown(void **state)
{
	host_free(host);
	host = NULL;
	return fake_host_teardown(state);
}

static void load(const char *text)
{
	host_free(host);
	host = NULL;
	tree_put("host.yaml", text);
	assert_int_equal(host_load(in_tree("host.yaml"), &host), 0);
}

/* An attribute of a fake sysfs keeps what is written, without the kernel's brackets and newline. */
static void assert_value(const char *name, const char *value)
{
	autofree char *path = tree_path(name), *now = file_read_trimmed(path);

	assert_non_null(now);
	assert_string_equal(now, value);
}

static void test_all(void **state)
{
	struct journal *journal = open_journal();

	load("settings:\n  governor: performance\n  turbo: off\n  thp: never\n  ksm: off\n"
	     "  numa_balancing: off\n  smt: off\n  max_idle_latency: 10us\n");
	assert_int_equal(tuning_apply(host, journal), 0);
	assert_value(CPU "smt/control", "off");
	assert_value(GOVERNOR("0"), "performance");
	assert_value(CPU "intel_pstate/no_turbo", "1");
	assert_value(THP, "never");
	assert_value("sys/kernel/mm/ksm/run", "0");
	assert_value("proc/sys/kernel/numa_balancing", "0");
	/* The limit itself is within it. */
	assert_value(STATE("0", "1") "disable", "0");
	assert_value(STATE("0", "2") "disable", "1");
	assert_journal_has("smt/control");
	{
		/* What is so already is not touched. */
		autofree char *text = journal_text();

		assert_null(strstr(text, "policy1"));
		assert_null(strstr(text, "cpu1/cpuidle"));
	}
	assert_int_equal(journal_close(journal), 0);
	assert_value(CPU "smt/control", "on");
	assert_value(GOVERNOR("0"), "powersave");
	assert_value(GOVERNOR("1"), "performance");
	assert_value(CPU "intel_pstate/no_turbo", "0");
	assert_value(THP, "madvise");
	assert_value("sys/kernel/mm/ksm/run", "1");
	assert_value("proc/sys/kernel/numa_balancing", "1");
	assert_value(STATE("0", "2") "disable", "0");
	assert_value(STATE("1", "2") "disable", "1");
	assert_no_journal();
}

static void set_and_crash(struct journal *journal)
{
	if (tuning_apply(host, journal))
		_exit(2);
}

/* A harness that is killed leaves them to the next start. */
static void test_crash(void **state)
{
	load("settings: { governor: performance, ksm: off }\n");
	crash_after(set_and_crash);
	assert_value(GOVERNOR("0"), "performance");
	assert_value("sys/kernel/mm/ksm/run", "0");
	assert_int_equal(journal_close(open_journal()), 0);
	assert_value(GOVERNOR("0"), "powersave");
	assert_value("sys/kernel/mm/ksm/run", "1");
}

/* Settings that are not named stay as they are, defaults or not. */
static void test_none(void **state)
{
	static const char *const texts[] = { "placement: off\n", "settings:\n", "settings: {}\n" };
	struct journal *journal = open_journal();

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		load(texts[i]);
		assert_int_equal(tuning_apply(host, journal), 0);
		assert_no_journal();
	}
	assert_int_equal(journal_close(journal), 0);
}

static void test_other_turbo(void **state)
{
	struct journal *journal = open_journal();

	tree_remove(CPU "intel_pstate");
	tree_put(CPU "cpufreq/boost", "1\n");
	load("settings: { turbo: no }\n");
	assert_int_equal(tuning_apply(host, journal), 0);
	assert_value(CPU "cpufreq/boost", "0");
	assert_int_equal(journal_close(journal), 0);
	assert_value(CPU "cpufreq/boost", "1");
}

static void assert_refused(const char *text, int error, const char *place, const char *word)
{
	struct journal *journal = open_journal();
	autofree char *expected = xasprintf("%s:%s: ", in_tree("host.yaml"), place);

	load(text);
	capture();
	assert_int_equal(tuning_apply(host, journal), error);
	captured(expected);
	capture();
	assert_int_equal(tuning_apply(host, journal), error);
	captured(word);
	assert_int_equal(journal_close(journal), 0);
}

static void test_refused(void **state)
{
	assert_refused("settings:\n  governor: schedutil\n", -EINVAL, "2",
		       "no governor 'schedutil': use one of performance powersave");
	tree_remove(CPU "intel_pstate");
	assert_refused("settings:\n  ksm: off\n  turbo: off\n", -ENOENT, "3",
		       "turbo: this host has no such setting");
	/* What was set before is put back. */
	assert_value("sys/kernel/mm/ksm/run", "1");
	tree_remove(CPU "cpu0");
	tree_remove(CPU "cpu1");
	assert_refused("settings: { max_idle_latency: 1us }\n", -ENOENT, "1", "remove the line");
	tree_put(CPU "smt/control", "notsupported\n");
	assert_refused("settings: { smt: on }\n", -ENOENT, "1", "enable it in the firmware");
	/* Without SMT it is off already. */
	load("settings: { smt: off }\n");
	{
		struct journal *journal = open_journal();

		assert_int_equal(tuning_apply(host, journal), 0);
		assert_no_journal();
		assert_int_equal(journal_close(journal), 0);
	}
}

/* What a dry run says, and that it does no more than that. */
static void test_print(void **state)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	tree_put(GOVERNOR("1"), "powersave\n");
	load("settings: { governor: performance, turbo: off, ksm: on }\n");
	assert_int_equal(tuning_print(host, out), 0);
	fclose(out);
	assert_non_null(strstr(text, "host write: performance to 2 files "));
	assert_non_null(strstr(text, "cpufreq/policy*/scaling_governor, for governor; undone"));
	assert_non_null(strstr(text, "host write: 1 to "));
	assert_non_null(strstr(text, "no_turbo, for turbo; undone at the end\n"));
	assert_null(strstr(text, "ksm"));
	assert_value(GOVERNOR("0"), "powersave");
	free(text);
}

static void test_wanted(void **state)
{
	json_t *json;

	load("settings: { governor: performance, turbo: off }\n");
	assert_string_equal(tuning_wanted(host, "governor"), "performance");
	assert_string_equal(tuning_wanted(host, "turbo"), "off");
	assert_null(tuning_wanted(host, "ksm"));
	json = tuning_json(host);
	assert_int_equal(json_object_size(json), 2);
	assert_string_equal(json_string_value(json_object_get(json, "turbo")), "off");
	json_decref(json);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_all),	    TEST(test_crash), TEST(test_none),	 TEST(test_other_turbo),
		TEST(test_refused), TEST(test_print), TEST(test_wanted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
