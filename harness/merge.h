/* SPDX-License-Identifier: GPL-2.0-only */
/* `iommubench merge`: the shards of a run (shard.h) joined to one that is like any other. */
#ifndef HARNESS_MERGE_H
#define HARNESS_MERGE_H

#include <jansson.h>
#include <stddef.h>

#include "harness/util.h"

struct merge_options {
	const char *out; /* folder to be made; an empty one may be there */
	char *const *shards;
	size_t nr_shards;
};

/*
 * Writes the merged run: samples.csv, cells/, experiment.yaml, and a manifest with "shards" (k,
 * status: complete, partial, running or missing; times and environment of each) and, in each
 * cell, "shard". The environment of the whole is what all have in common; its fingerprint is
 * theirs, or one of the combination if the hosts are of several kinds. Cells of a missing shard
 * are skipped, with that reason. `out` appears when all of it is written.
 *
 * Returns EXIT_OK; EXIT_CELLS if a shard is missing or not complete, or a cell failed or is
 * invalid; EXIT_USAGE, logged and with nothing written, if these are not shards of one run: other
 * run id, configuration, revision, schema or split, a shard twice, a manifest or samples that
 * contradict themselves.
 */
int merge_command(const struct merge_options *options);

/* The command line, and the report of what was merged. An exit code. */
int merge_main(int argc, char **argv, const char *scripts_dir);

/* --- inside of merge --- */

struct merge_shard {
	const char *dir;
	json_t *manifest;	    /* NULL: missing */
	const json_t *cells, *plan; /* its own, and those of the whole */
};

struct merge {
	const struct merge_options *options;
	struct merge_shard *shards; /* by number, from 0 */
	unsigned int nr;
	const struct merge_shard *first; /* of those that are there */
};

/* Reads and checks all shards. 0 or -EINVAL, logged. merge_free() in any case. merge_read.c */
int merge_read(struct merge *merge);
void merge_free(struct merge *merge);
/* The text of a shard's manifest, or "". */
const char *merge_text(const struct merge_shard *shard, const char *key);

/* The manifest of the whole. New reference. merge_manifest.c */
json_t *merge_manifest(const struct merge *merge);

#endif
