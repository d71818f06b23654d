// SPDX-License-Identifier: GPL-2.0-only
/* Looking more than once at boots that are added: when, and how often that is wrong or right. */
#include "tests/close.h"

#include <errno.h>

#include "harness/floors.h"
#include "harness/gate.h"
#include "harness/looks.h"
#include "harness/util.h"

#define MAX_BOOTS 20
#define NR_CELLS 6
#define NR_SETS 2000

static struct looks planned(unsigned int boots, unsigned int max)
{
	struct looks looks;

	looks_plan(boots, max, &looks);
	return looks;
}

static void fixed_before_the_first(void **state)
{
	static const struct {
		unsigned int boots, max, at[LOOKS_MAX];
		size_t nr;
	} cases[] = {
		{ 3, 20, { 6, 13, 20 }, 3 }, { 10, 20, { 10, 15, 20 }, 3 },
		{ 6, 8, { 6, 7, 8 }, 3 },    { 6, 7, { 6, 7 }, 2 },
		{ 20, 20, { 20 }, 1 },	     { 1, 2, { 2 }, 1 },
		{ 3, 6, { 6 }, 1 },	     { 1, 1000, { 6, 503, 1000 }, 3 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct looks looks = planned(cases[i].boots, cases[i].max);

		assert_int_equal(looks.nr, cases[i].nr);
		for (size_t k = 0; k < looks.nr; k++)
			assert_int_equal(looks.boots[k], cases[i].at[k]);
		assert_close(looks_share(&looks) * (double)looks.nr, 1, 1e-12);
	}
	/* The first look must be able to find something. */
	assert_true(rank_smallest_p(GATE_MIN_BOOTS, GATE_MIN_BOOTS) < GATE_ALPHA / LOOKS_MAX);
}

static void read_back(void **state)
{
	static const char *const bad[] = { "null",	   "[]",     "[6, 6]",
					   "[0]",	   "[6, 5]", "[\"6\"]",
					   "[1, 2, 3, 4]", "[1001]", "{\"a\": 6}" };
	struct looks looks = planned(6, 20), again;
	json_t *json = looks_json(&looks);

	assert_int_equal(looks_read(json, &again), 0);
	assert_memory_equal(&looks, &again, sizeof(looks));
	json_decref(json);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		json = json_loads(bad[i], JSON_DECODE_ANY, NULL);
		assert_int_equal(looks_read(json, &again), -EINVAL);
		json_decref(json);
	}
	looks = (struct looks){ 0 };
	assert_close(looks_share(&looks), 1, 0);
}

/* --- how often it is wrong, and right --- */

struct cell {
	double base[MAX_BOOTS], value[MAX_BOOTS];
	unsigned int nr;
};
struct rates {
	double alarm, found;   /* sets with a regression; with a change of either direction */
	double settled, boots; /* of the cells; boots a side */
};

struct setup {
	struct looks looks;
	size_t nr_cells;
	double cv, shift, share; /* of alpha that each look spends; 0: all of it */
};

/* More boots for a cell, up to that many a side. */
static void boot(struct prng *prng, struct cell *cell, unsigned int boots,
		 const struct setup *setup)
{
	for (; cell->nr < boots; cell->nr++) {
		cell->base[cell->nr] = 1000 * (1 + setup->cv * prng_normal(prng));
		cell->value[cell->nr] = 1000 * (1 + setup->shift + setup->cv * prng_normal(prng));
	}
}

/* One look at all cells: which of them have no verdict? */
static void look(const struct cell *cells, const struct setup *setup, struct gate_test *tests)
{
	const struct gate_options options = { .alpha = GATE_ALPHA };

	for (size_t i = 0; i < setup->nr_cells; i++)
		tests[i] = (struct gate_test){ .base = cells[i].base,
					       .value = cells[i].value,
					       .nr_base = cells[i].nr,
					       .nr_value = cells[i].nr,
					       .direction = DIRECTION_LOWER,
					       .floor = 1e-6, /* of no help */
					       .margin = MARGIN_DEFAULT,
					       .share = setup->share };
	gate_run(tests, setup->nr_cells, &options);
}

static void count(const struct gate_test *tests, size_t nr, struct rates *rates)
{
	bool alarm = false, found = false;

	for (size_t i = 0; i < nr; i++) {
		alarm |= tests[i].verdict == VERDICT_REGRESSION;
		found |= alarm || tests[i].verdict == VERDICT_IMPROVEMENT;
		rates->settled += (tests[i].verdict != VERDICT_INCONCLUSIVE) / (double)nr;
		rates->boots += (double)tests[i].nr_base / (double)nr;
	}
	rates->alarm += alarm;
	rates->found += found;
}

