// SPDX-License-Identifier: GPL-2.0-only
/* Host files: what they lend, and one good message for each malformed one. */
#include "tests/refuse.h"

#include "harness/config.h"

static struct host *must_load_host(const char *text)
{
	autofree char *path = capture_file("host.yaml", text, strlen(text));
	struct host *host = NULL;

	assert_int_equal(host_load(path, &host), 0);
	assert_string_equal(host->path, path);
	return host;
}

static void test_host(void **state)
{
	struct host *host =
		must_load_host("devices: { nvme: { address: \"0000:5E:00.0\", peer: 0000:5e:00.1, "
			       "writable: yes } }\nkind: lab-tcg\ninstructions: /run/insns\n");
	const struct host_device *nvme = host_device(host, "nvme");

	assert_string_equal(host->kind, "lab-tcg");
	assert_string_equal(host->instructions, "/run/insns");
	assert_int_equal(host->nr_devices, 1);
	assert_string_equal(nvme->kind, "nvme");
	assert_string_equal(nvme->address, "0000:5e:00.0"); /* as sysfs writes it */
	assert_string_equal(nvme->peer, "0000:5e:00.1");
	assert_true(nvme->writable);
	assert_null(host_device(host, "nic"));
	host_free(host);
	host_free(NULL);
}

static void test_host_short_form(void **state)
{
	struct host *host = must_load_host("devices: { nvme: \"0000:5e:00.0\" }\n");
	const struct host_device *nvme = host_device(host, "nvme");

	assert_string_equal(host->kind, "host");
	assert_null(host->instructions);
	assert_string_equal(nvme->address, "0000:5e:00.0");
	assert_null(nvme->peer);
	assert_false(nvme->writable);
	host_free(host);
}

static void test_host_with(void **state)
{
	struct host *host = must_load_host("devices:\n  nvme: { address: \"0000:5e:00.0\", with: "
					   "[\"0000:5E:00.1\", \"0000:5e:00.2\"] }\n"
					   "  nic: { address: \"0000:af:00.0\", with: "
					   "\"0000:af:00.1\" }\n");
	const struct strlist *two = &host_device(host, "nvme")->with;
	const struct strlist *one = &host_device(host, "nic")->with;

	assert_int_equal(two->nr, 2);
	assert_string_equal(two->items[0], "0000:5e:00.1");
	assert_string_equal(two->items[1], "0000:5e:00.2");
	assert_int_equal(one->nr, 1);
	assert_string_equal(one->items[0], "0000:af:00.1");
	host_free(host);
}

/* VMs that run at the same time get a device each. */
static void test_host_list(void **state)
{
	struct host *host = must_load_host("devices:\n  nvme: [ \"0000:5e:00.0\", { address: "
					   "\"0000:5f:00.0\", writable: yes } ]\n  nic: "
					   "\"0000:af:00.0\"\nswap: /dev/sdx\n");

	assert_int_equal(host->nr_devices, 3);
	assert_string_equal(host_device(host, "nvme")->address, "0000:5e:00.0");
	assert_false(host_device_at(host, "nvme", 0)->writable);
	assert_string_equal(host_device_at(host, "nvme", 1)->address, "0000:5f:00.0");
	assert_true(host_device_at(host, "nvme", 1)->writable);
	assert_null(host_device_at(host, "nvme", 2));
	assert_string_equal(host_device_at(host, "nic", 0)->address, "0000:af:00.0");
	assert_string_equal(host->swap, "/dev/sdx");
	host_free(host);
}

static void test_host_gpu(void **state)
{
	struct host *host = must_load_host("devices: { gpu: { address: \"0000:0a:00.0\", capture: "
					   "\"grab --lossless\" }, nvme: \"0000:5e:00.0\" }\n");

	assert_string_equal(host_device(host, "gpu")->capture, "grab --lossless");
	assert_null(host_device(host, "nvme")->capture);
	host_free(host);
}

