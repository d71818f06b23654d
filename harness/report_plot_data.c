// SPDX-License-Identifier: GPL-2.0-only
/* The plots' data files: what each bar and stack shows. */
#include <limits.h>
#include <math.h>
#include <string.h>

#include "harness/report_plot.h"
#include "harness/report_summary.h"
#include "harness/stats.h"
#include "harness/util.h"

#define MAX_PARTS 8 /* of one stack, as many as can be told apart */
#define NO_SCENARIO ((size_t)-1)

/* Paul Tol's light scheme: apart from the series' colours, and for colour-blind readers too. */
static const unsigned int part_colours[MAX_PARTS] = { 0x77aadd, 0xee8866, 0xeedd88, 0xffaabb,
						      0x99ddff, 0x44bb99, 0xbbcc33, 0xaaaaaa };

static char *series_label(const struct report_series *series)
{
	return gnuplot_label(series->label, PLOT_LABEL_CHARS);
}

#define SHORT_LABEL 16 /* characters for which a plot has room beside its bars */
#define LABEL_CHAR 7   /* pixels */

size_t plot_wider(const struct report *report)
{
	size_t longest = SHORT_LABEL;

	for (size_t s = 0; s < report->nr_series; s++) {
		size_t len = strlen(report->series[s].label);

		longest = len > longest ? len : longest;
	}
	if (longest > PLOT_LABEL_CHARS)
		longest = PLOT_LABEL_CHARS;
	return (longest - SHORT_LABEL) * LABEL_CHAR;
}

void plot_blocks_heading(struct plot_blocks *blocks, const char *text)
{
	autofree char *label = gnuplot_label(text, PLOT_HEADING_CHARS);

	strbuf_addf(&blocks->headings, "-%zu \"%s\"\n", blocks->nr_rows++, label);
}

void plot_blocks_group(struct plot_blocks *blocks, size_t first)
{
	strbuf_addf(&blocks->groups, "-%zu -%zu\n", first, blocks->nr_rows - 1);
}

void plot_blocks_point(struct plot_blocks *blocks, const struct plot_point *point)
{
	static const unsigned int symbols[] = { 7, 5, 9, 13, 11, 15 };
	autofree char *name = gnuplot_label(point->name, PLOT_LABEL_CHARS);
	autofree char *text = gnuplot_label(point->text, PLOT_HEADING_CHARS);
	double low = isnan(point->low) ? point->value : point->low;
	double high = isnan(point->high) ? point->value : point->high;

	strbuf_addf(&blocks->rows, "-%zu %.9g %.9g %.9g %u %u \"%s\" \"%s\"\n", blocks->nr_rows++,
		    point->value, low, high, point->colour,
		    symbols[point->symbol % ARRAY_SIZE(symbols)], name, text);
}

/* An empty block would shift the numbers of those behind it. */
void plot_blocks_join(struct plot_blocks *blocks, struct strbuf *data, size_t *nr_rows)
{
	const struct strbuf *const all[] = { &blocks->rows, &blocks->headings, &blocks->dots,
					     &blocks->groups };

	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		strbuf_addf(data, "%s%s", i ? "\n\n" : "",
			    all[i]->data ? all[i]->data : "0 \"\"\n");
	*nr_rows = blocks->nr_rows;
	free(blocks->rows.data);
	free(blocks->headings.data);
	free(blocks->dots.data);
	free(blocks->groups.data);
}

void plot_source(struct strbuf *rows, const struct report *report, const struct report_cell *cell,
		 size_t metric, const struct report_cell *base)
{
	autofree char *id = gnuplot_label(cell->id, PATH_MAX);
	autofree char *base_id = gnuplot_label(base ? base->id : "-", PATH_MAX);
	autofree char *name = gnuplot_label(report->metrics[metric].name, PATH_MAX);

	strbuf_addf(rows, "# %s %s %s\n", id, name, base_id);
}

static void add_dots(struct plot_blocks *blocks, const struct report_cell *cell, size_t metric,
		     double scale)
{
	const double *values = cell->values + metric * cell->nr_boots;

	for (size_t b = 0; b < cell->nr_boots; b++)
		if (!isnan(values[b]))
			strbuf_addf(&blocks->dots, "-%zu %.9g\n", blocks->nr_rows,
				    values[b] * scale);
}

