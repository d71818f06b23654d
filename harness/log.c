// SPDX-License-Identifier: GPL-2.0-only
/* Messages to stderr. */
#include "harness/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/util.h"

static enum log_level max_level = LOG_INFO;

void log_set_level(enum log_level level)
{
	max_level = level;
}

/* What is quoted from files must not move the terminal's cursor. */
static void clean(char *text)
{
	while (*text) {
		size_t control = *text == '\n' || *text == '\t' ? 0 : control_bytes(text);

		memset(text, '?', control);
		text += control ? control : 1;
	}
}

void log_print(enum log_level level, const char *fmt, ...)
{
	static const char *const prefix[] = { "error: ", "warning: ", "", "debug: " };
	autofree char *text = NULL, *line = NULL;
	va_list ap;

	if (level > max_level)
		return;
	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		abort();
	clean(text);
	/* One write() a line: in the lab our output is mixed with that of others. */
	line = xasprintf("%s%s\n", prefix[level], text);
	fputs(line, stderr);
	va_end(ap);
}
