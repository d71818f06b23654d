// SPDX-License-Identifier: GPL-2.0-only
/*
 * What tracking costs, within one boot: fio runs on pages that are held pinned, and the
 * guest's driver is switched between tracked and plain direct mapping while fio is stopped
 * and no I/O is under way. The two arms alternate, and which comes first does so as well, so
 * that neither boots nor a drift of the machine's speed come between them.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>

#include "bench/coiommu.h"
#include "bench/metrics/instructions.h"
#include "bench/mode.h"
#include "bench/workload.h"
#include "bench/workloads/fio.h"
#include "harness/boot.h"
#include "harness/stats.h"
#include "harness/util.h"

#define PAIRS_MAX 1000
#define SWITCH_S 0.2 /* expected, for stopping, switching and going on */
#define SETTLE_S 0.05
#define IDLE_S 0.05

static const struct setting settings_table[] = {
	{ "rw", SETTING_CHOICE, "randread", fio_rw_choices, 0, 0, "access pattern" },
	{ "bs", SETTING_SIZE, "4k", NULL, 512, 16 * 1024 * 1024, "block size" },
	{ "iodepth", SETTING_COUNT, "1", NULL, 1, 1024, "I/Os in flight" },
	{ "size", SETTING_SIZE, "64MiB", NULL, 1024 * 1024, 1e15, "part of the device used" },
	{ "pairs", SETTING_COUNT, "12", NULL, 6, PAIRS_MAX,
	  "rounds with tracking, and as many without" },
	{ "round", SETTING_TIME, "500ms", NULL, 0.05, 600, "how long each of them is measured" },
	{ 0 },
};

enum { OVERHEAD, LOW, HIGH, LAB_OVERHEAD, LAB_LOW, LAB_HIGH };
static const struct metric_desc metrics[] = {
	[OVERHEAD] = { "tracking_overhead", "ratio", DIRECTION_LOWER,
		       "time per I/O with tracking over without, less 1: median of the pairs" },
	[LOW] = { "tracking_overhead_low", "ratio", DIRECTION_NONE,
		  "lower end of its 95 % confidence interval" },
	[HIGH] = { "tracking_overhead_high", "ratio", DIRECTION_NONE, "upper end of it" },
	[LAB_OVERHEAD] = { "lab_tracking_overhead", "ratio", DIRECTION_LOWER,
			   "the same by emulated instructions per I/O (lab only)" },
	[LAB_LOW] = { "lab_tracking_overhead_low", "ratio", DIRECTION_NONE,
		      "lower end of its 95 % confidence interval" },
	[LAB_HIGH] = { "lab_tracking_overhead_high", "ratio", DIRECTION_NONE, "upper end of it" },
	{ 0 },
};

/* Cost per I/O in one round. */
struct cost {
	double s, instructions;
};

struct comparison {
	struct cell_run *run;
	uint32_t job;
	int insn_fd; /* -1: not counted here */
	size_t nr;
	double time[PAIRS_MAX], instructions[PAIRS_MAX]; /* per pair: tracked / untracked - 1 */
	struct strbuf csv;
};

static double estimate_s(const struct settings *settings)
{
	return 5 + 2 * (double)settings_count(settings, "pairs") *
			   (settings_time(settings, "round") + SETTLE_S + SWITCH_S);
}

static char *unfit(const struct mode_ops *mode)
{
	return mode->tracks ? NULL : xasprintf("mode %s tracks no DMA mappings", mode->name);
}

/* --- switching --- */

static int read_activity(struct boot *boot, uint64_t *ops, uint64_t *under_way)
{
	autofree char *path = xasprintf("/sys/block/%s/inflight", boot->disk), *text = NULL;
	uint64_t reads, writes;
	int ret = guest_read(boot->vm->guest, path, &text);

	if (!ret)
		ret = field_number(text, 1, &reads);
	if (!ret)
		ret = field_number(text, 2, &writes);
	if (ret)
		return ret;
	*under_way = reads + writes;
	return boot->cell->device->count_ops(boot, ops);
}

/*
 * fio takes a moment to stop, and may be caught between two I/Os: it has stopped when nothing
 * is under way and nothing has been completed for a while.
 */
static int await_idle(struct boot *boot)
{
	uint64_t deadline = deadline_in(30), before = 0, ops = 0, under_way = 1;

	while (now_ns() < deadline) {
		int ret = read_activity(boot, &ops, &under_way);

		if (ret || (!under_way && ops == before))
			return ret;
		before = ops;
		ret = wait_seconds(&boot->vm->waiter, IDLE_S);
		if (ret)
			return ret;
	}
	return boot_fail(boot, -ETIMEDOUT, "I/O is still under way 30 s after fio was stopped");
}

/* A mapping made in one arm must not end in the other: its count would be wrong. */
static int switch_tracking(struct comparison *c, bool on)
{
	struct boot *boot = c->run->boot;
	int ret;

	guest_signal(boot->vm->guest, c->job, SIGSTOP);
	ret = await_idle(boot);
	if (!ret)
		ret = guest_write(boot->vm->guest, COIOMMU_DEBUGFS "/tracking", on ? "1" : "0");
	guest_signal(boot->vm->guest, c->job, SIGCONT);
	return ret;
}

/* --- measuring --- */

static int read_counters(struct comparison *c, uint64_t *ops, uint64_t *ns, double *instructions)
{
	int ret = c->run->cell->device->count_ops(c->run->boot, ops);

	*ns = now_ns();
	*instructions = 0;
	if (!ret && c->insn_fd >= 0)
		ret = instructions_total(c->insn_fd, instructions);
	return ret;
}

