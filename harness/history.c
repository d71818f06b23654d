// SPDX-License-Identifier: GPL-2.0-only
/* The history of nightly runs: its file, and adding to it. */
#include "harness/history.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "harness/history_db.h"
#include "harness/log.h"
#include "harness/util.h"

#define APPLICATION_ID 0x696f6d75 /* "iomu": tells the file from other programs' */
#define BUSY_MS 30000		  /* so long another one that writes is waited for */

/*
 * Points lie in the order in which they are read: all of a series together. A deviation that is
 * NULL is that of one boot; a median is never NULL, which is what SQLite makes of a NAN.
 */
static const char tables[] =
	"CREATE TABLE runs (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE,"
	" folder TEXT NOT NULL, time INTEGER NOT NULL, git_revision TEXT NOT NULL,"
	" place TEXT NOT NULL, fingerprint TEXT NOT NULL, digest INTEGER NOT NULL);"
	"CREATE TABLE folders (name TEXT PRIMARY KEY, run INTEGER NOT NULL REFERENCES runs,"
	" manifest_mtime_ns INTEGER NOT NULL, manifest_bytes INTEGER NOT NULL,"
	" samples_mtime_ns INTEGER NOT NULL, samples_bytes INTEGER NOT NULL) WITHOUT ROWID;"
	"CREATE TABLE setups (id INTEGER PRIMARY KEY, place TEXT NOT NULL,"
	" fingerprint TEXT NOT NULL, settings TEXT NOT NULL,"
	" UNIQUE (place, fingerprint, settings));"
	"CREATE TABLE series (id INTEGER PRIMARY KEY, cell TEXT NOT NULL, metric TEXT NOT NULL,"
	" unit TEXT NOT NULL, direction TEXT NOT NULL, per_operation INTEGER NOT NULL,"
	" UNIQUE (cell, metric, unit, direction, per_operation));"
	"CREATE TABLE points (series INTEGER NOT NULL REFERENCES series,"
	" run INTEGER NOT NULL REFERENCES runs, setup INTEGER NOT NULL REFERENCES setups,"
	" median REAL NOT NULL, boots INTEGER NOT NULL, deviation REAL,"
	" PRIMARY KEY (series, run)) WITHOUT ROWID;";

int history_error(const struct history *history, const char *doing)
{
	log_err("%s: cannot %s: %s", history->path, doing, sqlite3_errmsg(history->db));
	return -EIO;
}

int history_exec(struct history *history, const char *sql, const char *doing)
{
	return sqlite3_exec(history->db, sql, NULL, NULL, NULL) ? history_error(history, doing) : 0;
}

int history_prepare(struct history *history, sqlite3_stmt **statement, const char *sql)
{
	if (*statement) {
		sqlite3_reset(*statement);
		return 0;
	}
	if (sqlite3_prepare_v2(history->db, sql, -1, statement, NULL))
		return history_error(history, "ask");
	return 0;
}

char *history_text(sqlite3_stmt *statement, int column)
{
	const char *text = (const char *)sqlite3_column_text(statement, column);

	return xstrdup(text ? text : "");
}

static int read_number(struct history *history, const char *sql, int64_t *value)
{
	sqlite3_stmt *statement = NULL;
	int ret = history_prepare(history, &statement, sql);

	if (!ret && sqlite3_step(statement) != SQLITE_ROW)
		ret = history_error(history, "read it");
	if (!ret)
		*value = sqlite3_column_int64(statement, 0);
	sqlite3_finalize(statement);
	return ret;
}

static int make_tables(struct history *history)
{
	autofree char *marks = xasprintf("PRAGMA application_id = %d; PRAGMA user_version = %d",
					 APPLICATION_ID, HISTORY_SCHEMA);
	int ret = history_exec(history, tables, "make its tables");

	return ret ? ret : history_exec(history, marks, "mark it");
}

/* In a transaction, so that two that begin a history do not both make its tables. */
static int check_schema(struct history *history)
{
	int64_t application = 0, version = 0, nr_tables = 0;
	int ret = read_number(history, "PRAGMA application_id", &application);

	if (!ret)
		ret = read_number(history, "PRAGMA user_version", &version);
	if (!ret)
		ret = read_number(history, "SELECT count(*) FROM sqlite_schema", &nr_tables);
	if (ret)
		return ret;
	if (!application && !version && !nr_tables)
		return make_tables(history);
	if (application != APPLICATION_ID) {
		log_err("%s: this is no history of iommubench: move it away", history->path);
		return -EINVAL;
	}
	if (version != HISTORY_SCHEMA) {
		log_err("%s: its schema is %lld, this program knows %d only: use the version that "
			"wrote it, or move it away to begin anew from the runs that are there",
			history->path, (long long)version, HISTORY_SCHEMA);
		return -EINVAL;
	}
	return 0;
}

