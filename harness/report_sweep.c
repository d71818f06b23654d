// SPDX-License-Identifier: GPL-2.0-only
/* Metrics against a numeric setting of a mode that several series differ in. */
#include <math.h>
#include <string.h>

#include "harness/report_plot.h"
#include "harness/settings.h"
#include "harness/util.h"

#define MIN_VALUES 3 /* of a curve; two are better seen as bars */

/* --- settings in a series' label: "interval=1s range=16" --- */

static bool next_setting(const char **rest, size_t *len)
{
	*rest += strspn(*rest, " ");
	*len = strcspn(*rest, " ");
	return *len > 0;
}

/* The value's length and place, or NULL. */
static const char *find_value(const char *settings, const char *key, size_t key_len, size_t *len)
{
	for (size_t all; next_setting(&settings, &all); settings += all) {
		if (all <= key_len || settings[key_len] != '=' ||
		    strncmp(settings, key, key_len) != 0)
			continue;
		*len = all - key_len - 1;
		return settings + key_len + 1;
	}
	return NULL;
}

/* A number with whatever unit a setting may have. */
static bool parse_value(const char *text, size_t len, double *value, enum sweep_unit *unit)
{
	static const struct {
		struct setting setting;
		enum sweep_unit unit;
	} kinds[] = {
		{ { .name = "count", .type = SETTING_COUNT, .max = 1e18 }, SWEEP_COUNT },
		{ { .name = "time", .type = SETTING_TIME, .max = 1e18 }, SWEEP_SECONDS },
		{ { .name = "size", .type = SETTING_SIZE, .max = 1e18 }, SWEEP_BYTES },
	};
	autofree char *copy = xasprintf("%.*s", (int)len, text);

	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		autofree char *why = NULL;

		if (setting_parse(&kinds[i].setting, copy, value, &why))
			continue;
		*unit = kinds[i].unit;
		return true;
	}
	return false;
}

/* The setting's value in a series, if it has it. */
static bool series_value(const struct report_series *series, const struct report_sweep *sweep,
			 double *value, enum sweep_unit *unit)
{
	size_t len;
	const char *text = find_value(series->settings, sweep->key, strlen(sweep->key), &len);

	return text && parse_value(text, len, value, unit);
}

/* Are two series the same but for the value of that setting? */
static bool same_but(const struct report_series *a, const struct report_series *b, const char *key)
{
	size_t key_len = strlen(key), nr = 0, len;
	const char *p = a->settings, *q = b->settings;

	if (strcmp(a->mode, b->mode) != 0)
		return false;
	for (; next_setting(&q, &len); q += len)
		nr++;
	for (; next_setting(&p, &len); p += len, nr--) {
		size_t own_len = strcspn(p, "="), other_len;
		const char *other = find_value(b->settings, p, own_len, &other_len);

		if (!other)
			return false;
		if (own_len == key_len && !strncmp(p, key, key_len))
			continue;
		if (other_len != len - own_len - 1 ||
		    strncmp(p + own_len + 1, other, other_len) != 0)
			return false;
	}
	return nr == 0;
}

/* --- which sweeps there are --- */

static size_t count_like(const struct report *report, size_t series,
			 const struct report_sweep *sweep)
{
	enum sweep_unit unit;
	size_t nr = 0;
	double value;

	for (size_t s = 0; s < report->nr_series; s++)
		nr += same_but(&report->series[series], &report->series[s], sweep->key) &&
		      series_value(&report->series[s], sweep, &value, &unit);
	return nr;
}

static bool is_known(const struct report_sweeps *sweeps, const char *key, size_t len)
{
	for (size_t i = 0; i < sweeps->nr; i++)
		if (strlen(sweeps->items[i].key) == len && !strncmp(sweeps->items[i].key, key, len))
			return true;
	return false;
}

static void add_sweep(const struct report *report, size_t series, const char *key, size_t len,
		      struct report_sweeps *sweeps)
{
	struct report_sweep sweep = { .key = xasprintf("%.*s", (int)len, key) };
	double value;

	if (!series_value(&report->series[series], &sweep, &value, &sweep.unit) ||
	    count_like(report, series, &sweep) < MIN_VALUES) {
		free(sweep.key);
		return;
	}
	sweeps->items = xrealloc(sweeps->items, (sweeps->nr + 1) * sizeof(*sweeps->items));
	sweeps->items[sweeps->nr++] = sweep;
}

