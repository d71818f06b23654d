/* SPDX-License-Identifier: GPL-2.0-only */
/* Command lines for a shell, and for another host's shell. */
#ifndef HARNESS_SHELL_H
#define HARNESS_SHELL_H

#include "harness/util.h"

/* Appends a word, in single quotes if a shell would see more in it than itself. */
void shell_quote(struct strbuf *sb, const char *word);

/* The same as a string of its own, to free. */
char *shell_quoted(const char *word);

/*
 * Appends to argv what runs command there: itself (remote NULL), or ssh with the command quoted
 * for the other shell. ssh asks nothing and gives up after 10 s without a connection. terminal: the
 * command gets one there, so that the end of ssh is its end, too.
 */
void shell_remote(const char *remote, bool terminal, char *const command[], struct strlist *argv);
/* Runs a script in a shell there: as proc_run(). */
int shell_run(const char *remote, const char *script, double timeout_s, char **output);

#endif