int history_open(const char *path, struct history **out)
{
	struct history *history = xzalloc(sizeof(*history));
	int ret;

	history->path = xstrdup(path);
	ret = sqlite3_open_v2(path, &history->db,
			      SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
			      NULL); /* no threads */
	if (ret) {
		ret = history_error(history, "open it");
	} else {
		sqlite3_busy_timeout(history->db, BUSY_MS);
		ret = history_begin(history);
	}
	if (!ret)
		ret = check_schema(history);
	if (!ret)
		ret = history_commit(history);
	if (ret) {
		history_close(history);
		history = NULL;
	}
	*out = history;
	return ret;
}

void history_close(struct history *history)
{
	if (!history)
		return;
	sqlite3_stmt *const statements[] = {
		history->find_folder, history->set_folder, history->find_run,  history->drop_points,
		history->set_run,     history->find_setup, history->add_setup, history->find_series,
		history->add_series,  history->add_point,
	};

	for (size_t i = 0; i < ARRAY_SIZE(statements); i++)
		sqlite3_finalize(statements[i]);
	sqlite3_close(history->db);
	free(history->path);
	free(history);
}

int history_begin(struct history *history)
{
	return history_exec(history, "BEGIN IMMEDIATE", "write to it");
}

int history_commit(struct history *history)
{
	return history_exec(history, "COMMIT", "write to it");
}

static void bind_text(sqlite3_stmt *statement, int place, const char *text)
{
	sqlite3_bind_text(statement, place, text, -1, SQLITE_STATIC);
}

/* Runs a statement that gives no row. Frees it for the next use. */
static int finish(struct history *history, sqlite3_stmt *statement)
{
	int ret =
		sqlite3_step(statement) == SQLITE_DONE ? 0 : history_error(history, "write to it");

	sqlite3_reset(statement);
	return ret;
}

/* The first column of the first row, or *id 0 if there is no row. */
static int find_id(struct history *history, sqlite3_stmt *statement, int64_t *id)
{
	int step = sqlite3_step(statement);

	*id = step == SQLITE_ROW ? sqlite3_column_int64(statement, 0) : 0;
	sqlite3_reset(statement);
	return step == SQLITE_ROW || step == SQLITE_DONE ? 0 : history_error(history, "read it");
}

static void bind_stamp(sqlite3_stmt *statement, const char *folder,
		       const struct history_stamp *stamp)
{
	bind_text(statement, 1, folder);
	sqlite3_bind_int64(statement, 2, stamp->manifest_mtime_ns);
	sqlite3_bind_int64(statement, 3, stamp->manifest_bytes);
	sqlite3_bind_int64(statement, 4, stamp->samples_mtime_ns);
	sqlite3_bind_int64(statement, 5, stamp->samples_bytes);
}

int history_knows(struct history *history, const char *folder, const struct history_stamp *stamp,
		  bool *known)
{
	int64_t found = 0;
	int ret = history_prepare(history, &history->find_folder,
				  "SELECT 1 FROM folders WHERE name = ?1 AND"
				  " manifest_mtime_ns = ?2 AND manifest_bytes = ?3 AND"
				  " samples_mtime_ns = ?4 AND samples_bytes = ?5");

	if (!ret) {
		bind_stamp(history->find_folder, folder, stamp);
		ret = find_id(history, history->find_folder, &found);
	}
	*known = found;
	return ret;
}

int history_set_stamp(struct history *history, const char *folder,
		      const struct history_stamp *stamp, int64_t run)
{
	int ret = history_prepare(history, &history->set_folder,
				  "REPLACE INTO folders (name, manifest_mtime_ns, manifest_bytes,"
				  " samples_mtime_ns, samples_bytes, run)"
				  " VALUES (?1, ?2, ?3, ?4, ?5, ?6)");

	if (ret)
		return ret;
	bind_stamp(history->set_folder, folder, stamp);
	sqlite3_bind_int64(history->set_folder, 6, run);
	return finish(history, history->set_folder);
}

int history_find(struct history *history, const char *name, int64_t *id, char **folder,
		 uint64_t *digest)
{
	int ret = history_prepare(history, &history->find_run,
				  "SELECT id, folder, digest FROM runs WHERE name = ?1");
	int step;

	*id = 0;
	*folder = NULL;
	if (ret)
		return ret;
	bind_text(history->find_run, 1, name);
	step = sqlite3_step(history->find_run);
	if (step == SQLITE_ROW) {
		*id = sqlite3_column_int64(history->find_run, 0);
		*folder = history_text(history->find_run, 1);
		*digest = (uint64_t)sqlite3_column_int64(history->find_run, 2);
	} else if (step != SQLITE_DONE) {
		ret = history_error(history, "read it");
	}
	sqlite3_reset(history->find_run);
	return ret;
}

