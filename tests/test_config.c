// SPDX-License-Identifier: GPL-2.0-only
/* Experiment files: what they become, and one good message for each malformed one. */
#include "tests/refuse.h"

#include <glob.h>

#include "bench/registry.h"
#include "harness/config.h"
#include "harness/series.h"

/* The three lists, for cases about something else. */
#define LISTS "modes: [static]\ndevices: [nvme]\nworkloads: [boot]\n"
#define FIO(settings) "modes: [static]\ndevices: [nvme]\nworkloads:\n  - fio: " settings "\n"

static struct experiment *must_load(const char *text)
{
	autofree char *path = capture_file("quick.yaml", text, strlen(text));
	autofree char *log = NULL;
	struct experiment *exp = NULL;
	int ret;

	capture_begin();
	ret = experiment_load(path, &exp);
	log = capture_end();
	if (ret || *log)
		fail_msg("%d: %s", ret, log);
	assert_string_equal(exp->path, path);
	return exp;
}

static int load_experiment(const char *path)
{
	struct experiment none, *exp = &none;
	int ret = experiment_load(path, &exp);

	assert_null(exp);
	return ret;
}

static void test_defaults(void **state)
{
	struct experiment *exp = must_load(LISTS);
	const struct choice *choice = exp->modes.items;

	assert_string_equal(exp->name, "quick");
	assert_true(exp->guest.memory_bytes == GIB);
	assert_int_equal(exp->guest.cpus, 1);
	assert_int_equal(exp->boots, 3);
	assert_int_equal(exp->warmup, 1);
	assert_int_equal(exp->order, ORDER_ALTERNATE);
	assert_int_equal(exp->seed, 1);
	assert_false(exp->share_vm);
	assert_int_equal(exp->modes.nr, 1);
	assert_ptr_equal(choice->ops, registry_mode("static"));
	assert_int_equal(choice->nr_variants, 1);
	assert_string_equal(choice->variants[0].name, "");
	assert_ptr_equal(exp->devices.items[0].ops, registry_device("nvme"));
	assert_ptr_equal(exp->workloads.items[0].ops, registry_workload("boot"));
	experiment_free(exp);
	experiment_free(NULL);
}

static void test_all_keys(void **state)
{
	struct experiment *exp = must_load("name: my.run_1-a\n"
					   "guest: { memory: 514MiB, cpus: 64 }\n"
					   "boots: 1000\n"
					   "warmup: 10\n"
					   "share_vm: on\n"
					   "order: random\n"
					   "seed: 123456789012\n"
					   "modes:\n"
					   "- viommu-strict\n"
					   "- viommu-pt\n"
					   "devices: [\"nvme\"]\n"
					   "workloads:\n"
					   "- boot\n"
					   "- fio: {}\n");

	assert_string_equal(exp->name, "my.run_1-a");
	assert_true(exp->guest.memory_bytes == 514 * MIB);
	assert_int_equal(exp->guest.cpus, 64);
	assert_int_equal(exp->boots, 1000);
	assert_int_equal(exp->warmup, 10);
	assert_true(exp->share_vm);
	assert_int_equal(exp->order, ORDER_RANDOM);
	assert_int_equal(exp->seed, 123456789012);
	assert_int_equal(exp->modes.nr, 2);
	assert_ptr_equal(exp->modes.items[1].ops, registry_mode("viommu-pt"));
	assert_int_equal(exp->workloads.nr, 2);
	experiment_free(exp);
}

static void test_variants(void **state)
{
	static const char *const names[] = {
		"rw=randread+iodepth=1",
		"rw=randread+iodepth=32",
		"rw=randwrite+iodepth=1",
		"rw=randwrite+iodepth=32",
	};
	struct experiment *exp = must_load(
		FIO("{ iodepth: [1, 32], bs: 8k, rw: [randread, randwrite], runtime: 4s }"));
	const struct choice *fio = exp->workloads.items;

	assert_int_equal(fio->nr_variants, 4);
	for (size_t i = 0; i < 4; i++) {
		const struct settings *s = fio->variants[i].settings;

		assert_string_equal(fio->variants[i].name, names[i]);
		assert_string_equal(settings_text(s, "rw"), i < 2 ? "randread" : "randwrite");
		assert_int_equal(settings_count(s, "iodepth"), i % 2 ? 32 : 1);
		assert_int_equal(settings_size(s, "bs"), 8192);
		assert_true(settings_time(s, "runtime") == 4);
		assert_int_equal(settings_count(s, "jobs"), 1);
	}
	experiment_free(exp);
}

