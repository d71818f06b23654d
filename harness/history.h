/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The history of nightly runs, in one SQLite file: one point a run, cell and metric. Every change
 * is a transaction: after a crash a run is in it whole or not at all.
 *
 * Functions return 0 or -errno with a logged reason that names the file: -EINVAL: no history, or
 * of another version; -EIO: SQLite says no.
 */
#ifndef HARNESS_HISTORY_H
#define HARNESS_HISTORY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "harness/samples.h"

#define HISTORY_SCHEMA 1

struct history;

/* Opens or makes the file. */
int history_open(const char *path, struct history **out);
void history_close(struct history *history); /* NULL is fine; what is not committed is undone */

int history_begin(struct history *history);
int history_commit(struct history *history);

/* --- adding --- */

/* Tells whether the files of a folder have changed since they were read. */
struct history_stamp {
	int64_t manifest_mtime_ns, manifest_bytes, samples_mtime_ns, samples_bytes;
};
/* Is the folder in the history, with these files? */
int history_knows(struct history *history, const char *folder, const struct history_stamp *stamp,
		  bool *known);
int history_set_stamp(struct history *history, const char *folder,
		      const struct history_stamp *stamp, int64_t run);

/* A run as it is kept. Strings are borrowed; as read back they belong to the data. */
struct history_run {
	int64_t id;	    /* of the row */
	const char *name;   /* the run's id */
	const char *folder; /* below the history's own, from which it was added */
	int64_t time;	    /* seconds since 1970, when it began */
	const char *git_revision, *place, *fingerprint;
	uint64_t digest; /* of the run and all its points */
};

/* One metric of one cell in one run. Strings are borrowed. */
struct history_value {
	const char *cell, *metric, *unit;
	enum direction direction;
	bool per_operation;   /* a count, divided by the operations of each boot */
	const char *settings; /* names what the cell was set to: other settings, other figures */
	double median, deviation; /* over the boots; deviation NAN of one boot */
	unsigned int boots;
};

/* The run of that name, or *id 0. folder (to free) and digest as they are in the history. */
int history_find(struct history *history, const char *name, int64_t *id, char **folder,
		 uint64_t *digest);
/* Adds a run, in place of the one that has its name, if any; run->id is set. */
int history_add(struct history *history, struct history_run *run,
		const struct history_value *values, size_t nr);

/* --- reading --- */

/* Where and as what a point was measured: points of two setups are never compared. */
struct history_setup {
	int64_t id;
	char *place, *fingerprint, *settings;
};

struct history_point {
	double median;
	float deviation;  /* NAN of one boot */
	unsigned int run; /* index of the run */
	unsigned int setup;
	unsigned int boots;
};

struct history_series {
	int64_t id;
	char *cell, *metric, *unit;
	enum direction direction;
	bool per_operation;
	struct history_point *points; /* by run */
	size_t nr;
};

struct history_data {
	struct history_run *runs; /* by time, then by name */
	size_t nr_runs;
	struct history_setup *setups;
	size_t nr_setups;
	struct history_series *series; /* by cell and metric; those that are wanted */
	size_t nr_series, nr_unwanted;
};

/* Reads all series that are wanted. The data is to be freed in any case. */
int history_read(struct history *history,
		 bool (*wanted)(const void *arg, const struct history_series *series),
		 const void *arg, struct history_data *data);
void history_data_free(struct history_data *data);

#endif
