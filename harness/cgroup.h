/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A memory cgroup (version 2) that VMs share, so that they may use just so much of the host's
 * memory (Documentation/admin-guide/cgroup-v2.rst).
 */
#ifndef HARNESS_CGROUP_H
#define HARNESS_CGROUP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct journal;

/*
 * Makes a new one through the journal, which removes it at the end. *path to free. 0 or -errno
 * with "reason: remedy" in *why (to free).
 */
int cgroup_make(struct journal *journal, uint64_t limit_bytes, char **path, char **why);

/* A number of one of its files: of the line that starts with key, or, key NULL, all of it. 0 or
 * -errno. */
int cgroup_read(const char *path, const char *file, const char *key, uint64_t *value);
/* Is a process in it? One that has ended, and is only not waited for yet, is in none. */
bool cgroup_has(const char *path, pid_t pid);

#endif
