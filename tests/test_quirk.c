// SPDX-License-Identifier: GPL-2.0-only
/* Devices that the kernel knows to isolate, not to isolate, or to use another's requester ID. */
#include "tests/fake_pci.h"

#include "harness/isolation.h"

#define ROOT "0000:00:1c.0"
#define PORT .type = PCI_EXP_TYPE_ROOT_PORT, .bridge = true
#define DOWNSTREAM .type = PCI_EXP_TYPE_DOWNSTREAM, .bridge = true
#define ENDPOINT .type = PCI_EXP_TYPE_ENDPOINT
#define INTEGRATED .type = PCI_EXP_TYPE_RC_END
#define NONE .group = NO_GROUP
#define MULTI .multi = true, NONE
#define ACS_AT 0x148 /* where fake_space() puts it */

struct known {
	struct fake_function function;
	unsigned int vendor, device;
};

/* Functions with the same label share a group, others do not. */
struct quirk_case {
	const char *what;
	struct known functions[7];
};

static const struct quirk_case cases[] = {
	{ "Intel's integrated endpoints, but not others'",
	  { { { "0000:00:14.0", 'a', INTEGRATED, MULTI }, 0x8086, 0xa36d },
	    { { "0000:00:14.2", 'b', INTEGRATED, MULTI }, 0x8086, 0xa36f },
	    { { "0000:00:15.0", 'c', INTEGRATED, MULTI }, 0x1022, 0xa36d },
	    { { "0000:00:15.1", 'c', INTEGRATED, MULTI }, 0x1022, 0xa36f },
	    { { "0000:00:16.0", 'd', ENDPOINT, MULTI }, 0x8086, 0xa36d },
	    { { "0000:00:16.1", 'd', ENDPOINT, MULTI }, 0x8086, 0xa36f } } },
	{ "ports of an adapter, the neighbouring device ID not",
	  { { { ROOT, 'a', PORT, ACS_ON, NONE }, 0x8086, 1 },
	    { { ROOT "/0000:01:00.0", 'b', ENDPOINT, MULTI }, 0x8086, 0x10fb },
	    { { ROOT "/0000:01:00.1", 'c', ENDPOINT, MULTI }, 0x8086, 0x10fb },
	    { { ROOT "/0000:01:00.2", 'd', ENDPOINT, MULTI }, 0x8086, 0x10fd },
	    { { ROOT "/0000:01:00.3", 'd', ENDPOINT, MULTI }, 0x8086, 0x10fd } } },
	{ "root ports of a chipset, as root ports only",
	  { { { "0000:00:1c.0", 'a', PORT, MULTI }, 0x8086, 0x8c10 },
	    { { "0000:00:1c.1", 'b', PORT, MULTI }, 0x8086, 0x1d12 },
	    { { "0000:00:1c.2", 'c', PORT, MULTI }, 0x8086, 0x1d13 },
	    { { "0000:00:1c.3", 'c', ENDPOINT, MULTI }, 0x8086, 0x8c10 },
	    { { "0000:00:1c.0/0000:01:00.0", 'd', ENDPOINT, NONE }, 0x1af4, 1 },
	    { { "0000:00:1c.2/0000:02:00.0", 'c', ENDPOINT, NONE }, 0x1af4, 1 } } },
	{ "Cavium's root ports",
	  { { { "0000:00:08.0", 'a', PORT, MULTI }, 0x177d, 0xa7ff },
	    { { "0000:00:08.1", 'b', PORT, MULTI }, 0x177d, 0xaf84 },
	    { { "0000:00:08.2", 'c', PORT, MULTI }, 0x177d, 0xa800 },
	    { { "0000:00:08.3", 'c', INTEGRATED, MULTI }, 0x177d, 0xaf84 },
	    { { "0000:00:08.4", 'd', INTEGRATED, MULTI }, 0x177d, 0xa026 } } },
	{ "Zhaoxin's and Wangxun's others do not, even with ACS",
	  { { { "0000:00:08.0", 'a', PORT, MULTI }, 0x1d17, 0x0745 },
	    { { "0000:00:08.1", 'b', PORT, ACS_ON, MULTI }, 0x1d17, 0x0720 },
	    { { "0000:00:08.2", 'b', DOWNSTREAM, ACS_ON, MULTI }, 0x1d17, 0x0001 },
	    { { "0000:00:08.3", 'c', INTEGRATED, ACS_ON, MULTI }, 0x1d17, 0x0001 },
	    { { "0000:00:09.0", 'd', INTEGRATED, MULTI }, 0x8088, 0x2001 },
	    { { "0000:00:09.1", 'e', INTEGRATED, ACS_ON, MULTI }, 0x8088, 0x2002 },
	    { { "0000:00:09.2", 'e', INTEGRATED, MULTI }, 0x8088, 0x010e + 2 } } },
	{ "a controller that uses function 1's ID",
	  { { { ROOT, 'a', PORT, ACS_ON, NONE }, 0x8086, 1 },
	    { { ROOT "/0000:01:00.0", 'b', ENDPOINT, ACS_ON, MULTI }, 0x1b4b, 0x9172 },
	    { { ROOT "/0000:01:00.1", 'b', ENDPOINT, ACS_ON, MULTI }, 0x1b4b, 0x1 },
	    { { ROOT "/0000:01:00.2", 'c', ENDPOINT, ACS_ON, MULTI }, 0x1b4b, 0x9171 } } },
	{ "functions that use function 0's ID",
	  { { { "0000:00:08.0", 'a', ENDPOINT, ACS_ON, MULTI }, 0x1180, 0x1 },
	    { { "0000:00:08.3", 'a', ENDPOINT, ACS_ON, MULTI }, 0x1180, 0xe832 },
	    { { "0000:00:09.0", 'b', ENDPOINT, ACS_ON, MULTI }, 0x1180, 0xe832 },
	    { { "0000:00:09.1", 'c', ENDPOINT, ACS_ON, MULTI }, 0x1180, 0x1 } } },
	{ "a non-transparent bridge that uses any ID of its bus, and functions of those it joins",
	  { { { "0000:00:08.0", 'a', ENDPOINT, NONE }, 0x10b5, 0x87b0 },
	    { { "0000:00:09.0", 'a', ENDPOINT, NONE }, 0x1af4, 1 },
	    { { "0000:00:0a.1", 'a', ENDPOINT, MULTI }, 0x1af4, 1 },
	    { { ROOT, 'a', PORT, ACS_ON, NONE }, 0x1af4, 1 },
	    { { ROOT "/0000:01:00.0", 'b', ENDPOINT, NONE }, 0x1af4, 1 } } },
};

