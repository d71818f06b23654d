// SPDX-License-Identifier: GPL-2.0-only
/* `iommubench groups` on fake hosts: its facts, its JSON, its text. */
#include "tests/fake_pci.h"

#include "harness/groups.h"
#include "harness/run.h"

#define PORT "0000:00:1c.0"
#define FIRST "0000:01:00.0"
#define SECOND "0000:01:00.1"

/* A port without ACS and the two functions below it, in one group as the rules make it. */
static const struct fake_function functions[] = {
	{ PORT, .type = PCI_EXP_TYPE_ROOT_PORT, .bridge = true, .group = 1, .driver = "pcieport" },
	{ PORT "/" FIRST, .type = PCI_EXP_TYPE_ENDPOINT, .multi = true, ACS_ON, .group = 1 },
	{ PORT "/" SECOND, .type = PCI_EXP_TYPE_ENDPOINT, .multi = true, .group = 1,
	  .driver = "ixgbe" },
	{ "0000:00:03.0", .type = PCI_EXP_TYPE_RC_END, .group = 2 },
};

static int setup(void **state)
{
	if (tree_setup(state))
		return -1;
	for (size_t i = 0; i < ARRAY_SIZE(functions); i++)
		fake_function(&functions[i]);
	tree_dir("sys/bus/pci/drivers/vfio-pci");
	tree_put("proc/self/mountinfo", "");
	tree_put("proc/cmdline", "root=/dev/sda1 intel_iommu=on\n");
	return 0;
}

/* What the command prints, to free. */
static char *output(const struct groups_options *options, int expected)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	assert_int_equal(groups_command(options, out), expected);
	fclose(out);
	return text;
}

static void assert_has(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("'%s' lacks '%s'", text, part);
}

static json_t *json_of(char *const *addresses)
{
	const struct groups_options options = { .as_json = true, .addresses = addresses };
	autofree char *text = output(&options, EXIT_OK);
	json_t *json = json_loads(text, 0, NULL);

	assert_non_null(json);
	return json;
}

static const json_t *find_device(const json_t *json, const char *bdf)
{
	const json_t *device;
	size_t i;

	json_array_foreach(json_object_get(json, "devices"), i, device)
		if (!strcmp(json_string_value(json_object_get(device, "address")), bdf))
			return device;
	fail_msg("no device %s", bdf);
	return NULL;
}

static void assert_field(const json_t *object, const char *key, const char *expected)
{
	json_auto_t *wanted = json_loads(expected, JSON_DECODE_ANY, NULL);
	autofree char *found = json_dumps(json_object_get(object, key), JSON_ENCODE_ANY);

	assert_non_null(wanted);
	if (!json_equal(json_object_get(object, key), wanted))
		fail_msg("%s is %s, not %s", key, found, expected);
}

static void test_json(void **state)
{
	json_t *json = json_of(NULL);
	const json_t *device = find_device(json, FIRST), *path;

	assert_field(json, "iommu", "true");
	assert_field(json, "acs_override", "null");
	assert_field(json, "override_works", "false");
	assert_int_equal(json_array_size(json_object_get(json, "devices")), 4);
	assert_field(json_array_get(json_object_get(json, "groups"), 0), "devices",
		     "[\"" PORT "\", \"" FIRST "\", \"" SECOND "\"]");
	assert_field(json_array_get(json_object_get(json, "groups"), 0), "by_rules", "\"same\"");
	assert_field(json_array_get(json_object_get(json, "groups"), 1), "type", "\"DMA\"");
	assert_field(device, "vendor", "\"1af4\"");
	assert_field(device, "driver", "null");
	assert_field(device, "group", "1");
	assert_field(device, "numa_node", "null");
	assert_field(device, "reset_methods", "[\"flr\", \"bus\"]");
	assert_field(device, "multifunction", "true");
	assert_field(device, "shares_with", "\"" PORT "\"");
	assert_field(device, "shares_because",
		     "\"on its way to the root, " PORT " (root port) has no ACS capability\"");
	assert_field(device, "assignable", "false");
	assert_field(device, "reason", "\"" SECOND " in its IOMMU group 1 is bound to ixgbe\"");
	assert_has(json_string_value(json_object_get(device, "remedy")), "/driver/unbind");
	path = json_object_get(device, "path");
	assert_int_equal(json_array_size(path), 2);
	assert_field(json_array_get(path, 0), "isolates", "true");
	assert_field(json_array_get(path, 0), "acs",
		     "{\"capable\": [\"SV\", \"RR\", \"CR\", \"UF\", \"DT\"], "
		     "\"enabled\": [\"SV\", \"RR\", \"CR\", \"UF\"]}");
	assert_field(json_array_get(path, 1), "isolates", "false");
	assert_field(json_array_get(path, 1), "acs", "null");
	assert_field(find_device(json, "0000:00:03.0"), "assignable", "true");
	assert_field(find_device(json, PORT), "assignable", "false");
	json_decref(json);
}

