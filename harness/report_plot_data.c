// SPDX-License-Identifier: GPL-2.0-only
/* The plots' data files: what each bar and stack shows. */
#include <math.h>
#include <string.h>

#include "harness/report_plot.h"
#include "harness/report_summary.h"
#include "harness/stats.h"
#include "harness/util.h"

#define MAX_ROWS 300 /* of one plot; what is beyond is in the page's tables */
#define MAX_PARTS 8  /* of one stack, as many as can be told apart */
#define LABEL_CHARS 24
#define HEADING_CHARS 44

/* Paul Tol's light scheme: apart from the series' colours, and for colour-blind readers too. */
static const unsigned int part_colours[MAX_PARTS] = { 0x77aadd, 0xee8866, 0xeedd88, 0xffaabb,
						      0x99ddff, 0x44bb99, 0xbbcc33, 0xaaaaaa };

/* The blocks of a file; an empty one would shift the numbers of those behind it. */
struct blocks {
	struct strbuf rows, headings, dots, groups;
	size_t nr_rows;
};

static char *clean_label(const char *text, size_t max_chars)
{
	struct strbuf sb = { 0 };
	size_t chars = 0;

	strbuf_add(&sb, "", 0);
	for (; *text; text++) {
		bool inside = ((unsigned char)*text & 0xc0) == 0x80; /* of a UTF-8 sequence */

		if (!inside && ++chars > max_chars) {
			strbuf_addf(&sb, "…");
			break;
		}
		if ((unsigned char)*text >= 0x80 || (*text >= '0' && *text <= '9') ||
		    ((*text | 0x20) >= 'a' && (*text | 0x20) <= 'z') ||
		    strchr(" .,_=+/()-:×", *text))
			strbuf_add(&sb, text, 1);
		else
			strbuf_add(&sb, "?", 1);
	}
	return sb.data;
}

char *report_plot_label(const char *text)
{
	return clean_label(text, LABEL_CHARS);
}

static void add_heading(struct blocks *blocks, const char *text)
{
	autofree char *label = clean_label(text, HEADING_CHARS);

	strbuf_addf(&blocks->headings, "-%zu \"%s\"\n", blocks->nr_rows++, label);
}

static void join_blocks(struct blocks *blocks, struct strbuf *data, size_t *nr_rows)
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

static void add_dots(struct blocks *blocks, const struct report_cell *cell, size_t metric,
		     double scale)
{
	const double *values = cell->values + metric * cell->nr_boots;

	for (size_t b = 0; b < cell->nr_boots; b++)
		if (!isnan(values[b]))
			strbuf_addf(&blocks->dots, "-%zu %.9g\n", blocks->nr_rows,
				    values[b] * scale);
}

static void add_bar(const struct report *report, struct blocks *blocks,
		    const struct report_cell *cell, size_t metric, double base)
{
	const struct report_series *series = &report->series[cell->series];
	struct report_stat stat = report_stat(cell, metric);
	bool relative = base != 0;
	double scale = relative ? 1 / base : 1;
	autofree char *label = report_plot_label(series->label);
	autofree char *text = relative ? report_format_ratio(stat.median * scale)
				       : report_format(stat.median, report->metrics[metric].unit);

	if (stat.nr) {
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

static bool scenario_has(const struct report *report, size_t scenario, size_t metric)
{
	for (size_t s = 0; s < report->nr_series; s++)
		if (report_stat(report_cell(report, s, scenario), metric).nr)
			return true;
	return false;
}

bool report_plot_bars(const struct report *report, size_t metric, bool relative,
		      struct strbuf *data, size_t *nr_rows)
{
	struct blocks blocks = { 0 };
	size_t first;

	for (size_t s = 0; s < report->nr_scenarios && metric != NO_METRIC; s++) {
		double base = 0;

		if (relative)
			base = report_stat(report_cell(report, 0, s), metric).median;
		if (!scenario_has(report, s, metric) || (relative && isnan(stats_ratio(1, base))))
			continue;
		if (blocks.nr_rows > MAX_ROWS) {
			add_heading(&blocks, "(further workloads: in the tables)");
			break;
		}
		add_heading(&blocks, report->scenarios[s].label);
		first = blocks.nr_rows;
		for (size_t m = 0; m < report->nr_series; m++) {
			const struct report_cell *cell = report_cell(report, m, s);

			if (cell)
				add_bar(report, &blocks, cell, metric, base);
		}
		strbuf_addf(&blocks.groups, "-%zu -%zu\n", first, blocks.nr_rows - 1);
	}
	join_blocks(&blocks, data, nr_rows);
	return *nr_rows > 0;
}

/* The parts of stacked bars: names, and a block of rows for each. */
struct stack {
	struct blocks blocks;
	struct {
		const char *name;
		struct strbuf rows;
	} parts[MAX_PARTS];
	size_t nr_parts;
};

static void stack_add_row(const struct report *report, struct stack *stack, size_t series,
			  const double *ends, const char *unit)
{
	size_t row = stack->blocks.nr_rows++;
	autofree char *label = report_plot_label(report->series[series].label);
	autofree char *text = NULL;
	double from = 0;

	for (size_t p = 0; p < stack->nr_parts; p++) {
		double to = fmax(from, ends[p]); /* ends[p] may be NAN */

		strbuf_addf(&stack->parts[p].rows, "-%zu %.9g %.9g %u\n", row, from, to,
			    part_colours[p]);
		from = to;
	}
	text = report_format(from, unit);
	strbuf_addf(&stack->blocks.rows, "-%zu %.9g \"%s\" \"%s\"\n", row, from, label, text);
}

static bool stack_join(struct stack *stack, struct strbuf *data, size_t *nr_rows, size_t *nr_parts)
{
	join_blocks(&stack->blocks, data, nr_rows);
	for (size_t p = 0; p < stack->nr_parts; p++) {
		autofree char *name = report_plot_label(stack->parts[p].name);

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
	double ends[MAX_PARTS] = { 0 }, end = 0;

	for (size_t i = 0; i < reasons->nr; i++) {
		end += cell_reason(report, cell, reasons->metric[i]);
		ends[i] = end;
	}
	ends[reasons->nr] = report_stat(cell, report_metric(report, EXITS_PER_OP)).median;
	stack_add_row(report, stack, cell->series, ends, "");
}

bool report_plot_exits(const struct report *report, struct strbuf *data, size_t *nr_rows,
		       size_t *nr_parts)
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
		if (!scenario_has(report, s, per_op))
			continue;
		if (stack.blocks.nr_rows > MAX_ROWS) {
			add_heading(&stack.blocks, "(further workloads: in the tables)");
			break;
		}
		add_heading(&stack.blocks, report->scenarios[s].label);
		for (size_t m = 0; m < report->nr_series; m++) {
			const struct report_cell *cell = report_cell(report, m, s);

			if (cell && report_stat(cell, per_op).nr)
				stack_add_exits(report, &stack, &reasons, cell);
		}
	}
	return stack_join(&stack, data, nr_rows, nr_parts);
}

bool report_plot_stages(const struct report *report, struct strbuf *data, size_t *nr_rows,
			size_t *nr_parts)
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
	for (size_t s = 0; s < report->nr_series && stack.nr_parts; s++) {
		double ends[ARRAY_SIZE(stages)] = { 0 };
		bool any = false;

		for (size_t p = 0; p < stack.nr_parts; p++) {
			ends[p] = report_series_value(report, s, metrics[p]);
			any |= !isnan(ends[p]);
		}
		if (any)
			stack_add_row(report, &stack, s, ends, "s");
	}
	return stack_join(&stack, data, nr_rows, nr_parts);
}
