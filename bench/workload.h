/* SPDX-License-Identifier: GPL-2.0-only */
/* A workload: what runs in the VM while it is measured. One file in bench/workloads, one table. */
#ifndef BENCH_WORKLOAD_H
#define BENCH_WORKLOAD_H

#include "bench/device.h"
#include "harness/samples.h"
#include "harness/settings.h"

struct cell_run;
struct mode_ops;

/* `name`, `help`, `run` and `estimate_s` are required. */
struct workload_ops {
	const char *name;
	const char *help; /* one line */
	enum device_class needs;
	unsigned int except; /* ATTACH_BITs: ways to reach the device in which it means nothing */
	const struct setting *settings;
	const struct metric_desc *metrics; /* what it may report; ends with a NULL name */
	/*
	 * A PNG that it leaves in the cell's folder, for the report, and beside it NAME.txt: what
	 * it is, or why there is none. NULL: it takes no pictures.
	 */
	const char *picture;

	/*
	 * Checks settings against each other when the configuration is read. 0, or -EINVAL with
	 * the message in *why, to free.
	 */
	int (*validate)(const struct settings *settings, char **why);
	/* Why it cannot run in a mode, to free, or NULL: it can. */
	char *(*unfit)(const struct mode_ops *mode);
	/* Does it destroy what is on the device? Then the host file must allow it. */
	bool (*destroys_data)(const struct settings *settings);
	/* Expected seconds, without the boot; for the estimate and the time limit. */
	double (*estimate_s)(const struct settings *settings);
	/*
	 * Runs in the prepared VM: everything from its start to its parsed results. Wraps the
	 * steady part in measure_begin() and measure_end(), and adds its samples to run->samples.
	 * -EREMOTEIO: a tool of it failed, the VM is well and may serve other cells.
	 */
	int (*run)(struct cell_run *run);
};

#endif
