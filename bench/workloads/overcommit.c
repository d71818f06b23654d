// SPDX-License-Identifier: GPL-2.0-only
/*
 * Several VMs whose memory adds up to more than they may use: started one after the other in one
 * memory cgroup, each with a drive of its own, until one does not start any more. Each fills a
 * part of its memory with random data, all do I/O at the same time, then all data is checked.
 */
#include <errno.h>
#include <math.h>
#include <string.h>

#include "bench/workload.h"
#include "bench/workloads/fio.h"
#include "harness/boot.h"
#include "harness/cgroup.h"
#include "harness/journal.h"
#include "harness/log.h"
#include "harness/sibling.h"
#include "harness/util.h"

#define VMS_MAX 64
#define MARGIN_S 2.0  /* fio runs longer than the window, so that it brackets it */
#define GUEST_S 300.0 /* for what a guest does under memory pressure */
#define START_S 30.0  /* a VM's start and fill, for the estimate */

static const struct setting settings_table[] = {
	{ "vms", SETTING_COUNT, "4", NULL, 1, VMS_MAX, "VMs to start, each with a device" },
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

/* One of the VMs; [0] is the boot's own. */
struct member {
	struct sibling *sibling; /* NULL: the boot's own, or ended */
	struct boot *boot;
	uint32_t job;
	bool lost; /* it ended, or does not answer any more */
};

struct crowd {
	struct cell_run *run;
	const struct settings *settings;
	struct member members[VMS_MAX];
	unsigned int nr; /* that came up */
	double iops, least;
	unsigned int wrong;
	struct strbuf notes; /* a line for each VM: how it went */
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

/*
 * When memory runs out, the kernel is to end the newcomer, and none that runs
 * (Documentation/filesystems/proc.rst, oom_score_adj).
 */
enum { OOM_AS_OTHERS = 0, OOM_FIRST = 1000 };

/* --- one VM --- */

static int fill_memory(const struct crowd *crowd, const struct boot *boot)
{
	static const char script[] =
		"busybox mkdir /tmp/fill && mount -t tmpfs -o size=95% fill /tmp/fill && "
		"busybox dd if=/dev/urandom of=/tmp/fill/data bs=1M count=$0 2>/dev/null && "
		"busybox md5sum /tmp/fill/data >/tmp/fill/sum";
	uint64_t bytes = boot_guest_bytes(boot) / 100 * settings_count(crowd->settings, "fill");
	autofree char *mib = xasprintf("%llu", (unsigned long long)(bytes / MIB));
	char *const argv[] = { (char *)"sh", (char *)"-c", (char *)script, mib, NULL };

	return guest_run(boot->vm->guest, argv, GUEST_S, NULL);
}

/* By the VMs that run. */
static uint64_t pinned_bytes(const struct crowd *crowd)
{
	uint64_t pinned = 0;

	for (unsigned int i = 0; i < crowd->nr; i++)
		if (!crowd->members[i].lost)
			pinned += proc_locked_bytes(crowd->members[i].boot->vm->proc.pid);
	return pinned;
}

/* The newcomer may pin what the others leave: VFIO refuses it more (RLIMIT_MEMLOCK). */
static uint64_t pins_left(const struct crowd *crowd)
{
	uint64_t limit = pin_limit(crowd->settings), pinned = pinned_bytes(crowd);

	return pinned < limit ? limit - pinned : 1;
}

static int start_member(struct crowd *crowd, unsigned int index)
{
	struct member *member = &crowd->members[index];
	autofree char *dir = xasprintf("%s/vm-%u", crowd->run->dir, index);
	int ret = sibling_launch(crowd->run->boot, index, dir, pins_left(crowd), &member->sibling);

	if (!ret) {
		proc_set_oom_score(member->sibling->boot.vm->proc.pid, OOM_FIRST);
		ret = sibling_await(member->sibling);
	}
	if (!ret)
		ret = fill_memory(crowd, &member->sibling->boot);
	if (ret)
		return ret;
	proc_set_oom_score(member->sibling->boot.vm->proc.pid, OOM_AS_OTHERS);
	member->boot = &member->sibling->boot;
	return 0;
}

/* How often the cgroup has lost a process to its limit ("oom_kill"), and the like. */
static uint64_t events(const struct crowd *crowd, const char *event)
{
	uint64_t nr = 0;

	cgroup_read(crowd->run->boot->cgroup, "memory.events", event, &nr);
	return nr;
}

/* Ends a VM that did not come up, until its memory is free again: the others may need it. */
static int end_newcomer(struct crowd *crowd, unsigned int index)
{
	struct member *member = &crowd->members[index];
	const struct vm *vm = member->sibling->boot.vm;
	pid_t pid = vm ? vm->proc.pid : 0;
	uint64_t deadline = deadline_in(GUEST_S);
	int ret = 0;

	sibling_stop(member->sibling);
	member->sibling = NULL;
	while (!ret && pid > 0 && cgroup_has(crowd->run->boot->cgroup, pid)) {
		if (now_ns() > deadline)
			return boot_fail(crowd->run->boot, -ETIMEDOUT,
					 "VM %u does not end: it is stuck in the kernel", index);
		ret = wait_seconds(&crowd->run->boot->vm->waiter, 0.2);
	}
	return ret;
}

/* Only for want of memory is it one VM less; all else is a failure. */
static int judge_failed_start(struct crowd *crowd, unsigned int index, int err, bool no_memory)
{
	struct sibling *sibling = crowd->members[index].sibling;
	const char *reason = sibling->boot.reason ? sibling->boot.reason : strerror(-err);
	int ret;

	strbuf_addf(&crowd->notes, "vm %u: did not come up%s: %s\n", index,
		    no_memory ? " for want of memory" : "", reason);
	if (no_memory) {
		log_info("VM %u does not come up for want of memory", index);
		err = 0;
	} else {
		boot_fail(crowd->run->boot, err, "VM %u: %s", index, reason);
	}
	ret = end_newcomer(crowd, index);
	return err ? err : ret;
}

/* Did VFIO refuse to pin so much, or the kernel end it? */
static bool wants_memory(const struct crowd *crowd, uint64_t kills)
{
	const struct vm *vm = crowd->members[crowd->nr].sibling->boot.vm;
	autofree char *path = vm ? xasprintf("%s/qemu.log", vm->dir) : NULL;
	autofree char *log = path ? file_read(path, NULL) : NULL;

	/* "VFIO_MAP_DMA failed: Cannot allocate memory" */
	return events(crowd, "oom_kill") > kills || (log && strstr(log, strerror(ENOMEM)));
}

/* One after the other, until one does not come up. */
static int start_members(struct crowd *crowd)
{
	unsigned int wanted = (unsigned int)settings_count(crowd->settings, "vms");

	while (crowd->nr < wanted) {
		uint64_t kills = events(crowd, "oom_kill");
		int ret = start_member(crowd, crowd->nr);

		if (ret)
			return judge_failed_start(crowd, crowd->nr, ret,
						  ret != -EINTR && wants_memory(crowd, kills));
		strbuf_addf(&crowd->notes, "vm %u: up\n", crowd->nr++);
	}
	return 0;
}

/* --- all at once --- */

/* A VM that is lost goes no further; the boot's own takes the boot with it. */
static int lose(struct crowd *crowd, unsigned int index, int err)
{
	struct member *member = &crowd->members[index];

	if (!index || err == -EINTR)
		return err;
	member->lost = true;
	strbuf_addf(&crowd->notes, "vm %u: lost while it worked: %s\n", index, strerror(-err));
	return 0;
}

static void fio_command(const struct crowd *crowd, bool verify, struct strlist *argv)
{
	fio_base_command(crowd->settings, crowd->run->boot->disk, argv);
	if (verify) {
		strlist_add(argv, "--rw=randwrite");
		strlist_add(argv, "--verify=crc32c");
		strlist_add(argv, "--verify_fatal=1");
		strlist_add(argv, "--do_verify=1");
		return;
	}
	strlist_add(argv, "--time_based");
	strlist_addf(argv, "--runtime=%.0fms",
		     (settings_time(crowd->settings, "runtime") + MARGIN_S) * 1e3);
}

/* Starts a command in all VMs. */
static int start_all(struct crowd *crowd, char *const argv[])
{
	int ret = 0;

	for (unsigned int i = 0; i < crowd->nr && !ret; i++) {
		struct member *member = &crowd->members[i];

		if (member->lost)
			continue;
		ret = guest_start(member->boot->vm->guest, argv, 0, NULL, NULL, &member->job);
		if (ret)
			ret = lose(crowd, i, ret);
	}
	return ret;
}

/* What to do with a VM's result. 0 or -errno with the boot's reason. */
typedef int result_fn(struct crowd *crowd, unsigned int index, const struct guest_result *result);

static int await_all(struct crowd *crowd, result_fn *use)
{
	int ret = 0;

	for (unsigned int i = 0; i < crowd->nr && !ret; i++) {
		struct member *member = &crowd->members[i];
		struct guest_result result = { 0 };

		if (member->lost)
			continue;
		ret = guest_wait(member->boot->vm->guest, member->job, GUEST_S, &result);
		ret = ret ? lose(crowd, i, ret) : use(crowd, i, &result);
		guest_result_free(&result);
	}
	return ret;
}

/* I/Os a second in both directions; of one that had none there is no figure. */
static double sum_iops(const struct sample_set *set)
{
	return fmax(sample_get(set, "read_iops"), 0) + fmax(sample_get(set, "write_iops"), 0);
}

static int use_fio(struct crowd *crowd, unsigned int index, const struct guest_result *result)
{
	autofree char *name = xasprintf("fio-%u.json", index), *why = NULL;
	struct sample_set set = { 0 };
	double iops;
	int ret = cell_save(crowd->run, name, result->out.data, result->out.len);

	if (!ret && result->status)
		return boot_fail(crowd->run->boot, -EREMOTEIO, "fio in VM %u ended with %s: %.200s",
				 index, proc_status_text(result->status), result->err.data);
	if (!ret)
		ret = fio_parse(result->out.data, result->out.len, &set, &why);
	iops = sum_iops(&set);
	sample_set_free(&set);
	if (ret)
		return boot_fail(crowd->run->boot, ret, "VM %u: %s", index,
				 why ? why : strerror(-ret));
	crowd->iops += iops;
	crowd->least = index && crowd->least < iops ? crowd->least : iops;
	return 0;
}

static int use_check(struct crowd *crowd, unsigned int index, const struct guest_result *result)
{
	if (!result->status)
		return 0;
	crowd->wrong++;
	cell_invalid(crowd->run, "VM %u: data read back wrong: %.200s", index,
		     result->err.len ? result->err.data : "its memory is not what it wrote");
	return 0;
}

static void add_number(struct cell_run *run, int metric, const char *file)
{
	uint64_t value;

	if (!cgroup_read(run->boot->cgroup, file, NULL, &value))
		sample_add(&run->samples, &metrics[metric], (double)value);
}

static void read_memory(struct crowd *crowd)
{
	sample_add(&crowd->run->samples, &metrics[PINNED], (double)pinned_bytes(crowd));
	add_number(crowd->run, PEAK, "memory.peak");
	add_number(crowd->run, SWAPPED, "memory.swap.current");
}

static int measure(struct crowd *crowd)
{
	struct cell_run *run = crowd->run;
	struct strlist argv = { 0 };
	int ret;

	fio_command(crowd, false, &argv);
	ret = start_all(crowd, argv.items);
	strlist_free(&argv);
	if (!ret)
		ret = fio_await_first_io(run, crowd->members[0].job);
	if (!ret)
		ret = measure_begin(run);
	if (!ret)
		ret = wait_seconds(&run->boot->vm->waiter,
				   settings_time(crowd->settings, "runtime"));
	if (!ret)
		ret = measure_end(run);
	/* Exits and instructions of some VMs must not be set against I/Os of others. */
	run->ops = run->device_ops = 0;
	if (!ret)
		read_memory(crowd);
	return ret ? ret : await_all(crowd, use_fio);
}

static int check_data(struct crowd *crowd)
{
	char *const memory[] = { (char *)"busybox", (char *)"md5sum",	     (char *)"-c",
				 (char *)"-s",	    (char *)"/tmp/fill/sum", NULL };
	struct strlist argv = { 0 };
	int ret;

	fio_command(crowd, true, &argv);
	ret = start_all(crowd, argv.items);
	strlist_free(&argv);
	if (!ret)
		ret = await_all(crowd, use_check);
	if (!ret)
		ret = start_all(crowd, memory);
	return ret ? ret : await_all(crowd, use_check);
}

static int add_samples(struct crowd *crowd)
{
	struct sample_set *samples = &crowd->run->samples;
	unsigned int lost = 0;

	for (unsigned int i = 0; i < crowd->nr; i++)
		lost += crowd->members[i].lost;
	sample_add(samples, &metrics[STARTED], crowd->nr);
	sample_add(samples, &metrics[KILLED], lost);
	sample_add(samples, &metrics[IOPS], crowd->iops);
	sample_add(samples, &metrics[LEAST_IOPS], crowd->least);
	sample_add(samples, &metrics[VERIFY_ERRORS], crowd->wrong);
	strbuf_addf(&crowd->notes, "ended by the kernel for want of memory: %llu\n",
		    (unsigned long long)events(crowd, "oom_kill"));
	return cell_save(crowd->run, "vms.txt", crowd->notes.data, crowd->notes.len);
}

static int run_overcommit(struct cell_run *run)
{
	struct crowd crowd = { .run = run, .settings = run->cell->workload_settings, .nr = 1 };
	int ret;

	crowd.members[0].boot = run->boot;
	strbuf_addf(&crowd.notes, "vm 0: up\n");
	ret = fill_memory(&crowd, run->boot);
	if (!ret)
		ret = start_members(&crowd);
	if (!ret)
		ret = measure(&crowd);
	if (!ret)
		ret = check_data(&crowd);
	if (!ret)
		ret = add_samples(&crowd);
	for (unsigned int i = 1; i < crowd.nr; i++)
		sibling_stop(crowd.members[i].sibling);
	free(crowd.notes.data);
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
	.probe = probe,
	.estimate_s = estimate_s,
	.run = run_overcommit,
};
