/* SPDX-License-Identifier: GPL-2.0-only */
/* Inside of running: boot after boot, of one run or of two that take turns (run --ab). */
#ifndef HARNESS_RUN_BOOT_H
#define HARNESS_RUN_BOOT_H

#include "harness/config.h"
#include "harness/manifest.h"
#include "harness/placing.h"
#include "harness/plan.h"
#include "harness/progress.h"
#include "harness/run.h"

struct journal;

/* What runs that take turns on this host have in common. */
struct host_session {
	const struct host *host;
	struct journal *journal;
	struct progress progress;
	unsigned int sequence; /* of the next boot, whichever run it is of */
};

struct host_run {
	/* To be set. */
	struct host_session *session;
	const struct run_options *options;
	const struct experiment *exp;
	struct plan *plan;
	const char *dir;   /* exists */
	const char *label; /* stands before what progress says */
	bool resume;	   /* dir has a manifest */
	/* Made by host_run_open(). */
	char *samples_path;
	struct placements placements;
	struct manifest manifest;
	json_t *preflight; /* made by host_run_preflight(): what was found of the host */
};

/* May the run be tried here? 0, or -ENOTSUP with all reasons logged. */
int host_run_preflight(struct host_run *run);
/* Opens the journal and makes the settings of the host file. 0 or -errno, logged. */
int host_session_open(struct host_session *session);

/*
 * Begins or goes on: probes the cells, places, writes or reads the manifest. 0 or -errno,
 * logged; host_run_close() is to be called in any case.
 */
int host_run_open(struct host_run *run);
/*
 * Ends it with what ended its boots (0: all were lived) in the manifest, and frees. An exit code.
 */
int host_run_close(struct host_run *run, int ret);

/* Does this boot, which is no warm-up, still have something to serve? */
bool run_boot_due(const struct host_run *run, const struct plan_boot *boot);
double run_boot_estimate_s(const struct host_run *run, const struct plan_boot *boot);
/* Lives it and records it. 0, also if it failed; -EINTR; or -errno, logged: no disk to write on. */
int run_boot(struct host_run *run, const struct plan_boot *boot);
/* Brings up the VM of that boot, as often as the experiment says, and throws that away. As above.
 */
int run_warmups(struct host_run *run, const struct plan_boot *boot);

#endif
