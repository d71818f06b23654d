/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * manifest.json: what a run is, where it ran, and how each cell and boot went. Written
 * anew after every boot, atomically, so that after a crash it tells what is finished.
 */
#ifndef HARNESS_MANIFEST_H
#define HARNESS_MANIFEST_H

#include <jansson.h>
#include <stdbool.h>

#include "harness/config.h"
#include "harness/plan.h"
#include "harness/samples.h"

#define MANIFEST_SCHEMA 1

struct manifest {
	char *path;
	json_t *root;
};

/* When a VM lived: the order that was really run. */
struct boot_place {
	unsigned int sequence; /* from 0, warm-ups and what was tried in vain included */
	const char *started;   /* as now_iso8601() */
};

/* How one boot of one cell went. Strings are borrowed, proof and window may be NULL. */
struct boot_record {
	unsigned int boot, attempts;
	struct boot_place place;
	const char *status;  /* ok, failed, invalid */
	const char *reason;  /* NULL if ok */
	const char *retried; /* why the first attempt was given up, or NULL */
	json_t *proof;
	double begin_s, end_s; /* the measured window, from QEMU's start */
};

/* A cell's id and what it is made of. New reference. */
json_t *manifest_cell_json(const struct cell *cell);

/*
 * A new run's manifest in dir, whose name is the run's id (a shard has that of the whole): status
 * running, every cell of the plan in it.
 */
int manifest_new(const char *dir, const struct experiment *exp, const struct plan *plan,
		 const struct host *host, json_t *environment, struct manifest *manifest);

/* Boots of each cell that a plan has. */
unsigned int manifest_rounds(const struct plan *plan);

/*
 * Reads the JSON of the run in dir, which may be anybody's: no more than a regular file of 64 MiB.
 * 0, or -errno with a logged reason.
 */
int manifest_read(const char *dir, json_t **root);

/* Reads one back. -ENOENT, or -EINVAL with a logged reason. */
int manifest_load(const char *dir, struct manifest *manifest);
void manifest_free(struct manifest *manifest);

/* Writes it. 0 or -errno with a logged reason. */
int manifest_save(struct manifest *manifest);

/* Replaces an earlier record of the same boot; sets the cell's status from all its boots. */
void manifest_record(struct manifest *manifest, const char *id, const struct boot_record *record);
/*
 * A boot that was thrown away because the host had changed (why: "the run begins", ...), of the
 * first of those cells.
 */
void manifest_record_warmup(struct manifest *manifest, const char *id,
			    const struct boot_place *place, const char *why, const char *result);
/* The number after the last one that was used. */
unsigned int manifest_next_sequence(const struct manifest *manifest);
/* The whole cell cannot run here. */
void manifest_skip(struct manifest *manifest, const char *id, const char *reason);
/* Is that boot finished, for good or as invalid? (A failed one is to be tried again.) */
bool manifest_finished(const struct manifest *manifest, const char *id, unsigned int boot);
/* For samples_keep(): does the row belong to a finished boot? manifest is a struct manifest. */
bool manifest_keeps_row(const void *manifest, const struct sample_row *row);
/* complete, partial; notes the time. */
void manifest_set_status(struct manifest *manifest, const char *status);
/* Has it a cell of that id? */
bool manifest_has(const struct manifest *manifest, const char *id);
/* Is it one component of a path? Files of a cell are looked up below its id. NULL is not. */
bool manifest_id_valid(const char *id);
/* How many cells have that status. */
unsigned int manifest_count(const struct manifest *manifest, const char *status);

#endif
