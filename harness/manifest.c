// SPDX-License-Identifier: GPL-2.0-only
/* manifest.json: what a run is, where it ran, and how each cell and boot went. */
#include "harness/manifest.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "bench/registry.h"
#include "harness/log.h"
#include "harness/util.h"

#ifndef GIT_REVISION
#define GIT_REVISION "unknown"
#endif

/* Far above any real run; so that a malformed one cannot take all memory. */
#define MAX_MANIFEST_BYTES (64 * MIB)

static json_t *string_or_null(const char *text)
{
	return text ? json_string(text) : json_null();
}

json_t *manifest_cell_json(const struct cell *cell)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:s}", "id", cell->id, "mode", cell->mode->name,
			 "device", cell->device->name, "workload", cell->workload->name, "variant",
			 cell->variant);
}

static json_t *cells_json(const struct plan *plan)
{
	json_t *cells = json_array();

	for (size_t i = 0; i < plan->nr_cells; i++) {
		json_t *cell = manifest_cell_json(&plan->cells[i]);

		json_object_set_new(cell, "status", json_string("failed"));
		json_object_set_new(cell, "reason", json_string("not run"));
		json_object_set_new(cell, "boots", json_array());
		json_array_append_new(cells, cell);
	}
	return cells;
}

unsigned int manifest_rounds(const struct plan *plan)
{
	unsigned int rounds = 0;

	for (size_t i = 0; i < plan->nr_boots; i++)
		if (!plan->boots[i].warmup && plan->boots[i].index >= rounds)
			rounds = plan->boots[i].index + 1;
	return rounds;
}

int manifest_new(const char *dir, const struct experiment *exp, const struct plan *plan,
		 const struct host *host, json_t *environment, struct manifest *manifest)
{
	const char *slash = strrchr(dir, '/');
	const char *run_id = plan->run_id ? plan->run_id : slash ? slash + 1 : dir;
	autofree char *now = now_iso8601();

	manifest->path = xasprintf("%s/manifest.json", dir);
	manifest->root =
		json_pack("{s:i, s:s, s:s, s:s, s:s, s:n, s:s, s:s, s:s, s:o, s:O, s:o}", "schema",
			  MANIFEST_SCHEMA, "run_id", run_id, "name", exp->name, "status", "running",
			  "started", now, "finished", "where", host->kind, "git_revision",
			  GIT_REVISION, "config_path", exp->path, "config", experiment_json(exp),
			  "environment", environment, "cells", cells_json(plan));
	json_object_set_new(manifest->root, "boots", json_integer(manifest_rounds(plan)));
	if (manifest->root && plan->shard)
		json_object_set(manifest->root, "shard", plan->shard);
	return manifest->root ? manifest_save(manifest) : -ENOMEM;
}

int manifest_read(const char *dir, json_t **root)
{
	autofree char *path = xasprintf("%s/manifest.json", dir);
	FILE *file = file_open_regular(path);
	json_error_t error;
	struct stat st;

	if (!file || fstat(fileno(file), &st)) {
		int err = errno;

		log_err("%s: %s: is %s the folder of a run?", path,
			err == EINVAL ? "not a regular file" : strerror(err), dir);
		return -err;
	}
	if (st.st_size > (off_t)MAX_MANIFEST_BYTES) {
		fclose(file);
		log_err("%s: %s are more than the 64 MiB that any run needs", path,
			human_bytes((double)st.st_size));
		return -EFBIG;
	}
	*root = json_loadf(file, JSON_REJECT_DUPLICATES, &error);
	fclose(file);
	if (*root)
		return 0;
	log_err("%s:%d:%d: %s", path, error.line, error.column, error.text);
	return -EINVAL;
}

int manifest_load(const char *dir, struct manifest *manifest)
{
	int ret;

	*manifest = (struct manifest){ .path = xasprintf("%s/manifest.json", dir) };
	if (!file_exists(manifest->path)) {
		manifest_free(manifest);
		return -ENOENT;
	}
	ret = manifest_read(dir, &manifest->root);
	if (ret)
		; /* logged */
	else if (json_integer_value(json_object_get(manifest->root, "schema")) != MANIFEST_SCHEMA)
		log_err("%s: schema is not %d: written by another version", manifest->path,
			MANIFEST_SCHEMA);
	else if (!json_is_array(json_object_get(manifest->root, "cells")))
		log_err("%s: no cells", manifest->path);
	else
		return 0;
	manifest_free(manifest);
	return -EINVAL;
}

void manifest_free(struct manifest *manifest)
{
	json_decref(manifest->root);
	free(manifest->path);
	*manifest = (struct manifest){ 0 };
}

int manifest_save(struct manifest *manifest)
{
	autofree char *text = json_dumps(manifest->root, JSON_INDENT(2));
	int ret = text ? file_replace(manifest->path, text, strlen(text)) : -ENOMEM;

	if (ret)
		log_err("cannot write %s: %s", manifest->path, strerror(-ret));
	return ret;
}

static json_t *find_cell(const struct manifest *manifest, const char *id)
{
	json_t *cell;
	size_t i;

	json_array_foreach(json_object_get(manifest->root, "cells"), i, cell) {
		const char *found = json_string_value(json_object_get(cell, "id"));

		if (found && !strcmp(found, id))
			return cell;
	}
	return NULL;
}

