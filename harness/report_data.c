// SPDX-License-Identifier: GPL-2.0-only
/* Reads a run: the manifest, checked, and the samples that count. */
#include "harness/report_data.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <string.h>
#include <sys/stat.h>

#include "harness/hostmatch.h"
#include "harness/log.h"
#include "harness/manifest.h"
#include "harness/stats.h"
#include "harness/util.h"

/* Far above any real run; so that a malformed one cannot take all memory. */
#define MAX_MANIFEST_BYTES (64 * MIB)
#define MAX_CELLS 4096
#define MAX_BOOTS 4096
#define MAX_METRICS 1024
#define MAX_VALUES (32 * MIB)

/* What a workload that reads and writes calls its throughput: the sum of these. */
static const char *const summed_throughput[] = { "read_iops", "write_iops" };

static int bad_manifest(const struct report *report, const char *where, const char *what)
{
	log_err("%s/manifest.json: %s: %s", report->dir, where, what);
	return -EINVAL;
}

static int read_manifest(struct report *report)
{
	autofree char *path = xasprintf("%s/manifest.json", report->dir);
	json_error_t error;
	struct stat st;

	if (stat(path, &st)) {
		int err = errno;

		log_err("%s: %s", path, strerror(err));
		return -err;
	}
	if (!S_ISREG(st.st_mode) || st.st_size > (off_t)MAX_MANIFEST_BYTES) {
		log_err("%s: not a regular file of at most 64 MiB", path);
		return -EINVAL;
	}
	report->manifest = json_load_file(path, JSON_REJECT_DUPLICATES, &error);
	if (!report->manifest) {
		log_err("%s:%d:%d: %s", path, error.line, error.column, error.text);
		return -EINVAL;
	}
	return 0;
}

