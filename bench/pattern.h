/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What bench/load/kms.c shows: tiles whose colours follow from the frame's number, so that a
 * picture of the display tells which frame it is, and that every pixel of it is right. The first
 * line of tiles is colour bars, the second the frame's number in binary, white for 1.
 */
#ifndef BENCH_PATTERN_H
#define BENCH_PATTERN_H

#include <stdint.h>

#define PATTERN_TILE 16U       /* pixels, each way */
#define PATTERN_MIN_WIDTH 512U /* each bit of the number gets a tile at least */
#define PATTERN_MIN_HEIGHT 64U

/* The colour, 0xRRGGBB, of a tile of a display with that many columns of tiles. */
uint32_t pattern_tile(uint32_t frame, unsigned int columns, unsigned int column, unsigned int line);

/* Tiles along so many pixels; the last may be cut. */
unsigned int pattern_tiles(unsigned int pixels);

/* Of that many lines of tiles, those that a frame draws when it draws fill per cent of itself. */
unsigned int pattern_drawn(unsigned int lines, unsigned int fill);

#endif
