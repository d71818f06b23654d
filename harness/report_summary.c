// SPDX-License-Identifier: GPL-2.0-only
/* The answer of a run: summary table, headline sentences, and the table for the terminal. */
#include "harness/report_summary.h"

#include <math.h>
#include <string.h>

#include "harness/report.h"
#include "harness/stats.h"
#include "harness/util.h"

#define INSTRUCTIONS "lab_instructions_per_op"

static const struct report_column all_columns[] = {
	{ .title = "throughput", .narrow = "throughput", .relative = true },
	{ .title = "p99 latency", .narrow = "p99", .metric = "lat_p99_s", .relative = true },
	{ .title = "VM exits per operation", .narrow = "exits/op", .metric = "vm_exits_per_op" },
	{ .title = "emulated instructions per operation",
	  .narrow = "instr/op",
	  .metric = INSTRUCTIONS,
	  .optional = true },
	{ .title = "pinned at start",
	  .narrow = "pinned start",
	  .metric = "pinned_start_bytes",
	  .optional = true },
	{ .title = "pinned while running, peak",
	  .narrow = "pinned peak",
	  .metric = "pinned_peak_bytes" },
	{ .title = "VM created", .narrow = "created", .metric = "vm_create_s" },
	{ .title = "VM ready", .narrow = "ready", .metric = "vm_ready_s", .optional = true },
};

/* Three significant digits: 0.0123, 1.23, 12.3, 123. */
static char *three_digits(double value, const char *suffix)
{
	double size = fabs(value);
	int decimals = size >= 99.95 || size == 0 ? 0 : size >= 9.995 ? 1 : 2;

	if (size > 0 && size < 0.1)
		return xasprintf("%.2g%s", value, suffix);
	return xasprintf("%.*f%s", decimals, value, suffix);
}

static char *format_si(double value, const char *after)
{
	static const char *const prefixes[] = { "", " k", " M", " G", " T" };
	autofree char *suffix = NULL;
	size_t p = 0;

	while (fabs(value) >= 999.5 && p + 1 < ARRAY_SIZE(prefixes)) {
		value /= 1000;
		p++;
	}
	suffix = xasprintf("%s%s", prefixes[p], after);
	return three_digits(value, suffix);
}

static char *format_bytes(double value, const char *after)
{
	static const char *const prefixes[] = { " B", " KiB", " MiB", " GiB", " TiB" };
	autofree char *suffix = NULL;
	size_t p = 0;

	while (fabs(value) >= 1023.5 && p + 1 < ARRAY_SIZE(prefixes)) {
		value /= 1024;
		p++;
	}
	suffix = xasprintf("%s%s", prefixes[p], after);
	return value == floor(value) ? xasprintf("%.0f%s", value, suffix)
				     : three_digits(value, suffix);
}

static char *format_seconds(double value)
{
	double size = fabs(value);

	if (size == 0 || size >= 0.9995)
		return three_digits(value, " s");
	if (size >= 0.9995e-3)
		return three_digits(value * 1e3, " ms");
	if (size >= 0.9995e-6)
		return three_digits(value * 1e6, " µs");
	return three_digits(value * 1e9, " ns");
}

char *report_format(double value, const char *unit)
{
	autofree char *after = NULL;

	if (!isfinite(value))
		return xstrdup(NO_VALUE);
	if (!strcmp(unit, "s"))
		return format_seconds(value);
	if (!strcmp(unit, "bytes"))
		return format_bytes(value, "");
	if (!strcmp(unit, "bytes/s"))
		return format_bytes(value, "/s");
	if (!strcmp(unit, "ops/s"))
		return format_si(value, "/s");
	if (!strcmp(unit, "count") || !*unit)
		return format_si(value, "");
	after = xasprintf(" %s", unit);
	return format_si(value, after);
}

char *report_format_ratio(double ratio)
{
	if (ratio > 0 && ratio < 0.005)
		return xstrdup("<0.01×");
	return isfinite(ratio) ? three_digits(ratio, "×") : xstrdup(NO_VALUE);
}

static size_t column_metric(const struct report *report, const struct report_column *column)
{
	return column->metric ? report_metric(report, column->metric) : METRIC_THROUGHPUT;
}

double report_column_value(const struct report *report, const struct report_column *column,
			   size_t series, double *ratio)
{
	size_t metric = column_metric(report, column);
	double relative = report_series_ratio(report, series, metric, NULL);

	if (ratio)
		*ratio = relative;
	return column->relative ? relative : report_series_value(report, series, metric);
}

