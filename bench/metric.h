/* SPDX-License-Identifier: GPL-2.0-only */
/* A metric source: what is read on the host beside the workload. One file in bench/metrics. */
#ifndef BENCH_METRIC_H
#define BENCH_METRIC_H

#include "harness/samples.h"

struct boot;
struct cell_run;
struct host;

/*
 * The life of a source in one boot: open (before QEMU starts), created (machine complete,
 * vCPUs not yet running), then for each cell begin, end around its steady window, and close
 * (QEMU may be gone). tick comes a few times a second in between: keep it cheap, in the lab
 * it is counted as the guest's. Only `name`, `help` and `metrics` are required.
 */
struct metric_ops {
	const char *name;
	const char *help;		   /* one line */
	const struct metric_desc *metrics; /* what it may report; ends with a NULL name */
	size_t priv_size;		   /* zeroed memory given to the callbacks */
	unsigned int except;		   /* ATTACH_BITs: where there is nothing to read */

	/* Can it be read here? If not, the metric is left out, and the reason recorded. */
	int (*probe)(const struct host *host, char **why);
	int (*open)(struct boot *boot, void *priv);
	int (*created)(struct boot *boot, void *priv);
	void (*tick)(struct boot *boot, void *priv);
	int (*begin)(struct cell_run *run, void *priv);
	int (*end)(struct cell_run *run, void *priv);
	/* After the workload is over, outside of the measured window: slow reads and checks. */
	int (*finish)(struct cell_run *run, void *priv);
	void (*close)(struct boot *boot, void *priv);
};

#endif
