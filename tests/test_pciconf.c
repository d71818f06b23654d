// SPDX-License-Identifier: GPL-2.0-only
/* Configuration spaces, whole, truncated and broken. */
#include "tests/fake_pci.h"

static const struct fake_function port = { .path = "0000:00:1c.0",
					   .type = PCI_EXP_TYPE_ROOT_PORT,
					   .bridge = true,
					   .multi = true,
					   ACS_ON };

static struct pciconf parse(const uint8_t *bytes, size_t len)
{
	struct pciconf conf;

	pciconf_parse(bytes, len, &conf);
	return conf;
}

static void assert_broken(const struct pciconf *conf, const char *word)
{
	assert_false(conf->has_acs);
	assert_non_null(conf->broken);
	if (!strstr(conf->broken, word))
		fail_msg("'%s' does not say '%s'", conf->broken, word);
}

static void test_whole(void **state)
{
	uint8_t bytes[PCICONF_MAX];
	struct pciconf conf;

	fake_space(&port, bytes);
	conf = parse(bytes, sizeof(bytes));
	assert_true(conf.readable);
	assert_null(conf.broken);
	assert_int_equal(conf.type, PCI_EXP_TYPE_ROOT_PORT);
	assert_true(conf.multifunction);
	assert_true(conf.bridge);
	assert_true(conf.has_acs);
	assert_int_equal(conf.acs_capable, ACS_REQUIRED | PCI_ACS_DT);
	assert_int_equal(conf.acs_enabled, ACS_REQUIRED);
}

/* What an unprivileged user sees, and a file that ends anywhere. */
static void test_truncated(void **state)
{
	uint8_t bytes[PCICONF_MAX];
	struct pciconf conf;

	fake_space(&port, bytes);
	for (size_t len = 0; len < PCI_CFG_SPACE_SIZE; len++)
		assert_false(parse(bytes, len).readable);
	conf = parse(bytes, PCI_STD_HEADER_SIZEOF);
	assert_null(conf.broken);
	assert_true(conf.multifunction);
	/* A function with no more than 256 bytes has no extended capabilities. */
	conf = parse(bytes, PCI_CFG_SPACE_SIZE);
	assert_true(conf.readable);
	assert_int_equal(conf.type, PCI_EXP_TYPE_ROOT_PORT);
	assert_false(conf.has_acs);
	assert_null(conf.broken);
	/* The list goes on beyond the end. */
	for (size_t len = 0x104; len < 0x150; len++) {
		conf = parse(bytes, len);
		assert_false(conf.has_acs);
	}
	conf = parse(bytes, 0x110);
	assert_broken(&conf, "cut off");
	assert_false(conf.readable);
	/* ACS itself is cut in two. */
	conf = parse(bytes, 0x14e);
	assert_broken(&conf, "cut off");
	assert_true(parse(bytes, 0x150).has_acs);
	conf = parse(bytes, PCI_STD_HEADER_SIZEOF - 1);
	assert_broken(&conf, "missing");
	/* No list to see: 64 bytes tell all there is. */
	bytes[PCI_STATUS] = 0;
	conf = parse(bytes, PCI_STD_HEADER_SIZEOF);
	assert_true(conf.readable);
	assert_int_equal(conf.type, PCICONF_CONVENTIONAL);
}

static void test_broken_list(void **state)
{
	uint8_t bytes[PCICONF_MAX];
	struct pciconf conf;

	fake_space(&port, bytes);
	bytes[0x51] = 0x50; /* MSI points to itself */
	conf = parse(bytes, sizeof(bytes));
	assert_broken(&conf, "loop");
	assert_int_equal(conf.type, PCICONF_CONVENTIONAL);
	bytes[0x51] = 0x10; /* into the header */
	conf = parse(bytes, sizeof(bytes));
	assert_broken(&conf, "into the header");
	bytes[0x51] = 0xfc;
	bytes[0xfc] = 0xff;
	conf = parse(bytes, sizeof(bytes));
	assert_broken(&conf, "to nothing");
	/* The two lowest bits of a pointer mean nothing. */
	bytes[0x51] = 0x83;
	conf = parse(bytes, sizeof(bytes));
	assert_true(conf.has_acs);
	assert_null(conf.broken);
	/* A PCI Express capability before the loop is found. */
	bytes[PCI_CAPABILITY_LIST] = 0x80;
	bytes[0x81] = 0x80;
	conf = parse(bytes, sizeof(bytes));
	assert_int_equal(conf.type, PCI_EXP_TYPE_ROOT_PORT);
	assert_true(conf.has_acs);
}

