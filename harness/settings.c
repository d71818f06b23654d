// SPDX-License-Identifier: GPL-2.0-only
/* Settings of plug-ins: values parsed from text, checked against the plug-in's table. */
#include "harness/settings.h"

#include <errno.h>
#include <math.h>
#include <string.h>
#include <strings.h>

#include "harness/util.h"

#define TEXT_MAX 1024		     /* longest value, in bytes */
#define WHOLE_MAX 9007199254740992.0 /* 2^53: above it a double skips whole numbers */

struct unit {
	const char *name;
	double factor;	/* one of the unit in bytes or seconds ... */
	double divisor; /* ... over this, so that 50us is exactly 50 / 1e6 */
};

/* Largest first: the order in which a value is tried to be written as a whole number. */
static const struct unit size_units[] = {
	{ "TiB", (double)(GIB *KIB), 1 },
	{ "GiB", (double)GIB, 1 },
	{ "MiB", (double)MIB, 1 },
	{ "KiB", (double)KIB, 1 },
	{ "", 1, 1 },
	/* Read, never written. */
	{ "T", (double)(GIB *KIB), 1 },
	{ "G", (double)GIB, 1 },
	{ "M", (double)MIB, 1 },
	{ "k", (double)KIB, 1 },
	{ "B", 1, 1 },
};
static const struct unit time_units[] = {
	{ "h", 3600, 1 }, { "m", 60, 1 },   { "s", 1, 1 },
	{ "ms", 1, 1e3 }, { "us", 1, 1e6 }, { "ns", 1, 1e9 },
};

static const struct unit *unit_find(const struct unit *units, size_t nr, const char *name)
{
	for (size_t i = 0; i < nr; i++)
		if (!strcasecmp(units[i].name, name))
			return &units[i];
	return NULL;
}

/* The value in the largest unit in which it is a whole number; to free. */
static char *unit_format(const struct unit *units, size_t nr, double value)
{
	for (size_t i = 0; i < nr; i++) {
		double in_unit = value * units[i].divisor / units[i].factor;

		if (in_unit >= 1 && in_unit == floor(in_unit))
			return xasprintf("%.0f%s", in_unit, units[i].name);
	}
	return xasprintf("%g", value);
}

static char *number_format(const struct setting *setting, double value)
{
	switch (setting->type) {
	case SETTING_SIZE:
		return unit_format(size_units, ARRAY_SIZE(size_units), value);
	case SETTING_TIME:
		return unit_format(time_units, ARRAY_SIZE(time_units), value);
	default:
		return xasprintf("%.15g", value);
	}
}

static char *range_format(const struct setting *setting)
{
	autofree char *min = number_format(setting, setting->min);
	autofree char *max = number_format(setting, setting->max);

	if (setting->min == 0 && setting->max == 0)
		return xstrdup("0 or more");
	return xasprintf("%s..%s", min, max);
}

static char *out_of_range(const struct setting *setting, const char *text)
{
	autofree char *range = range_format(setting);

	return xasprintf("'%.40s' is out of range: use %s", text, range);
}

/*
 * Reads a decimal number made only of the characters allowed, which keeps out what strtod()
 * takes beside: white space, nan, inf, hexadecimal. Returns its length, 0 if there is none.
 */
static size_t decimal_parse(const char *text, const char *allowed, double *value)
{
	size_t len = strspn(text, allowed);
	autofree char *digits = xasprintf("%.*s", (int)len, text);
	char *end;

	*value = strtod(digits, &end);
	if (!len || *end || digits[len - 1] == '.')
		return 0;
	return len;
}

/* The parsers below return NULL, or a message to free. */

static char *parse_count(const char *text, double *number)
{
	size_t len = decimal_parse(text, "0123456789", number);

	if (!len || text[len])
		return xasprintf("'%.40s' is no whole number: use digits only, as 16", text);
	return NULL;
}

static char *parse_size(const char *text, double *number)
{
	size_t len = decimal_parse(text, "0123456789.", number);
	const struct unit *unit = unit_find(size_units, ARRAY_SIZE(size_units), text + len);

	if (!len || !unit)
		return xasprintf("'%.40s' is no size: use bytes with k, M, G, T (powers of 1024), "
				 "as 4k or 1GiB",
				 text);
	*number *= unit->factor;
	if (isfinite(*number) && *number != floor(*number))
		return xasprintf("'%.40s' is no whole number of bytes: use a smaller unit", text);
	return NULL;
}

