/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A command of the user's own that is measured in the guest: what the host file says of it, and its
 * figures in what it printed.
 */
#ifndef HARNESS_HOST_COMMAND_H
#define HARNESS_HOST_COMMAND_H

#include <jansson.h>
#include <stddef.h>

#include "harness/samples.h"

struct strbuf;
struct yaml_node;

struct host_command {
	char *run;   /* for the guest's shell */
	char *score; /* POSIX extended regular expression; its one group is a figure it printed */
	char *unit;
	enum direction better;
};

/*
 * Reads { run: ..., score: ..., unit: ..., better: ... } to *out, to be freed with
 * host_command_free(). 0, or -EINVAL, logged with its place.
 */
int host_command_read(const struct yaml_node *map, struct host_command **out);
void host_command_free(struct host_command *command);

/*
 * Every figure in a command's output, in order, as an array to free. 0; -ENOENT: there is none;
 * -EINVAL: a match is no number; these with the message in *why, to free.
 */
int host_command_scores(const struct host_command *command, const struct strbuf *output,
			double **scores, size_t *nr, char **why);

/* What is measured with it: { "run": ..., "score": ... }. New reference. */
json_t *host_command_json(const struct host_command *command);

#endif
