// SPDX-License-Identifier: GPL-2.0-only
/* The commands of the one binary, in the manner of git. */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "bench/registry.h"
#include "bench/replay.h"
#include "harness/calibrate.h"
#include "harness/check.h"
#include "harness/cli.h"
#include "harness/compare.h"
#include "harness/config.h"
#include "harness/export.h"
#include "harness/groups.h"
#include "harness/journal.h"
#include "harness/lab.h"
#include "harness/list.h"
#include "harness/log.h"
#include "harness/merge.h"
#include "harness/report.h"
#include "harness/series.h"
#include "harness/run.h"
#include "harness/trend.h"
#include "harness/util.h"
#include "harness/wait.h"

struct command {
	const char *name, *arguments, *help;
	int (*run)(int argc, char **argv);
	bool just_ends; /* has nothing to undo: a signal may end it anywhere */
};
static const struct command commands[];

struct cli_dirs cli_dirs;

int command_help(const char *name, const struct option *options, const char *const *help)
{
	for (const struct command *c = commands; c->name; c++)
		if (!strcmp(c->name, name))
			printf("usage: iommubench %s %s\n\n%s\n", c->name, c->arguments, c->help);
	if (options && options[0].name) {
		printf("\n");
		print_options(options, help);
	}
	return EXIT_OK;
}

/* --- check --- */

static const struct option check_longopts[] = {
	{ "host", required_argument, NULL, 0 },
	{ "json", no_argument, NULL, 1 },
	{ "help", no_argument, NULL, 2 },
	{ 0 },
};
static const char *const check_help[ARRAY_SIZE(check_longopts)] = {
	"FILE: the host description",
	"machine-readable",
	"this text",
};

static int print_check(const struct host *host, bool as_json)
{
	struct check_report report;
	bool failed;

	check_host(host, NULL, NULL, &report);
	failed = check_failed(&report);
	if (as_json) {
		json_t *json = check_json(&report);

		json_dumpf(json, stdout, JSON_INDENT(2));
		printf("\n");
		json_decref(json);
	} else {
		check_print(&report);
		printf("%s\n", failed ? "This host cannot run experiments itself as it is; the "
					"virtual lab can (iommubench run CONFIG)."
				      : "This host can run experiments.");
	}
	check_free(&report);
	return failed ? EXIT_PREFLIGHT : EXIT_OK;
}

static int cmd_check(int argc, char **argv)
{
	const char *host_file = NULL;
	bool as_json = false;
	struct host *host;
	int opt, ret;

	while ((opt = getopt_long(argc, argv, "", check_longopts, NULL)) >= 0) {
		if (opt == 0)
			host_file = optarg;
		else if (opt == 1)
			as_json = true;
		else if (opt == 2)
			return command_help("check", check_longopts, check_help);
		else
			return EXIT_USAGE;
	}
	if (host_load(host_file, &host))
		return EXIT_USAGE;
	ret = print_check(host, as_json);
	host_free(host);
	return ret;
}

/* --- groups --- */

static int cmd_groups(int argc, char **argv)
{
	static const struct option longopts[] = { { "json", no_argument, NULL, 'j' },
						  { "root", required_argument, NULL, 'r' },
						  { "help", no_argument, NULL, 'h' },
						  { 0 } };
	static const char *const help[] = {
		"machine-readable (harness/groups.h describes it)",
		"DIR: of another host, whose sys, proc and dev are copied there", "this text"
	};
	struct groups_options options = { 0 };
	int opt;

	while ((opt = getopt_long(argc, argv, "h", longopts, NULL)) >= 0) {
		if (opt == 'h')
			return command_help("groups", longopts, help);
		if (opt == '?')
			return EXIT_USAGE;
		if (opt == 'j')
			options.as_json = true;
		else
			options.root = optarg;
	}
	options.addresses = argv + optind;
	return groups_command(&options, stdout);
}

/* --- calibrate --- */

static int cmd_calibrate(int argc, char **argv)
{
	return calibrate_main(argc, argv, cli_dirs.build, cli_dirs.scripts);
}

static int cmd_merge(int argc, char **argv)
{
	return merge_main(argc, argv, cli_dirs.scripts);
}

static int cmd_trend(int argc, char **argv)
{
	return trend_main(argc, argv, cli_dirs.scripts);
}

/* --- the small ones --- */

/* For commands without options: is it a call for help? */
static bool wants_help(int argc, char **argv)
{
	return argc > 1 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"));
}

static int cmd_list(int argc, char **argv)
{
	if (wants_help(argc, argv))
		return command_help("list", NULL, NULL);
	if (argc > 2 || list_print(argc > 1 ? argv[1] : NULL, stdout))
		return usage_error("list", "it takes modes, devices, workloads or metrics");
	return EXIT_OK;
}

/* Of a run, or of a series. */
static int write_report(const char *dir)
{
	int ret = series_is_dir(dir) ? series_report_again(dir, cli_dirs.scripts)
				     : report_write(dir, cli_dirs.scripts);

	return ret || series_is_dir(dir) ? ret : report_print_table(dir, stdout);
}

