// SPDX-License-Identifier: GPL-2.0-only
/* What two runs must have in common for a difference to mean anything. */
#include "harness/compare_data.h"

#include <errno.h>
#include <string.h>

#include "harness/hostmatch.h"
#include "harness/log.h"
#include "harness/partner.h"

static void add_config(struct comparison *c, const char *key)
{
	hostmatch_member(json_object_get(c->base.report.manifest, "config"),
			 json_object_get(c->value.report.manifest, "config"), "config", key,
			 &c->forced);
}

static size_t nr_shards(const struct compare_run *run)
{
	return json_array_size(json_object_get(run->report.manifest, "shards"));
}

/* Of runs that were split over several kinds of hosts each cell has its own: same_host() */
static void match_environment(struct comparison *c)
{
	const json_t *config = json_object_get(c->base.report.manifest, "config");

	c->mixed = hostmatch_mixed(c->base.report.manifest) ||
		   hostmatch_mixed(c->value.report.manifest);
	if (nr_shards(&c->base) != nr_shards(&c->value) &&
	    json_is_true(json_object_get(config, "share_vm")))
		strlist_addf(&c->notes, "%zu shards, now %zu: other workloads shared a VM",
			     nr_shards(&c->base), nr_shards(&c->value));
	if (c->mixed && c->options->force)
		strlist_add(&c->forced, "split over several kinds of hosts");
	else if (c->mixed)
		strlist_add(&c->notes, "split over several kinds of hosts: a cell is compared only "
				       "with the same cell on the same kind of host");
	else
		hostmatch_differences(json_object_get(c->base.report.manifest, "environment"),
				      json_object_get(c->value.report.manifest, "environment"),
				      &c->forced, &c->notes);
}

/*
 * Both of one session, in which they took turns. What differs is then what is being tested, and
 * how often was looked at it is part of the verdict.
 */
static int match_session(struct comparison *c)
{
	const json_t *base = json_object_get(c->base.report.manifest, "ab");
	const json_t *value = json_object_get(c->value.report.manifest, "ab");
	const json_t *looks = json_object_get(base, "looks");

	if (!base || !value ||
	    !json_equal(json_object_get(base, "session"), json_object_get(value, "session")) ||
	    json_equal(json_object_get(base, "side"), json_object_get(value, "side")))
		return 0;
	if (!json_equal(looks, json_object_get(value, "looks")) || looks_read(looks, &c->looks)) {
		log_err("%s, %s: manifest.json: ab: no looks that agree: written by another "
			"version?",
			c->options->base, c->options->value);
		return -EINVAL;
	}
	c->ab = true;
	return 0;
}

static void note_session(struct comparison *c)
{
	struct strbuf looks = { 0 };

	for (size_t i = 0; i < c->looks.nr; i++)
		strbuf_addf(&looks, "%s%u", i ? ", " : "", c->looks.boots[i]);
	strlist_addf(&c->notes,
		     "run in turns, in one session; judged at %s boots a side at most, each time "
		     "with 1/%zu of alpha",
		     looks.data, c->looks.nr);
	for (size_t i = 0; i < c->forced.nr; i++)
		strlist_addf(&c->notes, "tested: %s", c->forced.items[i]);
	c->tested = c->forced.nr > 0;
	strlist_free(&c->forced);
	free(looks.data);
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
	add_config(c, "guest");
	add_config(c, "devices");
	add_config(c, "share_vm");
	match_environment(c);
	if (match_session(c))
		return -EINVAL;
	if (c->ab)
		note_session(c);
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
		autofree char *before = hostmatch_text(base), *after = hostmatch_text(value);

		*why = xasprintf("%s has other settings: %s, now %s", name, before, after);
	}
	json_decref(base);
	json_decref(value);
	return same;
}

/* What one host measured says nothing about another one. */
static bool same_host(const struct comparison *c, const json_t *a, const json_t *b, char **why)
{
	struct strlist major = { 0 };

	if (!c->mixed || c->options->force)
		return true;
	hostmatch_differences(hostmatch_environment(c->base.report.manifest, a),
			      hostmatch_environment(c->value.report.manifest, b), &major, NULL);
	if (major.nr)
		*why = xasprintf("it ran on another kind of host: %s", major.items[0]);
	strlist_free(&major);
	return !*why;
}

static struct cell_names *names_of(const struct report *report)
{
	struct cell_names *names = xzalloc((report->nr_cells + 1) * sizeof(*names));

	for (size_t i = 0; i < report->nr_cells; i++) {
		const json_t *cell = cell_json(report, &report->cells[i]);

		names[i] = (struct cell_names){ report->cells[i].id, text_in(cell, "mode"),
						text_in(cell, "device"), text_in(cell, "workload"),
						text_in(cell, "variant") };
	}
	return names;
}

void compare_find_partners(struct comparison *c)
{
	const struct report *base = &c->base.report, *value = &c->value.report;
	autofree struct cell_names *cells = names_of(base), *others = names_of(value);

	c->partners = xzalloc((base->nr_cells + 1) * sizeof(*c->partners));
	for (size_t i = 0; i < base->nr_cells; i++) {
		size_t partner = partner_find(cells, base->nr_cells, i, others, value->nr_cells);

		/* Another mode is a partner only where it is what is being tested. */
		if (partner != NO_PARTNER && !c->ab && strcmp(cells[i].id, others[partner].id) != 0)
			partner = NO_PARTNER;
		c->partners[i] = partner;
	}
}

bool compare_same_cell(const struct comparison *c, const struct report_cell *base,
		       const struct report_cell *value, char **why)
{
	const json_t *a = cell_json(&c->base.report, base);
	const json_t *b = cell_json(&c->value.report, value);
	static const char *const keys[] = { "mode", "device", "workload", "variant" };

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		if (!strcmp(text_in(a, keys[i]), text_in(b, keys[i])))
			continue;
		*why = xasprintf("other %s: %s, now %s", keys[i], text_in(a, keys[i]),
				 text_in(b, keys[i]));
		return false;
	}
	return same_host(c, a, b, why) && same_settings(c, a, "modes", text_in(a, "mode"), why) &&
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
