// SPDX-License-Identifier: GPL-2.0-only
/* One run split over several hosts: which cells are whose. */
#include "harness/shard.h"

#include <errno.h>
#include <string.h>

#include "bench/registry.h"
#include "harness/boot.h"
#include "harness/log.h"
#include "harness/manifest.h"
#include "harness/util.h"

/* Cells that are compared with one another. */
struct group {
	const struct cell *first;
	double time_s; /* a round of it, with VMs of its own */
};

/* What is being split. */
struct split {
	const struct plan *plan;
	bool share_vm;
	double boot_s;
	unsigned int n;
	unsigned int *of; /* the cells' shards, 0: in none yet */
};

int shard_parse(const char *text, struct shard *shard)
{
	const char *slash = strchr(text, '/');
	char *end;

	/* Nothing but digits and one slash between them: no sign, no blank, no overflow. */
	if (!slash || slash == text || !slash[1] || strlen(text) > 9 ||
	    text[strspn(text, "0123456789/")] || strchr(slash + 1, '/'))
		return -EINVAL;
	shard->k = (unsigned int)strtoul(text, &end, 10);
	shard->n = (unsigned int)strtoul(slash + 1, &end, 10);
	return shard->k && shard->k <= shard->n && shard->n <= SHARDS_MAX ? 0 : -EINVAL;
}

bool shard_run_id_valid(const char *id)
{
	static const char allowed[] = "0123456789abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ._-";
	size_t len = strlen(id);

	return len && len <= 128 && *id != '.' && strspn(id, allowed) == len;
}

/* --- groups --- */

static bool same_group(const struct cell *a, const struct cell *b)
{
	return a->device_settings == b->device_settings &&
	       a->workload_settings == b->workload_settings;
}

static double workload_s(const struct cell *cell)
{
	return cell->workload->estimate_s(cell->workload_settings);
}

/* Does the shard have a VM that can serve this cell, too? */
static bool has_vm(const struct split *split, unsigned int shard, const struct cell *cell)
{
	for (size_t i = 0; split->share_vm && i < split->plan->nr_cells; i++) {
		const struct cell *other = &split->plan->cells[i];

		if (split->of[i] == shard && other->mode_settings == cell->mode_settings &&
		    other->device_settings == cell->device_settings)
			return true;
	}
	return false;
}

/* What a round of the shard takes longer with this group in it. */
static double added_s(const struct split *split, unsigned int shard, const struct group *group)
{
	double added = 0;

	for (size_t i = 0; i < split->plan->nr_cells; i++) {
		const struct cell *cell = &split->plan->cells[i];

		if (same_group(cell, group->first))
			added +=
				workload_s(cell) + (has_vm(split, shard, cell) ? 0 : split->boot_s);
	}
	return added;
}

/* The number of groups; groups has room for one per cell. */
static size_t find_groups(const struct split *split, struct group *groups)
{
	size_t nr = 0;

	for (size_t i = 0; i < split->plan->nr_cells; i++) {
		const struct cell *cell = &split->plan->cells[i];
		size_t g = 0;

		while (g < nr && !same_group(groups[g].first, cell))
			g++;
		if (g == nr)
			groups[nr++].first = cell;
		groups[g].time_s += workload_s(cell) + split->boot_s;
	}
	return nr;
}

/* The longest first; the first of the plan first among equals. */
static int compare_groups(const void *a, const void *b)
{
	const struct group *x = a, *y = b;
	int order = (x->time_s < y->time_s) - (x->time_s > y->time_s);

	return order ? order : (x->first > y->first) - (x->first < y->first);
}

/* --- the split --- */

/* Where the group makes a shard longest the least; an empty one first among equals. */
static unsigned int find_shard(const struct split *split, const struct group *group,
			       const double *time_s)
{
	unsigned int best = 1;
	double least = time_s[0] + added_s(split, 1, group);

	for (unsigned int k = 2; k <= split->n; k++) {
		double time = time_s[k - 1] + added_s(split, k, group);

		if (time > least || (time >= least && time_s[k - 1] >= time_s[best - 1]))
			continue;
		best = k;
		least = time;
	}
	return best;
}

static void put_group(struct split *split, const struct group *group, unsigned int k)
{
	for (size_t i = 0; i < split->plan->nr_cells; i++)
		if (same_group(&split->plan->cells[i], group->first))
			split->of[i] = k;
}

int shard_split(const struct experiment *exp, const struct plan *plan, unsigned int n,
		unsigned int *of, double *time_s)
{
	/* Of a host whatever it is: the lab's own estimates would give it a split of its own. */
	const struct host any = { .kind = (char *)"host" };
	struct split split = { plan, exp->share_vm, boot_estimate_s(&any, exp->guest.memory_bytes),
			       n, of };
	autofree struct group *groups = xzalloc(plan->nr_cells * sizeof(*groups));
	size_t nr = find_groups(&split, groups);

	if (nr < n) {
		log_err("%s: %u shards are too many: it has %zu groups of cells to compare (one a "
			"device and workload), which stay whole: use at most %zu shards",
			exp->path, n, nr, nr);
		return -EINVAL;
	}
	memset(of, 0, plan->nr_cells * sizeof(*of));
	memset(time_s, 0, n * sizeof(*time_s));
	qsort(groups, nr, sizeof(*groups), compare_groups);
	for (size_t g = 0; g < nr; g++) {
		unsigned int k = find_shard(&split, &groups[g], time_s);

		time_s[k - 1] += added_s(&split, k, &groups[g]);
		put_group(&split, &groups[g], k);
	}
	return 0;
}

