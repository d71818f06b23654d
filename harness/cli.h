/* SPDX-License-Identifier: GPL-2.0-only */
/* What commands share in reading their options. */
#ifndef HARNESS_CLI_H
#define HARNESS_CLI_H

#include <getopt.h>

#include "harness/run.h"

/* Where the images and scripts are; main() sets and frees them. */
extern struct cli_dirs {
	char *build, *scripts;
} cli_dirs;

/* Finds the command in argv[1] and runs it. An exit code. */
int cli_dispatch(int argc, char **argv);

/* The commands with files of their own: their arguments from their name on. Exit codes. */
int run_main(int argc, char **argv);
int compare_main(int argc, char **argv);
int export_main(int argc, char **argv);

/* Usage, what it does, and its options, which may be NULL. Returns EXIT_OK. */
int command_help(const char *name, const struct option *options, const char *const *help);

/* Logs it with a hint at the command's help. Returns EXIT_USAGE. */
int usage_error(const char *command, const char *what);

/* A line an option; help by the same places. */
void print_options(const struct option *options, const char *const *help);

/* 0, or -EINVAL with nothing logged. */
int parse_where(const char *text, enum run_where *where);
int parse_boots(const char *text, unsigned int *boots); /* 1 to 1000 */
int parse_seconds(const char *text, double *seconds);	/* with a unit; from 1s */

#endif
