/* SPDX-License-Identifier: GPL-2.0-only */
/* Preflight: what this host can run, what is missing, and the remedy. */
#ifndef HARNESS_CHECK_H
#define HARNESS_CHECK_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

struct guest_config;
struct host;

enum check_status { CHECK_OK, CHECK_WARN, CHECK_FAIL };

struct check_item {
	const char *name; /* short: "kvm", "vfio", "memory" */
	enum check_status status;
	char *found;  /* what was found */
	char *remedy; /* NULL when ok */
};
struct check_report {
	struct check_item *items;
	size_t nr;
};

/*
 * Looks at all that a run needs, and at all that can spoil its figures: the table in check.c has
 * the list. guest NULL: its memory is not checked, and placement is for one vCPU; out_dir NULL:
 * disk space is not checked. Free with check_free().
 */
void check_host(const struct host *host, const struct guest_config *guest, const char *out_dir,
		struct check_report *report);
/* Does any item fail? */
bool check_failed(const struct check_report *report);
void check_print(const struct check_report *report);
json_t *check_json(const struct check_report *report);
void check_free(struct check_report *report);

#endif