static void put_attribute(const char *bdf, const char *name, unsigned int value)
{
	autofree char *path = xasprintf("sys/bus/pci/devices/%s/%s", bdf, name);
	autofree char *text = xasprintf("0x%04x\n", value);

	tree_put(path, text);
}

static void put(const struct known *known)
{
	const char *bdf = fake_bdf(&known->function);

	fake_function(&known->function);
	put_attribute(bdf, "vendor", known->vendor);
	put_attribute(bdf, "device", known->device);
}

static bool together(const char *one, const char *other)
{
	struct pcitree tree;
	struct isolation_groups groups;
	bool same;

	pcitree_load(&tree);
	isolation_predict(&tree, &groups);
	same = groups.members[pcitree_find(&tree, one)].group ==
	       groups.members[pcitree_find(&tree, other)].group;
	isolation_free(&groups);
	pcitree_free(&tree);
	return same;
}

static void check_case(const struct quirk_case *c)
{
	for (size_t i = 0; i < ARRAY_SIZE(c->functions) && c->functions[i].function.path; i++)
		put(&c->functions[i]);
	for (size_t i = 0; i < ARRAY_SIZE(c->functions) && c->functions[i].function.path; i++)
		for (size_t k = 0; k < i; k++) {
			const struct fake_function *one = &c->functions[i].function;
			const struct fake_function *other = &c->functions[k].function;
			bool same = together(fake_bdf(one), fake_bdf(other));

			if (same != (one->label == other->label))
				fail_msg("%s: %s and %s are %s", c->what, fake_bdf(one),
					 fake_bdf(other), same ? "together" : "apart");
		}
}

