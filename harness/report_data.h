/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Inside of the report: a run as tables of numbers. Cells are sorted along two axes: a *series*
 * is a mode (with the variant of its settings), what is compared; a *scenario* is device,
 * workload and the rest of the variant, what it is compared on; in a run that was split over
 * several kinds of hosts also the kind, so that nothing is compared with what another one measured.
 */
#ifndef HARNESS_REPORT_DATA_H
#define HARNESS_REPORT_DATA_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "harness/samples.h"

struct report_metric {
	const char *name, *unit;
	enum direction direction;
};

struct report_boot {
	unsigned int index;
	bool ok; /* only values of such boots count */
	const char *status;
	json_t *json;
};

struct report_names {
	const char *mode, *device, *workload, *variant;
	unsigned int host; /* its kind, if the run has several */
};

struct report_cell {
	const char *id, *status, *reason; /* reason may be NULL */
	struct report_names names;
	size_t series, scenario;
	struct report_boot *boots; /* by index */
	size_t nr_boots, nr_ok;
	double *values; /* [metric * nr_boots + boot], NAN where there is none */
};

struct report_series {
	char *label; /* the mode, and its variant if it has several */
	const char *mode;
	const char *settings; /* part of the label: "interval=1s range=16"; "" */
	unsigned int variant; /* which of its mode, from 0 */
	unsigned int colour;  /* 0xrrggbb, the same wherever the series is shown */
	size_t nr_cells, nr_cells_ok, nr_boots, nr_boots_ok;
};

struct report_scenario {
	char *label;	  /* workload, device and settings */
	const char *more; /* part of the label: without the workload */
	size_t workload;
	size_t throughput; /* the metric that is this scenario's throughput, or NO_METRIC */
};

struct report_workload {
	const char *name; /* scenarios of the same name */
};

/* A value that does not count because its boot is not ok. */
struct report_excluded {
	const struct sample_row *row;
	const char *status; /* of the boot */
};

struct report {
	const char *dir;
	json_t *manifest;
	struct sample_table samples;
	struct report_metric *metrics;
	size_t nr_metrics;
	struct report_cell *cells;
	size_t nr_cells;
	struct report_series *series; /* the baseline first, then as in the manifest */
	size_t nr_series;
	struct report_scenario *scenarios;
	size_t nr_scenarios;
	struct report_workload *workloads;
	size_t nr_workloads;
	struct report_excluded *excluded;
	size_t nr_excluded;
	bool mixed;	   /* several kinds of hosts */
	size_t nr_unknown; /* samples of cells or boots that the manifest does not have */
	size_t nr_twice;   /* samples that are there twice: they count once */
};

#define NO_METRIC ((size_t)-1)
#define METRIC_THROUGHPUT ((size_t)0) /* computed: what the scenario is about, per second */

/*
 * Reads the run, the results of which may be of any origin: whatever would make a figure wrong
 * or ambiguous is refused (a value of a boot twice and different, a metric with two units, an ok
 * boot without values, a row of another mode than its cell ...). As report_write() for errors.
 * The report is to be freed in any case.
 */
int report_load(const char *run_dir, struct report *report);
void report_free(struct report *report);

/* The metric of that name in the samples, or NO_METRIC. */
size_t report_metric(const struct report *report, const char *name);
/* The cell of a series in a scenario, or NULL. */
const struct report_cell *report_cell(const struct report *report, size_t series, size_t scenario);
/* A text of the manifest's top level; "" if there is none. */
const char *report_text(const struct report *report, const char *key);
/* Was it measured in the virtual lab; and there, on emulated CPUs? */
bool report_is_lab(const struct report *report);
bool report_is_emulated(const struct report *report);

/* Did the workloads of a mode share a VM's life? Their values then depend on each other. */
bool report_shares_vm(const struct report *report);

/* --- report_stats.c --- */

/* The boots' values of one metric; all NAN and nr 0 if there are none. */
struct report_stat {
	double median, min, max;
	size_t nr;
};
struct report_stat report_stat(const struct report_cell *cell, size_t metric);
/* Has any cell of the scenario values of it? */
bool report_scenario_has(const struct report *report, size_t scenario, size_t metric);

/*
 * One value for a series: the median of its cells' medians, of those with a throughput if such
 * cells have the metric (what is pinned while a VM boots is another matter). NAN if there is
 * none.
 */
double report_series_value(const struct report *report, size_t series, size_t metric);

#define REPORT_CONFIDENCE 0.95
#define REPORT_MIN_BOOTS 3   /* fewer give an interval of no more than 67 % */
#define REPORT_MAX_BOOTS 200 /* more take too long: the differences of all pairs are sorted */

/* A multiple of the baseline. */
struct report_ratio {
	double ratio;	   /* NAN: none */
	double low, high;  /* its interval; NAN: too few or too many boots, or a 0 */
	double confidence; /* that the interval has: less than asked for if there are few boots */
	size_t nr;	   /* scenarios it is made of */
};
/*
 * Of a cell: the ratio of the medians. The interval is that of the Hodges-Lehmann shift of the
 * values' logarithms (ranktest.h): exact, and of no random numbers. The baseline's own cells
 * have none.
 */
struct report_ratio report_cell_ratio(const struct report *report, const struct report_cell *cell,
				      size_t metric);
/*
 * Of a series, over the same scenarios as the value: the geometric mean. The interval's ends are
 * as far away as the ends of the cells' own together: the root of the sum of their squares (Zou
 * and Donner 2008), their plain sum if the workloads share a VM.
 */
struct report_ratio report_series_ratio(const struct report *report, size_t series, size_t metric);

/*
 * Internal to loading. report_manifest.c: reads and checks the manifest; in ids the cells'
 * numbers by id. report_axes.c: gives the cells their series and scenario. report_data.c: the
 * computed metric.
 */
int report_manifest_load(struct report *report, json_t *ids);
void report_axes_build(struct report *report);
void report_compute_throughput(struct report *report, size_t scenario);

#endif
