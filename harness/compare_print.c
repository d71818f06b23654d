// SPDX-License-Identifier: GPL-2.0-only
/* What compare found: a table for people, JSON for programs. */
#include "harness/compare_data.h"

#include <math.h>
#include <string.h>

#include "harness/report_summary.h"

enum column { VERDICT, CELL, METRIC, BASE, NEW, CHANGE, INTERVAL, P, Q, SEEN, BOOTS, NR_COLUMNS };
static const char *const heads[NR_COLUMNS] = {
	[VERDICT] = "verdict", [CELL] = "cell",	  [METRIC] = "metric",
	[BASE] = "BASE",       [NEW] = "NEW",	  [CHANGE] = "change",
	[INTERVAL] = "95 %",   [P] = "p",	  [Q] = "q",
	[SEEN] = "smallest",   [BOOTS] = "boots",
};
#define NR_LEFT (METRIC + 1) /* columns of text, aligned to the left */

struct line {
	char *fields[NR_COLUMNS];
};

char *compare_percent(double relative)
{
	if (isnan(relative))
		return xstrdup(NO_VALUE);
	if (isinf(relative))
		return xstrdup(relative > 0 ? "+inf" : "-inf");
	return xasprintf("%+.*f %%", fabs(relative) < 0.0995 ? 2 : 1, 100 * relative);
}

static char *interval(const struct gate_test *test)
{
	autofree char *low = compare_percent(test->low), *high = compare_percent(test->high);

	if (isnan(test->low))
		return xstrdup(NO_VALUE);
	if (test->shift.confidence < test->confidence - 1e-9) /* so few boots reach no more */
		return xasprintf("%s to %s (%.0f %%)", low, high, 100 * test->shift.confidence);
	if (test->confidence > GATE_CONFIDENCE + 1e-9) /* one of several looks */
		return xasprintf("%s to %s (%.1f %%)", low, high, 100 * test->confidence);
	return xasprintf("%s to %s", low, high);
}

char *compare_probability(double p)
{
	if (isnan(p))
		return xstrdup(NO_VALUE);
	return p >= 0.0095 ? xasprintf("%.2f", p) : xasprintf("%.1g", p);
}

char *compare_smallest(const struct gate_test *test)
{
	return isnan(test->smallest) ? xstrdup(NO_VALUE)
				     : xasprintf("%.1f %%", 100 * test->smallest);
}

char *compare_boots(const struct gate_test *test)
{
	char *text = xasprintf("%zu/%zu", test->nr_base, test->nr_value);
	autofree char *have = NULL;

	if (!test->boots_needed)
		return text;
	have = text;
	return xasprintf("%s, needs %zu", have, test->boots_needed);
}

static void fill_line(const struct pair *pair, struct line *line)
{
	const struct gate_test *test = &pair->test;
	char **f = line->fields;

	f[VERDICT] = xstrdup(verdict_name(test->verdict));
	f[CELL] = strcmp(pair->cell, pair->other) != 0
			  ? xasprintf("%s | %s", pair->cell, pair->other)
			  : xstrdup(pair->cell);
	f[METRIC] = xasprintf("%s%s", pair->metric, pair->per_operation ? " per operation" : "");
	f[BASE] = report_format(test->base_median, pair->unit);
	f[NEW] = report_format(test->value_median, pair->unit);
	f[CHANGE] = compare_percent(test->change);
	f[INTERVAL] = interval(test);
	f[P] = compare_probability(test->rank.p);
	f[Q] = compare_probability(test->q);
	f[SEEN] = compare_smallest(test);
	f[BOOTS] = compare_boots(test);
}

static void print_line(FILE *out, const char *const *fields, const int *widths)
{
	for (size_t i = 0; i < NR_COLUMNS; i++) {
		fputs(i ? "  " : "", out);
		report_print_padded(out, fields[i], i == BOOTS ? 0 : widths[i],
				    i < NR_LEFT || i == BOOTS);
	}
	fputc('\n', out);
}

static void print_lines(const struct comparison *c, FILE *out)
{
	autofree struct line *lines = xzalloc(c->nr_pairs * sizeof(*lines));
	int widths[NR_COLUMNS];

	for (size_t col = 0; col < NR_COLUMNS; col++)
		widths[col] = report_text_width(heads[col]);
	for (size_t i = 0; i < c->nr_pairs; i++) {
		fill_line(&c->pairs[i], &lines[i]);
		for (size_t col = 0; col < NR_COLUMNS; col++) {
			int width = report_text_width(lines[i].fields[col]);

			widths[col] = width > widths[col] ? width : widths[col];
		}
	}
	print_line(out, heads, widths);
	for (size_t i = 0; i < c->nr_pairs; i++) {
		print_line(out, (const char *const *)lines[i].fields, widths);
		for (size_t col = 0; col < NR_COLUMNS; col++)
			free(lines[i].fields[col]);
	}
}

static void print_run(const char *side, const struct compare_run *run, FILE *out)
{
	fprintf(out, "%-5s", side);
	report_print_clean(out, report_text(&run->report, "run_id"));
	fputs(" (", out);
	report_print_clean(out, report_text(&run->report, "git_revision"));
	fputs(", ", out);
	report_print_clean(out, report_text(&run->report, "status"));
	fprintf(out, "): %zu of %zu boots count\n", run->nr_boots_ok, run->nr_boots);
}

size_t compare_count(const struct comparison *c, enum verdict verdict)
{
	size_t nr = 0;

	for (size_t i = 0; i < c->nr_pairs; i++)
		nr += c->pairs[i].test.verdict == verdict;
	return nr;
}

