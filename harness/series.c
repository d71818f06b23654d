// SPDX-License-Identifier: GPL-2.0-only
/* What a series consists of, and its folder. */
#include "harness/series.h"

#include <errno.h>
#include <string.h>

#include "harness/log.h"
#include "harness/manifest.h"
#include "harness/run.h"
#include "harness/util.h"
#include "harness/yaml.h"

#define SCHEMA 1

/* --- its file --- */

bool series_is_file(const char *path)
{
	autofree char *text = file_read(path, NULL);

	/* Whatever else is in the file is for the reader of series to refuse. */
	return text && (!strncmp(text, "experiments:", 12) || strstr(text, "\nexperiments:"));
}

static int add_item(struct series *series, const char *path)
{
	struct series_item item = { 0 };
	int ret = experiment_load(path, &item.exp);

	if (ret)
		return ret;
	series->items = xrealloc(series->items, (series->nr + 1) * sizeof(*series->items));
	series->items[series->nr++] = item;
	return 0;
}

/* Each is to have a folder of its own. */
static int check_names(const struct series *series, const struct yaml_node *list)
{
	const char *name = series->items[series->nr - 1].exp->name;

	for (size_t i = 0; i + 1 < series->nr; i++)
		if (!strcmp(series->items[i].exp->name, name))
			return yaml_error(
				&list->items[series->nr - 1],
				"a second experiment of the name '%s': give it another one", name);
	return 0;
}

static int read_list(const char *path, const struct yaml_node *list, struct series *series)
{
	const char *slash = strrchr(path, '/');
	int ret = yaml_expect(list, YAML_LIST, "experiments", "'experiments: [FILE, FILE]'");

	if (!ret && !list->nr)
		ret = yaml_error(list, "experiments: none is named: name a file");
	for (size_t i = 0; !ret && i < list->nr; i++) {
		const struct yaml_node *item = &list->items[i];
		autofree char *file = NULL;

		ret = yaml_expect(item, YAML_TEXT, "an experiment", "the name of its file");
		if (ret)
			break;
		file = xasprintf("%.*s%s",
				 slash && *item->text != '/' ? (int)(slash - path + 1) : 0, path,
				 item->text);
		ret = add_item(series, file);
		if (!ret)
			ret = check_names(series, list);
	}
	return ret;
}

static int read_file(const char *path, const struct yaml_node *root, struct series *series)
{
	static const char *const keys[] = { "name", "experiments" };
	const struct yaml_node *name = yaml_get(root, "name");
	const struct yaml_node *list = yaml_get(root, "experiments");
	int ret = yaml_expect(root, YAML_MAP, "a series", "'key: value' lines");

	if (!ret)
		ret = yaml_check_keys(root, "a series", keys, ARRAY_SIZE(keys));
	if (!ret && (!name || name->kind != YAML_TEXT || !manifest_id_valid(name->text)))
		ret = yaml_error(name ? name : root,
				 "a series needs a name that can be a folder: add 'name: NAME'");
	if (!ret && !list)
		ret = yaml_error(root, "no experiments: add 'experiments: [FILE, FILE]'");
	if (ret || !name || !list)
		return ret;
	series->name = xstrdup(name->text);
	return read_list(path, list, series);
}

int series_load(const char *path, struct series *series)
{
	struct yaml_node *root;
	int ret;

	*series = (struct series){ 0 };
	ret = yaml_load(path, &root);
	if (ret)
		return ret;
	ret = read_file(path, root, series);
	yaml_unload(root);
	return ret;
}

void series_free(struct series *series)
{
	for (size_t i = 0; i < series->nr; i++) {
		experiment_free(series->items[i].exp);
		free(series->items[i].dir);
	}
	free(series->items);
	free(series->name);
	free(series->dir);
}

/* --- its folder --- */

static char *state_path(const char *dir)
{
	return xasprintf("%s/series.json", dir);
}

bool series_is_dir(const char *dir)
{
	autofree char *path = state_path(dir);

	return file_exists(path);
}

static void set_dirs(struct series *series, const char *dir)
{
	series->dir = xstrdup(dir);
	for (size_t i = 0; i < series->nr; i++)
		series->items[i].dir = xasprintf("%s/%s", dir, series->items[i].exp->name);
}

