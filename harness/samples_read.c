// SPDX-License-Identifier: GPL-2.0-only
/* samples.csv: read as one stream, each different name held once. */
#include "harness/samples.h"

#include <errno.h>
#include <jansson.h>
#include <limits.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "harness/log.h"
#include "harness/samples_format.h"
#include "harness/util.h"

#define NR_FIELDS 10
#define MAX_FILE_BYTES GIB
#define MAX_ROWS (4 * MIB)   /* they are all held in memory: 72 bytes each */
#define MAX_NAMES (64 * KIB) /* cells, metrics ... of any real run are far fewer */
#define NAME_SLOTS (2 * MAX_NAMES)

/*
 * Names that rows point to, each held once: a hash table with free places, and a list, because
 * most places stay free.
 */
struct sample_names {
	struct name {
		struct name *before;
		char text[];
	} * slots[NAME_SLOTS], *last;
	size_t nr;
};

static struct name **find_name(struct sample_names *names, const char *text)
{
	size_t i = fnv1a(FNV1A_INIT, text, strlen(text)) % NAME_SLOTS;

	while (names->slots[i] && strcmp(names->slots[i]->text, text) != 0)
		i = (i + 1) % NAME_SLOTS;
	return &names->slots[i];
}

static const char *add_name(struct sample_names *names, struct name **slot, const char *text)
{
	size_t size = strlen(text) + 1;
	struct name *name = xzalloc(sizeof(*name) + size);

	memcpy(name->text, text, size);
	name->before = names->last;
	names->last = name;
	names->nr++;
	*slot = name;
	return name->text;
}

static void names_free(struct sample_names *names)
{
	while (names && names->last) {
		struct name *name = names->last;

		names->last = name->before;
		free(name);
	}
	free(names);
}

/* The file being read, for messages and limits. */
struct reader {
	FILE *file;
	const char *path;
	size_t line_nr;
	uint64_t nr_bytes;
	struct sample_names *names;
};

static int bad_line(const struct reader *reader, const char *what)
{
	log_err("%s:%zu: %s", reader->path, reader->line_nr, what);
	return -EINVAL;
}

/*
 * One line without its newline. Returns 1, 0 at the end of the file (a last line without its
 * end is left out), or -errno.
 */
static int read_line(struct reader *reader, char line[SAMPLES_MAX_LINE])
{
	size_t len = 0;
	int c;

	reader->line_nr++;
	while ((c = getc_unlocked(reader->file)) != '\n') {
		if (c == EOF)
			break;
		if (c == '\0')
			return bad_line(reader, "a NUL byte: this is no samples file");
		if (len + 1 >= SAMPLES_MAX_LINE)
			return bad_line(reader, "the line is too long: this is no samples file");
		line[len++] = (char)c;
	}
	line[len] = '\0';
	if (c == '\n' && len && line[len - 1] == '\r')
		return bad_line(reader, "the line ends in CR LF: an editor or a transfer changed "
					"the file; dos2unix mends it");
	reader->nr_bytes += len + 1;
	if (reader->nr_bytes > MAX_FILE_BYTES)
		return bad_line(reader, "the file has grown beyond 1 GiB, more than is read");
	if (ferror(reader->file)) {
		bad_line(reader, "cannot be read");
		return -EIO;
	}
	if (c == EOF && len)
		log_warn("%s:%zu: the last line is incomplete and left out", reader->path,
			 reader->line_nr);
	return c != EOF;
}

/* Splits in place; the number of fields, counted no further than one too many. */
static size_t split_fields(char *line, char *fields[NR_FIELDS])
{
	size_t nr = 0;

	for (char *field; (field = strsep(&line, ",")); nr++) {
		if (nr == NR_FIELDS)
			return nr + 1;
		fields[nr] = field;
	}
	return nr;
}

static bool parse_boot(const char *text, unsigned int *boot)
{
	char *end;
	unsigned long value;

	if (*text < '0' || *text > '9')
		return false;
	errno = 0;
	value = strtoul(text, &end, 10);
	*boot = (unsigned int)value;
	return !*end && !errno && value <= UINT_MAX;
}

static bool parse_direction(const char *text, enum direction *direction)
{
	static const enum direction all[] = { DIRECTION_NONE, DIRECTION_HIGHER, DIRECTION_LOWER };

	for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
		if (!strcmp(text, direction_name(all[i]))) {
			*direction = all[i];
			return true;
		}
	}
	return false;
}

