// SPDX-License-Identifier: GPL-2.0-only
/* Preflight: the list of checks, and what came of them. */
#include "harness/check.h"

#include <string.h>

#include "harness/check_list.h"
#include "harness/config.h"
#include "harness/pci.h"
#include "harness/util.h"

static const struct {
	const char *name;
	void (*look)(const struct check_args *args);
} checks[] = {
	{ "root", check_root },
	{ "kvm", check_kvm },
	{ "iommu", check_iommu },
	{ "domain", check_domain },
	{ "remapping", check_remapping },
	{ "vfio", check_vfio },
	{ "mappings", check_mappings },
	{ "device", check_devices },
	{ "peer", check_peers },
	{ "link", check_links },
	{ "placement", check_placement },
	{ "memory", check_memory },
	{ "memlock", check_memlock },
	{ "disk", check_disk },
	{ "qemu", check_qemu },
	{ "tracefs", check_tracefs },
	{ "hugepages", check_hugepages },
	{ "governor", check_governor },
	{ "turbo", check_turbo },
	{ "idle", check_idle },
	{ "smt", check_smt },
	{ "numa", check_numa },
	{ "thp", check_thp },
	{ "ksm", check_ksm },
	{ "swap", check_swap },
	{ "leftover", check_leftover },
	{ "irq", check_irqbalance },
	{ "load", check_load },
	{ "pressure", check_pressure },
};

/* --- what checks share --- */

static void add(const struct check_args *args, enum check_status status, char *found, char *remedy)
{
	struct check_report *report = args->report;
	struct check_item *item;

	report->items = xrealloc(report->items, (report->nr + 1) * sizeof(*report->items));
	item = &report->items[report->nr++];
	item->name = args->name;
	item->status = status;
	item->found = found;
	item->remedy = remedy;
}

void check_ok(const struct check_args *args, char *found)
{
	add(args, CHECK_OK, found, NULL);
}

void check_warn(const struct check_args *args, char *found, char *remedy)
{
	add(args, CHECK_WARN, found, remedy);
}

void check_fail(const struct check_args *args, char *found, char *remedy)
{
	add(args, CHECK_FAIL, found, remedy);
}

void check_tunable(const struct check_args *args, const char *setting, const char *value,
		   char *found, const char *by_hand)
{
	const char *wanted = args->host ? tuning_wanted(args->host, setting) : NULL;
	autofree char *now = found;

	if (wanted)
		check_ok(args, xasprintf("%s (runs set it: %s)", now, wanted));
	else
		check_warn(args, xstrdup(now),
			   xasprintf("settings: { %s: %s } in the host file, or %s", setting, value,
				     by_hand));
}

bool check_exists(const char *root, const char *name)
{
	autofree char *path = xasprintf("%s/%s", root, name);

	return file_exists(path);
}

char *check_read(const char *root, const char *name)
{
	autofree char *path = xasprintf("%s/%s", root, name);

	return file_read_trimmed(path);
}

unsigned long long check_meminfo(const char *field)
{
	autofree char *text = check_read(procfs_root, "meminfo");
	autofree char *key = xasprintf("%s:", field);
	char *save = NULL;

	for (char *line = text ? strtok_r(text, "\n", &save) : NULL; line;
	     line = strtok_r(NULL, "\n", &save))
		if (!strncmp(line, key, strlen(key)))
			return strtoull(line + strlen(key), NULL, 10) * KIB;
	return 0;
}

/* --- the report --- */

void check_host(const struct host *host, const struct guest_config *guest, const char *out_dir,
		struct check_report *report)
{
	struct check_args args = { .host = host,
				   .guest = guest,
				   .guest_bytes = guest ? guest->memory_bytes : 0,
				   .out_dir = out_dir,
				   .report = report };

	*report = (struct check_report){ 0 };
	for (size_t i = 0; i < ARRAY_SIZE(checks); i++) {
		args.name = checks[i].name;
		checks[i].look(&args);
	}
}

bool check_failed(const struct check_report *report)
{
	for (size_t i = 0; i < report->nr; i++)
		if (report->items[i].status == CHECK_FAIL)
			return true;
	return false;
}

void check_print(const struct check_report *report)
{
	static const char *const words[] = { "ok", "warn", "FAIL" };
	static const char *const colours[] = { "\033[32m", "\033[33m", "\033[31m" };
	bool colour = isatty(STDOUT_FILENO);

	for (size_t i = 0; i < report->nr; i++) {
		const struct check_item *item = &report->items[i];

		printf("%s%-4s%s  %-9s  %s\n", colour ? colours[item->status] : "",
		       words[item->status], colour ? "\033[0m" : "", item->name, item->found);
		if (item->remedy)
			printf("%17s-> %s\n", "", item->remedy);
	}
}

json_t *check_json(const struct check_report *report)
{
	static const char *const words[] = { "ok", "warn", "fail" };
	json_t *items = json_array();

	for (size_t i = 0; i < report->nr; i++) {
		const struct check_item *item = &report->items[i];

		json_array_append_new(items, json_pack("{s:s, s:s, s:s, s:s?}", "name", item->name,
						       "status", words[item->status], "found",
						       item->found, "remedy", item->remedy));
	}
	return json_pack("{s:b, s:o}", "ok", !check_failed(report), "items", items);
}

void check_free(struct check_report *report)
{
	for (size_t i = 0; i < report->nr; i++) {
		free(report->items[i].found);
		free(report->items[i].remedy);
	}
	free(report->items);
	*report = (struct check_report){ 0 };
}
