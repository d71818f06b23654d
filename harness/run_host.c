// SPDX-License-Identifier: GPL-2.0-only
/* Running an experiment on this very host: boot after boot, recorded as they come. */
#include "harness/run_host.h"

#include <errno.h>
#include <string.h>

#include "bench/registry.h"
#include "harness/boot.h"
#include "harness/environment.h"
#include "harness/journal.h"
#include "harness/log.h"
#include "harness/preflight.h"
#include "harness/run_boot.h"
#include "harness/resume.h"
#include "harness/samples.h"
#include "harness/util.h"

/* --- the run --- */

/* Which boots are left; warm-ups only if anything else is. The first one is in *first. */
static size_t count_due(const struct host_run *run, const struct plan_boot **first,
			double *estimate_s)
{
	size_t due = 0;

	*estimate_s = 0;
	*first = NULL;
	for (size_t i = 0; i < run->plan->nr_boots; i++) {
		const struct plan_boot *boot = &run->plan->boots[i];

		if (boot->warmup || !run_boot_due(run, boot))
			continue;
		*first = *first ? *first : boot;
		*estimate_s += run_boot_estimate_s(run, boot);
		due++;
	}
	if (!due)
		return 0;
	*estimate_s += run->exp->warmup *
		       boot_estimate_s(run->session->host, run->exp->guest.memory_bytes);
	return due + run->exp->warmup;
}

static int run_boots(struct host_run *run)
{
	const struct plan_boot *first;
	double estimate_s;
	size_t due = count_due(run, &first, &estimate_s);
	int ret = 0;

	progress_start(&run->session->progress, due, estimate_s);
	if (due)
		ret = run_warmups(run, first);
	for (size_t i = 0; i < run->plan->nr_boots && !ret; i++) {
		const struct plan_boot *boot = &run->plan->boots[i];

		if (!boot->warmup && run_boot_due(run, boot))
			ret = run_boot(run, boot);
		if (!ret && wait_interrupted())
			ret = -EINTR;
	}
	return ret;
}

static json_t *environment(const struct host_run *run)
{
	json_t *env = environment_capture(run->session->host, &run->exp->guest.files,
					  run->options->build_dir);

	json_object_set_new(env, "placement",
			    placements_json(&run->placements, run->session->host));
	json_object_set_new(env, "host_settings", tuning_json(run->session->host));
	json_object_set_new(env, "preflight", json_incref(run->preflight));
	return env;
}

static int open_manifest(struct host_run *run)
{
	int ret;

	if (!run->resume)
		return manifest_new(run->dir, run->exp, run->plan, run->session->host,
				    environment(run), &run->manifest);
	ret = manifest_load(run->dir, &run->manifest);
	if (ret == -ENOENT) {
		log_err("%s: no manifest.json: not a run that could be resumed", run->dir);
		return ret;
	}
	if (!ret) {
		json_t *env = environment(run);

		ret = resume_check(run->dir, &run->manifest, run->exp, run->plan, env);
		json_decref(env);
	}
	/* A crash between a boot's samples and its record leaves rows of no boot. */
	if (!ret)
		ret = samples_keep(run->samples_path, manifest_keeps_row, &run->manifest);
	return ret;
}

int host_run_preflight(struct host_run *run)
{
	return preflight(run->session->host, run->exp, run->dir, &run->preflight);
}

int host_session_open(struct host_session *session)
{
	int ret = journal_open(JOURNAL_DIR, &session->journal);

	if (!ret && session->host->tuning)
		ret = tuning_apply(session->host, session->journal);
	if (ret) {
		journal_close(session->journal);
		session->journal = NULL;
	}
	return ret;
}

static void make_placements(struct host_run *run)
{
	const struct host *host = run->session->host;
	struct guest_config guest = run->exp->guest;

	/* All cells alike: memory that is bound for the smaller guests only would bend the lines.
	 */
	guest.memory_bytes = run_memory_bytes(run->exp);
	placements_make(host, &guest, &run->placements);
	for (size_t i = 0; i < run->placements.nr; i++) {
		const struct placement *placement = &run->placements.items[i];
		const char *remedy, *warning = placement_warning(placement, &remedy);

		if (warning)
			log_warn("%s: %s: %s", host->devices[i].kind, warning, remedy);
	}
}

int host_run_open(struct host_run *run)
{
	unsigned int next;
	int ret;

	if (run->session->host->tuning) /* its settings are made by now */
		preflight_again(run->session->host, run->exp, run->dir, &run->preflight);
	run->samples_path = xasprintf("%s/samples.csv", run->dir);
	run_probe_cells(run->plan, run->session->host, &run->exp->guest);
	make_placements(run);
	ret = open_manifest(run);
	if (ret) {
		manifest_free(&run->manifest); /* what is not ours stays as it is */
		return ret;
	}
	for (size_t i = 0; i < run->plan->nr_cells; i++)
		if (run->plan->cells[i].skip)
			manifest_skip(&run->manifest, run->plan->cells[i].id,
				      run->plan->cells[i].skip);
	next = manifest_next_sequence(&run->manifest);
	if (next > run->session->sequence)
		run->session->sequence = next;
	return manifest_save(&run->manifest);
}

int host_run_close(struct host_run *run, int ret)
{
	int code = EXIT_CELLS;

	if (run->manifest.root) {
		unsigned int bad = manifest_count(&run->manifest, "failed") +
				   manifest_count(&run->manifest, "invalid");
		bool none = manifest_count(&run->manifest, "skipped") ==
			    json_array_size(json_object_get(run->manifest.root, "cells"));

		manifest_set_status(&run->manifest, ret ? "partial" : "complete");
		if (none && !ret)
			log_err("%s: every cell is skipped: nothing was measured", run->dir);
		if (!manifest_save(&run->manifest) && !ret && !bad)
			code = none ? EXIT_PREFLIGHT : EXIT_OK;
	}
	manifest_free(&run->manifest);
	free(run->samples_path);
	placements_free(&run->placements);
	json_decref(run->preflight);
	return ret == -EINTR ? EXIT_INTERRUPTED : code;
}

int run_host(const struct run_options *options, const struct experiment *exp, struct plan *plan,
	     const struct host *host, const char *dir)
{
	struct host_session session = { .host = host };
	struct host_run run = { .session = &session,
				.options = options,
				.exp = exp,
				.plan = plan,
				.dir = dir,
				.resume = options->resume };
	bool opened;
	int ret, code;

	if (host_run_preflight(&run) || host_session_open(&session)) {
		json_decref(run.preflight);
		return EXIT_PREFLIGHT;
	}
	ret = host_run_open(&run);
	opened = !ret;
	if (!ret)
		ret = run_boots(&run);
	if (journal_close(session.journal) && !ret)
		ret = -EIO;
	code = host_run_close(&run, ret);
	if (!opened && ret == -EXDEV)
		return EXIT_PREFLIGHT;
	return !opened && options->resume ? EXIT_USAGE : code;
}
