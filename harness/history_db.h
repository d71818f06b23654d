/* SPDX-License-Identifier: GPL-2.0-only */
/* Inside of the history: SQLite, with its errors logged. */
#ifndef HARNESS_HISTORY_DB_H
#define HARNESS_HISTORY_DB_H

#include <sqlite3.h>

#include "harness/history.h"

struct history {
	char *path;
	sqlite3 *db;
	/* Prepared at their first use. */
	sqlite3_stmt *find_folder, *set_folder, *find_run, *drop_points, *set_run, *find_setup,
		*add_setup, *find_series, *add_series, *add_point;
};

/* Logs what SQLite says. Returns -EIO. */
int history_error(const struct history *history, const char *doing);
int history_exec(struct history *history, const char *sql, const char *doing);
/* Prepares sql if *statement is NULL, else resets it. */
int history_prepare(struct history *history, sqlite3_stmt **statement, const char *sql);
/* A column's text, "" for NULL, to free. */
char *history_text(sqlite3_stmt *statement, int column);

#endif
