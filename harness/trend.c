// SPDX-License-Identifier: GPL-2.0-only
/* `iommubench trend`: change points over the nightly history. */
#include "harness/trend.h"

#include <errno.h>
#include <string.h>

#include "harness/log.h"
#include "harness/run.h"
#include "harness/trend_data.h"

/* Emulated or not: some of its points may be of a place where it is judged. */
static bool wanted(const void *options, const struct history_series *series)
{
	return trend_wants(options, series, false);
}

static int read_acknowledged(struct trend *t)
{
	autofree char *usual = xasprintf("%s/acknowledged.yaml", t->options->dir);

	if (t->options->acknowledged)
		return trend_acks_load(t->options->acknowledged, &t->acks);
	return file_exists(usual) ? trend_acks_load(usual, &t->acks) : 0;
}

static int read_history(struct trend *t)
{
	autofree char *path = xasprintf("%s/history.sqlite", t->options->dir);
	struct history *history;
	int ret = history_open(path, &history);

	if (!ret)
		ret = trend_add_runs(t, history);
	if (!ret)
		ret = history_read(history, wanted, t->options, &t->data);
	history_close(history);
	return ret;
}

/* An exit code: EXIT_OK if everything was judged that can be. */
static int judge(struct trend *t)
{
	if (!file_exists(t->options->dir)) {
		log_err("%s: %s: give the folder that holds the runs", t->options->dir,
			strerror(ENOENT));
		return EXIT_USAGE;
	}
	if (read_acknowledged(t))
		return EXIT_USAGE;
	if (read_history(t))
		return EXIT_CELLS;
	if (trend_judge(t))
		return EXIT_USAGE;
	if (t->data.nr_unwanted)
		strlist_addf(&t->notes,
			     "%zu series of other metrics are kept, not judged (--all, --metrics)",
			     t->data.nr_unwanted);
	return EXIT_OK;
}

static int exit_status(const struct trend *t)
{
	for (size_t i = 0; i < t->nr_series; i++)
		if (trend_is_alarm(&t->series[i]))
			return EXIT_REGRESSION;
	if (t->nr_skipped)
		return EXIT_CELLS;
	return t->nr_judged ? EXIT_OK : EXIT_INCONCLUSIVE;
}

/* A page that cannot be written is no regression, and does not hide one. */
static int write_files(const struct trend *t)
{
	autofree char *usual = xasprintf("%s/trend.html", t->options->dir);
	int status = exit_status(t), ret = 0;

	if (t->options->junit)
		ret = trend_write_junit(t->options->junit, t, NULL);
	if (trend_write_html(t, t->options->html ? t->options->html : usual))
		ret = -EIO;
	return ret && status != EXIT_REGRESSION ? EXIT_CELLS : status;
}

static void print(const struct trend *t, int status, FILE *out)
{
	json_t *json;

	if (!t->options->as_json) {
		trend_print(t, out);
		return;
	}
	json = trend_json(t, status);
	json_dumpf(json, out, JSON_INDENT(2));
	fputc('\n', out);
	json_decref(json);
}

static void trend_free(struct trend *t)
{
	for (size_t i = 0; i < t->nr_series; i++)
		trend_series_free(&t->series[i]);
	for (size_t i = 0; i < t->nr_skipped; i++) {
		free(t->skipped[i].folder);
		free(t->skipped[i].reason);
	}
	free(t->series);
	free(t->skipped);
	trend_acks_free(&t->acks);
	strlist_free(&t->notes);
	history_data_free(&t->data);
}

int trend_command(const struct trend_options *options, FILE *out)
{
	struct trend t = { .options = options };
	int status = judge(&t);

	if (!status) {
		status = write_files(&t);
		print(&t, status, out);
	} else if (options->junit) {
		trend_write_junit(options->junit, NULL, "trend failed: its log says why");
	}
	trend_free(&t);
	return status;
}