char *report_column_text(const struct report *report, const struct report_column *column,
			 size_t series)
{
	size_t metric = column_metric(report, column);
	double value = report_column_value(report, column, series, NULL);

	if (column->relative)
		return report_format_ratio(value);
	return report_format(value, metric == NO_METRIC ? "" : report->metrics[metric].unit);
}

static bool column_shown(const struct report *report, const struct report_column *column)
{
	for (size_t s = 0; s < report->nr_series; s++)
		if (!isnan(report_column_value(report, column, s, NULL)))
			return true;
	return !column->optional;
}

static void move_to_front(const struct report_column **columns, size_t i)
{
	const struct report_column *column = columns[i];

	for (; i > 0; i--)
		columns[i] = columns[i - 1];
	columns[0] = column;
}

size_t report_columns(const struct report *report, const struct report_column **columns)
{
	bool first = report_is_emulated(report); /* there it is the figure to trust */
	size_t nr = 0;

	for (size_t i = 0; i < ARRAY_SIZE(all_columns); i++) {
		const struct report_column *column = &all_columns[i];

		if (!column_shown(report, column))
			continue;
		columns[nr++] = column;
		if (first && column->metric && !strcmp(column->metric, INSTRUCTIONS))
			move_to_front(columns, nr - 1);
	}
	return nr;
}

/* Adds "0.31× the throughput" to a sentence, if there is such a figure. */
static void add_ratio(struct strbuf *sb, const struct report *report, size_t series, size_t metric,
		      const char *what)
{
	double ratio = report_series_ratio(report, series, metric, NULL);
	autofree char *text = report_format_ratio(ratio);

	if (!isnan(ratio))
		strbuf_addf(sb, "%s%s %s", sb->len ? ", " : "", text, what);
}

/* "keeps 0.1 MiB pinned instead of 512 MiB": a change that a ratio says less well. */
struct change {
	const char *metric, *before, *after;
	bool if_same; /* the same figure says something too */
};

static void add_change(struct strbuf *sb, const struct report *report, size_t series,
		       const struct change *change)
{
	size_t metric = report_metric(report, change->metric);
	double value = report_series_value(report, series, metric);
	double base = report_series_value(report, 0, metric);
	autofree char *text = NULL, *base_text = NULL;
	bool same;

	if (report->mixed) /* the medians could be of different hosts */
		return;
	same = fabs(value - base) < 0.1 * base;
	if (isnan(value) || isnan(base) || (same && !change->if_same))
		return;
	text = report_format(value, report->metrics[metric].unit);
	base_text = report_format(base, report->metrics[metric].unit);
	strbuf_addf(sb, "%s%s %s%s", sb->len ? "; " : "", change->before, text, change->after);
	if (same)
		strbuf_addf(sb, ", about the same");
	else
		strbuf_addf(sb, " instead of %s", base_text);
}

/* What is pinned under load; and at the start, where that is a different matter. */
static void add_pinned(struct strbuf *sb, const struct report *report, size_t series)
{
	size_t start = report_metric(report, "pinned_start_bytes");
	double mean =
		report_series_value(report, series, report_metric(report, "pinned_mean_bytes"));
	double at_start = report_series_value(report, series, start);
	autofree char *text = NULL, *after = NULL;

	if (isnan(mean)) {
		add_change(sb, report, series,
			   &(struct change){ "pinned_peak_bytes", "pins up to", "", true });
		return;
	}
	if (at_start > 2 * mean) {
		text = report_format(at_start, report->metrics[start].unit);
		after = xasprintf(" pinned (%s at its start)", text);
	}
	add_change(
		sb, report, series,
		&(struct change){ "pinned_mean_bytes", "keeps", after ? after : " pinned", true });
}

/* Why a series has no figures: the first reason that one of its cells gives. */
static char *no_figures(const struct report *report, size_t series)
{
	for (size_t i = 0; i < report->nr_cells; i++) {
		const struct report_cell *cell = &report->cells[i];

		if (cell->series != series || !strcmp(cell->status, "ok"))
			continue;
		return xasprintf("no figures: %s%s%s", cell->status, cell->reason ? ": " : "",
				 cell->reason ? cell->reason : "");
	}
	return xstrdup("no figures to compare");
}

char *report_headline(const struct report *report, size_t series)
{
	bool emulated = report_is_emulated(report);
	size_t instructions = report_metric(report, INSTRUCTIONS);
	struct strbuf sb = { 0 };

	if (emulated)
		add_ratio(&sb, report, series, instructions,
			  "the emulated instructions per operation");
	add_ratio(&sb, report, series, METRIC_THROUGHPUT, "the throughput");
	add_ratio(&sb, report, series, report_metric(report, "lat_p99_s"), "the p99 latency");
	add_ratio(&sb, report, series, report_metric(report, "vm_exits_per_op"),
		  "the VM exits per operation");
	add_pinned(&sb, report, series);
	add_change(&sb, report, series,
		   &(struct change){ "vm_create_s", "VM created in", "", false });
	return sb.data ? sb.data : no_figures(report, series);
}

