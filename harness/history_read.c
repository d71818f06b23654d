// SPDX-License-Identifier: GPL-2.0-only
/* The history of nightly runs: reading it. */
#include <errno.h>
#include <math.h>
#include <string.h>

#include "harness/history_db.h"
#include "harness/log.h"
#include "harness/util.h"

static int bad_row(const struct history *history, const char *what)
{
	log_err("%s: %s: it is damaged; move it away to begin anew from the runs that are there",
		history->path, what);
	return -EIO;
}

/* Grows a list by one, its size doubled when it is full, as it is at each power of two. */
static void *grow(void *items, size_t nr, size_t size)
{
	return nr & (nr - 1) ? items : xrealloc(items, (nr ? nr * 2 : 1) * size);
}

static int read_runs(struct history *history, struct history_data *data)
{
	sqlite3_stmt *rows = NULL;
	int ret = history_prepare(history, &rows,
				  "SELECT id, name, folder, time, git_revision, place, fingerprint"
				  " FROM runs ORDER BY time, name");
	int step = SQLITE_DONE;

	while (!ret && (step = sqlite3_step(rows)) == SQLITE_ROW) {
		data->runs = grow(data->runs, data->nr_runs, sizeof(*data->runs));
		data->runs[data->nr_runs++] = (struct history_run){
			.id = sqlite3_column_int64(rows, 0),
			.name = history_text(rows, 1),
			.folder = history_text(rows, 2),
			.time = sqlite3_column_int64(rows, 3),
			.git_revision = history_text(rows, 4),
			.place = history_text(rows, 5),
			.fingerprint = history_text(rows, 6),
		};
	}
	if (!ret && step != SQLITE_DONE)
		ret = history_error(history, "read its runs");
	sqlite3_finalize(rows);
	return ret;
}

static int read_setups(struct history *history, struct history_data *data)
{
	sqlite3_stmt *rows = NULL;
	int ret = history_prepare(history, &rows,
				  "SELECT id, place, fingerprint, settings FROM setups");
	int step = SQLITE_DONE;

	while (!ret && (step = sqlite3_step(rows)) == SQLITE_ROW) {
		data->setups = grow(data->setups, data->nr_setups, sizeof(*data->setups));
		data->setups[data->nr_setups++] = (struct history_setup){
			.id = sqlite3_column_int64(rows, 0),
			.place = history_text(rows, 1),
			.fingerprint = history_text(rows, 2),
			.settings = history_text(rows, 3),
		};
	}
	if (!ret && step != SQLITE_DONE)
		ret = history_error(history, "read its setups");
	sqlite3_finalize(rows);
	return ret;
}

/* From ids of rows, which are small, to places in a list; UINT_MAX where there is none. */
struct places {
	unsigned int *items;
	size_t nr;
};

static void places_set(struct places *places, int64_t id, size_t place)
{
	if (id < 0 || id > 1 << 26)
		return;
	if ((size_t)id >= places->nr) {
		size_t nr = ((size_t)id + 1) * 2;

		places->items = xrealloc(places->items, nr * sizeof(*places->items));
		memset(places->items + places->nr, 0xff,
		       (nr - places->nr) * sizeof(*places->items));
		places->nr = nr;
	}
	places->items[id] = (unsigned int)place;
}

static unsigned int places_get(const struct places *places, int64_t id)
{
	return id >= 0 && (uint64_t)id < places->nr ? places->items[id] : -1U;
}

/* The two lists that points refer to by the ids of their rows. */
struct maps {
	struct places runs, setups;
};

static int compare_points(const void *a, const void *b)
{
	const struct history_point *x = a, *y = b;

	return (x->run > y->run) - (x->run < y->run);
}

static int take_point(const struct history *history, sqlite3_stmt *row, const struct maps *maps,
		      struct history_series *series)
{
	struct history_point point = {
		.run = places_get(&maps->runs, sqlite3_column_int64(row, 0)),
		.setup = places_get(&maps->setups, sqlite3_column_int64(row, 1)),
		.median = sqlite3_column_double(row, 2),
		.boots = (unsigned int)sqlite3_column_int(row, 3),
		.deviation = sqlite3_column_type(row, 4) == SQLITE_NULL
				     ? NAN
				     : (float)sqlite3_column_double(row, 4),
	};

	if (point.run == -1U || point.setup == -1U || !isfinite(point.median) ||
	    sqlite3_column_type(row, 2) != SQLITE_FLOAT)
		return bad_row(history, "a point is of no run, of no setup or no finite number");
	series->points = grow(series->points, series->nr, sizeof(*series->points));
	series->points[series->nr++] = point;
	return 0;
}

