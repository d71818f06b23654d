/* SPDX-License-Identifier: GPL-2.0-only */
/* The journal's records, for kinds of changes with files of their own. */
#ifndef HARNESS_JOURNAL_RECORD_H
#define HARNESS_JOURNAL_RECORD_H

#include <jansson.h>
#include <stdbool.h>

struct journal;
struct netns_port;

/* Puts a record (taken over; NULL: not expressible) on the disk: its change may follow. */
int journal_add_record(struct journal *journal, json_t *record);

/* The record of the namespace that this port is in, or NULL. Borrowed. */
const json_t *journal_find(const struct journal *journal,
			   bool (*match)(const json_t *record, const struct netns_port *port),
			   const struct netns_port *port);

/*
 * Takes the lock in a directory (made if missing); *lock_fd is to be closed in any case. 0, -EBUSY
 * (another harness holds it), -EINTR or another -errno, logged.
 */
int journal_lock(const char *dir, int *lock_fd);

/* The lock that a write to the kernel has to keep; see struct rebind. */
int journal_lock_fd(const struct journal *journal);

/* Undoes the newest change at once. Its record stays if the kernel may still carry it out. */
void journal_roll_back(struct journal *journal, bool pending);

#endif