static void add_bar(const struct report *report, struct plot_blocks *blocks,
		    const struct report_cell *cell, size_t metric, const struct report_cell *base)
{
	const struct report_series *series = &report->series[cell->series];
	struct report_stat stat = report_stat(cell, metric);
	double scale = base ? 1 / report_stat(base, metric).median : 1;
	autofree char *label = series_label(series);
	autofree char *text = base ? report_format_ratio(stat.median * scale)
				   : report_format(stat.median, report->metrics[metric].unit);

	if (stat.nr) {
		plot_source(&blocks->rows, report, cell, metric, base);
		strbuf_addf(&blocks->rows, "-%zu %.9g %.9g %.9g %u \"%s\" \"%s\"\n",
			    blocks->nr_rows, stat.median * scale, stat.min * scale,
			    stat.max * scale, series->colour, label, text);
		if (stat.nr > 1)
			add_dots(blocks, cell, metric, scale);
	} else {
		strbuf_addf(&blocks->rows, "-%zu 0 0 0 %u \"%s\" \"" NO_VALUE "\"\n",
			    blocks->nr_rows, series->colour, label);
	}
	blocks->nr_rows++;
}

bool report_plot_bars(const struct report *report, size_t workload, size_t metric, bool relative,
		      struct strbuf *data, size_t *nr_rows)
{
	struct plot_blocks blocks = { 0 };
	size_t first;

	for (size_t s = 0; s < report->nr_scenarios && metric != NO_METRIC; s++) {
		const struct report_cell *base = relative ? report_cell(report, 0, s) : NULL;

		if (report->scenarios[s].workload != workload ||
		    !report_scenario_has(report, s, metric) ||
		    (relative && isnan(stats_ratio(1, report_stat(base, metric).median))))
			continue;
		if (blocks.nr_rows > PLOT_MAX_ROWS) {
			plot_blocks_heading(&blocks, "(more of them: in the tables)");
			break;
		}
		plot_blocks_heading(&blocks, report->scenarios[s].more);
		first = blocks.nr_rows;
		for (size_t m = 0; m < report->nr_series; m++) {
			const struct report_cell *cell = report_cell(report, m, s);

			if (cell)
				add_bar(report, &blocks, cell, metric, base);
		}
		plot_blocks_group(&blocks, first);
	}
	plot_blocks_join(&blocks, data, nr_rows);
	return *nr_rows > 0;
}

/* The parts of stacked bars: names, and a block of rows for each. */
struct stack {
	struct plot_blocks blocks;
	struct {
		const char *name;
		struct strbuf rows;
	} parts[MAX_PARTS];
	size_t nr_parts;
};

/* spread: of the boots around the last end. */
static void stack_add_row(const struct report *report, struct stack *stack, size_t series,
			  const double *ends, const struct report_stat *spread, const char *unit)
{
	size_t row = stack->blocks.nr_rows++;
	autofree char *label = series_label(&report->series[series]);
	autofree char *text = NULL;
	double from = 0;

	for (size_t p = 0; p < stack->nr_parts; p++) {
		double to = fmax(from, ends[p]); /* ends[p] may be NAN */

		strbuf_addf(&stack->parts[p].rows, "-%zu %.9g %.9g %u\n", row, from, to,
			    part_colours[p]);
		from = to;
	}
	text = report_format(from, unit);
	strbuf_addf(&stack->blocks.rows, "-%zu %.9g %.9g %.9g \"%s\" \"%s\"\n", row, from,
		    fmin(from, spread->min), fmax(from, spread->max), label, text);
}

static bool stack_join(struct stack *stack, struct strbuf *data, size_t *nr_rows, size_t *nr_parts)
{
	plot_blocks_join(&stack->blocks, data, nr_rows);
	for (size_t p = 0; p < stack->nr_parts; p++) {
		autofree char *name = gnuplot_label(stack->parts[p].name, PLOT_LABEL_CHARS);

		strbuf_addf(data, "\n\n\"%s\"\n%s", name,
			    stack->parts[p].rows.data ? stack->parts[p].rows.data : "");
		free(stack->parts[p].rows.data);
	}
	*nr_parts = stack->nr_parts;
	return *nr_rows > 0;
}

/* Reasons of exits, those with most exits first. */
struct reasons {
	size_t metric[MAX_PARTS - 1];
	size_t nr;
	bool others; /* are there exits of further reasons? */
};

#define EXITS "vm_exits"
#define EXITS_PER_OP EXITS "_per_op"