static int read_points(struct history *history, sqlite3_stmt *rows, const struct maps *maps,
		       struct history_series *series)
{
	bool sorted = true;
	int ret = 0, step = SQLITE_DONE;

	sqlite3_reset(rows);
	sqlite3_bind_int64(rows, 1, series->id);
	while (!ret && (step = sqlite3_step(rows)) == SQLITE_ROW) {
		ret = take_point(history, rows, maps, series);
		if (!ret && series->nr > 1)
			sorted &= series->points[series->nr - 2].run <
				  series->points[series->nr - 1].run;
	}
	if (!ret && step != SQLITE_DONE)
		ret = history_error(history, "read its points");
	/* Runs may have been added in any order. */
	if (!ret && !sorted)
		qsort(series->points, series->nr, sizeof(*series->points), compare_points);
	return ret;
}

static int parse_direction(const struct history *history, const char *text,
			   enum direction *direction)
{
	for (int d = DIRECTION_NONE; d <= DIRECTION_LOWER; d++) {
		*direction = (enum direction)d;
		if (!strcmp(text, direction_name(*direction)))
			return 0;
	}
	return bad_row(history, "a series has no direction");
}

static void series_free(struct history_series *series)
{
	free(series->cell);
	free(series->metric);
	free(series->unit);
	free(series->points);
}

static int read_series(struct history *history, struct history_data *data,
		       bool (*wanted)(const void *arg, const struct history_series *series),
		       const void *arg)
{
	sqlite3_stmt *rows = NULL;
	int ret = history_prepare(history, &rows,
				  "SELECT id, cell, metric, unit, direction, per_operation"
				  " FROM series ORDER BY cell, metric, id");
	int step = SQLITE_DONE;

	while (!ret && (step = sqlite3_step(rows)) == SQLITE_ROW) {
		autofree char *direction = history_text(rows, 4);
		struct history_series series = {
			.id = sqlite3_column_int64(rows, 0),
			.cell = history_text(rows, 1),
			.metric = history_text(rows, 2),
			.unit = history_text(rows, 3),
			.per_operation = sqlite3_column_int(rows, 5),
		};

		ret = parse_direction(history, direction, &series.direction);
		if (ret || !wanted(arg, &series)) {
			series_free(&series);
			data->nr_unwanted += !ret;
			continue;
		}
		data->series = grow(data->series, data->nr_series, sizeof(*data->series));
		data->series[data->nr_series++] = series;
	}
	if (!ret && step != SQLITE_DONE)
		ret = history_error(history, "read its series");
	sqlite3_finalize(rows);
	return ret;
}

static int read_all_points(struct history *history, struct history_data *data)
{
	struct maps maps = { 0 };
	sqlite3_stmt *rows = NULL;
	int ret = history_prepare(history, &rows,
				  "SELECT run, setup, median, boots, deviation FROM points"
				  " WHERE series = ?1 ORDER BY run");

	for (size_t i = 0; i < data->nr_runs; i++)
		places_set(&maps.runs, data->runs[i].id, i);
	for (size_t i = 0; i < data->nr_setups; i++)
		places_set(&maps.setups, data->setups[i].id, i);
	for (size_t i = 0; i < data->nr_series && !ret; i++)
		ret = read_points(history, rows, &maps, &data->series[i]);
	sqlite3_finalize(rows);
	free(maps.runs.items);
	free(maps.setups.items);
	return ret;
}

int history_read(struct history *history,
		 bool (*wanted)(const void *arg, const struct history_series *series),
		 const void *arg, struct history_data *data)
{
	int ret;

	*data = (struct history_data){ 0 };
	/* One state of the file, even if another one writes to it meanwhile. */
	ret = history_exec(history, "BEGIN", "read it");
	if (!ret)
		ret = read_runs(history, data);
	if (!ret)
		ret = read_setups(history, data);
	if (!ret)
		ret = read_series(history, data, wanted, arg);
	if (!ret)
		ret = read_all_points(history, data);
	if (!ret)
		ret = history_commit(history);
	return ret;
}

void history_data_free(struct history_data *data)
{
	for (size_t i = 0; i < data->nr_runs; i++) {
		const struct history_run *run = &data->runs[i];
		const char *const texts[] = { run->name, run->folder, run->git_revision, run->place,
					      run->fingerprint };

		for (size_t t = 0; t < ARRAY_SIZE(texts); t++)
			free((char *)texts[t]);
	}
	for (size_t i = 0; i < data->nr_setups; i++) {
		free(data->setups[i].place);
		free(data->setups[i].fingerprint);
		free(data->setups[i].settings);
	}
	for (size_t i = 0; i < data->nr_series; i++)
		series_free(&data->series[i]);
	free(data->runs);
	free(data->setups);
	free(data->series);
	*data = (struct history_data){ 0 };
}
