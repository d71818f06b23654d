// SPDX-License-Identifier: GPL-2.0-only
/* May a run that was interrupted go on here? */
#include "harness/resume.h"

#include <errno.h>
#include <string.h>

#include "harness/log.h"

static bool same_json(const json_t *a, const json_t *b)
{
	return a == b || (a && b && json_equal(a, b));
}

static bool same_config(const struct manifest *manifest, const struct experiment *exp)
{
	json_t *config = experiment_json(exp);
	bool same = config && same_json(config, json_object_get(manifest->root, "config"));

	json_decref(config);
	return same;
}

static const char *fingerprint_of(const json_t *env)
{
	const char *text = json_string_value(json_object_get(env, "fingerprint"));

	return text ? text : "unknown";
}

/* The same cells, and no fewer boots: what is in no manifest would be measured and lost. */
static bool same_plan(const struct manifest *manifest, const struct plan *plan)
{
	json_int_t rounds = json_integer_value(json_object_get(manifest->root, "boots"));

	for (size_t i = 0; i < plan->nr_cells; i++)
		if (!manifest_has(manifest, plan->cells[i].id))
			return false;
	return json_array_size(json_object_get(manifest->root, "cells")) == plan->nr_cells &&
	       manifest_rounds(plan) >= rounds;
}

int resume_check(const char *dir, const struct manifest *manifest, const struct experiment *exp,
		 const struct plan *plan, const json_t *env)
{
	const char *before = fingerprint_of(json_object_get(manifest->root, "environment"));
	const char *now = fingerprint_of(env);

	if (!same_config(manifest, exp)) {
		log_err("%s: the experiment is not the one this run was started with", exp->path);
		return -EINVAL;
	}
	if (!same_json(plan->shard, json_object_get(manifest->root, "shard"))) {
		log_err("%s: its shard has other cells or boots than it was started with: give the "
			"same --only and --boots",
			dir);
		return -EINVAL;
	}
	if (!plan->shard && !same_plan(manifest, plan)) {
		log_err("%s: it was started with other cells or more boots: give the same --only and "
			"--boots",
			dir);
		return -EINVAL;
	}
	if (!same_json(
		    json_object_get(json_object_get(manifest->root, "environment"), "guest_files"),
		    json_object_get(env, "guest_files"))) {
		log_err("%s: a file that guest: names (qemu, kernel ...), or the host file's command "
			"or image, has changed since it was started: boots of two builds would be "
			"taken for one: run it anew",
			dir);
		return -EINVAL;
	}
	/* Boots of two kinds of hosts would be compared as if they were of one. */
	if (strcmp(before, now) != 0) {
		log_err("%s: it was started on another kind of host (fingerprint %s, here %s): "
			"resume it there, or run it anew",
			dir, before, now);
		return -EXDEV;
	}
	return 0;
}
