/* SPDX-License-Identifier: GPL-2.0-only */
/* The emulated lab's instruction counters, for workloads with windows of their own. */
#ifndef BENCH_METRICS_INSTRUCTIONS_H
#define BENCH_METRICS_INSTRUCTIONS_H

/* All instructions so far; fd is the open file that host->instructions names. 0 or -errno. */
int instructions_total(int fd, double *total);

#endif