static void test_same_name_twice(void **state)
{
	struct experiment *exp = must_load("modes: [static]\ndevices: [nvme]\nworkloads:\n"
					   "  - fio: { bs: 8k, rw: write }\n"
					   "  - fio: { bs: [4k, 8k], iodepth: 4 }\n");

	/* Alone the second item's names would do; the first one's is empty. No clash: no change. */
	assert_string_equal(exp->workloads.items[0].variants[0].name, "");
	assert_string_equal(exp->workloads.items[1].variants[1].name, "bs=8k");
	experiment_free(exp);

	exp = must_load("modes: [static]\ndevices: [nvme]\nworkloads:\n"
			"  - fio: { bs: 8k }\n  - fio: { bs: 8k, iodepth: 4 }\n  - boot\n");
	assert_string_equal(exp->workloads.items[0].variants[0].name, "iodepth=1");
	assert_string_equal(exp->workloads.items[1].variants[0].name, "iodepth=4");
	assert_string_equal(exp->workloads.items[2].variants[0].name, "");
	experiment_free(exp);
}

static void test_list_of_one(void **state)
{
	struct experiment *exp = must_load(FIO("{ bs: [1.5k] }"));

	assert_int_equal(exp->workloads.items[0].nr_variants, 1);
	assert_string_equal(exp->workloads.items[0].variants[0].name, "bs=1.5k");
	experiment_free(exp);
}

static void test_json(void **state)
{
	struct experiment *exp = must_load("share_vm: yes\nguest: { memory: 512MiB }\n" FIO(
		"{ bs: [4k, 8k], runtime: 1500ms }"));
	json_t *json = experiment_json(exp);
	json_t *second;

	assert_non_null(json);
	second = json_array_get(json_object_get(json, "workloads"), 1);
	assert_string_equal(json_string_value(json_object_get(json, "name")), "quick");
	assert_int_equal(
		json_integer_value(json_object_get(json_object_get(json, "guest"), "memory_bytes")),
		512 * MIB);
	assert_true(json_is_true(json_object_get(json, "share_vm")));
	assert_int_equal(json_array_size(json_object_get(json, "workloads")), 2);
	assert_string_equal(json_string_value(json_object_get(second, "name")), "fio");
	assert_string_equal(json_string_value(json_object_get(second, "variant")), "bs=8k");
	second = json_object_get(second, "settings");
	assert_int_equal(json_integer_value(json_object_get(second, "bs")), 8192);
	assert_true(json_real_value(json_object_get(second, "runtime")) == 1.5);
	assert_string_equal(json_string_value(json_object_get(second, "rw")), "randread");
	json_decref(json);
	experiment_free(exp);
}