static void print_list(const struct strlist *list, const char *before, FILE *out)
{
	for (size_t i = 0; i < list->nr; i++) {
		fputs(before, out);
		report_print_clean(out, list->items[i]);
		fputc('\n', out);
	}
}

const struct report *compare_caveat_of(const struct comparison *c)
{
	return report_is_lab(&c->base.report) ? &c->base.report : &c->value.report;
}

void compare_print(const struct comparison *c, FILE *out)
{
	autofree char *caveat = report_caveat(compare_caveat_of(c));

	print_run("BASE", &c->base, out);
	print_run("NEW", &c->value, out);
	if (caveat)
		fprintf(out, "%s\n", caveat);
	fputc('\n', out);
	print_lines(c, out);
	fputc('\n', out);
	print_list(&c->forced, "compared in spite of: ", out);
	print_list(&c->notes, "", out);
	fprintf(out, "regressions: %zu, inconclusive: %zu, improvements: %zu, no change: %zu\n",
		compare_count(c, VERDICT_REGRESSION), compare_count(c, VERDICT_INCONCLUSIVE),
		compare_count(c, VERDICT_IMPROVEMENT), compare_count(c, VERDICT_NO_CHANGE));
}

/* --- JSON --- */

/* It has no infinite numbers, and no NAN. */
static json_t *number(double value)
{
	return isfinite(value) ? json_real(value) : json_null();
}

static json_t *text_or_null(const char *text)
{
	json_t *json = json_string(text); /* NULL: no UTF-8 */

	return json ? json : json_null();
}

static json_t *side_json(size_t nr, double median)
{
	return json_pack("{s:I, s:o}", "boots", (json_int_t)nr, "median", number(median));
}

static void add_effect(json_t *json, const struct gate_test *test)
{
	const struct {
		const char *name;
		double value;
	} numbers[] = {
		{ "change", test->change },
		{ "change_low", test->low },
		{ "change_high", test->high },
		{ "shift", test->shift.shift },
		{ "shift_low", test->shift.low },
		{ "shift_high", test->shift.high },
		{ "shift_confidence", test->shift.confidence },
		{ "ratio", test->ratio.ratio },
		{ "ratio_low", test->ratio.low },
		{ "ratio_high", test->ratio.high },
		{ "u", test->rank.u },
		{ "p", test->rank.p },
		{ "q", test->q },
		{ "floor", test->floor },
		{ "margin", test->margin },
		{ "smallest_change", test->smallest },
	};

	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		json_object_set_new(json, numbers[i].name, number(numbers[i].value));
}

static json_t *pair_json(const struct pair *pair)
{
	const struct gate_test *test = &pair->test;
	json_t *needed =
		test->boots_needed ? json_integer((json_int_t)test->boots_needed) : json_null();
	json_t *json = json_pack("{s:o, s:o, s:o, s:s, s:b, s:s, s:o, s:o, s:b, s:b, s:o}", "cell",
				 text_or_null(pair->cell), "metric", text_or_null(pair->metric),
				 "unit", text_or_null(pair->unit), "direction",
				 direction_name(test->direction), "per_operation",
				 pair->per_operation, "verdict", verdict_name(test->verdict),
				 "base", side_json(test->nr_base, test->base_median), "new",
				 side_json(test->nr_value, test->value_median), "exact",
				 test->rank.exact, "ties", test->rank.ties, "boots_needed", needed);

	json_object_set_new(json, "new_cell", text_or_null(pair->other));
	json_object_set_new(json, "confidence", json_real(test->confidence));
	json_object_set_new(json, "share", json_real(test->share));
	add_effect(json, test);
	return json;
}

static json_t *run_json(const struct compare_run *run)
{
	const struct report *report = &run->report;

	return json_pack("{s:o, s:o, s:o, s:I, s:I}", "run_id",
			 text_or_null(report_text(report, "run_id")), "path",
			 text_or_null(report->dir), "git_revision",
			 text_or_null(report_text(report, "git_revision")), "boots",
			 (json_int_t)run->nr_boots_ok, "boots_left_out",
			 (json_int_t)(run->nr_boots - run->nr_boots_ok));
}

static json_t *list_json(const struct strlist *list)
{
	json_t *json = json_array();

	for (size_t i = 0; i < list->nr; i++)
		json_array_append_new(json, text_or_null(list->items[i]));
	return json;
}

json_t *compare_json(const struct comparison *c, int exit_status)
{
	const char *verdict = compare_count(c, VERDICT_REGRESSION)     ? "regression"
			      : compare_count(c, VERDICT_INCONCLUSIVE) ? "inconclusive"
								       : "no regression";
	json_t *results = json_array();

	for (size_t i = 0; i < c->nr_pairs; i++)
		json_array_append_new(results, pair_json(&c->pairs[i]));
	return json_pack("{s:i, s:s, s:o, s:o, s:o, s:f, s:f, s:f, s:i, s:I, s:o, s:o, s:s, s:i, "
			 "s:o}",
			 "schema", 1, "kind", "comparison", "base", run_json(&c->base), "new",
			 run_json(&c->value), "where",
			 text_or_null(report_text(&c->base.report, "where")), "alpha", GATE_ALPHA,
			 "confidence", GATE_CONFIDENCE, "power", GATE_POWER, "resamples",
			 GATE_RESAMPLES, "seed", (json_int_t)c->options->seed, "forced",
			 list_json(&c->forced), "notes", list_json(&c->notes), "verdict", verdict,
			 "exit_status", exit_status, "results", results);
}
