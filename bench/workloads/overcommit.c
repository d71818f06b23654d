// SPDX-License-Identifier: GPL-2.0-only
/*
 * Several VMs whose memory adds up to more than they may use: started one after the other in one
 * memory cgroup, each with a drive of its own, until one does not start any more. Each fills a
 * part of its memory with random data, all do I/O at the same time, then all data is checked.
 */
#include <errno.h>
#include <math.h>
#include <string.h>

#include "bench/mode.h"
#include "bench/workloads/crowd.h"
#include "bench/workloads/fio.h"
#include "harness/cgroup.h"
#include "harness/journal.h"
#include "harness/sibling.h"
#include "harness/util.h"

#define MARGIN_S 2.0  /* fio runs longer than the window, so that it brackets it */
#define START_S 30.0  /* a VM's start and fill, for the estimate */

static const struct setting settings_table[] = {
	{ "vms", SETTING_COUNT, "4", NULL, 1, CROWD_MAX, "VMs to start, each with a device" },
	{ "limit", SETTING_SIZE, "1GiB", NULL, 64 * 1024 * 1024, 1e15,
	  "memory that all of them together may use" },
	{ "pinned", SETTING_COUNT, "75", NULL, 1, 100,
	  "percentage of that which may be pinned: a VM that would pin more does not start" },
	{ "swap", SETTING_BOOL, "yes", NULL, 0, 0,
	  "swap to the host file's device, if it names one" },
	{ "fill", SETTING_COUNT, "40", NULL, 1, 90, "percentage of a guest's memory it fills" },
	{ "rw", SETTING_CHOICE, "randread", fio_rw_choices, 0, 0, "access pattern" },
	{ "bs", SETTING_SIZE, "4k", NULL, 512, 16 * 1024 * 1024, "block size" },
	{ "iodepth", SETTING_COUNT, "4", NULL, 1, 1024, "I/Os in flight in each VM" },
	{ "runtime", SETTING_TIME, "5s", NULL, 1, 3600, "measured time" },
	{ "size", SETTING_SIZE, "8MiB", NULL, 1024 * 1024, 1e15,
	  "part of the device used; written and checked at the end" },
	{ 0 },
};

enum { STARTED, KILLED, IOPS, LEAST_IOPS, PEAK, SWAPPED, PINNED, VERIFY_ERRORS };
static const struct metric_desc metrics[] = {
	[STARTED] = { "vms_started", "count", DIRECTION_HIGHER, "VMs that came up" },
	[KILLED] = { "vms_killed", "count", DIRECTION_LOWER,
		     "of these, ended before their work was" },
	[IOPS] = { "vms_iops", "ops/s", DIRECTION_HIGHER, "I/Os a second of all VMs together" },
	[LEAST_IOPS] = { "vms_least_iops", "ops/s", DIRECTION_HIGHER, "of the slowest VM" },
	[PEAK] = { "vms_memory_peak_bytes", "bytes", DIRECTION_NONE,
		   "most memory that the VMs used together" },
	[SWAPPED] = { "vms_swapped_bytes", "bytes", DIRECTION_NONE,
		      "of their memory reclaimed to swap, at the end of the window" },
	[PINNED] = { "vms_pinned_bytes", "bytes", DIRECTION_LOWER,
		     "pinned for all of them, at the end of the window" },
	[VERIFY_ERRORS] = { "verify_errors", "count", DIRECTION_LOWER,
			    "VMs whose drive or memory read back wrong" },
	{ 0 },
};

struct overcommit {
	struct crowd crowd;
	double iops, least; /* of all VMs together, of the slowest */
	unsigned int wrong; /* VMs whose data read back wrong */
};

/* --- settings --- */

static double estimate_s(const struct settings *settings)
{
	return START_S * (double)settings_count(settings, "vms") +
	       settings_time(settings, "runtime") + 20;
}

/* The last phase writes. */
static bool destroys_data(const struct settings *settings)
{
	return true;
}

/* All of them, up to the limit: what is above is swapped, or not there. */
static uint64_t memory_bytes(const struct settings *settings, uint64_t guest_bytes)
{
	uint64_t all = settings_count(settings, "vms") * guest_bytes;
	uint64_t limit = settings_size(settings, "limit");

	return all < limit ? all : limit;
}

/* --- the host --- */

static char *unfit(const struct mode_ops *mode)
{
	if (!mode->hugetlb)
		return NULL;
	return xasprintf("a memory cgroup does not count reserved huge pages, so it cannot limit "
			 "them: compare with another mode");
}

static int probe(const struct host *host, const struct cell *cell, uint64_t guest_bytes, char **why)
{
	return siblings_probe(host, cell,
			      (unsigned int)settings_count(cell->workload_settings, "vms"),
			      memory_bytes(cell->workload_settings, guest_bytes), why);
}

/* What may be pinned by all VMs together. What they have beside it must be reclaimable. */
static uint64_t pin_limit(const struct settings *settings)
{
	return settings_size(settings, "limit") / 100 * settings_count(settings, "pinned");
}

static int host_setup(struct boot *boot, const struct settings *settings)
{
	autofree char *why = NULL;
	int ret = 0;

	if (settings_bool(settings, "swap") && boot->host->swap)
		ret = journal_swap(boot->journal, boot->host->swap, &why);
	if (!ret)
		ret = cgroup_make(boot->journal, settings_size(settings, "limit"), &boot->cgroup,
				  &why);
	boot->pin_bytes = pin_limit(settings);
	return ret ? boot_fail(boot, ret, "%s", why ? why : strerror(-ret)) : 0;
}

/* --- all at once --- */

