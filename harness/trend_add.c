// SPDX-License-Identifier: GPL-2.0-only
/* trend: runs that are new go into the history. */
#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "harness/compare_data.h"
#include "harness/log.h"
#include "harness/manifest.h"
#include "harness/stats.h"
#include "harness/trend_data.h"

/* So many runs are added at once: each commit waits for the disk. */
#define RUNS_A_COMMIT 64
#define DAY_S 86400

struct adding {
	struct trend *t;
	struct history *history;
	size_t nr_open; /* runs of the transaction that is open */
};

static void skip(struct trend *t, const char *folder, const char *reason)
{
	size_t nr = t->nr_skipped;

	if (!(nr & (nr - 1))) /* full at each power of two */
		t->skipped = xrealloc(t->skipped, (nr ? nr * 2 : 1) * sizeof(*t->skipped));
	t->skipped[t->nr_skipped++] = (struct trend_skip){ xstrdup(folder), xstrdup(reason) };
	log_warn("%s/%s: skipped: %s: repair it or move it away", t->options->dir, folder, reason);
}

/* Without a file its size is -1. */
static void stamp_file(const char *dir, const char *folder, const char *name, int64_t *mtime_ns,
		       int64_t *bytes)
{
	autofree char *path = xasprintf("%s/%s/%s", dir, folder, name);
	struct stat st;
	bool there = !stat(path, &st);

	*mtime_ns = there ? (int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec : 0;
	*bytes = there ? (int64_t)st.st_size : -1;
}

/* --- a run as the history keeps it --- */

struct values {
	struct history_value *items;
	char **settings; /* a text for each cell of the report */
	size_t nr;
};

static void values_free(struct values *values, const struct compare_run *run)
{
	for (size_t i = 0; values->settings && i < run->report.nr_cells; i++)
		free(values->settings[i]);
	free(values->settings);
	free(values->items);
}

static void add_value(struct values *values, const struct compare_run *run,
		      const struct series *series)
{
	size_t cell = (size_t)(series->cell - run->report.cells);
	/* Counts become those per operation where compare would take them so. */
	const struct comparison c = { .base = *run, .value = *run };
	struct pair pair = { 0 };

	if (!values->settings[cell])
		values->settings[cell] = compare_cell_setup(&run->report, series->cell);
	compare_values(&c, series, NULL, &pair);
	values->items[values->nr++] = (struct history_value){
		.cell = series->cell->id,
		.metric = series->metric,
		.unit = series->unit,
		.direction = series->direction,
		.per_operation = pair.per_operation,
		.settings = values->settings[cell],
		.median = stats_median(pair.base, series->nr),
		.deviation = stats_deviation(pair.base, series->nr),
		.boots = (unsigned int)series->nr,
	};
	free(pair.base);
	free(pair.value);
}

static void collect_values(const struct compare_run *run, struct values *values)
{
	values->items = xzalloc((run->nr_series + 1) * sizeof(*values->items));
	values->settings = xzalloc((run->report.nr_cells + 1) * sizeof(*values->settings));
	for (size_t i = 0; i < run->nr_series; i++)
		add_value(values, run, &run->series[i]);
}

static uint64_t hash_text(uint64_t hash, const char *text)
{
	return fnv1a(hash, text, strlen(text) + 1);
}

static uint64_t digest_of(const struct history_run *run, const struct values *values)
{
	uint64_t hash = fnv1a(FNV1A_INIT, &run->time, sizeof(run->time));

	hash = hash_text(hash_text(hash, run->place), run->fingerprint);
	for (size_t i = 0; i < values->nr; i++) {
		const struct history_value *v = &values->items[i];

		hash = hash_text(hash_text(hash_text(hash, v->cell), v->metric), v->unit);
		hash = hash_text(hash, v->settings);
		hash = fnv1a(hash, &v->boots, sizeof(v->boots));
		hash = fnv1a(hash, &v->median, sizeof(v->median));
		if (v->boots > 1)
			hash = fnv1a(hash, &v->deviation, sizeof(v->deviation));
	}
	return hash;
}

static bool parse_time(const char *text, int64_t *seconds)
{
	struct tm tm = { 0 };
	const char *end = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);

	*seconds = timegm(&tm);
	return end && !strcmp(end, "Z");
}

static const char *has_controls(const char *text)
{
	for (; *text; text++)
		if (control_bytes(text))
			return "its run_id has a control character";
	return NULL;
}

/* What is missing for a run to have a place in the history, or NULL. */
static const char *describe(const struct compare_run *loaded, const char *folder,
			    struct history_run *run)
{
	const struct report *report = &loaded->report;
	json_t *environment = json_object_get(report->manifest, "environment");
	const char *fingerprint = json_string_value(json_object_get(environment, "fingerprint"));

	*run = (struct history_run){
		.name = report_text(report, "run_id"),
		.folder = folder,
		.git_revision = report_text(report, "git_revision"),
		.place = report_text(report, "where"),
		.fingerprint = fingerprint ? fingerprint : "",
	};
	if (!*run->name)
		return "its manifest has no run_id";
	if (!fingerprint)
		return "its manifest has no environment with a fingerprint";
	if (!parse_time(report_text(report, "started"), &run->time))
		return "its manifest has no time at which it started";
	if (run->time > (int64_t)time(NULL) + DAY_S)
		return "it started in the future: a clock was wrong";
	return has_controls(run->name);
}

