// SPDX-License-Identifier: GPL-2.0-only
/* merge: its command line. */
#include <getopt.h>

#include "harness/log.h"
#include "harness/merge.h"
#include "harness/report.h"
#include "harness/run.h"

static const struct option longopts[] = {
	{ "out", required_argument, NULL, 'o' },
	{ "help", no_argument, NULL, 'h' },
	{ 0 },
};

static int print_help(void)
{
	printf("usage: iommubench merge --out DIR SHARD...\n\n"
	       "Joins the shards of a run ('iommubench run --shard') to one that is like any other, "
	       "and\nwrites its report.\n\n"
	       "  --out   DIR: where the whole goes; it must not exist yet\n"
	       "  --help  this text\n\n"
	       "A missing shard makes the run partial: its cells are skipped. Shards of different "
	       "runs,\nconfigurations or revisions, and one given twice, are refused.\n"
	       "Exit status: 0 the run is whole, 2 refused, 4 a shard is missing or not complete, or "
	       "a cell\nfailed.\n");
	return EXIT_OK;
}

static int usage_error(const char *what)
{
	log_err("merge: %s: see 'iommubench merge --help'", what);
	return EXIT_USAGE;
}

int merge_main(int argc, char **argv, const char *scripts_dir)
{
	struct merge_options options = { 0 };
	int opt, code;

	while ((opt = getopt_long(argc, argv, "", longopts, NULL)) >= 0) {
		if (opt == 'h')
			return print_help();
		if (opt != 'o')
			return EXIT_USAGE; /* getopt has said why */
		options.out = optarg;
	}
	if (!options.out || optind == argc)
		return usage_error("it takes --out DIR and the folders of the shards");
	options.shards = argv + optind;
	options.nr_shards = (size_t)(argc - optind);
	code = merge_command(&options);
	if (code == EXIT_USAGE)
		return code;
	if (report_write(options.out, scripts_dir) || report_print_table(options.out, stdout))
		return EXIT_CELLS;
	printf("\nreport: %s/report.html\n", options.out);
	return code;
}