/* A text member; NULL if it is none. */
static const char *text_of(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

static int parse_boot(struct report *report, const char *id, json_t *json, struct report_boot *boot)
{
	json_int_t index = json_integer_value(json_object_get(json, "boot"));
	const char *status = text_of(json, "status");

	if (!json_is_integer(json_object_get(json, "boot")) || index < 0 || index > UINT_MAX)
		return bad_manifest(report, id, "a boot has no number");
	if (!status)
		return bad_manifest(report, id, "a boot has no status");
	*boot = (struct report_boot){
		.index = (unsigned int)index,
		.ok = !strcmp(status, "ok"),
		.json = json,
	};
	return 0;
}

static int parse_boots(struct report *report, struct report_cell *cell, json_t *boots)
{
	size_t nr = json_array_size(boots);

	if (boots && !json_is_null(boots) && !json_is_array(boots))
		return bad_manifest(report, cell->id, "boots is no list");
	if (nr > MAX_BOOTS)
		return bad_manifest(report, cell->id, "too many boots");
	cell->boots = xzalloc(nr * sizeof(*cell->boots));
	for (size_t i = 0; i < nr; i++) {
		int ret = parse_boot(report, cell->id, json_array_get(boots, i), &cell->boots[i]);

		if (ret)
			return ret;
		cell->nr_boots++;
		cell->nr_ok += cell->boots[i].ok;
	}
	return 0;
}

static int parse_cell(struct report *report, json_t *json, struct report_names *names)
{
	struct report_cell *cell = &report->cells[report->nr_cells];

	cell->id = text_of(json, "id");
	if (!manifest_id_valid(cell->id))
		return bad_manifest(report, "cells", "a cell has no valid id");
	cell->status = text_of(json, "status");
	if (!cell->status)
		cell->status = "pending";
	cell->reason = text_of(json, "reason");
	*names = (struct report_names){
		.mode = text_of(json, "mode"),
		.device = text_of(json, "device"),
		.workload = text_of(json, "workload"),
		.variant = text_of(json, "variant"),
		.host = report->mixed ? hostmatch_kind(report->manifest, json) : 0,
	};
	if (!names->mode || !names->device || !names->workload)
		return bad_manifest(report, cell->id, "mode, device or workload is missing");
	if (!names->variant)
		names->variant = "";
	report->nr_cells++;
	return parse_boots(report, cell, json_object_get(json, "boots"));
}

/* Fills cells and ids (cell id to its number). */
static int parse_cells(struct report *report, json_t *ids)
{
	json_t *cells = json_object_get(report->manifest, "cells");
	autofree struct report_names *names = NULL;
	size_t nr = json_array_size(cells);

	if (!json_is_array(cells))
		return bad_manifest(report, "cells", "missing, or no list");
	if (nr > MAX_CELLS)
		return bad_manifest(report, "cells", "too many");
	report->cells = xzalloc(nr * sizeof(*report->cells));
	names = xzalloc(nr * sizeof(*names));
	for (size_t i = 0; i < nr; i++) {
		int ret = parse_cell(report, json_array_get(cells, i), &names[i]);
		const char *id = report->cells[i].id;

		if (ret)
			return ret;
		if (json_object_get(ids, id))
			return bad_manifest(report, id, "two cells have this id");
		json_object_set_new(ids, id, json_integer((json_int_t)i));
	}
	report_axes_build(report, names);
	return 0;
}

static int parse_manifest(struct report *report, json_t *ids)
{
	json_t *schema = json_object_get(report->manifest, "schema");

	if (!json_is_object(report->manifest))
		return bad_manifest(report, "top level", "no object");
	if (!json_is_integer(schema) || json_integer_value(schema) != 1)
		return bad_manifest(report, "schema", "not 1, the only one this program reads");
	if (!text_of(report->manifest, "status"))
		return bad_manifest(report, "status", "missing, or no text");
	report->mixed = hostmatch_mixed(report->manifest);
	return parse_cells(report, ids);
}

static int read_samples(struct report *report)
{
	autofree char *path = xasprintf("%s/samples.csv", report->dir);

	if (!file_exists(path))
		return 0; /* no boot has ended well yet */
	return samples_read(path, &report->samples);
}

/* The metrics in order of first use, after those that are computed. */
static int collect_metrics(struct report *report, json_t *numbers)
{
	report->metrics = xzalloc((MAX_METRICS + 1) * sizeof(*report->metrics));
	report->metrics[METRIC_THROUGHPUT] =
		(struct report_metric){ "throughput", "ops/s", DIRECTION_HIGHER };
	report->nr_metrics = 1;
	for (size_t i = 0; i < report->samples.nr; i++) {
		const struct sample_row *row = &report->samples.rows[i];

		if (json_object_get(numbers, row->metric))
			continue;
		if (report->nr_metrics > MAX_METRICS) {
			log_err("%s/samples.csv: too many metrics", report->dir);
			return -EINVAL;
		}
		if (json_object_set_new(numbers, row->metric,
					json_integer((json_int_t)report->nr_metrics))) {
			log_err("%s/samples.csv: a metric's name is no UTF-8", report->dir);
			return -EINVAL;
		}
		report->metrics[report->nr_metrics++] =
			(struct report_metric){ row->metric, row->unit, row->direction };
	}
	return 0;
}

static int alloc_values(struct report *report)
{
	size_t nr_boots = 0;

	for (size_t i = 0; i < report->nr_cells; i++)
		nr_boots += report->cells[i].nr_boots;
	if (nr_boots * report->nr_metrics > MAX_VALUES) {
		log_err("%s: too many boots and metrics to report", report->dir);
		return -EINVAL;
	}
	for (size_t i = 0; i < report->nr_cells; i++) {
		struct report_cell *cell = &report->cells[i];
		size_t nr = cell->nr_boots * report->nr_metrics;

		cell->values = xzalloc(nr * sizeof(*cell->values));
		for (size_t v = 0; v < nr; v++)
			cell->values[v] = NAN;
	}
	return 0;
}

static void exclude(struct report *report, const struct sample_row *row, const char *status)
{
	size_t nr = report->nr_excluded;

	if (!(nr & (nr - 1))) /* full at each power of two */
		report->excluded =
			xrealloc(report->excluded, (nr ? nr * 2 : 1) * sizeof(*report->excluded));
	report->excluded[report->nr_excluded++] = (struct report_excluded){ row, status };
}

static size_t find_boot(const struct report_cell *cell, unsigned int index)
{
	if (index < cell->nr_boots && cell->boots[index].index == index)
		return index;
	for (size_t b = 0; b < cell->nr_boots; b++)
		if (cell->boots[b].index == index)
			return b;
	return cell->nr_boots;
}

/* Puts each sample in its place; of a boot that was run again the last one stays. */
static void place_samples(struct report *report, json_t *ids, json_t *numbers)
{
	for (size_t i = 0; i < report->samples.nr; i++) {
		const struct sample_row *row = &report->samples.rows[i];
		json_t *id = json_object_get(ids, row->cell);
		struct report_cell *cell = id ? &report->cells[json_integer_value(id)] : NULL;
		size_t b = cell ? find_boot(cell, row->boot) : 0, m;

		if (!cell || b == cell->nr_boots) {
			report->nr_unknown++;
		} else if (!cell->boots[b].ok) {
			exclude(report, row, text_of(cell->boots[b].json, "status"));
		} else {
			m = (size_t)json_integer_value(json_object_get(numbers, row->metric));
			cell->values[m * cell->nr_boots + b] = row->value;
		}
	}
	if (report->nr_unknown)
		log_warn("%s/samples.csv: %zu samples belong to no boot of the manifest",
			 report->dir, report->nr_unknown);
}

static bool scenario_has(const struct report *report, size_t scenario, size_t metric)
{
	for (size_t i = 0; i < report->nr_cells; i++)
		if (report->cells[i].scenario == scenario &&
		    report_stat(&report->cells[i], metric).nr)
			return true;
	return false;
}

/* Is it done per second, and the more the better? */
static bool is_throughput(const struct report_metric *metric)
{
	size_t len = strlen(metric->unit);

	return metric->direction == DIRECTION_HIGHER && len > 2 &&
	       !strcmp(metric->unit + len - 2, "/s");
}

/* Adds a metric to the computed throughput of all cells of a scenario. */
static void add_throughput(struct report *report, size_t scenario, size_t metric)
{
	for (size_t i = 0; i < report->nr_cells; i++) {
		struct report_cell *cell = &report->cells[i];
		double *sum = cell->values;
		const double *value = cell->values + metric * cell->nr_boots;

		for (size_t b = 0; b < cell->nr_boots && cell->scenario == scenario; b++)
			if (!isnan(value[b]))
				sum[b] = (isnan(sum[b]) ? 0 : sum[b]) + value[b];
	}
}

static void compute_throughput(struct report *report, size_t scenario)
{
	size_t *chosen = &report->scenarios[scenario].throughput;

	for (size_t i = 0; i < ARRAY_SIZE(summed_throughput); i++) {
		size_t m = report_metric(report, summed_throughput[i]);

		if (m == NO_METRIC || !scenario_has(report, scenario, m))
			continue;
		*chosen = m;
		add_throughput(report, scenario, m);
	}
	for (size_t m = 1; m < report->nr_metrics && *chosen == NO_METRIC; m++) {
		if (!is_throughput(&report->metrics[m]) || !scenario_has(report, scenario, m))
			continue;
		*chosen = m;
		add_throughput(report, scenario, m);
	}
}

static int load_values(struct report *report, json_t *ids, json_t *numbers)
{
	int ret = read_samples(report);

	if (!ret)
		ret = collect_metrics(report, numbers);
	if (!ret)
		ret = alloc_values(report);
	if (ret)
		return ret;
	place_samples(report, ids, numbers);
	for (size_t s = 0; s < report->nr_scenarios; s++)
		compute_throughput(report, s);
	return 0;
}

int report_load(const char *run_dir, struct report *report)
{
	json_t *ids = json_object(), *numbers = json_object();
	int ret;

	*report = (struct report){ .dir = run_dir };
	ret = read_manifest(report);
	if (!ret)
		ret = parse_manifest(report, ids);
	if (!ret)
		ret = load_values(report, ids, numbers);
	json_decref(ids);
	json_decref(numbers);
	return ret;
}

void report_free(struct report *report)
{
	for (size_t i = 0; report->cells && i < report->nr_cells; i++) {
		free(report->cells[i].boots);
		free(report->cells[i].values);
	}
	for (size_t i = 0; i < report->nr_series; i++)
		free(report->series[i].label);
	for (size_t i = 0; i < report->nr_scenarios; i++)
		free(report->scenarios[i].label);
	free(report->cells);
	free(report->series);
	free(report->scenarios);
	free(report->metrics);
	free(report->excluded);
	sample_table_free(&report->samples);
	json_decref(report->manifest);
	*report = (struct report){ 0 };
}

size_t report_metric(const struct report *report, const char *name)
{
	for (size_t m = 1; m < report->nr_metrics; m++)
		if (!strcmp(report->metrics[m].name, name))
			return m;
	return NO_METRIC;
}

const struct report_cell *report_cell(const struct report *report, size_t series, size_t scenario)
{
	for (size_t i = 0; i < report->nr_cells; i++)
		if (report->cells[i].series == series && report->cells[i].scenario == scenario)
			return &report->cells[i];
	return NULL;
}

const char *report_text(const struct report *report, const char *key)
{
	const char *text = text_of(report->manifest, key);

	return text ? text : "";
}

bool report_is_lab(const struct report *report)
{
	return !strncmp(report_text(report, "where"), "lab", 3);
}

bool report_is_emulated(const struct report *report)
{
	return !strcmp(report_text(report, "where"), "lab-tcg");
}

struct report_stat report_stat(const struct report_cell *cell, size_t metric)
{
	struct report_stat stat = { .median = NAN, .min = NAN, .max = NAN };
	autofree double *values = NULL;

	if (!cell || metric == NO_METRIC)
		return stat;
	values = xzalloc(cell->nr_boots * sizeof(*values));
	for (size_t b = 0; b < cell->nr_boots; b++)
		if (!isnan(cell->values[metric * cell->nr_boots + b]))
			values[stat.nr++] = cell->values[metric * cell->nr_boots + b];
	stat.median = stats_median(values, stat.nr);
	stat.min = stats_min(values, stat.nr);
	stat.max = stats_max(values, stat.nr);
	return stat;
}

/* The medians of a series' cells, of all or just of those that put the device under load. */
static size_t collect_medians(const struct report *report, size_t series, size_t metric, bool load,
			      double *medians)
{
	size_t nr = 0;

	for (size_t i = 0; i < report->nr_cells; i++) {
		const struct report_cell *cell = &report->cells[i];
		bool loads = report->scenarios[cell->scenario].throughput != NO_METRIC;
		struct report_stat stat = { 0 };

		if (cell->series == series && (loads || !load))
			stat = report_stat(cell, metric);
		if (stat.nr)
			medians[nr++] = stat.median;
	}
	return nr;
}

double report_series_value(const struct report *report, size_t series, size_t metric)
{
	autofree double *medians = xzalloc(report->nr_cells * sizeof(*medians));
	size_t nr = collect_medians(report, series, metric, true, medians);

	if (!nr)
		nr = collect_medians(report, series, metric, false, medians);
	return stats_median(medians, nr);
}

/* The ratios of the scenarios that both have, of all or just of those under load. */
static size_t collect_ratios(const struct report *report, size_t series, size_t metric, bool load,
			     double *ratios)
{
	size_t nr = 0;

	for (size_t s = 0; s < report->nr_scenarios; s++) {
		struct report_stat base = report_stat(report_cell(report, 0, s), metric);
		struct report_stat stat = report_stat(report_cell(report, series, s), metric);
		double ratio = stats_ratio(stat.median, base.median);

		if (load && report->scenarios[s].throughput == NO_METRIC)
			continue;
		if (!isnan(ratio))
			ratios[nr++] = ratio;
	}
	return nr;
}

double report_series_ratio(const struct report *report, size_t series, size_t metric, size_t *nr)
{
	autofree double *ratios = xzalloc(report->nr_scenarios * sizeof(*ratios));
	size_t found = collect_ratios(report, series, metric, true, ratios);

	if (!found)
		found = collect_ratios(report, series, metric, false, ratios);
	if (nr)
		*nr = found;
	return stats_geomean(ratios, found);
}
