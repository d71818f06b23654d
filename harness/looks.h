/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * When run --ab looks at its results. More boots go to cells that are inconclusive, so the number
 * of boots depends on what was seen; whoever looks again and again until something is significant
 * finds it where nothing is (Armitage, McPherson and Rowe 1969: five looks at 5 % give 14 %).
 *
 * The design: at most LOOKS_MAX looks, at numbers of boots that are fixed before the first one, and
 * each has an equal share of alpha (and of 1 - confidence) to spend: a group sequential test with
 * the discrete spending of Lan and DeMets (1983), bounded by Bonferroni's inequality. Alarms then
 * come with probability alpha at most over all looks, whatever the distribution and whatever rule
 * stops a cell, also one that depends on other cells. Equal shares, and not ones that save alpha
 * for the last look: of 6 boots a side no share below 0.22 of 1 % could be reached. A boundary
 * that uses the correlation of the looks (Pocock 1977) would gain little: 0.0041 in place of
 * 0.0033 at three looks.
 *
 * What --time-limit ends is looked at where it stands, in place of the look that it was on the way
 * to. Only if a run is resumed after that has it one look more than is paid for.
 */
#ifndef HARNESS_LOOKS_H
#define HARNESS_LOOKS_H

#include <jansson.h>
#include <stddef.h>

#define LOOKS_MAX 3

struct looks {
	unsigned int boots[LOOKS_MAX]; /* a side, ascending */
	size_t nr;		       /* 0: one look at whatever there is */
};

/*
 * From the first number of boots that can give a verdict (GATE_MIN_BOOTS, or boots if that is
 * more) to max in equal steps; just one look if that is no less than max.
 */
void looks_plan(unsigned int boots, unsigned int max, struct looks *looks);

/* Which look, from 0, a cell with that many boots a side has reached or is on the way to. */
size_t looks_index(const struct looks *looks, size_t boots);
/* The share of alpha of each look. */
double looks_share(const struct looks *looks);

/* As in a manifest: an array of numbers of boots. New reference; 0, or -EINVAL if it is none. */
json_t *looks_json(const struct looks *looks);
int looks_read(const json_t *json, struct looks *looks);

#endif
