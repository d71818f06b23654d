// SPDX-License-Identifier: GPL-2.0-only
/* Running again what a manifest describes. */
#include "harness/rerun.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "harness/config.h"
#include "harness/environment.h"
#include "harness/hostmatch.h"
#include "harness/log.h"
#include "harness/manifest.h"
#include "harness/util.h"

static const char *text_of(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

/* --- what a manifest is to hold --- */

/* Beside the manifest, as its path need not last. */
static void keep_kernel_config(const json_t *environment, const char *dir)
{
	const char *from = text_of(json_object_get(environment, "kernel_config"), "path");
	const char *suffix = from && strlen(from) > 3 ? from + strlen(from) - 3 : "";
	autofree char *to =
		xasprintf("%s/kernel.config%s", dir, strcmp(suffix, ".gz") ? "" : suffix);
	size_t len;
	autofree char *text = from ? file_read(from, &len) : NULL;
	int ret = text ? file_replace(to, text, len) : 0;

	if (ret)
		log_warn("cannot write %s: %s", to, strerror(-ret));
}

void rerun_describe(const struct run_options *options, const struct experiment *exp,
		    const struct host *host, const char *dir, json_t *manifest)
{
	autofree char *experiment = file_read(exp->path, NULL);
	autofree char *host_text = host->path ? file_read(host->path, NULL) : NULL;

	json_object_set_new(manifest, "experiment", json_pack("s?", experiment));
	json_object_set_new(
		manifest, "options",
		json_pack("{s:s?, s:i}", "only", options->only, "boots", (int)options->boots));
	json_object_set_new(manifest, "command", json_pack("s?", options->command));
	json_object_set_new(manifest, "host_file",
			    host_text
				    ? json_pack("{s:s, s:s}", "path", host->path, "text", host_text)
				    : json_null());
	keep_kernel_config(json_object_get(manifest, "environment"), dir);
}

/* --- reading it --- */

static int refuse(const char *path, const char *why)
{
	log_err("%s: %s", path, why);
	return -EINVAL;
}

static int load_manifest(const char *path, json_t **root)
{
	json_error_t error;

	*root = json_load_file(path, 0, &error);
	if (!*root) {
		log_err("%s:%d:%d: %s: name a manifest.json, or a run's folder", path, error.line,
			error.column, error.text);
		return -EINVAL;
	}
	if (json_integer_value(json_object_get(*root, "schema")) != MANIFEST_SCHEMA)
		return refuse(path, "no manifest, or of another version: name a manifest.json");
	if (json_object_get(*root, "shard"))
		return refuse(path, "a shard of a run, which is run again with run --shard");
	if (json_object_get(*root, "shards"))
		return refuse(path, "a run merged of several hosts: run it again with run --shard");
	if (json_object_get(*root, "ab"))
		return refuse(path, "one side of a session: run it again with run --ab");
	return 0;
}

/* The experiment of an older manifest is still beside it. */
static char *experiment_text(const char *path, const json_t *root)
{
	const char *text = text_of(root, "experiment"), *slash = strrchr(path, '/');
	autofree char *beside = NULL;

	if (text)
		return xstrdup(text);
	beside = xasprintf("%.*s" EXPERIMENT, slash ? (int)(slash - path + 1) : 0, path);
	return file_read(beside, NULL);
}

/* As a private file of that name; its path, to free, or NULL. */
static char *make_file(const struct rerun *rerun, const char *name, const char *suffix,
		       const char *text)
{
	autofree char *path = xasprintf("%s/%s%s", rerun->dir, name, suffix);
	int ret = file_replace(path, text, strlen(text));
	char *made = ret ? NULL : path;

	if (ret)
		log_err("cannot write %s: %s", path, strerror(-ret));
	else
		path = NULL;
	return made;
}

/* Defaults may be others by now, or what a setting means. */
static int check_config(const struct rerun *rerun, const json_t *root)
{
	const json_t *before = json_object_get(root, "config");
	struct experiment *exp;
	const char *revision = text_of(root, "git_revision"), *key;
	json_t *now, *value;
	int ret = experiment_load(rerun->config, &exp);

	if (ret)
		return -EINVAL;
	now = experiment_json(exp);
	experiment_free(exp);
	json_object_foreach(now, key, value) {
		if (json_equal(value, json_object_get(before, key)))
			continue;
		log_err("%s: this version of iommubench reads '%s' of its experiment differently: "
			"use that of the run (revision %s)",
			rerun->manifest, key, revision ? revision : "unknown");
		ret = -EINVAL;
		break;
	}
	json_decref(now);
	return ret;
}

static int unpack(const json_t *root, struct rerun *rerun)
{
	const json_t *options = json_object_get(root, "options");
	const char *where = text_of(root, "where"), *name = text_of(root, "name");
	const char *host = text_of(json_object_get(root, "host_file"), "text");
	autofree char *text = experiment_text(rerun->manifest, root);
	char dir[] = "/tmp/iommubench-again-XXXXXX";

	if (!text || !manifest_id_valid(name) || !where)
		return refuse(rerun->manifest, "it does not hold its experiment: run the "
					       "experiment's file instead");
	if (!mkdtemp(dir))
		return refuse(dir, strerror(errno));
	rerun->dir = xstrdup(dir);
	rerun->lab = strcmp(where, "host") != 0;
	rerun->boots = (unsigned int)json_integer_value(json_object_get(options, "boots"));
	if (text_of(options, "only"))
		rerun->only = xstrdup(text_of(options, "only"));
	rerun->config = make_file(rerun, name, ".yaml", text);
	if (rerun->config && host && !rerun->lab)
		rerun->host_file = make_file(rerun, "host-file", ".yaml", host);
	if (!rerun->config || (host && !rerun->lab && !rerun->host_file))
		return -EINVAL;
	return check_config(rerun, root);
}

int rerun_load(const char *path, struct rerun *rerun)
{
	json_t *root = NULL;
	struct stat st;
	int ret;

	*rerun = (struct rerun){ 0 };
	rerun->manifest = !stat(path, &st) && S_ISDIR(st.st_mode)
				  ? xasprintf("%s/manifest.json", path)
				  : xstrdup(path);
	ret = load_manifest(rerun->manifest, &root);
	if (!ret)
		ret = unpack(root, rerun);
	json_decref(root);
	return ret;
}

void rerun_free(struct rerun *rerun)
{
	if (rerun->dir)
		remove_all(rerun->dir);
	free(rerun->manifest);
	free(rerun->dir);
	free(rerun->config);
	free(rerun->host_file);
	free(rerun->only);
	*rerun = (struct rerun){ 0 };
}

int rerun_apply(const struct rerun *rerun, struct run_options *options)
{
	options->from = rerun->manifest;
	options->config = rerun->config;
	if (options->where == RUN_AUTO && !options->host_file)
		options->where = rerun->lab ? RUN_LAB : RUN_HOST;
	if (!options->host_file && options->where == RUN_HOST)
		options->host_file = rerun->host_file;
	if (!options->host_file && options->where == RUN_HOST)
		return refuse(rerun->manifest, "it ran without a host file: add --host FILE");
	if (!options->only)
		options->only = rerun->only;
	if (!options->boots)
		options->boots = rerun->boots;
	return 0;
}

/* --- what is not as it was --- */

/* What is about the machine under a lab is known only outside of it. */
static json_t *without_lab(const json_t *env)
{
	json_t *copy = json_copy((json_t *)env);

	json_object_del(copy, "lab");
	return copy;
}

static void list_differences(const json_t *original, const json_t *now, const json_t *env,
			     struct strlist *list)
{
	json_t *before = without_lab(json_object_get(original, "environment"));
	json_t *after = without_lab(env);

	hostmatch_member(original, now, "iommubench", "git_revision", list);
	hostmatch_member(original, now, "place", "where", list);
	hostmatch_member(original, now, "options", "options.only", list);
	hostmatch_member(original, now, "options", "options.boots", list);
	hostmatch_member(original, now, "host file", "host_file.text", list);
	hostmatch_differences(before, after, list, list);
	json_decref(before);
	json_decref(after);
}

/* "NAME of DATE", to free. */
static char *run_text(const json_t *original)
{
	const char *id = text_of(original, "run_id"), *started = text_of(original, "started");

	return xasprintf("%s of %s", id ? id : "?", started ? started : "?");
}

static json_t *list_json(const struct strlist *list)
{
	json_t *json = json_array();

	for (size_t i = 0; i < list->nr; i++)
		json_array_append_new(json, json_string(list->items[i]));
	return json;
}

void rerun_compare(const char *dir, struct manifest *manifest)
{
	autofree char *path = xasprintf("%s/" RERUN_ORIGINAL, dir), *run = NULL;
	json_auto_t *original = json_load_file(path, 0, NULL);
	autolist struct strlist list = { 0 };

	if (!original)
		return;
	list_differences(original, manifest->root, json_object_get(manifest->root, "environment"),
			 &list);
	run = run_text(original);
	log_info("this is run again: %s; %s", run,
		 list.nr ? "what is not as it was:" : "its environment is as it was");
	for (size_t i = 0; i < list.nr; i++)
		log_info("  %s", list.items[i]);
	json_object_set_new(manifest->root, "again",
			    json_pack("{s:O, s:O, s:o}", "run_id",
				      json_object_get(original, "run_id"), "started",
				      json_object_get(original, "started"), "differences",
				      list_json(&list)));
}

/* Of both environments only what a lab shares with the machine it runs on. */
static json_t *shared_part(const json_t *env)
{
	static const char *const keys[] = { "qemu", "guest_kernel", "guest_files", "packages" };
	json_t *part = json_pack("{s:s}", "fingerprint", "");

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (json_object_get(env, keys[i]))
			json_object_set(part, keys[i], json_object_get(env, keys[i]));
	return part;
}

void rerun_print(const char *path, const json_t *env, bool in_lab)
{
	json_auto_t *original = json_load_file(path, 0, NULL);
	json_auto_t *before = NULL, *after = NULL;
	autolist struct strlist list = { 0 };
	autofree char *run = NULL;

	if (!original)
		return;
	before = in_lab ? shared_part(json_object_get(original, "environment"))
			: without_lab(json_object_get(original, "environment"));
	after = in_lab ? shared_part(env) : without_lab(env);
	hostmatch_differences(before, after, &list, &list);
	run = run_text(original);
	printf("again: %s; %s\n", run,
	       list.nr ? "what is not as it was:" : "its environment is as it was");
	for (size_t i = 0; i < list.nr; i++)
		printf("  %s\n", list.items[i]);
}
