/* SPDX-License-Identifier: GPL-2.0-only */
/* A colour for each mode, the same on every page: it goes by the mode's place in the registry. */
#ifndef HARNESS_REPORT_COLOUR_H
#define HARNESS_REPORT_COLOUR_H

#include <stddef.h>

#define NO_PLACE ((size_t)-1)
#define NR_COLOURS 16 /* places with one of their own */

/* Where the registry has the mode, or NO_PLACE; and how many it has. */
size_t report_mode_place(const char *mode);
size_t report_nr_modes(void);

/*
 * The colour of a place, 0xrrggbb. Further variants of a mode (from 1) have lighter and greyer
 * shades of it, so do places from NR_COLOURS on; never is the colour the only thing that tells
 * them apart.
 */
unsigned int report_place_colour(size_t place, unsigned int variant);

#endif
