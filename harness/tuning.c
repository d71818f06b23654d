// SPDX-License-Identifier: GPL-2.0-only
/* Settings of the host that a host file asks for while runs last. */
#include "harness/tuning.h"

#include <errno.h>
#include <glob.h>
#include <string.h>

#include "harness/change.h"
#include "harness/config.h"
#include "harness/journal.h"
#include "harness/log.h"
#include "harness/pci.h"
#include "harness/util.h"

static const char *const thp_choices[] = { "always", "madvise", "never", NULL };

/* In the order in which they are made: switching SMT off takes CPUs and their files away. */
const struct setting tuning_table[TUNING_NR + 1] = {
	{ "smt", SETTING_BOOL, "on", .help = "hardware threads beside the first of each core" },
	{ "governor", SETTING_TEXT, "", .help = "of CPU frequency: performance ..." },
	{ "turbo", SETTING_BOOL, "on", .help = "clocks above the nominal one" },
	{ "max_idle_latency", SETTING_TIME, "0",
	  .help = "idle states that take longer to wake up from are switched off" },
	{ "thp", SETTING_CHOICE, "madvise", thp_choices, .help = "transparent huge pages" },
	{ "ksm", SETTING_BOOL, "off", .help = "merging of equal pages" },
	{ "numa_balancing", SETTING_BOOL, "off", .help = "automatic NUMA balancing" },
	{ 0 },
};

/* Where a setting is; of several places the first that is there counts. */
struct target {
	const char *setting;
	const char **root;
	const char *pattern;  /* of files below the root */
	const char *on, *off; /* what is written for a switch; NULL: the value as it is */
};
static const struct target targets[] = {
	{ "smt", &sysfs_root, "devices/system/cpu/smt/control", "on", "off" },
	{ "governor", &sysfs_root, "devices/system/cpu/cpufreq/policy*/scaling_governor", NULL,
	  NULL },
	{ "turbo", &sysfs_root, "devices/system/cpu/intel_pstate/no_turbo", "0", "1" },
	{ "turbo", &sysfs_root, "devices/system/cpu/cpufreq/boost", "1", "0" },
	{ "max_idle_latency", &sysfs_root, "devices/system/cpu/cpu*/cpuidle/state*/disable", "1",
	  "1" },
	{ "thp", &sysfs_root, "kernel/mm/transparent_hugepage/enabled", NULL, NULL },
	{ "ksm", &sysfs_root, "kernel/mm/ksm/run", "1", "0" },
	{ "numa_balancing", &procfs_root, "sys/kernel/numa_balancing", "1", "0" },
};

/* One setting that the host file has, and the files that are to be written for it. */
struct change {
	const struct host *host;
	size_t index; /* in the table */
	const struct target *target;
	const char *value; /* to be written */
	struct strlist paths;
};

__attribute__((format(printf, 3, 4))) static int refuse(const struct change *change, int err,
							const char *fmt, ...)
{
	autofree char *text = NULL;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		text = NULL;
	va_end(ap);
	log_err("%s:%u: %s: %s", change->host->path, change->host->tuning_lines[change->index],
		tuning_table[change->index].name, text ? text : "");
	return err;
}

/* --- which files --- */

static const struct target *find_target(const char *setting, glob_t *found)
{
	for (size_t i = 0; i < ARRAY_SIZE(targets); i++) {
		autofree char *pattern = NULL;

		if (strcmp(targets[i].setting, setting) != 0)
			continue;
		pattern = xasprintf("%s/%s", *targets[i].root, targets[i].pattern);
		if (!glob(pattern, 0, NULL, found))
			return &targets[i];
		globfree(found);
		*found = (glob_t){ 0 };
	}
	return NULL;
}

static char *read_beside(const char *path, const char *name)
{
	const char *slash = strrchr(path, '/');
	autofree char *beside = xasprintf("%.*s/%s", (int)(slash - path), path, name);

	return file_read_trimmed(beside);
}

/* An idle state within the limit is let be. */
static bool state_is_quick(const char *path, double limit_s)
{
	autofree char *latency_us = read_beside(path, "latency");

	return !latency_us || strtod(latency_us, NULL) <= limit_s * 1e6 + 1e-6;
}

/* "notsupported" and the like are off already, and cannot be on. */
static bool smt_is_missing(const char *path)
{
	autofree char *control = file_read_trimmed(path);

	return control && (!strncmp(control, "not", 3) || !strcmp(control, "forceoff"));
}

