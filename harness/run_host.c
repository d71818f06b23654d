// SPDX-License-Identifier: GPL-2.0-only
/* Running an experiment on this very host: boot after boot, recorded as they come. */
#include "harness/run_host.h"

#include <errno.h>
#include <string.h>

#include "bench/registry.h"
#include "harness/boot.h"
#include "harness/check.h"
#include "harness/environment.h"
#include "harness/journal.h"
#include "harness/log.h"
#include "harness/manifest.h"
#include "harness/placing.h"
#include "harness/progress.h"
#include "harness/samples.h"
#include "harness/util.h"

struct host_run {
	const struct run_options *options;
	const struct experiment *exp;
	struct plan *plan;
	const struct host *host;
	const char *dir;
	char *samples_path;
	struct placements placements;
	struct manifest manifest;
	struct journal *journal;
	struct progress progress;
};

/* --- what can run here --- */

static char *why_skipped(const struct host *host, const struct guest_config *guest,
			 const struct cell *cell)
{
	const struct host_device *device = host_device(host, cell->device->name);
	const struct workload_ops *workload = cell->workload;
	char *why = NULL;

	if (cell->mode->probe && cell->mode->probe(host, cell->mode_settings, &why))
		return why;
	if (cell->device->probe(host, cell->device_settings, &why))
		return why;
	if (workload->unfit)
		why = workload->unfit(cell->mode);
	if (!why && workload->probe)
		workload->probe(host, cell, guest->memory_bytes, &why);
	if (why)
		return why;
	if (workload->destroys_data && workload->destroys_data(cell->workload_settings) &&
	    !(device && device->writable))
		return xasprintf("it would overwrite the data on %s: add 'writable: yes' to the "
				 "device in the host file to allow that",
				 device ? device->address : cell->device->name);
	return NULL;
}

void run_probe_cells(struct plan *plan, const struct host *host, const struct guest_config *guest)
{
	for (size_t i = 0; i < plan->nr_cells; i++)
		plan->cells[i].skip = why_skipped(host, guest, &plan->cells[i]);
}

/* --- one boot --- */

double run_estimate_s(const struct experiment *exp, const struct plan *plan,
		      const struct host *host, const struct plan_boot *boot)
{
	double estimate = boot_estimate_s(
		host, cell_guest_bytes(&plan->cells[boot->cells[0]], exp->guest.memory_bytes));

	for (size_t i = 0; i < boot->nr_cells && !boot->warmup; i++) {
		const struct cell *cell = &plan->cells[boot->cells[i]];

		if (!cell->skip)
			estimate += cell->workload->estimate_s(cell->workload_settings);
	}
	return estimate;
}

static double boot_estimate(const struct host_run *run, const struct plan_boot *boot)
{
	return run_estimate_s(run->exp, run->plan, run->host, boot);
}

static bool cell_due(const struct host_run *run, const struct plan_boot *boot, size_t n)
{
	const struct cell *cell = &run->plan->cells[boot->cells[n]];

	return !cell->skip && !manifest_finished(&run->manifest, cell->id, boot->index);
}

/* Does this boot still have something to serve? */
static bool boot_due(const struct host_run *run, const struct plan_boot *boot)
{
	for (size_t i = 0; i < boot->nr_cells; i++)
		if (cell_due(run, boot, i))
			return true;
	return false;
}

static struct cell_run *make_runs(const struct host_run *run, const struct plan_boot *boot,
				  size_t *nr)
{
	struct cell_run *runs = xzalloc(boot->nr_cells * sizeof(*runs));

	*nr = 0;
	for (size_t i = 0; i < boot->nr_cells; i++) {
		const struct cell *cell = &run->plan->cells[boot->cells[i]];

		if (!cell_due(run, boot, i))
			continue;
		runs[*nr].cell = cell;
		runs[*nr].dir = xasprintf("%s/cells/%s/%u", run->dir, cell->id, boot->index);
		(*nr)++;
	}
	return runs;
}

