/* SPDX-License-Identifier: GPL-2.0-only */
/* The registry, printed: what there is and how it is set. */
#ifndef HARNESS_LIST_H
#define HARNESS_LIST_H

#include <stdio.h>

/* What: modes, devices, workloads, metrics, or NULL for all. -EINVAL if it is none of them. */
int list_print(const char *what, FILE *out);

#endif
