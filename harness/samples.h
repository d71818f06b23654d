/* SPDX-License-Identifier: GPL-2.0-only */
/* samples.csv: every raw value of a run, one row each, appended as it comes. */
#ifndef HARNESS_SAMPLES_H
#define HARNESS_SAMPLES_H

#include <stdbool.h>
#include <stddef.h>

enum direction { DIRECTION_NONE, DIRECTION_HIGHER, DIRECTION_LOWER };

/* What a metric is; constant, owned by the plug-in that measures it. */
struct metric_desc {
	const char *name;	  /* as in samples.csv */
	const char *unit;	  /* s, bytes, ops/s, bytes/s, count */
	enum direction direction; /* which way is better */
	const char *help;	  /* one line */
};

/* Where a value belongs. Strings are borrowed. */
struct sample_key {
	const char *cell, *mode, *device, *workload, *variant;
	unsigned int boot;
};

/* Values of one boot of one cell, kept until the boot has ended well. */
struct sample_set {
	struct sample_value {
		const struct metric_desc *desc;
		double value;
	} * items;
	size_t nr;
	struct sample_own *own; /* descriptions that it holds itself */
};
void sample_add(struct sample_set *set, const struct metric_desc *desc, double value);
/* The same for a metric whose unit, which is copied, and direction are known only now. */
void sample_add_as(struct sample_set *set, const struct metric_desc *desc, const char *unit,
		   enum direction direction, double value);
/* The value of a metric in the set, or NAN. */
double sample_get(const struct sample_set *set, const char *metric);
void sample_set_free(struct sample_set *set);

/*
 * Appends a whole set to the file at path (the header first if it is new) and flushes it to
 * the disk, so that a crash leaves whole boots; a line that a crash cut is removed. 0 or -errno;
 * -EINVAL, with nothing written, if a name holds a comma, a quote or a control character (fields
 * are never quoted) or a value is not finite.
 */
int samples_append(const char *path, const struct sample_key *key, const struct sample_set *set);

/* A row as read back; its strings belong to the table. */
struct sample_row {
	const char *cell, *mode, *device, *workload, *variant, *metric, *unit;
	unsigned int boot;
	enum direction direction;
	double value;
};
struct sample_table {
	struct sample_row *rows;
	size_t nr;
	struct sample_names *names; /* what the rows' strings point to */
};
/*
 * Reads a samples.csv, a line at a time: memory is needed for the rows (72 bytes each, at most
 * 4 Mi of them) and once for each different name (at most 64 Ki). Returns 0, or -EINVAL on a
 * malformed file (header, field count, a value that is no finite number), naming file and line in
 * a logged error; -EFBIG if it has more than 1 GiB; or another -errno. A last line without its
 * end (a crash while writing) is left out with a warning.
 */
int samples_read(const char *path, struct sample_table *out);
void sample_table_free(struct sample_table *table);

/*
 * Adds the file's rows that keep() wants to the text, the header before the first. 0, or as
 * samples_read().
 */
struct strbuf;
int samples_filter(const char *path, bool (*keep)(const void *arg, const struct sample_row *row),
		   const void *arg, struct strbuf *text);

/*
 * Drops the rows that keep() does not want, and a torn last line; replaces the file
 * atomically. A missing file is success. 0 or -errno with a logged reason.
 */
int samples_keep(const char *path, bool (*keep)(const void *arg, const struct sample_row *row),
		 const void *arg);

const char *direction_name(enum direction direction);

#endif
