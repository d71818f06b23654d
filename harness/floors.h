/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Noise floors: how small a change of a metric still says nothing on a host. A file holds those
 * of any number of hosts, by the fingerprint of their environment:
 *
 *   { "schema": 1, "hosts": { "00c0ffee00c0ffee": { "default": 0.04,
 *     "metrics": { "read_iops": 0.02, "lat_p99_s": 0.12 } } } }
 *
 * Floors are relative: 0.02 is 2 %. "default", for metrics that are not named, may be missing.
 */
#ifndef HARNESS_FLOORS_H
#define HARNESS_FLOORS_H

#include <jansson.h>

/*
 * Without a calibration no difference below 1.5 % counts: half of what is to be seen with 10
 * boots, so that this costs no power where boots differ by 1 %. And "no change" means that a
 * change of 5 % is excluded.
 */
#define FLOOR_DEFAULT 0.015
#define MARGIN_DEFAULT 0.05

struct floors {
	char *path;   /* of the file that was read; NULL: none */
	json_t *root; /* NULL: no file */
	json_t *host; /* borrowed from root; NULL: this host is not in it */
};

/*
 * Reads a file (path NULL: none) and finds the host. 0; -EINVAL, or another -errno, with a logged
 * reason. A host that is not in the file gets the defaults, with a warning.
 */
int floors_load(const char *path, const char *fingerprint, struct floors *floors);
/*
 * What compare uses: the file that the user names; with "none" none; with NULL the one that
 * calibrate writes by default, where a host that is not in it, or no file, gives the defaults
 * without a warning. As above.
 */
int floors_find(const char *option, const char *fingerprint, struct floors *floors);
/*
 * Puts a host's object (borrowed) in the file, in place of what it had, and keeps the other hosts.
 * The file and its folder are made if they are missing. 0 or -errno with a logged reason.
 */
int floors_store(const char *path, const char *fingerprint, json_t *host);
/*
 * Where calibrate keeps them: $XDG_STATE_HOME/iommubench/floors.json, by default in
 * ~/.local/state. To free; NULL without a home.
 */
char *floors_default_path(void);

void floors_free(struct floors *floors);

/* The floor of a metric and its margin of "no change", which is no less than the floor. */
void floors_of(const struct floors *floors, const char *metric, double *floor, double *margin);

#endif
