// SPDX-License-Identifier: GPL-2.0-only
/* Two experiments against each other: the session's folder, where it runs, and its end. */
#include "harness/ab.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#include "bench/registry.h"
#include "harness/compare.h"
#include "harness/log.h"
#include "harness/partner.h"
#include "harness/report.h"
#include "harness/util.h"

#define SCHEMA 1

/* --- what it is --- */

static char *state_path(const char *dir)
{
	return xasprintf("%s/ab.json", dir);
}

bool ab_is_session(const char *dir)
{
	autofree char *path = state_path(dir);

	return file_exists(path);
}

int ab_save(const struct ab *ab)
{
	autofree char *path = state_path(ab->dir);
	autofree char *text = json_dumps(ab->state, JSON_INDENT(2));
	int ret = text ? file_replace(path, text, strlen(text)) : -ENOMEM;

	if (ret)
		log_err("cannot write %s: %s", path, strerror(-ret));
	return ret;
}

static void ab_free(struct ab *ab)
{
	turns_free(&ab->turns);
	for (unsigned int side = 0; side < NR_SIDES; side++) {
		plan_free(ab->sides[side].plan);
		experiment_free(ab->sides[side].exp);
		free(ab->sides[side].dir);
	}
	json_decref(ab->state);
	free(ab->dir);
}

static const char *state_text(const struct ab *ab, const char *key)
{
	return json_string_value(json_object_get(ab->state, key));
}

static struct cell_names *names_of(const struct plan *plan)
{
	struct cell_names *names = xzalloc(plan->nr_cells * sizeof(*names));

	for (size_t i = 0; i < plan->nr_cells; i++) {
		const struct cell *cell = &plan->cells[i];

		names[i] = (struct cell_names){ cell->id, cell->mode->name, cell->device->name,
						cell->workload->name, cell->variant };
	}
	return names;
}

/* Better now than after hours. */
static int check_partners(const struct ab *ab)
{
	const struct plan *a = ab->sides[0].plan, *b = ab->sides[1].plan;
	autofree struct cell_names *cells = names_of(a), *others = names_of(b);
	size_t nr = 0;

	for (size_t i = 0; i < a->nr_cells; i++)
		nr += partner_find(cells, a->nr_cells, i, others, b->nr_cells) != NO_PARTNER;
	if (nr)
		return 0;
	log_err("%s, %s: no cell of one is to be compared with one of the other, as %s and %s: use "
		"the same devices and workloads, and the same modes or one mode in each",
		ab->sides[0].exp->path, ab->sides[1].exp->path, cells[0].id, others[0].id);
	return -EINVAL;
}

/* The plans, up to the last look, and whose turn it is. */
static int make_turns(struct ab *ab, const struct looks *looks, const char *only)
{
	const struct experiment *exp = ab->sides[0].exp;
	const struct plan *plans[NR_SIDES];
	int ret = 0;

	for (unsigned int side = 0; side < NR_SIDES && !ret; side++) {
		ret = plan_new(ab->sides[side].exp, only, looks->boots[looks->nr - 1],
			       &ab->sides[side].plan);
		plans[side] = ab->sides[side].plan;
	}
	if (!ret)
		ret = check_partners(ab);
	if (!ret)
		turns_make(plans, looks, exp->order, exp->seed, &ab->turns);
	return ret;
}

/* --- a new one --- */

static int plan_session(const struct run_options *options, struct ab *ab)
{
	const struct experiment *exp = ab->sides[0].exp;
	unsigned int boots = options->boots ? options->boots : exp->boots;
	unsigned int max = options->max_boots ? options->max_boots : AB_MAX_BOOTS;
	struct looks looks;

	if (!options->max_boots && max < boots)
		max = boots;
	if (max < boots) {
		log_err("%s: boots: %u is more than --max-boots %u: lower one, or raise the other",
			exp->path, boots, max);
		return -EINVAL;
	}
	if (exp->order == ORDER_SEQUENTIAL) {
		log_err("%s: order: sequential lets neither side have its turn between boots of the "
			"other: use alternate or random",
			exp->path);
		return -EINVAL;
	}
	looks_plan(boots, max, &looks);
	return make_turns(ab, &looks, options->only);
}

static int copy_experiments(const struct ab *ab)
{
	int ret = 0;

	for (unsigned int side = 0; side < NR_SIDES && !ret; side++) {
		autofree char *dir = xasprintf("%s/%s", ab->dir, turns_side(side));

		ret = mkdir_all(dir);
		if (!ret)
			ret = run_copy_experiment(ab->sides[side].exp->path, dir);
	}
	return ret;
}

