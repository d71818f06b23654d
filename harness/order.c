// SPDX-License-Identifier: GPL-2.0-only
/* The order of VM lives within a round. */
#include "harness/order.h"

#include "harness/bootstrap.h"
#include "harness/util.h"

const char *const order_names[] = {
	[ORDER_ALTERNATE] = "alternate",
	[ORDER_RANDOM] = "random",
	[ORDER_SEQUENTIAL] = "sequential",
	NULL,
};

/* Fisher and Yates. */
static void shuffle(uint64_t seed, unsigned int round, size_t nr, size_t *places)
{
	uint64_t hash = fnv1a(FNV1A_INIT, &seed, sizeof(seed));
	struct prng prng;

	/* Of its own for each round: a resumed run goes on as it would have. */
	prng_seed(&prng, fnv1a(hash, &round, sizeof(round)));
	for (size_t i = nr; i > 1; i--) {
		size_t with = prng_below(&prng, (uint32_t)i), place = places[i - 1];

		places[i - 1] = places[with];
		places[with] = place;
	}
}

void order_round(enum boot_order order, uint64_t seed, unsigned int round, size_t nr,
		 size_t *places)
{
	for (size_t i = 0; i < nr; i++)
		places[i] = order == ORDER_ALTERNATE && round % 2 ? nr - 1 - i : i;
	if (order == ORDER_RANDOM)
		shuffle(seed, round, nr, places);
}
