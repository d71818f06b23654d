// SPDX-License-Identifier: GPL-2.0-only
/* Runs the experiments of a series, or goes on with them. */
#include <errno.h>
#include <fnmatch.h>
#include <string.h>

#include "harness/log.h"
#include "harness/plan.h"
#include "harness/run.h"
#include "harness/series.h"
#include "harness/util.h"

/* Has the experiment cells that are wanted? */
static bool wanted(const struct experiment *exp, const char *only)
{
	struct plan *plan = NULL;
	bool any = !only;

	if (only && !plan_new(exp, NULL, 0, &plan))
		for (size_t i = 0; i < plan->nr_cells && !any; i++)
			any = !fnmatch(only, plan->cells[i].id, 0);
	plan_free(plan);
	return any;
}

/* The options of the experiment's own run; path is where its copy is. */
static struct run_options own_options(const struct run_options *options,
				      const struct series_item *item)
{
	autofree char *manifest = xasprintf("%s/manifest.json", item->dir ? item->dir : "");
	struct run_options own = *options;

	own.config = item->exp->path;
	own.out = item->dir;
	own.resume = NULL;
	if (item->dir && file_exists(manifest)) {
		own.resume = item->dir;
		own.out = NULL;
	}
	return own;
}

static int dry_run(const struct run_options *options, const struct series *series)
{
	double total_s = 0;
	int code = EXIT_OK;
	size_t nr = 0;

	for (size_t i = 0; i < series->nr && code == EXIT_OK; i++) {
		struct run_options own = own_options(options, &series->items[i]);

		if (!wanted(series->items[i].exp, options->only))
			continue;
		own.estimate_s = &total_s;
		printf("%sexperiment %s (%s)\n", nr++ ? "\n" : "", series->items[i].exp->name,
		       own.config);
		code = run_command(&own);
	}
	if (code == EXIT_OK)
		printf("\n%s: %zu experiment%s, about %s in all\n", series->name, nr,
		       nr == 1 ? "" : "s", human_duration(total_s));
	return code;
}

static int check_only(const struct run_options *options, const struct series *series)
{
	for (size_t i = 0; i < series->nr; i++)
		if (wanted(series->items[i].exp, options->only))
			return 0;
	log_err("%s: no cell of any experiment matches '%s': 'iommubench run FILE --dry-run' of an "
		"experiment lists its cells",
		series->name, options->only);
	return -EINVAL;
}

static void say_how_to_go_on(const struct series *series)
{
	log_info("what was measured is kept: 'iommubench run --resume %s' goes on", series->dir);
}

/* Runs what is left. A cell that fails does not keep the others from being measured. */
static int run_items(const struct run_options *options, const struct series *series)
{
	int code = EXIT_OK;

	for (size_t i = 0; i < series->nr; i++) {
		const struct series_item *item = &series->items[i];
		struct run_options own = own_options(options, item);
		int own_code;

		if (!wanted(item->exp, options->only))
			continue;
		if (!series_due(item)) {
			log_info("%s: experiment %zu of %zu, %s: done before", series->name, i + 1,
				 series->nr, item->exp->name);
			continue;
		}
		log_info("%s: experiment %zu of %zu, %s", series->name, i + 1, series->nr,
			 item->exp->name);
		own_code = run_command(&own);
		/* All of it is skipped here, each cell with its reason: the others may run. */
		if (own_code == EXIT_PREFLIGHT && !series_due(item))
			own_code = EXIT_OK;
		if (own_code != EXIT_OK && own_code != EXIT_CELLS) {
			say_how_to_go_on(series);
			return own_code;
		}
		code = own_code ? own_code : code;
	}
	return code;
}

static int run_and_report(const struct run_options *options, const struct series *series)
{
	int code = run_items(options, series);

	if (series_report(series))
		return code ? code : EXIT_CELLS;
	printf("\nreport of all: %s/report.html\n", series->dir);
	return code;
}

static int open_series(const struct run_options *options, struct series *series)
{
	autofree char *dir = NULL;
	int ret;

	ret = options->resume ? series_resume(options->resume, series)
			      : series_load(options->config, series);
	if (!ret)
		ret = check_only(options, series);
	if (ret || options->dry_run || options->resume)
		return ret;
	dir = options->out ? xstrdup(options->out) : run_new_dir(series->name);
	return series_begin(series, dir);
}

int series_command(const struct run_options *options)
{
	struct series series = { 0 };
	int code = EXIT_USAGE;

	if (options->ab || options->shard.n)
		log_err("a series runs whole, on one host: run its experiments one by one for --ab "
			"or --shard");
	else if (!open_series(options, &series))
		code = options->dry_run ? dry_run(options, &series)
					: run_and_report(options, &series);
	series_free(&series);
	return code;
}
