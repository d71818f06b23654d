/* SPDX-License-Identifier: GPL-2.0-only */
/* QEMU's control channel: commands and replies in JSON lines, matched by id. */
#ifndef HARNESS_QMP_H
#define HARNESS_QMP_H

#include <jansson.h>

#include "harness/wait.h"

struct qmp;

/*
 * Takes over fd (closed by qmp_close()), waits for the greeting and leaves negotiation mode.
 * QEMU greets early, from a thread of its own, but answers that only from its main loop, once
 * the machine is complete: *ready_ns gets the time of the answer. 0, -ETIMEDOUT, -EINTR,
 * -ECHILD (QEMU has ended), -EBADMSG (no QMP).
 */
int qmp_open(int fd, const struct waiter *waiter, double timeout_s, struct qmp **out,
	     uint64_t *ready_ns);
void qmp_close(struct qmp *qmp);

/*
 * Runs one command. args is stolen and may be NULL. *result (may be NULL) gets a new
 * reference. Events that come in between are dropped. Errors as qmp_open(), and -EIO with
 * QEMU's own words logged when it refuses the command.
 */
int qmp_command(struct qmp *qmp, const char *name, json_t *args, double timeout_s, json_t **result);

#endif
