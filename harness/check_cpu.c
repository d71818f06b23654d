// SPDX-License-Identifier: GPL-2.0-only
/* Preflight: what changes the speed of CPUs in the course of a run. */
#include <glob.h>
#include <string.h>

#include "harness/check_list.h"
#include "harness/config.h"
#include "harness/pci.h"
#include "harness/util.h"

#define CPU "devices/system/cpu/"

/* An idle state that takes longer to wake up from shows in latencies. */
#define LONG_WAKE_US 10

/* The files below sysfs that match; to be freed with globfree(). */
static void find(const char *pattern, glob_t *found)
{
	autofree char *path = xasprintf("%s/%s", sysfs_root, pattern);

	if (glob(path, 0, NULL, found)) {
		globfree(found);
		*found = (glob_t){ 0 };
	}
}

void check_governor(const struct check_args *args)
{
	autofree char *other = NULL;
	glob_t found;

	find(CPU "cpufreq/policy*/scaling_governor", &found);
	for (size_t i = 0; i < found.gl_pathc && !other; i++) {
		char *governor = file_read_trimmed(found.gl_pathv[i]);

		if (governor && !strcmp(governor, "performance"))
			free(governor);
		else
			other = governor;
	}
	if (other)
		check_tunable(args, "governor", "performance",
			      xasprintf("%s: the clock follows the load", other),
			      "cpupower frequency-set -g performance");
	else if (found.gl_pathc)
		check_ok(args, xstrdup("performance"));
	else
		check_ok(args, xstrdup("the host's kernel does not scale frequencies"));
	globfree(&found);
}

void check_turbo(const struct check_args *args)
{
	autofree char *no_turbo = check_read(sysfs_root, CPU "intel_pstate/no_turbo");
	autofree char *boost = check_read(sysfs_root, CPU "cpufreq/boost");

	if (!no_turbo && !boost)
		check_ok(args, xstrdup("not to be seen by the kernel"));
	else if (no_turbo ? !strcmp(no_turbo, "0") : !strcmp(boost, "1"))
		check_tunable(args, "turbo", "off",
			      xstrdup("on: the clock depends on temperature and on other cores"),
			      no_turbo ? "echo 1 > /sys/" CPU "intel_pstate/no_turbo"
				       : "echo 0 > /sys/" CPU "cpufreq/boost");
	else
		check_ok(args, xstrdup("off"));
}

static char *read_state(const char *dir, const char *name)
{
	autofree char *path = xasprintf("%s/%s", dir, name);

	return file_read_trimmed(path);
}

/* Of the enabled idle states the one that takes longest to wake up from. */
void check_idle(const struct check_args *args)
{
	autofree char *slowest = NULL;
	double worst_us = 0;
	glob_t found;

	find(CPU "cpu*/cpuidle/state*", &found);
	for (size_t i = 0; i < found.gl_pathc; i++) {
		autofree char *disable = read_state(found.gl_pathv[i], "disable");
		autofree char *latency = read_state(found.gl_pathv[i], "latency");
		double us = latency ? strtod(latency, NULL) : 0;

		if ((disable && strcmp(disable, "0") != 0) || us <= worst_us)
			continue;
		worst_us = us;
		free(slowest);
		slowest = read_state(found.gl_pathv[i], "name");
	}
	if (worst_us > LONG_WAKE_US)
		check_tunable(args, "max_idle_latency", "10us",
			      xasprintf("state %s takes %.0f us to wake up from: it shows in "
					"latencies",
					slowest ? slowest : "?", worst_us),
			      "cpupower idle-set -D 10");
	else if (found.gl_pathc)
		check_ok(args, xasprintf("no state takes longer than %.0f us", worst_us));
	else
		check_ok(args, xstrdup("the host's kernel has no idle states"));
	globfree(&found);
}

/* With a placement, the thread beside a vCPU's stays idle. */
void check_smt(const struct check_args *args)
{
	autofree char *active = check_read(sysfs_root, CPU "smt/active");

	if (!active || strcmp(active, "1") != 0)
		check_ok(args, xstrdup("off, or there is none"));
	else if (args->host && args->host->placement)
		check_ok(args, xstrdup("on; vCPUs get cores of their own"));
	else
		check_tunable(args, "smt", "off",
			      xstrdup("on, and without placement: what runs beside a vCPU on its "
				      "core slows it down"),
			      "placement: auto");
}
