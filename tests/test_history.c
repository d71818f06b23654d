// SPDX-License-Identifier: GPL-2.0-only
/* The history file: what is kept, what is refused, and what a crash leaves. */
#include "tests/nights.h"

#include <errno.h>
#include <math.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/wait.h>

#include "harness/history.h"

static bool all_series(const void *arg, const struct history_series *series)
{
	return true;
}

static struct history *open_history(void)
{
	autofree char *path = nights_path("history.sqlite");
	struct history *history;

	assert_int_equal(history_open(path, &history), 0);
	return history;
}

static void read_history(struct history_data *data)
{
	struct history *history = open_history();

	assert_int_equal(history_read(history, all_series, NULL, data), 0);
	history_close(history);
}

static int add(struct history *history, const char *name, int64_t time, double median)
{
	struct history_run run = { .name = name,
				   .folder = name,
				   .time = time,
				   .git_revision = "abc",
				   .place = "host",
				   .fingerprint = "00ff",
				   .digest = (uint64_t)-1 };
	const struct history_value values[] = {
		{ CELL, "read_iops", "ops/s", DIRECTION_HIGHER, false, "s", median, 1.5, 3 },
		{ CELL, "vm_exits", "count", DIRECTION_LOWER, true, "s", 7, NAN, 1 },
	};
	int ret = history_begin(history);

	if (!ret)
		ret = history_add(history, &run, values, ARRAY_SIZE(values));
	return ret ? ret : history_commit(history);
}

static void what_goes_in_comes_out(void **state)
{
	struct history *history = open_history();
	struct history_data data;
	autofree char *folder = NULL;
	uint64_t digest;
	int64_t id;

	assert_int_equal(add(history, "b", 200, 1000), 0);
	assert_int_equal(add(history, "a", 100, 900), 0);  /* an older one, later */
	assert_int_equal(add(history, "b", 200, 1001), 0); /* takes the place of the first */
	assert_int_equal(history_find(history, "b", &id, &folder, &digest), 0);
	assert_true(id > 0 && digest == (uint64_t)-1);
	assert_string_equal(folder, "b");
	history_close(history);
	read_history(&data);
	assert_int_equal(data.nr_runs, 2);
	assert_string_equal(data.runs[0].name, "a");
	assert_string_equal(data.runs[1].name, "b");
	assert_int_equal(data.nr_setups, 1);
	assert_int_equal(data.nr_series, 2);
	assert_string_equal(data.series[0].metric, "read_iops");
	assert_int_equal(data.series[0].nr, 2);
	assert_true(data.series[0].points[0].median == 900);
	assert_true(data.series[0].points[1].median == 1001);
	assert_true(data.series[0].points[1].deviation == 1.5F);
	assert_int_equal(data.series[0].points[1].boots, 3);
	assert_true(data.series[1].per_operation);
	assert_true(isnan(data.series[1].points[0].deviation));
	history_data_free(&data);
}

static void nan_is_refused(void **state)
{
	struct history *history = open_history();
	autofree char *said = NULL;
	int ret;

	capture_begin();
	ret = add(history, "a", 100, NAN);
	said = capture_end();
	assert_int_equal(ret, -EIO);
	assert_contains(said, "NOT NULL constraint failed: points.median");
	history_close(history);
	struct history_data data;

	read_history(&data);
	assert_int_equal(data.nr_runs, 0);
	history_data_free(&data);
}

static void only_known_folders_are_known(void **state)
{
	const struct history_stamp stamp = { 1, 2, 3, 4 }, other = { 1, 2, 3, 5 };
	struct history *history = open_history();
	bool known;

	assert_int_equal(add(history, "a", 100, 1), 0);
	assert_int_equal(history_knows(history, "a", &stamp, &known), 0);
	assert_false(known);
	assert_int_equal(history_set_stamp(history, "a", &stamp, 1), 0);
	assert_int_equal(history_knows(history, "a", &stamp, &known), 0);
	assert_true(known);
	assert_int_equal(history_knows(history, "a", &other, &known), 0);
	assert_false(known);
	history_close(history);
}