/* One session: each cell gets boots up to the next look as long as it is inconclusive. */
static void session(struct prng *prng, const struct setup *setup, struct rates *rates)
{
	struct cell cells[NR_CELLS] = { 0 };
	struct gate_test tests[NR_CELLS] = { 0 };

	for (size_t k = 0; k < setup->looks.nr; k++) {
		for (size_t i = 0; i < setup->nr_cells; i++)
			if (!k || tests[i].verdict == VERDICT_INCONCLUSIVE)
				boot(prng, &cells[i], setup->looks.boots[k], setup);
		look(cells, setup, tests);
	}
	count(tests, setup->nr_cells, rates);
}

static struct rates simulate(size_t nr_cells, double cv, double shift, bool shared, uint64_t seed)
{
	struct setup setup = { planned(6, MAX_BOOTS), nr_cells, cv, shift, 0 };
	size_t sets = NR_SETS / nr_cells;
	struct rates rates = { 0 };
	struct prng prng;

	setup.share = shared ? looks_share(&setup.looks) : 0;
	prng_seed(&prng, seed);
	for (size_t set = 0; set < sets; set++)
		session(&prng, &setup, &rates);
	rates.alarm /= (double)sets;
	rates.found /= (double)sets;
	rates.settled /= (double)sets;
	rates.boots /= (double)sets;
	return rates;
}

/* Improvements are found as often; 1 % is for both together, give or take chance. */
static void false_alarms_stay_rare(void **state)
{
	for (int percent = 1; percent <= 5; percent++) {
		struct rates rates = simulate(1, percent / 100.0, 0, true, (uint64_t)percent);

		print_message("A/A, CV %d %%: %.2f %% alarms, %.2f %% changes, %.0f %% settled, "
			      "%.1f boots\n",
			      percent, 100 * rates.alarm, 100 * rates.found, 100 * rates.settled,
			      rates.boots);
		assert_true(rates.alarm <= 0.01);
		assert_true(rates.found <= 0.015);
	}
}

/* The same without shares: the simulation can see what they are for. */
static void looking_often_would_raise_more(void **state)
{
	double naive = 0, shared = 0;

	for (int percent = 3; percent <= 5; percent++) {
		naive += simulate(1, percent / 100.0, 0, false, 50 + (uint64_t)percent).found / 3;
		shared += simulate(1, percent / 100.0, 0, true, 50 + (uint64_t)percent).found / 3;
	}
	print_message("A/A: %.2f %% changes found if each look spends all of alpha, else %.2f %%\n",
		      100 * naive, 100 * shared);
	assert_true(naive > 0.012);
	assert_true(shared <= 0.01);
}

static void many_cells_raise_no_more(void **state)
{
	struct rates rates = simulate(NR_CELLS, 0.04, 0, true, 70);

	print_message("A/A of %d cells: %.2f %% changes\n", NR_CELLS, 100 * rates.found);
	assert_true(rates.found <= 0.015); /* 5 of 333 sets: 1 %, within chance */
}

/* Against 20 boots at once: a little less power, fewer boots where the change is clear. */
static void power_and_boots(void **state)
{
	static const struct {
		double cv, shift, power, boots;
	} cases[] = { { 0.01, 0.05, 0.999, 7 },
		      { 0.02, 0.05, 0.98, 13 },
		      { 0.03, 0.05, 0.90, 17 },
		      { 0.05, 0.10, 0.98, 14 } };

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct rates rates = simulate(1, cases[i].cv, cases[i].shift, true, 80 + i);

		print_message("CV %.0f %%, shift %.0f %%: power %.3f with %.1f boots\n",
			      100 * cases[i].cv, 100 * cases[i].shift, rates.alarm, rates.boots);
		assert_true(rates.alarm >= cases[i].power);
		assert_true(rates.boots <= cases[i].boots);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(fixed_before_the_first),
		cmocka_unit_test(read_back),
		cmocka_unit_test(false_alarms_stay_rare),
		cmocka_unit_test(looking_often_would_raise_more),
		cmocka_unit_test(many_cells_raise_no_more),
		cmocka_unit_test(power_and_boots),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
