/* SPDX-License-Identifier: GPL-2.0-only */
/* A tree of files that stands for sysfs, procfs and /dev in tests. */
#ifndef TESTS_TREE_H
#define TESTS_TREE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "harness/pci.h"
#include "harness/util.h"

extern char tree_root[64];

char *tree_path(const char *name);
void tree_dir(const char *name);
void tree_parent(const char *name);
/* Writes a file, with the directories above it. */
void tree_put(const char *name, const char *text);
/* A symbolic link to another name of the tree. */
void tree_link(const char *name, const char *target);
bool tree_has(const char *name);
void tree_assert(const char *name, const char *text);
void tree_remove(const char *name);
/* Makes an empty tree and points the roots at its sys, proc and dev. */
int tree_setup(void **state);
int tree_teardown(void **state);
/* A PCI device below the root port 0000:00:01.0; driver NULL: none, group -1: none. */
void tree_pci(const char *bdf, const char *class, const char *driver, int group);

#endif
