// SPDX-License-Identifier: GPL-2.0-only
/* fio on the assigned block device, raw, direct, asynchronous. */
#include "bench/workloads/fio.h"

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <string.h>

#include "bench/workload.h"
#include "harness/boot.h"
#include "harness/log.h"
#include "harness/util.h"

/*
 * How much longer than the measured window fio runs: for what lies between its first I/O and
 * the moment we see it, and for reading the counters.
 */
#define MARGIN_S 1.5

const char *const fio_rw_choices[] = { "read", "write",	 "randread", "randwrite",
				       "rw",   "randrw", NULL };
static const char *const verify_choices[] = { "none", "crc32c", NULL };

static const struct setting settings_table[] = {
	{ "rw", SETTING_CHOICE, "randread", fio_rw_choices, 0, 0, "access pattern" },
	{ "bs", SETTING_SIZE, "4k", NULL, 512, 16 * 1024 * 1024, "block size" },
	{ "iodepth", SETTING_COUNT, "1", NULL, 1, 1024, "I/Os in flight a job" },
	{ "jobs", SETTING_COUNT, "1", NULL, 1, 64, "parallel jobs" },
	{ "runtime", SETTING_TIME, "5s", NULL, 1, 3600, "measured time" },
	{ "ramp", SETTING_TIME, "1s", NULL, 0, 600, "time before it, thrown away" },
	{ "size", SETTING_SIZE, "64MiB", NULL, 1024 * 1024, 1e15,
	  "part of the device used, for each job" },
	{ "mix_read", SETTING_COUNT, "50", NULL, 0, 100, "percentage of reads in rw and randrw" },
	{ "verify", SETTING_CHOICE, "none", verify_choices, 0, 0,
	  "write all of size with checksums, read it back and check; untimed" },
	{ 0 },
};

enum {
	READ_IOPS,
	WRITE_IOPS,
	READ_BYTES,
	WRITE_BYTES,
	LAT_P50,
	LAT_P99,
	LAT_P999,
	VERIFY_ERRORS,
};
static const struct metric_desc metrics[] = {
	[READ_IOPS] = { "read_iops", "ops/s", DIRECTION_HIGHER, "reads a second" },
	[WRITE_IOPS] = { "write_iops", "ops/s", DIRECTION_HIGHER, "writes a second" },
	[READ_BYTES] = { "read_bytes_per_s", "bytes/s", DIRECTION_HIGHER, "read throughput" },
	[WRITE_BYTES] = { "write_bytes_per_s", "bytes/s", DIRECTION_HIGHER, "write throughput" },
	[LAT_P50] = { "lat_p50_s", "s", DIRECTION_LOWER, "median completion latency" },
	[LAT_P99] = { "lat_p99_s", "s", DIRECTION_LOWER, "99th percentile of it" },
	[LAT_P999] = { "lat_p999_s", "s", DIRECTION_LOWER, "99.9th percentile of it" },
	[VERIFY_ERRORS] = { "verify_errors", "count", DIRECTION_LOWER,
			    "blocks that read back wrong (verify runs)" },
	{ 0 },
};

/* --- settings --- */

static bool verifies(const struct settings *settings)
{
	return strcmp(settings_text(settings, "verify"), "none") != 0;
}

bool fio_writes(const struct settings *settings)
{
	const char *rw = settings_text(settings, "rw");

	return strcmp(rw, "read") != 0 && strcmp(rw, "randread") != 0;
}

static int validate(const struct settings *settings, char **why)
{
	if (verifies(settings) && !fio_writes(settings)) {
		*why = xstrdup("verify needs a pattern that writes: rw: write or randwrite");
		return -EINVAL;
	}
	if (settings_size(settings, "bs") > settings_size(settings, "size")) {
		*why = xstrdup("bs is larger than size: raise size or lower bs");
		return -EINVAL;
	}
	if (settings_size(settings, "bs") % 512) {
		*why = xstrdup("bs is no multiple of 512 bytes, the smallest block of a drive");
		return -EINVAL;
	}
	return 0;
}

static double estimate_s(const struct settings *settings)
{
	double used = (double)(settings_size(settings, "size") * settings_count(settings, "jobs"));

	/* Written once and read once, at no less than 8 MiB/s. */
	if (verifies(settings))
		return 3 + 2 * used / (8.0 * (double)MIB);
	return 3 + settings_time(settings, "ramp") + settings_time(settings, "runtime") + MARGIN_S;
}

/* --- parsing --- */

static double number_at(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);

	return json_is_number(value) ? json_number_value(value) : NAN;
}

