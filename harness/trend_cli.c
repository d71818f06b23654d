// SPDX-License-Identifier: GPL-2.0-only
/* trend: its command line. */
#include <getopt.h>

#include "harness/log.h"
#include "harness/run.h"
#include "harness/trend.h"
#include "harness/util.h"

enum { ACKNOWLEDGED, JUNIT, HTML, FLOORS, METRICS, ALL, AS_JSON, HELP };
static const struct option longopts[] = {
	[ACKNOWLEDGED] = { "acknowledged", required_argument, NULL, ACKNOWLEDGED },
	[JUNIT] = { "junit", required_argument, NULL, JUNIT },
	[HTML] = { "html", required_argument, NULL, HTML },
	[FLOORS] = { "floors", required_argument, NULL, FLOORS },
	[METRICS] = { "metrics", required_argument, NULL, METRICS },
	[ALL] = { "all", no_argument, NULL, ALL },
	[AS_JSON] = { "json", no_argument, NULL, AS_JSON },
	[HELP] = { "help", no_argument, NULL, HELP },
	{ 0 },
};
static const char *const help[] = {
	[ACKNOWLEDGED] = "FILE: acknowledged changes (DIR/acknowledged.yaml, if it is there)",
	[JUNIT] = "FILE: write JUnit: a test case a series, a failure an alarm",
	[HTML] = "FILE: where the page goes (DIR/trend.html)",
	[FLOORS] = "FILE: noise floors by host, instead of 2 % for every metric",
	[METRICS] = "GLOB: just the metrics whose name matches",
	[ALL] = "all metrics that have a direction, not just the usual ones",
	[AS_JSON] = "machine-readable",
	[HELP] = "this text",
};

static int print_help(void)
{
	printf("usage: iommubench trend DIR [OPTIONS]\n\nwhat has changed over the nightly runs in "
	       "a folder?\n\n");
	for (size_t i = 0; i < ARRAY_SIZE(help); i++)
		printf("  --%-13s %s\n", longopts[i].name, help[i]);
	printf("\nAdds the complete runs below DIR (links left out) to DIR/history.sqlite (runs that are "
	       "deleted\nlater stay in it), and judges every metric of every cell, the same metrics "
	       "as compare.\nOnly nights of the same place, environment and settings are "
	       "compared.\n\n"
	       "regression            a change point (p < 0.001, three nights or more) within the "
	       "newest\n                      %d nights, q < %g over all series, beyond the noise "
	       "floor\n"
	       "suspected regression  the newest night is unlike those before, q < %g over all "
	       "series\n"
	       "possible regression   a change point as many series give by chance: no alarm\n\n"
	       "An acknowledged change is no alarm; its run may be off by two nights. The file:\n"
	       "  - { run: RUN-ID, cell: GLOB, metric: GLOB, reason: TEXT }\n\n"
	       "Exit status: 0 nothing new, 1 a regression or suspected regression that is not "
	       "acknowledged,\n2 usage or configuration, 4 a run, the history or a page cannot be "
	       "read or written (and no\nregression), 5 too few nights: every series has fewer than "
	       "%d.\n",
	       TREND_RECENT, TREND_ALPHA, TREND_ALPHA, TREND_MIN_POINTS);
	return EXIT_OK;
}

static int usage_error(const char *what)
{
	log_err("trend: %s: see 'iommubench trend --help'", what);
	return EXIT_USAGE;
}

int trend_main(int argc, char **argv, const char *scripts_dir)
{
	struct trend_options options = { .scripts_dir = scripts_dir };
	const char **const texts[] = {
		[ACKNOWLEDGED] = &options.acknowledged,
		[JUNIT] = &options.junit,
		[HTML] = &options.html,
		[FLOORS] = &options.floors,
		[METRICS] = &options.metrics,
	};
	int opt;

	while ((opt = getopt_long(argc, argv, "", longopts, NULL)) >= 0) {
		if (opt == HELP)
			return print_help();
		if (opt == ALL)
			options.all = true;
		else if (opt == AS_JSON)
			options.as_json = true;
		else if ((size_t)opt < ARRAY_SIZE(texts))
			*texts[opt] = optarg;
		else
			return EXIT_USAGE; /* getopt has said why */
	}
	if (argc - optind != 1)
		return usage_error("which folder? (the one that holds the runs)");
	if (options.metrics && options.all)
		return usage_error("--metrics and --all exclude each other");
	options.dir = argv[optind];
	return trend_command(&options, stdout);
}
