// SPDX-License-Identifier: GPL-2.0-only
/* What the display program shows. */
#include "bench/pattern.h"

#define MARKED_LINES 2U /* the bars and the number: drawn in each frame */
#define BITS 32U

uint32_t pattern_tile(uint32_t frame, unsigned int columns, unsigned int column, unsigned int line)
{
	static const uint32_t bars[] = { 0xffffff, 0xffff00, 0x00ffff, 0x00ff00,
					 0xff00ff, 0xff0000, 0x0000ff, 0x000000 };
	uint32_t red, green, blue;

	if (line == 0)
		return bars[column * 8 / columns];
	if (line == 1)
		return frame >> (BITS - 1 - column * BITS / columns) & 1 ? 0xffffff : 0x000000;
	red = (column * 4 + frame * 8) & 0xff;
	green = (line * 4 + frame * 4) & 0xff;
	blue = (column * 2 + line * 2 + frame) & 0xff;
	return red << 16 | green << 8 | blue;
}

unsigned int pattern_tiles(unsigned int pixels)
{
	return (pixels + PATTERN_TILE - 1) / PATTERN_TILE;
}

unsigned int pattern_drawn(unsigned int lines, unsigned int fill)
{
	unsigned int drawn = lines * fill / 100;

	return drawn > MARKED_LINES ? drawn : MARKED_LINES;
}
