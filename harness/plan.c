// SPDX-License-Identifier: GPL-2.0-only
/* The plan: the experiment's matrix expanded to cells and to VM lives in running order. */
#include "harness/plan.h"

#include <errno.h>
#include <fnmatch.h>
#include <string.h>

#include "bench/registry.h"
#include "harness/log.h"
#include "harness/order.h"
#include "harness/util.h"

#define CELLS_MAX 10000
#define BOOTS_MAX 1000000
#define ID_MAX 200 /* bytes: an id names a folder */
#define IDS_SHOWN 5

/* Neighbouring cells that one VM life serves. */
struct life {
	size_t first, nr;
};

/* One variant of each kind: what a cell is made of. */
struct pick {
	const struct choice *choice;
	const struct variant *variant;
};

static bool fits(const struct choice *device, const struct choice *workload)
{
	const struct device_ops *device_ops = device->ops;
	const struct workload_ops *workload_ops = workload->ops;

	return workload_ops->needs == DEVICE_ANY || workload_ops->needs == device_ops->class;
}

static const char *class_name(enum device_class class)
{
	switch (class) {
	case DEVICE_BLOCK:
		return "block";
	case DEVICE_NET:
		return "network";
	case DEVICE_GPU:
		return "GPU";
	case DEVICE_ROGUE:
		return "DMA test";
	case DEVICE_ANY:
		break;
	}
	return "any";
}

static int check_workload(const struct experiment *exp, const struct choice *workload)
{
	const struct workload_ops *ops = workload->ops;

	for (size_t i = 0; i < exp->devices.nr; i++)
		if (fits(&exp->devices.items[i], workload))
			return 0;
	log_err("%s: workload %s needs a %s device, and devices names none: add one, or remove %s "
		"(`iommubench list devices`)",
		exp->path, ops->name, class_name(ops->needs), ops->name);
	return -EINVAL;
}

static void warn_idle_device(const struct experiment *exp, const struct choice *device)
{
	const struct device_ops *ops = device->ops;

	for (size_t i = 0; i < exp->workloads.nr; i++)
		if (fits(device, &exp->workloads.items[i]))
			return;
	log_warn("%s: device %s is left out: no workload of the list uses it", exp->path,
		 ops->name);
}

static int check_pairs(const struct experiment *exp)
{
	for (size_t i = 0; i < exp->workloads.nr; i++) {
		int ret = check_workload(exp, &exp->workloads.items[i]);

		if (ret)
			return ret;
	}
	for (size_t i = 0; i < exp->devices.nr; i++)
		warn_idle_device(exp, &exp->devices.items[i]);
	return 0;
}

static size_t count_cells(const struct experiment *exp)
{
	size_t modes = 0, pairs = 0;

	for (size_t i = 0; i < exp->modes.nr; i++)
		modes += exp->modes.items[i].nr_variants;
	for (size_t d = 0; d < exp->devices.nr; d++)
		for (size_t w = 0; w < exp->workloads.nr; w++)
			if (fits(&exp->devices.items[d], &exp->workloads.items[w]))
				pairs += exp->devices.items[d].nr_variants *
					 exp->workloads.items[w].nr_variants;
	return modes * pairs;
}

static char *join_names(const struct pick *const picks[3])
{
	struct strbuf name = { 0 };

	strbuf_add(&name, "", 0);
	for (size_t i = 0; i < 3; i++)
		if (*picks[i]->variant->name)
			strbuf_addf(&name, "%s%s", name.len ? "+" : "", picks[i]->variant->name);
	return name.data;
}

/* An id too long for a file name ends in a hash of the whole instead. */
static char *cell_id(const struct cell *cell)
{
	const char *dot = *cell->variant ? "." : "";
	char *id = xasprintf("%s.%s.%s%s%s", cell->mode->name, cell->device->name,
			     cell->workload->name, dot, cell->variant);
	size_t len = strlen(id);

	if (len > ID_MAX)
		snprintf(id + ID_MAX - 17, 18, "~%016llx",
			 (unsigned long long)fnv1a(FNV1A_INIT, id, len));
	return id;
}

static void add_cell(struct plan *plan, const struct pick *mode, const struct pick *device,
		     const struct pick *workload)
{
	const struct pick *const picks[] = { mode, device, workload };
	struct cell *cell = &plan->cells[plan->nr_cells++];

	*cell = (struct cell){
		.variant = join_names(picks),
		.mode = mode->choice->ops,
		.device = device->choice->ops,
		.workload = workload->choice->ops,
		.mode_settings = mode->variant->settings,
		.device_settings = device->variant->settings,
		.workload_settings = workload->variant->settings,
	};
	cell->id = cell_id(cell);
}

