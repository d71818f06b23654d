/* SPDX-License-Identifier: GPL-2.0-only */
/* Malformed files, and the one good message that each must give. */
#ifndef TESTS_REFUSE_H
#define TESTS_REFUSE_H

#include "tests/capture.h"

#include <errno.h>

#include "harness/config.h"

struct bad_case {
	const char *text;
	const char *place;   /* LINE:COLUMN */
	const char *message; /* how the rest of the line starts */
	const char *remedy;  /* a part of it */
};

/* Refused with exactly one line, which names the place, what is wrong, and a remedy. */
static inline void must_refuse(int (*load)(const char *), const void *data, size_t len,
			       const struct bad_case *bad)
{
	autofree char *path = capture_file("bad.yaml", data, len);
	autofree char *start = xasprintf("error: %s:%s: %s", path, bad->place, bad->message);
	autofree char *log = NULL;
	int ret;

	capture_begin();
	ret = load(path);
	log = capture_end();
	assert_int_equal(ret, -EINVAL);
	assert_one_line(log);
	if (strncmp(log, start, strlen(start)) != 0)
		fail_msg("'%s' does not start with '%s'", log, start);
	if (!strstr(log + strlen(start) - strlen(bad->message), bad->remedy))
		fail_msg("no remedy '%s' in '%s'", bad->remedy, log);
}

static inline int load_host(const char *path)
{
	struct host none, *host = &none;
	int ret = host_load(path, &host);

	assert_null(host);
	return ret;
}

#endif
