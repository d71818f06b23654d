/* SPDX-License-Identifier: GPL-2.0-only */
/* What workloads with fio share, and the part of it that needs no VM: its JSON. */
#ifndef BENCH_WORKLOADS_FIO_H
#define BENCH_WORKLOADS_FIO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "harness/samples.h"
#include "harness/settings.h"

struct cell_run;
struct strlist;

extern const char *const fio_rw_choices[];

/* Does the pattern `rw` write to the device? */
bool fio_writes(const struct settings *settings);
/* fio on that raw disk by the settings rw, bs, iodepth and size; without a duration. */
void fio_base_command(const struct settings *settings, const char *disk, struct strlist *argv);
/* Returns when the device has completed some I/O of the job, or the job has ended. 0 or -errno. */
int fio_await_first_io(struct cell_run *run, uint32_t job);

/*
 * Turns fio 3's --output-format=json with --group_reporting into samples: IOPS and bytes/s
 * of the directions that had I/O, latency percentiles of the completion latency (of the mix, if
 * both had). 0, or -EINVAL with what is wrong in *why (to free); errors that fio counted are
 * -EIO.
 */
int fio_parse(const char *text, size_t len, struct sample_set *out, char **why);

/*
 * Does what a fio that failed has printed to stderr say that data was wrong ("verify: bad header",
 * "crc32c: verify failed"), and not, say, that it had no memory? NULL: nothing was printed.
 */
bool fio_read_back_wrong(const char *errors);

#endif
