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
	const char *only;	/* glob on cell ids; NULL: all */
	const char *resume;	/* directory of a run to continue; NULL: a new one */
	const char *run_id;	/* of the whole run that a shard is of; NULL: no shard */
	struct shard shard;	/* the part of the experiment to run here */
	unsigned int boots;	/* 0: as the experiment says */
	const char *ab;		/* the experiment to run against (ab.h); NULL: none */
	unsigned int max_boots; /* with ab; 0: AB_MAX_BOOTS */
	double time_limit_s;	/* with ab; 0: AB_TIME_LIMIT_S */
	double deadline_s;	/* the same as a time of now_s(); ab_measure() sets it */
	const char *from;	/* manifest of a run to run again (rerun.h); NULL: none */
	const char *command;	/* the command line, for a shell; NULL: unknown */
	double wait_s;		/* for another harness to leave this host */
	enum run_where where;
	bool dry_run;
	double *estimate_s; /* a dry run adds what it estimates; may be NULL */
	const char *build_dir, *scripts_dir;
};

struct experiment;
struct guest_config;
struct host;
struct plan;

/* The copy of the configuration in a run's folder. */
#define EXPERIMENT "experiment.yaml"
int run_copy_experiment(const char *path, const char *dir);
/* Where a new run goes by default: results/NAME-TIME. To free. */
char *run_new_dir(const char *name);

/* What the VMs of one boot take of the host's memory, at most. */
uint64_t run_memory_bytes(const struct experiment *exp);
/*
 * What of that the lab is to have: no more than 4 GiB or half of what the machine has left, but
 * always the experiment's own guest. Cells that need more are skipped in it.
 */
uint64_t run_lab_bytes(const struct experiment *exp);

/*
 * Runs what is in dir (of one run, or of a session of two: ab.h), or goes on with it, in the
 * virtual lab, with room for such a guest. A lab that is lost is replaced. An exit code.
 */
int run_in_lab(const struct run_options *options, const struct guest_config *guest,
	       const char *dir);

/* --dry-run of a plan, on this host or as the lab would. An exit code. */
int run_dry(const struct run_options *options, const struct experiment *exp, struct plan *plan,
	    const struct host *host, bool in_lab);

/* Does the run go to the virtual lab? */
bool run_wants_lab(const struct run_options *options);

/* The whole `run` command. Returns an exit code. */
int run_command(const struct run_options *options);

#endif