static bool is_reason(const struct report_metric *metric)
{
	return !strncmp(metric->name, EXITS "_", strlen(EXITS "_")) &&
	       !strstr(metric->name, "_per_") && !strcmp(metric->unit, "count");
}

/* All exits that have a reason; NAN if there are none. */
static double cell_reasons(const struct report *report, const struct report_cell *cell)
{
	double sum = NAN;

	for (size_t m = 1; m < report->nr_metrics; m++) {
		double count = NAN;

		if (is_reason(&report->metrics[m]))
			count = report_stat(cell, m).median;
		if (!isnan(count))
			sum = (isnan(sum) ? 0 : sum) + count;
	}
	return sum;
}

/* Exits an operation of one reason in a cell: its share of them all. */
static double cell_reason(const struct report *report, const struct report_cell *cell,
			  size_t metric)
{
	double per_op = report_stat(cell, report_metric(report, EXITS_PER_OP)).median;
	double all = report_stat(cell, report_metric(report, EXITS)).median;
	double sum = cell_reasons(report, cell), share;

	share = stats_ratio(report_stat(cell, metric).median, isnan(all) || sum > all ? sum : all);
	return isnan(share) ? 0 : per_op * share;
}

static double reason_total(const struct report *report, size_t metric)
{
	double total = 0;

	for (size_t i = 0; i < report->nr_cells; i++) {
		double part = cell_reason(report, &report->cells[i], metric);

		total += isnan(part) ? 0 : part;
	}
	return total;
}

static void choose_reasons(const struct report *report, struct reasons *reasons)
{
	double totals[ARRAY_SIZE(reasons->metric)];

	for (size_t m = 1; m < report->nr_metrics; m++) {
		double total = is_reason(&report->metrics[m]) ? reason_total(report, m) : 0;
		size_t at = reasons->nr;

		if (total <= 0)
			continue;
		while (at > 0 && totals[at - 1] < total)
			at--;
		if (at == ARRAY_SIZE(totals))
			continue;
		if (reasons->nr < ARRAY_SIZE(totals))
			reasons->nr++;
		for (size_t i = reasons->nr - 1; i > at; i--) {
			totals[i] = totals[i - 1];
			reasons->metric[i] = reasons->metric[i - 1];
		}
		totals[at] = total;
		reasons->metric[at] = m;
	}
}

static void stack_add_exits(const struct report *report, struct stack *stack,
			    const struct reasons *reasons, const struct report_cell *cell)
{
	struct report_stat all = report_stat(cell, report_metric(report, EXITS_PER_OP));
	double ends[MAX_PARTS] = { 0 }, end = 0;

	for (size_t i = 0; i < reasons->nr; i++) {
		end += cell_reason(report, cell, reasons->metric[i]);
		ends[i] = end;
	}
	ends[reasons->nr] = all.median;
	stack_add_row(report, stack, cell->series, ends, &all, "");
}

bool report_plot_exits(const struct report *report, size_t workload, struct strbuf *data,
		       size_t *nr_rows, size_t *nr_parts)
{
	size_t per_op = report_metric(report, EXITS_PER_OP);
	struct reasons reasons = { 0 };
	struct stack stack = { 0 };

	choose_reasons(report, &reasons);
	for (size_t i = 0; i < reasons.nr; i++)
		stack.parts[stack.nr_parts++].name =
			report->metrics[reasons.metric[i]].name + strlen(EXITS "_");
	stack.parts[stack.nr_parts++].name = reasons.nr ? "other" : "all reasons";
	for (size_t s = 0; s < report->nr_scenarios && per_op != NO_METRIC; s++) {
		if (report->scenarios[s].workload != workload ||
		    !report_scenario_has(report, s, per_op))
			continue;
		if (stack.blocks.nr_rows > PLOT_MAX_ROWS) {
			plot_blocks_heading(&stack.blocks, "(more of them: in the tables)");
			break;
		}
		plot_blocks_heading(&stack.blocks, report->scenarios[s].more);
		for (size_t m = 0; m < report->nr_series; m++) {
			const struct report_cell *cell = report_cell(report, m, s);

			if (cell && report_stat(cell, per_op).nr)
				stack_add_exits(report, &stack, &reasons, cell);
		}
	}
	return stack_join(&stack, data, nr_rows, nr_parts);
}

/* The spread of all boots of a series, whatever its workloads. */
static struct report_stat series_spread(const struct report *report, size_t series, size_t metric)
{
	struct report_stat spread = { .min = NAN, .max = NAN };

