// SPDX-License-Identifier: GPL-2.0-only
/* Reads a run: the samples that count, in the places that the manifest gives them. */
#include <errno.h>
#include <math.h>
#include <string.h>
#include <sys/stat.h>

#include "harness/log.h"
#include "harness/report_data.h"
#include "harness/util.h"

/* Far above any real run; so that a malformed one cannot take all memory. */
#define MAX_METRICS 1024
#define MAX_VALUES (32 * MIB)

static int bad_samples(const struct report *report, const char *what)
{
	log_err("%s/samples.csv: %s", report->dir, what);
	return -EINVAL;
}

static int read_samples(struct report *report)
{
	autofree char *path = xasprintf("%s/samples.csv", report->dir);
	struct stat st;

	if (stat(path, &st) && errno == ENOENT)
		return 0; /* no boot has ended well yet, or check_complete() says so */
	return samples_read(path, &report->samples);
}

/* A metric without values yet is added. A name means one unit and direction in all of a run. */
static int collect_metric(struct report *report, const struct sample_row *row, json_t *numbers)
{
	const json_t *number = json_object_get(numbers, row->metric);
	const struct report_metric *known = &report->metrics[json_integer_value(number)];

	if (!number && report->nr_metrics > MAX_METRICS)
		return bad_samples(report, "too many metrics");
	if (!number) {
		json_object_set_new(numbers, row->metric,
				    json_integer((json_int_t)report->nr_metrics));
		report->metrics[report->nr_metrics++] =
			(struct report_metric){ row->metric, row->unit, row->direction };
	} else if (strcmp(known->unit, row->unit) != 0 || known->direction != row->direction) {
		log_err("%s/samples.csv: %s has two units or directions: %s, %s; in %s %s, %s",
			report->dir, row->metric, known->unit, direction_name(known->direction),
			row->cell, row->unit, direction_name(row->direction));
		return -EINVAL;
	}
	return 0;
}

/* The metrics in order of first use, after those that are computed. */
static int collect_metrics(struct report *report, json_t *numbers)
{
	int ret = 0;

	report->metrics = xzalloc((MAX_METRICS + 1) * sizeof(*report->metrics));
	report->metrics[METRIC_THROUGHPUT] =
		(struct report_metric){ "throughput", "ops/s", DIRECTION_HIGHER };
	report->nr_metrics = 1;
	for (size_t i = 0; i < report->samples.nr && !ret; i++)
		ret = collect_metric(report, &report->samples.rows[i], numbers);
	return ret;
}

static int alloc_values(struct report *report)
{
	size_t nr_boots = 0;

	for (size_t i = 0; i < report->nr_cells; i++)
		nr_boots += report->cells[i].nr_boots;
	if (nr_boots * report->nr_metrics > MAX_VALUES)
		return bad_samples(report, "too many boots and metrics for one run");
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

static int compare_index(const void *key, const void *boot)
{
	unsigned int x = *(const unsigned int *)key, y = ((const struct report_boot *)boot)->index;

	return (x > y) - (x < y);
}

static struct report_boot *find_boot(const struct report_cell *cell, unsigned int index)
{
	if (index < cell->nr_boots && cell->boots[index].index == index)
		return &cell->boots[index];
	return bsearch(&index, cell->boots, cell->nr_boots, sizeof(*cell->boots), compare_index);
}

/* A row that is there twice counts once; two values for the same are an error. */
static int place_value(struct report *report, const struct sample_row *row, double *place)
{
	if (isnan(*place)) {
		*place = row->value;
		return 0;
	}
	report->nr_twice++;
	if (*place == row->value)
		return 0;
	log_err("%s/samples.csv: %s of %s has two values in boot %u", report->dir, row->metric,
		row->cell, row->boot);
	return -EINVAL;
}

static int check_names(const struct report *report, const struct report_cell *cell,
		       const struct sample_row *row)
{
	const struct report_names *names = &cell->names;

	if (!strcmp(row->mode, names->mode) && !strcmp(row->device, names->device) &&
	    !strcmp(row->workload, names->workload) && !strcmp(row->variant, names->variant))
		return 0;
	log_err("%s/samples.csv: %s has other modes, devices, workloads or variants here than in "
		"manifest.json: they are not of the same run",
		report->dir, cell->id);
	return -EINVAL;
}

static int place_sample(struct report *report, const struct sample_row *row, json_t *ids,
			json_t *numbers)
{
	json_t *id = json_object_get(ids, row->cell);
	struct report_cell *cell = id ? &report->cells[json_integer_value(id)] : NULL;
	const struct report_boot *boot = cell ? find_boot(cell, row->boot) : NULL;
	size_t m = (size_t)json_integer_value(json_object_get(numbers, row->metric));
	int ret = cell ? check_names(report, cell, row) : 0;

	if (ret)
		return ret;
	if (!boot)
		report->nr_unknown++;
	else if (!boot->ok)
		exclude(report, row, boot->status);
	else
		ret = place_value(report, row,
				  &cell->values[m * cell->nr_boots + (boot - cell->boots)]);
	return ret;
}

static int place_samples(struct report *report, json_t *ids, json_t *numbers)
{
	int ret = 0;

	for (size_t i = 0; i < report->samples.nr && !ret; i++)
		ret = place_sample(report, &report->samples.rows[i], ids, numbers);
	if (ret)
		return ret;
	if (report->nr_unknown)
		log_warn("%s/samples.csv: %zu samples belong to no boot of the manifest",
			 report->dir, report->nr_unknown);
	if (report->nr_twice)
		log_warn("%s/samples.csv: %zu rows are there twice; they count once", report->dir,
			 report->nr_twice);
	return 0;
}

/* A boot's samples are on the disk before the manifest says that it is ok. */
static int check_complete(const struct report *report)
{
	for (size_t i = 0; i < report->nr_cells; i++) {
		const struct report_cell *cell = &report->cells[i];

		for (size_t b = 0; b < cell->nr_boots; b++) {
			size_t m = 1;

			while (m < report->nr_metrics &&
			       isnan(cell->values[m * cell->nr_boots + b]))
				m++;
			if (!cell->boots[b].ok || m < report->nr_metrics)
				continue;
			log_err("%s/samples.csv: nothing of boot %u of %s, which is ok in the "
				"manifest: the file was cut or is of another run",
				report->dir, cell->boots[b].index, cell->id);
			return -EINVAL;
		}
	}
	return 0;
}

static int load_values(struct report *report, json_t *ids, json_t *numbers)
{
	int ret = read_samples(report);

	if (!ret)
		ret = collect_metrics(report, numbers);
	if (!ret)
		ret = alloc_values(report);
	if (!ret)
		ret = place_samples(report, ids, numbers);
	if (!ret)
		ret = check_complete(report);
	for (size_t s = 0; s < report->nr_scenarios && !ret; s++)
		report_compute_throughput(report, s);
	return ret;
}

int report_load(const char *run_dir, struct report *report)
{
	json_t *ids = json_object(), *numbers = json_object();
	int ret;

	*report = (struct report){ .dir = run_dir };
	ret = report_manifest_load(report, ids);
	if (!ret)
		ret = load_values(report, ids, numbers);
	json_decref(ids);
	json_decref(numbers);
	return ret;
}