static void test_text(void **state)
{
	const struct groups_options options = { 0 };
	autofree char *text = output(&options, EXIT_OK);

	assert_has(text, "group 1: 3 devices, default domain DMA\n");
	assert_has(text, "    driver ixgbe, reset flr bus\n");
	assert_has(text, "  up " PORT " root port: has no ACS capability\n");
	assert_has(text, "together with " PORT ": on its way to the root");
	assert_has(text, "NOT assignable: " SECOND " in its IOMMU group 1 is bound to ixgbe\n"
			 "      -> if the host can do without it, echo " SECOND);
	assert_has(text, "group 2: 1 device,");
	assert_has(text, "    assignable\n");
	assert_null(strstr(text, "!"));
}

static void test_addresses(void **state)
{
	char first[] = "0000:00:03.0", missing[] = "0000:09:00.0";
	char *one[] = { first, NULL }, *none[] = { missing, NULL };
	const struct groups_options wrong = { .addresses = none };
	json_t *json = json_of(one);
	autofree char *text = NULL;

	assert_int_equal(json_array_size(json_object_get(json, "devices")), 1);
	assert_int_equal(json_array_size(json_object_get(json, "groups")), 1);
	json_decref(json);
	text = output(&wrong, EXIT_USAGE);
	assert_string_equal(text, "");
}

/* The kernel keeps the port's functions apart, though the port has no ACS. */
static void test_quirk_and_override(void **state)
{
	struct fake_function apart = functions[1];
	const struct groups_options options = { 0 };
	autofree char *text = NULL, *overridden = NULL;
	json_t *json;

	tree_remove("sys/kernel/iommu_groups/1/devices/" FIRST);
	apart.group = 5;
	fake_function(&apart);
	text = output(&options, EXIT_OK);
	assert_has(text, "group 5: 1 device, default domain DMA\n"
			 "  ! smaller than the rules make it: an override is built in");
	assert_has(text, "by the rules with " PORT);
	tree_put("proc/cmdline", "quiet pcie_acs_override=downstream,multifunction\n");
	overridden = output(&options, EXIT_OK);
	assert_has(overridden, "pcie_acs_override=downstream,multifunction is on");
	assert_has(overridden, "isolation is claimed, not enforced");
	json = json_of(NULL);
	assert_field(json, "acs_override", "\"downstream,multifunction\"");
	assert_field(json, "override_works", "true");
	assert_field(find_device(json, FIRST), "by_rules", "\"smaller\"");
	assert_field(find_device(json, FIRST), "rules_group",
		     "[\"" PORT "\", \"" FIRST "\", \"" SECOND "\"]");
	json_decref(json);
}

/* Asked for, but this kernel does not know it. */
static void test_idle_override(void **state)
{
	const struct groups_options options = { 0 };
	autofree char *text = NULL;

	tree_put("proc/cmdline", "pcie_acs_override=downstream\n");
	text = output(&options, EXIT_OK);
	assert_has(text, "but no group is smaller");
}

static void test_no_iommu(void **state)
{
	json_t *json;
	const json_t *device;

	tree_remove("sys/kernel/iommu_groups");
	for (size_t i = 0; i < ARRAY_SIZE(functions); i++) {
		autofree char *link =
			xasprintf("sys/bus/pci/devices/%s/iommu_group", fake_bdf(&functions[i]));

		tree_remove(link);
	}
	json = json_of(NULL);
	device = find_device(json, FIRST);
	assert_field(json, "iommu", "false");
	assert_field(json, "groups", "[]");
	assert_field(device, "group", "null");
	assert_field(device, "assignable", "false");
	assert_field(device, "reason", "\"it has no IOMMU group\"");
	assert_field(device, "by_rules", "\"unknown\"");
	/* What an IOMMU would make of it is known. */
	assert_int_equal(json_array_size(json_object_get(device, "rules_group")), 3);
	json_decref(json);
}