static void free_runs(struct cell_run *runs, size_t nr)
{
	for (size_t i = 0; i < nr; i++) {
		free(runs[i].dir);
		free(runs[i].reason);
		sample_set_free(&runs[i].samples);
	}
	free(runs);
}

static void free_boot(struct boot *boot)
{
	json_decref(boot->proof);
	free(boot->reason);
}

/* The VM's own files are in the first cell's folder; a VM shared by cells gives each a copy. */
static void share_vm_files(const struct cell_run *runs, size_t nr)
{
	static const char *const names[] = { "command.txt", "console.log", "qemu.log" };

	for (size_t f = 0; f < ARRAY_SIZE(names); f++) {
		autofree char *path = xasprintf("%s/%s", runs[0].dir, names[f]);
		size_t len;
		autofree char *text = file_read(path, &len);

		for (size_t i = 1; text && i < nr; i++)
			cell_save(&runs[i], names[f], text, len);
	}
}

/*
 * Under emulation a boot stalls now and then: what timed out gets one more try, and the
 * record says so. What the first try left is kept beside.
 */
static enum boot_status live_with_retry(struct host_run *run, struct boot *boot,
					struct cell_run *runs, size_t nr, char **retried)
{
	struct boot first = *boot;
	enum boot_status status = boot_live(boot, runs[0].dir, runs, nr);

	*retried = NULL;
	if (!boot->timed_out)
		return status;
	log_warn("%s: %s: trying once more", boot->cell->id, boot->reason);
	*retried = xstrdup(boot->reason);
	free_boot(boot);
	*boot = first;
	for (size_t i = 0; i < nr; i++) {
		autofree char *kept = xasprintf("%s.first-attempt", runs[i].dir);

		remove_all(kept);
		if (rename(runs[i].dir, kept))
			log_debug("cannot keep %s: %s", runs[i].dir, strerror(errno));
		sample_set_free(&runs[i].samples);
		free(runs[i].reason);
		runs[i].samples = (struct sample_set){ 0 };
		runs[i].reason = NULL;
		mkdir_all(runs[i].dir);
	}
	return boot_live(boot, runs[0].dir, runs, nr);
}

static double window_s(const struct cell_run *cell_run, uint64_t ns)
{
	/* A cell whose window never came has none. */
	return cell_run->begin_ns && ns >= cell_run->begin_ns
		       ? (double)(ns - cell_run->begin_ns) * 1e-9
		       : 0;
}

static int record(struct host_run *run, const struct plan_boot *plan_boot, const struct boot *boot,
		  const struct cell_run *cell_run, const char *retried)
{
	static const char *const names[] = { "ok", "failed", "invalid", "failed" };
	const struct cell *cell = cell_run->cell;
	struct sample_key key = { cell->id,	      cell->mode->name,
				  cell->device->name, cell->workload->name,
				  cell->variant,      plan_boot->index };
	struct boot_record entry = {
		.boot = plan_boot->index,
		.attempts = retried ? 2 : 1,
		.status = names[cell_run->status],
		.reason = cell_run->reason,
		.retried = retried,
		.proof = boot->proof,
		.begin_s = 0,
		.end_s = window_s(cell_run, cell_run->end_ns),
	};
	int ret = 0;

	if (cell_run->status == BOOT_OK || cell_run->status == BOOT_INVALID)
		ret = samples_append(run->samples_path, &key, &cell_run->samples);
	if (ret) {
		log_err("cannot write %s: %s", run->samples_path, strerror(-ret));
		return ret;
	}
	manifest_record(&run->manifest, cell->id, &entry);
	return 0;
}

static char *describe(const struct host_run *run, const struct plan_boot *plan_boot)
{
	const struct cell *cell = &run->plan->cells[plan_boot->cells[0]];

	if (plan_boot->warmup)
		return xasprintf("%s.%s warm-up", cell->mode->name, cell->device->name);
	if (plan_boot->nr_cells == 1)
		return xasprintf("%s boot %u", cell->id, plan_boot->index);
	return xasprintf("%s.%s boot %u (%zu cells)", cell->mode->name, cell->device->name,
			 plan_boot->index, plan_boot->nr_cells);
}

