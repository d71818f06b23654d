/* SPDX-License-Identifier: GPL-2.0-only */
/* Which cell of one run is to be compared with which of another. */
#ifndef HARNESS_PARTNER_H
#define HARNESS_PARTNER_H

#include <stddef.h>

struct cell_names {
	const char *id, *mode, *device, *workload, *variant;
};

#define NO_PARTNER ((size_t)-1)

/*
 * The cell of others with the same id. If there is none, but all cells of each list have one mode
 * (of two modes, one experiment each: run --ab), the one of the same device, workload and variant.
 * NO_PARTNER: none.
 */
size_t partner_find(const struct cell_names *cells, size_t nr, size_t which,
		    const struct cell_names *others, size_t nr_others);

#endif