/* strtod() takes more than decimal numbers: nan, inf, hexadecimal, leading space. */
static bool parse_value(const char *text, double *value)
{
	char *end;

	if (!*text || text[strspn(text, "0123456789+-.eE")])
		return false;
	*value = strtod(text, &end);
	return !*end && isfinite(*value);
}

/* The name as the table holds it; NULL, with the reason logged, if it can be none. */
static const char *intern(struct reader *reader, const char *text)
{
	struct name **slot = find_name(reader->names, text);
	json_t *checked;

	if (*slot)
		return (*slot)->text;
	if (!sample_field_valid(text)) {
		bad_line(reader, "a quote or a control character in a field");
		return NULL;
	}
	checked = json_string(text);
	json_decref(checked);
	if (!checked) {
		bad_line(reader, "a field is no UTF-8");
		return NULL;
	}
	if (reader->names->nr == MAX_NAMES) {
		bad_line(reader, "too many different names for one run");
		return NULL;
	}
	return add_name(reader->names, slot, text);
}

static int parse_row(struct reader *reader, char *line, struct sample_row *row)
{
	const char **const names[NR_FIELDS] = {
		&row->cell, &row->mode,	  &row->device, &row->workload, &row->variant,
		NULL,	    &row->metric, &row->unit,	NULL,		NULL
	};
	char *f[NR_FIELDS];

	if (split_fields(line, f) != NR_FIELDS)
		return bad_line(reader, "not " SAMPLES_HEADER);
	for (size_t i = 0; i < NR_FIELDS; i++) {
		if (!names[i])
			continue;
		*names[i] = intern(reader, f[i]);
		if (!*names[i])
			return -EINVAL;
	}
	if (!*row->cell || !*row->metric)
		return bad_line(reader, "no cell or no metric");
	if (!parse_boot(f[5], &row->boot))
		return bad_line(reader, "boot is no whole number");
	if (!parse_direction(f[8], &row->direction))
		return bad_line(reader, "direction is none of higher, lower, none");
	if (!parse_value(f[9], &row->value))
		return bad_line(reader, "value is no finite decimal number");
	return 0;
}

static int read_rows(struct reader *reader, struct sample_table *out)
{
	char line[SAMPLES_MAX_LINE];
	size_t cap = 0;
	int ret = read_line(reader, line);

	if (ret > 0 && strcmp(line, SAMPLES_HEADER) != 0)
		ret = bad_line(reader, "the header is not " SAMPLES_HEADER);
	while (ret > 0 && (ret = read_line(reader, line)) > 0) {
		if (out->nr == MAX_ROWS)
			return bad_line(reader,
					"more than 4 Mi rows: make so large an experiment in "
					"several runs (run --only)");
		if (out->nr == cap) {
			cap = cap ? cap * 2 : 256;
			out->rows = xrealloc(out->rows, cap * sizeof(*out->rows));
		}
		ret = parse_row(reader, line, &out->rows[out->nr]);
		if (!ret) {
			out->nr++;
			ret = 1;
		}
	}
	return ret;
}

static int open_samples(const char *path, FILE **file)
{
	struct stat st;

	*file = file_open_regular(path);
	if (!*file || fstat(fileno(*file), &st)) {
		int err = errno;

		log_err("%s: %s", path, err == EINVAL ? "not a regular file" : strerror(err));
		return -err;
	}
	/* Before a gigabyte of it is read; a file that grows meanwhile is caught later. */
	if ((uint64_t)st.st_size > MAX_FILE_BYTES) {
		log_err("%s: %s are more than the 1 GiB that is read of a run: make so large an "
			"experiment in several runs (run --only)",
			path, human_bytes((double)st.st_size));
		return -EFBIG;
	}
	return 0;
}

int samples_read(const char *path, struct sample_table *out)
{
	struct reader reader = { .path = path };
	int ret;

	*out = (struct sample_table){ 0 };
	ret = open_samples(path, &reader.file);
	if (!ret) {
		reader.names = xzalloc(sizeof(*reader.names));
		out->names = reader.names;
		ret = read_rows(&reader, out);
	}
	if (reader.file)
		fclose(reader.file);
	if (ret)
		sample_table_free(out);
	return ret;
}

void sample_table_free(struct sample_table *table)
{
	names_free(table->names);
	free(table->rows);
	*table = (struct sample_table){ 0 };
}