static const char *result_text(const struct cell_run *runs, size_t nr)
{
	for (size_t i = 0; i < nr; i++)
		if (runs[i].status != BOOT_OK)
			return runs[i].reason ? runs[i].reason : "failed";
	return "ok";
}

static struct boot new_boot(const struct host_run *run, const struct plan_boot *plan_boot)
{
	const struct cell *cell = &run->plan->cells[plan_boot->cells[0]];

	return (struct boot){ .host = run->host,
			      .journal = run->journal,
			      .build_dir = run->options->build_dir,
			      .guest_config = &run->exp->guest,
			      .placement = placements_find(&run->placements, run->host,
							   cell->device->name),
			      .cell = cell };
}

static int run_warmup(struct host_run *run, const struct plan_boot *plan_boot)
{
	autofree char *dir = xasprintf("%s/warmup", run->dir);
	autofree char *what = describe(run, plan_boot);
	struct boot boot = new_boot(run, plan_boot);
	enum boot_status status;

	progress_begin(&run->progress, what, boot_estimate(run, plan_boot));
	status = boot_live(&boot, dir, NULL, 0);
	progress_end(&run->progress, what,
		     status == BOOT_OK ? "ok, thrown away"
		     : boot.reason     ? boot.reason
				       : "failed");
	free_boot(&boot);
	return status == BOOT_INTERRUPTED ? -EINTR : 0;
}

static int run_measured(struct host_run *run, const struct plan_boot *plan_boot)
{
	autofree char *what = describe(run, plan_boot), *retried = NULL;
	struct boot boot = new_boot(run, plan_boot);
	enum boot_status status;
	size_t nr;
	struct cell_run *runs = make_runs(run, plan_boot, &nr);
	int ret = 0;

	for (size_t i = 0; i < nr && !ret; i++) {
		ret = mkdir_all(runs[i].dir);
		if (ret)
			log_err("cannot make %s: %s", runs[i].dir, strerror(-ret));
	}
	if (!ret) {
		progress_begin(&run->progress, what, boot_estimate(run, plan_boot));
		status = live_with_retry(run, &boot, runs, nr, &retried);
		share_vm_files(runs, nr);
		for (size_t i = 0; i < nr && !ret && status != BOOT_INTERRUPTED; i++)
			ret = record(run, plan_boot, &boot, &runs[i], retried);
		if (!ret)
			ret = manifest_save(&run->manifest);
		progress_end(&run->progress, what, result_text(runs, nr));
		if (!ret && status == BOOT_INTERRUPTED)
			ret = -EINTR;
	}
	free_runs(runs, nr);
	free_boot(&boot);
	return ret;
}

/* --- the run --- */

/* Which boots are left; a warm-up only if anything else is. */
static size_t count_due(struct host_run *run, double *estimate_s)
{
	size_t due = 0, warmups = 0;

	*estimate_s = 0;
	for (size_t i = 0; i < run->plan->nr_boots; i++) {
		const struct plan_boot *boot = &run->plan->boots[i];

		if (!boot_due(run, boot) && !boot->warmup)
			continue;
		*estimate_s += boot_estimate(run, boot);
		if (boot->warmup)
			warmups++;
		else
			due++;
	}
	return due ? due + warmups : 0;
}

static int run_boots(struct host_run *run)
{
	double estimate_s;
	size_t due = count_due(run, &estimate_s);
	int ret = 0;

	progress_start(&run->progress, due, estimate_s);
	for (size_t i = 0; i < run->plan->nr_boots && !ret && due; i++) {
		const struct plan_boot *boot = &run->plan->boots[i];

		if (boot->warmup)
			ret = boot_due(run, boot) ? run_warmup(run, boot) : 0;
		else if (boot_due(run, boot))
			ret = run_measured(run, boot);
		if (!ret && wait_interrupted())
			ret = -EINTR;
	}
	return ret;
}

