// SPDX-License-Identifier: GPL-2.0-only
/* Noise floors from known boots, how often the gate is wrong on them, and where they are kept. */
#include "tests/close.h"
#include "tests/made_runs.h"

#include <jansson.h>

#include "harness/bootstrap.h"
#include "harness/calibrate.h"
#include "harness/floors.h"

#define NR 20

static struct pool normal_pool(const char *metric, double cv, uint64_t seed)
{
	struct pool pool = { .cell = xstrdup("c"),
			     .metric = xstrdup(metric),
			     .direction = DIRECTION_LOWER,
			     .values = xzalloc(NR * sizeof(double)),
			     .nr = NR };
	struct prng prng;

	prng_seed(&prng, seed);
	for (size_t i = 0; i < NR; i++)
		pool.values[i] = 1000 * (1 + cv * prng_normal(&prng));
	return pool;
}

static void pool_free(struct pool *pool)
{
	free(pool->cell);
	free(pool->metric);
	free(pool->values);
}

/*
 * Of 10 against 10 boots a shift has the deviation CV * sqrt(2 / 10 * pi / 3) and 95 % of them are
 * within 1.96 of it: 0.90 CV; the CV of 20 boots is itself known to 30 %.
 */
static void floors_grow_with_the_noise(void **state)
{
	static const double cvs[] = { 0.01, 0.02, 0.05 };

	for (size_t i = 0; i < ARRAY_SIZE(cvs); i++) {
		double mean = 0;

		for (uint64_t seed = 0; seed < 10; seed++) {
			struct pool pool = normal_pool("m", cvs[i], 10 * i + seed);
			double again;

			calibrate_floor(&pool, 1);
			again = pool.floor;
			calibrate_floor(&pool, 1);
			assert_close(pool.floor, again, 0);
			assert_true(pool.floor > 0.5 * cvs[i] && pool.floor < 1.5 * cvs[i]);
			mean += pool.floor / 10;
			pool_free(&pool);
		}
		print_message("CV %.0f %%: floor %.2f %%\n", 100 * cvs[i], 100 * mean);
		assert_close(mean, 0.90 * cvs[i], 0.15 * cvs[i]);
	}
}

static void floors_of_odd_boots(void **state)
{
	struct pool pool = normal_pool("m", 0, 1);

	calibrate_floor(&pool, 1); /* constant */
	assert_close(pool.floor, CALIBRATE_FLOOR_MIN, 0);
	pool.between = 0.07; /* but not from run to run */
	calibrate_floor(&pool, 1);
	assert_close(pool.floor, 0.07, 0);
	pool.between = 3; /* three times as much: no floor that would mean anything */
	calibrate_floor(&pool, 1);
	assert_close(pool.floor, CALIBRATE_FLOOR_MAX, 0);
	pool.nr = 11;
	calibrate_floor(&pool, 1);
	assert_true(isnan(pool.floor));
	pool.nr = NR;
	pool.between = 0;
	for (size_t i = 0; i < NR; i++)
		pool.values[i] = i < 8; /* a median of 0 */
	calibrate_floor(&pool, 1);
	assert_true(isfinite(pool.floor));
	pool_free(&pool);
}

static void alarms_are_counted(void **state)
{
	struct pool items[] = { normal_pool("m", 0.03, 1), normal_pool("n", 0.05, 2) };
	struct pools pools = { items, ARRAY_SIZE(items) };
	struct alarm_rate usual, own;

	for (size_t i = 0; i < pools.nr; i++)
		calibrate_floor(&items[i], 1);
	usual = calibrate_alarms(&pools, false, 2);
	own = calibrate_alarms(&pools, true, 2);
	print_message("alarms: %u of %u, with their own floors %u\n", usual.alarms, usual.splits,
		      own.alarms);
	assert_int_equal(usual.splits, CALIBRATE_SPLITS);
	assert_in_range(usual.alarms, 1, CALIBRATE_SPLITS / 100); /* it can see some */
	assert_true(own.alarms <= usual.alarms);
	assert_true(usual.low > 0 && usual.low < (double)usual.alarms / usual.splits);
	assert_true(usual.high > (double)usual.alarms / usual.splits && usual.high < 0.03);
	items[0].between = items[1].between = 0.5;
	for (size_t i = 0; i < pools.nr; i++)
		calibrate_floor(&items[i], 1);
	own = calibrate_alarms(&pools, true, 2);
	assert_int_equal(own.alarms, 0);
	/* Wilson: z^2 / (n + z^2) */
	assert_close(own.low, 0, 1e-12);
	assert_close(own.high, 3.841459 / 1003.841459, 1e-6);
	for (size_t i = 0; i < pools.nr; i++)
		pool_free(&items[i]);
}

/* --- from runs --- */

static int calibrate_of(const char *value, const char *floors, char **printed, char **said)
{
	char *runs[] = { xasprintf("%s/base", capture_dir),
			 xasprintf("%s/%s", capture_dir, value) };
	struct calibrate_options options = { .runs = runs, .nr_runs = 2, .floors = floors };
	struct command_capture capture;
	int code;

	command_begin(&capture);
	code = calibrate_runs(&options, capture.out);
	command_end(&capture, printed, said);
	free(runs[0]);
	free(runs[1]);
	return code;
}

