// SPDX-License-Identifier: GPL-2.0-only
/*
 * A command of the user's own in the guest with the assigned GPU: a benchmark of graphics or of
 * computing. The host file has the command, and how to find its figures in what it prints.
 */
#include <errno.h>
#include <math.h>
#include <string.h>

#include "bench/devices/gpu.h"
#include "bench/workload.h"
#include "harness/boot.h"
#include "harness/proc.h"
#include "harness/samples_format.h"
#include "harness/stats.h"
#include "harness/util.h"

#define OUTPUT "command-output.txt"
#define MAX_OUTPUT (16 * MIB)
#define TAIL 400   /* bytes of its last words in a message */
#define LOOK_S 1   /* between two looks at what it does */
#define USUAL_S 30 /* guessed */

static const struct setting settings_table[] = {
	{ "limit", SETTING_TIME, "10m", NULL, 1, 86400,
	  "a command that takes longer is ended, and its cell fails" },
	{ 0 },
};

enum { SCORE, SCORES, DURATION };
static const struct metric_desc metrics[] = {
	[SCORE] = { "command_score", "points", DIRECTION_HIGHER,
		    "median of the figures that the command printed in a boot; unit and better: as "
		    "the host file says" },
	[SCORES] = { "command_scores", "count", DIRECTION_NONE,
		     "how many these were (each is in the boot's scores.csv)" },
	[DURATION] = { "command_s", "s", DIRECTION_NONE, "from the command's start to its end" },
	{ 0 },
};

static const struct host_command *command_of(const struct host *host, const struct cell *cell)
{
	const struct host_device *device = host_device(host, cell->device->name);

	return device ? device->command : NULL;
}

static int probe(const struct host *host, const struct cell *cell, uint64_t guest_bytes, char **why)
{
	if (command_of(host, cell))
		return 0;
	*why = xasprintf("the host file has no command for the %s: add 'command: { run: \"...\", "
			 "score: '...' }' to it (configs/host-example.yaml)",
			 cell->device->name);
	return -EOPNOTSUPP;
}

static double estimate_s(const struct settings *settings)
{
	return fmin(USUAL_S, settings_time(settings, "limit"));
}

/* --- running --- */

struct output {
	struct strbuf text;
	bool too_much;
};

static void on_output(void *arg, const char *data, size_t len)
{
	struct output *output = arg;

	output->too_much |= output->text.len + len > MAX_OUTPUT;
	if (!output->too_much)
		strbuf_add(&output->text, data, len);
}

static int fail(struct cell_run *run, const struct output *output, const char *what)
{
	autofree char *tail = text_tail(output->text.data, output->text.len, TAIL);

	return boot_fail(run->boot, -EREMOTEIO, "the host file's command %s; %s%s", what,
			 *tail ? "it printed last: " : "it printed nothing", tail);
}

/* In the image's root, if there is one. $0 is the command, $1 what leads there, $2 the GPU. */
static const char script[] =
	"exec 2>&1; export GPU=$2 HOME=/tmp XDG_RUNTIME_DIR=/tmp XDG_CACHE_HOME=/tmp "
	"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin; "
	"exec $1 sh -c \"$0\"";

static int start(struct cell_run *run, struct output *output, uint32_t *job)
{
	const struct host_device *device = host_device(run->boot->host, run->cell->device->name);
	char *const argv[] = {
		(char *)"sh",
		(char *)"-c",
		(char *)script,
		device->command->run,
		(char *)(device->image ? "busybox chroot " GPU_IMAGE_DIR : ""),
		(char *)BOOT_DEVICE_BDF,
		NULL,
	};

	return guest_start(run->boot->vm->guest, argv, 0, on_output, output, job);
}

static int await_end(struct cell_run *run, uint32_t job, const struct output *output, int *status)
{
	double limit_s = settings_time(run->cell->workload_settings, "limit");
	uint64_t deadline = deadline_in(limit_s);
	struct guest_result result = { 0 };
	int ret;

	while ((ret = guest_wait(run->boot->vm->guest, job, LOOK_S, &result)) == -ETIMEDOUT) {
		autofree char *late = NULL;

		if (output->too_much)
			return fail(run, output, "prints more than 16 MiB");
		if (now_ns() < deadline)
			continue;
		late = xasprintf("did not end within %s (setting limit)", human_duration(limit_s));
		return fail(run, output, late);
	}
	*status = result.status;
	guest_result_free(&result);
	return ret;
}

static int measure(struct cell_run *run, struct output *output, int *status)
{
	uint32_t job = 0;
	double start_s;
	int ret = measure_begin(run);

	if (ret)
		return ret;
	start_s = now_s();
	ret = start(run, output, &job);
	if (ret)
		return ret;
	ret = await_end(run, job, output, status);
	sample_add(&run->samples, &metrics[DURATION], now_s() - start_s);
	if (ret)
		guest_kill(run->boot->vm->guest, job);
	return ret ? ret : measure_end(run);
}

/* --- its figures --- */

static int add_scores(struct cell_run *run, const struct host_command *command,
		      const double *scores, size_t nr)
{
	struct strbuf csv = { 0 };
	int ret;

	strbuf_addf(&csv, "score\n");
	for (size_t i = 0; i < nr; i++) {
		sample_add_number(&csv, scores[i]);
		strbuf_add(&csv, "\n", 1);
	}
	ret = cell_save(run, "scores.csv", csv.data, csv.len);
	free(csv.data);
	sample_add_as(&run->samples, &metrics[SCORE], command->unit, command->better,
		      stats_median(scores, nr));
	sample_add(&run->samples, &metrics[SCORES], (double)nr);
	return ret;
}

static int judge(struct cell_run *run, const struct output *output, int status)
{
	const struct host_command *command = command_of(run->boot->host, run->cell);
	autofree char *why = NULL, *words = NULL;
	autofree double *scores = NULL;
	size_t nr;

	if (output->too_much)
		return fail(run, output, "printed more than 16 MiB");
	if (status) {
		words = xasprintf("ended with %s", proc_status_text(status));
		return fail(run, output, words);
	}
	if (host_command_scores(command, &output->text, &scores, &nr, &why)) {
		words = xasprintf("gives no figure: %s", why);
		return fail(run, output, words);
	}
	return add_scores(run, command, scores, nr);
}

static int run_gpu_command(struct cell_run *run)
{
	struct output output = { 0 };
	int status = 0, ret, saved;

	strbuf_add(&output.text, "", 0);
	ret = measure(run, &output, &status);
	saved = cell_save(run, OUTPUT, output.text.data, output.text.len);
	if (!ret)
		ret = saved;
	if (!ret)
		ret = judge(run, &output, status);
	free(output.text.data);
	return ret;
}

const struct workload_ops workload_gpu_command = {
	.name = "gpu_command",
	.help = "a command of your own on the GPU, which the host file names with how to find its "
		"figure",
	.needs = DEVICE_GPU,
	.except = ATTACH_NO_VM,
	.settings = settings_table,
	.metrics = metrics,
	.runs_command = true,
	.probe = probe,
	.estimate_s = estimate_s,
	.run = run_gpu_command,
};
