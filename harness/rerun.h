/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Running again what a manifest describes (run --from-manifest). For it each manifest holds
 *   "experiment"  the experiment file's text, and "config", how it was read
 *   "options"     { "only": GLOB or null, "boots": N or 0 } of the command line
 *   "command"     the command line, for a shell
 *   "host_file"   { "path", "text" } of the host description, or null
 * and, of a run that is another one's repetition,
 *   "again"       { "run_id", "started", "differences": [ TEXT... ] } of the one and the
 * environments
 */
#ifndef HARNESS_RERUN_H
#define HARNESS_RERUN_H

#include <jansson.h>
#include <stdbool.h>

#include "harness/run.h"

struct experiment;
struct host;
struct manifest;

/* The copy of the other run's manifest in a run's folder. */
#define RERUN_ORIGINAL "original.json"

struct rerun {
	char *manifest;		  /* its path */
	char *dir;		  /* of the two files below; removed by rerun_free() */
	char *config, *host_file; /* host_file NULL: none was given */
	char *only;
	unsigned int boots;
	bool lab;
};

/*
 * Reads a manifest, or that in a run's folder. 0, or -EINVAL with a logged reason: there is none,
 * it is a part of something, or this version reads its experiment differently. rerun_free() in any
 * case.
 */
int rerun_load(const char *path, struct rerun *rerun);
void rerun_free(struct rerun *rerun);

/* What the command line does not say itself is as it was. 0, or -EINVAL with a logged reason. */
int rerun_apply(const struct rerun *rerun, struct run_options *options);

/* Puts what makes a run repeatable into its manifest, and the kernel's configuration beside it. */
void rerun_describe(const struct run_options *options, const struct experiment *exp,
		    const struct host *host, const char *dir, json_t *manifest);

/*
 * Logs in what the environment differs from that of the run that dir repeats, if it does, and notes
 * it in the manifest.
 */
void rerun_compare(const char *dir, struct manifest *manifest);

/*
 * The same on stdout, before anything is begun, of the run whose manifest is at path. in_lab: env
 * is this machine's, but the run will be in the virtual lab: only what both share is compared.
 */
void rerun_print(const char *path, const json_t *env, bool in_lab);

#endif