static void test_host_placement(void **state)
{
	struct host *host = must_load_host("vcpu_cpu: 4\n");

	assert_int_equal(host->vcpu_cpu, 4);
	assert_true(host->placement);
	host_free(host);
	host = must_load_host("placement: off\n");
	assert_int_equal(host->vcpu_cpu, 0);
	assert_false(host->placement);
	host_free(host);
}

static void test_host_empty(void **state)
{
	static const char *const texts[] = { "", "# all of it\n", "devices:\n", "devices: {}\n" };
	struct host *host = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		host = must_load_host(texts[i]);
		assert_int_equal(host->nr_devices, 0);
		assert_string_equal(host->kind, "host");
		host_free(host);
	}
	assert_int_equal(host_load(NULL, &host), 0);
	assert_null(host->path);
	assert_int_equal(host->nr_devices, 0);
	assert_null(host_device(host, "nvme"));
	host_free(host);
}

static const struct bad_case bad_hosts[] = {
	{ "- nvme\n", "1:1", "a host file must be a mapping", "'key: value' lines" },
	{ "device: { nvme: x }\n", "1:1", "unknown key 'device'", "did you mean 'devices'?" },
	{ "kind: lab\n", "1:7", "kind: 'lab' is no choice", "use one of host, lab-kvm, lab-tcg" },
	{ "kind: lab-tgc\n", "1:7", "kind: 'lab-tgc' is no choice", "did you mean 'lab-tcg'?" },
	{ "kind: [host]\n", "1:7", "kind must be a plain value", "write it as" },
	{ "instructions: /tmp/x\n", "1:15", "instructions are counted in the emulated lab only",
	  "set 'kind: lab-tcg'" },
	{ "placement: on\n", "1:12", "placement: 'on' is no choice", "did you mean 'off'?" },
	{ "devices: [nvme]\n", "1:10", "devices must be a mapping", "nvme: \"0000:5e:00.0\"" },
	{ "devices: nvme\n", "1:10", "devices must be a mapping", "nvme: \"0000:5e:00.0\"" },
	{ "devices: { nmve: \"0000:5e:00.0\" }\n", "1:12", "no device 'nmve'",
	  "did you mean 'nvme'?" },
	{ "devices: { nvme: 5e:00.0 }\n", "1:18", "'5e:00.0' is no full PCI address", "lspci -D" },
	{ "devices: { nvme: \"0000:5e:00.9\" }\n", "1:18", "'0000:5e:00.9' is no full PCI address",
	  "0000:5e:00.0" },
	{ "devices: { nvme: ../../etc }\n", "1:18", "'../../etc' is no full PCI address",
	  "lspci -D" },
	{ "devices: { nvme: }\n", "1:18", "'' is no full PCI address", "lspci -D" },
	{ "devices: { nvme: [[\"0000:5e:00.0\"]] }\n", "1:19", "nvme must be a mapping",
	  "{ address: " },
	{ "devices: { nvme: [] }\n", "1:18", "the list of nvme is empty", "name a device" },
	{ "devices: { nvme: [\"0000:5e:00.0\", \"0000:5E:00.0\"] }\n", "1:35",
	  "address 0000:5e:00.0 is named twice", "remove one" },
	{ "devices:\n  nvme:\n    writable: yes\n", "3:5", "nvme has no address",
	  "add 'address: " },
	{ "devices:\n  nvme:\n    adress: x\n", "3:5", "unknown key 'adress' in nvme",
	  "did you mean 'address'?" },
	{ "devices:\n  nvme: { address: \"0000:5e:00.0\", writable: 1 }\n", "2:46",
	  "writable: '1' is neither yes nor no", "use yes, no" },
	{ "devices:\n  nic: { address: \"0000:5e:00.0\", remote: me@there }\n", "2:43",
	  "a remote end needs a host and an interface", "interface: eth1" },
	{ "devices:\n  nic: { address: \"0000:5e:00.0\", remote: -oProxy, interface: e }\n", "2:43",
	  "a remote end needs a host and an interface", "interface: eth1" },
	{ "devices:\n  nic: { address: \"0000:5e:00.0\", within_page: perhaps }\n", "2:48",
	  "within_page: 'perhaps' is neither yes nor no", "use yes, no" },
	{ "devices:\n  nic: { address: \"0000:5e:00.0\", interface: eth1 }\n", "2:8",
	  "interface and tools belong to a remote end", "remote: user@host" },
	{ "devices:\n  nic: { address: \"0000:5e:00.0\", peer: \"0000:5e:00.1\", remote: a, "
	  "interface: e }\n",
	  "2:65", "the other end is either a port of this host", "remove one" },
	{ "devices:\n  nvme: { address: \"0000:5e:00.0\", peer: \"0000:5E:00.0\" }\n", "2:42",
	  "address 0000:5e:00.0 is named twice", "remove one" },
	{ "devices:\n  nvme: \"0000:5e:00.0\"\n  nvme: \"0000:5f:00.0\"\n", "3:3",
	  "'nvme' is there already, in line 2", "remove one" },
	{ "devices:\n  nvme: { address: \"0000:5e:00.0\", with: [\"0000:5e:00.0\"] }\n", "2:43",
	  "address 0000:5e:00.0 is named twice", "remove one" },
	{ "devices:\n  nvme: { address: \"0000:5e:00.0\", with: { a: b } }\n", "2:42",
	  "with must be", "with: \"0000:5e:00.1\"" },
	{ "devices:\n  nvme: { address: \"0000:5e:00.0\", functions: 1, with: \"0000:5e:00.1\" }\n",
	  "2:56", "a virtual function has a group of its own", "remove 'with'" },
	{ "devices: { nic: { address: \"0000:5e:00.0\", functions: 300 } }\n", "1:55",
	  "functions: ", "256" },
	{ "devices: { nvme_rogue: \"0000:5e:00.0\" }\n", "1:12", "nvme_rogue is the host's nvme",
	  "name it as 'nvme:'" },
	{ "settings: [governor]\n", "1:11", "settings must be a mapping",
	  "settings: { governor: performance }" },
	{ "settings:\n  governer: x\n", "2:3", "unknown key 'governer' in settings",
	  "did you mean 'governor'?" },
	{ "settings: { turbo: 3 }\n", "1:20", "turbo: '3' is neither yes nor no", "use yes, no" },
	{ "settings: { thp: sometimes }\n", "1:18", "thp: 'sometimes' is no choice",
	  "always, madvise, never" },
	{ "settings: { max_idle_latency: 10 }\n", "1:31", "max_idle_latency: ", "10s" },
	{ "devices: { nvme: \"0000:5e:00.0\n", "2:1", "found unexpected end of stream", "quotes" },
};

static void test_bad_hosts(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(bad_hosts); i++) {
		const struct bad_case *bad = &bad_hosts[i];

		must_refuse(load_host, bad->text, strlen(bad->text), bad);
	}
}

/* Its devices are comments: nothing is lent by copying it. */
static void test_example(void **state)
{
	struct host *host = NULL;

	if (!file_exists("configs/host-example.yaml"))
		skip();
	assert_int_equal(host_load("configs/host-example.yaml", &host), 0);
	assert_int_equal(host->nr_devices, 0);
	host_free(host);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_host),	       cmocka_unit_test(test_host_short_form),
		cmocka_unit_test(test_host_with),      cmocka_unit_test(test_host_list),
		cmocka_unit_test(test_host_placement), cmocka_unit_test(test_host_empty),
		cmocka_unit_test(test_bad_hosts),      cmocka_unit_test(test_example),
		cmocka_unit_test(test_host_gpu),
	};

	return cmocka_run_group_tests_name("host file", tests, capture_setup, capture_teardown);
}
