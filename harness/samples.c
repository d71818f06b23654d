// SPDX-License-Identifier: GPL-2.0-only
/* samples.csv: written one boot at a time, read as one stream. */
#include "harness/samples.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "harness/log.h"
#include "harness/util.h"

#define HEADER "cell,mode,device,workload,variant,boot,metric,unit,direction,value"
#define NR_FIELDS 10
#define MAX_FILE_BYTES GIB
#define MAX_LINE 4096
#define MAX_ROWS (4 * MIB) /* they are all held in memory: about 1 GiB */

static const char *const direction_names[] = {
	[DIRECTION_NONE] = "none",
	[DIRECTION_HIGHER] = "higher",
	[DIRECTION_LOWER] = "lower",
};

const char *direction_name(enum direction direction)
{
	return direction_names[direction];
}

void sample_add(struct sample_set *set, const struct metric_desc *desc, double value)
{
	if (!(set->nr & (set->nr - 1))) { /* full at each power of two */
		size_t cap = set->nr ? set->nr * 2 : 1;

		set->items = xrealloc(set->items, cap * sizeof(*set->items));
	}
	set->items[set->nr++] = (struct sample_value){ .desc = desc, .value = value };
}

double sample_get(const struct sample_set *set, const char *metric)
{
	for (size_t i = 0; i < set->nr; i++)
		if (!strcmp(set->items[i].desc->name, metric))
			return set->items[i].value;
	return NAN;
}

void sample_set_free(struct sample_set *set)
{
	free(set->items);
	*set = (struct sample_set){ 0 };
}

/* Fields are never quoted, so they must not hold what would need it. */
static bool field_valid(const char *text)
{
	for (; *text; text++)
		if (*text == ',' || *text == '"' || (unsigned char)*text < ' ' || *text == 0x7f)
			return false;
	return true;
}

/*
 * The shortest decimal number that reads back as the same value. Without an exponent where the
 * value is of a size that is ever measured.
 */
static void add_number(struct strbuf *sb, double value)
{
	char digits[40];
	int precision = 0, exponent, decimals;

	do
		snprintf(digits, sizeof(digits), "%.*e", precision, value);
	while (strtod(digits, NULL) != value && ++precision <= 16);
	exponent = (int)strtol(strchr(digits, 'e') + 1, NULL, 10);
	if (exponent < -20 || exponent > 20) {
		strbuf_addf(sb, "%s", digits);
		return;
	}
	decimals = precision - exponent;
	strbuf_addf(sb, "%.*f", decimals > 0 ? decimals : 0, value);
}

static int add_row(struct strbuf *sb, const struct sample_key *key, const struct sample_value *v)
{
	const char *const fields[] = { key->cell,    key->mode,	    key->device,  key->workload,
				       key->variant, v->desc->name, v->desc->unit };
	size_t start = sb->len;

	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		if (field_valid(fields[i]))
			continue;
		log_err("samples: \"%s\" cannot be a field: it has a comma, a quote or a control "
			"character",
			fields[i]);
		return -EINVAL;
	}
	if (!isfinite(v->value)) {
		log_err("samples: %s of %s is not a finite number", v->desc->name, key->cell);
		return -EINVAL;
	}
	strbuf_addf(sb, "%s,%s,%s,%s,%s,%u,%s,%s,%s,", key->cell, key->mode, key->device,
		    key->workload, key->variant, key->boot, v->desc->name, v->desc->unit,
		    direction_name(v->desc->direction));
	add_number(sb, v->value);
	strbuf_add(sb, "\n", 1);
	if (sb->len - start > MAX_LINE) {
		log_err("samples: the names of %s are too long", v->desc->name);
		return -EINVAL;
	}
	return 0;
}

/* A crash may have left a line without its end: what follows must not be glued to it. */
static int cut_partial_line(int fd, off_t *size)
{
	char tail[MAX_LINE];
	off_t start = *size > MAX_LINE ? *size - MAX_LINE : 0;
	ssize_t n = pread(fd, tail, (size_t)(*size - start), start);
	const char *end;

	if (n < 0)
		return -errno;
	end = memrchr(tail, '\n', (size_t)n);
	if (!end && start > 0)
		return -EINVAL;
	*size = end ? start + (end - tail) + 1 : 0;
	return ftruncate(fd, *size) ? -errno : 0;
}

static int append_text(const char *path, const struct strbuf *rows)
{
	autoclose int fd = open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0644);
	struct stat st;
	off_t size;
	int ret;

	if (fd < 0 || fstat(fd, &st))
		return -errno;
	size = st.st_size;
	ret = size ? cut_partial_line(fd, &size) : 0;
	if (!ret && !size)
		ret = write_all(fd, HEADER "\n", strlen(HEADER) + 1);
	if (!ret)
		ret = write_all(fd, rows->data, rows->len);
	if (!ret && fsync(fd))
		ret = -errno;
	return ret;
}

int samples_append(const char *path, const struct sample_key *key, const struct sample_set *set)
{
	struct strbuf rows = { 0 };
	int ret = 0;

	strbuf_add(&rows, "", 0);
	for (size_t i = 0; i < set->nr && !ret; i++)
		ret = add_row(&rows, key, &set->items[i]);
	if (!ret) {
		ret = append_text(path, &rows);
		if (ret)
			log_err("%s: cannot append samples: %s", path, strerror(-ret));
	}
	free(rows.data);
	return ret;
}

