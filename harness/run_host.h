/* SPDX-License-Identifier: GPL-2.0-only */
/* Running an experiment on this very host. */
#ifndef HARNESS_RUN_HOST_H
#define HARNESS_RUN_HOST_H

#include "harness/config.h"
#include "harness/plan.h"
#include "harness/run.h"

/* Notes for each cell why it cannot run here, if so. */
void run_probe_cells(struct plan *plan, const struct host *host, const struct guest_config *guest);

/* Expected seconds of a boot with its workloads. */
double run_estimate_s(const struct experiment *exp, const struct plan *plan,
		      const struct host *host, const struct plan_boot *boot);

/* Prints cells, command lines, placement, host writes and the estimated time. An exit code. */
int run_host_dry(const struct run_options *options, const struct experiment *exp, struct plan *plan,
		 const struct host *host);

/*
 * Runs the plan; results go to dir, which exists. Everything that changed on the host is undone
 * before it returns. An exit code.
 */
int run_host(const struct run_options *options, const struct experiment *exp, struct plan *plan,
	     struct host *host, const char *dir);

#endif