static int cmd_report(int argc, char **argv)
{
	if (wants_help(argc, argv))
		return command_help("report", NULL, NULL);
	if (argc < 2)
		return usage_error("report", "which run? (results/latest is the newest)");
	for (int i = 1; i < argc; i++) {
		if (write_report(argv[i]))
			return EXIT_USAGE;
		printf("\nreport: %s/report.html\n", argv[i]);
	}
	return EXIT_OK;
}

static int cmd_restore(int argc, char **argv)
{
	struct journal *journal;
	int ret;

	if (wants_help(argc, argv))
		return command_help("restore", NULL, NULL);
	if (argc > 1)
		return usage_error("restore", "it takes no arguments");
	ret = journal_open(JOURNAL_DIR, 0, &journal);
	if (!ret)
		ret = journal_close(journal);
	if (!ret)
		log_info("nothing is left to undo");
	return ret ? EXIT_CELLS : EXIT_OK;
}

static int cmd_lab(int argc, char **argv)
{
	static const struct option options[] = { { "cpus", required_argument, NULL, 'c' },
						 { "help", no_argument, NULL, 'h' },
						 { 0 } };
	static const char *const help[] = {
		"vCPUs of the guests to come: the lab gets one more (1)", "this text"
	};
	unsigned long cpus = 1;
	int option;

	/* The first word that is no option begins the command, which has options of its own. */
	while ((option = getopt_long(argc, argv, "+h", options, NULL)) != -1) {
		char *end = NULL;

		if (option == 'h')
			return command_help("lab", options, help);
		if (option == 'c')
			cpus = strtoul(optarg, &end, 10);
		if (option != 'c' || *end || cpus < 1 || cpus > 64)
			return usage_error("lab", "--cpus takes a number from 1 to 64");
	}
	return lab_command(cli_dirs.build, cli_dirs.scripts, (unsigned int)cpus, argv + optind);
}

static int cmd_help(int argc, char **argv)
{
	printf("usage: iommubench COMMAND [ARGUMENTS]\n\n"
	       "Measures what each way of running an IOMMU costs a virtual machine with directly\n"
	       "assigned devices, and what it gives back.\n\n");
	for (const struct command *c = commands; c->name; c++)
		printf("  %-9s %s\n", c->name, c->help);
	printf("\nExit status: 0 success, 1 regression, 2 usage or configuration, 3 cannot run "
	       "here,\n4 a cell failed or is invalid, 5 inconclusive, 130 interrupted.\n");
	return EXIT_OK;
}

static const struct command commands[] = {
	{ "run", "CONFIG [OPTIONS]", "run an experiment, or a series of them, write the report",
	  run_main, false },
	{ "check", "[--host FILE] [--json]",
	  "what this host can run, what is missing, what spoils figures", cmd_check, false },
	{ "groups", "[--json] [--root DIR] [ADDRESS...]",
	  "IOMMU groups, why they are so large, which devices can be assigned", cmd_groups, true },
	{ "list", "[modes|devices|workloads|metrics]", "what there is, with all settings", cmd_list,
	  true },
	{ "report", "RUN...", "write the report of a run, or of a series, again; print its table",
	  cmd_report, false },
	{ "compare", "BASE NEW [OPTIONS]", "is a run worse than another one?", compare_main, true },
	{ "calibrate", "CONFIG | --from RUN RUN...", "how much of a change is noise on this host",
	  cmd_calibrate, false },
	{ "merge", "--out DIR SHARD...", "join the shards of a run (run --shard)", cmd_merge,
	  false },
	{ "replay", "TRACE... [OPTIONS]", "recorded DMA mappings through other policies",
	  replay_command, true },
	{ "export", "RUN --format FORMAT [--out FILE]", "a run's results for other tools",
	  export_main, true },
	{ "trend", "DIR [OPTIONS]", "what has changed over the nightly runs in a folder?",
	  cmd_trend, true },
	{ "restore", "", "undo what an interrupted run left on this host", cmd_restore, false },
	{ "lab", "[--cpus N] [COMMAND...]", "a shell, or a command, in the virtual lab", cmd_lab,
	  false },
	{ "help", "", "this text", cmd_help, false },
	{ 0 },
};

static int unknown_command(const char *name)
{
	const char *names[ARRAY_SIZE(commands)];
	const char *near;

	for (size_t i = 0; commands[i].name; i++)
		names[i] = commands[i].name;
	near = nearest_name(name, names, ARRAY_SIZE(commands) - 1);
	log_err("no command '%s'%s%s%s: see 'iommubench help'", name,
		near ? "; did you mean '" : "", near ? near : "", near ? "'" : "");
	return EXIT_USAGE;
}

int cli_dispatch(int argc, char **argv)
{
	if (argc < 2) {
		cmd_help(argc, argv);
		return EXIT_USAGE;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))
		return cmd_help(argc, argv);
	for (const struct command *c = commands; c->name; c++)
		if (!strcmp(argv[1], c->name)) {
			if (c->just_ends)
				wait_release();
			return c->run(argc - 1, argv + 1);
		}
	return unknown_command(argv[1]);
}
