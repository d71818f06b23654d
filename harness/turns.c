// SPDX-License-Identifier: GPL-2.0-only
/* Whose turn it is in run --ab. */
#include "harness/turns.h"

#include <string.h>

#include "harness/util.h"

const char *turns_side(unsigned int side)
{
	return side ? "b" : "a";
}

static int compare_boots(const void *a, const void *b)
{
	size_t x = (*(const struct plan_boot *const *)a)->cells[0];
	size_t y = (*(const struct plan_boot *const *)b)->cells[0];

	return (x > y) - (x < y);
}

/* Its first boot stands for each life of a plan; in the order of its cells, *nr of them. */
static const struct plan_boot **first_boots(const struct plan *plan, size_t *nr)
{
	const struct plan_boot **boots =
		xzalloc((plan->nr_boots + 1) * sizeof(const struct plan_boot *));

	*nr = 0;
	for (size_t i = 0; i < plan->nr_boots; i++)
		if (!plan->boots[i].warmup && !plan->boots[i].index)
			boots[(*nr)++] = &plan->boots[i];
	qsort(boots, *nr, sizeof(const struct plan_boot *), compare_boots);
	return boots;
}

void turns_make(const struct plan *const plans[NR_SIDES], const struct looks *looks,
		enum boot_order order, uint64_t seed, struct turns *turns)
{
	size_t nr[NR_SIDES];
	autofree const struct plan_boot **a = first_boots(plans[0], &nr[0]);
	autofree const struct plan_boot **b = first_boots(plans[1], &nr[1]);

	*turns = (struct turns){ .plans = { plans[0], plans[1] },
				 .lives = xzalloc((nr[0] + nr[1]) * sizeof(*turns->lives)),
				 .looks = *looks,
				 .order = order,
				 .seed = seed };
	for (size_t i = 0; i < nr[0] || i < nr[1]; i++) {
		if (i < nr[0])
			turns->lives[turns->nr++] = (struct turn_life){ 0, *a[i], 0 };
		if (i < nr[1])
			turns->lives[turns->nr++] = (struct turn_life){ 1, *b[i], 0 };
	}
}

void turns_free(struct turns *turns)
{
	free(turns->lives);
	*turns = (struct turns){ 0 };
}

int turns_each(const struct turns *turns,
	       int (*visit)(void *arg, const struct turn_life *life, const struct plan_boot *boot),
	       void *arg)
{
	autofree size_t *places = xzalloc((turns->nr + 1) * sizeof(*places));
	int ret = 0;

	for (unsigned int round = 0; round < turns->looks.boots[turns->looks.nr - 1]; round++) {
		order_round(turns->order, turns->seed, round, turns->nr, places);
		for (size_t i = 0; i < turns->nr && !ret; i++) {
			const struct turn_life *life = &turns->lives[places[i]];
			struct plan_boot boot = life->boot;

			boot.index = round;
			if (round < turns->looks.boots[life->look])
				ret = visit(arg, life, &boot);
		}
	}
	return ret;
}

static bool serves(const struct turns *turns, const struct turn_life *life, const char *cell)
{
	for (size_t i = 0; i < life->boot.nr_cells; i++)
		if (!strcmp(turns->plans[life->side]->cells[life->boot.cells[i]].id, cell))
			return true;
	return false;
}

struct turn_life *turns_find(const struct turns *turns, unsigned int side, const char *cell)
{
	for (size_t i = 0; i < turns->nr; i++)
		if (turns->lives[i].side == side && serves(turns, &turns->lives[i], cell))
			return &turns->lives[i];
	return NULL;
}

bool turns_extend(struct turns *turns, const size_t *before, const char *cell, const char *other)
{
	struct turn_life *lives[NR_SIDES] = { turns_find(turns, 0, cell),
					      turns_find(turns, 1, other) };
	size_t next = 0;

	for (unsigned int side = 0; side < NR_SIDES; side++)
		if (lives[side] && before[lives[side] - turns->lives] >= next)
			next = before[lives[side] - turns->lives] + 1;
	if (!next || next >= turns->looks.nr)
		return false;
	for (unsigned int side = 0; side < NR_SIDES; side++)
		if (lives[side] && lives[side]->look < next)
			lives[side]->look = next;
	return true;
}

static const char *first_cell(const struct turns *turns, const struct turn_life *life)
{
	return turns->plans[life->side]->cells[life->boot.cells[0]].id;
}

json_t *turns_json(const struct turns *turns)
{
	json_t *json = json_pack("{s:{}, s:{}}", turns_side(0), turns_side(1));

	for (size_t i = 0; i < turns->nr; i++)
		json_object_set_new(json_object_get(json, turns_side(turns->lives[i].side)),
				    first_cell(turns, &turns->lives[i]),
				    json_integer((json_int_t)turns->lives[i].look));
	return json;
}

void turns_read(const json_t *json, struct turns *turns)
{
	for (size_t i = 0; i < turns->nr; i++) {
		struct turn_life *life = &turns->lives[i];
		json_int_t look = json_integer_value(json_object_get(
			json_object_get(json, turns_side(life->side)), first_cell(turns, life)));

		if (look > 0 && look < (json_int_t)turns->looks.nr)
			life->look = (size_t)look;
	}
}
