/* SPDX-License-Identifier: GPL-2.0-only */
/* A table for the terminal: columns as wide as they need, two blanks apart. */
#ifndef HARNESS_TABLE_H
#define HARNESS_TABLE_H

#include <stddef.h>
#include <stdio.h>

struct table {
	size_t nr_columns;
	size_t nr_left; /* so many columns, the first ones, are aligned to the left */
	char **fields;	/* row by row */
	size_t nr_rows;
};

/* Adds a row. Takes over the fields, nr_columns of them, not the array. */
void table_add(struct table *table, char *const *fields);
/* Control characters in fields are replaced. Frees the rows. */
void table_print(struct table *table, FILE *out);

#endif
