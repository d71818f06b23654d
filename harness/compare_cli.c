// SPDX-License-Identifier: GPL-2.0-only
/* compare: its command line. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "harness/cli.h"
#include "harness/compare.h"
#include "harness/util.h"

enum { CMP_METRICS, CMP_ALL, CMP_FLOORS, CMP_FORCE, CMP_JSON, CMP_HTML, CMP_SEED, CMP_HELP };
static const struct option compare_longopts[] = {
	[CMP_METRICS] = { "metrics", required_argument, NULL, CMP_METRICS },
	[CMP_ALL] = { "all", no_argument, NULL, CMP_ALL },
	[CMP_FLOORS] = { "floors", required_argument, NULL, CMP_FLOORS },
	[CMP_FORCE] = { "force", no_argument, NULL, CMP_FORCE },
	[CMP_JSON] = { "json", no_argument, NULL, CMP_JSON },
	[CMP_HTML] = { "html", required_argument, NULL, CMP_HTML },
	[CMP_SEED] = { "seed", required_argument, NULL, CMP_SEED },
	[CMP_HELP] = { "help", no_argument, NULL, CMP_HELP },
	{ 0 },
};
static const char *const compare_help[ARRAY_SIZE(compare_longopts)] = {
	[CMP_METRICS] = "GLOB: just the metrics whose name matches",
	[CMP_ALL] = "all metrics that have a direction, not just the usual ones",
	[CMP_FLOORS] =
		"FILE: noise floors by host; 'none': 1.5 % for every metric (those of calibrate)",
	[CMP_FORCE] = "compare runs of other devices, guests or environments, too",
	[CMP_JSON] = "machine-readable",
	[CMP_HTML] = "FILE: write it as a page, too",
	[CMP_SEED] = "N: seed of the bootstrap (1)",
	[CMP_HELP] = "this text",
};

static int print_compare_help(void)
{
	command_help("compare", compare_longopts, compare_help);
	printf("\nIn the lab (lab-tcg) times and rates are not among the usual metrics: they are the\n"
	       "emulator's, and whatever else the machine does changes them. Instructions, exits "
	       "and\nbytes are. Counts are compared per operation.\n"
	       "Exit status: 0 no regression, 1 regression, 2 not comparable, 5 inconclusive.\n");
	return EXIT_OK;
}

static int parse_seed(const char *text, uint64_t *seed)
{
	char *end;

	errno = 0;
	*seed = strtoull(text, &end, 10);
	return *text < '0' || *text > '9' || *end || errno || *seed > INT64_MAX ? -EINVAL : 0;
}

static int parse_compare_option(int opt, struct compare_options *options)
{
	switch (opt) {
	case CMP_METRICS:
		options->metrics = optarg;
		return 0;
	case CMP_ALL:
		options->all = true;
		return 0;
	case CMP_FLOORS:
		options->floors = optarg;
		return 0;
	case CMP_FORCE:
		options->force = true;
		return 0;
	case CMP_JSON:
		options->as_json = true;
		return 0;
	case CMP_HTML:
		options->html = optarg;
		return 0;
	case CMP_SEED:
		if (!parse_seed(optarg, &options->seed))
			return 0;
		return usage_error("compare", "--seed takes a whole number");
	default:
		return EXIT_USAGE; /* getopt has said why */
	}
}

int compare_main(int argc, char **argv)
{
	struct compare_options options = { .seed = COMPARE_SEED, .scripts_dir = cli_dirs.scripts };
	int opt, ret;

	while ((opt = getopt_long(argc, argv, "", compare_longopts, NULL)) >= 0) {
		if (opt == CMP_HELP)
			return print_compare_help();
		ret = parse_compare_option(opt, &options);
		if (ret)
			return ret;
	}
	if (argc - optind != 2)
		return usage_error("compare", "which two runs? (the older one first)");
	if (options.metrics && options.all)
		return usage_error("compare", "--metrics and --all exclude each other");
	options.base = argv[optind];
	options.value = argv[optind + 1];
	return compare_command(&options, stdout);
}