static const struct bad_case bad_experiments[] = {
	/* The file as a whole. */
	{ "", "1:1", "the file is empty", "needs modes, devices and workloads" },
	{ "# nothing but this\n", "1:1", "the file is empty", "needs modes" },
	{ "---\n", "2:1", "an experiment must be a mapping", "'key: value' lines" },
	{ "static\n", "1:1", "an experiment must be a mapping", "'key: value' lines" },
	{ "- static\n", "1:1", "an experiment must be a mapping", "'key: value' lines" },
	{ LISTS "---\n" LISTS, "4:1", "a second document", "keep one a file" },
	{ LISTS "modes: [static]\n", "4:1", "'modes' is there already, in line 1", "remove one" },
	/* Syntax. */
	{ "modes: [static\n", "2:1", "did not find expected ',' or ']'", "check brackets" },
	{ "modes:\n\t- static\n", "2:1", "found character that cannot start any token",
	  "spaces, not tabs" },
	{ "name: \"quick\n", "2:1", "found unexpected end of stream", "quotes" },
	{ "modes: [static]\n devices: [nvme]\n", "2:2", "did not find expected key",
	  "indentation" },
	{ "modes: *missing\n", "1:8", "aliases are not taken here", "write out what" },
	{ "modes: &m [static]\ndevices: *m\n", "1:8", "anchors are not taken here", "remove '&m'" },
	{ "modes: !include modes.yaml\n", "1:8", "tags have no meaning here", "remove '!include'" },
	{ "boots: !!int 3\n", "1:8", "tags have no meaning here", "remove" },
	{ "? [a, b]\n: c\n", "1:3", "a list or mapping as a key", "use a plain name" },
	/* Keys of the experiment. */
	{ "boot: 3\n" LISTS, "1:1", "unknown key 'boot' in an experiment",
	  "did you mean 'boots'?" },
	{ LISTS "remarks-and-more: hello\n", "4:1", "unknown key 'remarks-and-more'", "workloads" },
	{ "boots: 0\n" LISTS, "1:8", "boots: '0' is out of range", "use 1..1000" },
	{ "boots: many\n" LISTS, "1:8", "boots: 'many' is no whole number", "use digits" },
	{ "boots:\n" LISTS, "1:7", "boots: '' is no whole number", "use digits" },
	{ "boots: [1, 2]\n" LISTS, "1:8", "boots must be a plain value", "write it as" },
	{ "order: backwards\n" LISTS, "1:8", "order: 'backwards' is no choice",
	  "use one of alternate, random, sequential" },
	{ "seed: -1\n" LISTS, "1:7", "seed: '-1'", "use" },
	{ "warmup: 11\n" LISTS, "1:9", "warmup: '11' is out of range", "use 0..10" },
	{ "share_vm: maybe\n" LISTS, "1:11", "share_vm: 'maybe' is neither yes nor no",
	  "use yes, no" },
	{ "name: a/b\n" LISTS, "1:7", "name 'a/b' cannot be used in paths", "letters, digits" },
	{ "name: ..\n" LISTS, "1:7", "name '..' cannot be used in paths", "letters, digits" },
	{ "name: ''\n" LISTS, "1:7", "name '' cannot be used in paths", "letters, digits" },
	{ "name: \"a\\nb\"\n" LISTS, "1:7", "name: has a control character", "remove it" },
	{ "name: \"a\\0b\"\n" LISTS, "1:7", "the text has a NUL character", "remove it" },
	{ "\"na\\nme\": x\n" LISTS, "1:1", "unknown key 'na?me'", "did you mean 'name'?" },
	/* The guest. */
	{ "guest: big\n" LISTS, "1:8", "guest must be a mapping", "memory: 1GiB" },
	{ "guest: { memory: 64MiB }\n" LISTS, "1:18", "memory: '64MiB' is out of range",
	  "use 128MiB..16TiB" },
	{ "guest: { memory: 513MiB }\n" LISTS, "1:18", "memory: '513MiB' is no multiple of 2MiB",
	  "use 514MiB" },
	{ "guest: { memory: 1.5 }\n" LISTS, "1:18", "memory: '1.5' is no whole number of bytes",
	  "smaller unit" },
	{ "guest: { memory: lots }\n" LISTS, "1:18", "memory: 'lots' is no size", "as 4k or 1GiB" },
	{ "guest: { cpus: 65 }\n" LISTS, "1:16", "cpus: '65' is out of range", "use 1..64" },
	{ "guest:\n  cpu: 2\n" LISTS, "2:3", "unknown key 'cpu' in guest", "did you mean 'cpus'?" },
	/* The lists. */
	{ "devices: [nvme]\nworkloads: [boot]\n", "1:1", "no modes", "add 'modes: [NAME, NAME]'" },
	{ "modes: [static]\nworkloads: [boot]\n", "1:1", "no devices", "iommubench list devices" },
	{ "modes: [static]\ndevices: [nvme]\n", "1:1", "no workloads",
	  "iommubench list workloads" },
	{ "modes: static\ndevices: [nvme]\n", "1:8", "modes must be a list", "[NAME, NAME]" },
	{ "modes: []\n", "1:8", "modes is empty", "name at least one" },
	{ "modes: [statik]\n", "1:9", "no mode 'statik'", "did you mean 'static'?" },
	{ "modes: [statik]\n", "1:9", "no mode 'statik'", "iommubench list modes" },
	{ "modes: [static, Viommu-lazy]\n", "1:17", "no mode 'Viommu-lazy'",
	  "did you mean 'viommu-lazy'?" },
	{ "modes: [{ coiommu: { range: 3 } }]\n", "1:9", "coiommu: range must be a power of two",
	  "" },
	{ "modes: [{ coiommu: { quota: 64k } }]\n", "1:9", "coiommu: a quota below 1MiB",
	  "queues" },
	{ "modes: [{ coiommu: { unpin: never } }]\n", "1:29", "unpin: 'never' is no choice",
	  "off" },
	{ "modes: [static, static]\n", "1:17", "static is listed twice", "remove one" },
	{ "modes: [[static]]\n", "1:9", "a list within modes", "write a name" },
	{ "modes: [{}]\n", "1:9", "an item of modes is one name, here are 0", "start each" },
	{ "modes: [{ static: { pin: all } }]\n", "1:19", "static has no settings",
	  "write just 'static'" },
	{ "modes: [static]\ndevices: [nvmee]\n", "2:11", "no device 'nvmee'",
	  "did you mean 'nvme'?" },
	{ "modes: [static]\ndevices: [nvme]\nworkloads: [fi]\n", "3:13", "no workload 'fi'",
	  "did you mean 'fio'?" },
	/* Settings. */
	{ FIO("fast"), "4:10", "fio must be a mapping", "or the name alone" },
	{ FIO(""), "4:9", "fio must be a mapping", "or the name alone" },
	{ FIO("{ }\n    boot: { }"), "4:5", "an item of workloads is one name, here are 2",
	  "start each with '-'" },
	{ FIO("{ iodept: 1 }"), "4:12", "unknown key 'iodept' in fio", "did you mean 'iodepth'?" },
	{ FIO("{ iodepth: 0 }"), "4:21", "iodepth: '0' is out of range", "use 1..1024" },
	{ FIO("{ bs: 4x }"), "4:16", "bs: '4x' is no size", "as 4k or 1GiB" },
	{ FIO("{ runtime: 4 }"), "4:21", "runtime: '4' has no unit", "as 10s or 250ms" },
	{ FIO("{ rw: radread }"), "4:16", "rw: 'radread' is no choice",
	  "did you mean 'randread'?" },
	{ FIO("{ rw: [read, radwrite] }"), "4:23", "rw: 'radwrite' is no choice",
	  "did you mean 'randwrite'?" },
	{ FIO("{ rw: [] }"), "4:16", "rw: an empty list", "at least one value" },
	{ FIO("{ rw: { a: b } }"), "4:16", "rw must be a value or a list", "write 'rw: randread'" },
	{ FIO("{ rw: [[read]] }"), "4:17", "rw must be a plain value", "write it as" },
	{ FIO("{ bs: [4k, 8k, 4096] }"), "4:25", "bs: '4096' is the same as '4k'", "remove one" },
	{ FIO("{ bs: 4k, bs: 8k }"), "4:20", "'bs' is there already, in line 4", "remove one" },
	{ FIO("{ bs: 4k }\n  - fio: { bs: [2k, 4096] }"), "5:5", "fio is listed twice",
	  "remove one" },
	{ FIO("{ bs: [4k, 8k] }\n  - fio"), "5:5", "fio is listed twice", "remove one" },
	{ FIO("{ bs: 2MiB, size: [4MiB, 1MiB] }"), "4:5", "fio with size=1MiB: bs is larger",
	  "lower bs" },
};

