// SPDX-License-Identifier: GPL-2.0-only
/* trend: what it found, for programs: JSON and JUnit. */
#include <errno.h>
#include <math.h>
#include <string.h>

#include "harness/log.h"
#include "harness/report_page.h"
#include "harness/run.h"
#include "harness/trend_data.h"

/* JSON has no infinite numbers, and no NAN. */
static json_t *number(double value)
{
	return isfinite(value) ? json_real(value) : json_null();
}

static json_t *text_or_null(const char *text)
{
	json_t *json = text ? json_string(text) : NULL; /* NULL as well: no UTF-8 */

	return json ? json : json_null();
}

static json_t *time_json(int64_t seconds)
{
	autofree char *text = trend_time(seconds);

	return json_string(text);
}

static json_t *change_json(const struct trend *t, const struct trend_series *s,
			   const struct trend_change *change)
{
	const struct history_run *run = &t->data.runs[change->run];

	return json_pack("{s:o, s:o, s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "run_id",
			 text_or_null(run->name), "time", time_json(run->time), "verdict",
			 trend_change_name(change, s->from->direction), "state",
			 trend_state_name(change->state), "before", number(change->before), "after",
			 number(change->after), "change", number(change->change), "p",
			 number(change->p), "q", number(change->q), "where",
			 text_or_null(run->place), "fingerprint", text_or_null(run->fingerprint),
			 "acknowledged", text_or_null(change->ack ? change->ack->reason : NULL));
}

static json_t *series_json(const struct trend *t, const struct trend_series *s)
{
	const struct history_point *newest = trend_newest(s);
	const struct history_run *run = &t->data.runs[newest->run];
	json_t *changes = json_array(), *json;
	json_int_t points = 0;

	for (size_t c = 0; c < s->nr_changes; c++)
		json_array_append_new(changes, change_json(t, s, &s->changes[c]));
	for (size_t i = 0; i < s->nr_tracks; i++)
		points += (json_int_t)s->tracks[i].nr;
	json = json_pack("{s:o, s:s, s:b}", "run_id", text_or_null(run->name), "where", run->place,
			 "live", s->tracks[s->newest].live);
	json_object_set_new(json, "time", time_json(run->time));
	json_object_set_new(json, "median", number(newest->median));
	json_object_set_new(json, "deviation", number((double)newest->deviation));
	json_object_set_new(json, "boots", json_integer(newest->boots));
	return json_pack("{s:o, s:o, s:o, s:s, s:b, s:s, s:I, s:o, s:o, s:o, s:o}", "cell",
			 text_or_null(s->from->cell), "metric", text_or_null(s->from->metric),
			 "unit", text_or_null(s->from->unit), "direction",
			 direction_name(s->from->direction), "per_operation",
			 s->from->per_operation, "verdict", trend_verdict_name(s->verdict),
			 "points", points, "newest", json, "level", number(trend_level(s)),
			 "since_start", number(trend_since_start(s)), "changes", changes);
}

static json_t *skipped_json(const struct trend *t)
{
	json_t *list = json_array();

	for (size_t i = 0; i < t->nr_skipped; i++)
		json_array_append_new(list, json_pack("{s:o, s:s}", "folder",
						      text_or_null(t->skipped[i].folder), "reason",
						      t->skipped[i].reason));
	return list;
}

static const char *overall(int status)
{
	return status == EXIT_REGRESSION     ? "regression"
	       : status == EXIT_CELLS	     ? "failed"
	       : status == EXIT_INCONCLUSIVE ? "too few nights"
					     : "no regression";
}

json_t *trend_json(const struct trend *t, int status)
{
	json_t *series = json_array(), *notes = json_array(), *newest = json_null(), *json;
	size_t nr = t->data.nr_runs;

	for (size_t i = 0; i < t->nr_series; i++)
		json_array_append_new(series, series_json(t, &t->series[i]));
	for (size_t i = 0; i < t->notes.nr; i++)
		json_array_append_new(notes, text_or_null(t->notes.items[i]));
	if (nr)
		newest = json_pack("{s:o, s:o, s:o}", "run_id",
				   text_or_null(t->data.runs[nr - 1].name), "time",
				   time_json(t->data.runs[nr - 1].time), "git_revision",
				   text_or_null(t->data.runs[nr - 1].git_revision));
	json = json_pack("{s:i, s:s, s:o, s:i, s:s, s:I, s:I, s:o}", "schema", 1, "kind", "trend",
			 "directory", text_or_null(t->options->dir), "exit_status", status,
			 "verdict", overall(status), "runs", (json_int_t)nr, "added",
			 (json_int_t)t->nr_added, "newest", newest);
	json_object_set_new(json, "alpha", json_real(TREND_ALPHA));
	json_object_set_new(json, "recent", json_integer(TREND_RECENT));
	json_object_set_new(json, "min_points", json_integer(TREND_MIN_POINTS));
	json_object_set_new(json, "skipped", skipped_json(t));
	json_object_set_new(json, "notes", notes);
	json_object_set_new(json, "series", series);
	return json;
}