static void fio_command(const struct cell_run *run, bool verify, struct strlist *argv)
{
	const struct settings *settings = run->cell->workload_settings;

	fio_base_command(settings, run->boot->disk, argv);
	if (verify) {
		strlist_add(argv, "--rw=randwrite");
		strlist_add(argv, "--verify=crc32c");
		strlist_add(argv, "--verify_fatal=1");
		strlist_add(argv, "--do_verify=1");
		return;
	}
	strlist_add(argv, "--time_based");
	strlist_addf(argv, "--runtime=%.0fms",
		     (settings_time(settings, "runtime") + MARGIN_S) * 1e3);
}

static int start_fio(struct crowd *crowd, bool verify)
{
	struct strlist argv = { 0 };
	int ret;

	fio_command(crowd->run, verify, &argv);
	ret = crowd_command(crowd, argv.items);
	strlist_free(&argv);
	return ret;
}

/* I/Os a second in both directions; of one that had none there is no figure. */
static double sum_iops(const struct sample_set *set)
{
	return fmax(sample_get(set, "read_iops"), 0) + fmax(sample_get(set, "write_iops"), 0);
}

static int use_fio(void *data, unsigned int index, const struct guest_result *result)
{
	struct overcommit *all = data;
	struct cell_run *run = all->crowd.run;
	autofree char *name = xasprintf("fio-%u.json", index), *why = NULL;
	struct sample_set set = { 0 };
	double iops;
	int ret = cell_save(run, name, result->out.data, result->out.len);

	if (!ret && result->status)
		return boot_fail(run->boot, -EREMOTEIO, "fio in VM %u ended with %s: %.200s", index,
				 proc_status_text(result->status), result->err.data);
	if (!ret)
		ret = fio_parse(result->out.data, result->out.len, &set, &why);
	iops = sum_iops(&set);
	sample_set_free(&set);
	if (ret)
		return boot_fail(run->boot, ret, "VM %u: %s", index, why ? why : strerror(-ret));
	all->iops += iops;
	all->least = index && all->least < iops ? all->least : iops;
	return 0;
}

static int use_check(void *data, unsigned int index, const struct guest_result *result)
{
	struct overcommit *all = data;

	if (!result->status)
		return 0;
	all->wrong++;
	cell_invalid(all->crowd.run, "VM %u: data read back wrong: %.200s", index,
		     result->err.len ? result->err.data : "its memory is not what it wrote");
	return 0;
}

static void add_number(struct cell_run *run, int metric, const char *file)
{
	uint64_t value;

	if (!cgroup_read(run->boot->cgroup, file, NULL, &value))
		sample_add(&run->samples, &metrics[metric], (double)value);
}

static void read_memory(const struct crowd *crowd)
{
	sample_add(&crowd->run->samples, &metrics[PINNED], (double)crowd_pinned_bytes(crowd));
	add_number(crowd->run, PEAK, "memory.peak");
	add_number(crowd->run, SWAPPED, "memory.swap.current");
}

static int measure(struct overcommit *all)
{
	struct cell_run *run = all->crowd.run;
	int ret = start_fio(&all->crowd, false);

	if (!ret)
		ret = fio_await_first_io(run, all->crowd.members[0].job);
	if (!ret)
		ret = measure_begin(run);
	if (!ret)
		ret = wait_seconds(&run->boot->vm->waiter,
				   settings_time(run->cell->workload_settings, "runtime"));
	if (!ret)
		ret = measure_end(run);
	/* Exits and instructions of some VMs must not be set against I/Os of others. */
	run->ops = run->device_ops = 0;
	if (!ret)
		read_memory(&all->crowd);
	return ret ? ret : crowd_await(&all->crowd, use_fio, all);
}

static int check_data(struct overcommit *all)
{
	int ret = start_fio(&all->crowd, true);

	if (!ret)
		ret = crowd_await(&all->crowd, use_check, all);
	if (!ret)
		ret = crowd_check_memory(&all->crowd);
	return ret ? ret : crowd_await(&all->crowd, use_check, all);
}

static int add_samples(struct overcommit *all)
{
	struct crowd *crowd = &all->crowd;
	struct sample_set *samples = &crowd->run->samples;

	sample_add(samples, &metrics[STARTED], crowd->nr);
	sample_add(samples, &metrics[KILLED], crowd_lost(crowd));
	sample_add(samples, &metrics[IOPS], all->iops);
	sample_add(samples, &metrics[LEAST_IOPS], all->least);
	sample_add(samples, &metrics[VERIFY_ERRORS], all->wrong);
	strbuf_addf(&crowd->notes, "ended by the kernel for want of memory: %llu\n",
		    (unsigned long long)crowd_kills(crowd));
	return cell_save(crowd->run, "vms.txt", crowd->notes.data, crowd->notes.len);
}

static int run_overcommit(struct cell_run *run)
{
	const struct settings *settings = run->cell->workload_settings;
	struct overcommit all = {
		.crowd = { .run = run,
			   .wanted = (unsigned int)settings_count(settings, "vms"),
			   .fill = (unsigned int)settings_count(settings, "fill"),
			   .pin_limit = pin_limit(settings) },
	};
	int ret = crowd_start(&all.crowd);

	if (!ret)
		ret = measure(&all);
	if (!ret)
		ret = check_data(&all);
	if (!ret)
		ret = add_samples(&all);
	crowd_end(&all.crowd);
	return ret;
}

const struct workload_ops workload_overcommit = {
	.name = "overcommit",
	.help = "several VMs whose memory is more than they may use, each under I/O",
	.needs = DEVICE_BLOCK,
	.except = ATTACH_VFIO_ONLY,
	.settings = settings_table,
	.metrics = metrics,
	.destroys_data = destroys_data,
	.host_setup = host_setup,
	.memory_bytes = memory_bytes,
	.unfit = unfit,
	.probe = probe,
	.estimate_s = estimate_s,
	.run = run_overcommit,
};
