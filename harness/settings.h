/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Settings of modes, devices and workloads: each plug-in declares a table; the
 * configuration fills it, `list` prints it and error messages quote it.
 */
#ifndef HARNESS_SETTINGS_H
#define HARNESS_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum setting_type {
	SETTING_COUNT,	/* whole number */
	SETTING_SIZE,	/* bytes: 4096, 4k, 64KiB, 1GiB (k, M, G, T are powers of 1024) */
	SETTING_TIME,	/* seconds: 10s, 250ms, 50us, 2m; a bare number is refused but for 0 */
	SETTING_NUMBER, /* a real number */
	SETTING_BOOL,	/* yes, no, true, false, on, off */
	SETTING_CHOICE, /* one of choices */
	SETTING_TEXT,
};

struct setting {
	const char *name;
	enum setting_type type;
	const char *def;	    /* default as it would be written, never NULL */
	const char *const *choices; /* SETTING_CHOICE: NULL-terminated */
	double min, max;	    /* number types, inclusive; both 0: any value >= 0 */
	const char *help;	    /* one line */
};

struct setting_value {
	char *text;    /* as written, or the default */
	double number; /* COUNT, SIZE in bytes, TIME in seconds, NUMBER, BOOL as 0 or 1 */
	bool given;    /* from the configuration, not the default */
};

/* One complete set of values for a plug-in's table. */
struct settings {
	const struct setting *table; /* ends with a NULL name; NULL: no settings */
	size_t nr;
	struct setting_value *values; /* nr of them, in table order */
};

/* All defaults. Aborts if a default does not parse: that is a bug in the table. */
struct settings *settings_new(const struct setting *table);
struct settings *settings_dup(const struct settings *s);
void settings_free(struct settings *s);

/* The table's entry of that name, or NULL. */
const struct setting *settings_find(const struct setting *table, const char *name);

/*
 * Sets one value from text. Returns 0, or -EINVAL with a message for the user (what is wrong
 * and what is allowed; without file and line, which the caller adds) in *why, to free.
 */
int settings_set(struct settings *s, const char *name, const char *text, char **why);

/* Parses text as the type of one setting says; the message as for settings_set(). */
int setting_parse(const struct setting *setting, const char *text, double *number, char **why);

/* The first setting of their common table in which two sets differ, or NULL: they are equal. */
const struct setting *settings_difference(const struct settings *a, const struct settings *b);

/*
 * The remedy for a misspelt word, to free: "did you mean 'randread'?", or "use one of read,
 * write" if no name is near.
 */
char *name_hint(const char *word, const char *const *names, size_t nr);

/* Values by name; asking for a name or type that is not in the table aborts. */
uint64_t settings_count(const struct settings *s, const char *name);
uint64_t settings_size(const struct settings *s, const char *name);
double settings_time(const struct settings *s, const char *name);
double settings_number(const struct settings *s, const char *name);
bool settings_bool(const struct settings *s, const char *name);
const char *settings_text(const struct settings *s, const char *name); /* CHOICE and TEXT */

#endif
