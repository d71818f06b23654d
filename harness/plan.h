/* SPDX-License-Identifier: GPL-2.0-only */
/* The plan: cells from the experiment's matrix, and VM lives ("boots") in running order. */
#ifndef HARNESS_PLAN_H
#define HARNESS_PLAN_H

#include "harness/config.h"

/* mode x device x workload x variant: what one line of the report is about. */
struct cell {
	char *id;      /* mode.device.workload[.variant]: unique, and a safe file name */
	char *variant; /* names of the three variants joined with '+', may be empty */
	const struct mode_ops *mode;
	const struct device_ops *device;
	const struct workload_ops *workload;
	const struct settings *mode_settings, *device_settings, *workload_settings;
	char *skip; /* set by the run: why it cannot run here, or NULL */
};

/* Memory of the cell's guest, where the experiment's has so much. */
uint64_t cell_guest_bytes(const struct cell *cell, uint64_t experiment_bytes);

/* One VM life: which cells it serves, all of the same mode and device (with settings). */
struct plan_boot {
	unsigned int index; /* number of this boot within its cells, from 0; warm-up apart */
	bool warmup;	    /* thrown away; serves no cell's statistics */
	size_t *cells;	    /* indices into plan.cells */
	size_t nr_cells;
};

struct plan {
	struct cell *cells;
	size_t nr_cells;
	struct plan_boot *boots; /* warm-ups, then as the experiment's order says: order.h */
	size_t nr_boots;
	/*
	 * Of a run that is split over hosts (shard.h), else NULL: its id, and what the manifest
	 * keeps as "shard": k, n, boots of each cell, and "cells", those of the whole with their
	 * shards.
	 */
	char *run_id;
	json_t *shard;
};

/*
 * Expands the experiment. only: shell glob on cell ids or NULL for all; boots: overrides the
 * experiment's number when not 0. Returns 0 or -EINVAL with a logged reason (two cells of the
 * same id, a workload that fits none of the devices, nothing left after only). Workloads are
 * paired only with devices of the class they need. The experiment must outlive the plan.
 */
int plan_new(const struct experiment *exp, const char *only, unsigned int boots, struct plan **out);
void plan_free(struct plan *plan);
/* Frees what a cell holds, for who takes it out of a plan. */
void cell_clear(struct cell *cell);

#endif
