/* SPDX-License-Identifier: GPL-2.0-only */
/* A workload: what runs in the VM while it is measured. One file in bench/workloads, one table. */
#ifndef BENCH_WORKLOAD_H
#define BENCH_WORKLOAD_H

#include "bench/device.h"
#include "harness/samples.h"
#include "harness/settings.h"

struct boot;
struct cell;
struct cell_run;
struct host;
struct mode_ops;

/*
 * How one metric grows with another from cell to cell: the report fits a line to each mode's boots,
 * says how much of y each `per` of x costs, and what the line comes to at x = far.
 */
struct workload_line {
	const char *x, *y;	  /* metrics, by name */
	const char *title, *axis; /* of the plot; axis: what x is */
	double per, far;	  /* in x's unit; far 0: do not extrapolate */
	const char *per_name, *far_name;
};

/* `name`, `help`, `run` and `estimate_s` are required. */
struct workload_ops {
	const char *name;
	const char *help; /* one line */
	enum device_class needs;
	unsigned int except; /* ATTACH_BITs: ways to reach the device in which it means nothing */
	/* Its purpose are faults of the host's IOMMU, which else make a cell invalid. */
	bool provokes_faults;
	bool runs_command; /* the host file's, of its device: shown by --dry-run */
	const struct setting *settings;
	const struct metric_desc *metrics; /* what it may report; ends with a NULL name */
	const struct workload_line *lines; /* ends with a NULL y; NULL: none */
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
	/* Can it run on this host, with guests of so many bytes? As mode_ops.probe. */
	int (*probe)(const struct host *host, const struct cell *cell, uint64_t guest_bytes,
		     char **why);
	/* Does it destroy what is on the device? Then the host file must allow it. */
	bool (*destroys_data)(const struct settings *settings);
	/*
	 * Makes the host ready before the VM is started, through the journal. The VM then serves no
	 * other cell. 0, or -errno with boot_fail()'s reason.
	 */
	int (*host_setup)(struct boot *boot, const struct settings *settings);
	/* Memory of its guest; 0, or NULL: the experiment's. */
	uint64_t (*guest_bytes)(const struct settings *settings);
	/* Memory of the host that all its VMs use; NULL: one guest's. */
	uint64_t (*memory_bytes)(const struct settings *settings, uint64_t guest_bytes);
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
