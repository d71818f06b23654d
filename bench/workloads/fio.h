/* SPDX-License-Identifier: GPL-2.0-only */
/* The part of the fio workload that needs no VM: its JSON. */
#ifndef BENCH_WORKLOADS_FIO_H
#define BENCH_WORKLOADS_FIO_H

#include <stddef.h>

#include "harness/samples.h"

/*
 * Turns fio 3's --output-format=json with --group_reporting into samples: IOPS and bytes/s
 * of the directions that had I/O, latency percentiles of the completion latency (of the mix, if
 * both had). 0, or -EINVAL with what is wrong in *why (to free); errors that fio counted are
 * -EIO.
 */
int fio_parse(const char *text, size_t len, struct sample_set *out, char **why);

#endif