static json_t *environment(const struct host_run *run)
{
	json_t *env = environment_capture(run->host, run->options->build_dir);

	json_object_set_new(env, "placement", placements_json(&run->placements, run->host));
	return env;
}

static int open_manifest(struct host_run *run)
{
	int ret;

	if (!run->options->resume)
		return manifest_new(run->dir, run->exp, run->plan, run->host, environment(run),
				    &run->manifest);
	ret = manifest_load(run->dir, &run->manifest);
	if (ret == -ENOENT) {
		log_err("%s: no manifest.json: not a run that could be resumed", run->dir);
		return ret;
	}
	if (!ret) {
		json_t *now = experiment_json(run->exp);
		bool same = json_equal(now, json_object_get(run->manifest.root, "config"));

		json_decref(now);
		if (!same) {
			log_err("%s: the experiment is not the one this run was started with",
				run->exp->path);
			return -EINVAL;
		}
		/* A crash between a boot's samples and its record leaves rows of no boot. */
		ret = samples_keep(run->samples_path, manifest_keeps_row, &run->manifest);
	}
	return ret;
}

static int finish(struct host_run *run, int ret)
{
	unsigned int bad = manifest_count(&run->manifest, "failed") +
			   manifest_count(&run->manifest, "invalid");
	int save;

	if (journal_close(run->journal) && !ret)
		ret = -EIO;
	manifest_set_status(&run->manifest, ret ? "partial" : "complete");
	save = manifest_save(&run->manifest);
	if (ret == -EINTR)
		return EXIT_INTERRUPTED;
	return ret || save || bad ? EXIT_CELLS : EXIT_OK;
}

static int preflight(const struct host_run *run)
{
	struct check_report report;
	bool failed;

	check_host(run->host, &run->exp->guest, run->dir, &report);
	failed = check_failed(&report);
	if (failed) {
		log_err("this host cannot run the experiment:");
		check_print(&report);
	}
	check_free(&report);
	if (!failed && run->host->vcpu_cpu &&
	    !placing_fits(run->host->vcpu_cpu, run->exp->guest.cpus)) {
		log_err("vCPUs of their own CPUs: CPUs %u to %u are needed, and not all there: lower "
			"guest.cpus, or vcpu_cpu in the host file",
			run->host->vcpu_cpu, run->host->vcpu_cpu + run->exp->guest.cpus - 1);
		failed = true;
	}
	return failed ? -ENOTSUP : 0;
}

static void make_placements(struct host_run *run)
{
	placements_make(run->host, &run->exp->guest, &run->placements);
	for (size_t i = 0; i < run->placements.nr; i++) {
		const struct placement *placement = &run->placements.items[i];
		const char *remedy, *warning = placement_warning(placement, &remedy);

		if (warning)
			log_warn("%s: %s: %s", run->host->devices[i].kind, warning, remedy);
	}
}

int run_host(const struct run_options *options, const struct experiment *exp, struct plan *plan,
	     const struct host *host, const char *dir)
{
	struct host_run run = {
		.options = options, .exp = exp, .plan = plan, .host = host, .dir = dir
	};
	int ret;

	if (preflight(&run))
		return EXIT_PREFLIGHT;
	if (journal_open(JOURNAL_DIR, &run.journal))
		return EXIT_PREFLIGHT;
	run.samples_path = xasprintf("%s/samples.csv", dir);
	run_probe_cells(plan, host, &exp->guest);
	make_placements(&run);
	ret = open_manifest(&run);
	if (ret) {
		journal_close(run.journal);
		manifest_free(&run.manifest);
		free(run.samples_path);
		placements_free(&run.placements);
		return options->resume ? EXIT_USAGE : EXIT_CELLS;
	}
	for (size_t i = 0; i < plan->nr_cells; i++)
		if (plan->cells[i].skip)
			manifest_skip(&run.manifest, plan->cells[i].id, plan->cells[i].skip);
	manifest_save(&run.manifest);
	ret = finish(&run, run_boots(&run));
	manifest_free(&run.manifest);
	free(run.samples_path);
	placements_free(&run.placements);
	return ret;
}
