// SPDX-License-Identifier: GPL-2.0-only
/* The command line: one binary, sub-commands in the manner of git. */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "bench/registry.h"
#include "harness/check.h"
#include "harness/compare.h"
#include "harness/config.h"
#include "harness/export.h"
#include "harness/groups.h"
#include "harness/journal.h"
#include "harness/lab.h"
#include "harness/list.h"
#include "harness/log.h"
#include "harness/report.h"
#include "harness/run.h"
#include "harness/trend.h"
#include "harness/util.h"
#include "harness/wait.h"

struct command {
	const char *name, *arguments, *help;
	int (*run)(int argc, char **argv);
};
static const struct command commands[];

/* Where the images and scripts are: beside the binary, as the build leaves them. */
static char *build_dir, *scripts_dir;

static int find_dirs(void)
{
	char self[PATH_MAX] = "";
	char *slash;

	if (readlink("/proc/self/exe", self, sizeof(self) - 1) < 0)
		return -errno;
	slash = strrchr(self, '/');
	*slash = '\0';
	build_dir = xstrdup(self);
	slash = strrchr(self, '/');
	if (slash)
		*slash = '\0';
	scripts_dir = xasprintf("%s/scripts", self);
	return 0;
}

static int usage_error(const char *command, const char *what)
{
	log_err("%s: %s: see 'iommubench %s --help'", command, what, command);
	return EXIT_USAGE;
}

static int command_help(const char *name, const struct option *options, const char *const *help)
{
	for (const struct command *c = commands; c->name; c++)
		if (!strcmp(c->name, name))
			printf("usage: iommubench %s %s\n\n%s\n", c->name, c->arguments, c->help);
	if (options && options[0].name)
		printf("\n");
	for (size_t i = 0; options && options[i].name; i++)
		printf("  --%-10s %s\n", options[i].name, help[i]);
	return EXIT_OK;
}

/* --- run --- */

enum { OPT_HOST, OPT_WHERE, OPT_OUT, OPT_ONLY, OPT_BOOTS, OPT_RESUME, OPT_DRY_RUN, OPT_HELP };
static const struct option run_longopts[] = {
	[OPT_HOST] = { "host", required_argument, NULL, OPT_HOST },
	[OPT_WHERE] = { "where", required_argument, NULL, OPT_WHERE },
	[OPT_OUT] = { "out", required_argument, NULL, OPT_OUT },
	[OPT_ONLY] = { "only", required_argument, NULL, OPT_ONLY },
	[OPT_BOOTS] = { "boots", required_argument, NULL, OPT_BOOTS },
	[OPT_RESUME] = { "resume", required_argument, NULL, OPT_RESUME },
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
	[OPT_RESUME] = "DIR: continue a run; finished boots are kept",
	[OPT_DRY_RUN] = "print cells, command lines, host writes and time, change nothing",
	[OPT_HELP] = "this text",
};

static int parse_where(const char *text, enum run_where *where)
{
	static const char *const names[] = { "auto", "host", "lab" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		if (strcmp(text, names[i]) != 0)
			continue;
		*where = (enum run_where)i;
		return 0;
	}
	return -EINVAL;
}

static int parse_boots(const char *text, unsigned int *boots)
{
	char *end;
	unsigned long value = strtoul(text, &end, 10);

	if (*end || end == text || *text == '-' || !value || value > 1000)
		return -EINVAL;
	*boots = (unsigned int)value;
	return 0;
}

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
	case OPT_RESUME:
		options->resume = optarg;
		return 0;
	case OPT_DRY_RUN:
		options->dry_run = true;
		return 0;
	default:
		return EXIT_USAGE; /* getopt has said why */
	}
}

