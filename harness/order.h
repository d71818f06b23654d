/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The order of VM lives. Whatever drifts on a host (temperature, caches, fragmented memory, the
 * hour) must not fall on one cell more than on another, so each round has every life once:
 *
 *   alternate   A B C | C B A | A B C ...: a steady drift cancels over two rounds
 *   random      each round is shuffled of its own: nothing periodic can follow the order
 *   sequential  all boots of A, then all of B: fewest changes of the host, and drift counts fully
 *
 * Randomised blocks: Montgomery, Design and Analysis of Experiments, 4.1.
 */
#ifndef HARNESS_ORDER_H
#define HARNESS_ORDER_H

#include <stddef.h>
#include <stdint.h>

enum boot_order { ORDER_ALTERNATE, ORDER_RANDOM, ORDER_SEQUENTIAL };

/* As in the configuration, by the enum's values, ending with NULL. */
extern const char *const order_names[];

/*
 * Which of nr lives comes when in that round: places[i] is the i-th. The same seed and round give
 * the same order; a round of ORDER_SEQUENTIAL is in the plan's own.
 */
void order_round(enum boot_order order, uint64_t seed, unsigned int round, size_t nr,
		 size_t *places);

#endif
