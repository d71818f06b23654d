// SPDX-License-Identifier: GPL-2.0-only
/* What the kernel knows of single PCI devices, by vendor and device. */
#include "harness/quirk.h"

#include <linux/pci_regs.h>

#include "harness/pci.h"
#include "harness/util.h"

#define INTEL 0x8086
#define ANY 0, 0xffff, 1

/* Devices of a vendor, from first to last; step 2: every other one. */
struct ids {
	uint16_t vendor, first, last, step;
};

static bool has_id(const struct ids *ids, const struct pcitree_node *node)
{
	return ids->vendor == node->vendor && node->device >= ids->first &&
	       node->device <= ids->last && (node->device - ids->first) % ids->step == 0;
}

static bool listed(const struct ids *list, size_t nr, const struct pcitree_node *node)
{
	for (size_t i = 0; i < nr; i++)
		if (has_id(&list[i], node))
			return true;
	return false;
}
#define LISTED(list, node) listed(list, ARRAY_SIZE(list), node)

/* --- isolation --- */

/* Whatever kind of function they are. */
static const struct ids isolated[] = {
	/* Solarflare */
	{ 0x1924, 0x0903, 0x0923, 0x20 },
	{ 0x1924, 0x0a03, 0x0a03, 1 },
	/* network adapters */
	{ INTEL, 0x105e, 0x1060, 1 },
	{ INTEL, 0x10a7, 0x10a9, 2 },
	{ INTEL, 0x10c6, 0x10c9, 3 },
	{ INTEL, 0x10d6, 0x10d9, 3 },
	{ INTEL, 0x10db, 0x10dd, 2 },
	{ INTEL, 0x10e1, 0x10e1, 1 },
	{ INTEL, 0x10e6, 0x10e8, 1 },
	{ INTEL, 0x10f1, 0x10f1, 1 },
	{ INTEL, 0x10f7, 0x10fc, 1 },
	{ INTEL, 0x1507, 0x1507, 1 },
	{ INTEL, 0x1509, 0x150a, 1 },
	{ INTEL, 0x150d, 0x1511, 1 },
	{ INTEL, 0x1514, 0x1518, 2 },
	{ INTEL, 0x151c, 0x151c, 1 },
	{ INTEL, 0x1521, 0x1524, 1 },
	{ INTEL, 0x1526, 0x1527, 1 },
	{ INTEL, 0x1529, 0x152a, 1 },
	{ INTEL, 0x154d, 0x1551, 2 },
	{ INTEL, 0x1558, 0x1558, 1 },
	{ INTEL, 0x15b7, 0x15b8, 1 },
	/* Qualcomm */
	{ 0x17cb, 0x0111, 0x0115, 4 },
	{ 0x17cb, 0x0120, 0x0120, 1 },
	{ 0x17cb, 0x0400, 0x0401, 1 },
	/* HXT */
	{ 0x1dbf, 0x0401, 0x0401, 1 },
	/* Emulex */
	{ 0x19a2, 0x0710, 0x0710, 1 },
	/* Emulex */
	{ 0x10df, 0x0720, 0x0720, 1 },
	/* Cavium */
	{ 0x177d, 0xa026, 0xa026, 1 },
	{ 0x177d, 0xa059, 0xa060, 7 },
	/* X-Gene */
	{ 0x10e8, 0xe004, 0xe004, 1 },
	/* Ampere */
	{ 0x1def, 0xe005, 0xe00c, 1 },
	/* Broadcom */
	{ 0x14e4, 0x16d7, 0x16d7, 1 },
	{ 0x14e4, 0x1750, 0x1752, 1 },
	{ 0x14e4, 0x1760, 0x1763, 1 },
	{ 0x14e4, 0xd714, 0xd714, 1 },
	/* Loongson */
	{ 0x0014, 0x3c09, 0x3c29, 0x10 },
	{ 0x0014, 0x7a09, 0x7a69, 0x10 },
	/* Zhaoxin */
	{ 0x1d17, 0x3038, 0x3038, 1 },
	{ 0x1d17, 0x3104, 0x3104, 1 },
	{ 0x1d17, 0x9083, 0x9083, 1 },
	/* NXP */
	{ 0x1957, 0x8d80, 0x8d83, 1 },
	{ 0x1957, 0x8d88, 0x8d8b, 1 },
	{ 0x1957, 0x8d90, 0x8d93, 1 },
	{ 0x1957, 0x8d98, 0x8d9b, 1 },
	{ 0x1957, 0x8da0, 0x8da1, 1 },
	{ 0x1957, 0x8da8, 0x8da9, 1 },
	{ 0x1957, 0x8db0, 0x8db1, 1 },
	{ 0x1957, 0x8db8, 0x8db9, 1 },
	/* Wangxun */
	{ 0x8088, 0x0100, 0x010f, 1 },
	{ 0x8088, 0x1001, 0x2001, 0x1000 },
	{ 0x8088, 0x5010, 0x5010, 1 },
	{ 0x8088, 0x5025, 0x5025, 1 },
	{ 0x8088, 0x5040, 0x5040, 1 },
	{ 0x8088, 0x5110, 0x5110, 1 },
	{ 0x8088, 0x5125, 0x5125, 1 },
	{ 0x8088, 0x5140, 0x5140, 1 },
};
/* As root ports. */
static const struct ids isolated_roots[] = {
	{ 0x177d, 0xa000, 0xa7ff, 1 },
	{ 0x177d, 0xaf84, 0xaf84, 1 },
	{ 0x177d, 0xb884, 0xb884, 1 },
	{ 0x1c36, 0x0031, 0x0031, 1 }, /* Annapurna Labs */
};
/* As root or downstream ports; Zhaoxin's others do not isolate, whatever they say. */
static const struct ids isolated_ports[] = {
	{ 0x1d17, 0x0710, 0x071e, 1 },
	{ 0x1d17, 0x0721, 0x0721, 1 },
	{ 0x1d17, 0x0723, 0x0752, 1 },
};
static const struct ids other_ports[] = { { 0x1d17, ANY } };
/* Nor do Wangxun's other functions. */
static const struct ids others[] = { { 0x8088, ANY } };
/* On the root bus beside an AMD IOMMU, as one of several functions. */
static const struct ids isolated_amd[] = {
	{ 0x1002, 0x4383, 0x4385, 1 }, { 0x1002, 0x4399, 0x4399, 1 }, { 0x1002, 0x439c, 0x439d, 1 },
	{ 0x1022, 0x7809, 0x7809, 1 }, { 0x1022, 0x780f, 0x780f, 1 },
};
/* Root ports of chipsets that have a switch of their own against peer-to-peer DMA. */
static const struct ids pch_roots[] = {
	{ INTEL, 0x1c10, 0x1c1f, 1 }, { INTEL, 0x1d10, 0x1d1e, 2 }, { INTEL, 0x1e10, 0x1e1f, 1 },
	{ INTEL, 0x3b42, 0x3b51, 1 }, { INTEL, 0x8c10, 0x8c1f, 1 }, { INTEL, 0x8c90, 0x8c9e, 2 },
	{ INTEL, 0x8d10, 0x8d1e, 1 }, { INTEL, 0x9c10, 0x9c1b, 1 }, { INTEL, 0x9c90, 0x9c9b, 1 },
};
/* Root ports whose ACS registers have 32 bits each. */
static const struct ids wide_acs_roots[] = {
	{ INTEL, 0x9d10, 0x9d1b, 1 }, { INTEL, 0xa110, 0xa11f, 1 }, { INTEL, 0xa167, 0xa16a, 1 },
	{ INTEL, 0xa290, 0xa29f, 1 }, { INTEL, 0xa2e7, 0xa2ee, 1 },
};