static bool is_there(const char *path, const char *value)
{
	autofree char *now = attribute_read(path);

	if (now)
		now[strcspn(now, "\n")] = '\0';
	return now && !strcmp(now, value);
}

static int check_governor(const struct change *change, const char *path)
{
	autofree char *list = read_beside(path, "scaling_available_governors");
	autofree char *copy = list ? xstrdup(list) : NULL;
	char *save = NULL;

	for (char *word = copy ? strtok_r(copy, " ", &save) : NULL; word;
	     word = strtok_r(NULL, " ", &save))
		if (!strcmp(word, change->value))
			return 0;
	if (!list)
		return 0; /* the write will tell */
	return refuse(change, -EINVAL, "this host has no governor '%s': use one of %s",
		      change->value, list);
}

static void pick_paths(struct change *change, const glob_t *found)
{
	const char *name = tuning_table[change->index].name;
	double limit_s = change->host->tuning->values[change->index].number;

	for (size_t i = 0; i < found->gl_pathc; i++) {
		const char *path = found->gl_pathv[i];

		if (is_there(path, change->value) ||
		    (!strcmp(name, "max_idle_latency") && state_is_quick(path, limit_s)) ||
		    (!strcmp(name, "smt") && smt_is_missing(path)))
			continue;
		strlist_add(&change->paths, path);
	}
}

/* What is to be written for one setting. */
static int plan(struct change *change)
{
	const struct setting *setting = &tuning_table[change->index];
	const struct setting_value *wanted = &change->host->tuning->values[change->index];
	bool on = setting->type != SETTING_BOOL || wanted->number > 0;
	glob_t found = { 0 };
	int ret = 0;

	change->target = find_target(setting->name, &found);
	if (!change->target)
		return refuse(change, -ENOENT,
			      "this host has no such setting (%s): remove the line", setting->help);
	change->value = !change->target->on ? wanted->text
			: on		    ? change->target->on
					    : change->target->off;
	if (!strcmp(setting->name, "governor"))
		ret = check_governor(change, found.gl_pathv[0]);
	else if (!strcmp(setting->name, "smt") && on && smt_is_missing(found.gl_pathv[0]))
		ret = refuse(change, -ENOENT,
			     "it cannot be switched on here: enable it in the firmware, or remove "
			     "the line");
	if (!ret)
		pick_paths(change, &found);
	globfree(&found);
	return ret;
}

/* --- making them --- */

static int make(const struct change *change, struct journal *journal)
{
	int ret = 0;

	for (size_t i = 0; i < change->paths.nr && !ret; i++) {
		ret = journal_write(journal, change->paths.items[i], change->value);
		if (ret)
			refuse(change, ret, "the kernel refuses it: remove the line");
	}
	return ret;
}

static void say(const struct change *change, FILE *out)
{
	if (change->paths.nr == 1)
		fprintf(out, "host write: %s to %s, for %s; undone at the end\n", change->value,
			change->paths.items[0], tuning_table[change->index].name);
	else if (change->paths.nr)
		fprintf(out, "host write: %s to %zu files %s/%s, for %s; undone at the end\n",
			change->value, change->paths.nr, *change->target->root,
			change->target->pattern, tuning_table[change->index].name);
}

static int each(const struct host *host, struct journal *journal, FILE *out)
{
	int ret = 0;

	for (size_t i = 0; host->tuning && i < TUNING_NR && !ret; i++) {
		struct change change = { .host = host, .index = i };

		if (!host->tuning->values[i].given)
			continue;
		ret = plan(&change);
		if (!ret && journal)
			ret = make(&change, journal);
		else if (!ret)
			say(&change, out);
		strlist_free(&change.paths);
	}
	return ret;
}

int tuning_apply(const struct host *host, struct journal *journal)
{
	return each(host, journal, NULL);
}

int tuning_print(const struct host *host, FILE *out)
{
	return each(host, NULL, out);
}

/* --- asking for them --- */

const char *tuning_wanted(const struct host *host, const char *setting)
{
	for (size_t i = 0; host && host->tuning && i < TUNING_NR; i++)
		if (!strcmp(tuning_table[i].name, setting) && host->tuning->values[i].given)
			return host->tuning->values[i].text;
	return NULL;
}

json_t *tuning_json(const struct host *host)
{
	json_t *json = json_object();

	for (size_t i = 0; i < TUNING_NR; i++) {
		const char *wanted = tuning_wanted(host, tuning_table[i].name);

		if (wanted)
			json_object_set_new(json, tuning_table[i].name, json_string(wanted));
	}
	return json;
}
