// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is compared (series) on what (scenarios). A cell's variant joins the varied settings of
 * its mode, device and workload. A setting that cells of every mode of a device and workload
 * have is part of the scenario; one that only some modes have is those modes' own.
 */
#include <string.h>

#include "harness/report_colour.h"
#include "harness/report_data.h"
#include "harness/util.h"

#define BASELINE_MODE "static"

/* Names to numbers, in order of first use. */
struct index {
	json_t *map;
};

static size_t index_get(struct index *index, const char *name)
{
	json_t *known = json_object_get(index->map, name);

	if (known)
		return (size_t)json_integer_value(known);
	json_object_set_new(index->map, name,
			    json_integer((json_int_t)json_object_size(index->map)));
	return json_object_size(index->map) - 1;
}

/* Adds member to the set of that name; the set's size is what counts. */
static void set_add(json_t *sets, const char *name, const char *member)
{
	json_t *set = json_object_get(sets, name);

	if (!set) {
		set = json_object();
		json_object_set_new(sets, name, set);
	}
	json_object_set_new(set, member, json_true());
}

static char *key_name(const struct report_names *n, const char *setting, size_t len)
{
	return xasprintf("%s\n%s\n%u\n%.*s", n->device, n->workload, n->host, (int)len, setting);
}

/* Calls for each "key=value" of a variant; key_len is the length of the key alone. */
static const char *next_setting(const char **rest, size_t *len, size_t *key_len)
{
	const char *setting = *rest;

	if (!*setting)
		return NULL;
	*len = strcspn(setting, "+");
	*key_len = strcspn(setting, "=+");
	*rest = setting + *len + (setting[*len] == '+');
	return setting;
}

/* Which modes have a device and workload (key ""), and which have each setting there. */
static json_t *collect_keys(const struct report *report)
{
	json_t *sets = json_object();

	for (size_t i = 0; i < report->nr_cells; i++) {
		const struct report_names *n = &report->cells[i].names;
		autofree char *all = key_name(n, "", 0);
		const char *rest = n->variant, *setting;
		size_t len, key_len;

		set_add(sets, all, n->mode);
		while ((setting = next_setting(&rest, &len, &key_len))) {
			autofree char *key = key_name(n, setting, key_len);

			if (key_len)
				set_add(sets, key, n->mode);
		}
	}
	return sets;
}

/* Splits a cell's variant into the mode's part and the rest. */
static void split_variant(json_t *sets, const struct report_names *n, struct strbuf *mode,
			  struct strbuf *rest)
{
	autofree char *all = key_name(n, "", 0);
	size_t len, key_len, nr_modes = json_object_size(json_object_get(sets, all));
	const char *next = n->variant, *setting;

	strbuf_add(mode, "", 0);
	strbuf_add(rest, "", 0);
	while ((setting = next_setting(&next, &len, &key_len))) {
		autofree char *key = key_name(n, setting, key_len);
		bool own = json_object_size(json_object_get(sets, key)) < nr_modes;
		struct strbuf *to = own ? mode : rest;

		strbuf_addf(to, "%s%.*s", to->len ? " " : "", (int)len, setting);
	}
}

static void add_series(struct report *report, size_t i, const char *mode, const char *variant)
{
	struct report_series *series;

	if (i < report->nr_series)
		return;
	report->nr_series = i + 1;
	report->series = xrealloc(report->series, report->nr_series * sizeof(*report->series));
	series = &report->series[i];
	*series = (struct report_series){ .mode = mode };
	series->label = xasprintf("%s%s%s", mode, *variant ? " " : "", variant);
	series->settings = series->label + strlen(mode) + (*variant ? 1 : 0);
}

/* The number of the workload of that name, which is added if it is new. */
static size_t workload_number(struct report *report, const char *name)
{
	size_t i = 0, nr = report->nr_workloads;

	while (i < nr && strcmp(report->workloads[i].name, name) != 0)
		i++;
	if (i < nr)
		return i;
	report->workloads = xrealloc(report->workloads, (nr + 1) * sizeof(*report->workloads));
	report->workloads[report->nr_workloads++] = (struct report_workload){ name };
	return i;
}