/* Steps through all variants of a list; start with { 0 }. */
static bool next_pick(const struct choices *choices, struct pick *pick)
{
	const struct choice *end = choices->items + choices->nr;

	if (!pick->choice)
		pick->choice = choices->items;
	else if (++pick->variant < pick->choice->variants + pick->choice->nr_variants)
		return true;
	else
		pick->choice++;
	if (pick->choice == end)
		return false;
	pick->variant = pick->choice->variants;
	return true;
}

/* Workloads innermost: the cells that can share a VM are neighbours. */
static void add_cells(const struct experiment *exp, struct plan *plan)
{
	struct pick mode = { 0 };

	while (next_pick(&exp->modes, &mode)) {
		struct pick device = { 0 };

		while (next_pick(&exp->devices, &device)) {
			struct pick workload = { 0 };

			while (next_pick(&exp->workloads, &workload))
				if (fits(device.choice, workload.choice))
					add_cell(plan, &mode, &device, &workload);
		}
	}
}

static int compare_ids(const void *a, const void *b)
{
	const struct cell *const *cell_a = a, *const *cell_b = b;

	return strcmp((*cell_a)->id, (*cell_b)->id);
}

/* Names the setting in which they differ, so that the user sees what to merge. */
static void log_same_id(const char *path, const struct cell *a, const struct cell *b)
{
	const struct settings *const sets[][2] = {
		{ a->mode_settings, b->mode_settings },
		{ a->device_settings, b->device_settings },
		{ a->workload_settings, b->workload_settings },
	};

	for (size_t i = 0; i < ARRAY_SIZE(sets); i++) {
		const struct setting *setting = settings_difference(sets[i][0], sets[i][1]);
		size_t at;

		if (!setting)
			continue;
		at = (size_t)(setting - sets[i][0]->table);
		log_err("%s: two cells with the same id '%s': give the values as a list, as "
			"%s: [%s, %s]",
			path, a->id, setting->name, sets[i][0]->values[at].text,
			sets[i][1]->values[at].text);
		return;
	}
	log_err("%s: two cells with the same id '%s': remove one", path, a->id);
}

static int check_ids(const char *path, const struct plan *plan)
{
	autofree const struct cell **sorted = xzalloc(plan->nr_cells * sizeof(struct cell *));

	for (size_t i = 0; i < plan->nr_cells; i++)
		sorted[i] = &plan->cells[i];
	qsort(sorted, plan->nr_cells, sizeof(struct cell *), compare_ids);
	for (size_t i = 1; i < plan->nr_cells; i++) {
		const struct cell *a = sorted[i - 1], *b = sorted[i];

		if (strcmp(a->id, b->id) != 0)
			continue;
		log_same_id(path, a < b ? a : b, a < b ? b : a);
		return -EINVAL;
	}
	return 0;
}

void cell_clear(struct cell *cell)
{
	free(cell->id);
	free(cell->variant);
	free(cell->skip);
}

static int no_match(const char *path, const char *only, const struct plan *plan)
{
	struct strbuf ids = { 0 };

	strbuf_add(&ids, "", 0);
	for (size_t i = 0; i < plan->nr_cells && i < IDS_SHOWN; i++)
		strbuf_addf(&ids, "%s%s", i ? ", " : "", plan->cells[i].id);
	if (plan->nr_cells > IDS_SHOWN)
		strbuf_addf(&ids, ", ... (%zu in all)", plan->nr_cells);
	log_err("%s: no cell matches '%s': use a pattern, as 'static.*', for %s", path, only,
		ids.data);
	free(ids.data);
	return -EINVAL;
}

static int select_cells(const char *path, const char *only, struct plan *plan)
{
	size_t kept = 0;

	for (size_t i = 0; i < plan->nr_cells; i++)
		kept += fnmatch(only, plan->cells[i].id, 0) == 0;
	if (!kept)
		return no_match(path, only, plan);
	kept = 0;
	for (size_t i = 0; i < plan->nr_cells; i++) {
		if (fnmatch(only, plan->cells[i].id, 0))
			cell_clear(&plan->cells[i]);
		else
			plan->cells[kept++] = plan->cells[i];
	}
	plan->nr_cells = kept;
	return 0;
}