/* From now on the copies count, whatever becomes of the user's files. */
static int copy_experiments(const struct series *series, json_t *names)
{
	int ret = 0;

	for (size_t i = 0; !ret && i < series->nr; i++) {
		struct experiment *exp = series->items[i].exp;
		autofree char *to = xasprintf("%s.yaml", series->items[i].dir);
		size_t len;
		autofree char *text = file_read(exp->path, &len);

		ret = text ? file_replace(to, text, len) : -errno;
		if (ret)
			log_err("%s: %s", to, strerror(-ret));
		free(exp->path);
		exp->path = to;
		to = NULL;
		json_array_append_new(names, json_string(exp->name));
	}
	return ret;
}

/* Runs of something else are not taken for this series', and not overwritten. */
static int check_unused(const struct series *series, const char *dir)
{
	for (size_t i = 0; i < series->nr; i++) {
		autofree char *run = xasprintf("%s/%s", dir, series->items[i].exp->name);
		autofree char *manifest = xasprintf("%s/manifest.json", run);

		if (!file_exists(manifest))
			continue;
		log_err("%s: holds a run already, which is none of this series: move it away, or "
			"choose another folder (--out)",
			run);
		return -EEXIST;
	}
	return 0;
}

int series_begin(struct series *series, const char *dir)
{
	json_t *names = json_array();
	autofree char *path = state_path(dir), *text = NULL;
	json_t *state = json_pack("{s:i, s:s, s:o}", "schema", SCHEMA, "name", series->name,
				  "experiments", names);
	int ret = mkdir_all(dir);

	if (!ret && file_exists(path))
		ret = -EEXIST;
	if (ret)
		log_err("%s: %s", dir,
			ret == -EEXIST ? "holds a series already: --resume goes on "
					 "with it"
				       : strerror(-ret));
	else
		ret = check_unused(series, dir);
	if (!ret) {
		set_dirs(series, dir);
		ret = copy_experiments(series, names);
	}
	if (!ret) {
		text = json_dumps(state, JSON_INDENT(2));
		ret = file_replace(path, text, strlen(text));
		if (ret)
			log_err("%s: %s", path, strerror(-ret));
	}
	json_decref(state);
	return ret;
}

/* The copy of an experiment whose file has no name of its own has the file's name, too. */
static int resume_items(const char *dir, const json_t *names, struct series *series)
{
	const json_t *name;
	size_t i;
	int ret = 0;

	json_array_foreach(names, i, name) {
		const char *text = json_string_value(name);
		autofree char *path = xasprintf("%s/%s.yaml", dir, text ? text : "");

		ret = manifest_id_valid(text) ? add_item(series, path) : -EINVAL;
		if (ret == -EINVAL && !manifest_id_valid(text))
			log_err("%s/series.json: an experiment has no valid name", dir);
		if (ret)
			return ret;
	}
	return 0;
}

int series_resume(const char *dir, struct series *series)
{
	autofree char *path = state_path(dir);
	json_error_t error;
	json_t *state = json_load_file(path, 0, &error);
	const char *name = json_string_value(json_object_get(state, "name"));
	const json_t *names = json_object_get(state, "experiments");
	int ret = 0;

	*series = (struct series){ 0 };
	if (!name || !json_array_size(names) ||
	    json_integer_value(json_object_get(state, "schema")) != SCHEMA) {
		log_err("%s: %s", path, state ? "no series, or of another version" : error.text);
		ret = -EINVAL;
	}
	if (!ret) {
		series->name = xstrdup(name);
		ret = resume_items(dir, names, series);
	}
	if (!ret)
		set_dirs(series, dir);
	json_decref(state);
	return ret;
}

bool series_due(const struct series_item *item)
{
	autofree char *path = xasprintf("%s/manifest.json", item->dir);
	struct manifest manifest;
	const char *status;
	bool due;

	if (!file_exists(path) || manifest_load(item->dir, &manifest))
		return true;
	status = json_string_value(json_object_get(manifest.root, "status"));
	due = !status || strcmp(status, "complete") != 0 || manifest_count(&manifest, "failed");
	manifest_free(&manifest);
	return due;
}
