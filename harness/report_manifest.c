// SPDX-License-Identifier: GPL-2.0-only
/* Reads a run's manifest and takes nothing in it for granted. */
#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#include "harness/hostmatch.h"
#include "harness/log.h"
#include "harness/manifest.h"
#include "harness/report_data.h"
#include "harness/util.h"

/* Far above any real run; so that a malformed one cannot take all memory. */
#define MAX_CELLS 4096
#define MAX_BOOTS 4096

static int bad_manifest(const struct report *report, const char *where, const char *what)
{
	log_err("%s/manifest.json: %s: %s", report->dir, where, what);
	return -EINVAL;
}

/* A text member; NULL if it is none. */
static const char *text_of(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

static int parse_boot(struct report *report, const char *id, json_t *json, struct report_boot *boot)
{
	json_int_t index = json_integer_value(json_object_get(json, "boot"));
	const char *status = text_of(json, "status");

	if (!json_is_integer(json_object_get(json, "boot")) || index < 0 || index > UINT_MAX)
		return bad_manifest(report, id, "a boot has no number");
	if (!status)
		return bad_manifest(report, id, "a boot has no status");
	*boot = (struct report_boot){
		.index = (unsigned int)index,
		.ok = !strcmp(status, "ok"),
		.status = status,
		.json = json,
	};
	return 0;
}

static int compare_boots(const void *a, const void *b)
{
	unsigned int x = ((const struct report_boot *)a)->index;
	unsigned int y = ((const struct report_boot *)b)->index;

	return (x > y) - (x < y);
}

/* A boot that is there twice would make chance look like certainty. */
static int check_boots(struct report *report, struct report_cell *cell)
{
	qsort(cell->boots, cell->nr_boots, sizeof(*cell->boots), compare_boots);
	for (size_t b = 1; b < cell->nr_boots; b++) {
		if (cell->boots[b].index != cell->boots[b - 1].index)
			continue;
		log_err("%s/manifest.json: %s: boot %u is there twice", report->dir, cell->id,
			cell->boots[b].index);
		return -EINVAL;
	}
	return 0;
}

static int parse_boots(struct report *report, struct report_cell *cell, json_t *boots)
{
	size_t nr = json_array_size(boots);

	if (boots && !json_is_null(boots) && !json_is_array(boots))
		return bad_manifest(report, cell->id, "boots is no list");
	if (nr > MAX_BOOTS)
		return bad_manifest(report, cell->id, "too many boots");
	cell->boots = xzalloc(nr * sizeof(*cell->boots));
	for (size_t i = 0; i < nr; i++) {
		int ret = parse_boot(report, cell->id, json_array_get(boots, i), &cell->boots[i]);

		if (ret)
			return ret;
		cell->nr_boots++;
		cell->nr_ok += cell->boots[i].ok;
	}
	return check_boots(report, cell);
}

static int parse_cell(struct report *report, json_t *json)
{
	struct report_cell *cell = &report->cells[report->nr_cells];

	cell->id = text_of(json, "id");
	if (!manifest_id_valid(cell->id))
		return bad_manifest(report, "cells", "a cell has no valid id");
	cell->status = text_of(json, "status");
	if (!cell->status)
		cell->status = "pending";
	cell->reason = text_of(json, "reason");
	cell->names = (struct report_names){
		.mode = text_of(json, "mode"),
		.device = text_of(json, "device"),
		.workload = text_of(json, "workload"),
		.variant = text_of(json, "variant"),
		.host = report->mixed ? hostmatch_kind(report->manifest, json) : 0,
	};
	if (!cell->names.mode || !cell->names.device || !cell->names.workload)
		return bad_manifest(report, cell->id, "mode, device or workload is missing");
	if (!cell->names.variant)
		cell->names.variant = "";
	report->nr_cells++;
	return parse_boots(report, cell, json_object_get(json, "boots"));
}

/* Figures of two such cells could not be told apart. */
static bool same_names(const struct report_names *a, const struct report_names *b)
{
	return !strcmp(a->mode, b->mode) && !strcmp(a->device, b->device) &&
	       !strcmp(a->workload, b->workload) && !strcmp(a->variant, b->variant);
}

static int check_new(struct report *report, const struct report_cell *cell, const json_t *ids)
{
	if (json_object_get(ids, cell->id))
		return bad_manifest(report, cell->id, "two cells have this id");
	for (const struct report_cell *other = report->cells; other < cell; other++)
		if (same_names(&other->names, &cell->names))
			return bad_manifest(report, cell->id,
					    "another cell has the same mode, device, workload and "
					    "variant");
	return 0;
}

/* Fills cells and ids (cell id to its number). */
static int parse_cells(struct report *report, json_t *ids)
{
	json_t *cells = json_object_get(report->manifest, "cells");
	size_t nr = json_array_size(cells);

	if (!json_is_array(cells))
		return bad_manifest(report, "cells", "missing, or no list");
	if (nr > MAX_CELLS)
		return bad_manifest(report, "cells", "too many");
	report->cells = xzalloc(nr * sizeof(*report->cells));
	for (size_t i = 0; i < nr; i++) {
		int ret = parse_cell(report, json_array_get(cells, i));

		if (!ret)
			ret = check_new(report, &report->cells[i], ids);
		if (ret)
			return ret;
		json_object_set_new(ids, report->cells[i].id, json_integer((json_int_t)i));
	}
	report_axes_build(report);
	return 0;
}

int report_manifest_load(struct report *report, json_t *ids)
{
	json_t *schema;
	int ret = manifest_read(report->dir, &report->manifest);

	if (ret)
		return ret;
	if (!json_is_object(report->manifest))
		return bad_manifest(report, "top level", "no object");
	schema = json_object_get(report->manifest, "schema");
	if (!json_is_integer(schema) || json_integer_value(schema) != 1)
		return bad_manifest(report, "schema", "not 1, the only one this program reads");
	if (!text_of(report->manifest, "status"))
		return bad_manifest(report, "status", "missing, or no text");
	report->mixed = hostmatch_mixed(report->manifest);
	return parse_cells(report, ids);
}
