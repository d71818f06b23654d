/* SPDX-License-Identifier: GPL-2.0-only */
/* The preflight of a run on this host: refuses what cannot work, and is recorded with the run. */
#ifndef HARNESS_PREFLIGHT_H
#define HARNESS_PREFLIGHT_H

#include "harness/config.h"

/*
 * Checks the host for an experiment whose results go to dir. 0 with what was found in *found, for
 * the manifest (as check_json(), a new reference) and warnings named on stderr; or -ENOTSUP with
 * everything on stdout and *found NULL.
 */
int preflight(const struct host *host, const struct experiment *exp, const char *dir,
	      json_t **found);

/* What is found now, after settings were made, in place of *found. */
void preflight_again(const struct host *host, const struct experiment *exp, const char *dir,
		     json_t **found);

#endif
