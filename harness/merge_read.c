// SPDX-License-Identifier: GPL-2.0-only
/* The shards that are to be merged, each checked, and all against the first. */
#include <errno.h>
#include <string.h>

#include "harness/hostmatch.h"
#include "harness/log.h"
#include "harness/manifest.h"
#include "harness/merge.h"
#include "harness/shard.h"

static const char *const name_keys[] = { "id", "mode", "device", "workload", "variant" };

const char *merge_text(const struct merge_shard *shard, const char *key)
{
	const char *text = json_string_value(json_object_get(shard->manifest, key));

	return text ? text : "";
}

static int bad_shard(const char *dir, const char *what)
{
	log_err("%s/manifest.json: %s", dir, what);
	return -EINVAL;
}

static bool same_names(const json_t *a, const json_t *b)
{
	for (size_t i = 0; i < ARRAY_SIZE(name_keys); i++) {
		const json_t *text = json_object_get(a, name_keys[i]);

		if (!json_is_string(text) || !json_equal(text, json_object_get(b, name_keys[i])))
			return false;
	}
	return true;
}

/* The cells of the whole: each once, each in one of the shards. */
static int check_plan(const char *dir, const json_t *plan, json_int_t n)
{
	json_t *ids = json_object(), *cell;
	const char *what = json_array_size(plan) ? NULL : "shard: no cells";
	size_t i;

	json_array_foreach((json_t *)plan, i, cell) {
		const char *id = json_string_value(json_object_get(cell, "id"));
		json_int_t k = json_integer_value(json_object_get(cell, "shard"));

		if (!manifest_id_valid(id) || !same_names(cell, cell))
			what = "shard: a cell has no valid name";
		else if (k < 1 || k > n)
			what = "shard: a cell is in none of the shards";
		else if (json_object_get(ids, id))
			what = "shard: a cell is there twice";
		else
			json_object_set_new(ids, id, json_true());
		if (what)
			break;
	}
	json_decref(ids);
	return what ? bad_shard(dir, what) : 0;
}

static int check_boots(const char *dir, const json_t *cell, json_int_t limit)
{
	json_t *boots = json_object_get(cell, "boots"), *seen = json_object(), *boot;
	const char *what = json_is_array(boots) ? NULL : "a cell has no list of boots";
	size_t i;

	json_array_foreach(boots, i, boot) {
		json_int_t index = json_integer_value(json_object_get(boot, "boot"));
		autofree char *key = xasprintf("%lld", index);

		if (!json_is_integer(json_object_get(boot, "boot")) || index < 0 || index >= limit)
			what = "a boot's number is none of the run's";
		else if (json_object_get(seen, key))
			what = "a boot is there twice";
		else
			json_object_set_new(seen, key, json_true());
		if (what)
			break;
	}
	json_decref(seen);
	return what ? bad_shard(dir, what) : 0;
}

/* Has it just the cells that the split gives it? */
static int check_own_cells(const struct merge_shard *shard, const json_t *record)
{
	json_int_t k = json_integer_value(json_object_get(record, "k"));
	json_int_t boots = json_integer_value(json_object_get(record, "boots"));
	size_t i, own = 0;
	json_t *cell;

	json_array_foreach((json_t *)shard->plan, i, cell) {
		const json_t *mine = json_array_get(shard->cells, own);
		int ret;

		if (json_integer_value(json_object_get(cell, "shard")) != k)
			continue;
		if (!same_names(cell, mine))
			return bad_shard(shard->dir, "its cells are not those of its shard");
		ret = check_boots(shard->dir, mine, boots);
		if (ret)
			return ret;
		own++;
	}
	if (own != json_array_size(shard->cells))
		return bad_shard(shard->dir, "its cells are not those of its shard");
	return 0;
}

/* On success the manifest belongs to *shard, which is number place->k. */
static int read_shard(const char *dir, struct merge_shard *shard, struct shard *place)
{
	autofree char *run_id = NULL;
	struct manifest manifest;
	const json_t *record;
	int ret = shard_of_run(dir, place, &run_id);

	*shard = (struct merge_shard){ .dir = dir };
	if (!ret && !place->n)
		return bad_shard(dir, "this run is no shard (run --shard)");
	if (!ret)
		ret = manifest_load(dir, &manifest);
	if (ret == -ENOENT)
		return bad_shard(dir, "there is none: not a run's folder");
	if (ret)
		return ret;
	shard->manifest = json_incref(manifest.root);
	manifest_free(&manifest);
	record = json_object_get(shard->manifest, "shard");
	shard->plan = json_object_get(record, "cells");
	shard->cells = json_object_get(shard->manifest, "cells");
	ret = check_plan(dir, shard->plan, place->n);
	return ret ? ret : check_own_cells(shard, record);
}

/* What all shards of a run have in common. */
static int check_same_run(const struct merge_shard *first, const struct merge_shard *shard)
{
	static const char *const keys[] = {
		"run_id", "git_revision", "config",	 "name",
		"where",  "shard.n",	  "shard.boots", "shard.cells"
	};
	struct strlist differences = { 0 };
	int ret = 0;

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		hostmatch_member(first->manifest, shard->manifest, "manifest", keys[i],
				 &differences);
	for (size_t i = 0; i < differences.nr; i++) {
		log_err("%s and %s are not shards of one run: %s", first->dir, shard->dir,
			differences.items[i]);
		ret = -EINVAL;
	}
	strlist_free(&differences);
	return ret;
}

/* Takes the manifest over in any case. */
static int add_shard(struct merge *merge, struct merge_shard *shard, const struct shard *place)
{
	int ret = 0;

	if (!merge->first) {
		merge->nr = place->n;
		merge->shards = xzalloc(place->n * sizeof(*merge->shards));
	} else {
		ret = check_same_run(merge->first, shard);
	}
	if (!ret && merge->shards[place->k - 1].manifest) {
		log_err("%s and %s are both shard %u of %u", merge->shards[place->k - 1].dir,
			shard->dir, place->k, place->n);
		ret = -EINVAL;
	}
	if (ret) {
		json_decref(shard->manifest);
		return ret;
	}
	merge->shards[place->k - 1] = *shard;
	if (!merge->first)
		merge->first = &merge->shards[place->k - 1];
	return 0;
}

int merge_read(struct merge *merge)
{
	for (size_t i = 0; i < merge->options->nr_shards; i++) {
		struct merge_shard shard;
		struct shard place;
		int ret = read_shard(merge->options->shards[i], &shard, &place);

		if (ret)
			json_decref(shard.manifest);
		else
			ret = add_shard(merge, &shard, &place);
		if (ret)
			return ret;
	}
	return 0;
}

void merge_free(struct merge *merge)
{
	for (unsigned int k = 0; k < merge->nr; k++)
		json_decref(merge->shards[k].manifest);
	free(merge->shards);
}
