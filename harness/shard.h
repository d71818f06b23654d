/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One run split over several hosts. Cells of the same device and workload (with the same settings
 * of both) are a group: what modes are compared on. A group is never split, so that no figure of
 * one host is divided by one of another. The split follows from the experiment, `--only` and the
 * number of shards alone, never from the host, so that all hosts agree on it without talking.
 */
#ifndef HARNESS_SHARD_H
#define HARNESS_SHARD_H

#include <stdbool.h>

#include "harness/plan.h"

#define SHARDS_MAX 1000

/* Shard k of n, from 1; n is 0 for a run that is not split. */
struct shard {
	unsigned int k, n;
};

/* "2/3". 0 or -EINVAL, silently. */
int shard_parse(const char *text, struct shard *shard);

/* Is it fit to be a run's id: letters, digits, '.', '_' and '-', no dot first, 1 to 128? */
bool shard_run_id_valid(const char *id);

/*
 * Puts each cell of the plan in a shard, from 1 to n, in of[], and balances the shards' time by
 * the workloads' estimates: the longest group first, each to the shard that it makes longest the
 * least. Every shard gets a group. time_s[], of n values, is set to each shard's seconds a round
 * (one boot of every cell). -EINVAL, logged, if there are fewer groups than shards.
 */
int shard_split(const struct experiment *exp, const struct plan *plan, unsigned int n,
		unsigned int *of, double *time_s);

/*
 * Splits the whole plan and leaves in it the cells and boots of this shard, in their order; a
 * warm-up serves the first VM of them. Sets plan->shard and plan->run_id. 0 or -EINVAL, logged,
 * with the plan as it was.
 */
int shard_apply(const struct experiment *exp, const struct shard *shard, const char *run_id,
		struct plan *plan);

/*
 * Which shard the run in dir is, and its run id (to free, NULL if it is none), for --resume.
 * 0; -ENOENT, silently, if it has no manifest; or -EINVAL with a logged reason.
 */
int shard_of_run(const char *dir, struct shard *shard, char **run_id);

#endif
