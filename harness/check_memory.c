// SPDX-License-Identifier: GPL-2.0-only
/* Preflight: memory, and what moves or merges it behind a run's back. */
#include <string.h>

#include "harness/check_list.h"
#include "harness/pci.h"
#include "harness/util.h"

#define NODES "devices/system/node"

void check_memory(const struct check_args *args)
{
	unsigned long long available = check_meminfo("MemAvailable");
	unsigned long long needed = args->guest_bytes + CHECK_SPARE_MEMORY;

	if (!args->guest_bytes)
		return;
	if (available >= needed)
		check_ok(args, xasprintf("%s available", human_bytes((double)available)));
	else
		check_fail(args,
			   xasprintf("%s available, %s needed", human_bytes((double)available),
				     human_bytes((double)needed)),
			   xstrdup("end other programs, or lower the experiment's guest memory"));
}

static unsigned long read_pages(const char *node, const char *size, const char *which)
{
	autofree char *name = xasprintf(NODES "/%s/hugepages/%s/%s_hugepages", node, size, which);
	autofree char *text = check_read(sysfs_root, name);

	return text ? strtoul(text, NULL, 10) : 0;
}

/* Adds a node's pages to the text, of each size that has any; true: it has some that are free. */
static bool add_node(struct strbuf *sb, const char *node)
{
	autofree char *path = xasprintf("%s/" NODES "/%s/hugepages", sysfs_root, node);
	autolist struct strlist sizes = { 0 };
	bool any = false;

	dir_names(path, &sizes);
	for (size_t i = 0; i < sizes.nr; i++) {
		unsigned long nr = read_pages(node, sizes.items[i], "nr");
		unsigned long unused = read_pages(node, sizes.items[i], "free");
		const char *kib = strchr(sizes.items[i], '-');

		if (!nr)
			continue;
		any |= unused > 0;
		strbuf_addf(sb, "%s%s: %lu of %lu free (%s)", sb->len ? ", " : "", node, unused, nr,
			    human_bytes(strtod(kib ? kib + 1 : "0", NULL) * KIB));
	}
	return any;
}

/* They are nobody else's memory, and of use only where the guest's vCPUs are. */
void check_hugepages(const struct check_args *args)
{
	autofree char *path = xasprintf("%s/" NODES, sysfs_root);
	autolist struct strlist nodes = { 0 };
	struct strbuf sb = { 0 };
	autofree char *text = NULL;
	size_t nr = 0, with = 0;

	dir_names(path, &nodes);
	for (size_t i = 0; i < nodes.nr; i++) {
		const char *node = nodes.items[i];

		if (strncmp(node, "node", 4) != 0 || !strspn(node + 4, "0123456789"))
			continue;
		nr++;
		with += add_node(&sb, node);
	}
	text = sb.data;
	if (!text)
		check_ok(args, xstrdup("none are reserved"));
	else if (with && with < nr)
		check_warn(args, xasprintf("%s: not every node has some", text),
			   xasprintf("reserve them where the device is: echo N > %s/" NODES
				     "/nodeN/hugepages/hugepages-2048kB/nr_hugepages",
				     sysfs_root));
	else
		check_ok(args, xstrdup(text));
}

void check_numa(const struct check_args *args)
{
	autofree char *balancing = check_read(procfs_root, "sys/kernel/numa_balancing");

	if (balancing && strcmp(balancing, "0") != 0)
		check_tunable(args, "numa_balancing", "off",
			      xstrdup("automatic NUMA balancing is on: noise"),
			      "sysctl kernel.numa_balancing=0");
	else
		check_ok(args, xstrdup("no automatic balancing"));
}

void check_thp(const struct check_args *args)
{
	autofree char *enabled = check_read(sysfs_root, "kernel/mm/transparent_hugepage/enabled");
	char *chosen = enabled ? strchr(enabled, '[') : NULL;

	if (!chosen) {
		check_ok(args, xstrdup("this kernel has no transparent huge pages"));
		return;
	}
	chosen++;
	chosen[strcspn(chosen, "]")] = '\0';
	if (!strcmp(chosen, "always"))
		check_tunable(args, "thp", "madvise",
			      xstrdup("transparent huge pages: always: khugepaged moves memory "
				      "while runs are measured"),
			      "echo madvise > /sys/kernel/mm/transparent_hugepage/enabled");
	else
		check_ok(args, xasprintf("transparent huge pages: %s", chosen));
}

void check_ksm(const struct check_args *args)
{
	autofree char *run = check_read(sysfs_root, "kernel/mm/ksm/run");

	if (run && !strcmp(run, "1"))
		check_tunable(args, "ksm", "off",
			      xstrdup("equal pages are looked for and merged: noise"),
			      "echo 0 > /sys/kernel/mm/ksm/run");
	else
		check_ok(args, xstrdup(run ? "off" : "this kernel has none"));
}

void check_swap(const struct check_args *args)
{
	unsigned long long total = check_meminfo("SwapTotal"), unused = check_meminfo("SwapFree");

	if (total > unused)
		check_warn(args,
			   xasprintf("%s are swapped out: noise",
				     human_bytes((double)(total - unused))),
			   xstrdup("swapoff -a, if memory allows"));
	else if (total)
		check_ok(args, xasprintf("%s, unused", human_bytes((double)total)));
	else
		check_ok(args, xstrdup("none"));
}
