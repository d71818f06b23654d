// SPDX-License-Identifier: GPL-2.0-only
/* The preflight of a run on this host. */
#include "harness/preflight.h"

#include <errno.h>
#include <string.h>

#include "bench/device.h"
#include "harness/check.h"
#include "harness/log.h"
#include "harness/placing.h"
#include "harness/util.h"

static void name_warnings(const struct check_report *report)
{
	struct strbuf sb = { 0 };

	for (size_t i = 0; i < report->nr; i++)
		if (report->items[i].status == CHECK_WARN)
			strbuf_addf(&sb, "%s%s", sb.len ? ", " : "", report->items[i].name);
	if (sb.data)
		log_warn("figures may suffer (%s): 'iommubench check' says why, and the remedy",
			 sb.data);
	free(sb.data);
}

static bool is_used(const struct experiment *exp, const char *kind)
{
	for (size_t i = 0; i < exp->devices.nr; i++) {
		const struct device_ops *ops = exp->devices.items[i].ops;

		if (!strcmp(device_kind(ops), kind))
			return true;
	}
	return false;
}

/* What is wrong with a device that the experiment leaves alone neither stops nor spoils it. */
static void check_used(const struct host *host, const struct experiment *exp, const char *dir,
		       struct check_report *report)
{
	autofree struct host_device *devices = xzalloc((host->nr_devices + 1) * sizeof(*devices));
	struct host used = *host;

	used.devices = devices;
	used.nr_devices = 0;
	for (size_t i = 0; i < host->nr_devices; i++)
		if (is_used(exp, host->devices[i].kind))
			devices[used.nr_devices++] = host->devices[i];
	/* Without any its cells will be skipped, each with the reason. */
	check_host(used.nr_devices ? &used : host, &exp->guest, dir, report);
}

int preflight(const struct host *host, const struct experiment *exp, const char *dir,
	      json_t **found)
{
	struct check_report report;
	bool failed;

	check_used(host, exp, dir, &report);
	failed = check_failed(&report);
	if (failed) {
		log_err("this host cannot run the experiment:");
		check_print(&report);
	} else {
		name_warnings(&report);
	}
	*found = check_json(&report);
	check_free(&report);
	if (!failed && host->vcpu_cpu && !placing_fits(host->vcpu_cpu, exp->guest.cpus)) {
		log_err("vCPUs of their own CPUs: CPUs %u to %u are needed, and not all there: lower "
			"guest.cpus, or vcpu_cpu in the host file",
			host->vcpu_cpu, host->vcpu_cpu + exp->guest.cpus - 1);
		failed = true;
	}
	if (failed) {
		json_decref(*found);
		*found = NULL;
	}
	return failed ? -ENOTSUP : 0;
}

void preflight_again(const struct host *host, const struct experiment *exp, const char *dir,
		     json_t **found)
{
	struct check_report report;

	check_used(host, exp, dir, &report);
	json_decref(*found);
	*found = check_json(&report);
	check_free(&report);
}
