// SPDX-License-Identifier: GPL-2.0-only
/* The preflight of a run on this host. */
#include "harness/preflight.h"

#include <errno.h>

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

int preflight(const struct host *host, const struct experiment *exp, const char *dir,
	      json_t **found)
{
	struct check_report report;
	bool failed;

	check_host(host, &exp->guest, dir, &report);
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

	check_host(host, &exp->guest, dir, &report);
	json_decref(*found);
	*found = check_json(&report);
	check_free(&report);
}
