// SPDX-License-Identifier: GPL-2.0-only
/*
 * trend over many series: false alarms of a whole night, power, and what ten years cost. With
 * IOMMUBENCH_TEN_YEARS=DIR the last test makes all 3,650 nights of 500 series, for a
 * `time iommubench trend DIR`; otherwise fewer.
 */
#include "tests/nights.h"

#include <math.h>
#include <sys/resource.h>

#include "harness/history.h"
#include "harness/trend_data.h"

#define SERIES 60
#define NIGHTS 40

static char *numbered(const char *what, size_t i)
{
	return xasprintf("%s%04zu", what, i);
}

/* In memory, as history_read() would give it. */
static void make_data(struct history_data *data)
{
	*data = (struct history_data){ .nr_runs = NIGHTS, .nr_setups = 1, .nr_series = SERIES };
	data->runs = xzalloc(NIGHTS * sizeof(*data->runs));
	data->setups = xzalloc(sizeof(*data->setups));
	data->series = xzalloc(SERIES * sizeof(*data->series));
	for (size_t i = 0; i < NIGHTS; i++)
		data->runs[i] = (struct history_run){ .id = (int64_t)i + 1,
						      .name = numbered("night", i),
						      .folder = xstrdup(""),
						      .time = (int64_t)i * 86400,
						      .git_revision = xstrdup(""),
						      .place = xstrdup("host"),
						      .fingerprint = xstrdup("00ff") };
	data->setups[0] =
		(struct history_setup){ 1, xstrdup("host"), xstrdup("00ff"), xstrdup("") };
	for (size_t i = 0; i < SERIES; i++)
		data->series[i] = (struct history_series){
			.id = (int64_t)i + 1,
			.cell = numbered("cell", i),
			.metric = xstrdup("read_iops"),
			.unit = xstrdup("ops/s"),
			.direction = DIRECTION_HIGHER,
			.points = xzalloc(NIGHTS * sizeof(struct history_point)),
			.nr = NIGHTS
		};
}

/* The first series steps down by that much some nights ago; all others are noise. */
static void fill(struct history_data *data, struct prng *prng, double cv, double step,
		 size_t nights)
{
	for (size_t i = 0; i < SERIES; i++)
		for (size_t n = 0; n < NIGHTS; n++)
			data->series[i].points[n] = (struct history_point){
				.median = 1000 * (1 + cv * prng_normal(prng)) *
					  (i || n + nights < NIGHTS ? 1 : 1 - step),
				.deviation = 1,
				.run = (unsigned int)n,
				.boots = 5,
			};
}

/* How many nights of so many raise an alarm; in the first series, and in others. */
static void judge_nights(double cv, double step, size_t age, size_t nr, size_t alarms[2])
{
	const struct trend_options options = { .scripts_dir = "scripts" };
	struct trend t = { .options = &options };
	struct prng prng;

	alarms[0] = alarms[1] = 0;
	prng_seed(&prng, 20260101);
	make_data(&t.data);
	for (size_t i = 0; i < nr; i++) {
		bool first = false, other = false;

		fill(&t.data, &prng, cv, step, age);
		assert_int_equal(trend_judge(&t), 0);
		for (size_t s = 0; s < t.nr_series; s++) {
			if (!trend_is_alarm(&t.series[s]))
				continue;
			first |= t.series[s].from == t.data.series;
			other |= t.series[s].from != t.data.series;
		}
		alarms[0] += first;
		alarms[1] += other;
		for (size_t s = 0; s < t.nr_series; s++)
			trend_series_free(&t.series[s]);
		free(t.series);
		t.series = NULL;
		t.nr_series = t.nr_judged = 0;
	}
	history_data_free(&t.data);
}

/* Of 1,000 nights with 60 series of noise at most 2 % are red. */
static void few_red_nights_on_noise(void **state)
{
	static const double cvs[] = { 0.01, 0.03, 0.05 };

	for (size_t i = 0; i < ARRAY_SIZE(cvs); i++) {
		size_t alarms[2];

		judge_nights(cvs[i], 0, 0, 1000, alarms);
		print_message("CV %.0f %%: %zu of 1000 nights are red\n", 100 * cvs[i],
			      alarms[0] + alarms[1]);
		assert_in_range(alarms[0] + alarms[1], 0, 20);
	}
}

/* A step in one of 60 series, so many nights ago: how often it is an alarm. */
static void steps_are_seen_among_many_series(void **state)
{
	static const struct {
		double cv, step;
		size_t age, percent;
	} cases[] = {
		{ 0.01, 0.03, 6, 90 }, { 0.01, 0.05, 3, 90 }, { 0.01, 0.10, 1, 95 },
		{ 0.02, 0.05, 8, 90 }, { 0.02, 0.10, 3, 90 }, { 0.03, 0.10, 6, 90 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		size_t alarms[2];

		judge_nights(cases[i].cv, cases[i].step, cases[i].age, 100, alarms);
		print_message("CV %.0f %%, step %.0f %%, %zu nights: seen in %zu of 100\n",
			      100 * cases[i].cv, 100 * cases[i].step, cases[i].age, alarms[0]);
		assert_true(alarms[0] >= cases[i].percent);
	}
}

static void make_history(const char *path, size_t nr_nights, size_t nr_series)
{
	autofree struct history_value *values = xzalloc(nr_series * sizeof(*values));
	struct history *history;
	struct prng prng;

	prng_seed(&prng, 1);
	assert_int_equal(history_open(path, &history), 0);
	assert_int_equal(history_begin(history), 0);
	for (size_t i = 0; i < nr_series; i++)
		values[i] = (struct history_value){ .cell = numbered("cell", i),
						    .metric = "read_iops",
						    .unit = "ops/s",
						    .direction = DIRECTION_HIGHER,
						    .settings = "s",
						    .deviation = 12,
						    .boots = 5 };
	for (size_t n = 0; n < nr_nights; n++) {
		autofree char *name = numbered("night", n);
		struct history_run run = { .name = name,
					   .folder = name,
					   .time = (int64_t)n * 86400,
					   .git_revision = "abc",
					   .place = "host",
					   .fingerprint = "00ff" };

		for (size_t i = 0; i < nr_series; i++)
			values[i].median = 1000 * (1 + 0.02 * prng_normal(&prng));
		assert_int_equal(history_add(history, &run, values, nr_series), 0);
	}
	assert_int_equal(history_commit(history), 0);
	history_close(history);
	for (size_t i = 0; i < nr_series; i++)
		free((char *)values[i].cell);
}

static double cpu_s(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
	       (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1e-6;
}

/* Its cost grows with the number of points only: an hour would be a mistake in the method. */
static void long_histories_are_cheap(void **state)
{
	const char *full = getenv("IOMMUBENCH_TEN_YEARS");
	autofree char *own = nights_path(""), *path = NULL;
	double start;

	path = xasprintf("%s/history.sqlite", full ? full : own);
	make_history(path, full ? 3650 : 730, full ? 500 : 50);
	if (full)
		return;
	start = cpu_s();
	assert_int_equal(trend_with((struct trend_options){ 0 }, NULL, NULL), EXIT_OK);
	assert_true(cpu_s() - start < 5); /* 0.05 s, many times more with sanitizers */
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(few_red_nights_on_noise),
		cmocka_unit_test(steps_are_seen_among_many_series),
		cmocka_unit_test_setup(long_histories_are_cheap, nights_clean),
	};

	return cmocka_run_group_tests(tests, capture_setup, capture_teardown);
}
