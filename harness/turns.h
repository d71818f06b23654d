/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Whose turn it is in run --ab: the lives of two plans, neighbours in each round, in the order of
 * order.h (A1 B1 A2 B2 | B2 A2 B1 A1 ...), and how far each of them is to go (looks.h).
 */
#ifndef HARNESS_TURNS_H
#define HARNESS_TURNS_H

#include "harness/looks.h"
#include "harness/order.h"
#include "harness/plan.h"

#define NR_SIDES 2

struct turn_life {
	unsigned int side;
	struct plan_boot boot; /* its cells are borrowed from the plan */
	size_t look;	       /* its boots go on up to that one of the looks */
};

struct turns {
	const struct plan *plans[NR_SIDES];
	struct turn_life *lives; /* by turns A, B, A, B; what one side has more of comes last */
	size_t nr;
	struct looks looks;
	enum boot_order order;
	uint64_t seed;
};

/* From two plans that have at least one round each. They must outlive the turns. */
void turns_make(const struct plan *const plans[NR_SIDES], const struct looks *looks,
		enum boot_order order, uint64_t seed, struct turns *turns);
void turns_free(struct turns *turns);

/*
 * Calls visit for each boot that the looks ask for, in order, until one is not 0; returns that. The
 * boot is visit's until it returns.
 */
int turns_each(const struct turns *turns,
	       int (*visit)(void *arg, const struct turn_life *life, const struct plan_boot *boot),
	       void *arg);

/* The life of that side that serves the cell, or NULL. */
struct turn_life *turns_find(const struct turns *turns, unsigned int side, const char *cell);

/*
 * Two cells, one a side, are inconclusive after what `before` says of each life (its look then):
 * both lives go on to the next look. False if they have had the last one.
 */
bool turns_extend(struct turns *turns, const size_t *before, const char *cell, const char *other);

/* { "a": { CELL: LOOK }, ... } by each life's first cell, to be resumed from. New reference. */
json_t *turns_json(const struct turns *turns);
/* What is missing or makes no sense there stays as it is. */
void turns_read(const json_t *json, struct turns *turns);

/* The name of a side: "a" or "b". */
const char *turns_side(unsigned int side);

#endif
