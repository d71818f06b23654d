/* SPDX-License-Identifier: GPL-2.0-only */
/* What a function under test writes to stderr, and files made for it. */
#ifndef TESTS_CAPTURE_H
#define TESTS_CAPTURE_H

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "harness/util.h"

#define CAPTURE_DIR "/tmp/iommubench-test-XXXXXX"

static char capture_dir[sizeof(CAPTURE_DIR)];
static int capture_saved = -1;

static inline int capture_setup(void **state)
{
	strcpy(capture_dir, CAPTURE_DIR);
	return mkdtemp(capture_dir) ? 0 : -1;
}

static inline int capture_teardown(void **state)
{
	return remove_all(capture_dir);
}

/* A file of that content in the test's folder; the path is to be freed. */
static inline char *capture_file(const char *name, const void *data, size_t len)
{
	char *path = xasprintf("%s/%s", capture_dir, name);

	assert_int_equal(file_replace(path, data, len), 0);
	return path;
}

/* stderr goes to a file until capture_end(), which returns it, to be freed. */
static inline void capture_begin(void)
{
	autofree char *path = xasprintf("%s/stderr", capture_dir);
	autoclose int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	fflush(stderr);
	capture_saved = dup(STDERR_FILENO);
	assert_true(capture_saved >= 0);
	assert_true(dup2(fd, STDERR_FILENO) >= 0);
}

static inline char *capture_end(void)
{
	autofree char *path = xasprintf("%s/stderr", capture_dir);
	char *text;

	fflush(stderr);
	dup2(capture_saved, STDERR_FILENO);
	close(capture_saved);
	text = file_read(path, NULL);
	assert_non_null(text);
	return text;
}

/* Is it one line, nothing more? */
static inline void assert_one_line(const char *text)
{
	const char *end = strchr(text, '\n');

	if (!end || end[1])
		fail_msg("not one line: '%s'", text);
}

static inline void assert_contains(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("no '%s' in '%s'", part, text);
}

/* What a command writes to a stream that it is given, and what it logs meanwhile. */
struct command_capture {
	FILE *out;
	char *text;
	size_t len;
};

static inline void command_begin(struct command_capture *c)
{
	*c = (struct command_capture){ 0 };
	c->out = open_memstream(&c->text, &c->len);
	capture_begin();
}

/* Either may be NULL: then it is not wanted. To free. */
static inline void command_end(struct command_capture *c, char **printed, char **said)
{
	char *logged = capture_end();

	fclose(c->out);
	if (printed)
		*printed = c->text;
	else
		free(c->text);
	if (said)
		*said = logged;
	else
		free(logged);
}

#endif
