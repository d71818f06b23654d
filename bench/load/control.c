// SPDX-License-Identifier: GPL-2.0-only
/* The load tools' side of the conversation with the harness: see control.h. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench/load/control.h"

/* Longer than any word; what was read and is not taken yet. */
static char pending[64];
static size_t pending_len;
static bool at_end;

static void fail(const char *what)
{
	fprintf(stderr, "%s: %s\n", program_invocation_short_name, what);
	exit(1);
}

void control_init(unsigned int limit_s)
{
	int flags = fcntl(STDIN_FILENO, F_GETFL);

	if (flags < 0 || fcntl(STDIN_FILENO, F_SETFL, flags | O_NONBLOCK) < 0)
		fail("stdin is closed: give it a pipe that says 'begin' and 'end'");
	signal(SIGALRM, SIG_DFL); /* an inherited SIG_IGN would undo the limit */
	alarm(limit_s);
}

int control_fd(void)
{
	return STDIN_FILENO;
}

static void receive(void)
{
	ssize_t n;

	if (at_end || pending_len == sizeof(pending))
		return;
	do {
		n = read(STDIN_FILENO, pending + pending_len, sizeof(pending) - pending_len);
	} while (n < 0 && errno == EINTR);
	if (n > 0)
		pending_len += (size_t)n;
	else if (n == 0 || (errno != EAGAIN && errno != EWOULDBLOCK))
		at_end = true;
}

static enum control_word word_of(const char *word)
{
	if (strcmp(word, "begin") == 0)
		return CONTROL_BEGIN;
	if (strcmp(word, "end") == 0)
		return CONTROL_END;
	fprintf(stderr, "%s: '%s' on stdin: only 'begin' and 'end' are known\n",
		program_invocation_short_name, word);
	return CONTROL_GONE;
}

static enum control_word gone(void)
{
	static bool told;

	if (!told)
		fprintf(stderr, "%s: stdin ended before 'end': has the harness been stopped?\n",
			program_invocation_short_name);
	told = true;
	return CONTROL_GONE;
}

enum control_word control_poll(void)
{
	char word[sizeof(pending) + 1];
	const char *newline;
	size_t len;

	newline = memchr(pending, '\n', pending_len);
	if (!newline) {
		receive();
		newline = memchr(pending, '\n', pending_len);
	}
	if (!newline && pending_len < sizeof(pending))
		return at_end ? gone() : CONTROL_NONE;
	len = newline ? (size_t)(newline - pending) : pending_len;
	memcpy(word, pending, len);
	word[len] = '\0';
	pending_len -= newline ? len + 1 : len;
	if (newline)
		memmove(pending, newline + 1, pending_len);
	return word_of(word);
}

void control_event(const char *event, json_t *fields)
{
	json_t *line = json_pack("{s:s}", "event", event);

	if (!line || (fields && json_object_update(line, fields)))
		fail("out of memory");
	if (json_dumpf(line, stdout, JSON_COMPACT | JSON_REAL_PRECISION(12)) ||
	    putchar('\n') == EOF || fflush(stdout))
		fail("cannot write to stdout: has its reader gone?");
	json_decref(line);
	json_decref(fields);
}
