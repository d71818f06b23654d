// SPDX-License-Identifier: GPL-2.0-only
/* run: its command line. */
#include <getopt.h>
#include <math.h>

#include "harness/cli.h"
#include "harness/run.h"
#include "harness/shell.h"
#include "harness/util.h"

enum {
	OPT_HOST,
	OPT_WHERE,
	OPT_OUT,
	OPT_ONLY,
	OPT_BOOTS,
	OPT_AB,
	OPT_MAX_BOOTS,
	OPT_TIME_LIMIT,
	OPT_SHARD,
	OPT_RUN_ID,
	OPT_RESUME,
	OPT_FROM,
	OPT_WAIT,
	OPT_DRY_RUN,
	OPT_HELP
};
static const struct option run_longopts[] = {
	[OPT_HOST] = { "host", required_argument, NULL, OPT_HOST },
	[OPT_WHERE] = { "where", required_argument, NULL, OPT_WHERE },
	[OPT_OUT] = { "out", required_argument, NULL, OPT_OUT },
	[OPT_ONLY] = { "only", required_argument, NULL, OPT_ONLY },
	[OPT_BOOTS] = { "boots", required_argument, NULL, OPT_BOOTS },
	[OPT_AB] = { "ab", required_argument, NULL, OPT_AB },
	[OPT_MAX_BOOTS] = { "max-boots", required_argument, NULL, OPT_MAX_BOOTS },
	[OPT_TIME_LIMIT] = { "time-limit", required_argument, NULL, OPT_TIME_LIMIT },
	[OPT_SHARD] = { "shard", required_argument, NULL, OPT_SHARD },
	[OPT_RUN_ID] = { "run-id", required_argument, NULL, OPT_RUN_ID },
	[OPT_RESUME] = { "resume", required_argument, NULL, OPT_RESUME },
	[OPT_FROM] = { "from-manifest", required_argument, NULL, OPT_FROM },
	[OPT_WAIT] = { "wait", optional_argument, NULL, OPT_WAIT },
	[OPT_DRY_RUN] = { "dry-run", no_argument, NULL, OPT_DRY_RUN },
	[OPT_HELP] = { "help", no_argument, NULL, OPT_HELP },
	{ 0 },
};
static const char *const run_help[ARRAY_SIZE(run_longopts)] = {
	[OPT_HOST] = "FILE: the host description: which devices may be used",
	[OPT_WHERE] = "auto|host|lab: where to run; auto: on this host if --host is given",
	[OPT_OUT] = "DIR: where the results go (results/NAME-TIME)",
	[OPT_ONLY] = "GLOB: just the cells whose id matches",
	[OPT_BOOTS] = "N: boots of each cell instead of the experiment's",
	[OPT_AB] = "OTHER: run CONFIG and OTHER in turns and compare them; exit status as compare",
	[OPT_MAX_BOOTS] = "N: with --ab: boots a side, at most, of what is inconclusive (20)",
	[OPT_TIME_LIMIT] = "TIME: with --ab: no boot begins after it, as 30m (2h)",
	[OPT_SHARD] = "K/N: the Kth of N parts, for N hosts; 'iommubench merge' joins them",
	[OPT_RUN_ID] = "ID: of the whole run, the same for all its shards",
	[OPT_RESUME] = "DIR: continue a run, or a series of them; finished boots are kept",
	[OPT_FROM] = "FILE: run again what a run's manifest.json describes, instead of CONFIG",
	[OPT_WAIT] = "[TIME]: if another iommubench uses this host, wait until it has ended",
	[OPT_DRY_RUN] = "print cells, command lines, host writes and time, change nothing",
	[OPT_HELP] = "this text",
};

