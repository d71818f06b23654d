// SPDX-License-Identifier: GPL-2.0-only
/* Configuration spaces, parsed as carefully as the kernel does it. */
#include "harness/pciconf.h"

#include <linux/pci_regs.h>
#include <string.h>

#include "harness/util.h"

/* At most so many capabilities fit, so that a longer list is a loop. */
#define MAX_CAPS 48
#define MAX_EXT_CAPS ((PCICONF_MAX - PCI_CFG_SPACE_SIZE) / 8)

struct space {
	const uint8_t *bytes;
	size_t len;
	const char *broken;
};

static uint16_t word_at(const struct space *space, size_t pos)
{
	return (uint16_t)(space->bytes[pos] | space->bytes[pos + 1] << 8);
}

static uint32_t long_at(const struct space *space, size_t pos)
{
	return word_at(space, pos) | (uint32_t)word_at(space, pos + 2) << 16;
}

static uint8_t header_type(const struct space *space)
{
	return space->bytes[PCI_HEADER_TYPE] & 0x7f;
}

/* Where a capability of the first 256 bytes is, 0: nowhere. */
static size_t find_cap(struct space *space, uint8_t id)
{
	size_t pos =
		space->bytes[header_type(space) == PCI_HEADER_TYPE_CARDBUS ? PCI_CB_CAPABILITY_LIST
									   : PCI_CAPABILITY_LIST];

	for (unsigned int i = 0; i < MAX_CAPS; i++) {
		if (!pos)
			return 0;
		pos &= ~(size_t)3;
		if (pos < PCI_STD_HEADER_SIZEOF) {
			space->broken = "its capability list points into the header";
			return 0;
		}
		if (space->bytes[pos] == 0xff) {
			space->broken = "its capability list points to nothing";
			return 0;
		}
		if (space->bytes[pos] == id)
			return pos;
		pos = space->bytes[pos + PCI_CAP_LIST_NEXT];
	}
	space->broken = "its capability list is a loop";
	return 0;
}

/* The same of the extended ones; last: so much room after its start it must have. */
static size_t find_ext_cap(struct space *space, uint16_t id, size_t size)
{
	size_t pos = PCI_CFG_SPACE_SIZE;

	for (unsigned int i = 0; i < MAX_EXT_CAPS; i++) {
		uint32_t header;

		if (pos + size > space->len) {
			/* Nothing to see is no fault of the list. */
			if (pos > PCI_CFG_SPACE_SIZE)
				space->broken = "its extended capability list leaves the space";
			return 0;
		}
		header = long_at(space, pos);
		/* None at all, or no answer beyond the first 256 bytes. */
		if (!header || (header == ~0U && pos == PCI_CFG_SPACE_SIZE))
			return 0;
		if (PCI_EXT_CAP_ID(header) == id)
			return pos;
		pos = PCI_EXT_CAP_NEXT(header);
		if (!pos)
			return 0;
		if (pos < PCI_CFG_SPACE_SIZE) {
			space->broken = "its extended capability list points below it";
			return 0;
		}
	}
	space->broken = "its extended capability list is a loop";
	return 0;
}

static void parse_acs(struct space *space, struct pciconf *out)
{
	size_t pos = find_ext_cap(space, PCI_EXT_CAP_ID_ACS, PCI_ACS_CTRL + sizeof(uint16_t));

	if (!pos)
		return;
	out->has_acs = true;
	out->acs_capable = word_at(space, pos + PCI_ACS_CAP);
	out->acs_enabled = word_at(space, pos + PCI_ACS_CTRL);
}

/* Of a virtual function, vendor and device are ones; the command never is. */
static bool is_gone(const struct space *space)
{
	static const uint8_t ones[] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };

	return !memcmp(space->bytes, ones, sizeof(ones));
}

void pciconf_parse(const uint8_t *bytes, size_t len, struct pciconf *out)
{
	struct space space = { bytes, len, NULL };
	size_t pos;

	*out = (struct pciconf){ .type = PCICONF_CONVENTIONAL };
	if (len < PCI_STD_HEADER_SIZEOF)
		return;
	if (is_gone(&space)) {
		out->broken = "it does not answer";
		return;
	}
	out->multifunction = bytes[PCI_HEADER_TYPE] & 0x80;
	out->bridge = header_type(&space) != PCI_HEADER_TYPE_NORMAL;
	/* Without capabilities there is nothing to see beyond the header. */
	out->readable =
		len >= PCI_CFG_SPACE_SIZE || !(word_at(&space, PCI_STATUS) & PCI_STATUS_CAP_LIST);
	if (len < PCI_CFG_SPACE_SIZE || !(word_at(&space, PCI_STATUS) & PCI_STATUS_CAP_LIST))
		return;
	pos = find_cap(&space, PCI_CAP_ID_EXP);
	if (pos) {
		out->type = (word_at(&space, pos + PCI_EXP_FLAGS) & PCI_EXP_FLAGS_TYPE) >> 4;
		parse_acs(&space, out);
	}
	out->broken = space.broken;
}