static void add_scenario(struct report *report, size_t i, const struct report_names *n,
			 const char *variant)
{
	struct report_scenario *scenario;

	if (i < report->nr_scenarios)
		return;
	report->nr_scenarios = i + 1;
	report->scenarios =
		xrealloc(report->scenarios, report->nr_scenarios * sizeof(*report->scenarios));
	scenario = &report->scenarios[i];
	scenario->throughput = NO_METRIC;
	scenario->workload = workload_number(report, n->workload);
	autofree char *host = n->host ? xasprintf(", host of shard %u", n->host) : xstrdup("");

	scenario->label = xasprintf("%s, %s%s%s%s", n->workload, n->device, *variant ? ", " : "",
				    variant, host);
	scenario->more = scenario->label + strlen(n->workload) + strlen(", ");
}

/* The baseline becomes series 0; the others keep their order. */
static void put_baseline_first(struct report *report)
{
	struct report_series baseline;
	size_t b = 0;

	while (b < report->nr_series && strcmp(report->series[b].mode, BASELINE_MODE) != 0)
		b++;
	if (b == 0 || b == report->nr_series)
		return;
	baseline = report->series[b];
	memmove(&report->series[1], &report->series[0], b * sizeof(baseline));
	report->series[0] = baseline;
	for (size_t i = 0; i < report->nr_cells; i++) {
		struct report_cell *cell = &report->cells[i];

		if (cell->series == b)
			cell->series = 0;
		else if (cell->series < b)
			cell->series++;
	}
}

/* A mode that this program does not know takes what follows the places of those it knows. */
static void colour_series(struct report *report)
{
	struct index modes = { json_object() }, unknown = { json_object() };
	autofree unsigned int *variants = xzalloc((report->nr_series + 1) * sizeof(*variants));

	for (size_t i = 0; i < report->nr_series; i++) {
		struct report_series *series = &report->series[i];
		size_t place = report_mode_place(series->mode);

		if (place == NO_PLACE)
			place = report_nr_modes() + index_get(&unknown, series->mode);
		series->variant = variants[index_get(&modes, series->mode)]++;
		series->colour = report_place_colour(place, series->variant);
	}
	json_decref(modes.map);
	json_decref(unknown.map);
}

static void count_cells(struct report *report)
{
	for (size_t i = 0; i < report->nr_cells; i++) {
		const struct report_cell *cell = &report->cells[i];
		struct report_series *series = &report->series[cell->series];

		series->nr_cells++;
		series->nr_cells_ok += !strcmp(cell->status, "ok");
		series->nr_boots += cell->nr_boots;
		series->nr_boots_ok += cell->nr_ok;
	}
}

void report_axes_build(struct report *report)
{
	struct index series = { json_object() }, scenarios = { json_object() };
	json_t *sets = collect_keys(report);

	for (size_t i = 0; i < report->nr_cells; i++) {
		struct strbuf own = { 0 }, rest = { 0 };
		struct report_cell *cell = &report->cells[i];
		const struct report_names *n = &cell->names;

		split_variant(sets, n, &own, &rest);
		autofree char *series_key = xasprintf("%s\n%s", n->mode, own.data);
		autofree char *scenario_key = key_name(n, rest.data, rest.len);

		cell->series = index_get(&series, series_key);
		cell->scenario = index_get(&scenarios, scenario_key);
		add_series(report, cell->series, n->mode, own.data);
		add_scenario(report, cell->scenario, n, rest.data);
		free(own.data);
		free(rest.data);
	}
	put_baseline_first(report);
	colour_series(report);
	count_cells(report);
	json_decref(series.map);
	json_decref(scenarios.map);
	json_decref(sets);
}
