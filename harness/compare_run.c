// SPDX-License-Identifier: GPL-2.0-only
/* One run as compare sees it: series of values, and nothing ambiguous among them. */
#include "harness/compare_data.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "harness/log.h"

static int compare_rows(const void *a, const void *b)
{
	const struct sample_row *x = *(struct sample_row *const *)a;
	const struct sample_row *y = *(struct sample_row *const *)b;
	int order = strcmp(x->cell, y->cell);

	if (!order)
		order = strcmp(x->metric, y->metric);
	return order ? order : (x->boot > y->boot) - (x->boot < y->boot);
}

const struct report_cell *compare_run_cell(const struct compare_run *run, const char *cell)
{
	for (size_t i = 0; i < run->report.nr_cells; i++)
		if (!strcmp(run->report.cells[i].id, cell))
			return &run->report.cells[i];
	return NULL;
}

static bool boot_counts(const struct report_cell *cell, unsigned int boot)
{
	for (size_t b = 0; cell && b < cell->nr_boots; b++)
		if (cell->boots[b].index == boot)
			return cell->boots[b].ok;
	return false;
}

static int check_cells(struct compare_run *run)
{
	for (size_t i = 0; i < run->report.nr_cells; i++) {
		const struct report_cell *cell = &run->report.cells[i];

		if (cell->nr_boots > GATE_MAX_BOOTS) {
			log_err("%s: %s has more than %d boots", run->report.dir, cell->id,
				GATE_MAX_BOOTS);
			return -EINVAL;
		}
		run->nr_boots += cell->nr_boots;
		run->nr_boots_ok += cell->nr_ok;
	}
	return 0;
}

/* Of rows that are there twice, report_load() has seen to it that they are the same. */
static bool is_twice(const struct sample_row *a, const struct sample_row *b)
{
	return !strcmp(a->cell, b->cell) && !strcmp(a->metric, b->metric) && a->boot == b->boot;
}

static void index_rows(struct compare_run *run)
{
	const struct sample_table *samples = &run->report.samples;
	const struct report_cell *cell = NULL;
	size_t nr = 0;

	run->rows = xzalloc((samples->nr + 1) * sizeof(const struct sample_row *));
	for (size_t i = 0; i < samples->nr; i++)
		run->rows[i] = &samples->rows[i];
	qsort(run->rows, samples->nr, sizeof(const struct sample_row *), compare_rows);
	for (size_t i = 0; i < samples->nr; i++) {
		const struct sample_row *row = run->rows[i];
		bool twice = nr && is_twice(run->rows[nr - 1], row);

		if (!cell || strcmp(cell->id, row->cell) != 0)
			cell = compare_run_cell(run, row->cell);
		if (!twice && boot_counts(cell, row->boot))
			run->rows[nr++] = row;
	}
	run->nr_rows = nr;
}

static bool same_series(const struct sample_row *a, const struct sample_row *b)
{
	return !strcmp(a->cell, b->cell) && !strcmp(a->metric, b->metric);
}

static void group_rows(struct compare_run *run)
{
	const struct report_cell *cell = NULL;

	run->series = xzalloc((run->nr_rows + 1) * sizeof(*run->series));
	for (size_t i = 0, end; i < run->nr_rows; i = end) {
		const struct sample_row *first = run->rows[i];

		for (end = i + 1; end < run->nr_rows && same_series(first, run->rows[end]);)
			end++;
		if (!cell || strcmp(cell->id, first->cell) != 0)
			cell = compare_run_cell(run, first->cell);
		run->series[run->nr_series++] = (struct series){
			.cell = cell,
			.metric = first->metric,
			.unit = first->unit,
			.direction = first->direction,
			.rows = run->rows + i,
			.nr = end - i,
		};
	}
}

int compare_run_load(const char *dir, struct compare_run *run)
{
	int ret;

	*run = (struct compare_run){ 0 };
	ret = report_load(dir, &run->report);
	if (!ret)
		ret = check_cells(run);
	if (ret)
		return ret;
	index_rows(run);
	group_rows(run);
	if (!run->nr_series) {
		log_err("%s: no boot is ok: there is nothing to compare", dir);
		return -EINVAL;
	}
	return 0;
}

void compare_run_free(struct compare_run *run)
{
	free(run->series);
	free(run->rows);
	report_free(&run->report);
}

/* The first series that is not before this one. */
static size_t find_place(const struct compare_run *run, const char *cell, const char *metric)
{
	size_t low = 0, high = run->nr_series;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(run->series[middle].cell->id, cell);

		if (!order)
			order = strcmp(run->series[middle].metric, metric);
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

const struct series *compare_run_find(const struct compare_run *run, const char *cell,
				      const char *metric)
{
	size_t place = find_place(run, cell, metric);
	const struct series *series = &run->series[place];

	if (place == run->nr_series || strcmp(series->cell->id, cell) != 0 ||
	    strcmp(series->metric, metric) != 0)
		return NULL;
	return series;
}

const struct series *compare_run_series(const struct compare_run *run, const char *cell, size_t *nr)
{
	size_t first = find_place(run, cell, ""), end = first;

	while (end < run->nr_series && !strcmp(run->series[end].cell->id, cell))
		end++;
	*nr = end - first;
	return &run->series[first];
}