/* --- JUnit --- */

/* XML takes neither what is no UTF-8, nor U+FFFE and U+FFFF; page_text() drops control characters.
 */
static void xml_text(struct strbuf *sb, const char *text)
{
	json_t *valid = json_string(text);
	struct strbuf clean = { 0 };

	strbuf_add(&clean, "", 0);
	for (const char *c = valid ? text : "(no UTF-8)"; *c; c++) {
		if (!strncmp(c, "\xef\xbf\xbe", 3) || !strncmp(c, "\xef\xbf\xbf", 3))
			c += 2;
		else
			strbuf_add(&clean, c, 1);
	}
	page_text(sb, clean.data);
	free(clean.data);
	json_decref(valid);
}

static void open_case(struct strbuf *sb, const char *class_name, const char *name)
{
	strbuf_addf(sb, "  <testcase classname=\"");
	xml_text(sb, class_name);
	strbuf_addf(sb, "\" name=\"");
	xml_text(sb, name);
	strbuf_addf(sb, "\">");
}

/* An element with a message in an attribute; then the case is closed. */
static void close_case(struct strbuf *sb, const char *element, const char *type,
		       const char *message)
{
	if (element) {
		strbuf_addf(sb, "<%s", element);
		if (type)
			strbuf_addf(sb, " type=\"%s\"", type);
		strbuf_addf(sb, " message=\"");
		xml_text(sb, message);
		strbuf_addf(sb, "\"/>");
	}
	strbuf_addf(sb, "</testcase>\n");
}

static void add_series_case(struct strbuf *sb, const struct trend *t, const struct trend_series *s)
{
	autofree char *metric = trend_metric(s->from), *text = trend_sentence(t, s);

	open_case(sb, s->from->cell, metric);
	if (trend_is_alarm(s))
		close_case(sb, "failure", "regression", text);
	else if (s->verdict == TREND_TOO_FEW || s->verdict == TREND_ENDED)
		close_case(sb, "skipped", NULL, text);
	else
		close_case(sb, NULL, NULL, NULL);
}

static void add_cases(struct strbuf *sb, const struct trend *t)
{
	for (size_t i = 0; i < t->nr_series; i++)
		add_series_case(sb, t, &t->series[i]);
	for (size_t i = 0; i < t->nr_skipped; i++) {
		open_case(sb, "runs", t->skipped[i].folder);
		close_case(sb, "error", "unreadable", t->skipped[i].reason);
	}
}

static size_t nr_alarms(const struct trend *t)
{
	return trend_count(t, TREND_REGRESSION) + trend_count(t, TREND_SUSPECTED);
}

int trend_write_junit(const char *path, const struct trend *t, const char *failure)
{
	struct strbuf sb = { 0 };
	int ret;

	strbuf_addf(&sb,
		    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n<testsuite "
		    "name=\"iommubench trend\" tests=\"%zu\" failures=\"%zu\" errors=\"%zu\" "
		    "skipped=\"%zu\">\n",
		    failure ? 1 : t->nr_series + t->nr_skipped, failure ? 0 : nr_alarms(t),
		    failure ? 1 : t->nr_skipped,
		    failure ? 0 : trend_count(t, TREND_TOO_FEW) + trend_count(t, TREND_ENDED));
	if (failure) {
		open_case(&sb, "iommubench", "trend");
		close_case(&sb, "error", "trend", failure);
	} else {
		add_cases(&sb, t);
	}
	strbuf_addf(&sb, "</testsuite>\n</testsuites>\n");
	ret = file_replace(path, sb.data, sb.len);
	if (ret)
		log_err("%s: %s", path, strerror(-ret));
	free(sb.data);
	return ret;
}
