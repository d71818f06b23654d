/* SPDX-License-Identifier: GPL-2.0-only */
/* Running an experiment: here on this host, or in the virtual lab. */
#ifndef HARNESS_RUN_H
#define HARNESS_RUN_H

#include <stdbool.h>

#include "harness/shard.h"

/* Exit codes of the command line (design: what scripts rely on). */
enum exit_code {
	EXIT_OK = 0,
	EXIT_REGRESSION = 1,
	EXIT_USAGE = 2,
	EXIT_PREFLIGHT = 3,
	EXIT_CELLS = 4,
	EXIT_INCONCLUSIVE = 5,
	EXIT_INTERRUPTED = 130,
};

/* Where the harness keeps its journal of host changes. */
#define JOURNAL_DIR "/var/lib/iommubench"

enum run_where { RUN_AUTO, RUN_HOST, RUN_LAB };

struct run_options {
	const char *config;    /* experiment file */
	const char *host_file; /* NULL: none */
	/* directory of the results; NULL: results/RUN-ID, or results/shards/RUN-ID/shard-K-of-N */
	const char *out;
	const char *only;   /* glob on cell ids; NULL: all */
	const char *resume; /* directory of a run to continue; NULL: a new one */
	const char *run_id; /* of the whole run that a shard is of; NULL: no shard */
	struct shard shard; /* the part of the experiment to run here */
	unsigned int boots; /* 0: as the experiment says */
	enum run_where where;
	bool dry_run;
	const char *build_dir, *scripts_dir;
};

/* The whole `run` command. Returns an exit code. */
int run_command(const struct run_options *options);

#endif