/* Refused, each with one line that names the file, and left as it is. */
static void refuses_what_is_no_history(void **state)
{
	static const struct {
		const char *sql, *text, *said;
	} cases[] = {
		{ NULL, "this is no database, but it is long enough to look like one",
		  "not a database" },
		{ "CREATE TABLE t (x)", NULL, "no history of iommubench" },
		{ "PRAGMA application_id = 1768910197; PRAGMA user_version = 2; CREATE TABLE t (x)",
		  NULL, "its schema is 2" },
	};
	autofree char *path = nights_path("history.sqlite");

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		autofree char *said = NULL, *printed = NULL;
		struct history *history;
		sqlite3 *db;
		int ret;

		nights_clean(NULL);
		if (cases[i].sql) {
			assert_int_equal(sqlite3_open(path, &db), 0);
			assert_int_equal(sqlite3_exec(db, cases[i].sql, NULL, NULL, NULL), 0);
			sqlite3_close(db);
		} else {
			put_file("", "history.sqlite", cases[i].text);
		}
		capture_begin();
		ret = history_open(path, &history);
		said = capture_end();
		assert_true(ret < 0);
		assert_null(history);
		assert_one_line(said);
		assert_contains(said, "history.sqlite: ");
		assert_contains(said, cases[i].said);
		put_nights(0, 12, 1000, NIGHT);
		assert_int_equal(trend_with((struct trend_options){ 0 }, &printed, NULL),
				 EXIT_CELLS);
		assert_string_equal(printed, "");
	}
}

static void damaged_points_are_refused(void **state)
{
	autofree char *path = nights_path("history.sqlite");
	struct history *history = open_history();
	sqlite3 *db;

	assert_int_equal(add(history, "a", 100, 1), 0);
	history_close(history);
	assert_int_equal(sqlite3_open(path, &db), 0);
	assert_int_equal(sqlite3_exec(db, "UPDATE points SET median = 'x'", NULL, NULL, NULL), 0);
	sqlite3_close(db);
	assert_int_equal(trend_with((struct trend_options){ 0 }, NULL, NULL), EXIT_CELLS);
}

/* Killed again and again while it adds 150 runs: each is in it once in the end. */
static void a_crash_loses_and_doubles_nothing(void **state)
{
	unsigned int nr_killed = 0;
	struct history_data data;

	put_nights(0, 150, 1000, NIGHT);
	for (unsigned int ms = 1;; ms += 2) {
		pid_t pid = fork();
		int status;

		assert_true(pid >= 0);
		if (!pid) {
			trend_with((struct trend_options){ 0 }, NULL, NULL);
			_exit(0);
		}
		usleep(ms * 1000);
		kill(pid, SIGKILL);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		if (WIFEXITED(status))
			break;
		nr_killed++;
		assert_true(ms < 60000);
	}
	assert_true(nr_killed > 2);
	read_history(&data);
	assert_int_equal(data.nr_runs, 150);
	assert_int_equal(data.nr_series, 1);
	assert_int_equal(data.series[0].nr, 150);
	for (unsigned int day = 0; day < 150; day++) {
		struct prng prng;
		double expected;

		prng_seed(&prng, day + 1);
		expected = 1000 * (1 + 0.005 * prng_normal(&prng));
		assert_true(fabs(data.series[0].points[day].median - expected) < 1e-9);
		assert_int_equal(data.series[0].points[day].run, day);
	}
	history_data_free(&data);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(what_goes_in_comes_out, nights_clean),
		cmocka_unit_test_setup(nan_is_refused, nights_clean),
		cmocka_unit_test_setup(only_known_folders_are_known, nights_clean),
		cmocka_unit_test_setup(refuses_what_is_no_history, nights_clean),
		cmocka_unit_test_setup(damaged_points_are_refused, nights_clean),
		cmocka_unit_test_setup(a_crash_loses_and_doubles_nothing, nights_clean),
	};

	return cmocka_run_group_tests(tests, capture_setup, capture_teardown);
}