static void test_bad_experiments(void **state)
{
	for (size_t i = 0; i < ARRAY_SIZE(bad_experiments); i++) {
		const struct bad_case *bad = &bad_experiments[i];

		must_refuse(load_experiment, bad->text, strlen(bad->text), bad);
	}
}

static void test_name_from_file(void **state)
{
	autofree char *path = capture_file("my test.yaml", LISTS, strlen(LISTS));
	autofree char *log = NULL;

	capture_begin();
	assert_int_equal(load_experiment(path), -EINVAL);
	log = capture_end();
	assert_one_line(log);
	assert_contains(log, ":1:1: the file's name 'my test' cannot be used in paths: add a line "
			     "'name: NAME'");
}

static void test_unreadable(void **state)
{
	autofree char *path = xasprintf("%s/missing.yaml", capture_dir);
	autofree char *log = NULL;

	capture_begin();
	assert_int_equal(load_experiment(path), -ENOENT);
	assert_int_equal(load_host(capture_dir), -EISDIR);
	log = capture_end();
	assert_contains(log, "missing.yaml: cannot be read: No such file or directory\n");
	assert_contains(log, "cannot be read: Is a directory\n");
}

static void test_not_text(void **state)
{
	static const char nul[] = "modes: [sta\0tic]\n";
	static const char latin1[] = "# first\nname: caf\xe9\n";
	static const char binary[] = "\x7f"
				     "ELF\x02\x01\x01";
	static const struct bad_case bad_nul = { .place = "1:12",
						 .message = "no text file (control characters",
						 .remedy = "save it as UTF-8" };
	static const struct bad_case bad_latin1 = { .place = "2:10",
						    .message = "no text file (",
						    .remedy = "save it as UTF-8" };
	static const struct bad_case bad_binary = { .place = "1:1",
						    .message = "no text file (",
						    .remedy = "save it as UTF-8" };

	must_refuse(load_experiment, nul, sizeof(nul) - 1, &bad_nul);
	must_refuse(load_experiment, latin1, sizeof(latin1) - 1, &bad_latin1);
	must_refuse(load_experiment, binary, sizeof(binary) - 1, &bad_binary);
}

