/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Computes the figures of a report again, from samples.csv and the manifest alone and with
 * nothing of the harness' statistics, and compares each one on the page with that: the value it
 * has for programs, and the text that people read.
 */
#ifndef TESTS_FIGURES_H
#define TESTS_FIGURES_H

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/util.h"

#define MAX_N 12 /* boots of a cell: all ways to choose them from two cells' are counted */

struct fig_row {
	char *fields[10]; /* as in the header */
	double value;
};

struct fig_cell {
	const char *id;
	char *series;
	long scenario;
	bool load, known; /* known: the page has said the above */
	json_t *boots;
};

struct figures {
	char *csv, *dir;
	struct fig_row *rows;
	size_t nr_rows;
	json_t *manifest;
	struct fig_cell *cells;
	size_t nr_cells;
	char *baseline;		  /* of the series */
	size_t nr_seen, nr_wrong; /* figures on the page */
};

/* Ends the fields of the line with NUL; the next line. */
static inline char *fig_split(char *line, struct fig_row *row)
{
	char *end = strchr(line, '\n');

	*end = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(row->fields); i++)
		row->fields[i] = strsep(&line, ",");
	row->value = strtod(row->fields[9], NULL);
	return end + 1;
}

static inline bool fig_load(struct figures *f, const char *dir)
{
	autofree char *csv = xasprintf("%s/samples.csv", dir);
	autofree char *manifest = xasprintf("%s/manifest.json", dir);
	json_t *cells, *cell;
	size_t i;

	*f = (struct figures){ .dir = xstrdup(dir), .csv = file_read(csv, NULL) };
	f->manifest = json_load_file(manifest, 0, NULL);
	if (!f->csv || !f->manifest)
		return false;
	for (char *p = strchr(f->csv, '\n') + 1; strchr(p, '\n');) {
		f->rows = xrealloc(f->rows, (f->nr_rows + 1) * sizeof(*f->rows));
		p = fig_split(p, &f->rows[f->nr_rows++]);
	}
	cells = json_object_get(f->manifest, "cells");
	f->cells = xzalloc(json_array_size(cells) * sizeof(*f->cells) + 1);
	json_array_foreach(cells, i, cell) {
		f->cells[f->nr_cells++] = (struct fig_cell){
			.id = json_string_value(json_object_get(cell, "id")),
			.boots = json_object_get(cell, "boots"),
		};
	}
	return true;
}

static inline void fig_free(struct figures *f)
{
	for (size_t i = 0; i < f->nr_cells; i++)
		free(f->cells[i].series);
	free(f->cells);
	free(f->rows);
	free(f->csv);
	free(f->dir);
	free(f->baseline);
	json_decref(f->manifest);
}

static inline struct fig_cell *fig_cell(struct figures *f, const char *id)
{
	for (size_t i = 0; i < f->nr_cells; i++)
		if (!strcmp(f->cells[i].id, id))
			return &f->cells[i];
	return NULL;
}

/* --- samples --- */

struct fig_values {
	double v[MAX_N];
	size_t nr;
};

static inline double fig_value(const struct figures *f, const char *cell, json_int_t boot,
			       const char *metric)
{
	double value = NAN;

	for (size_t i = 0; i < f->nr_rows; i++)
		if (!strcmp(f->rows[i].fields[0], cell) &&
		    strtoll(f->rows[i].fields[5], NULL, 10) == boot &&
		    !strcmp(f->rows[i].fields[6], metric))
			value = f->rows[i].value;
	return value;
}

static inline struct fig_values fig_plain(const struct figures *f, const struct fig_cell *cell,
					  const char *metric)
{
	struct fig_values values = { .nr = 0 };
	json_t *boot;
	size_t i;

	json_array_foreach(cell->boots, i, boot) {
		double value = fig_value(f, cell->id,
					 json_integer_value(json_object_get(boot, "boot")), metric);

		if (!strcmp(json_string_value(json_object_get(boot, "status")), "ok") &&
		    !isnan(value) && values.nr < MAX_N)
			values.v[values.nr++] = value;
	}
	return values;
}

static inline bool fig_scenario_has(struct figures *f, long scenario, const char *metric)
{
	for (size_t i = 0; i < f->nr_cells; i++)
		if (f->cells[i].scenario == scenario && fig_plain(f, &f->cells[i], metric).nr)
			return true;
	return false;
}

/* The first rate of which more is better, in the order of the samples. */
static inline const char *fig_rate(struct figures *f, long scenario)
{
	for (size_t i = 0; i < f->nr_rows; i++) {
		const char *unit = f->rows[i].fields[7];
		size_t len = strlen(unit);

		if (len > 2 && !strcmp(unit + len - 2, "/s") &&
		    !strcmp(f->rows[i].fields[8], "higher") &&
		    fig_scenario_has(f, scenario, f->rows[i].fields[6]))
			return f->rows[i].fields[6];
	}
	return "";
}

static inline struct fig_values fig_values(struct figures *f, const struct fig_cell *cell,
					   const char *metric)
{
	struct fig_values reads, writes;

	if (strcmp(metric, "throughput") != 0)
		return fig_plain(f, cell, metric);
	if (!fig_scenario_has(f, cell->scenario, "read_iops") &&
	    !fig_scenario_has(f, cell->scenario, "write_iops"))
		return fig_plain(f, cell, fig_rate(f, cell->scenario));
	reads = fig_plain(f, cell, "read_iops");
	writes = fig_plain(f, cell, "write_iops");
	for (size_t i = 0; i < reads.nr && i < writes.nr; i++)
		reads.v[i] += writes.v[i];
	return reads.nr ? reads : writes;
}

