/* SPDX-License-Identifier: GPL-2.0-only */
/* The replay command: what was asked for, and what came out. */
#ifndef BENCH_REPLAY_SESSION_H
#define BENCH_REPLAY_SESSION_H

#include <jansson.h>
#include <stdio.h>

#include "bench/replay/costs.h"
#include "bench/replay/replay.h"
#include "harness/util.h"

#define REPLAY_LIST_MAX 32
#define REPLAY_POLICIES_MAX 256

/* Settings of the policy that can be given, each as a list. */
enum replay_setting {
	SET_UNPIN,
	SET_INTERVAL,
	SET_LIMIT,
	SET_GENERATIONS,
	SET_QUOTA,
	SET_RANGE,
	SET_SPECULATION,
	REPLAY_SETTINGS
};

struct replay_list {
	double v[REPLAY_LIST_MAX];
	size_t nr; /* 0: not given */
};

enum { WITH_STATIC, WITH_STRICT, WITH_DEFERRED, WITH_COIOMMU, WITH_ORACLE, WITH_NR };

struct replay_options {
	bool with[WITH_NR];
	struct replay_list lists[REPLAY_SETTINGS];
	bool model; /* never take the host's half from the recording */
	bool as_json;
	const char *costs, *curves, *locality; /* files, or NULL */
	unsigned int vms;		       /* 0: no fleet */
	uint64_t seed;
};

/*
 * Fills in options from the command line, "replay" first. 0; 1 if help was wanted and given;
 * -EINVAL with a logged reason. *first: index of the first trace.
 */
int replay_options_parse(int argc, char **argv, struct replay_options *o, int *first);
/* "unpin=lru interval=10s ..." of what differs from base (all if base is NULL), to free. */
char *replay_describe(const struct policy_config *c, const struct policy_config *base);
/* One of the combinations of all lists; the rest is base's. False: there are no more. */
bool replay_combination(const struct replay_options *o, size_t nr, const struct policy_config *base,
			struct policy_config *out);

struct replay_result {
	const char *path; /* of the trace */
	struct replay_totals totals;
	struct replay_policy *policies[REPLAY_POLICIES_MAX];
	enum replay_kind kinds[REPLAY_POLICIES_MAX];
	size_t nr;
	struct replay_locality reuse;
	double cpu_s; /* processor time that the replay took */
	struct costs costs;
};

/* All results as text, as JSON. */
void replay_print(const struct replay_options *o, const struct replay_result *results, size_t nr,
		  FILE *out);
json_t *replay_json(const struct replay_options *o, const struct replay_result *results, size_t nr);
/* CSV files. 0 or a logged -errno. */
int replay_write_curves(const char *path, const struct replay_result *results, size_t nr);
int replay_write_locality(const char *path, const struct replay_result *results, size_t nr);

#endif
