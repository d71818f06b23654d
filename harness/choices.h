/* SPDX-License-Identifier: GPL-2.0-only */
/* The lists of an experiment (modes, devices, workloads); used by config.c alone. */
#ifndef HARNESS_CHOICES_H
#define HARNESS_CHOICES_H

#include <jansson.h>

#include "harness/config.h"

struct yaml_node;

/* What a name may hold that becomes part of a path. */
#define SAFE_CHARS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-"

struct choice_kind;
extern const struct choice_kind choice_modes, choice_devices, choice_workloads;

/*
 * Reads the list of that kind from an experiment's top mapping and spans its variants; errors
 * as experiment_load(). Whether it succeeds or not, choices_free() frees what it made.
 */
int choices_load(const struct choice_kind *kind, const struct yaml_node *root,
		 struct choices *choices);
void choices_free(struct choices *choices);
/* An array with one object a variant: sizes in bytes, times in seconds. New reference. */
json_t *choices_json(const struct choice_kind *kind, const struct choices *choices);

#endif
