// SPDX-License-Identifier: GPL-2.0-only
/* Colours of modes. */
#include "harness/report_colour.h"

#include <string.h>

#include "bench/registry.h"
#include "harness/util.h"

/*
 * Six of Okabe and Ito, and ten that are as far from those and from each other as the nearest two
 * of the six are, as readers with protanopia and deuteranopia see them (CIE Lab, 17.4). All have
 * a contrast of at least 2 with the cards of the page, light and dark (tests/test_report_page.c).
 */
static const unsigned int colours[NR_COLOURS] = {
	0x0072b2, 0xe69f00, 0x009e73, 0xcc79a7, 0x56b4e9, 0xd55e00, 0x6633bb, 0x99bb66,
	0xaa0022, 0x4400ff, 0x883366, 0x0077ff, 0x991188, 0x6699ff, 0x2244ee, 0xaa1144,
};

size_t report_mode_place(const char *mode)
{
	for (size_t i = 0; registry_modes[i]; i++)
		if (!strcmp(registry_modes[i]->name, mode))
			return i;
	return NO_PLACE;
}

size_t report_nr_modes(void)
{
	size_t nr = 0;

	while (registry_modes[nr])
		nr++;
	return nr;
}

/* part of 100 of the way from a colour to a grey, channel by channel: never darker than lines on a
 * dark page can be. */
static unsigned int shade(unsigned int colour, unsigned int end, unsigned int part)
{
	unsigned int result = 0;

	for (unsigned int shift = 0; shift <= 16; shift += 8) {
		unsigned int channel = (colour >> shift) & 0xff;

		result |= (channel * (100 - part) + end * part) / 100 << shift;
	}
	return result;
}

unsigned int report_place_colour(size_t place, unsigned int variant)
{
	static const struct {
		unsigned int end, part;
	} shades[] = { { 0, 0 }, { 0xff, 40 }, { 0x80, 50 }, { 0xff, 60 } };
	size_t i = (variant + place / NR_COLOURS) % ARRAY_SIZE(shades);

	return shade(colours[place % NR_COLOURS], shades[i].end, shades[i].part);
}
