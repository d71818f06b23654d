// SPDX-License-Identifier: GPL-2.0-only
/* CSV by RFC 4180: every value in a line that stands for itself, the run's data in each. */
#include <math.h>
#include <string.h>

#include "harness/export_format.h"
#include "harness/samples_format.h"

void export_csv_field(struct strbuf *sb, const char *text)
{
	bool quoted = strpbrk(text, ",\"\r\n") != NULL;
	/* A spreadsheet would compute it. No name of ours begins so. */
	bool formula = *text && strchr("=+-@\t\r", *text);

	if (quoted)
		strbuf_add(sb, "\"", 1);
	if (formula)
		strbuf_add(sb, "'", 1);
	for (; *text; text++) {
		if (*text == '"')
			strbuf_add(sb, "\"", 1);
		strbuf_add(sb, text, 1);
	}
	strbuf_addf(sb, quoted ? "\"," : ",");
}

/* What the lines of a cell have in common, up to its variant. */
static void add_prefix(struct strbuf *sb, const struct report *report,
		       const struct report_cell *cell)
{
	const char *const fields[] = {
		report_text(report, "run_id"),
		report_text(report, "started"),
		report_text(report, "where"),
		export_fingerprint(report),
		cell->id,
		cell->names.mode,
		cell->names.device,
		cell->names.workload,
		cell->names.variant,
	};

	strbuf_add(sb, "", 0);
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		export_csv_field(sb, fields[i]);
}

static void write_cell(const struct report *report, const struct report_cell *cell, FILE *out)
{
	struct strbuf prefix = { 0 }, line = { 0 };

	add_prefix(&prefix, report, cell);
	for (size_t b = 0; b < cell->nr_boots; b++) {
		for (size_t m = 1; m < report->nr_metrics; m++) {
			const struct report_metric *metric = &report->metrics[m];
			double value = cell->values[m * cell->nr_boots + b];

			if (isnan(value))
				continue;
			strbuf_add(&line, prefix.data, prefix.len);
			strbuf_addf(&line, "%u,", cell->boots[b].index);
			export_csv_field(&line, metric->name);
			export_csv_field(&line, metric->unit);
			export_csv_field(&line, direction_name(metric->direction));
			sample_add_number(&line, value);
			strbuf_addf(&line, "\r\n");
			export_flush(&line, out);
		}
	}
	free(prefix.data);
	free(line.data);
}

static int write_csv(const struct report *report, FILE *out)
{
	fputs("run_id,started,where,fingerprint,cell,mode,device,workload,variant,boot,metric,"
	      "unit,direction,value\r\n",
	      out);
	for (size_t i = 0; i < report->nr_cells; i++)
		write_cell(report, &report->cells[i], out);
	return 0;
}

const struct export_format export_csv = {
	.name = "csv",
	.help = "every value of every boot in a line of its own, for R, pandas and spreadsheets",
	.write = write_csv,
};