#define LPC_DEVFN (31 << 3) /* where the chipset's own registers are named */
#define LPC_RCBA 0xf0
#define LPC_RCBA_ENABLE 1
#define WIDE_ACS_CTRL (PCI_ACS_CAP + 4)

/* The kernel can use the chipset's switch if its registers are mapped. */
static enum quirk_acs pch_verdict(const struct pcitree *tree, const struct pcitree_node *port)
{
	for (size_t i = 0; i < tree->nr; i++) {
		const struct pcitree_node *lpc = &tree->nodes[i];
		uint32_t base;

		if (lpc->domain != port->domain || lpc->bus != port->bus || lpc->devfn != LPC_DEVFN)
			continue;
		if (!pcitree_read(lpc, LPC_RCBA, &base))
			return QUIRK_UNKNOWN;
		return base & LPC_RCBA_ENABLE ? QUIRK_ISOLATES : QUIRK_LEAKS;
	}
	return QUIRK_ISOLATES; /* what is not there reads as ones */
}

static bool has_amd_iommu(void)
{
	autofree char *table = xasprintf("%s/firmware/acpi/tables/IVRS", sysfs_root);
	autofree char *iommu = xasprintf("%s/class/iommu/ivhd0", sysfs_root);

	return file_exists(table) || file_exists(iommu);
}

static enum quirk_acs verdict(const struct pcitree *tree, const struct pcitree_node *node)
{
	bool root = node->type == PCI_EXP_TYPE_ROOT_PORT;
	bool port = root || node->type == PCI_EXP_TYPE_DOWNSTREAM;