/* Its folder, with both configurations and ab.json. */
static int make_dir(const struct run_options *options, const char *kind, struct ab *ab)
{
	autofree char *name = xasprintf("%s-%s", ab->sides[0].exp->name, kind);
	autofree char *dir = options->out ? xstrdup(options->out) : run_new_dir(name);
	autofree char *manifest = xasprintf("%s/manifest.json", dir);
	autofree char *now = now_iso8601(), *session = NULL;
	const char *slash;
	int ret;

	if (file_exists(manifest) || ab_is_session(dir)) {
		log_err("%s holds a run already: --resume %s continues it", dir, dir);
		return -EEXIST;
	}
	ret = mkdir_all(dir);
	ab->dir = ret ? NULL : realpath(dir, NULL);
	if (ab->dir)
		ret = copy_experiments(ab);
	if (ret || !ab->dir) {
		log_err("cannot make %s: %s", dir, strerror(ret ? -ret : errno));
		return ret ? ret : -EIO;
	}
	slash = strrchr(ab->dir, '/');
	session = xasprintf("%s %s", slash + 1, now);
	ab->state = json_pack("{s:i, s:s, s:o, s:s, s:I, s:s?, s:{}, s:s, s:n}", "schema", SCHEMA,
			      "session", session, "looks", looks_json(&ab->turns.looks), "order",
			      order_names[ab->turns.order], "seed", (json_int_t)ab->turns.seed,
			      "only", options->only, "reached", "status", "running", "stopped");
	return ab_save(ab);
}

static int load_experiments(const char *const paths[NR_SIDES], struct ab *ab)
{
	int ret = experiment_load(paths[0], &ab->sides[0].exp);

	return ret ? ret : experiment_load(paths[1], &ab->sides[1].exp);
}

/* --- one that exists --- */

static int load_state(const char *dir, struct ab *ab, struct looks *looks)
{
	autofree char *path = state_path(dir);
	json_error_t error;

	ab->state = json_load_file(path, 0, &error);
	if (!ab->state) {
		log_err("%s:%d:%d: %s", path, error.line, error.column, error.text);
		return -EINVAL;
	}
	if (json_integer_value(json_object_get(ab->state, "schema")) == SCHEMA &&
	    state_text(ab, "session") && !looks_read(json_object_get(ab->state, "looks"), looks))
		return 0;
	log_err("%s: not of this version, or damaged: begin a new session", path);
	return -EINVAL;
}

static int open_session(const char *dir, struct ab *ab)
{
	struct looks looks;
	char *paths[NR_SIDES];
	int ret;

	ab->dir = realpath(dir, NULL);
	if (!ab->dir) {
		log_err("%s: %s", dir, strerror(errno));
		return -ENOENT;
	}
	ret = load_state(ab->dir, ab, &looks);
	if (ret)
		return ret;
	for (unsigned int side = 0; side < NR_SIDES; side++) {
		ab->sides[side].dir = xasprintf("%s/%s", ab->dir, turns_side(side));
		paths[side] = xasprintf("%s/" EXPERIMENT, ab->sides[side].dir);
	}
	ret = load_experiments((const char *const *)paths, ab);
	if (!ret)
		ret = make_turns(ab, &looks, state_text(ab, "only"));
	if (!ret)
		turns_read(json_object_get(ab->state, "reached"), &ab->turns);
	for (unsigned int side = 0; side < NR_SIDES; side++)
		free(paths[side]);
	return ret;
}

/* --- a dry run --- */

static int print_turn(void *arg, const struct turn_life *life, const struct plan_boot *boot)
{
	const struct turns *turns = arg;
	const struct cell *cell = &turns->plans[life->side]->cells[boot->cells[0]];
	autofree char *more = xasprintf(" and %zu more cells", boot->nr_cells - 1);

	printf("boot %-3u %s  %s%s\n", boot->index, life->side ? "B" : "A", cell->id,
	       boot->nr_cells > 1 ? more : "");
	return 0;
}

static int print_session(const struct run_options *options, struct ab *ab, const struct host *host)
{
	static const char *const labels[NR_SIDES] = { "A", "B" };
	const struct looks *looks = &ab->turns.looks;

	for (unsigned int side = 0; side < NR_SIDES; side++) {
		printf("%s: %s, with all boots there may be:\n", labels[side],
		       ab->sides[side].exp->path);
		run_dry(options, ab->sides[side].exp, ab->sides[side].plan, host,
			run_wants_lab(options));
	}
	printf("order (%s, seed %llu), after %u warm-up boots of A and %u of B:\n",
	       order_names[ab->turns.order], (unsigned long long)ab->turns.seed,
	       ab->sides[0].exp->warmup, ab->sides[1].exp->warmup);
	turns_each(&ab->turns, print_turn, &ab->turns);
	for (size_t i = 1; i < looks->nr; i++)
		printf("then, for what is inconclusive: up to %u boots a side\n", looks->boots[i]);
	return EXIT_OK;
}

