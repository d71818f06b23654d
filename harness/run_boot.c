// SPDX-License-Identifier: GPL-2.0-only
/* One boot of a run, lived and recorded. */
#include "harness/run_boot.h"

#include <errno.h>
#include <string.h>

#include "bench/registry.h"
#include "harness/boot.h"
#include "harness/log.h"
#include "harness/run_host.h"
#include "harness/samples.h"
#include "harness/util.h"

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

double run_boot_estimate_s(const struct host_run *run, const struct plan_boot *boot)
{
	return run_estimate_s(run->exp, run->plan, run->session->host, boot);
}

static bool cell_due(const struct host_run *run, const struct plan_boot *boot, size_t n)
{
	const struct cell *cell = &run->plan->cells[boot->cells[n]];

	return !cell->skip && !manifest_finished(&run->manifest, cell->id, boot->index);
}

bool run_boot_due(const struct host_run *run, const struct plan_boot *boot)
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

/* A time of the measured window, from QEMU's start; without a VM from its own beginning. */
static double window_s(const struct boot *boot, const struct cell_run *cell_run, uint64_t ns)
{
	uint64_t from = boot->started_ns ? boot->started_ns : cell_run->begin_ns;

	/* A cell whose window never came has none. */
	return cell_run->begin_ns && ns >= cell_run->begin_ns ? (double)(ns - from) * 1e-9 : 0;
}

static int record(struct host_run *run, const struct plan_boot *plan_boot, const struct boot *boot,
		  const struct cell_run *cell_run, const char *retried,
		  const struct boot_place *place)
{
	static const char *const names[] = { "ok", "failed", "invalid", "failed" };
	const struct cell *cell = cell_run->cell;
	struct sample_key key = { cell->id,	      cell->mode->name,
				  cell->device->name, cell->workload->name,
				  cell->variant,      plan_boot->index };
	struct boot_record entry = {
		.boot = plan_boot->index,
		.attempts = retried ? 2 : 1,
		.place = *place,
		.status = names[cell_run->status],
		.reason = cell_run->reason,
		.retried = retried,
		.proof = boot->proof,
		.begin_s = window_s(boot, cell_run, cell_run->begin_ns),
		.end_s = window_s(boot, cell_run, cell_run->end_ns),
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
	const char *label = run->label ? run->label : "";

	if (plan_boot->warmup)
		return xasprintf("%s%s.%s warm-up", label, cell->mode->name, cell->device->name);
	if (plan_boot->nr_cells == 1)
		return xasprintf("%s%s boot %u", label, cell->id, plan_boot->index);
	return xasprintf("%s%s.%s boot %u (%zu cells)", label, cell->mode->name, cell->device->name,
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

	return (struct boot){ .host = run->session->host,
			      .journal = run->session->journal,
			      .build_dir = run->options->build_dir,
			      .guest_config = &run->exp->guest,
			      .placement = placements_find(&run->placements, run->session->host,
							   device_kind(cell->device)),
			      .cell = cell };
}

static int run_warmup(struct host_run *run, const struct plan_boot *plan_boot, const char *why)
{
	const struct boot_place place = { run->session->sequence++, NULL };
	autofree char *dir = xasprintf("%s/warmup/%u", run->dir, place.sequence);
	autofree char *what = describe(run, plan_boot), *started = now_iso8601();
	struct boot boot = new_boot(run, plan_boot);
	enum boot_status status;
	const char *result;

	progress_begin(&run->session->progress, what, run_boot_estimate_s(run, plan_boot));
	status = boot_live(&boot, dir, NULL, 0);
	result = status == BOOT_OK ? "ok" : boot.reason ? boot.reason : "failed";
	manifest_record_warmup(&run->manifest, boot.cell->id,
			       &(struct boot_place){ place.sequence, started }, why, result);
	progress_end(&run->session->progress, what, status == BOOT_OK ? "ok, thrown away" : result);
	free_boot(&boot);
	if (status == BOOT_INTERRUPTED)
		return -EINTR;
	return manifest_save(&run->manifest);
}

int run_warmups(struct host_run *run, const struct plan_boot *boot)
{
	struct plan_boot warmup = *boot; /* its cells stay the plan's */
	int ret = 0;

	warmup.warmup = true;
	for (unsigned int i = 0; i < run->exp->warmup && !ret; i++)
		ret = run_warmup(run, &warmup, run->resume ? "the run goes on" : "the run begins");
	return ret;
}

/* Each cell's folder. 0 or -errno, logged. */
static int make_dirs(const struct cell_run *runs, size_t nr)
{
	int ret = 0;

	for (size_t i = 0; i < nr && !ret; i++) {
		ret = mkdir_all(runs[i].dir);
		if (ret)
			log_err("cannot make %s: %s", runs[i].dir, strerror(-ret));
	}
	return ret;
}

static int live_and_record(struct host_run *run, const struct plan_boot *plan_boot,
			   struct cell_run *runs, size_t nr)
{
	autofree char *what = describe(run, plan_boot), *retried = NULL, *started = now_iso8601();
	const struct boot_place place = { run->session->sequence++, started };
	struct boot boot = new_boot(run, plan_boot);
	enum boot_status status;
	int ret = 0;

	progress_begin(&run->session->progress, what, run_boot_estimate_s(run, plan_boot));
	status = live_with_retry(run, &boot, runs, nr, &retried);
	share_vm_files(runs, nr);
	for (size_t i = 0; i < nr && !ret && status != BOOT_INTERRUPTED; i++)
		ret = record(run, plan_boot, &boot, &runs[i], retried, &place);
	if (!ret)
		ret = manifest_save(&run->manifest);
	progress_end(&run->session->progress, what, result_text(runs, nr));
	free_boot(&boot);
	return !ret && status == BOOT_INTERRUPTED ? -EINTR : ret;
}

int run_boot(struct host_run *run, const struct plan_boot *plan_boot)
{
	size_t nr;
	struct cell_run *runs = make_runs(run, plan_boot, &nr);
	int ret = make_dirs(runs, nr);

	if (!ret)
		ret = live_and_record(run, plan_boot, runs, nr);
	free_runs(runs, nr);
	return ret;
}
