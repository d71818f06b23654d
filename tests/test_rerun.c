// SPDX-License-Identifier: GPL-2.0-only
/* Running again what a manifest describes: what it holds, what is taken from it, what is refused.
 */
#include "tests/capture.h"

#include <errno.h>

#include "harness/config.h"
#include "harness/manifest.h"
#include "harness/packages.h"
#include "harness/plan.h"
#include "harness/rerun.h"

#define EXPERIMENT_TEXT                                                                      \
	"# mine\nname: again\nboots: 4\norder: random\nseed: 77\nmodes: [static]\ndevices: " \
	"[nvme]\nworkloads: [boot, { fio: { rw: [randread, read], bs: 4k } }]\n"
#define HOST_TEXT "devices: { nvme: \"0000:5e:00.0\" }\n"

static json_t *made_environment(void)
{
	return json_pack("{s:s, s:s, s:{s:s, s:s}, s:{s:s, s:s}, s:{s:s}}", "fingerprint", "f",
			 "kernel", "6.1", "packages", "qemu-system-x86", "7.2", "libc6.so", "2.36",
			 "kernel_config", "path", "/none", "fnv1a", "1", "lab", "accelerator",
			 "tcg");
}

/* A run as the harness leaves it; its folder, to free. */
static char *made_run(const char *name, const char *where)
{
	autofree char *config = capture_file("mine.yaml", EXPERIMENT_TEXT, strlen(EXPERIMENT_TEXT));
	autofree char *host_path = capture_file("host.yaml", HOST_TEXT, strlen(HOST_TEXT));
	const struct run_options options = { .only = "static.*",
					     .boots = 2,
					     .command = "iommubench run mine.yaml" };
	char *dir = xasprintf("%s/%s", capture_dir, name);
	struct host *host;
	struct experiment *exp;
	struct plan *plan;
	struct manifest manifest;
	json_t *env = made_environment();

	assert_int_equal(experiment_load(config, &exp), 0);
	assert_int_equal(host_load(host_path, &host), 0);
	assert_int_equal(plan_new(exp, options.only, options.boots, &plan), 0);
	free(host->kind);
	host->kind = xstrdup(where);
	assert_int_equal(mkdir_all(dir), 0);
	assert_int_equal(manifest_new(dir, exp, plan, host, env, &manifest), 0);
	rerun_describe(&options, exp, host, dir, manifest.root);
	assert_int_equal(manifest_save(&manifest), 0);
	manifest_free(&manifest);
	json_decref(env);
	plan_free(plan);
	host_free(host);
	experiment_free(exp);
	return dir;
}

static void assert_text(const char *path, const char *text)
{
	autofree char *found = file_read(path, NULL);

	assert_non_null(found);
	assert_string_equal(found, text);
}

/* All is as it was, but what the command line says; a run's folder is as good as its manifest. */
static void test_again(void **state)
{
	autofree char *dir = made_run("run", "host"), *made = NULL;
	autofree char *path = xasprintf("%s/manifest.json", dir);
	struct run_options options = { 0 };
	struct run_options other = { .only = "*.boot", .boots = 1, .where = RUN_LAB };
	struct rerun rerun;

	assert_int_equal(rerun_load(dir, &rerun), 0);
	assert_string_equal(rerun.manifest, path);
	assert_text(rerun.config, EXPERIMENT_TEXT);
	assert_text(rerun.host_file, HOST_TEXT);
	assert_int_equal(rerun_apply(&rerun, &options), 0);
	assert_string_equal(options.from, path);
	assert_string_equal(options.config, rerun.config);
	assert_string_equal(options.host_file, rerun.host_file);
	assert_string_equal(options.only, "static.*");
	assert_int_equal(options.boots, 2);
	assert_int_equal(options.where, RUN_HOST);
	assert_int_equal(rerun_apply(&rerun, &other), 0);
	assert_null(other.host_file);
	assert_string_equal(other.only, "*.boot");
	assert_int_equal(other.boots, 1);
	assert_int_equal(other.where, RUN_LAB);
	made = xstrdup(rerun.dir);
	rerun_free(&rerun);
	assert_false(file_exists(made));
}

static void test_lab_again(void **state)
{
	autofree char *dir = made_run("lab", "lab-tcg");
	struct run_options options = { 0 }, here = { .where = RUN_HOST };
	struct rerun rerun;
	autofree char *said = NULL;

	assert_int_equal(rerun_load(dir, &rerun), 0);
	assert_int_equal(rerun_apply(&rerun, &options), 0);
	assert_int_equal(options.where, RUN_LAB);
	assert_null(options.host_file); /* the lab makes its own */
	capture_begin();
	assert_int_equal(rerun_apply(&rerun, &here), -EINVAL);
	said = capture_end();
	assert_contains(said, "add --host FILE");
	rerun_free(&rerun);
}