char *report_caveat(const struct report *report)
{
	const char *where = report_text(report, "where");
	bool counted = report_metric(report, INSTRUCTIONS) != NO_METRIC;

	if (!report_is_lab(report))
		return NULL;
	return xasprintf(
		"measured in the virtual lab (%s): figures compare modes with one another; "
		"they are not hardware figures%s",
		where,
		report_is_emulated(report) && counted
			? ". The cost to trust is emulated instructions per operation, which "
			  "a busy machine changes least; times are the emulator's"
			: "");
}

int report_text_width(const char *text)
{
	int width = 0;

	for (; *text; text++)
		width += (*text & 0xc0) != 0x80;
	return width;
}

void report_print_clean(FILE *out, const char *text)
{
	while (*text) {
		size_t control = control_bytes(text);

		fputc(control ? '?' : *text, out);
		text += control ? control : 1;
	}
}

void report_print_padded(FILE *out, const char *text, int width, bool left)
{
	int pad = width - report_text_width(text);

	if (!left && pad > 0)
		fprintf(out, "%*s", pad, "");
	report_print_clean(out, text);
	if (left && pad > 0)
		fprintf(out, "%*s", pad, "");
}

static void print_column_heads(FILE *out, const struct report_column **columns, size_t nr,
			       const int *widths)
{
	report_print_padded(out, "mode", widths[0], true);
	for (size_t c = 0; c < nr; c++) {
		fputs("  ", out);
		report_print_padded(out, columns[c]->narrow, widths[c + 1], false);
	}
	fputs("  boots\n", out);
}

static void print_rows(const struct report *report, FILE *out)
{
	const struct report_column *columns[MAX_COLUMNS];
	size_t nr = report_columns(report, columns);
	int widths[MAX_COLUMNS + 1] = { 4 };

	for (size_t s = 0; s < report->nr_series; s++) {
		int width = report_text_width(report->series[s].label);

		widths[0] = width > widths[0] ? width : widths[0];
	}
	for (size_t c = 0; c < nr; c++) {
		widths[c + 1] = report_text_width(columns[c]->narrow);
		widths[c + 1] = widths[c + 1] < 8 ? 8 : widths[c + 1];
	}
	print_column_heads(out, columns, nr, widths);
	for (size_t s = 0; s < report->nr_series; s++) {
		const struct report_series *series = &report->series[s];

		report_print_padded(out, series->label, widths[0], true);
		for (size_t c = 0; c < nr; c++) {
			autofree char *text = report_column_text(report, columns[c], s);

			fputs("  ", out);
			report_print_padded(out, text, widths[c + 1], false);
		}
		fprintf(out, "  %zu/%zu\n", series->nr_boots_ok, series->nr_boots);
	}
}

/* Nothing is left out in silence. */
static void print_left_out(const struct report *report, FILE *out)
{
	for (size_t i = 0; i < report->nr_cells; i++) {
		const struct report_cell *cell = &report->cells[i];

		if (!strcmp(cell->status, "ok"))
			continue;
		report_print_clean(out, cell->status);
		fputs(": ", out);
		report_print_clean(out, cell->id);
		fputs(": ", out);
		report_print_clean(out, cell->reason ? cell->reason : "no reason given");
		fputc('\n', out);
	}
	if (report->nr_excluded)
		fprintf(out, "%zu values of boots that are not ok are left out\n",
			report->nr_excluded);
}

static void print_table(const struct report *report, FILE *out)
{
	autofree char *caveat = report_caveat(report);

	report_print_clean(out, report_text(report, "name"));
	fputs(" (", out);
	report_print_clean(out, report_text(report, "status"));
	fputs(")", out);
	if (report->nr_series) {
		fputs(": throughput and p99 are multiples of ", out);
		report_print_clean(out, report->series[0].label);
	}
	fputc('\n', out);
	if (caveat) {
		report_print_clean(out, caveat);
		fputc('\n', out);
	}
	print_rows(report, out);
	print_left_out(report, out);
}

int report_print_table(const char *run_dir, FILE *out)
{
	struct report report;
	int ret = report_load(run_dir, &report);

	if (!ret)
		print_table(&report, out);
	report_free(&report);
	return ret;
}
