/* SPDX-License-Identifier: GPL-2.0-only */
/* Inside of the lab: signs that it stands still. */
#ifndef HARNESS_LAB_STALL_H
#define HARNESS_LAB_STALL_H

#include <stdbool.h>

struct lab;

/* Has one of its processors lost its timer? It answers all the same, but gets nowhere. */
bool lab_lost_timer(const struct lab *lab);
/* Writes what its processors are doing to lab-stall.txt beside its folder. */
void lab_save_stall(struct lab *lab);

#endif