static char *parse_time(const char *text, double *number)
{
	size_t len = decimal_parse(text, "0123456789.", number);
	const struct unit *unit = unit_find(time_units, ARRAY_SIZE(time_units), text + len);

	if (len && !text[len] && *number == 0)
		return NULL;
	if (len && !text[len])
		return xasprintf("'%.40s' has no unit: use ns, us, ms, s, m or h, as 10s or 250ms",
				 text);
	if (!len || !unit)
		return xasprintf("'%.40s' is no time: use a number with ns, us, ms, s, m or h, "
				 "as 10s or 250ms",
				 text);
	*number = *number * unit->factor / unit->divisor;
	return NULL;
}

static char *parse_number(const char *text, double *number)
{
	size_t len = decimal_parse(text, "0123456789.eE+-", number);

	if (!len || text[len])
		return xasprintf("'%.40s' is no number: use digits, as 2.5", text);
	return NULL;
}

static char *parse_bool(const char *text, double *number)
{
	static const char *const words[] = { "no", "yes", "false", "true", "off", "on" };

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		if (!strcasecmp(text, words[i])) {
			*number = (double)(i % 2);
			return NULL;
		}
	}
	return xasprintf("'%.40s' is neither yes nor no: use yes, no, true, false, on or off",
			 text);
}

static char *parse_choice(const struct setting *setting, const char *text)
{
	autofree char *hint = NULL;
	size_t nr = 0;

	for (; setting->choices[nr]; nr++)
		if (!strcmp(text, setting->choices[nr]))
			return NULL;
	hint = name_hint(text, setting->choices, nr);
	return xasprintf("'%.40s' is no choice: %s", text, hint);
}

static char *parse_text(const char *text)
{
	for (const char *p = text; *p; p++)
		if ((unsigned char)*p < ' ' || *p == '\x7f')
			return xstrdup("has a control character: remove it");
	return NULL;
}

static bool is_numeric(enum setting_type type)
{
	return type == SETTING_COUNT || type == SETTING_SIZE || type == SETTING_TIME ||
	       type == SETTING_NUMBER;
}

static bool in_range(const struct setting *setting, double number)
{
	if (setting->min == 0 && setting->max == 0)
		return number >= 0;
	return number >= setting->min && number <= setting->max;
}

static char *parse_any(const struct setting *setting, const char *text, double *number)
{
	switch (setting->type) {
	case SETTING_COUNT:
		return parse_count(text, number);
	case SETTING_SIZE:
		return parse_size(text, number);
	case SETTING_TIME:
		return parse_time(text, number);
	case SETTING_NUMBER:
		return parse_number(text, number);
	case SETTING_BOOL:
		return parse_bool(text, number);
	case SETTING_CHOICE:
		return parse_choice(setting, text);
	case SETTING_TEXT:
		return parse_text(text);
	}
	abort();
}

static char *parse_checked(const struct setting *setting, const char *text, double *number)
{
	bool negative = text[0] == '-' && text[1] >= '0' && text[1] <= '9';
	char *problem;

	if (strlen(text) > TEXT_MAX)
		return xasprintf("is longer than %d bytes: shorten it", TEXT_MAX);
	if (negative && is_numeric(setting->type) && setting->type != SETTING_NUMBER)
		return out_of_range(setting, text);
	problem = parse_any(setting, text, number);
	if (problem || !is_numeric(setting->type))
		return problem;
	if (!in_range(setting, *number))
		return out_of_range(setting, text);
	if (!isfinite(*number) || fabs(*number) > WHOLE_MAX)
		return xasprintf("'%.40s' is too large: use at most 2^53", text);
	return NULL;
}

int setting_parse(const struct setting *setting, const char *text, double *number, char **why)
{
	double value = 0;
	autofree char *problem = parse_checked(setting, text, &value);

	if (problem) {
		*why = xasprintf("%s: %s", setting->name, problem);
		return -EINVAL;
	}
	*number = value;
	return 0;
}