/* A list within a list within ..., in both notations. */
static void test_deep(void **state)
{
	static const struct bad_case flow = { .place = "1:17",
					      .message = "more than 16 levels deep",
					      .remedy = "nest less" };
	static const struct bad_case block = { .place = "1:33",
					       .message = "more than 16 levels deep",
					       .remedy = "nest less" };
	size_t len = MIB - 1;
	autofree char *text = xzalloc(len);

	memset(text, '[', len);
	must_refuse(load_experiment, text, len, &flow);
	memset(text + 40, ']', 40);
	must_refuse(load_experiment, text, 80, &flow);
	for (size_t i = 0; i < len; i++)
		text[i] = "- "[i % 2];
	must_refuse(load_experiment, text, len, &block);
}

static void test_alias_bombs(void **state)
{
	static const struct bad_case bomb = { .place = "1:4",
					      .message = "anchors are not taken here",
					      .remedy = "remove '&a0'" };
	static const struct bad_case loop = { .place = "1:8",
					      .message = "anchors are not taken here",
					      .remedy = "remove '&m'" };
	static const struct bad_case many = { .place = "1:3",
					      .message = "anchors are not taken here",
					      .remedy = "remove '&a0'" };
	struct strbuf text = { 0 };

	strbuf_addf(&text, "a: &a0 [x, x]\n");
	for (int i = 1; i < 60; i++)
		strbuf_addf(&text, "b%d: &a%d [*a%d, *a%d, *a%d]\n", i, i, i - 1, i - 1, i - 1);
	must_refuse(load_experiment, text.data, text.len, &bomb);
	must_refuse(load_experiment, "modes: &m [*m]\n", 15, &loop);
	text.len = 0;
	for (int i = 0; i < 80000; i++)
		strbuf_addf(&text, "- &a%d x\n", i);
	must_refuse(load_experiment, text.data, text.len, &many);
	free(text.data);
}