/* --- the session --- */

static int open_or_make(const struct run_options *options, const char *kind, struct ab *ab)
{
	const char *const paths[NR_SIDES] = { options->config, options->ab };
	autofree char *dir = NULL;
	int ret;

	if (options->resume &&
	    (options->config || options->boots || options->max_boots || options->only)) {
		log_err("%s: a session goes on as it was begun: without a configuration, --boots, "
			"--max-boots and --only",
			options->resume);
		return -EINVAL;
	}
	if (options->resume)
		return open_session(options->resume, ab);
	ret = load_experiments(paths, ab);
	if (!ret)
		ret = plan_session(options, ab);
	if (ret || options->dry_run)
		return ret;
	ret = make_dir(options, kind, ab);
	if (ret)
		return ret;
	/* As it will be read again, here or in the lab. */
	dir = ab->dir;
	ab->dir = NULL;
	ab_free(ab);
	*ab = (struct ab){ 0 };
	return open_session(dir, ab);
}

static struct guest_config larger_guest(const struct ab *ab)
{
	struct guest_config guest = ab->sides[0].exp->guest;
	const struct guest_config *other = &ab->sides[1].exp->guest;
	uint64_t bytes = run_lab_bytes(ab->sides[1].exp);

	guest.memory_bytes = run_lab_bytes(ab->sides[0].exp);
	if (bytes > guest.memory_bytes)
		guest.memory_bytes = bytes;
	if (other->cpus > guest.cpus)
		guest.cpus = other->cpus;
	return guest;
}

static int measure(const struct run_options *options, struct ab *ab, struct host *host, char **dir)
{
	struct run_options with = *options;
	struct guest_config guest = larger_guest(ab);
	int code;

	if (options->dry_run)
		return print_session(options, ab, host);
	with.deadline_s =
		now_s() + (options->time_limit_s > 0 ? options->time_limit_s : AB_TIME_LIMIT_S);
	code = run_wants_lab(options) ? run_in_lab(&with, &guest, ab->dir)
				      : ab_run_here(ab, &with, host);
	if (code == EXIT_INTERRUPTED)
		log_info("finished boots are kept: 'iommubench run --resume %s' goes on", ab->dir);
	/* Inside of the lab we are a part of a session that is judged outside. */
	if (!strcmp(host->kind, "host") && (code == EXIT_OK || code == EXIT_CELLS))
		*dir = xstrdup(ab->dir);
	return code;
}

int ab_measure(const struct run_options *options, const char *kind, char **dir)
{
	struct ab ab = { 0 };
	struct host *host = NULL;
	int code = EXIT_USAGE;

	*dir = NULL;
	if (!host_load(run_wants_lab(options) ? NULL : options->host_file, &host) &&
	    !open_or_make(options, kind, &ab)) {
		host->build_dir = options->build_dir;
		code = measure(options, &ab, host, dir);
	}
	ab_free(&ab);
	host_free(host);
	return code;
}

/* Why there were no more boots: what ran in the lab has written it down. */
static void print_stopped(const char *dir)
{
	struct ab ab = { 0 };
	struct looks looks;

	if (!load_state(dir, &ab, &looks))
		printf("\nstopped: %s\n",
		       state_text(&ab, "stopped") ? state_text(&ab, "stopped") : "unknown");
	ab_free(&ab);
}

int ab_command(const struct run_options *options)
{
	struct compare_options compare = { .seed = COMPARE_SEED };
	autofree char *dir = NULL, *a = NULL, *b = NULL;
	int code, verdict;

	code = ab_measure(options, "ab", &dir);
	if (!dir)
		return code;
	compare.base = a = xasprintf("%s/%s", dir, turns_side(0));
	compare.value = b = xasprintf("%s/%s", dir, turns_side(1));
	if (report_write(a, options->scripts_dir) || report_write(b, options->scripts_dir))
		code = EXIT_CELLS;
	printf("\n");
	verdict = compare_command(&compare, stdout);
	print_stopped(dir);
	printf("reports: %s/report.html, %s/report.html\n", a, b);
	return code ? code : verdict;
}
