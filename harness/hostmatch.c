// SPDX-License-Identifier: GPL-2.0-only
/* Were figures measured on the same kind of host? */
#include "harness/hostmatch.h"

#include <string.h>

#include "harness/util.h"

/* What figures depend on most; the environment's fingerprint is made of the first six. */
static const char *const environment_keys[] = {
	"cpu_model",
	"microcode",
	"kernel",
	"qemu",
	"guest_kernel",
	"kernel_cmdline",
	"cpus",
	"guest_files",
	"lab.accelerator",
	"lab.machine_cpu_model",
	"lab.machine_qemu",
	"lab.lab_cpus",
	"lab.lab_memory_bytes",
};

/* Of lesser weight: a difference is told, nothing more. */
static const char *const minor_keys[] = {
	"memory_bytes",
	"kernel_build",
	"mitigations",
	"transparent_hugepages",
	"ksm",
	"numa_balancing",
	"cpu_governor",
	"cpu_turbo_off",
	"smt",
	"kvm_halt_poll_ns",
	"vfio_dma_entry_limit",
	"placement",
	"lab.machine_kernel",
};

/* A member of a member: "lab.machine_qemu". NULL if there is none. */
static const json_t *member(const json_t *json, const char *key)
{
	autofree char *copy = xstrdup(key);
	char *rest = copy, *name;

	while ((name = strsep(&rest, ".")))
		json = json_object_get(json, name);
	return json_is_null(json) ? NULL : json;
}

static bool json_same(const json_t *a, const json_t *b)
{
	return a == b || (a && b && json_equal(a, b));
}

char *hostmatch_text(const json_t *json)
{
	autofree char *text = json ? json_dumps(json, JSON_ENCODE_ANY | JSON_COMPACT) : NULL;
	size_t len = text ? strlen(text) : 0;

	if (!text)
		return xstrdup("unknown");
	return len > 100 ? xasprintf("%.100s...", text) : xstrdup(text);
}

void hostmatch_member(const json_t *base, const json_t *value, const char *what, const char *key,
		      struct strlist *list)
{
	const json_t *a = member(base, key), *b = member(value, key);
	autofree char *before = NULL, *after = NULL;

	if (json_same(a, b))
		return;
	before = hostmatch_text(a);
	after = hostmatch_text(b);
	strlist_addf(list, "other %s %s: %s, now %s", what, key, before, after);
}

void hostmatch_differences(const json_t *base, const json_t *value, struct strlist *major,
			   struct strlist *minor)
{
	size_t before = major->nr;

	for (size_t i = 0; i < ARRAY_SIZE(environment_keys); i++)
		hostmatch_member(base, value, "environment", environment_keys[i], major);
	if (!member(base, "fingerprint") || !member(value, "fingerprint"))
		strlist_add(major, "environment: no fingerprint: it is not known whether "
				   "both ran on the same host");
	else if (major->nr == before) /* else it is clear why */
		hostmatch_member(base, value, "environment", "fingerprint", major);
	for (size_t i = 0; minor && i < ARRAY_SIZE(minor_keys); i++)
		hostmatch_member(base, value, "environment", minor_keys[i], minor);
}

bool hostmatch_same(const json_t *a, const json_t *b)
{
	struct strlist major = { 0 };
	bool same;

	hostmatch_differences(a, b, &major, NULL);
	same = !major.nr;
	strlist_free(&major);
	return same;
}

uint64_t hostmatch_hash(uint64_t hash, const json_t *env)
{
	for (size_t i = 0; i <= ARRAY_SIZE(environment_keys); i++) {
		const char *key =
			i < ARRAY_SIZE(environment_keys) ? environment_keys[i] : "fingerprint";
		const json_t *value = member(env, key);
		autofree char *text =
			value ? json_dumps(value, JSON_ENCODE_ANY | JSON_SORT_KEYS) : NULL;

		if (text)
			hash = fnv1a(hash, text, strlen(text) + 1);
		else
			hash = fnv1a(hash, "", 1);
	}
	return hash;
}

const json_t *hostmatch_environment(const json_t *manifest, const json_t *cell)
{
	const json_t *shards = json_object_get(manifest, "shards"), *k, *shard;
	size_t i;

	if (!shards)
		return json_object_get(manifest, "environment");
	k = json_object_get(cell, "shard");
	json_array_foreach((json_t *)shards, i, shard)
		if (json_is_integer(k) && json_equal(json_object_get(shard, "k"), k))
			return json_object_get(shard, "environment");
	return NULL;
}

unsigned int hostmatch_kind(const json_t *manifest, const json_t *cell)
{
	const json_t *env = hostmatch_environment(manifest, cell), *shard;
	size_t i;

	json_array_foreach(json_object_get(manifest, "shards"), i, shard) {
		const json_t *other = json_object_get(shard, "environment");

		if (env && other && (env == other || hostmatch_same(env, other)))
			return (unsigned int)json_integer_value(json_object_get(shard, "k"));
	}
	return 0;
}

bool hostmatch_mixed(const json_t *manifest)
{
	const json_t *first = NULL, *shard;
	size_t i;

	json_array_foreach(json_object_get(manifest, "shards"), i, shard) {
		const json_t *env = json_object_get(shard, "environment");

		if (first && env && !hostmatch_same(first, env))
			return true;
		if (!first)
			first = env;
	}
	return false;
}