/* The id of what find selects; if there is none, add inserts it. Both are bound. */
static int find_or_add(struct history *history, sqlite3_stmt *find, sqlite3_stmt *add, int64_t *id)
{
	int ret = find_id(history, find, id);

	if (ret || *id)
		return ret;
	ret = finish(history, add);
	*id = sqlite3_last_insert_rowid(history->db);
	return ret;
}

static int find_setup(struct history *history, const struct history_run *run, const char *settings,
		      int64_t *id)
{
	int ret = history_prepare(history, &history->find_setup,
				  "SELECT id FROM setups WHERE place = ?1 AND fingerprint = ?2 AND"
				  " settings = ?3");

	if (!ret)
		ret = history_prepare(history, &history->add_setup,
				      "INSERT INTO setups (place, fingerprint, settings)"
				      " VALUES (?1, ?2, ?3)");
	if (ret)
		return ret;
	for (int i = 0; i < 2; i++) {
		sqlite3_stmt *statement = i ? history->add_setup : history->find_setup;

		bind_text(statement, 1, run->place);
		bind_text(statement, 2, run->fingerprint);
		bind_text(statement, 3, settings);
	}
	return find_or_add(history, history->find_setup, history->add_setup, id);
}

static int find_series(struct history *history, const struct history_value *value, int64_t *id)
{
	int ret = history_prepare(history, &history->find_series,
				  "SELECT id FROM series WHERE cell = ?1 AND metric = ?2 AND"
				  " unit = ?3 AND direction = ?4 AND per_operation = ?5");

	if (!ret)
		ret = history_prepare(history, &history->add_series,
				      "INSERT INTO series (cell, metric, unit, direction,"
				      " per_operation) VALUES (?1, ?2, ?3, ?4, ?5)");
	if (ret)
		return ret;
	for (int i = 0; i < 2; i++) {
		sqlite3_stmt *statement = i ? history->add_series : history->find_series;

		bind_text(statement, 1, value->cell);
		bind_text(statement, 2, value->metric);
		bind_text(statement, 3, value->unit);
		bind_text(statement, 4, direction_name(value->direction));
		sqlite3_bind_int(statement, 5, value->per_operation);
	}
	return find_or_add(history, history->find_series, history->add_series, id);
}

static int add_point(struct history *history, const struct history_run *run,
		     const struct history_value *value)
{
	int64_t setup = 0, series = 0;
	int ret = find_setup(history, run, value->settings, &setup);

	if (!ret)
		ret = find_series(history, value, &series);
	if (!ret)
		ret = history_prepare(history, &history->add_point,
				      "INSERT INTO points (series, run, setup, median, boots,"
				      " deviation) VALUES (?1, ?2, ?3, ?4, ?5, ?6)");
	if (ret)
		return ret;
	sqlite3_bind_int64(history->add_point, 1, series);
	sqlite3_bind_int64(history->add_point, 2, run->id);
	sqlite3_bind_int64(history->add_point, 3, setup);
	sqlite3_bind_double(history->add_point, 4, value->median);
	sqlite3_bind_int64(history->add_point, 5, value->boots);
	if (isnan(value->deviation))
		sqlite3_bind_null(history->add_point, 6);
	else
		sqlite3_bind_double(history->add_point, 6, value->deviation);
	return finish(history, history->add_point);
}

/* The row of the run, without points. */
static int set_run(struct history *history, struct history_run *run)
{
	int ret = history_prepare(history, &history->drop_points,
				  "DELETE FROM points WHERE run = ?1");
	autofree char *folder = NULL;
	uint64_t digest;

	if (!ret)
		ret = history_find(history, run->name, &run->id, &folder, &digest);
	if (!ret && run->id) {
		sqlite3_bind_int64(history->drop_points, 1, run->id);
		ret = finish(history, history->drop_points);
	}
	if (!ret)
		ret = history_prepare(history, &history->set_run,
				      "REPLACE INTO runs (id, name, folder, time, git_revision,"
				      " place, fingerprint, digest)"
				      " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)");
	if (ret)
		return ret;
	if (run->id)
		sqlite3_bind_int64(history->set_run, 1, run->id);
	else
		sqlite3_bind_null(history->set_run, 1); /* a new one */
	bind_text(history->set_run, 2, run->name);
	bind_text(history->set_run, 3, run->folder);
	sqlite3_bind_int64(history->set_run, 4, run->time);
	bind_text(history->set_run, 5, run->git_revision);
	bind_text(history->set_run, 6, run->place);
	bind_text(history->set_run, 7, run->fingerprint);
	sqlite3_bind_int64(history->set_run, 8, (sqlite3_int64)run->digest);
	ret = finish(history, history->set_run);
	if (!ret && !run->id)
		run->id = sqlite3_last_insert_rowid(history->db);
	return ret;
}

int history_add(struct history *history, struct history_run *run,
		const struct history_value *values, size_t nr)
{
	int ret = set_run(history, run);

	for (size_t i = 0; i < nr && !ret; i++)
		ret = add_point(history, run, &values[i]);
	return ret;
}
