// SPDX-License-Identifier: GPL-2.0-only
/* PCI functions with configuration spaces, in a fake sysfs. */
#include "tests/fake_pci.h"

#define MSI_AT 0x50
#define EXP_AT 0x80
#define ACS_AT 0x148

static void put_word(uint8_t *bytes, size_t at, unsigned int value)
{
	bytes[at] = (uint8_t)value;
	bytes[at + 1] = (uint8_t)(value >> 8);
}

static void put_long(uint8_t *bytes, size_t at, uint32_t value)
{
	put_word(bytes, at, value & 0xffff);
	put_word(bytes, at + 2, value >> 16);
}

void fake_space(const struct fake_function *function, uint8_t bytes[PCICONF_MAX])
{
	memset(bytes, 0, PCICONF_MAX);
	put_word(bytes, PCI_VENDOR_ID, 0x1af4);
	put_word(bytes, PCI_DEVICE_ID, 0x1041);
	bytes[PCI_HEADER_TYPE] =
		(uint8_t)((function->multi ? 0x80 : 0) | (function->bridge ? 1 : 0));
	put_word(bytes, PCI_STATUS, PCI_STATUS_CAP_LIST);
	bytes[PCI_CAPABILITY_LIST] = MSI_AT;
	bytes[MSI_AT] = PCI_CAP_ID_MSI;
	if (function->type == CONVENTIONAL)
		return;
	bytes[MSI_AT + 1] = EXP_AT;
	bytes[EXP_AT] = PCI_CAP_ID_EXP;
	put_word(bytes, EXP_AT + PCI_EXP_FLAGS, 2U | (unsigned int)function->type << 4);
	/* Advanced error reporting, then ACS. */
	put_long(bytes, PCI_CFG_SPACE_SIZE,
		 PCI_EXT_CAP_ID_ERR | 2U << 16 | (function->acs.present ? ACS_AT << 20 : 0));
	if (!function->acs.present)
		return;
	put_long(bytes, ACS_AT, PCI_EXT_CAP_ID_ACS | 1U << 16);
	put_word(bytes, ACS_AT + PCI_ACS_CAP, function->acs.capable);
	put_word(bytes, ACS_AT + PCI_ACS_CTRL, function->acs.enabled);
}

const char *fake_bdf(const struct fake_function *function)
{
	const char *slash = strrchr(function->path, '/');

	return slash ? slash + 1 : function->path;
}

void fake_config(const char *bdf, const uint8_t *bytes, size_t len)
{
	autofree char *path = pci_path(bdf, "config");

	assert_int_equal(file_replace(path, (const char *)bytes, len), 0);
}

static void put_attribute(const char *dir, const char *name, const char *text)
{
	autofree char *path = xasprintf("%s/%s", dir, name);

	tree_put(path, text);
}

static void put_link(const char *dir, const char *name, const char *target)
{
	autofree char *path = xasprintf("%s/%s", dir, name);

	tree_link(path, target);
}

static void put_group(const char *dir, const struct fake_function *function)
{
	autofree char *group = xasprintf("sys/kernel/iommu_groups/%d", function->group);
	autofree char *members = xasprintf("%s/devices", group);

	put_link(members, fake_bdf(function), dir);
	put_link(dir, "iommu_group", group);
	put_attribute(group, "type", "DMA\n");
}

void fake_function(const struct fake_function *function)
{
	autofree char *dir = xasprintf("sys/devices/pci0000:00/%s", function->path);
	uint8_t bytes[PCICONF_MAX];

	put_link("sys/bus/pci/devices", fake_bdf(function), dir);
	put_attribute(dir, "class", function->bridge ? "0x060400\n" : "0x020000\n");
	put_attribute(dir, "vendor", "0x1af4\n");
	put_attribute(dir, "device", "0x1041\n");
	put_attribute(dir, "numa_node", "-1\n");
	put_attribute(dir, "reset_method", "flr bus\n");
	fake_space(function, bytes);
	fake_config(fake_bdf(function), bytes, sizeof(bytes));
	if (function->group != NO_GROUP)
		put_group(dir, function);
	if (function->physfn) {
		autofree char *physfn = xasprintf("sys/bus/pci/devices/%s", function->physfn);

		put_link(dir, "physfn", physfn);
	}
	if (function->driver) {
		autofree char *driver = xasprintf("sys/bus/pci/drivers/%s", function->driver);

		tree_dir(driver);
		put_link(dir, "driver", driver);
	}
}
