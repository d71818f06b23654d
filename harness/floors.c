// SPDX-License-Identifier: GPL-2.0-only
/* Noise floors by host and metric. */
#include "harness/floors.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "harness/log.h"
#include "harness/util.h"

#define SCHEMA 1

static int bad_floors(const char *path, const char *where, const char *what)
{
	log_err("%s: %s: %s", path, where, what);
	return -EINVAL;
}

/* A share of the whole: a floor of 1 would hide anything. */
static bool floor_valid(const json_t *value)
{
	return json_is_number(value) && json_number_value(value) > 0 &&
	       json_number_value(value) < 1;
}

static int check_host(const char *path, const char *fingerprint, json_t *host)
{
	json_t *metrics = json_object_get(host, "metrics"), *usual, *value;
	const char *name;

	usual = json_object_get(host, "default");
	if (!json_is_object(host) || (metrics && !json_is_object(metrics)))
		return bad_floors(path, fingerprint, "no object of floors");
	if (usual && !floor_valid(usual))
		return bad_floors(path, fingerprint, "default: not between 0 and 1");
	json_object_foreach(metrics, name, value)
		if (!floor_valid(value))
			return bad_floors(path, name, "not a number between 0 and 1");
	return 0;
}

static int check_floors(const char *path, json_t *root)
{
	json_t *hosts = json_object_get(root, "hosts"), *host;
	const char *fingerprint;
	int ret = 0;

	if (json_integer_value(json_object_get(root, "schema")) != SCHEMA)
		return bad_floors(path, "schema", "not 1, the only one this program reads");
	if (!json_is_object(hosts))
		return bad_floors(path, "hosts", "missing, or no object");
	json_object_foreach(hosts, fingerprint, host) {
		ret = check_host(path, fingerprint, host);
		if (ret)
			break;
	}
	return ret;
}

static int load(const char *path, const char *fingerprint, struct floors *floors)
{
	json_error_t error;
	int ret;

	*floors = (struct floors){ .path = xstrdup(path) };
	floors->root = json_load_file(path, JSON_REJECT_DUPLICATES, &error);
	if (!floors->root) {
		log_err("%s:%d:%d: %s", path, error.line, error.column, error.text);
		ret = -EINVAL;
	} else {
		ret = check_floors(path, floors->root);
	}
	if (ret)
		floors_free(floors);
	else
		floors->host = json_object_get(json_object_get(floors->root, "hosts"), fingerprint);
	return ret;
}

int floors_load(const char *path, const char *fingerprint, struct floors *floors)
{
	int ret;

	*floors = (struct floors){ 0 };
	if (!path)
		return 0;
	ret = load(path, fingerprint, floors);
	if (!ret && !floors->host)
		log_warn("%s: no floors for the host %s: the defaults are used", path, fingerprint);
	return ret;
}

char *floors_default_path(void)
{
	const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");

	if (state && *state == '/')
		return xasprintf("%s/iommubench/floors.json", state);
	return home && *home ? xasprintf("%s/.local/state/iommubench/floors.json", home) : NULL;
}

int floors_find(const char *option, const char *fingerprint, struct floors *floors)
{
	autofree char *path = option ? NULL : floors_default_path();

	if (option)
		return floors_load(strcmp(option, "none") != 0 ? option : NULL, fingerprint,
				   floors);
	if (path && file_exists(path))
		return load(path, fingerprint, floors);
	*floors = (struct floors){ 0 };
	return 0;
}

static int write_floors(const char *path, const json_t *root)
{
	autofree char *text = json_dumps(root, JSON_INDENT(2)), *dir = xstrdup(path);
	char *slash = strrchr(dir, '/');
	int ret = 0;

	if (slash && slash != dir) {
		*slash = '\0';
		ret = mkdir_all(dir);
	}
	if (!ret)
		ret = text ? file_replace(path, text, strlen(text)) : -ENOMEM;
	if (ret)
		log_err("cannot write %s: %s", path, strerror(-ret));
	return ret;
}

int floors_store(const char *path, const char *fingerprint, json_t *host)
{
	struct floors floors = { 0 };
	int ret = 0;

	if (file_exists(path))
		ret = load(path, fingerprint, &floors);
	else
		floors.root = json_pack("{s:i, s:{}}", "schema", SCHEMA, "hosts");
	if (!ret) {
		json_object_set(json_object_get(floors.root, "hosts"), fingerprint, host);
		ret = write_floors(path, floors.root);
	}
	floors_free(&floors);
	return ret;
}

void floors_free(struct floors *floors)
{
	json_decref(floors->root);
	free(floors->path);
	*floors = (struct floors){ 0 };
}

void floors_of(const struct floors *floors, const char *metric, double *floor, double *margin)
{
	json_t *value = json_object_get(json_object_get(floors->host, "metrics"), metric);

	*floor = FLOOR_DEFAULT;
	*margin = MARGIN_DEFAULT;
	if (!value)
		value = json_object_get(floors->host, "default");
	if (!value)
		return;
	*floor = json_number_value(value);
	*margin = fmax(*floor, MARGIN_DEFAULT);
}