/* --- adding --- */

static bool is_there(const struct trend *t, const char *folder)
{
	autofree char *path = xasprintf("%s/%s/manifest.json", t->options->dir, folder);

	return file_exists(path);
}

/*
 * The same id twice: a copy is fine, another content is not, unless it takes the place of what
 * the history was told.
 */
static int check_twin(struct adding *a, const struct history_run *run, bool *have)
{
	autofree char *folder = NULL;
	uint64_t digest = 0;
	int64_t id;
	int ret = history_find(a->history, run->name, &id, &folder, &digest);

	*have = false;
	if (ret || !id)
		return ret;
	*have = digest == run->digest;
	if (*have)
		return 0;
	if (!strcmp(folder, run->folder) || !is_there(a->t, folder)) {
		log_warn("%s/%s: run %s has changed since it was added: the history takes it anew",
			 a->t->options->dir, run->folder, run->name);
		return 0;
	}
	log_err("%s/%s and %s/%s are both run %s, with different content: remove the wrong one",
		a->t->options->dir, folder, a->t->options->dir, run->folder, run->name);
	return -EEXIST;
}

static int begin_run(struct adding *a)
{
	int ret = a->nr_open ? 0 : history_begin(a->history);

	if (!ret)
		a->nr_open++;
	return ret;
}

static int end_run(struct adding *a, bool last)
{
	if (!a->nr_open || (!last && a->nr_open < RUNS_A_COMMIT))
		return 0;
	a->nr_open = 0;
	return history_commit(a->history);
}

static int store(struct adding *a, struct history_run *run, const struct values *values,
		 const struct history_stamp *stamp)
{
	autofree char *folder = NULL;
	bool have = false;
	uint64_t digest;
	int ret = begin_run(a);

	if (!ret)
		ret = check_twin(a, run, &have);
	if (!ret && !have) {
		ret = history_add(a->history, run, values->items, values->nr);
		a->t->nr_added++;
	} else if (!ret) {
		ret = history_find(a->history, run->name, &run->id, &folder, &digest);
	}
	if (!ret)
		ret = history_set_stamp(a->history, run->folder, stamp, run->id);
	return ret ? ret : end_run(a, false);
}

/* A complete run. -EEXIST and what the history says are errors; what is unreadable is skipped. */
static int add_run(struct adding *a, const char *folder, const struct history_stamp *stamp)
{
	autofree char *dir = xasprintf("%s/%s", a->t->options->dir, folder);
	struct values values = { 0 };
	struct compare_run loaded;
	struct history_run run;
	const char *why;
	int ret = compare_run_load(dir, &loaded);

	/* A night in which every boot failed has no series; that it was is kept. */
	if (ret && !loaded.series) {
		skip(a->t, folder, "it cannot be read (see the log)");
		compare_run_free(&loaded);
		return 0;
	}
	why = describe(&loaded, folder, &run);
	ret = 0;
	if (why) {
		skip(a->t, folder, why);
	} else {
		collect_values(&loaded, &values);
		run.digest = digest_of(&run, &values);
		ret = store(a, &run, &values, stamp);
	}
	values_free(&values, &loaded);
	compare_run_free(&loaded);
	return ret;
}

static int look_at(struct adding *a, const char *folder)
{
	const char *dir = a->t->options->dir;
	autofree char *path = xasprintf("%s/%s", dir, folder);
	struct history_stamp stamp;
	struct manifest manifest;
	const char *status;
	bool known;
	int ret;

	stamp_file(dir, folder, "manifest.json", &stamp.manifest_mtime_ns, &stamp.manifest_bytes);
	if (stamp.manifest_bytes < 0)
		return 0;
	stamp_file(dir, folder, "samples.csv", &stamp.samples_mtime_ns, &stamp.samples_bytes);
	ret = history_knows(a->history, folder, &stamp, &known);
	if (ret || known)
		return ret;
	if (manifest_load(path, &manifest)) {
		skip(a->t, folder, "its manifest cannot be read (see the log)");
		return 0;
	}
	status = json_string_value(json_object_get(manifest.root, "status"));
	if (status && !strcmp(status, "complete"))
		ret = add_run(a, folder, &stamp);
	else
		strlist_addf(&a->t->notes, "not complete (%s), not added: %s",
			     status ? status : "no status", folder);
	manifest_free(&manifest);
	return ret;
}

/* Links are left out: `latest` is a run that is there by its own name. */
static int is_candidate(const struct dirent *entry)
{
	return entry->d_name[0] != '.' && entry->d_type != DT_LNK;
}

int trend_add_runs(struct trend *t, struct history *history)
{
	struct adding a = { .t = t, .history = history };
	struct dirent **entries;
	int nr = scandir(t->options->dir, &entries, is_candidate, alphasort), ret = 0;

	if (nr < 0) {
		ret = -errno;
		log_err("%s: %s", t->options->dir, strerror(-ret));
		return ret;
	}
	for (int i = 0; i < nr; i++) {
		if (!ret)
			ret = look_at(&a, entries[i]->d_name);
		free(entries[i]);
	}
	free((void *)entries);
	return ret ? ret : end_run(&a, true);
}