static int parse_run_option(int opt, struct run_options *options)
{
	switch (opt) {
	case OPT_HOST:
		options->host_file = optarg;
		return 0;
	case OPT_WHERE:
		if (!parse_where(optarg, &options->where))
			return 0;
		return usage_error("run", "--where takes auto, host or lab");
	case OPT_OUT:
		options->out = optarg;
		return 0;
	case OPT_ONLY:
		options->only = optarg;
		return 0;
	case OPT_BOOTS:
		if (!parse_boots(optarg, &options->boots))
			return 0;
		return usage_error("run", "--boots takes a number from 1 to 1000");
	case OPT_AB:
		options->ab = optarg;
		return 0;
	case OPT_MAX_BOOTS:
		if (!parse_boots(optarg, &options->max_boots))
			return 0;
		return usage_error("run", "--max-boots takes a number from 1 to 1000");
	case OPT_TIME_LIMIT:
		if (!parse_seconds(optarg, &options->time_limit_s))
			return 0;
		return usage_error("run", "--time-limit takes a time from 1s, as 90s, 30m or 2h");
	case OPT_SHARD:
		if (!shard_parse(optarg, &options->shard))
			return 0;
		return usage_error("run", "--shard takes K/N, the Kth of N shards, as 2/3");
	case OPT_RUN_ID:
		options->run_id = optarg;
		if (shard_run_id_valid(optarg))
			return 0;
		return usage_error("run", "--run-id takes letters, digits, '.', '_' and '-'");
	case OPT_RESUME:
		options->resume = optarg;
		return 0;
	case OPT_FROM:
		options->from = optarg;
		return 0;
	case OPT_WAIT:
		options->wait_s = INFINITY;
		if (!optarg || !parse_seconds(optarg, &options->wait_s))
			return 0;
		return usage_error("run", "--wait takes a time from 1s, as in --wait=30m, or none");
	case OPT_DRY_RUN:
		options->dry_run = true;
		return 0;
	default:
		return EXIT_USAGE; /* getopt has said why */
	}
}

/* As one would type it again, to free. getopt puts what is no option last. */
static char *command_text(int argc, char *const *argv)
{
	struct strbuf sb = { 0 };

	strbuf_addf(&sb, "iommubench");
	for (int i = 0; i < argc; i++) {
		strbuf_addf(&sb, " ");
		shell_quote(&sb, argv[i]);
	}
	return sb.data;
}

static int check_from(const struct run_options *options)
{
	if (!options->from)
		return 0;
	if (options->config)
		return usage_error("run", "--from-manifest takes the place of CONFIG");
	if (options->resume || options->ab || options->shard.n)
		return usage_error(
			"run", "--from-manifest excludes --resume, --ab and --shard: it begins a "
			       "whole run");
	return 0;
}

int run_main(int argc, char **argv)
{
	autofree char *command = command_text(argc, argv);
	struct run_options options = { .build_dir = cli_dirs.build,
				       .scripts_dir = cli_dirs.scripts,
				       .command = command };
	int opt, ret;

	while ((opt = getopt_long(argc, argv, "", run_longopts, NULL)) >= 0) {
		if (opt == OPT_HELP)
			return command_help("run", run_longopts, run_help);
		ret = parse_run_option(opt, &options);
		if (ret)
			return ret;
	}
	if (argc - optind > 1)
		return usage_error("run", "one configuration only");
	options.config = argv[optind];
	ret = check_from(&options);
	if (ret)
		return ret;
	if (!options.config && !options.resume && !options.from)
		return usage_error("run", "which configuration? (configs/quick.yaml is one)");
	if (options.resume && options.out)
		return usage_error("run", "--resume and --out exclude each other");
	if (options.resume && options.ab)
		return usage_error("run", "--resume and --ab exclude each other");
	if (!options.resume && !options.ab && (options.max_boots || options.time_limit_s > 0))
		return usage_error("run", "--max-boots and --time-limit go with --ab");
	if (!options.shard.n != !options.run_id)
		return usage_error("run", "--shard and --run-id go together");
	if (options.shard.n && options.ab)
		return usage_error(
			"run",
			"--shard and --ab exclude each other: boots that take turns belong on one host");
	return run_command(&options);
}
