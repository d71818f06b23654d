/* SPDX-License-Identifier: GPL-2.0-only */
/* Files read ahead of who needs them. */
#ifndef HARNESS_PRELOAD_H
#define HARNESS_PRELOAD_H

/*
 * Reads a whole file into the page cache, on account of our own memory cgroup: who maps it later
 * is not charged for it (Documentation/admin-guide/cgroup-v2.rst, "Memory Ownership"). A file
 * that cannot be read is left out. NULL is none.
 */
void preload_file(const char *path);
/* The same for a program, found as the shell would, and all libraries that it is linked with. */
void preload_program(const char *name);

#endif
