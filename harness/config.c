// SPDX-License-Identifier: GPL-2.0-only
/* An experiment file, read and checked completely. */
#include "harness/config.h"

#include <errno.h>
#include <string.h>

#include "harness/choices.h"
#include "harness/log.h"
#include "harness/util.h"
#include "harness/yaml.h"

#define NAME_MAX_LEN 100

static const struct setting experiment_settings[] = {
	{ "name", SETTING_TEXT, "", .help = "name of the runs; default: the file's" },
	{ "boots", SETTING_COUNT, "3", .min = 1, .max = 1000, .help = "measured boots a cell" },
	{ "warmup", SETTING_COUNT, "1", .min = 0, .max = 10, .help = "boots thrown away first" },
	{ "share_vm", SETTING_BOOL, "no", .help = "one VM life for all workloads" },
	{ "order", SETTING_CHOICE, "alternate", order_names, .help = "of the boots" },
	{ "seed", SETTING_COUNT, "1", .min = 0, .max = 1e15, .help = "of a random order" },
	{ 0 },
};
static const struct setting guest_settings[] = {
	{ "memory", SETTING_SIZE, "1GiB", .min = 128 * MIB, .max = 16384 * GIB, .help = "RAM" },
	{ "cpus", SETTING_COUNT, "1", .min = 1, .max = 64, .help = "virtual CPUs" },
	{ 0 },
};

static int check_guest(const struct yaml_node *map, struct settings *s)
{
	static const char *const keys[] = { "memory", "cpus", GUEST_FILE_KEYS };
	const struct yaml_node *memory = yaml_get(map, "memory");
	uint64_t bytes;
	int ret;

	ret = yaml_expect(map, YAML_MAP, "guest", "'guest: { memory: 1GiB, cpus: 1 }'");
	if (!ret)
		ret = yaml_check_keys(map, "guest", keys, ARRAY_SIZE(keys));
	if (!ret)
		ret = yaml_read_settings(map, s);
	bytes = settings_size(s, "memory");
	if (!ret && memory && bytes % (2 * MIB))
		ret = yaml_error(memory,
				 "memory: '%.40s' is no multiple of 2MiB, the size of a huge page: "
				 "use %lluMiB",
				 memory->text, (bytes / (2 * MIB) + 1) * 2);
	return ret;
}

static int read_guest(const struct yaml_node *root, struct guest_config *guest)
{
	const struct yaml_node *map = yaml_get(root, "guest");
	struct settings *s = settings_new(guest_settings);
	int ret = map ? check_guest(map, s) : 0;

	if (!ret)
		ret = guest_files_read(map, &guest->files);
	guest->memory_bytes = settings_size(s, "memory");
	guest->cpus = (unsigned int)settings_count(s, "cpus");
	settings_free(s);
	return ret;
}

/* The file's name without folder and .yaml. */
static char *default_name(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *name = xstrdup(slash ? slash + 1 : path);
	char *dot = strrchr(name, '.');

	if (dot && (!strcmp(dot, ".yaml") || !strcmp(dot, ".yml")))
		*dot = '\0';
	return name;
}

static bool name_valid(const char *name)
{
	size_t len = strspn(name, SAFE_CHARS);

	return len && !name[len] && len <= NAME_MAX_LEN && *name != '.' && *name != '-';
}

static int read_name(const struct yaml_node *root, const struct settings *s, struct experiment *exp)
{
	const struct yaml_node *node = yaml_get(root, "name");

	exp->name = node ? xstrdup(settings_text(s, "name")) : default_name(exp->path);
	if (name_valid(exp->name))
		return 0;
	return yaml_error(node ? node : root,
			  "%s '%.40s' cannot be used in paths: %s of letters, digits and '._-', a "
			  "letter or digit first, at most %d",
			  node ? "name" : "the file's name", exp->name,
			  node ? "make it one" : "add a line 'name: NAME'", NAME_MAX_LEN);
}

static enum boot_order order_of(const char *name)
{
	unsigned int order = 0;

	while (strcmp(order_names[order], name) != 0) /* the settings have checked that it is one */
		order++;
	return (enum boot_order)order;
}

static int read_scalars(const struct yaml_node *root, struct experiment *exp)
{
	struct settings *s = settings_new(experiment_settings);
	int ret = yaml_read_settings(root, s);

	if (!ret)
		ret = read_name(root, s, exp);
	exp->boots = (unsigned int)settings_count(s, "boots");
	exp->warmup = (unsigned int)settings_count(s, "warmup");
	exp->share_vm = settings_bool(s, "share_vm");
	exp->order = order_of(settings_text(s, "order"));
	exp->seed = settings_count(s, "seed");
	settings_free(s);
	return ret;
}

static int experiment_read(const struct yaml_node *root, struct experiment *exp)
{
	static const char *const keys[] = { "name",  "guest", "boots", "warmup",  "share_vm",
					    "order", "seed",  "modes", "devices", "workloads" };
	int ret;

	ret = yaml_expect(root, YAML_MAP, "an experiment", "'key: value' lines");
	if (!ret)
		ret = yaml_check_keys(root, "an experiment", keys, ARRAY_SIZE(keys));
	if (!ret)
		ret = read_scalars(root, exp);
	if (!ret)
		ret = read_guest(root, &exp->guest);
	if (!ret)
		ret = choices_load(&choice_modes, root, &exp->modes);
	if (!ret)
		ret = choices_load(&choice_devices, root, &exp->devices);
	if (!ret)
		ret = choices_load(&choice_workloads, root, &exp->workloads);
	return ret;
}

int experiment_load(const char *path, struct experiment **out)
{
	struct experiment *exp;
	struct yaml_node *root;
	int ret;

	*out = NULL;
	ret = yaml_load(path, &root);
	if (ret)
		return ret;
	if (!root) {
		log_err("%s:1:1: the file is empty: an experiment needs modes, devices and "
			"workloads",
			path);
		return -EINVAL;
	}
	exp = xzalloc(sizeof(*exp));
	exp->path = xstrdup(path);
	ret = experiment_read(root, exp);
	yaml_unload(root);
	if (ret)
		experiment_free(exp);
	else
		*out = exp;
	return ret;
}

void experiment_free(struct experiment *exp)
{
	if (!exp)
		return;
	choices_free(&exp->modes);
	choices_free(&exp->devices);
	choices_free(&exp->workloads);
	guest_files_free(&exp->guest.files);
	free(exp->path);
	free(exp->name);
	free(exp);
}

json_t *experiment_json(const struct experiment *exp)
{
	json_t *guest = guest_files_json(&exp->guest.files);

	json_object_set_new(guest, "memory_bytes",
			    json_integer((json_int_t)exp->guest.memory_bytes));
	json_object_set_new(guest, "cpus", json_integer((json_int_t)exp->guest.cpus));
	return json_pack("{s:s, s:o, s:i, s:i, s:b, s:s, s:I, s:o, s:o, s:o}", "name", exp->name,
			 "guest", guest, "boots", (int)exp->boots, "warmup", (int)exp->warmup,
			 "share_vm", (int)exp->share_vm, "order", order_names[exp->order], "seed",
			 (json_int_t)exp->seed, "modes", choices_json(&choice_modes, &exp->modes),
			 "devices", choices_json(&choice_devices, &exp->devices), "workloads",
			 choices_json(&choice_workloads, &exp->workloads));
}