bool manifest_has(const struct manifest *manifest, const char *id)
{
	return find_cell(manifest, id);
}

bool manifest_id_valid(const char *id)
{
	return id && *id && *id != '.' && !strchr(id, '/');
}

/* Index of the boot's record, or -1. */
static int find_boot(const json_t *cell, unsigned int boot)
{
	const json_t *boots = json_object_get(cell, "boots");

	for (size_t i = 0; i < json_array_size(boots); i++)
		if (json_integer_value(json_object_get(json_array_get(boots, i), "boot")) == boot)
			return (int)i;
	return -1;
}

static const char *boot_status(const json_t *boot)
{
	const char *status = json_string_value(json_object_get(boot, "status"));

	return status ? status : "failed";
}

/* Invalid if any boot is; failed if any is or there is none; else ok. */
static void update_cell(json_t *cell)
{
	const char *status = "ok";
	const json_t *boots = json_object_get(cell, "boots"), *boot, *reason = NULL;
	size_t i;

	json_array_foreach((json_t *)boots, i, boot) {
		const char *own = boot_status(boot);

		if (!strcmp(own, "ok") || !strcmp(status, "invalid") || !strcmp(own, status))
			continue;
		status = own;
		reason = json_object_get(boot, "reason");
	}
	if (!json_array_size(boots))
		status = "failed";
	json_object_set_new(cell, "status", json_string(status));
	json_object_set_new(cell, "reason", string_or_null(json_string_value(reason)));
}

void manifest_record(struct manifest *manifest, const char *id, const struct boot_record *record)
{
	json_t *cell = find_cell(manifest, id), *boots = json_object_get(cell, "boots");
	json_t *boot = json_pack("{s:i, s:s, s:i, s:o, s:[ff]}", "boot", (int)record->boot,
				 "status", record->status, "attempts", (int)record->attempts,
				 "reason", string_or_null(record->reason), "window_s",
				 record->begin_s, record->end_s);
	int old = find_boot(cell, record->boot);

	json_object_set(boot, "proof", record->proof ? record->proof : json_null());
	json_object_set_new(boot, "sequence", json_integer(record->place.sequence));
	json_object_set_new(boot, "started", string_or_null(record->place.started));
	if (record->retried)
		json_object_set_new(boot, "retried", json_string(record->retried));
	if (old >= 0)
		json_array_set_new(boots, (size_t)old, boot);
	else
		json_array_append_new(boots, boot);
	update_cell(cell);
}

void manifest_record_warmup(struct manifest *manifest, const char *id,
			    const struct boot_place *place, const char *why, const char *result)
{
	json_t *warmups = json_object_get(manifest->root, "warmups");

	if (!warmups) {
		warmups = json_array();
		json_object_set_new(manifest->root, "warmups", warmups);
	}
	json_array_append_new(warmups, json_pack("{s:s, s:i, s:s, s:s, s:s}", "cell", id,
						 "sequence", (int)place->sequence, "started",
						 place->started, "why", why, "result", result));
}

static unsigned int after_last(const json_t *boots, unsigned int next)
{
	for (size_t i = 0; i < json_array_size(boots); i++) {
		const json_t *sequence = json_object_get(json_array_get(boots, i), "sequence");

		if (json_integer_value(sequence) >= (json_int_t)next)
			next = (unsigned int)json_integer_value(sequence) + 1;
	}
	return next;
}

unsigned int manifest_next_sequence(const struct manifest *manifest)
{
	unsigned int next = after_last(json_object_get(manifest->root, "warmups"), 0);
	json_t *cell;
	size_t i;

	json_array_foreach(json_object_get(manifest->root, "cells"), i, cell)
		next = after_last(json_object_get(cell, "boots"), next);
	return next;
}

void manifest_skip(struct manifest *manifest, const char *id, const char *reason)
{
	json_t *cell = find_cell(manifest, id);

	json_object_set_new(cell, "status", json_string("skipped"));
	json_object_set_new(cell, "reason", json_string(reason));
}

bool manifest_finished(const struct manifest *manifest, const char *id, unsigned int boot)
{
	const json_t *cell = find_cell(manifest, id);
	int index = find_boot(cell, boot);

	return index >= 0 &&
	       strcmp(boot_status(json_array_get(json_object_get(cell, "boots"), (size_t)index)),
		      "failed") != 0;
}

bool manifest_keeps_row(const void *manifest, const struct sample_row *row)
{
	return manifest_finished(manifest, row->cell, row->boot);
}

void manifest_set_status(struct manifest *manifest, const char *status)
{
	autofree char *now = now_iso8601();

	json_object_set_new(manifest->root, "status", json_string(status));
	json_object_set_new(manifest->root, "finished", json_string(now));
}

unsigned int manifest_count(const struct manifest *manifest, const char *status)
{
	unsigned int nr = 0;
	json_t *cell;
	size_t i;

	json_array_foreach(json_object_get(manifest->root, "cells"), i, cell)
		nr += !strcmp(boot_status(cell), status);
	return nr;
}
