// SPDX-License-Identifier: GPL-2.0-only
/* What two runs must have in common for a difference to mean anything. */
#include "harness/compare_data.h"

#include <errno.h>
#include <string.h>

#include "harness/log.h"

/* What figures depend on most; the environment's fingerprint is made of the first six. */
static const char *const environment_keys[] = {
	"cpu_model",
	"microcode",
	"kernel",
	"qemu",
	"guest_kernel",
	"kernel_cmdline",
	"cpus",
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
static json_t *member(const struct report *report, const char *top, const char *key)
{
	json_t *json = json_object_get(report->manifest, top);
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

/* Shortened: a kernel's command line fills screens. */
static char *json_text(const json_t *json)
{
	autofree char *text = json ? json_dumps(json, JSON_ENCODE_ANY | JSON_COMPACT) : NULL;
	size_t len = text ? strlen(text) : 0;

	if (!text)
		return xstrdup("unknown");
	return len > 100 ? xasprintf("%.100s...", text) : xstrdup(text);
}

static void add_difference(struct strlist *list, const struct comparison *c, const char *top,
			   const char *key)
{
	const json_t *base = member(&c->base.report, top, key);
	const json_t *value = member(&c->value.report, top, key);
	autofree char *before = json_text(base), *after = json_text(value);

	if (!json_same(base, value))
		strlist_addf(list, "other %s %s: %s, now %s", top, key, before, after);
}

static void match_environment(struct comparison *c)
{
	const json_t *base = member(&c->base.report, "environment", "fingerprint");
	const json_t *value = member(&c->value.report, "environment", "fingerprint");
	size_t before = c->forced.nr;

	for (size_t i = 0; i < ARRAY_SIZE(environment_keys); i++)
		add_difference(&c->forced, c, "environment", environment_keys[i]);
	if (!base || !value)
		strlist_add(&c->forced, "environment: no fingerprint: it is not known whether "
					"both ran on the same host");
	else if (c->forced.nr == before) /* else it is clear why */
		add_difference(&c->forced, c, "environment", "fingerprint");
	for (size_t i = 0; i < ARRAY_SIZE(minor_keys); i++)
		add_difference(&c->notes, c, "environment", minor_keys[i]);
}

int compare_match(struct comparison *c)
{
	const char *base = report_text(&c->base.report, "where");
	const char *value = report_text(&c->value.report, "where");

	if (!strcmp(report_text(&c->base.report, "run_id"),
		    report_text(&c->value.report, "run_id")))
		log_warn("%s, %s: this is the same run twice", c->options->base, c->options->value);
	if (strcmp(base, value) != 0)
		strlist_addf(&c->forced, "%s against %s: other machines, other figures",
			     *base ? base : "unknown", *value ? value : "unknown");
	add_difference(&c->forced, c, "config", "guest");
	add_difference(&c->forced, c, "config", "devices");
	add_difference(&c->forced, c, "config", "share_vm");
	match_environment(c);
	for (size_t i = 0; i < c->forced.nr; i++) {
		if (c->options->force)
			log_warn("%s", c->forced.items[i]);
		else
			log_err("not comparable: %s", c->forced.items[i]);
	}
	if (!c->forced.nr || c->options->force)
		return 0;
	log_err("%s, %s: --force compares them all the same", c->options->base, c->options->value);
	return -EINVAL;
}

/* Is it one of the parts of the cell's variant, which are joined by '+'? */
static bool has_variant(const char *all, const char *variant)
{
	size_t len = strlen(variant);

	if (!len)
		return true;
	for (const char *at = all; (at = strstr(at, variant)); at++)
		if ((at == all || at[-1] == '+') && (!at[len] || at[len] == '+'))
			return true;
	return false;
}

/* The plug-in's settings in this cell, as listed in the configuration. New reference. */
static json_t *settings_of(const struct report *report, const char *kind, const char *name,
			   const char *variant)
{
	json_t *list = json_object_get(json_object_get(report->manifest, "config"), kind);
	json_t *found = json_array(), *item;
	size_t i;

	json_array_foreach(list, i, item) {
		const char *own = json_string_value(json_object_get(item, "name"));
		const char *part = json_string_value(json_object_get(item, "variant"));

		if (own && !strcmp(own, name) && has_variant(variant, part ? part : ""))
			json_array_append(found, json_object_get(item, "settings"));
	}
	return found;
}

static json_t *cell_json(const struct report *report, const struct report_cell *cell)
{
	return json_array_get(json_object_get(report->manifest, "cells"),
			      (size_t)(cell - report->cells));
}

static const char *text_in(const json_t *json, const char *key)
{
	const char *text = json_string_value(json_object_get(json, key));

	return text ? text : "";
}

static bool same_settings(const struct comparison *c, const json_t *cell, const char *kind,
			  const char *name, char **why)
{
	const char *variant = text_in(cell, "variant");
	json_t *base = settings_of(&c->base.report, kind, name, variant);
	json_t *value = settings_of(&c->value.report, kind, name, variant);
	bool same = json_equal(base, value);

	if (!same) {
		autofree char *before = json_text(base), *after = json_text(value);

		*why = xasprintf("%s has other settings: %s, now %s", name, before, after);
	}
	json_decref(base);
	json_decref(value);
	return same;
}

bool compare_same_cell(const struct comparison *c, const struct report_cell *cell, char **why)
{
	const struct report_cell *other = compare_run_cell(&c->value, cell->id);
	const json_t *a = cell_json(&c->base.report, cell);
	const json_t *b = cell_json(&c->value.report, other);
	static const char *const keys[] = { "mode", "device", "workload", "variant" };

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		if (!strcmp(text_in(a, keys[i]), text_in(b, keys[i])))
			continue;
		*why = xasprintf("it has another %s", keys[i]);
		return false;
	}
	return same_settings(c, a, "modes", text_in(a, "mode"), why) &&
	       same_settings(c, a, "workloads", text_in(a, "workload"), why);
}

char *compare_cell_setup(const struct report *report, const struct report_cell *cell)
{
	const json_t *config = json_object_get(report->manifest, "config");
	const json_t *own = cell_json(report, cell);
	const char *variant = text_in(own, "variant");
	json_t *setup =
		json_pack("{s:O?, s:O?, s:O?, s:o, s:o}", "guest", json_object_get(config, "guest"),
			  "devices", json_object_get(config, "devices"), "share_vm",
			  json_object_get(config, "share_vm"), "mode",
			  settings_of(report, "modes", text_in(own, "mode"), variant), "workload",
			  settings_of(report, "workloads", text_in(own, "workload"), variant));
	autofree char *text = json_dumps(setup, JSON_COMPACT | JSON_SORT_KEYS);

	json_decref(setup);
	return xasprintf("%016llx", (unsigned long long)fnv1a(FNV1A_INIT, text, strlen(text)));
}
