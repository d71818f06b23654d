/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * `run CONFIG --ab OTHER`: two experiments against each other, boot by boot in turns, in one
 * session. What they differ in (mode, settings, guest, another build of QEMU, kernel or driver) is
 * what is tested. The results are two complete runs, DIR/a and DIR/b, and DIR/ab.json:
 *
 *   { "schema": 1, "session": "NAME TIME", "looks": [6, 13, 20], "order": "alternate", "seed": 1,
 *     "only": null, "reached": { "a": { CELL: LOOK }, "b": { ... } },
 *     "status": "running" | "complete" | "partial", "stopped": why there were no more boots }
 */
#ifndef HARNESS_AB_H
#define HARNESS_AB_H

#include <jansson.h>
#include <stdbool.h>

#include "harness/config.h"
#include "harness/plan.h"
#include "harness/run.h"
#include "harness/turns.h"

#define AB_MAX_BOOTS 20
#define AB_TIME_LIMIT_S 7200.0

struct ab_side {
	char *dir;
	struct experiment *exp;
	struct plan *plan;
};

struct ab {
	char *dir;
	struct ab_side sides[NR_SIDES];
	struct turns turns;
	json_t *state; /* ab.json */
};

/* Is that the folder of such a session? */
bool ab_is_session(const char *dir);

/* Writes ab.json. 0 or -errno with a logged reason. */
int ab_save(const struct ab *ab);

/*
 * Runs the session on this very host: boots by turns up to the first look, then more of them for
 * what is inconclusive, until nothing is, or the last look or options->deadline_s has come. ab.json
 * says which. An exit code, without the verdict.
 */
int ab_run_here(struct ab *ab, const struct run_options *options, const struct host *host);

/*
 * A whole session but for its verdict: a new one, named NAME-KIND-TIME unless options say
 * otherwise, or one that goes on; here or in the lab. *dir is where it is, to free; NULL if there
 * is nothing to judge: a dry run, a mistake, or a part of a session whose end is elsewhere. An exit
 * code.
 */
int ab_measure(const struct run_options *options, const char *kind, char **dir);

/* The command: a session, its reports, the table of compare and the exit code of it. */
int ab_command(const struct run_options *options);

#endif
