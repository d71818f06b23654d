// SPDX-License-Identifier: GPL-2.0-only
/*
 * Configuration spaces, parsed as carefully as the kernel does it. Nothing is read but what is
 * asked for: some devices crash when registers are read that they do not have.
 */
#include "harness/pciconf.h"

#include <linux/pci_regs.h>
#include <string.h>

#include "harness/util.h"

/* At most so many capabilities fit, so that a longer list is a loop. */
#define MAX_CAPS 48
#define MAX_EXT_CAPS ((PCICONF_MAX - PCI_CFG_SPACE_SIZE) / 8)

struct space {
	const uint8_t *bytes; /* NULL: it is read from fd */
	int fd;
	size_t size;
	bool hidden; /* something within its size could not be read */
	const char *broken;
};

/* Reads registers; false, and zeros, where there are none to be seen. */
static bool get(struct space *space, size_t pos, void *to, size_t len)
{
	memset(to, 0, len);
	if (pos + len > space->size)
		return false;
	if (space->bytes)
		memcpy(to, space->bytes + pos, len);
	else if (pread(space->fd, to, len, (off_t)pos) != (ssize_t)len)
		space->hidden = true;
	return !space->hidden;
}

static uint16_t word_at(struct space *space, size_t pos)
{
	uint8_t bytes[2];

	get(space, pos, bytes, sizeof(bytes));
	return (uint16_t)(bytes[0] | bytes[1] << 8);
}

static uint32_t long_at(struct space *space, size_t pos)
{
	return word_at(space, pos) | (uint32_t)word_at(space, pos + 2) << 16;
}

/* Where the list of the first 256 bytes begins, 0: nowhere. */
static size_t first_cap(struct space *space, const uint8_t *header)
{
	switch (header[PCI_HEADER_TYPE] & 0x7f) {
	case PCI_HEADER_TYPE_NORMAL:
	case PCI_HEADER_TYPE_BRIDGE:
		return header[PCI_CAPABILITY_LIST];
	case PCI_HEADER_TYPE_CARDBUS:
		return header[PCI_CB_CAPABILITY_LIST];
	default:
		space->broken = "its header is of no known type";
		return 0;
	}
}

/* Where a capability of the first 256 bytes is, 0: nowhere. */
static size_t find_cap(struct space *space, const uint8_t *header, uint8_t id)
{
	size_t pos = first_cap(space, header);

	for (unsigned int i = 0; i < MAX_CAPS; i++) {
		uint8_t cap[2];

		if (!pos)
			return 0;
		pos &= ~(size_t)3;
		if (pos < PCI_STD_HEADER_SIZEOF) {
			space->broken = "its capability list points into the header";
			return 0;
		}
		if (!get(space, pos, cap, sizeof(cap)))
			return 0;
		if (cap[0] == 0xff) {
			space->broken = "its capability list points to nothing";
			return 0;
		}
		if (cap[0] == id)
			return pos;
		pos = cap[PCI_CAP_LIST_NEXT];
	}
	space->broken = "its capability list is a loop";
	return 0;
}

/* Part of what there was is missing, being the end of a copy. */
static size_t cut_off(struct space *space)
{
	space->hidden = true;
	space->broken = "its configuration space is cut off";
	return 0;
}

/* The same of the extended ones, of which one of that size must have room. */
static size_t find_ext_cap(struct space *space, uint16_t id, size_t size)
{
	size_t pos = PCI_CFG_SPACE_SIZE;

	for (unsigned int i = 0; i < MAX_EXT_CAPS; i++) {
		uint32_t header;

		if (pos + sizeof(header) > space->size)
			return cut_off(space);
		header = long_at(space, pos);
		/* None at all, or no answer beyond the first 256 bytes. */
		if (!header || (header == ~0U && pos == PCI_CFG_SPACE_SIZE))
			return 0;
		if (PCI_EXT_CAP_ID(header) == id) {
			if (pos + size <= space->size)
				return pos;
			if (space->size < PCICONF_MAX)
				return cut_off(space);
			space->broken = "its extended capability list leaves the space";
			return 0;
		}
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
	out->acs_at = pos;
	out->acs_capable = word_at(space, pos + PCI_ACS_CAP);
	out->acs_enabled = word_at(space, pos + PCI_ACS_CTRL);
}

static void parse_caps(struct space *space, const uint8_t *header, struct pciconf *out)
{
	size_t pos = find_cap(space, header, PCI_CAP_ID_EXP);

	if (!pos)
		return;
	out->type = (word_at(space, pos + PCI_EXP_FLAGS) & PCI_EXP_FLAGS_TYPE) >> 4;
	/* Where there are no more bytes, the kernel saw none, either. */
	if (space->size > PCI_CFG_SPACE_SIZE)
		parse_acs(space, out);
}

/* Of a virtual function, vendor and device are ones; command and status never are. */
static bool is_gone(const uint8_t *header)
{
	static const uint8_t ones[] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };

	return !memcmp(header, ones, sizeof(ones));
}

static void parse(struct space *space, struct pciconf *out)
{
	uint8_t header[PCI_STD_HEADER_SIZEOF];
	bool has_caps;

	*out = (struct pciconf){ .type = PCICONF_CONVENTIONAL };
	if (!get(space, 0, header, sizeof(header))) {
		out->broken = space->hidden ? NULL : "its configuration space is missing";
		return;
	}
	if (is_gone(header)) {
		out->broken = "it does not answer";
		return;
	}
	out->multifunction = header[PCI_HEADER_TYPE] & 0x80;
	out->bridge = (header[PCI_HEADER_TYPE] & 0x7f) != PCI_HEADER_TYPE_NORMAL;
	/* Without capabilities there is nothing to see beyond the header. */
	has_caps = header[PCI_STATUS] & PCI_STATUS_CAP_LIST;
	if (has_caps && space->size >= PCI_CFG_SPACE_SIZE)
		parse_caps(space, header, out);
	else if (has_caps)
		space->hidden = true; /* such a file was made without root */
	out->readable = !space->hidden;
	out->broken = space->broken;
}

void pciconf_parse(const uint8_t *bytes, size_t len, struct pciconf *out)
{
	struct space space = { .bytes = bytes, .fd = -1, .size = len };

	parse(&space, out);
}

void pciconf_read(int fd, size_t size, struct pciconf *out)
{
	struct space space = { .fd = fd, .size = size };

	parse(&space, out);
}