static void test_virtual_function(void **state)
{
	static const struct fake_function vf = { PORT "/0000:01:10.0",
						 .type = PCI_EXP_TYPE_ENDPOINT, .group = 1,
						 .physfn = FIRST };
	const struct groups_options options = { 0 };
	autofree char *text = NULL;
	json_t *json;

	fake_function(&vf);
	json = json_of(NULL);
	assert_field(find_device(json, "0000:01:10.0"), "physical_function", "\"" FIRST "\"");
	json_decref(json);
	text = output(&options, EXIT_OK);
	assert_has(text, ", virtual function of " FIRST "\n");
}

static void test_unprivileged(void **state)
{
	uint8_t bytes[PCICONF_MAX];
	json_t *json;
	const json_t *device;

	fake_space(&functions[1], bytes);
	fake_config(FIRST, bytes, PCI_STD_HEADER_SIZEOF);
	json = json_of(NULL);
	device = find_device(json, FIRST);
	assert_field(device, "type", "\"unknown\"");
	assert_field(device, "rules_group", "null");
	assert_field(json_array_get(json_object_get(device, "path"), 0), "isolates", "null");
	assert_field(json_array_get(json_object_get(device, "path"), 0), "why",
		     "\"needs root to see its ACS\"");
	assert_field(device, "by_rules", "\"unknown\"");
	assert_field(find_device(json, "0000:00:03.0"), "by_rules", "\"same\"");
	json_decref(json);
}

/* Of a function beside one that cannot be read, nothing is claimed that this one may change. */
static void test_unread_sibling(void **state)
{
	static const struct fake_function pair[] = {
		{ "0000:00:1f.0", .type = CONVENTIONAL, .multi = true, .group = 4 },
		{ "0000:00:1f.3", .type = CONVENTIONAL, .multi = true, .group = 4 },
	};
	uint8_t bytes[PCICONF_MAX];
	json_t *json;

	fake_function(&pair[0]);
	fake_function(&pair[1]);
	fake_space(&pair[1], bytes);
	fake_config("0000:00:1f.3", bytes, PCI_STD_HEADER_SIZEOF);
	json = json_of(NULL);
	assert_field(find_device(json, "0000:00:1f.0"), "rules_group", "null");
	assert_field(find_device(json, "0000:00:1f.0"), "by_rules", "\"unknown\"");
	json_decref(json);
}

/* A bridge that is missing, a link to nowhere: no claims of what is below. */
static void test_adrift(void **state)
{
	static const struct fake_function orphan = { "0000:00:1d.0/0000:05:00.0",
						     .type = PCI_EXP_TYPE_ENDPOINT, .group = 4 };
	const struct groups_options options = { 0 };
	autofree char *text = NULL;
	json_t *json;

	fake_function(&orphan);
	tree_link("sys/bus/pci/devices/0000:06:00.0", "sys/devices/nowhere");
	json = json_of(NULL);
	assert_field(find_device(json, "0000:05:00.0"), "rules_group", "null");
	assert_field(find_device(json, "0000:05:00.0"), "by_rules", "\"unknown\"");
	assert_field(find_device(json, "0000:06:00.0"), "rules_group", "null");
	assert_field(json_array_get(json_object_get(find_device(json, "0000:06:00.0"), "path"), 0),
		     "why", "\"its configuration space is missing\"");
	json_decref(json);
	text = output(&options, EXIT_OK);
	assert_has(text, "what is above it cannot be seen");
}

/* The copy of another host's trees. */
static void test_root(void **state)
{
	autofree char *root = xstrdup(tree_root);
	const char *const saved[] = { sysfs_root, procfs_root, devfs_root };
	const struct groups_options options = { .root = root };
	autofree char *text = NULL;

	sysfs_root = procfs_root = devfs_root = "/nowhere";
	text = output(&options, EXIT_OK);
	assert_has(text, "group 1: 3 devices");
	assert_string_equal(sysfs_root, "/nowhere");
	sysfs_root = saved[0];
	procfs_root = saved[1];
	devfs_root = saved[2];
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, tree_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_json),
		TEST(test_text),
		TEST(test_addresses),
		TEST(test_quirk_and_override),
		TEST(test_idle_override),
		TEST(test_no_iommu),
		TEST(test_virtual_function),
		TEST(test_unprivileged),
		TEST(test_root),
		TEST(test_unread_sibling),
		TEST(test_adrift),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