static int add_percentiles(const json_t *direction, struct sample_set *out)
{
	static const struct {
		const char *key;
		int metric;
	} wanted[] = { { "50.000000", LAT_P50 },
		       { "99.000000", LAT_P99 },
		       { "99.900000", LAT_P999 } };
	const json_t *percentiles =
		json_object_get(json_object_get(direction, "clat_ns"), "percentile");

	for (size_t i = 0; i < ARRAY_SIZE(wanted); i++) {
		double ns = number_at(percentiles, wanted[i].key);

		if (!isfinite(ns))
			return -EINVAL;
		sample_add(out, &metrics[wanted[i].metric], ns * 1e-9);
	}
	return 0;
}

static bool had_io(const json_t *direction)
{
	return number_at(direction, "total_ios") > 0;
}

static int add_direction(const json_t *direction, int iops, int bytes, struct sample_set *out)
{
	double per_s = number_at(direction, "iops"), rate = number_at(direction, "bw_bytes");

	if (!isfinite(per_s) || !isfinite(rate))
		return -EINVAL;
	sample_add(out, &metrics[iops], per_s);
	sample_add(out, &metrics[bytes], rate);
	return 0;
}

static int parse_job(const json_t *job, struct sample_set *out, char **why)
{
	const json_t *read = json_object_get(job, "read"), *write = json_object_get(job, "write");
	const json_t *latency = had_io(read) ? read : write;
	int ret = 0;

	if (number_at(job, "error") != 0) {
		*why = xasprintf("fio reports error %.0f", number_at(job, "error"));
		return -EIO;
	}
	if (!had_io(read) && !had_io(write)) {
		*why = xstrdup("fio did no I/O in the measured time");
		return -EINVAL;
	}
	if (had_io(read) && had_io(write))
		latency = json_object_get(job, "mixed");
	if (had_io(read))
		ret = add_direction(read, READ_IOPS, READ_BYTES, out);
	if (!ret && had_io(write))
		ret = add_direction(write, WRITE_IOPS, WRITE_BYTES, out);
	if (!ret)
		ret = add_percentiles(latency, out);
	if (ret)
		*why = xstrdup("fio's JSON lacks rates or latency percentiles");
	return ret;
}

int fio_parse(const char *text, size_t len, struct sample_set *out, char **why)
{
	/* fio prints notes before its JSON now and then. */
	const char *start = memchr(text, '{', len);
	json_error_t error;
	json_t *root, *jobs;
	int ret = -EINVAL;

	if (!start) {
		*why = xstrdup("fio printed no JSON");
		return -EINVAL;
	}
	root = json_loadb(start, len - (size_t)(start - text), JSON_DISABLE_EOF_CHECK, &error);
	jobs = json_object_get(root, "jobs");
	if (!root)
		*why = xasprintf("fio's JSON is malformed: %s", error.text);
	else if (json_array_size(jobs) != 1)
		*why = xasprintf("fio's JSON has %zu jobs instead of 1", json_array_size(jobs));
	else
		ret = parse_job(json_array_get(jobs, 0), out, why);
	json_decref(root);
	return ret;
}

/* --- running --- */

void fio_base_command(const struct settings *settings, const char *disk, struct strlist *argv)
{
	static const char *const fixed[] = { "fio",
					     "--name=cell",
					     "--ioengine=libaio",
					     "--direct=1",
					     "--output-format=json",
					     "--group_reporting",
					     "--unified_rw_reporting=both",
					     "--randrepeat=1",
					     "--norandommap",
					     "--refill_buffers=0",
					     "--thread" };

	for (size_t i = 0; i < ARRAY_SIZE(fixed); i++)
		strlist_add(argv, fixed[i]);
	strlist_addf(argv, "--filename=/dev/%s", disk);
	strlist_addf(argv, "--rw=%s", settings_text(settings, "rw"));
	strlist_addf(argv, "--bs=%llu", (unsigned long long)settings_size(settings, "bs"));
	strlist_addf(argv, "--iodepth=%llu",
		     (unsigned long long)settings_count(settings, "iodepth"));
	strlist_addf(argv, "--size=%llu", (unsigned long long)settings_size(settings, "size"));
}

static void fio_command(const struct settings *settings, const char *disk, struct strlist *argv)
{
	fio_base_command(settings, disk, argv);
	strlist_addf(argv, "--numjobs=%llu", (unsigned long long)settings_count(settings, "jobs"));
	strlist_addf(argv, "--offset_increment=%llu",
		     (unsigned long long)settings_size(settings, "size"));
	strlist_addf(argv, "--rwmixread=%llu",
		     (unsigned long long)settings_count(settings, "mix_read"));
	if (verifies(settings)) {
		strlist_addf(argv, "--verify=%s", settings_text(settings, "verify"));
		strlist_add(argv, "--verify_fatal=1");
		strlist_add(argv, "--do_verify=1");
		return;
	}
	strlist_add(argv, "--time_based");
	strlist_addf(argv, "--runtime=%.0fms",
		     (settings_time(settings, "runtime") + MARGIN_S) * 1e3);
	strlist_addf(argv, "--ramp_time=%.0fms", settings_time(settings, "ramp") * 1e3);
}