char *name_hint(const char *word, const char *const *names, size_t nr)
{
	const char *near = nearest_name(word, names, nr);
	struct strbuf all = { 0 };

	if (near)
		return xasprintf("did you mean '%s'?", near);
	if (!nr)
		return xstrdup("there are none");
	strbuf_addf(&all, nr > 1 ? "use one of " : "use ");
	for (size_t i = 0; i < nr; i++)
		strbuf_addf(&all, "%s%s", i ? ", " : "", names[i]);
	return all.data;
}

static struct settings *settings_alloc(const struct setting *table)
{
	struct settings *s = xzalloc(sizeof(*s));

	s->table = table;
	while (table && table[s->nr].name)
		s->nr++;
	s->values = xzalloc(s->nr * sizeof(*s->values));
	return s;
}

struct settings *settings_new(const struct setting *table)
{
	struct settings *s = settings_alloc(table);

	for (size_t i = 0; i < s->nr; i++) {
		char *why;

		if (setting_parse(&table[i], table[i].def, &s->values[i].number, &why)) {
			fprintf(stderr, "bug: default of setting %s\n", why);
			abort();
		}
		s->values[i].text = xstrdup(table[i].def);
	}
	return s;
}

struct settings *settings_dup(const struct settings *s)
{
	struct settings *copy = settings_alloc(s->table);

	for (size_t i = 0; i < s->nr; i++) {
		copy->values[i] = s->values[i];
		copy->values[i].text = xstrdup(s->values[i].text);
	}
	return copy;
}

void settings_free(struct settings *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->nr; i++)
		free(s->values[i].text);
	free(s->values);
	free(s);
}

const struct setting *settings_find(const struct setting *table, const char *name)
{
	for (; table && table->name; table++)
		if (!strcmp(table->name, name))
			return table;
	return NULL;
}

static char *unknown_setting(const struct settings *s, const char *name)
{
	autofree const char **names = xzalloc(s->nr * sizeof(*names));
	autofree char *hint = NULL;

	for (size_t i = 0; i < s->nr; i++)
		names[i] = s->table[i].name;
	hint = name_hint(name, names, s->nr);
	return xasprintf("no setting '%.40s': %s", name, hint);
}

int settings_set(struct settings *s, const char *name, const char *text, char **why)
{
	const struct setting *setting = settings_find(s->table, name);
	struct setting_value *value;
	int ret;

	if (!setting) {
		*why = unknown_setting(s, name);
		return -EINVAL;
	}
	value = &s->values[setting - s->table];
	ret = setting_parse(setting, text, &value->number, why);
	if (ret)
		return ret;
	free(value->text);
	value->text = xstrdup(text);
	value->given = true;
	return 0;
}

const struct setting *settings_difference(const struct settings *a, const struct settings *b)
{
	for (size_t i = 0; i < a->nr; i++) {
		bool numeric = is_numeric(a->table[i].type) || a->table[i].type == SETTING_BOOL;

		if (numeric ? a->values[i].number != b->values[i].number
			    : strcmp(a->values[i].text, b->values[i].text) != 0)
			return &a->table[i];
	}
	return NULL;
}

static const struct setting_value *value_get(const struct settings *s, const char *name,
					     enum setting_type type, enum setting_type or_type)
{
	const struct setting *setting = settings_find(s->table, name);

	if (!setting || (setting->type != type && setting->type != or_type)) {
		fprintf(stderr, "bug: no setting '%s' of type %d\n", name, (int)type);
		abort();
	}
	return &s->values[setting - s->table];
}

uint64_t settings_count(const struct settings *s, const char *name)
{
	return (uint64_t)value_get(s, name, SETTING_COUNT, SETTING_COUNT)->number;
}

uint64_t settings_size(const struct settings *s, const char *name)
{
	return (uint64_t)value_get(s, name, SETTING_SIZE, SETTING_SIZE)->number;
}

double settings_time(const struct settings *s, const char *name)
{
	return value_get(s, name, SETTING_TIME, SETTING_TIME)->number;
}

double settings_number(const struct settings *s, const char *name)
{
	return value_get(s, name, SETTING_NUMBER, SETTING_NUMBER)->number;
}

bool settings_bool(const struct settings *s, const char *name)
{
	return value_get(s, name, SETTING_BOOL, SETTING_BOOL)->number != 0;
}

const char *settings_text(const struct settings *s, const char *name)
{
	return value_get(s, name, SETTING_CHOICE, SETTING_TEXT)->text;
}