void report_sweeps_find(const struct report *report, struct report_sweeps *sweeps)
{
	*sweeps = (struct report_sweeps){ 0 };
	for (size_t s = 0; s < report->nr_series; s++) {
		const char *rest = report->series[s].settings;

		for (size_t len; next_setting(&rest, &len); rest += len) {
			size_t key_len = strcspn(rest, "= ");

			if (key_len && key_len < len && !is_known(sweeps, rest, key_len))
				add_sweep(report, s, rest, key_len, sweeps);
		}
	}
}

void report_sweeps_free(struct report_sweeps *sweeps)
{
	for (size_t i = 0; i < sweeps->nr; i++)
		free(sweeps->items[i].key);
	free(sweeps->items);
}

/* --- a plot's lines --- */

/* The next value of the setting above that one, among series like the first; or none. */
static size_t next_series(const struct report *report, size_t first,
			  const struct report_sweep *sweep, double above, double *value)
{
	size_t next = report->nr_series;
	enum sweep_unit unit;
	double own;

	*value = INFINITY;
	for (size_t s = 0; s < report->nr_series; s++) {
		if (!same_but(&report->series[first], &report->series[s], sweep->key) ||
		    !series_value(&report->series[s], sweep, &own, &unit) || own <= above ||
		    own >= *value)
			continue;
		*value = own;
		next = s;
	}
	return next;
}

struct points {
	struct strbuf data;
	size_t nr;
	bool nonzero; /* not all of them are 0 */
};

static void add_points(const struct report *report, size_t first, size_t scenario, size_t metric,
		       const struct report_sweep *sweep, struct points *points)
{
	double value = -INFINITY;
	size_t s;

	while ((s = next_series(report, first, sweep, value, &value)) < report->nr_series) {
		const struct report_cell *cell = report_cell(report, s, scenario);
		struct report_stat stat = report_stat(cell, metric);

		if (!stat.nr)
			continue;
		plot_source(&points->data, report, cell, metric, NULL);
		strbuf_addf(&points->data, "%.9g %.9g %.9g %.9g\n", value, stat.median, stat.min,
			    stat.max);
		points->nonzero |= stat.max != 0;
		points->nr++;
	}
}

/* Is a series before this one like it? Then it has its line. */
static bool is_first(const struct report *report, size_t series, const struct report_sweep *sweep)
{
	enum sweep_unit unit;
	double value;

	if (!series_value(&report->series[series], sweep, &value, &unit))
		return false;
	for (size_t s = 0; s < series; s++)
		if (same_but(&report->series[series], &report->series[s], sweep->key))
			return false;
	return true;
}

static void add_line(const struct report *report, size_t series, size_t scenario,
		     const struct report_sweep *sweep, const struct sweep_metric *metric,
		     struct plot_lines *lines)
{
	size_t m = report_metric(report, metric->name);
	autofree char *text = xasprintf("%s%s: %s", report->series[series].mode, metric->suffix,
					report->scenarios[scenario].more);
	autofree char *label = gnuplot_label(text, PLOT_HEADING_CHARS);
	struct points points = { 0 };

	if (m != NO_METRIC)
		add_points(report, series, scenario, m, sweep, &points);
	if (points.nr > 1) {
		lines->nonzero |= points.nonzero;
		strbuf_addf(&lines->data, "%s\"%s\"\n%s", lines->nr ? "\n\n" : "", label,
			    points.data.data);
		strbuf_addf(&lines->colours, "%u ", report->series[series].colour);
		strbuf_addf(&lines->dashes, "%u ", metric->dash);
		lines->nr++;
	}
	free(points.data.data);
}

bool report_plot_sweep(const struct report *report, size_t workload,
		       const struct report_sweep *sweep, const struct sweep_metric *metrics,
		       size_t nr, struct plot_lines *lines)
{
	for (size_t s = 0; s < report->nr_series; s++) {
		if (!is_first(report, s, sweep))
			continue;
		for (size_t k = 0; k < report->nr_scenarios; k++)
			for (size_t i = 0; report->scenarios[k].workload == workload && i < nr; i++)
				add_line(report, s, k, sweep, &metrics[i], lines);
	}
	/* Of zeros alone there is nothing to see that the table does not say. */
	return lines->nr > 0 && lines->nonzero;
}
