// SPDX-License-Identifier: GPL-2.0-only
/* The answer of a run: summary table, headline sentences, and the table for the terminal. */
#include "harness/report_summary.h"

#include <math.h>
#include <string.h>

#include "harness/report.h"
#include "harness/stats.h"
#include "harness/util.h"

static const struct report_column all_columns[] = {
	{ .title = "throughput", .narrow = "throughput", .relative = true },
	{ .title = "p99 latency", .narrow = "p99", .metric = "lat_p99_s", .relative = true },
	{ .title = "VM exits per operation",
	  .narrow = "exits/op",
	  .metric = "vm_exits_per_op",
	  .relative = true },
	{ .title = "emulated instructions per operation",
	  .narrow = "instr/op",
	  .metric = REPORT_INSTRUCTIONS,
	  .relative = true,
	  .optional = true },
	{ .title = "map and unmap",
	  .narrow = "map+unmap",
	  .metric = "dma_map_unmap_p50_s",
	  .relative = true,
	  .part = true },
	{ .title = "pinned at start",
	  .narrow = "pinned start",
	  .metric = "pinned_start_bytes",
	  .optional = true,
	  .start = true },
	{ .title = "pinned while running, peak",
	  .narrow = "pinned peak",
	  .metric = "pinned_peak_bytes" },
	{ .title = "VM created", .narrow = "created", .metric = "vm_create_s", .start = true },
	{ .title = "VM ready",
	  .narrow = "ready",
	  .metric = "vm_ready_s",
	  .optional = true,
	  .start = true },
	{ .title = "pinned, mean",
	  .metric = "pinned_mean_bytes",
	  .optional = true,
	  .setting = true },
	{ .title = "really mapped, mean",
	  .metric = "mapped_mean_bytes",
	  .optional = true,
	  .setting = true },
	{ .title = "requests for pins per operation",
	  .metric = "pin_requests_per_op",
	  .optional = true,
	  .setting = true },
	{ .title = "requests per 1000 mappings",
	  .metric = "pin_requests_per_1000_maps",
	  .optional = true,
	  .setting = true },
	{ .title = "VFIO mappings at the end",
	  .metric = "vfio_mappings",
	  .optional = true,
	  .setting = true },
	{ .title = "pinned unasked and used",
	  .metric = "speculation_hits",
	  .optional = true,
	  .setting = true },
	{ .title = "pinned unasked in vain",
	  .metric = "speculation_misses",
	  .optional = true,
	  .setting = true },
};

size_t report_column_metric(const struct report *report, const struct report_column *column)
{
	return column->metric ? report_metric(report, column->metric) : METRIC_THROUGHPUT;
}

double report_column_value(const struct report *report, const struct report_column *column,
			   size_t series)
{
	size_t metric = report_column_metric(report, column);

	if (column->relative)
		return report_series_ratio(report, series, metric).ratio;
	return report_series_value(report, series, metric);
}

char *report_column_text(const struct report *report, const struct report_column *column,
			 size_t series)
{
	size_t metric = report_column_metric(report, column);
	double value = report_column_value(report, column, series);

	if (column->relative)
		return report_format_ratio(value);
	return report_format(value, metric == NO_METRIC ? "" : report->metrics[metric].unit);
}

static bool column_shown(const struct report *report, const struct report_column *column)
{
	for (size_t s = 0; s < report->nr_series; s++)
		if (!isnan(report_column_value(report, column, s)))
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

/* Where columns are shown. */
enum table { TABLE_SUMMARY, TABLE_PART, TABLE_SETTINGS };

static bool column_fits(const struct report_column *column, enum table table)
{
	if (column->setting || table == TABLE_SETTINGS)
		return column->setting && table == TABLE_SETTINGS;
	return !column->part || table == TABLE_PART;
}

static size_t choose_columns(const struct report *report, const struct report_column **columns,
			     enum table table)
{
	bool first = report_is_emulated(report); /* there it is the figure to trust */
	size_t nr = 0;

	for (size_t i = 0; i < ARRAY_SIZE(all_columns); i++) {
		const struct report_column *column = &all_columns[i];

		if (!column_fits(column, table) || !column_shown(report, column))
			continue;
		columns[nr++] = column;
		if (first && column->metric && !strcmp(column->metric, REPORT_INSTRUCTIONS))
			move_to_front(columns, nr - 1);
	}
	return nr;
}

size_t report_columns(const struct report *report, const struct report_column **columns)
{
	return choose_columns(report, columns, TABLE_SUMMARY);
}

size_t report_part_columns(const struct report *report, const struct report_column **columns)
{
	return choose_columns(report, columns, TABLE_PART);
}

size_t report_setting_columns(const struct report *report, const struct report_column **columns)
{
	return choose_columns(report, columns, TABLE_SETTINGS);
}

char *report_caveat(const struct report *report)
{
	const char *where = report_text(report, "where");
	bool counted = report_metric(report, REPORT_INSTRUCTIONS) != NO_METRIC;

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
		fputs(": × are multiples of ", out);
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
