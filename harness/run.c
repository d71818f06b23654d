// SPDX-License-Identifier: GPL-2.0-only
/* The `run` command: what to run, where, and the report at the end. */
#include "harness/run.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "bench/workload.h"
#include "harness/ab.h"
#include "harness/config.h"
#include "harness/environment.h"
#include "harness/lab.h"
#include "harness/log.h"
#include "harness/manifest.h"
#include "harness/plan.h"
#include "harness/report.h"
#include "harness/rerun.h"
#include "harness/run_host.h"
#include "harness/series.h"
#include "harness/util.h"

#define LAB_GUESTS_BYTES (4 * GIB) /* emulated, larger guests take too long */
#define RESULTS "results"
#define LAB_LIVES 3 /* a lab that stalls or crashes is replaced, so often */

/* --- the run's folder --- */

static void link_latest(const char *dir)
{
	const char *name = strrchr(dir, '/');
	autofree char *parent = name ? xstrdup(dir) : NULL, *link = NULL;
	struct stat st;

	if (!name)
		return;
	parent[name - dir] = '\0';
	link = xasprintf("%s/latest", parent);
	if (!lstat(link, &st) && S_ISLNK(st.st_mode)) /* nothing else is ours */
		unlink(link);
	if (symlink(name + 1, link))
		log_debug("cannot link %s: %s", link, strerror(errno));
}

/* A shard's folder says which it is, so that its host can find it again. */
static char *shard_dir(const struct run_options *options)
{
	return xasprintf(RESULTS "/shards/%s/shard-%u-of-%u", options->run_id, options->shard.k,
			 options->shard.n);
}

char *run_new_dir(const char *name)
{
	char stamp[32];
	time_t now = time(NULL);
	struct tm tm;

	gmtime_r(&now, &tm);
	strftime(stamp, sizeof(stamp), "%Y%m%d-%H%M%S", &tm);
	return xasprintf(RESULTS "/%s-%s", name, stamp);
}

static int copy_to(const char *path, const char *dir, const char *name)
{
	autofree char *to = xasprintf("%s/%s", dir, name);
	size_t len;
	autofree char *text = file_read(path, &len);

	return text ? file_replace(to, text, len) : -errno;
}

int run_copy_experiment(const char *path, const char *dir)
{
	return copy_to(path, dir, EXPERIMENT);
}

/* Makes the folder of a new run, with the configuration in it. Its real path, or NULL. */
static char *make_run_dir(const struct run_options *options, const struct experiment *exp)
{
	autofree char *dir = options->out	? xstrdup(options->out)
			     : options->shard.n ? shard_dir(options)
						: run_new_dir(exp->name);
	autofree char *manifest = xasprintf("%s/manifest.json", dir);
	char *real;
	int ret;

	if (file_exists(manifest)) {
		log_err("%s holds a run already: --resume %s continues it", dir, dir);
		return NULL;
	}
	ret = mkdir_all(dir);
	real = ret ? NULL : realpath(dir, NULL);
	if (!ret)
		ret = real ? run_copy_experiment(exp->path, real) : -errno;
	if (!ret && options->from)
		ret = copy_to(options->from, real, RERUN_ORIGINAL);
	if (!ret)
		return real;
	log_err("cannot make %s: %s", dir, strerror(-ret));
	free(real);
	return NULL;
}

/* --- in the lab --- */

/* A session's own state says what it runs; the time that is left is the lab's to know. */
static void add_session(const struct run_options *options, const char *out, struct strlist *argv)
{
	double left_s = options->deadline_s - now_s();

	strlist_addf(argv, "--resume=%s", out);
	strlist_addf(argv, "--time-limit=%.0fs", left_s > 1 ? left_s : 1);
}

/* The noise floors that are kept with the user's state are to be found in the lab, too. */
static void add_environment(struct strlist *argv)
{
	static const char *const names[] = { "HOME", "XDG_STATE_HOME" };

	strlist_addf(argv, "IOMMUBENCH_PROGRESS=%s", isatty(STDOUT_FILENO) ? "terminal" : "plain");
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (getenv(names[i]))
			strlist_addf(argv, "%s=%s", names[i], getenv(names[i]));
}