static void test_broken_extended_list(void **state)
{
	uint8_t bytes[PCICONF_MAX];
	struct pciconf conf;

	fake_space(&port, bytes);
	bytes[0x102] = 0x02; /* next: 0x100, itself */
	bytes[0x103] = 0x10;
	conf = parse(bytes, sizeof(bytes));
	assert_broken(&conf, "loop");
	bytes[0x103] = 0x04; /* next: 0x040 */
	conf = parse(bytes, sizeof(bytes));
	assert_broken(&conf, "points below it");
	assert_int_equal(conf.type, PCI_EXP_TYPE_ROOT_PORT);
	/* The last place there is, where ACS has no room for its registers. */
	bytes[0x102] = 0xc2;
	bytes[0x103] = 0xff;
	bytes[0xffc] = PCI_EXT_CAP_ID_ACS;
	conf = parse(bytes, sizeof(bytes));
	assert_broken(&conf, "leaves the space");
	/* Another one there has room, and leads on. */
	fake_space(&port, bytes);
	bytes[0x102] = 0xc2;
	bytes[0x103] = 0xff;
	bytes[0xffc] = PCI_EXT_CAP_ID_ERR;
	bytes[0xffe] = 0x80;
	bytes[0xfff] = 0x14; /* next: 0x148 */
	conf = parse(bytes, sizeof(bytes));
	assert_true(conf.has_acs);
	assert_int_equal(conf.acs_at, 0x148);
	/* No answer beyond the first 256 bytes. */
	memset(bytes + 0x100, 0xff, 0xf00);
	conf = parse(bytes, sizeof(bytes));
	assert_false(conf.has_acs);
	assert_null(conf.broken);
}

/* Of such a header, the kernel does not know where a list begins. */
static void test_unknown_header(void **state)
{
	uint8_t bytes[PCICONF_MAX];
	struct pciconf conf;

	fake_space(&port, bytes);
	bytes[PCI_HEADER_TYPE] = 0x7f;
	conf = parse(bytes, sizeof(bytes));
	assert_broken(&conf, "no known type");
	assert_int_equal(conf.type, PCICONF_CONVENTIONAL);
}

static void test_gone(void **state)
{
	uint8_t bytes[PCICONF_MAX];
	struct pciconf conf;

	memset(bytes, 0xff, sizeof(bytes));
	conf = parse(bytes, sizeof(bytes));
	assert_false(conf.readable);
	assert_broken(&conf, "does not answer");
	/* A virtual function has no vendor and device of its own. */
	fake_space(&port, bytes);
	memset(bytes, 0xff, 4);
	assert_true(parse(bytes, sizeof(bytes)).has_acs);
}

/* Whatever the bytes are, parsing ends and stays within them. */
static void test_random(void **state)
{
	unsigned int seed = 1;

	for (int round = 0; round < 2000; round++) {
		size_t len = (size_t)rand_r(&seed) % (PCICONF_MAX + 1);
		autofree uint8_t *bytes = xzalloc(len);
		struct pciconf conf;

		for (size_t i = 0; i < len; i++)
			bytes[i] = (uint8_t)rand_r(&seed);
		if (len > PCI_STATUS)
			bytes[PCI_STATUS] |= PCI_STATUS_CAP_LIST;
		conf = parse(bytes, len);
		assert_true(conf.type >= PCICONF_CONVENTIONAL && conf.type < 16);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_whole),	       cmocka_unit_test(test_truncated),
		cmocka_unit_test(test_broken_list),    cmocka_unit_test(test_broken_extended_list),
		cmocka_unit_test(test_gone),	       cmocka_unit_test(test_random),
		cmocka_unit_test(test_unknown_header),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