static int calibrate(const char *floors, char **printed, char **said)
{
	return calibrate_of("new", floors, printed, said);
}

static double floor_in(const char *path, const char *host, const char *metric)
{
	struct floors floors;
	double floor, margin;

	assert_int_equal(floors_load(path, host, &floors), 0);
	floors_of(&floors, metric, &floor, &margin);
	assert_true(margin >= floor && margin >= MARGIN_DEFAULT);
	floors_free(&floors);
	return floor;
}

/* Two runs of the same, 3 % apart: the host does that by itself, so it is no regression. */
static void compare_finds_them(void **state)
{
	autofree char *printed = NULL, *compared = NULL, *path = floors_default_path();

	put_iops("base", &(struct made){ 0 }, 1000);
	put_iops("new", &(struct made){ 0 }, 970);
	assert_int_equal(compare_with((struct compare_options){ 0 }, NULL, NULL), EXIT_REGRESSION);
	assert_int_equal(calibrate(NULL, &printed, NULL), EXIT_OK);
	assert_contains(printed, "read_iops");
	assert_contains(printed, "3.00 %     20  " FIO);
	assert_contains(printed, "1 of 1 comparisons raise an alarm");
	assert_contains(printed, "kept for the host 00ff in ");
	assert_close(floor_in(path, "00ff", "read_iops"), 0.03, 1e-3);
	assert_int_equal(compare_with((struct compare_options){ 0 }, &compared, NULL), EXIT_OK);
	assert_contains(compared, "noise floors of this host from ");
	assert_int_equal(compare_with((struct compare_options){ .floors = "none" }, NULL, NULL),
			 EXIT_REGRESSION);
}

/* Of another host, those are not used, and nobody is warned who has not asked for any. */
static void other_hosts_keep_theirs(void **state)
{
	autofree char *path = path_of("floors", "f.json"), *said = NULL;

	put("floors", "f.json",
	    "{\"schema\": 1, \"hosts\": {\"beef\": {\"metrics\": {\"read_iops\": 0.2}}, "
	    "\"00ff\": {\"default\": 0.5}}}");
	put_iops("base", &(struct made){ 0 }, 1000);
	put_iops("new", &(struct made){ 0 }, 1000);
	assert_int_equal(calibrate(path, NULL, NULL), EXIT_OK);
	assert_close(floor_in(path, "beef", "read_iops"), 0.2, 0);
	assert_true(floor_in(path, "00ff", "read_iops") < 0.01);
	assert_close(floor_in(path, "00ff", "other"), FLOOR_DEFAULT, 0); /* the old are gone */
	put_iops("new", &(struct made){ 0 }, 900);
	setenv("XDG_STATE_HOME", "/no/such/folder", 1);
	assert_int_equal(compare_with((struct compare_options){ 0 }, NULL, &said), EXIT_REGRESSION);
	assert_string_equal(said, "");
}

#define SIDE(side) "{\"session\": \"s\", \"side\": \"" side "\", \"looks\": [10]}"

static void nothing_is_set_from_nothing(void **state)
{
	autofree char *path = path_of("floors", "f.json"), *few = NULL, *other = NULL;
	autofree char *broken = NULL, *text = NULL, *tested = NULL, *twice = NULL;

	put_iops("base", &(struct made){ .boots = 5 }, 1000);
	put_iops("new", &(struct made){ .boots = 6 }, 1000);
	assert_int_equal(calibrate(path, NULL, &few), EXIT_USAGE);
	assert_contains(few, "no metric has 12 boots in a cell over all runs");
	put_iops("new", &(struct made){ .fingerprint = "beef" }, 1000);
	assert_int_equal(calibrate(path, NULL, &other), EXIT_USAGE);
	assert_contains(other, "not comparable");
	put_iops("base", &(struct made){ .ab = SIDE("a") }, 1000);
	put_iops("new", &(struct made){ .ab = SIDE("b"), .bs = "8192" }, 1000);
	assert_int_equal(calibrate(path, NULL, &tested), EXIT_USAGE);
	assert_contains(tested, "their difference is no noise");
	put_iops("base", &(struct made){ 0 }, 1000);
	assert_int_equal(calibrate_of("base", path, NULL, &twice), EXIT_USAGE);
	assert_contains(twice, "the same run twice");
	assert_false(file_exists(path));
	put("floors", "f.json", "{\"schema\": 7}");
	put_iops("base", &(struct made){ 0 }, 1000);
	put_iops("new", &(struct made){ 0 }, 1000);
	assert_int_equal(calibrate(path, NULL, &broken), EXIT_USAGE);
	assert_contains(broken, "f.json: schema: not 1");
	text = file_read(path, NULL);
	assert_string_equal(text, "{\"schema\": 7}");
}

#define CLEAN_TEST(f) cmocka_unit_test_setup(f, made_runs_clean)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(floors_grow_with_the_noise),
		cmocka_unit_test(floors_of_odd_boots),
		cmocka_unit_test(alarms_are_counted),
		CLEAN_TEST(compare_finds_them),
		CLEAN_TEST(other_hosts_keep_theirs),
		CLEAN_TEST(nothing_is_set_from_nothing),
	};

	return cmocka_run_group_tests(tests, capture_setup, capture_teardown);
}