/* The harness' own command line inside of the lab. */
static void inner_command(const struct run_options *options, const char *dir, bool resume,
			  struct strlist *argv)
{
	autofree char *out = lab_results_path(dir);
	char self[PATH_MAX] = "";

	if (readlink("/proc/self/exe", self, sizeof(self) - 1) < 0)
		log_warn("/proc/self/exe: %s", strerror(errno));
	strlist_add(argv, "env");
	add_environment(argv);
	strlist_add(argv, self);
	strlist_add(argv, "run");
	strlist_add(argv, "--where=host");
	strlist_add(argv, "--host=" LAB_HOST_FILE);
	if (ab_is_session(dir)) {
		add_session(options, out, argv);
		return;
	}
	strlist_addf(argv, "%s/" EXPERIMENT, out);
	strlist_addf(argv, "--%s=%s", resume ? "resume" : "out", out);
	if (options->only)
		strlist_addf(argv, "--only=%s", options->only);
	if (options->boots)
		strlist_addf(argv, "--boots=%u", options->boots);
	if (options->shard.n) {
		strlist_addf(argv, "--shard=%u/%u", options->shard.k, options->shard.n);
		strlist_addf(argv, "--run-id=%s", options->run_id);
	}
}

/* One lab's life. 0 with the inner exit code in *code, or what lab_run() says. */
static int run_in_one_lab(const struct run_options *options, const struct lab_options *lab_options,
			  bool resume, json_t **description, int *code)
{
	struct strlist argv = { 0 };
	struct lab *lab;
	int status, ret;

	log_info("lab: starting the virtual lab");
	ret = lab_start(lab_options, &lab);
	if (ret) {
		*code = ret == -EINTR ? EXIT_INTERRUPTED : EXIT_PREFLIGHT;
		return ret;
	}
	json_decref(*description);
	*description = lab_describe(lab);
	log_info("lab: up after %s (%s, %u CPUs, %s)",
		 human_duration((double)(lab->vm->ready_ns - lab->vm->started_ns) * 1e-9),
		 lab->kind, lab->cpus, human_bytes((double)lab->memory_bytes));
	inner_command(options, lab_options->results_dir, resume, &argv);
	ret = lab_run(lab, argv.items, &status);
	*code = ret == -EINTR	? EXIT_INTERRUPTED
		: ret		? EXIT_CELLS
		: status & 0x7f ? EXIT_CELLS
				: (status >> 8) & 0xff;
	strlist_free(&argv);
	lab_stop(lab);
	return ret;
}

/* What only the outside knows: the machine under the lab, and labs that were lost. */
static void annotate(const char *dir, const struct run_options *options, json_t *description,
		     bool interrupted)
{
	struct manifest manifest;

	if (manifest_load(dir, &manifest))
		return;
	json_object_set(json_object_get(manifest.root, "environment"), "lab", description);
	if (options->command) /* the inner one is the lab's own affair */
		json_object_set_new(manifest.root, "command", json_string(options->command));
	if (interrupted)
		manifest_set_status(&manifest, "partial");
	manifest_save(&manifest);
	manifest_free(&manifest);
}

uint64_t run_memory_bytes(const struct experiment *exp)
{
	uint64_t most = exp->guest.memory_bytes;

	for (size_t i = 0; i < exp->workloads.nr; i++) {
		const struct choice *choice = &exp->workloads.items[i];
		const struct workload_ops *ops = choice->ops;

		for (size_t v = 0; ops->memory_bytes && v < choice->nr_variants; v++) {
			uint64_t bytes = ops->memory_bytes(choice->variants[v].settings,
							   exp->guest.memory_bytes);

			most = bytes > most ? bytes : most;
		}
	}
	return most;
}

uint64_t run_lab_bytes(const struct experiment *exp)
{
	uint64_t own = exp->guest.memory_bytes, most = run_memory_bytes(exp);
	/* Whole GiB: a run that goes on later is to find the same lab. */
	uint64_t limit = memory_available() / 2 / GIB * GIB;

	if (limit > LAB_GUESTS_BYTES)
		limit = LAB_GUESTS_BYTES;
	if (limit < own)
		limit = own;
	return most < limit ? most : limit;
}

