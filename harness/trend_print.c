// SPDX-License-Identifier: GPL-2.0-only
/* trend: what it found, for people. */
#include <math.h>
#include <string.h>
#include <time.h>

#include "harness/report_summary.h"
#include "harness/table.h"
#include "harness/trend_data.h"

#define MAX_STEADY 40  /* so few series without news are listed, too */
#define MAX_EARLIER 20 /* earlier changes that are listed, the newest ones */

char *trend_time(int64_t seconds)
{
	time_t time = (time_t)seconds;
	char text[32] = "";
	struct tm tm;

	if (gmtime_r(&time, &tm))
		strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm);
	return xstrdup(text);
}

char *trend_percent(double relative)
{
	if (isnan(relative))
		return xstrdup(NO_VALUE);
	if (isinf(relative))
		return xstrdup(relative > 0 ? "+inf" : "-inf");
	return xasprintf("%+.1f %%", 100 * relative);
}

char *trend_metric(const struct history_series *series)
{
	return xasprintf("%s%s", series->metric, series->per_operation ? " per operation" : "");
}

static char *probability(double p)
{
	if (isnan(p))
		return xstrdup(NO_VALUE);
	return p >= 0.0095 ? xasprintf("%.2f", p) : xasprintf("%.0e", p);
}

char *trend_sentence(const struct trend *t, const struct trend_series *s)
{
	const struct trend_change *change = s->worst;
	autofree char *percent = NULL, *before = NULL, *after = NULL, *time = NULL;

	if (!change)
		return xstrdup(trend_verdict_name(s->verdict));
	percent = trend_percent(change->change);
	before = report_format(change->before, s->from->unit);
	after = report_format(change->after, s->from->unit);
	time = trend_time(t->data.runs[change->run].time);
	return xasprintf(
		"%s of %s, from %s to %s, since run %s (%s)%s%s", trend_verdict_name(s->verdict),
		percent, before, after, t->data.runs[change->run].name, time,
		change->ack ? "; acknowledged: " : "", change->ack ? change->ack->reason : "");
}

enum column { VERDICT, CELL, METRIC, RUN, TIME, BEFORE, AFTER, CHANGE, P, Q, NR_COLUMNS };

static void add_head(struct table *table, const char *first)
{
	char *fields[NR_COLUMNS] = {
		[VERDICT] = xstrdup(first),   [CELL] = xstrdup("cell"),
		[METRIC] = xstrdup("metric"), [RUN] = xstrdup("since run"),
		[TIME] = xstrdup("begun"),    [BEFORE] = xstrdup("before"),
		[AFTER] = xstrdup("after"),   [CHANGE] = xstrdup("change"),
		[P] = xstrdup("p"),	      [Q] = xstrdup("q"),
	};

	*table = (struct table){ .nr_columns = NR_COLUMNS, .nr_left = TIME + 1 };
	table_add(table, fields);
}

/* change NULL: there is none. */
static void add_row(struct table *table, const struct trend *t, const struct trend_series *s,
		    const char *verdict, const struct trend_change *change)
{
	const struct trend_change none = {
		.before = NAN, .after = trend_newest(s)->median, .change = NAN, .p = NAN, .q = NAN
	};
	const struct trend_change *c = change ? change : &none;
	const struct history_run *run = change ? &t->data.runs[c->run] : NULL;
	char *fields[NR_COLUMNS] = {
		[VERDICT] = xstrdup(verdict),
		[CELL] = xstrdup(s->from->cell),
		[METRIC] = trend_metric(s->from),
		[RUN] = xstrdup(run ? run->name : NO_VALUE),
		[TIME] = run ? trend_time(run->time) : xstrdup(NO_VALUE),
		[BEFORE] = report_format(c->before, s->from->unit),
		[AFTER] = report_format(c->after, s->from->unit),
		[CHANGE] = trend_percent(c->change),
		[P] = probability(c->p),
		[Q] = probability(c->q),
	};

	table_add(table, fields);
}