static int cmd_run(int argc, char **argv)
{
	struct run_options options = { .build_dir = build_dir, .scripts_dir = scripts_dir };
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
	if (!options.config && !options.resume)
		return usage_error("run", "which configuration? (configs/quick.yaml is one)");
	if (options.resume && options.out)
		return usage_error("run", "--resume and --out exclude each other");
	return run_command(&options);
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

/* --- compare --- */

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
	[CMP_FLOORS] = "FILE: noise floors by host, instead of 1.5 % for every metric",
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

static int cmd_compare(int argc, char **argv)
{
	struct compare_options options = { .seed = COMPARE_SEED, .scripts_dir = scripts_dir };
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

/* --- export --- */

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

static int cmd_export(int argc, char **argv)
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

static int cmd_trend(int argc, char **argv)
{
	return trend_main(argc, argv, scripts_dir);
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

static int cmd_report(int argc, char **argv)
{
	if (wants_help(argc, argv))
		return command_help("report", NULL, NULL);
	if (argc < 2)
		return usage_error("report", "which run? (results/latest is the newest)");
	for (int i = 1; i < argc; i++) {
		if (report_write(argv[i], scripts_dir))
			return EXIT_USAGE;
		if (report_print_table(argv[i], stdout))
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
	ret = journal_open(JOURNAL_DIR, &journal);
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
	return lab_command(build_dir, scripts_dir, (unsigned int)cpus, argv + optind);
}

static int cmd_help(int argc, char **argv)
{
	printf("usage: iommubench COMMAND [ARGUMENTS]\n\n"
	       "Measures what each way of running an IOMMU costs a virtual machine with directly\n"
	       "assigned devices, and what it gives back.\n\n");
	for (const struct command *c = commands; c->name; c++)
		printf("  %-8s %s\n", c->name, c->help);
	printf("\nExit status: 0 success, 1 regression, 2 usage or configuration, 3 cannot run "
	       "here,\n4 a cell failed or is invalid, 5 inconclusive, 130 interrupted.\n");
	return EXIT_OK;
}

static const struct command commands[] = {
	{ "run", "CONFIG [OPTIONS]", "run an experiment, write its report", cmd_run },
	{ "check", "[--host FILE] [--json]",
	  "what this host can run, what is missing, what spoils figures", cmd_check },
	{ "groups", "[--json] [--root DIR] [ADDRESS...]",
	  "IOMMU groups, why they are so large, which devices can be assigned", cmd_groups },
	{ "list", "[modes|devices|workloads|metrics]", "what there is, with all settings",
	  cmd_list },
	{ "report", "RUN...", "write a run's report again, print its table", cmd_report },
	{ "compare", "BASE NEW [OPTIONS]", "is a run worse than another one?", cmd_compare },
	{ "export", "RUN --format FORMAT [--out FILE]", "a run's results for other tools",
	  cmd_export },
	{ "trend", "DIR [OPTIONS]", "what has changed over the nightly runs in a folder?",
	  cmd_trend },
	{ "restore", "", "undo what an interrupted run left on this host", cmd_restore },
	{ "lab", "[--cpus N] [COMMAND...]", "a shell, or a command, in the virtual lab", cmd_lab },
	{ "help", "", "this text", cmd_help },
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

static int dispatch(int argc, char **argv)
{
	if (argc < 2) {
		cmd_help(argc, argv);
		return EXIT_USAGE;
	}
	if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))
		return cmd_help(argc, argv);
	for (const struct command *c = commands; c->name; c++)
		if (!strcmp(argv[1], c->name))
			return c->run(argc - 1, argv + 1);
	return unknown_command(argv[1]);
}

int main(int argc, char **argv)
{
	int ret;

	setvbuf(stdout, NULL, _IOLBF, 0);
	wait_init();
	if (find_dirs()) {
		log_err("/proc/self/exe: %s", strerror(errno));
		return EXIT_USAGE;
	}
	if (getenv("IOMMUBENCH_DEBUG"))
		log_set_level(LOG_DEBUG);
	ret = dispatch(argc, argv);
	free(build_dir);
	free(scripts_dir);
	return ret;
}
