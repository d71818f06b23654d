// SPDX-License-Identifier: GPL-2.0-only
/* samples.csv: written one boot at a time. */
#include "harness/samples.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "harness/log.h"
#include "harness/samples_format.h"
#include "harness/util.h"

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

struct sample_own {
	struct sample_own *next;
	struct metric_desc desc;
	char unit[];
};

void sample_add_as(struct sample_set *set, const struct metric_desc *desc, const char *unit,
		   enum direction direction, double value)
{
	size_t size = strlen(unit) + 1;
	struct sample_own *own = xzalloc(sizeof(*own) + size);

	memcpy(own->unit, unit, size);
	own->desc = *desc;
	own->desc.unit = own->unit;
	own->desc.direction = direction;
	own->next = set->own;
	set->own = own;
	sample_add(set, &own->desc, value);
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
	while (set->own) {
		struct sample_own *own = set->own;

		set->own = own->next;
		free(own);
	}
	free(set->items);
	*set = (struct sample_set){ 0 };
}

bool sample_field_valid(const char *text)
{
	for (; *text; text++)
		if (*text == ',' || *text == '"' || (unsigned char)*text < ' ' || *text == 0x7f)
			return false;
	return true;
}

void sample_add_number(struct strbuf *sb, double value)
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
		if (sample_field_valid(fields[i]))
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
	sample_add_number(sb, v->value);
	strbuf_add(sb, "\n", 1);
	if (sb->len - start > SAMPLES_MAX_LINE) {
		log_err("samples: the names of %s are too long", v->desc->name);
		return -EINVAL;
	}
	return 0;
}

/* A crash may have left a line without its end: what follows must not be glued to it. */
static int cut_partial_line(int fd, off_t *size)
{
	char tail[SAMPLES_MAX_LINE];
	off_t start = *size > SAMPLES_MAX_LINE ? *size - SAMPLES_MAX_LINE : 0;
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
		ret = write_all(fd, SAMPLES_HEADER "\n", strlen(SAMPLES_HEADER) + 1);
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
		strbuf_addf(text, SAMPLES_HEADER "\n");
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