static void test_cases(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(tree_setup(state), 0);
		check_case(&cases[i]);
		assert_int_equal(tree_teardown(state), 0);
	}
}

static enum isolation_verdict verdict_of(const char *bdf)
{
	enum isolation_verdict verdict;
	struct pcitree tree;

	pcitree_load(&tree);
	verdict = isolation_of(&tree.nodes[pcitree_find(&tree, bdf)]);
	pcitree_free(&tree);
	return verdict;
}

/* Its register names where the chipset's switch is; without it, the kernel cannot use that. */
static void test_chipset_registers(void **state)
{
	static const struct known port = { { ROOT, 0, PORT, ACS_ON, NONE }, 0x8086, 0x8c10 };
	static const struct known lpc = { { "0000:00:1f.0", 0, CONVENTIONAL, NONE }, 0x8086, 2 };
	uint8_t bytes[PCICONF_MAX];

	put(&port);
	assert_int_equal(verdict_of(ROOT), ISOLATION_QUIRK);
	put(&lpc);
	assert_int_equal(verdict_of(ROOT), ISOLATION_QUIRK_LEAKS);
	fake_space(&lpc.function, bytes);
	bytes[0xf0] = 1;
	fake_config("0000:00:1f.0", bytes, PCI_CFG_SPACE_SIZE);
	assert_int_equal(verdict_of(ROOT), ISOLATION_QUIRK);
}

/* Root ports with 32 bits for each ACS register: control is where others have egress control. */
static void test_wide_acs(void **state)
{
	static const struct known port = { { ROOT, 0, PORT, ACS_ON, NONE }, 0x8086, 0xa110 };
	uint8_t bytes[PCICONF_MAX];

	put(&port);
	assert_int_equal(verdict_of(ROOT), ISOLATION_OFF);
	fake_space(&port.function, bytes);
	bytes[ACS_AT + PCI_ACS_CTRL] = 0;
	bytes[ACS_AT + 8] = ACS_REQUIRED;
	fake_config(ROOT, bytes, sizeof(bytes));
	assert_int_equal(verdict_of(ROOT), ISOLATION_ON);
	put_attribute(ROOT, "device", 0xa109);
	assert_int_equal(verdict_of(ROOT), ISOLATION_OFF);
}

/* Southbridge functions, where there is an AMD IOMMU. */
static void test_amd(void **state)
{
	static const struct known smbus = { { "0000:00:14.0", 0, CONVENTIONAL, MULTI },
					    0x1002,
					    0x4385 };
	static const struct known below = { { ROOT "/0000:01:00.0", 0, CONVENTIONAL, MULTI },
					    0x1002,
					    0x4385 };
	static const struct known root = { { ROOT, 0, PORT, ACS_ON, NONE }, 0x1022, 1 };

	put(&smbus);
	put(&root);
	put(&below);
	assert_int_equal(verdict_of("0000:00:14.0"), ISOLATION_CONVENTIONAL);
	tree_put("sys/firmware/acpi/tables/IVRS", "IVRS");
	assert_int_equal(verdict_of("0000:00:14.0"), ISOLATION_QUIRK);
	assert_int_equal(verdict_of("0000:01:00.0"), ISOLATION_CONVENTIONAL);
}

static void test_adaptec(void **state)
{
	static const struct known bridge = {
		{ ROOT, 0, .type = PCI_EXP_TYPE_PCI_BRIDGE, .bridge = true, NONE }, 1, 1
	};
	static const struct known dma = { { "0000:00:01.0", 0, ENDPOINT, NONE }, 1, 1 };
	static const struct known unit = { { "0000:00:0e.0", 0, ENDPOINT, NONE }, 0x9005, 0x285 };

	put(&bridge);
	put(&dma);
	put(&unit);
	assert_false(together("0000:00:0e.0", "0000:00:01.0"));
	put_attribute("0000:00:0e.0", "subsystem_vendor", 0x9005);
	put_attribute("0000:00:0e.0", "subsystem_device", 0x02bb);
	assert_true(together("0000:00:0e.0", "0000:00:01.0"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, tree_setup, tree_teardown)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases), TEST(test_chipset_registers),
		TEST(test_wide_acs),	      TEST(test_amd),
		TEST(test_adaptec),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