/* The file being read, for messages and limits. */
struct reader {
	FILE *file;
	const char *path;
	size_t line_nr;
	uint64_t nr_bytes;
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
static int read_line(struct reader *reader, char line[MAX_LINE])
{
	size_t len = 0;
	int c;

	reader->line_nr++;
	while ((c = getc_unlocked(reader->file)) != '\n') {
		if (c == EOF)
			break;
		if (c == '\0')
			return bad_line(reader, "a NUL byte: this is no samples file");
		if (len + 1 >= MAX_LINE)
			return bad_line(reader, "the line is too long");
		line[len++] = (char)c;
	}
	line[len] = '\0';
	reader->nr_bytes += len + 1;
	if (reader->nr_bytes > MAX_FILE_BYTES)
		return bad_line(reader, "the file is larger than 1 GiB");
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
	for (size_t i = 0; i < ARRAY_SIZE(direction_names); i++) {
		if (!strcmp(text, direction_names[i])) {
			*direction = (enum direction)i;
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

/* The row keeps its line: its strings point into it. */
static int parse_row(const struct reader *reader, const char *text, struct sample_row *row)
{
	autofree char *line = xstrdup(text);
	char *f[NR_FIELDS];

	if (split_fields(line, f) != NR_FIELDS)
		return bad_line(reader, "not " HEADER);
	for (size_t i = 0; i < NR_FIELDS; i++)
		if (!field_valid(f[i]))
			return bad_line(reader, "a quote or a control character in a field");
	if (!*f[0] || !*f[6])
		return bad_line(reader, "no cell or no metric");
	if (!parse_boot(f[5], &row->boot))
		return bad_line(reader, "boot is no whole number");
	if (!parse_direction(f[8], &row->direction))
		return bad_line(reader, "direction is none of higher, lower, none");
	if (!parse_value(f[9], &row->value))
		return bad_line(reader, "value is no finite decimal number");
	row->cell = f[0];
	row->mode = f[1];
	row->device = f[2];
	row->workload = f[3];
	row->variant = f[4];
	row->metric = f[6];
	row->unit = f[7];
	line = NULL;
	return 0;
}

static int read_rows(struct reader *reader, struct sample_table *out)
{
	char line[MAX_LINE];
	size_t cap = 0;
	int ret = read_line(reader, line);

	if (ret > 0 && strcmp(line, HEADER) != 0)
		ret = bad_line(reader, "the header is not " HEADER);
	while (ret > 0 && (ret = read_line(reader, line)) > 0) {
		if (out->nr == MAX_ROWS)
			return bad_line(reader, "too many rows");
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
	struct stat st = { .st_mode = S_IFREG }; /* if it cannot be had, fopen() says why */

	/* Not to hang where the path names a pipe. */
	if (!stat(path, &st) && !S_ISREG(st.st_mode)) {
		log_err("%s: not a regular file", path);
		return -EINVAL;
	}
	/* Before a gigabyte of it is in memory; a file that grows meanwhile is caught later. */
	if ((uint64_t)st.st_size > MAX_FILE_BYTES) {
		log_err("%s: the file is larger than 1 GiB", path);
		return -EINVAL;
	}
	*file = fopen(path, "re");
	if (!*file) {
		int err = errno;

		log_err("%s: %s", path, strerror(err));
		return -err;
	}
	return 0;
}

int samples_read(const char *path, struct sample_table *out)
{
	struct reader reader = { .path = path };
	int ret;

	*out = (struct sample_table){ 0 };
	ret = open_samples(path, &reader.file);
	if (ret)
		return ret;
	ret = read_rows(&reader, out);
	fclose(reader.file);
	if (ret)
		sample_table_free(out);
	return ret;
}

void sample_table_free(struct sample_table *table)
{
	for (size_t i = 0; i < table->nr; i++)
		free(table->rows[i].cell); /* the row's line, see parse_row() */
	free(table->rows);
	*table = (struct sample_table){ 0 };
}

static int keep_row(struct strbuf *sb, const struct sample_row *row)
{
	const struct metric_desc desc = { row->metric, row->unit, row->direction, NULL };
	const struct sample_key key = { row->cell,     row->mode,    row->device,
					row->workload, row->variant, row->boot };
	const struct sample_value value = { &desc, row->value };

	return add_row(sb, &key, &value);
}

int samples_filter(const char *path, bool (*keep)(const void *arg, const struct sample_row *row),
		   const void *arg, struct strbuf *text)
{
	struct sample_table table = { 0 };
	int ret = samples_read(path, &table);

	if (!text->len)
		strbuf_addf(text, HEADER "\n");
	for (size_t i = 0; i < table.nr && !ret; i++)
		if (keep(arg, &table.rows[i]))
			ret = keep_row(text, &table.rows[i]);
	sample_table_free(&table);
	return ret;
}

int samples_keep(const char *path, bool (*keep)(const void *arg, const struct sample_row *row),
		 const void *arg)
{
	struct strbuf text = { 0 };
	int ret;

	if (!file_exists(path))
		return 0;
	ret = samples_filter(path, keep, arg, &text);
	if (!ret) {
		ret = file_replace(path, text.data, text.len);
		if (ret)
			log_err("cannot write %s: %s", path, strerror(-ret));
	}
	free(text.data);
	return ret;
}