/* fio needs a while to start; the first completed I/O shows that it runs. */
int fio_await_first_io(struct cell_run *run, uint32_t job)
{
	struct boot *boot = run->boot;
	uint64_t before = 0, now = 0, deadline = deadline_in(60);
	int ret = run->cell->device->count_ops(boot, &before);

	while (!ret) {
		ret = run->cell->device->count_ops(boot, &now);
		if (ret || now > before + 16 || guest_job_ended(boot->vm->guest, job))
			return ret;
		if (now_ns() > deadline)
			return boot_fail(boot, -ETIMEDOUT, "fio did no I/O within 60 s");
		ret = wait_seconds(&boot->vm->waiter, 0.1);
	}
	return ret;
}

/*
 * The window for exits, instructions and pinned memory lies within fio's own measured time: it
 * begins after the ramp and ends before fio does.
 */
static int measure_steady_part(struct cell_run *run, const struct settings *settings, uint32_t job)
{
	double runtime = settings_time(settings, "runtime");
	struct boot *boot = run->boot;
	int ret = fio_await_first_io(run, job);

	if (!ret)
		ret = wait_seconds(&boot->vm->waiter, settings_time(settings, "ramp"));
	if (!ret)
		ret = measure_begin(run);
	if (!ret)
		ret = wait_seconds(&boot->vm->waiter, runtime);
	if (!ret)
		ret = measure_end(run);
	if (!ret && guest_job_ended(boot->vm->guest, job))
		cell_invalid(run, "fio ended before the measured window did: "
				  "the device is too slow or the machine too busy");
	return ret;
}

/* A verify run has no steady part: all of it is the window. */
static int await_fio(struct cell_run *run, uint32_t job, struct guest_result *result)
{
	const struct settings *settings = run->cell->workload_settings;
	double limit = 60 + 5 * estimate_s(settings);
	int ret;

	ret = verifies(settings) ? measure_begin(run) : measure_steady_part(run, settings, job);
	if (!ret)
		ret = guest_wait(run->boot->vm->guest, job, limit, result);
	if (!ret && verifies(settings))
		ret = measure_end(run);
	return ret;
}

bool fio_read_back_wrong(const char *errors)
{
	/* "verify" alone is also in the name of a state file. */
	return errors && (strstr(errors, "verify: ") || strstr(errors, "verify failed") ||
			  strstr(errors, "verify type"));
}

static int judge(struct cell_run *run, const struct guest_result *result)
{
	bool verify = verifies(run->cell->workload_settings);
	bool wrong = verify && result->status && fio_read_back_wrong(result->err.data);
	autofree char *why = NULL;
	int ret = cell_save(run, "fio.json", result->out.data, result->out.len);

	if (!ret)
		ret = cell_save(run, "fio.stderr", result->err.data, result->err.len);
	if (ret)
		return boot_fail(run->boot, ret, "cannot keep fio's output: %s", strerror(-ret));
	if (verify)
		sample_add(&run->samples, &metrics[VERIFY_ERRORS], wrong);
	if (wrong) {
		cell_invalid(run, "data read back wrong: fio's verify failed (see fio.stderr)");
		return 0;
	}
	if (result->status)
		return boot_fail(run->boot, -EREMOTEIO, "fio ended with %s: %.200s",
				 proc_status_text(result->status), result->err.data);
	ret = fio_parse(result->out.data, result->out.len, &run->samples, &why);
	return ret ? boot_fail(run->boot, ret, "%s", why) : 0;
}

static int run_fio(struct cell_run *run)
{
	struct guest *guest = run->boot->vm->guest;
	struct guest_result result = { 0 };
	struct strlist argv = { 0 };
	uint32_t job;
	int ret;

	fio_command(run->cell->workload_settings, run->boot->disk, &argv);
	ret = guest_start(guest, argv.items, 0, NULL, NULL, &job);
	strlist_free(&argv);
	if (ret)
		return ret;
	ret = await_fio(run, job, &result);
	if (!ret)
		ret = judge(run, &result);
	else
		guest_kill(guest, job);
	guest_result_free(&result);
	return ret;
}

const struct workload_ops workload_fio = {
	.name = "fio",
	.help = "fio on the raw block device: direct, asynchronous I/O",
	.needs = DEVICE_BLOCK,
	.settings = settings_table,
	.metrics = metrics,
	.validate = validate,
	.destroys_data = fio_writes,
	.estimate_s = estimate_s,
	.run = run_fio,
};