	for (size_t i = 0; i < report->nr_cells; i++) {
		struct report_stat stat = report_stat(&report->cells[i], metric);

		if (report->cells[i].series != series)
			continue;
		spread.min = fmin(spread.min, stat.min);
		spread.max = fmax(spread.max, stat.max);
	}
	return spread;
}

/* Where the stages of a series' boots end: over all cells, or in one. Is there any? */
static bool stage_ends(const struct report *report, size_t series, const struct report_cell *cell,
		       const size_t *metrics, size_t nr, double *ends)
{
	bool any = false;

	for (size_t p = 0; p < nr; p++) {
		ends[p] = cell ? report_stat(cell, metrics[p]).median
			       : report_series_value(report, series, metrics[p]);
		any |= !isnan(ends[p]);
	}
	return any;
}

/* Rows of a scenario, under its name; of all scenarios together, without. */
static void stack_add_stages(const struct report *report, struct stack *stack, size_t scenario,
			     const size_t *metrics)
{
	size_t nr = stack->nr_parts;

	if (scenario != NO_SCENARIO)
		plot_blocks_heading(&stack->blocks, report->scenarios[scenario].more);
	for (size_t s = 0; s < report->nr_series; s++) {
		const struct report_cell *cell =
			scenario == NO_SCENARIO ? NULL : report_cell(report, s, scenario);
		double ends[MAX_PARTS] = { 0 };
		struct report_stat spread;

		if (scenario != NO_SCENARIO && !cell)
			continue;
		if (!stage_ends(report, s, cell, metrics, nr, ends))
			continue;
		spread = cell ? report_stat(cell, metrics[nr - 1])
			      : series_spread(report, s, metrics[nr - 1]);
		stack_add_row(report, stack, s, ends, &spread, "s");
	}
}

bool report_plot_stages(const struct report *report, size_t workload, struct strbuf *data,
			size_t *nr_rows, size_t *nr_parts)
{
	static const struct {
		const char *metric, *name;
	} stages[] = {
		{ "stage_mapped_s", "memory mapped" },
		{ "vm_create_s", "VM created" },
		{ "stage_kernel_s", "firmware, loader" },
		{ "vm_ready_s", "guest boot" },
	};
	size_t metrics[ARRAY_SIZE(stages)];
	struct stack stack = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(stages); i++) {
		size_t m = report_metric(report, stages[i].metric);

		if (m == NO_METRIC)
			continue;
		metrics[stack.nr_parts] = m;
		stack.parts[stack.nr_parts++].name = stages[i].name;
	}
	if (stack.nr_parts && workload == ALL_WORKLOADS)
		stack_add_stages(report, &stack, NO_SCENARIO, metrics);
	for (size_t s = 0; s < report->nr_scenarios && stack.nr_parts; s++)
		if (report->scenarios[s].workload == workload &&
		    report_scenario_has(report, s, metrics[stack.nr_parts - 1]) &&
		    stack.blocks.nr_rows <= PLOT_MAX_ROWS)
			stack_add_stages(report, &stack, s, metrics);
	return stack_join(&stack, data, nr_rows, nr_parts);
}

/* A group of the costs: what each mode's multiple is. */
static void add_cost(const struct report *report, const struct report_column *column,
		     struct plot_blocks *blocks)
{
	size_t metric = report_column_metric(report, column), first = 0;

	for (size_t s = 1; s < report->nr_series; s++) {
		struct report_ratio ratio = report_series_ratio(report, s, metric);
		const struct report_series *series = &report->series[s];
		autofree char *text = report_ratio_text(&ratio);

		if (!(ratio.ratio > 0))
			continue;
		if (!first) {
			plot_blocks_heading(blocks, column->title);
			first = blocks->nr_rows;
		}
		plot_blocks_point(blocks, &(struct plot_point){ ratio.ratio, ratio.low, ratio.high,
								series->colour, (unsigned int)s - 1,
								series->label, text });
	}
	if (first)
		plot_blocks_group(blocks, first);
}

bool report_plot_costs(const struct report *report, struct strbuf *data, size_t *nr_rows)
{
	const struct report_column *columns[MAX_COLUMNS];
	size_t nr = report_columns(report, columns);
	struct plot_blocks blocks = { 0 };

	for (size_t c = 0; c < nr; c++)
		if (columns[c]->relative)
			add_cost(report, columns[c], &blocks);
	plot_blocks_join(&blocks, data, nr_rows);
	return *nr_rows > 0;
}
