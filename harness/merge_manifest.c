// SPDX-License-Identifier: GPL-2.0-only
/* The manifest of a run that was split over hosts. */
#include <string.h>

#include "harness/hostmatch.h"
#include "harness/manifest.h"
#include "harness/merge.h"

/* What two objects have in common, and their members in turn. New reference. */
static json_t *common(json_t *a, const json_t *b)
{
	json_t *out, *value;
	const char *key;

	if (json_equal(a, b))
		return json_deep_copy(a);
	if (!json_is_object(a) || !json_is_object(b))
		return json_null();
	out = json_object();
	json_object_foreach(a, key, value)
		json_object_set_new(out, key, common(value, json_object_get(b, key)));
	return out;
}

/* Another combination of hosts, or the same in other places, is another environment. */
static void set_fingerprint(const struct merge *merge, json_t *env)
{
	uint64_t hash = FNV1A_INIT;
	autofree char *text = NULL;

	for (unsigned int k = 0; k < merge->nr; k++) {
		const json_t *own = json_object_get(merge->shards[k].manifest, "environment");

		hash = fnv1a(hash, &k, sizeof(k));
		hash = hostmatch_hash(hash, own);
	}
	text = xasprintf("%016llx", (unsigned long long)hash);
	json_object_set_new(env, "fingerprint", json_string(text));
}

static json_t *merge_environment(const struct merge *merge)
{
	json_t *first = json_object_get(merge->first->manifest, "environment");
	json_t *env = json_deep_copy(first);
	bool mixed = false;

	for (unsigned int k = 0; k < merge->nr; k++) {
		json_t *own = json_object_get(merge->shards[k].manifest, "environment"), *both;

		if (!merge->shards[k].manifest)
			continue;
		both = common(env, own);
		json_decref(env);
		env = both;
		mixed |= !hostmatch_same(first, own);
	}
	if (mixed && json_is_object(env))
		set_fingerprint(merge, env);
	return env ? env : json_null();
}

static json_t *shards_json(const struct merge *merge)
{
	static const char *const keys[] = { "status", "started", "finished", "environment" };
	json_t *shards = json_array();

	for (unsigned int k = 0; k < merge->nr; k++) {
		json_t *shard = json_pack("{s:i, s:s}", "k", (int)k + 1, "status", "missing");

		for (size_t i = 0; i < ARRAY_SIZE(keys) && merge->shards[k].manifest; i++)
			json_object_set(shard, keys[i],
					json_object_get(merge->shards[k].manifest, keys[i]));
		json_array_append_new(shards, shard);
	}
	return shards;
}

/* In the order of the whole. Shards keep that order, so each gives its next one. */
static json_t *cells_json(const struct merge *merge)
{
	autofree size_t *next = xzalloc(merge->nr * sizeof(*next));
	json_t *cells = json_array(), *planned;
	size_t i;

	json_array_foreach((json_t *)merge->first->plan, i, planned) {
		json_t *number = json_object_get(planned, "shard"), *cell;
		unsigned int k = (unsigned int)json_integer_value(number);
		const struct merge_shard *shard = &merge->shards[k - 1];

		if (shard->manifest) {
			cell = json_copy(json_array_get(shard->cells, next[k - 1]++));
		} else {
			autofree char *reason =
				xasprintf("shard %u of %u is missing", k, merge->nr);

			cell = json_copy(planned);
			json_object_set_new(cell, "status", json_string("skipped"));
			json_object_set_new(cell, "reason", json_string(reason));
			json_object_set_new(cell, "boots", json_array());
		}
		json_object_set(cell, "shard", number);
		json_array_append_new(cells, cell);
	}
	return cells;
}

/* The earliest or latest of the shards' times; null if one has none. */
static json_t *extreme_time(const struct merge *merge, const char *key, bool latest)
{
	const char *found = NULL;

	for (unsigned int k = 0; k < merge->nr; k++) {
		const char *time = merge_text(&merge->shards[k], key);

		if (!merge->shards[k].manifest)
			continue;
		if (!*time)
			return json_null();
		if (!found || (strcmp(time, found) > 0) == latest)
			found = time;
	}
	return json_string(found);
}

static const char *whole_status(const struct merge *merge)
{
	for (unsigned int k = 0; k < merge->nr; k++)
		if (strcmp(merge_text(&merge->shards[k], "status"), "complete") != 0)
			return "partial";
	return "complete";
}

json_t *merge_manifest(const struct merge *merge)
{
	static const char *const keys[] = { "run_id",	    "name",	   "where",
					    "git_revision", "config_path", "config" };
	json_t *root =
		json_pack("{s:i, s:s}", "schema", MANIFEST_SCHEMA, "status", whole_status(merge));

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		json_object_set(root, keys[i], json_object_get(merge->first->manifest, keys[i]));
	json_object_set_new(root, "started", extreme_time(merge, "started", false));
	json_object_set_new(root, "finished", extreme_time(merge, "finished", true));
	json_object_set_new(root, "environment", merge_environment(merge));
	json_object_set_new(root, "shards", shards_json(merge));
	json_object_set_new(root, "cells", cells_json(merge));
	return root;
}
