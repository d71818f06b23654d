// SPDX-License-Identifier: GPL-2.0-only
/* export: its command line. */
#include <getopt.h>
#include <stdio.h>

#include "harness/cli.h"
#include "harness/export.h"
#include "harness/util.h"

static const struct option export_longopts[] = {
	{ "format", required_argument, NULL, 'f' },
	{ "out", required_argument, NULL, 'o' },
	{ "help", no_argument, NULL, 'h' },
	{ 0 },
};
static const char *const export_help[ARRAY_SIZE(export_longopts)] = {
	"NAME: one of the formats below",
	"FILE: where to, instead of stdout; it is replaced at once, when all is written",
	"this text",
};

static int print_export_help(void)
{
	command_help("export", export_longopts, export_help);
	printf("\nFormats:\n");
	export_print_formats(stdout);
	printf("All of them have only the values that count: those of boots that are ok. "
	       "samples.csv has every one.\n");
	return EXIT_OK;
}

int export_main(int argc, char **argv)
{
	struct export_options options = { 0 };
	int opt;

	while ((opt = getopt_long(argc, argv, "", export_longopts, NULL)) >= 0) {
		if (opt == 'h')
			return print_export_help();
		if (opt == 'f')
			options.format = optarg;
		else if (opt == 'o')
			options.out = optarg;
		else
			return EXIT_USAGE;
	}
	if (argc - optind != 1)
		return usage_error("export", "which run? (results/latest is the newest)");
	if (!options.format)
		return usage_error("export", "--format is needed: csv, for example");
	options.run = argv[optind];
	return export_command(&options, stdout);
}
