// SPDX-License-Identifier: GPL-2.0-only
/* What commands share in reading their options. */
#include "harness/cli.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "harness/log.h"
#include "harness/settings.h"
#include "harness/util.h"

int usage_error(const char *command, const char *what)
{
	log_err("%s: %s: see 'iommubench %s --help'", command, what, command);
	return EXIT_USAGE;
}

void print_options(const struct option *options, const char *const *help)
{
	for (size_t i = 0; options[i].name; i++)
		printf("  --%-10s %s\n", options[i].name, help[i]);
}

int parse_where(const char *text, enum run_where *where)
{
	static const char *const names[] = { "auto", "host", "lab" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (strcmp(text, names[i]) != 0)
			continue;
		*where = (enum run_where)i;
		return 0;
	}
	return -EINVAL;
}

int parse_boots(const char *text, unsigned int *boots)
{
	char *end;
	unsigned long value = strtoul(text, &end, 10);

	if (*end || end == text || *text == '-' || !value || value > 1000)
		return -EINVAL;
	*boots = (unsigned int)value;
	return 0;
}

int parse_seconds(const char *text, double *seconds)
{
	static const struct setting limit = { "time", SETTING_TIME, "1s", NULL, 1, 1e7, "" };
	autofree char *why = NULL;

	return setting_parse(&limit, text, seconds, &why);
}
