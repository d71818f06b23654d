// SPDX-License-Identifier: GPL-2.0-only
/* Which cell of one run is to be compared with which of another. */
#include "harness/partner.h"

#include <stdbool.h>
#include <string.h>

static bool one_mode(const struct cell_names *cells, size_t nr)
{
	for (size_t i = 1; i < nr; i++)
		if (strcmp(cells[i].mode, cells[0].mode) != 0)
			return false;
	return true;
}

static bool same_but_mode(const struct cell_names *a, const struct cell_names *b)
{
	return !strcmp(a->device, b->device) && !strcmp(a->workload, b->workload) &&
	       !strcmp(a->variant, b->variant);
}

size_t partner_find(const struct cell_names *cells, size_t nr, size_t which,
		    const struct cell_names *others, size_t nr_others)
{
	const struct cell_names *cell = &cells[which];

	for (size_t i = 0; i < nr_others; i++)
		if (!strcmp(others[i].id, cell->id))
			return i;
	if (!one_mode(cells, nr) || !one_mode(others, nr_others))
		return NO_PARTNER;
	for (size_t i = 0; i < nr_others; i++)
		if (same_but_mode(&others[i], cell))
			return i;
	return NO_PARTNER;
}
