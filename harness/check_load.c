// SPDX-License-Identifier: GPL-2.0-only
/* Preflight: what else runs on this host. */
#include <dirent.h>
#include <string.h>

#include "harness/check_list.h"
#include "harness/config.h"
#include "harness/pci.h"
#include "harness/util.h"

/* Tasks that waited for a resource so much of the last ten seconds are noise. */
#define PRESSURE_PERCENT 10

static bool starts_with(const char *text, const char *prefix)
{
	return prefix && !strncmp(text, prefix, strlen(prefix));
}

/* " 12 345": the processes whose name starts so, or (NULL: none) so; to free. */
static char *pids_of(const char *prefix, const char * or)
{
	DIR *dir = opendir(procfs_root);
	char *pids = xstrdup("");
	struct dirent *entry;

	while (dir && (entry = readdir(dir)) != NULL) {
		autofree char *name = xasprintf("%s/comm", entry->d_name), *old = NULL;
		autofree char *comm = NULL;

		if (strspn(entry->d_name, "0123456789") != strlen(entry->d_name))
			continue;
		comm = check_read(procfs_root, name);
		if (!comm || !(starts_with(comm, prefix) || starts_with(comm, or)))
			continue;
		old = pids;
		pids = xasprintf("%s %s", old, entry->d_name);
	}
	if (dir)
		closedir(dir);
	return pids;
}

void check_leftover(const struct check_args *args)
{
	autofree char *pids = pids_of("qemu-system", "qemu-kvm");

	if (*pids)
		check_warn(args, xasprintf("QEMU is running: process%s", pids),
			   xasprintf("if it is not needed: kill%s", pids));
	else
		check_ok(args, xstrdup("no QEMU is running"));
}

/* It would send the interrupts elsewhere again, in the middle of a measurement. */
void check_irqbalance(const struct check_args *args)
{
	autofree char *pids = pids_of("irqbalance", NULL);

	if (!*pids)
		check_ok(args, xstrdup("nothing moves interrupts"));
	else if (args->host && args->host->placement)
		check_warn(args, xasprintf("irqbalance moves interrupts: process%s", pids),
			   xstrdup("systemctl stop irqbalance"));
	else
		check_ok(args, xstrdup("irqbalance moves interrupts, which placement: off allows"));
}

void check_load(const struct check_args *args)
{
	autofree char *text = check_read(procfs_root, "loadavg");
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	double load = text ? strtod(text, NULL) : 0;

	if (load > (double)cores)
		check_warn(args, xasprintf("load average %.1f on %ld cores: noise", load, cores),
			   xstrdup("wait until the machine is idle"));
	else
		check_ok(args, xasprintf("load average %.2f on %ld cores", load, cores));
}

/* Per cent of the last ten seconds in which some task waited; negative: not known. */
static double pressure(const char *resource)
{
	static const char field[] = "some avg10=";
	autofree char *name = xasprintf("pressure/%s", resource);
	autofree char *text = check_read(procfs_root, name);
	const char *value = text ? strstr(text, field) : NULL;

	return value ? strtod(value + strlen(field), NULL) : -1;
}

void check_pressure(const struct check_args *args)
{
	static const char *const resources[] = { "cpu", "memory", "io" };
	const char *worst = NULL;
	double most = -1;

	for (size_t i = 0; i < ARRAY_SIZE(resources); i++) {
		double percent = pressure(resources[i]);

		if (percent <= most)
			continue;
		most = percent;
		worst = resources[i];
	}
	if (!worst)
		check_ok(args, xstrdup("the host's kernel does not tell (PSI)"));
	else if (most > PRESSURE_PERCENT)
		check_warn(args,
			   xasprintf("%.0f %% of the last 10 s, tasks waited for %s: noise", most,
				     worst),
			   xstrdup("wait until the machine is idle; top shows who runs"));
	else
		check_ok(args, xasprintf("at most %.1f %% waiting (%s)", most, worst));
}