/* --- one shard's plan --- */

static json_t *make_record(const struct plan *plan, const struct shard *shard,
			   const unsigned int *of)
{
	json_t *cells = json_array();
	unsigned int boots = 0;

	for (size_t i = 0; i < plan->nr_cells; i++) {
		json_t *cell = manifest_cell_json(&plan->cells[i]);

		json_object_set_new(cell, "shard", json_integer(of[i]));
		json_array_append_new(cells, cell);
	}
	for (size_t i = 0; i < plan->nr_boots; i++)
		if (!plan->boots[i].warmup && plan->boots[i].index >= boots)
			boots = plan->boots[i].index + 1;
	return json_pack("{s:i, s:i, s:i, s:o}", "k", (int)shard->k, "n", (int)shard->n, "boots",
			 (int)boots, "cells", cells);
}

/* Leaves the cells of shard k in a boot: how many. place: the cells' new numbers. */
static size_t keep_cells(struct plan_boot *boot, const unsigned int *of, unsigned int k,
			 const size_t *place)
{
	size_t kept = 0;

	for (size_t i = 0; i < boot->nr_cells; i++)
		if (of[boot->cells[i]] == k)
			boot->cells[kept++] = place[boot->cells[i]];
	boot->nr_cells = kept;
	return kept;
}

/* A warm-up is for the host: it has nothing of its own to measure, and serves what comes first. */
static void warm_up_for(struct plan_boot *warmup, const struct plan_boot *first)
{
	free(warmup->cells);
	warmup->nr_cells = first->nr_cells;
	warmup->cells = xzalloc(first->nr_cells * sizeof(*warmup->cells));
	memcpy(warmup->cells, first->cells, first->nr_cells * sizeof(*warmup->cells));
}

static void keep_boots(struct plan *plan, const unsigned int *of, unsigned int k,
		       const size_t *place)
{
	const struct plan_boot *first = NULL;
	size_t kept = 0;

	for (size_t i = 0; i < plan->nr_boots; i++) {
		struct plan_boot *boot = &plan->boots[i];

		if (keep_cells(boot, of, k, place) || boot->warmup)
			plan->boots[kept++] = *boot;
		else
			free(boot->cells);
	}
	plan->nr_boots = kept;
	for (size_t i = 0; i < kept && !first; i++)
		if (!plan->boots[i].warmup)
			first = &plan->boots[i];
	for (size_t i = 0; i < kept && first; i++)
		if (plan->boots[i].warmup)
			warm_up_for(&plan->boots[i], first);
}

static void keep_shard(struct plan *plan, const unsigned int *of, unsigned int k)
{
	autofree size_t *place = xzalloc(plan->nr_cells * sizeof(*place));
	size_t kept = 0;

	for (size_t i = 0; i < plan->nr_cells; i++) {
		place[i] = kept;
		if (of[i] == k)
			plan->cells[kept++] = plan->cells[i];
		else
			cell_clear(&plan->cells[i]);
	}
	plan->nr_cells = kept;
	keep_boots(plan, of, k, place);
}

int shard_apply(const struct experiment *exp, const struct shard *shard, const char *run_id,
		struct plan *plan)
{
	autofree unsigned int *of = xzalloc(plan->nr_cells * sizeof(*of));
	autofree double *time_s = xzalloc(shard->n * sizeof(*time_s));
	int ret = shard_split(exp, plan, shard->n, of, time_s);

	if (ret)
		return ret;
	plan->shard = make_record(plan, shard, of);
	plan->run_id = xstrdup(run_id);
	keep_shard(plan, of, shard->k);
	return 0;
}

/* --- resuming --- */

int shard_of_run(const char *dir, struct shard *shard, char **run_id)
{
	struct manifest manifest;
	const json_t *record;
	const char *id;
	int ret = manifest_load(dir, &manifest);

	*shard = (struct shard){ 0 };
	*run_id = NULL;
	if (ret)
		return ret;
	record = json_object_get(manifest.root, "shard");
	id = json_string_value(json_object_get(manifest.root, "run_id"));
	if (record) {
		autofree char *text =
			xasprintf("%lld/%lld", json_integer_value(json_object_get(record, "k")),
				  json_integer_value(json_object_get(record, "n")));

		ret = id && shard_run_id_valid(id) ? shard_parse(text, shard) : -EINVAL;
		if (ret)
			log_err("%s: no valid shard or run_id", manifest.path);
		else
			*run_id = xstrdup(id);
	}
	manifest_free(&manifest);
	return ret;
}