static int run_round(struct comparison *c, bool tracked, struct cost *cost)
{
	double round = settings_time(c->run->cell->workload_settings, "round");
	struct boot *boot = c->run->boot;
	uint64_t ops[2], ns[2];
	double instructions[2];
	int ret = switch_tracking(c, tracked);

	if (!ret)
		ret = wait_seconds(&boot->vm->waiter, SETTLE_S);
	if (!ret)
		ret = read_counters(c, &ops[0], &ns[0], &instructions[0]);
	if (!ret)
		ret = wait_seconds(&boot->vm->waiter, round);
	if (!ret)
		ret = read_counters(c, &ops[1], &ns[1], &instructions[1]);
	if (ret)
		return ret;
	if (ops[1] == ops[0] && guest_job_ended(boot->vm->guest, c->job))
		return boot_fail(boot, -ENODATA, "fio ended before the rounds did");
	if (ops[1] == ops[0])
		return boot_fail(boot, -ENODATA,
				 "no I/O was completed within a round of %g s: "
				 "give 'round' more",
				 round);
	cost->s = (double)(ns[1] - ns[0]) * 1e-9 / (double)(ops[1] - ops[0]);
	cost->instructions = (instructions[1] - instructions[0]) / (double)(ops[1] - ops[0]);
	strbuf_addf(&c->csv, "%zu,%d,%.9g,%.9g\n", c->nr, tracked, cost->s, cost->instructions);
	return 0;
}

static int run_pair(struct comparison *c)
{
	bool tracked_first = !(c->nr % 2);
	struct cost cost[2] = { 0 }; /* untracked, tracked */
	int ret = run_round(c, tracked_first, &cost[tracked_first]);

	if (!ret)
		ret = run_round(c, !tracked_first, &cost[!tracked_first]);
	if (ret)
		return ret;
	c->time[c->nr] = cost[1].s / cost[0].s - 1;
	c->instructions[c->nr] = cost[1].instructions / cost[0].instructions - 1;
	c->nr++;
	return 0;
}

static void add_samples(struct cell_run *run, const double *values, size_t nr, int first)
{
	double low, high;

	stats_median_interval(values, nr, 0.95, &low, &high);
	sample_add(&run->samples, &metrics[first], stats_median(values, nr));
	sample_add(&run->samples, &metrics[first + 1], low);
	sample_add(&run->samples, &metrics[first + 2], high);
}

static int compare(struct comparison *c)
{
	struct guest *guest = c->run->boot->vm->guest;
	uint64_t pairs = settings_count(c->run->cell->workload_settings, "pairs");
	int ret = guest_write(guest, COIOMMU_DEBUGFS "/hold", "pinned"), back;

	strbuf_addf(&c->csv, "pair,tracked,s_per_op,instructions_per_op\n");
	while (!ret && c->nr < pairs && !guest_job_ended(guest, c->job))
		ret = run_pair(c);
	if (!ret && c->nr < pairs)
		return boot_fail(c->run->boot, -ENODATA,
				 "fio ended before the rounds did: see fio.stderr");
	if (ret)
		return ret;
	back = switch_tracking(c, true);
	return back ? back : guest_write(guest, COIOMMU_DEBUGFS "/hold", "off");
}

/* All rounds together are the window, so that faults in any of them count. */
static int run_comparison(struct comparison *c)
{
	struct cell_run *run = c->run;
	int ret = fio_await_first_io(run, c->job);

	/* All buffers of fio must have been pinned once before they are held. */
	if (!ret)
		ret = wait_seconds(&run->boot->vm->waiter, 1);
	if (!ret)
		ret = measure_begin(run);
	if (!ret)
		ret = compare(c);
	if (!ret)
		ret = measure_end(run);
	if (!ret)
		ret = cell_save(run, "rounds.csv", c->csv.data, c->csv.len);
	if (ret)
		return ret;
	add_samples(run, c->time, c->nr, OVERHEAD);
	if (c->insn_fd >= 0)
		add_samples(run, c->instructions, c->nr, LAB_OVERHEAD);
	return 0;
}

/* Why fio ended, if it has. */
static void save_last_words(struct comparison *c)
{
	struct guest *guest = c->run->boot->vm->guest;
	struct guest_result result = { 0 };

	if (!guest_job_ended(guest, c->job))
		return;
	if (!guest_wait(guest, c->job, 1, &result))
		cell_save(c->run, "fio.stderr", result.err.data, result.err.len);
	guest_result_free(&result);
}

static int run_tracking(struct cell_run *run)
{
	const struct settings *settings = run->cell->workload_settings;
	struct comparison *c = xzalloc(sizeof(*c));
	struct strlist argv = { 0 };
	int ret;

	c->run = run;
	c->insn_fd = run->boot->host->instructions
			     ? open(run->boot->host->instructions, O_RDONLY | O_CLOEXEC)
			     : -1;
	fio_base_command(settings, run->boot->disk, &argv);
	strlist_add(&argv, "--time_based");
	strlist_addf(&argv, "--runtime=%.0f", 60 + 5 * estimate_s(settings));
	ret = guest_start(run->boot->vm->guest, argv.items, 0, NULL, NULL, &c->job);
	strlist_free(&argv);
	if (!ret) {
		ret = run_comparison(c);
		if (ret)
			save_last_words(c);
		guest_kill(run->boot->vm->guest, c->job);
	}
	if (c->insn_fd >= 0)
		close(c->insn_fd);
	free(c->csv.data);
	free(c);
	return ret;
}

const struct workload_ops workload_tracking = {
	.name = "tracking",
	.help = "fio with DMA tracking switched on and off within one boot: what tracking costs",
	.needs = DEVICE_BLOCK,
	.unfit = unfit,
	.settings = settings_table,
	.metrics = metrics,
	.destroys_data = fio_writes,
	.estimate_s = estimate_s,
	.run = run_tracking,
};