uint64_t cell_guest_bytes(const struct cell *cell, uint64_t experiment_bytes)
{
	const struct workload_ops *ops = cell->workload;
	uint64_t own = ops->guest_bytes ? ops->guest_bytes(cell->workload_settings) : 0;

	return own ? own : experiment_bytes;
}

static bool same_vm(const struct cell *a, const struct cell *b)
{
	if (cell_guest_bytes(a, 0) != cell_guest_bytes(b, 0))
		return false;
	return !a->workload->host_setup && !b->workload->host_setup &&
	       a->mode_settings == b->mode_settings && a->device_settings == b->device_settings;
}

/* Returns the number of lives; lives has room for one per cell. */
static size_t find_lives(const struct plan *plan, bool share_vm, struct life *lives)
{
	size_t nr = 0;

	for (size_t i = 0; i < plan->nr_cells; i++) {
		if (share_vm && i && same_vm(&plan->cells[i - 1], &plan->cells[i]))
			nr--;
		else
			lives[nr] = (struct life){ .first = i };
		lives[nr++].nr++;
	}
	return nr;
}

static void add_boot(struct plan *plan, const struct life *life, unsigned int index, bool warmup)
{
	struct plan_boot *boot = &plan->boots[plan->nr_boots++];

	boot->index = index;
	boot->warmup = warmup;
	boot->nr_cells = life->nr;
	boot->cells = xzalloc(life->nr * sizeof(*boot->cells));
	for (size_t i = 0; i < life->nr; i++)
		boot->cells[i] = life->first + i;
}

static void add_rounds(const struct experiment *exp, const struct life *lives, size_t nr,
		       unsigned int rounds, struct plan *plan)
{
	autofree size_t *places = xzalloc(nr * sizeof(*places));

	for (unsigned int round = 0; round < rounds; round++) {
		order_round(exp->order, exp->seed, round, nr, places);
		for (size_t i = 0; i < nr; i++)
			add_boot(plan, &lives[places[i]], round, false);
	}
}

static int add_boots(const struct experiment *exp, unsigned int rounds, struct plan *plan)
{
	autofree struct life *lives = xzalloc(plan->nr_cells * sizeof(*lives));
	size_t nr = find_lives(plan, exp->share_vm, lives);
	uint64_t total = (uint64_t)nr * rounds + exp->warmup;

	if (total > BOOTS_MAX) {
		log_err("%s: %llu VM lives are too many: use fewer boots or cells, at most %d "
			"lives",
			exp->path, (unsigned long long)total, BOOTS_MAX);
		return -EINVAL;
	}
	plan->boots = xzalloc(total * sizeof(*plan->boots));
	for (unsigned int i = 0; i < exp->warmup; i++)
		add_boot(plan, &lives[0], i, true);
	if (exp->order != ORDER_SEQUENTIAL) {
		add_rounds(exp, lives, nr, rounds, plan);
		return 0;
	}
	for (size_t i = 0; i < nr; i++)
		add_rounds(exp, &lives[i], 1, rounds, plan);
	return 0;
}

static int plan_fill(const struct experiment *exp, const char *only, unsigned int boots,
		     struct plan *plan)
{
	size_t nr = count_cells(exp);
	int ret = check_pairs(exp);

	if (ret)
		return ret;
	if (nr > CELLS_MAX) {
		log_err("%s: %zu cells are too many: shorten the lists or split the experiment, "
			"at most %d",
			exp->path, nr, CELLS_MAX);
		return -EINVAL;
	}
	plan->cells = xzalloc(nr * sizeof(*plan->cells));
	add_cells(exp, plan);
	ret = check_ids(exp->path, plan);
	if (!ret && only)
		ret = select_cells(exp->path, only, plan);
	if (!ret)
		ret = add_boots(exp, boots ? boots : exp->boots, plan);
	return ret;
}

int plan_new(const struct experiment *exp, const char *only, unsigned int boots, struct plan **out)
{
	struct plan *plan = xzalloc(sizeof(*plan));
	int ret = plan_fill(exp, only, boots, plan);

	*out = NULL;
	if (ret)
		plan_free(plan);
	else
		*out = plan;
	return ret;
}

void plan_free(struct plan *plan)
{
	if (!plan)
		return;
	for (size_t i = 0; i < plan->nr_cells; i++)
		cell_clear(&plan->cells[i]);
	for (size_t i = 0; i < plan->nr_boots; i++)
		free(plan->boots[i].cells);
	free(plan->cells);
	free(plan->boots);
	free(plan->run_id);
	json_decref(plan->shard);
	free(plan);
}