/* --- statistics --- */

static inline int fig_order(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static inline double fig_median(double *v, size_t nr)
{
	if (!nr)
		return NAN;
	qsort(v, nr, sizeof(*v), fig_order);
	return nr % 2 ? v[nr / 2] : (v[nr / 2 - 1] + v[nr / 2]) / 2;
}

/* How many choices of n among n + m ranks have U <= u, of all; by looking at each choice. */
static inline double fig_tail(size_t n, size_t m, size_t u)
{
	double below = 0, all = 0;

	for (unsigned long set = 0; set < 1UL << (n + m); set++) {
		size_t sum = 0;

		if ((size_t)__builtin_popcountl(set) != n)
			continue;
		for (size_t rank = 0; rank < n + m; rank++)
			sum += set >> rank & 1 ? rank : 0;
		all++;
		below += sum - n * (n - 1) / 2 <= u;
	}
	return below / all;
}

/* R's qwilcox(0.025, n, m), at least 1. The last answer is kept: sizes are mostly the same. */
static inline size_t fig_place(size_t n, size_t m)
{
	static size_t last_n, last_m, last;

	if (n == last_n && m == last_m)
		return last;
	for (last = 0; fig_tail(n, m, last) < 0.025;)
		last++;
	last_n = n;
	last_m = m;
	last = last ? last : 1;
	return last;
}

struct fig_ratio {
	double ratio, low, high;
};

static inline struct fig_ratio fig_cell_ratio(struct figures *f, const struct fig_cell *cell,
					      const char *metric)
{
	struct fig_ratio ratio = { NAN, NAN, NAN };
	struct fig_values x = fig_values(f, cell, metric), y = { .nr = 0 };
	double differences[MAX_N * MAX_N];
	size_t nr, place;

	for (size_t i = 0; i < f->nr_cells; i++)
		if (f->cells[i].scenario == cell->scenario &&
		    !strcmp(f->cells[i].series, f->baseline))
			y = fig_values(f, &f->cells[i], metric);
	nr = x.nr * y.nr;
	if (!nr || fig_median(y.v, y.nr) == 0)
		return ratio;
	ratio.ratio = fig_median(x.v, x.nr) / fig_median(y.v, y.nr);
	if (x.nr < 3 || y.nr < 3 || x.v[0] <= 0 || y.v[0] <= 0 ||
	    !strcmp(cell->series, f->baseline))
		return ratio;
	for (size_t i = 0; i < nr; i++)
		differences[i] = log(x.v[i / y.nr]) - log(y.v[i % y.nr]);
	qsort(differences, nr, sizeof(*differences), fig_order);
	place = fig_place(x.nr, y.nr);
	ratio.low = exp(differences[place - 1]);
	ratio.high = exp(differences[nr - place]);
	return ratio;
}

/* Are there figures of such a cell under load? Then only such cells count. */
static inline bool fig_counts(struct figures *f, const struct fig_cell *cell, const char *series,
			      const char *metric, bool ratio)
{
	bool any_load = false;

	for (size_t i = 0; i < f->nr_cells; i++)
		if (f->cells[i].load && !strcmp(f->cells[i].series, series) &&
		    (ratio ? !isnan(fig_cell_ratio(f, &f->cells[i], metric).ratio)
			   : fig_values(f, &f->cells[i], metric).nr > 0))
			any_load = true;
	return !strcmp(cell->series, series) && (cell->load || !any_load);
}

static inline double fig_series_value(struct figures *f, const char *series, const char *metric)
{
	autofree double *medians = xzalloc(f->nr_cells * sizeof(*medians));
	size_t nr = 0;

	for (size_t i = 0; i < f->nr_cells; i++) {
		struct fig_values values = fig_values(f, &f->cells[i], metric);

		if (values.nr && fig_counts(f, &f->cells[i], series, metric, false))
			medians[nr++] = fig_median(values.v, values.nr);
	}
	return fig_median(medians, nr);
}

static inline struct fig_ratio fig_series_ratio(struct figures *f, const char *series,
						const char *metric)
{
	bool shared =
		json_is_true(json_object_get(json_object_get(f->manifest, "config"), "share_vm"));
	double product = 1, low = 0, high = 0, root;
	size_t nr = 0;

	for (size_t i = 0; i < f->nr_cells; i++) {
		struct fig_ratio r = fig_cell_ratio(f, &f->cells[i], metric);
		double below = log(r.ratio / r.low), above = log(r.high / r.ratio);

		if (isnan(r.ratio) || !fig_counts(f, &f->cells[i], series, metric, true))
			continue;
		nr++;
		product *= r.ratio;
		low += shared ? fmax(0, below) : pow(fmax(0, below), 2);
		high += shared ? fmax(0, above) : pow(fmax(0, above), 2);
	}
	root = 1 / (double)nr;
	if (!shared) {
		low = sqrt(low);
		high = sqrt(high);
	}
	if (!nr)
		return (struct fig_ratio){ NAN, NAN, NAN };
	product = pow(product, root);
	return (struct fig_ratio){ product, product * exp(-low * root),
				   product * exp(high * root) };
}

#endif
