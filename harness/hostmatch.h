/* SPDX-License-Identifier: GPL-2.0-only */
/* Were figures measured on the same kind of host? By the environments that manifests record. */
#ifndef HARNESS_HOSTMATCH_H
#define HARNESS_HOSTMATCH_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct strlist;

/*
 * Adds "other WHAT KEY: BEFORE, now AFTER" to the list if the member KEY of the two objects
 * differs; "a.b" is the member b of the member a. Null is the same as missing.
 */
void hostmatch_member(const json_t *base, const json_t *value, const char *what, const char *key,
		      struct strlist *list);

/* A value for a message, shortened: a kernel's command line fills screens. To free. */
char *hostmatch_text(const json_t *json);

/*
 * Adds the differences of two environments: in major what figures depend on most, and a missing
 * or other fingerprint; in minor (may be NULL) the others.
 */
void hostmatch_differences(const json_t *base, const json_t *value, struct strlist *major,
			   struct strlist *minor);

/* Is there no major difference? */
bool hostmatch_same(const json_t *a, const json_t *b);

/* Goes on with a hash (fnv1a) over what hostmatch_same() looks at. NULL is fine. */
uint64_t hostmatch_hash(uint64_t hash, const json_t *env);

/*
 * The environment of a cell of a manifest: of its shard if the run was merged, else the run's.
 * NULL if there is none. Borrowed.
 */
const json_t *hostmatch_environment(const json_t *manifest, const json_t *cell);

/* The first shard of a merged run on the same kind of host as this cell's; 0: none. */
unsigned int hostmatch_kind(const json_t *manifest, const json_t *cell);

/* Has the run cells of several kinds of hosts? */
bool hostmatch_mixed(const json_t *manifest);

#endif