	if (LISTED(isolated, node) || (root && LISTED(isolated_roots, node)) ||
	    (port && LISTED(isolated_ports, node)) ||
	    (node->vendor == INTEL && node->type == PCI_EXP_TYPE_RC_END))
		return QUIRK_ISOLATES;
	if (LISTED(isolated_amd, node) && node->multifunction && node->root_bus && has_amd_iommu())
		return QUIRK_ISOLATES;
	if (root && LISTED(pch_roots, node))
		return pch_verdict(tree, node);
	return LISTED(others, node) || (port && LISTED(other_ports, node)) ? QUIRK_LEAKS
									   : QUIRK_NONE;
}

static void correct_acs(struct pcitree_node *node)
{
	uint32_t control;

	if (node->type != PCI_EXP_TYPE_ROOT_PORT || !node->conf.has_acs ||
	    !LISTED(wide_acs_roots, node))
		return;
	if (pcitree_read(node, node->conf.acs_at + WIDE_ACS_CTRL, &control))
		node->conf.acs_enabled = (uint16_t)control;
}

/* --- requester IDs --- */

static const struct ids as_function0[] = {
	{ 0x1180, 0xe476, 0xe476, 1 },
	{ 0x1180, 0xe832, 0xe832, 1 }, /* Ricoh */
	{ 0x6766, 0x3d40, 0x3d41, 1 }, /* Glenfly */
};
static const struct ids as_function1[] = {
	{ 0x1b4b, 0x9120, 0x9120, 1 }, { 0x1b4b, 0x9123, 0x9123, 1 }, { 0x1b4b, 0x9125, 0x9125, 1 },
	{ 0x1b4b, 0x9128, 0x9128, 1 }, { 0x1b4b, 0x9130, 0x9130, 1 }, { 0x1b4b, 0x9170, 0x9172, 2 },
	{ 0x1b4b, 0x917a, 0x917a, 1 }, { 0x1b4b, 0x9182, 0x9183, 1 }, { 0x1b4b, 0x91a0, 0x91a0, 1 },
	{ 0x1b4b, 0x9215, 0x9215, 1 }, { 0x1b4b, 0x9220, 0x9220, 1 }, { 0x1b4b, 0x9230, 0x9235, 5 },
	{ 0x1103, 0x0642, 0x0645, 3 }, /* HighPoint */
	{ 0x197b, 0x2392, 0x2392, 1 }, /* JMicron */
	{ 0x1c28, 0x0122, 0x0122, 1 }, /* Lite-On */
};
static const struct ids adaptec[] = { { 0x9005, 0x0285, 0x0285, 1 } };
static const struct ids mic_bridges[] = { { INTEL, 0x2260, 0x2264, 4 } };
static const struct ids vca_bridges[] = { { INTEL, 0x2954, 0x2956, 1 },
					  { INTEL, 0x2958, 0x295a, 1 } };
static const struct ids plx_bridges[] = { { 0x10b5, 0x87b0, 0x87b1, 1 } };

static void add_alias(struct pcitree_node *node, unsigned int devfn)
{
	node->aliases[devfn / 64] |= UINT64_C(1) << devfn % 64;
}

static bool is_adaptec_3x05(const struct pcitree_node *node)
{
	unsigned int vendor = pcitree_hex(node, "subsystem_vendor");
	unsigned int device = pcitree_hex(node, "subsystem_device");

	return LISTED(adaptec, node) && vendor == 0x9005 && (device == 0x02bb || device == 0x02bc);
}

static void find_aliases(struct pcitree_node *node)
{
	unsigned int function = node->devfn & 7, slot = node->devfn & ~7U;

	if (LISTED(as_function0, node) && function != 0)
		add_alias(node, slot);
	if (LISTED(as_function1, node) && function != 1)
		add_alias(node, slot | 1);
	if (is_adaptec_3x05(node))
		add_alias(node, 1 << 3);
	if (LISTED(mic_bridges, node)) {
		add_alias(node, 0x10 << 3);
		add_alias(node, 0x11 << 3);
		add_alias(node, 0x12 << 3 | 3);
	}
	for (unsigned int devfn = 0; devfn < 256; devfn++)
		if (LISTED(plx_bridges, node) || (LISTED(vca_bridges, node) && devfn % 8 < 5))
			add_alias(node, devfn);
}

static bool uses_id_of(const struct pcitree_node *one, const struct pcitree_node *other)
{
	return one->aliases[other->devfn / 64] >> other->devfn % 64 & 1;
}

bool quirk_aliases(const struct pcitree_node *one, const struct pcitree_node *other)
{
	return uses_id_of(one, other) || uses_id_of(other, one);
}

void quirk_apply(struct pcitree *tree)
{
	for (size_t i = 0; i < tree->nr; i++) {
		struct pcitree_node *node = &tree->nodes[i];

		correct_acs(node);
		find_aliases(node);
		node->quirk = verdict(tree, node);
	}
}
