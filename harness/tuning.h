/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Settings of the host that a host file asks for while runs last, as "settings: { governor:
 * performance, turbo: off }". They are made through the journal, so that they are put back.
 */
#ifndef HARNESS_TUNING_H
#define HARNESS_TUNING_H

#include <jansson.h>
#include <stdio.h>

#include "harness/settings.h"

struct host;
struct journal;

/* Only values that were given count: a setting without one stays as it is on the host. */
#define TUNING_NR 7
extern const struct setting tuning_table[TUNING_NR + 1];

/* What the host file wants of a setting, as written there; NULL: nothing. */
const char *tuning_wanted(const struct host *host, const char *setting);
/* All that is wanted: setting -> value. New reference. */
json_t *tuning_json(const struct host *host);

/*
 * Makes the settings. 0 or -errno, logged; what this host does not have (-ENOENT) or does not know
 * (-EINVAL) with the host file's name and line. What was made before an error is in the journal.
 */
int tuning_apply(const struct host *host, struct journal *journal);

/* Says what tuning_apply() would write, a line for each kind of file; errors as there. */
int tuning_print(const struct host *host, FILE *out);

#endif
