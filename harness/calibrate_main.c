// SPDX-License-Identifier: GPL-2.0-only
/* calibrate on the command line. */
#include <string.h>

#include "harness/calibrate.h"
#include "harness/cli.h"
#include "harness/util.h"

enum { FROM, FLOORS, ALL, HOST, WHERE, OUT, ONLY, BOOTS, RESUME, DRY_RUN, HELP };
static const struct option longopts[] = {
	[FROM] = { "from", no_argument, NULL, FROM },
	[FLOORS] = { "floors", required_argument, NULL, FLOORS },
	[ALL] = { "all", no_argument, NULL, ALL },
	[HOST] = { "host", required_argument, NULL, HOST },
	[WHERE] = { "where", required_argument, NULL, WHERE },
	[OUT] = { "out", required_argument, NULL, OUT },
	[ONLY] = { "only", required_argument, NULL, ONLY },
	[BOOTS] = { "boots", required_argument, NULL, BOOTS },
	[RESUME] = { "resume", required_argument, NULL, RESUME },
	[DRY_RUN] = { "dry-run", no_argument, NULL, DRY_RUN },
	[HELP] = { "help", no_argument, NULL, HELP },
	{ 0 },
};
static const char *const help[ARRAY_SIZE(longopts)] = {
	[FROM] = "take two or more runs that exist, of one experiment on one host, and run nothing",
	[FLOORS] = "FILE: where the floors are kept (~/.local/state/iommubench/floors.json)",
	[ALL] = "all metrics that have a direction, not just those that compare judges",
	[HOST] = "FILE: the host description, as for run",
	[WHERE] = "auto|host|lab: where to run, as for run",
	[OUT] = "DIR: where the boots go (results/NAME-calibrate-TIME)",
	[ONLY] = "GLOB: just the cells whose id matches",
	[BOOTS] = "N: boots of each side, 6 at least (10)",
	[RESUME] = "DIR: continue one that was interrupted",
	[DRY_RUN] = "print what would be run, change nothing",
	[HELP] = "this text",
};

struct arguments {
	struct run_options run;
	struct calibrate_options calibrate;
	bool from;
};

static int print_help(void)
{
	printf("usage: iommubench calibrate CONFIG [OPTIONS]\n"
	       "       iommubench calibrate --from RUN RUN... [OPTIONS]\n\n"
	       "Runs an experiment against itself, boot by boot in turns, and sets this host's noise\n"
	       "floors: how large a change of each metric still says nothing. compare uses them from\n"
	       "then on. Prints how often compare would have raised a false alarm on these boots.\n\n");
	print_options(longopts, help);
	return EXIT_OK;
}

static int parse_path(int opt, struct arguments *arguments)
{
	struct run_options *run = &arguments->run;
	const char **const paths[] = {
		[FLOORS] = &arguments->calibrate.floors,
		[HOST] = &run->host_file,
		[OUT] = &run->out,
		[ONLY] = &run->only,
		[RESUME] = &run->resume,
	};

	if ((size_t)opt >= ARRAY_SIZE(paths) || !paths[opt])
		return EXIT_USAGE; /* getopt has said why */
	*paths[opt] = optarg;
	return 0;
}

static int parse_option(int opt, struct arguments *arguments)
{
	switch (opt) {
	case FROM:
		arguments->from = true;
		return 0;
	case ALL:
		arguments->calibrate.all = true;
		return 0;
	case DRY_RUN:
		arguments->run.dry_run = true;
		return 0;
	case WHERE:
		if (!parse_where(optarg, &arguments->run.where))
			return 0;
		return usage_error("calibrate", "--where takes auto, host or lab");
	case BOOTS:
		if (!parse_boots(optarg, &arguments->run.boots) &&
		    arguments->run.boots >= CALIBRATE_BOOTS_MIN)
			return 0;
		return usage_error("calibrate", "--boots takes a number from 6 to 1000");
	default:
		return parse_path(opt, arguments);
	}
}

static int calibrate_from(const struct arguments *arguments, char *const *runs, int nr)
{
	struct calibrate_options options = arguments->calibrate;
	const struct run_options *run = &arguments->run;

	if (nr < 2)
		return usage_error("calibrate", "--from takes two runs or more");
	if (run->host_file || run->out || run->only || run->resume || run->boots || run->dry_run)
		return usage_error("calibrate", "--from runs nothing: it goes with --floors and "
						"--all only");
	options.runs = runs;
	options.nr_runs = (size_t)nr;
	return calibrate_runs(&options, stdout);
}

int calibrate_main(int argc, char **argv, const char *build_dir, const char *scripts_dir)
{
	struct arguments arguments = { .run = { .build_dir = build_dir,
						.scripts_dir = scripts_dir } };
	int opt, ret;

	while ((opt = getopt_long(argc, argv, "", longopts, NULL)) >= 0) {
		if (opt == HELP)
			return print_help();
		ret = parse_option(opt, &arguments);
		if (ret)
			return ret;
	}
	if (arguments.from)
		return calibrate_from(&arguments, argv + optind, argc - optind);
	if (argc - optind != (arguments.run.resume ? 0 : 1))
		return usage_error("calibrate", "which configuration, or which run with --resume?");
	arguments.run.config = argv[optind];
	if (arguments.run.resume && (arguments.run.out || arguments.run.boots))
		return usage_error("calibrate", "--resume goes on as it was begun");
	return calibrate_command(&arguments.run, &arguments.calibrate, stdout);
}