/* A run, or the two of a session: what is not there is passed over. */
static void annotate_all(const char *dir, const struct run_options *options, json_t *description,
			 bool interrupted)
{
	annotate(dir, options, description, interrupted);
	for (unsigned int side = 0; side < NR_SIDES; side++) {
		autofree char *own = xasprintf("%s/%s", dir, turns_side(side));

		annotate(own, options, description, interrupted);
	}
}

/* What ran on a host goes on there. Nothing of it may be touched from here. */
static int check_place(const char *dir)
{
	struct manifest manifest;
	const char *where;
	int ret = manifest_load(dir, &manifest);

	if (ret)
		return ret == -ENOENT ? 0 : ret;
	where = json_string_value(json_object_get(manifest.root, "where"));
	if (where && !strcmp(where, "host")) {
		log_err("%s: it ran on a host, not in the virtual lab: resume it there, with "
			"--host FILE",
			dir);
		ret = -EINVAL;
	}
	manifest_free(&manifest);
	return ret;
}

int run_in_lab(const struct run_options *options, const struct guest_config *guest, const char *dir)
{
	struct lab_options lab_options = {
		.build_dir = options->build_dir,
		.scripts_dir = options->scripts_dir,
		.guest_bytes = guest->memory_bytes,
		.guest_cpus = guest->cpus,
		.results_dir = dir,
	};
	autofree char *path = xasprintf("%s/manifest.json", dir);
	autofree char *first = xasprintf("%s/%s", dir, turns_side(0));
	json_t *description;
	int stalls = 0, code, ret;

	if (check_place(ab_is_session(dir) ? first : dir))
		return EXIT_USAGE;
	description = json_object();
	for (;;) {
		bool resume = file_exists(path);

		ret = run_in_one_lab(options, &lab_options, resume, &description, &code);
		if ((ret != -ETIMEDOUT && ret != -ECONNABORTED) || ++stalls == LAB_LIVES)
			break;
		log_warn("the virtual lab has %s: another one goes on where it stopped",
			 ret == -ETIMEDOUT ? "stalled" : "crashed");
	}
	if (ret && ret != -EINTR)
		log_info("finished boots are kept: 'iommubench run --resume %s' goes on", dir);
	json_object_set_new(description, "stalls", json_integer(stalls));
	annotate_all(dir, options, description, ret != 0);
	json_decref(description);
	return code;
}

/* --- the command --- */

static int report(const struct run_options *options, const char *dir)
{
	int ret;

	if (report_print_table(dir, stdout))
		return EXIT_CELLS;
	ret = report_write(dir, options->scripts_dir);
	if (ret) {
		log_err("cannot write the report of %s: %s", dir, strerror(-ret));
		return EXIT_CELLS;
	}
	printf("\nreport: %s/report.html\n", dir);
	return EXIT_OK;
}

/* The lab's own host file names what it has; a dry run shows it without booting it. */
int run_dry(const struct run_options *options, const struct experiment *exp, struct plan *plan,
	    const struct host *host, bool in_lab)
{
	struct host_command command = { .run = (char *)LAB_GPU_RUN,
					.score = (char *)LAB_GPU_SCORE,
					.unit = (char *)LAB_GPU_UNIT,
					.better = DIRECTION_HIGHER };
	struct host_device devices[] = {
		{ .kind = (char *)"nvme", .address = (char *)LAB_NVME, .writable = true },
		{ .kind = (char *)"nic",
		  .address = (char *)LAB_NIC,
		  .peer = (char *)LAB_PEER,
		  .within_page = true },
		{ .kind = (char *)"gpu", .address = (char *)LAB_GPU, .command = &command },
		{ .kind = (char *)"edu", .address = (char *)LAB_EDU },
	};
	struct host lab = { .kind = (char *)"lab-tcg",
			    .devices = devices,
			    .nr_devices = ARRAY_SIZE(devices) };

	if (in_lab)
		printf("in the virtual lab:\n");
	if (options->from) {
		json_auto_t *env = environment_capture(host, &exp->guest.files, options->build_dir);

		rerun_print(options->from, env, in_lab);
	}
	if (options->shard.n)
		printf("shard %u of %u: %zu of %zu cells\n", options->shard.k, options->shard.n,
		       plan->nr_cells, json_array_size(json_object_get(plan->shard, "cells")));
	return run_host_dry(options, exp, plan, in_lab ? &lab : host);
}

