/* SPDX-License-Identifier: GPL-2.0-only */
/* Made-up nightly runs with known answers, and trend on them. */
#ifndef TESTS_NIGHTS_H
#define TESTS_NIGHTS_H

#include "tests/capture.h"

#include <jansson.h>
#include <time.h>

#include "harness/bootstrap.h"
#include "harness/run.h"
#include "harness/trend.h"

#define CELL "static.nvme.fio"

/* What is NULL or 0 is as usual. */
struct night {
	const char *folder, *run, *where, *fingerprint, *bs, *status, *started;
	const char *metric, *unit, *direction, *cell;
	const char *bad_status; /* of all boots */
	unsigned int boots;
};

static inline char *nights_path(const char *name)
{
	return xasprintf("%s/nights/%s", capture_dir, name);
}

static inline const char *usual(const char *text, const char *otherwise)
{
	return text ? text : otherwise;
}

static inline void put_file(const char *folder, const char *name, const char *text)
{
	autofree char *dir = nights_path(folder), *path = xasprintf("%s/%s", dir, name);

	assert_int_equal(mkdir_all(dir), 0);
	unlink(path); /* a new file, not the old one with its times */
	assert_int_equal(file_write(path, text, true), 0);
}

/* 2026-01-01 is day 0. To free. */
static inline char *night_time(unsigned int day)
{
	time_t seconds = 1767225600 + (time_t)day * 86400 + 7200;
	struct tm tm;
	char text[40];

	gmtime_r(&seconds, &tm);
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm);
	return xstrdup(text);
}

static inline char *night_run(unsigned int day)
{
	return xasprintf("night-%04u", day);
}

static inline void put_samples(const struct night *n, const char *folder, double value)
{
	struct strbuf rows = { 0 };

	strbuf_addf(&rows, "cell,mode,device,workload,variant,boot,metric,unit,direction,value\n");
	for (unsigned int b = 0; b < (n->boots ? n->boots : 3); b++) /* the median is the value */
		strbuf_addf(&rows, "%s,static,nvme,fio,,%u,%s,%s,%s,%.17g\n", usual(n->cell, CELL),
			    b, usual(n->metric, "read_iops"), usual(n->unit, "ops/s"),
			    usual(n->direction, "higher"), value + (b - 1.0) * 0.001 * value);
	put_file(folder, "samples.csv", rows.data);
	free(rows.data);
}

/* A run of one cell and one metric. */
static inline void put_night(unsigned int day, double value, const struct night *n)
{
	autofree char *run = night_run(day), *time = night_time(day), *manifest = NULL;
	struct strbuf boots = { 0 };
	const char *folder;

	folder = usual(n->folder, run);
	for (unsigned int b = 0; b < (n->boots ? n->boots : 3); b++)
		strbuf_addf(&boots, "%s{\"boot\": %u, \"status\": \"%s\"}", b ? ", " : "", b,
			    usual(n->bad_status, "ok"));
	manifest = xasprintf(
		"{\"schema\": 1, \"run_id\": \"%s\", \"status\": \"%s\", \"started\": \"%s\", "
		"\"where\": \"%s\", \"git_revision\": \"abc\", \"config\": {\"guest\": "
		"{\"cpus\": 1}, \"workloads\": [{\"name\": \"fio\", \"variant\": \"\", "
		"\"settings\": {\"bs\": %s}}]}, \"environment\": {\"fingerprint\": \"%s\"}, "
		"\"cells\": [{\"id\": \"%s\", \"mode\": \"static\", \"device\": \"nvme\", "
		"\"workload\": \"fio\", \"variant\": \"\", \"status\": \"ok\", \"reason\": null, "
		"\"boots\": [%s]}]}",
		usual(n->run, run), usual(n->status, "complete"), usual(n->started, time),
		usual(n->where, "host"), usual(n->bs, "4096"), usual(n->fingerprint, "00ff"),
		usual(n->cell, CELL), boots.data);
	put_file(folder, "manifest.json", manifest);
	put_samples(n, folder, value);
	free(boots.data);
}

/* Days from..to-1 around a level, CV 0.5 %, the same for the same day. */
static inline void put_nights(unsigned int from, unsigned int to, double level,
			      const struct night *n)
{
	for (unsigned int day = from; day < to; day++) {
		struct prng prng;

		prng_seed(&prng, day + 1);
		put_night(day, level * (1 + 0.005 * prng_normal(&prng)), n);
	}
}

#define NIGHT (&(const struct night){ 0 })

/* Runs trend on them. What it prints is in *printed, what it logs in *said (may be NULL). */
static inline int trend_with(struct trend_options options, char **printed, char **said)
{
	autofree char *dir = nights_path("");
	struct command_capture capture;
	int status;

	dir[strlen(dir) - 1] = '\0';
	options.dir = dir;
	options.scripts_dir = "scripts";
	command_begin(&capture);
	status = trend_command(&options, capture.out);
	command_end(&capture, printed, said);
	return status;
}

/* The same as JSON; a reference to give back. Its exit status is checked. */
static inline json_t *trend_json_of(struct trend_options options, int status)
{
	autofree char *text = NULL, *said = NULL;
	json_t *json;
	int found;

	options.as_json = true;
	found = trend_with(options, &text, &said);
	if (found != status)
		fail_msg("exit status %d, not %d: %s%s", found, status, said, text);
	json = json_loads(text, 0, NULL);
	assert_non_null(json);
	assert_int_equal(json_integer_value(json_object_get(json, "exit_status")), status);
	return json;
}

static inline const char *text_in(const json_t *json, const char *key)
{
	const char *text = json_string_value(json_object_get(json, key));

	return text ? text : "(none)";
}

/* The only series, the worst one of several. */
static inline json_t *first_series(const json_t *json)
{
	return json_array_get(json_object_get(json, "series"), 0);
}

static inline json_t *change_at(const json_t *json, size_t i)
{
	return json_array_get(json_object_get(first_series(json), "changes"), i);
}

static inline size_t nr_changes(const json_t *json)
{
	return json_array_size(json_object_get(first_series(json), "changes"));
}

/* Judges, and checks the verdict on the worst series. */
static inline void assert_verdict(int status, const char *verdict)
{
	json_t *json = trend_json_of((struct trend_options){ 0 }, status);

	assert_string_equal(text_in(first_series(json), "verdict"), verdict);
	json_decref(json);
}

/* Each test starts with an empty folder. */
static inline int nights_clean(void **state)
{
	autofree char *dir = nights_path("");
	int ret = remove_all(dir);

	return ret ? ret : mkdir_all(dir);
}

#endif
