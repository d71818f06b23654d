// SPDX-License-Identifier: GPL-2.0-only
/* A table for the terminal. */
#include "harness/table.h"

#include <string.h>

#include "harness/report_summary.h"
#include "harness/util.h"

void table_add(struct table *table, char *const *fields)
{
	size_t nr = table->nr_columns * table->nr_rows++;

	table->fields =
		xrealloc(table->fields, table->nr_rows * table->nr_columns * sizeof(char *));
	memcpy(table->fields + nr, fields, table->nr_columns * sizeof(char *));
}

static int column_width(const struct table *table, size_t column)
{
	int width = 0;

	for (size_t row = 0; row < table->nr_rows; row++) {
		int own = report_text_width(table->fields[row * table->nr_columns + column]);

		width = own > width ? own : width;
	}
	return width;
}

void table_print(struct table *table, FILE *out)
{
	size_t nr = table->nr_columns;
	autofree int *widths = xzalloc((nr + 1) * sizeof(*widths));

	for (size_t c = 0; c < nr; c++)
		widths[c] = column_width(table, c);
	for (size_t i = 0; i < nr * table->nr_rows; i++) {
		size_t c = i % nr;
		bool left = c < table->nr_left, last = c + 1 == nr;

		report_print_padded(out, table->fields[i], last && left ? 0 : widths[c], left);
		fputs(last ? "\n" : "  ", out);
		free(table->fields[i]);
	}
	free((void *)table->fields);
	*table = (struct table){ 0 };
}