/* A manifest with one member changed is refused, with that word. */
static void assert_refused(const char *name, const char *key, json_t *value, const char *word)
{
	autofree char *dir = made_run(name, "host"), *said = NULL;
	autofree char *path = xasprintf("%s/manifest.json", dir);
	json_t *root = json_load_file(path, 0, NULL);
	struct rerun rerun;

	json_object_set_new(root, key, value);
	assert_int_equal(json_dump_file(root, path, 0), 0);
	json_decref(root);
	capture_begin();
	assert_int_equal(rerun_load(path, &rerun), -EINVAL);
	said = capture_end();
	rerun_free(&rerun);
	assert_contains(said, word);
}

static void test_refused(void **state)
{
	static const char other[] = "modes: [static]\ndevices: [nvme]\nworkloads: [boot]\n"
				    "boots: 4\norder: random\nseed: 78\nname: again\n";
	autofree char *said = NULL;
	struct rerun rerun;

	assert_refused("shard", "shard", json_object(), "run --shard");
	assert_refused("merged", "shards", json_array(), "run --shard");
	assert_refused("ab", "ab", json_object(), "run --ab");
	assert_refused("schema", "schema", json_integer(99), "another version");
	assert_refused("empty", "experiment", json_null(), "run the experiment's file instead");
	assert_refused("bad", "experiment", json_string("modes: [statik]\n"), "did you mean");
	assert_refused("other", "experiment", json_string(other), "reads 'seed'");
	assert_refused("name", "name", json_string("../x"), "run the experiment's file instead");
	capture_begin();
	assert_int_equal(rerun_load("/nonexistent.json", &rerun), -EINVAL);
	said = capture_end();
	rerun_free(&rerun);
	assert_contains(said, "name a manifest.json, or a run's folder");
}

/* An older manifest has its experiment beside it. */
static void test_experiment_beside(void **state)
{
	autofree char *dir = made_run("old", "host");
	autofree char *path = xasprintf("%s/manifest.json", dir);
	autofree char *beside = xasprintf("%s/experiment.yaml", dir);
	json_t *root = json_load_file(path, 0, NULL);
	struct rerun rerun;

	json_object_del(root, "experiment");
	assert_int_equal(json_dump_file(root, path, 0), 0);
	json_decref(root);
	assert_int_equal(file_write(beside, EXPERIMENT_TEXT, true), 0);
	assert_int_equal(rerun_load(path, &rerun), 0);
	assert_text(rerun.config, EXPERIMENT_TEXT);
	rerun_free(&rerun);
}

/* What is not as it was is said and kept; of the lab only its runs know. */
static void test_differences(void **state)
{
	autofree char *dir = made_run("one", "host"), *said = NULL, *same = NULL;
	autofree char *path = xasprintf("%s/manifest.json", dir);
	autofree char *original = xasprintf("%s/" RERUN_ORIGINAL, dir);
	autofree char *text = file_read(path, NULL);
	struct manifest manifest;
	json_t *env, *list;

	assert_int_equal(manifest_load(dir, &manifest), 0);
	rerun_compare(dir, &manifest); /* of no other run: nothing is said */
	assert_null(json_object_get(manifest.root, "again"));
	assert_int_equal(file_write(original, text, true), 0);
	env = json_object_get(manifest.root, "environment");
	json_object_del(env, "lab");
	capture_begin();
	rerun_compare(dir, &manifest);
	same = capture_end();
	assert_contains(same, "this is run again: one of ");
	assert_contains(same, "its environment is as it was");
	json_object_set_new(env, "kernel", json_string("6.12"));
	json_object_set_new(json_object_get(env, "packages"), "libc6.so", json_string("2.41"));
	json_object_set_new(json_object_get(env, "kernel_config"), "fnv1a", json_string("2"));
	json_object_set_new(json_object_get(manifest.root, "host_file"), "text", json_string("x"));
	capture_begin();
	rerun_compare(dir, &manifest);
	said = capture_end();
	assert_contains(said, "what is not as it was:");
	assert_contains(said, "other environment kernel: \"6.1\", now \"6.12\"");
	assert_contains(said, "other package libc6.so: \"2.36\", now \"2.41\"");
	assert_contains(said, "other environment kernel_config.fnv1a: \"1\", now \"2\"");
	assert_contains(said, "other host file host_file.text: ");
	assert_null(strstr(said, "qemu-system"));
	list = json_object_get(json_object_get(manifest.root, "again"), "differences");
	assert_int_equal(json_array_size(list), 4);
	manifest_free(&manifest);
}

static void test_packages(void **state)
{
	json_t *json = packages_parse("=fio 3.33-3\n=removed \n"
				      "dpkg-query: no packages found matching dpdk\n"
				      "=libc6 2.36-9+deb12u10\n");

	assert_int_equal(json_object_size(json), 2);
	assert_string_equal(json_string_value(json_object_get(json, "fio")), "3.33-3");
	assert_string_equal(json_string_value(json_object_get(json, "libc6")), "2.36-9+deb12u10");
	json_decref(json);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_again),	    cmocka_unit_test(test_lab_again),
		cmocka_unit_test(test_refused),	    cmocka_unit_test(test_experiment_beside),
		cmocka_unit_test(test_differences), cmocka_unit_test(test_packages),
	};

	return cmocka_run_group_tests(tests, capture_setup, capture_teardown);
}