static int run_and_report(const struct run_options *options, const struct experiment *exp,
			  struct plan *plan, struct host *host, bool in_lab)
{
	/* Inside of the lab we are a part of a run whose report is written outside. */
	bool outermost = !strcmp(host->kind, "host");
	autofree char *manifest = NULL;
	autofree char *dir =
		options->resume ? realpath(options->resume, NULL) : make_run_dir(options, exp);
	struct guest_config guest = exp->guest;
	int code, reported;

	if (!dir)
		return EXIT_USAGE;
	guest.memory_bytes = run_lab_bytes(exp);
	code = in_lab ? run_in_lab(options, &guest, dir) : run_host(options, exp, plan, host, dir);
	manifest = xasprintf("%s/manifest.json", dir);
	if (!outermost || code == EXIT_USAGE || !file_exists(manifest))
		return code;
	if (!options->shard.n)
		link_latest(dir);
	/* What there is gets its report; who does not want to wait for that interrupts it again. */
	if (code == EXIT_INTERRUPTED)
		wait_obeyed();
	reported = report(options, dir);
	return code ? code : reported;
}

static char *config_path(const struct run_options *options)
{
	if (options->resume && !options->config)
		return xasprintf("%s/" EXPERIMENT, options->resume);
	return options->config ? xstrdup(options->config) : NULL;
}

bool run_wants_lab(const struct run_options *options)
{
	return options->where == RUN_LAB || (options->where == RUN_AUTO && !options->host_file);
}

/* A shard that is resumed knows which it is. */
static int resume_shard(struct run_options *options, char **run_id)
{
	struct shard shard;
	int ret = shard_of_run(options->resume, &shard, run_id);

	if (ret) /* a lab that was lost while it started has left no manifest */
		return ret == -ENOENT ? 0 : ret;
	if (options->shard.n && (options->shard.k != shard.k || options->shard.n != shard.n ||
				 strcmp(options->run_id, *run_id) != 0)) {
		log_err("%s: shard %u/%u of run %s, not the one to resume: leave --shard and "
			"--run-id out",
			options->resume, shard.k, shard.n, *run_id ? *run_id : "?");
		return -EINVAL;
	}
	options->shard = shard;
	options->run_id = *run_id;
	return 0;
}

static int make_plan(const struct run_options *options, const struct experiment *exp,
		     struct plan **plan)
{
	int ret = plan_new(exp, options->only, options->boots, plan);

	if (!ret && options->shard.n)
		ret = shard_apply(exp, &options->shard, options->run_id, *plan);
	return ret;
}

static int run_one(const struct run_options *options)
{
	autofree char *path = config_path(options);
	bool in_lab = run_wants_lab(options);
	struct experiment *exp = NULL;
	struct host *host = NULL;
	struct plan *plan = NULL;
	int code = EXIT_USAGE;

	if (!experiment_load(path, &exp) && !host_load(in_lab ? NULL : options->host_file, &host) &&
	    !make_plan(options, exp, &plan)) {
		host->build_dir = options->build_dir;
		code = options->dry_run ? run_dry(options, exp, plan, host, in_lab)
					: run_and_report(options, exp, plan, host, in_lab);
	}
	plan_free(plan);
	host_free(host);
	experiment_free(exp);
	return code;
}

static int run_again(const struct run_options *options)
{
	struct run_options own = *options;
	struct rerun rerun;
	int code = EXIT_USAGE;

	if (!rerun_load(options->from, &rerun) && !rerun_apply(&rerun, &own))
		code = run_one(&own);
	rerun_free(&rerun);
	return code;
}

int run_command(const struct run_options *options)
{
	struct run_options own = *options;
	autofree char *run_id = NULL;

	if (options->from)
		return run_again(options);
	if (options->ab || (options->resume && ab_is_session(options->resume)))
		return ab_command(options);
	if (options->resume && !options->config ? series_is_dir(options->resume)
						: series_is_file(options->config))
		return series_command(options);
	if (options->resume && resume_shard(&own, &run_id))
		return EXIT_USAGE;
	return run_one(&own);
}