static void test_too_large(void **state)
{
	static const struct bad_case large = { .place = "1:1",
					       .message = "more than 1 MiB",
					       .remedy = "check the path" };
	static const struct bad_case keys = { .place = "1:1",
					      .message = "a mapping of 100000 keys",
					      .remedy = "use at most 1000" };
	size_t len = MIB + 1;
	autofree char *comment = xzalloc(len);
	struct strbuf text = { 0 };

	memset(comment, '#', len);
	must_refuse(load_experiment, comment, len, &large);
	must_refuse(load_host, comment, len, &large);
	for (int i = 0; i < 100000; i++)
		strbuf_addf(&text, "%d: \n", i);
	must_refuse(load_experiment, text.data, text.len, &keys);
	free(text.data);
}

static void test_too_many_variants(void **state)
{
	static const struct bad_case product = { .place = "4:564",
						 .message = "jobs: more than 10000 variants",
						 .remedy = "shorten the lists" };
	static const struct bad_case list = { .place = "4:19",
					      .message = "iodepth: more than 10000 variants",
					      .remedy = "split the experiment" };
	struct strbuf text = { 0 };

	strbuf_addf(&text, "modes: [static]\ndevices: [nvme]\nworkloads:\n- fio: { iodepth: [1");
	for (int i = 2; i < 11000; i++)
		strbuf_addf(&text, ",%d", i);
	strbuf_addf(&text, "] }\n");
	must_refuse(load_experiment, text.data, text.len, &list);
	text.len = 0;
	strbuf_addf(&text, "modes: [static]\ndevices: [nvme]\nworkloads:\n"
			   "- fio: { iodepth: [1");
	for (int i = 2; i <= 161; i++)
		strbuf_addf(&text, ",%d", i);
	strbuf_addf(&text, "], jobs: [1");
	for (int i = 2; i <= 64; i++)
		strbuf_addf(&text, ",%d", i);
	strbuf_addf(&text, "] }\n");
	must_refuse(load_experiment, text.data, text.len, &product);
	free(text.data);
}

/* What a file says must not reach the terminal as it is, nor fill it. */
static void test_messages_are_safe(void **state)
{
	static const char escape[] = "modes: [\"\\e[2J\\n\\x9b\"]\n";
	static const struct bad_case bad = { .place = "1:9",
					     .message = "no mode '?[2J??"
							"?'",
					     .remedy = "use one of native-identity" };
	struct strbuf text = { 0 };
	autofree char *path = NULL;
	autofree char *log = NULL;

	must_refuse(load_experiment, escape, sizeof(escape) - 1, &bad);
	strbuf_addf(&text, "modes: [%0500000d]\n", 0);
	path = capture_file("long.yaml", text.data, text.len);
	free(text.data);
	capture_begin();
	assert_int_equal(load_experiment(path), -EINVAL);
	log = capture_end();
	assert_one_line(log);
	assert_true(strlen(log) < 400);
}

/* The files that come with the suite. Tests run at the top of the tree. */
static void test_shipped_files(void **state)
{
	struct experiment *exp = NULL;
	size_t experiments = 0;
	glob_t files;

	if (!file_exists("configs/quick.yaml"))
		skip();
	assert_int_equal(glob("configs/*.yaml", 0, NULL, &files), 0);
	for (size_t i = 0; i < files.gl_pathc; i++) {
		if (strstr(files.gl_pathv[i], "host-") || series_is_file(files.gl_pathv[i]))
			continue;
		assert_int_equal(experiment_load(files.gl_pathv[i], &exp), 0);
		assert_true(*exp->name);
		experiment_free(exp);
		experiments++;
	}
	globfree(&files);
	assert_true(experiments >= 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_all_keys),
		cmocka_unit_test(test_variants),
		cmocka_unit_test(test_same_name_twice),
		cmocka_unit_test(test_list_of_one),
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_bad_experiments),
		cmocka_unit_test(test_name_from_file),
		cmocka_unit_test(test_unreadable),
		cmocka_unit_test(test_not_text),
		cmocka_unit_test(test_deep),
		cmocka_unit_test(test_alias_bombs),
		cmocka_unit_test(test_too_large),
		cmocka_unit_test(test_too_many_variants),
		cmocka_unit_test(test_messages_are_safe),
		cmocka_unit_test(test_shipped_files),
	};

	return cmocka_run_group_tests_name("config", tests, capture_setup, capture_teardown);
}
