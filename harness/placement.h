/* SPDX-License-Identifier: GPL-2.0-only */
/* Which CPUs what runs on: each vCPU alone on its own, everything else elsewhere. */
#ifndef HARNESS_PLACEMENT_H
#define HARNESS_PLACEMENT_H

#include <stdbool.h>

struct vm;

/* Are there CPUs first to first + nr - 1? */
bool placement_fits(unsigned int first, unsigned int nr);

/*
 * Takes this process, and what it starts from now on, off CPUs first to first + nr - 1. If no
 * other CPU would be left, nothing changes but a warning.
 */
void placement_leave(unsigned int first, unsigned int nr);

/* Pins vCPU i of a created VM to CPU first + i. 0, -ERANGE (no such CPU), or -errno. */
int placement_pin_vcpus(struct vm *vm, unsigned int first);

#endif
