/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A load tool that is steered as bench/load/control.h says, in the guest or on the peer: the
 * harness' measured window is the tool's own.
 */
#ifndef HARNESS_TOOL_H
#define HARNESS_TOOL_H

#include <jansson.h>

#include "harness/boot.h"
#include "harness/peer.h"

struct tool;

/*
 * Starts one. Its stderr is kept in the cell's folder as NAME.stderr, what it prints as
 * NAME.json. A failure is noted as the boot's reason.
 */
int tool_start_guest(struct cell_run *run, const char *name, char *const argv[], struct tool **out);
int tool_start_peer(struct cell_run *run, const char *name, char *const argv[], struct tool **out);

/*
 * Waits for an event; *fields (may be NULL) gets a new reference. If the tool ends instead, its
 * last words are the boot's reason (-EREMOTEIO, as when it takes longer); -EINTR and -ECHILD as
 * for all waits.
 */
int tool_await(struct tool *tool, const char *event, double timeout_s, json_t **fields);
/* "begin" or "end". */
int tool_say(struct tool *tool, const char *word);

/* What a tool measured in its own window, in which the harness' lies. json_decref() fields. */
struct tool_result {
	json_t *fields;
};

/*
 * The steady part of a workload driven by such tools, which are ready: runs the measured window
 * of that many seconds in all of them, which begin in this order and end in reverse: what
 * receives stands last, so that its window lies within its source's. Each result's fields are a
 * new reference.
 */
int tool_measure(struct tool *const *tools, size_t nr, double runtime_s,
		 struct tool_result *results);

/* A number of its result; as a sample; as the operations that fell into the harness' window. */
int tool_number(struct tool *tool, const struct tool_result *result, const char *key,
		double *value);
int tool_sample(struct tool *tool, const struct tool_result *result, const char *key,
		const struct metric_desc *metric);
int tool_ops(struct tool *tool, const struct tool_result *result, const char *key);

/* Kills it if it still runs, keeps its output, frees it. NULL is fine. */
void tool_end(struct tool *tool);

#endif