static void print_series(const struct trend *t, FILE *out)
{
	bool all = trend_count(t, TREND_STEADY) <= MAX_STEADY;
	struct table table;

	add_head(&table, "verdict");
	for (size_t i = 0; i < t->nr_series; i++) {
		const struct trend_series *s = &t->series[i];

		if (all || s->verdict != TREND_STEADY)
			add_row(&table, t, s, trend_verdict_name(s->verdict), s->worst);
	}
	table_print(&table, out);
}

/* --- earlier changes --- */

struct earlier {
	const struct trend_series *series;
	const struct trend_change *change;
};

static int compare_earlier(const void *a, const void *b)
{
	const struct earlier *x = a, *y = b;

	return (x->change->run < y->change->run) - (x->change->run > y->change->run);
}

static void print_earlier(const struct trend *t, FILE *out)
{
	autofree struct earlier *list = NULL;
	size_t nr = 0, cap = 0;
	struct table table;

	for (size_t i = 0; i < t->nr_series; i++)
		cap += t->series[i].nr_changes;
	list = xzalloc((cap + 1) * sizeof(*list));
	for (size_t i = 0; i < t->nr_series; i++)
		for (size_t c = 0; c < t->series[i].nr_changes; c++)
			if (t->series[i].changes[c].state == TREND_EARLIER)
				list[nr++] =
					(struct earlier){ &t->series[i], &t->series[i].changes[c] };
	if (!nr)
		return;
	qsort(list, nr, sizeof(*list), compare_earlier);
	add_head(&table, "earlier change");
	for (size_t i = 0; i < nr && i < MAX_EARLIER; i++)
		add_row(&table, t, list[i].series,
			trend_change_name(list[i].change, list[i].series->from->direction),
			list[i].change);
	fputc('\n', out);
	table_print(&table, out);
	if (nr > MAX_EARLIER)
		fprintf(out, "and %zu more: --json and the page have all of them\n",
			nr - MAX_EARLIER);
}

static void print_text(FILE *out, const char *before, const char *text)
{
	fputs(before, out);
	report_print_clean(out, text);
}

static void print_newest(const struct trend *t, FILE *out)
{
	const struct history_run *newest = &t->data.runs[t->data.nr_runs - 1];
	autofree char *time = trend_time(newest->time);

	fprintf(out, "%zu runs, %zu of them new; the newest: ", t->data.nr_runs, t->nr_added);
	print_text(out, "", newest->name);
	print_text(out, ", git ", newest->git_revision);
	print_text(out, ", ", newest->place);
	fprintf(out, ", begun %s\n", time);
	if (!strncmp(newest->place, "lab", 3))
		fputs("measured in the virtual lab: these are not hardware figures\n", out);
	fputc('\n', out);
}

static void print_counts(const struct trend *t, FILE *out)
{
	size_t nr = 0;

	for (int v = 0; v < TREND_NR_VERDICTS; v++) {
		size_t own = trend_count(t, (enum trend_verdict)v);

		if (own)
			fprintf(out, "%s%s: %zu", nr++ ? ", " : "",
				trend_verdict_name((enum trend_verdict)v), own);
	}
	fprintf(out, "%s\n", nr ? "" : "no series to judge");
}

void trend_print(const struct trend *t, FILE *out)
{
	if (t->data.nr_runs)
		print_newest(t, out);
	if (t->nr_series)
		print_series(t, out);
	print_earlier(t, out);
	fputc('\n', out);
	for (size_t i = 0; i < t->nr_skipped; i++) {
		print_text(out, "skipped: ", t->skipped[i].folder);
		print_text(out, ": ", t->skipped[i].reason);
		fputc('\n', out);
	}
	for (size_t i = 0; i < t->notes.nr; i++) {
		print_text(out, "", t->notes.items[i]);
		fputc('\n', out);
	}
	print_counts(t, out);
}
