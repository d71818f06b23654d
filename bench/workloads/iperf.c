// SPDX-License-Identifier: GPL-2.0-only
/* iperf3's streams between the guest and its peer. */
#include "bench/workloads/iperf.h"

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <string.h>

#include "bench/device.h"
#include "bench/net.h"
#include "harness/peer.h"
#include "harness/util.h"

/* It runs longer than the measured window by the time that reading the counters takes. */
#define MARGIN_S 1.5
#define START_S 30

/* --- parsing --- */

static double number_at(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);

	return json_is_number(value) ? json_number_value(value) : NAN;
}

/* The second direction of --bidir has names of its own; without it they are missing. */
static double both_ways(const json_t *end, const char *sum, const char *reverse, const char *key)
{
	double there = number_at(json_object_get(end, sum), key);
	double back = number_at(json_object_get(end, reverse), key);

	return isfinite(back) ? there + back : there;
}

int iperf_parse(const char *text, struct iperf_result *result, char **why)
{
	json_error_t error;
	json_t *root = json_loads(text, 0, &error);
	const json_t *end = json_object_get(root, "end");
	const char *failed = json_string_value(json_object_get(root, "error"));
	int ret = 0;

	result->bytes_per_s =
		both_ways(end, "sum_received", "sum_received_bidir_reverse", "bits_per_second") / 8;
	result->retransmits = both_ways(end, "sum_sent", "sum_sent_bidir_reverse", "retransmits");
	if (!root)
		*why = xasprintf("iperf3 printed no JSON: %s", error.text);
	else if (failed)
		*why = xasprintf("iperf3: %s", failed);
	else if (!isfinite(result->bytes_per_s))
		*why = xstrdup("iperf3's JSON lacks end.sum_received.bits_per_second");
	else if (result->bytes_per_s <= 0)
		*why = xstrdup("iperf3 moved nothing in the measured time");
	if (*why)
		ret = -EINVAL;
	json_decref(root);
	return ret;
}

/* --- the server, on the peer --- */

static int explain_server(struct boot *boot, const char *path)
{
	autofree char *text = file_read_trimmed(path);

	return boot_fail(boot, -EREMOTEIO, "iperf3's server on the peer: %.300s",
			 text && *text ? text : "ended at once");
}

/* It listens, or its last words are the reason. */
static int await_server(struct cell_run *run, struct proc *server, const char *path)
{
	uint64_t deadline = deadline_in(START_S);
	struct boot *boot = run->boot;
	int ret = 0;

	while (!ret) {
		autofree char *text = file_read_trimmed(path);

		if (text && strstr(text, "Server listening"))
			return 0;
		ret = proc_wait(server, &boot->vm->waiter, 0.05, NULL);
		if (!ret)
			return explain_server(boot, path);
		if (ret == -ETIMEDOUT)
			ret = now_ns() < deadline
				      ? 0
				      : boot_fail(
						boot, -EREMOTEIO,
						"iperf3's server on the peer does not listen after 30 s");
	}
	return ret;
}

static int start_server(struct cell_run *run, const struct iperf_options *options,
			struct proc *server)
{
	autofree char *path = xasprintf("%s/iperf3-server.txt", run->dir);
	autofree char *port = xasprintf("%u", options->port);
	char *const argv[] = { (char *)"iperf3", (char *)"-s", (char *)"-1", (char *)"--forceflush",
			       (char *)"-p",	 port,	       NULL };
	int ret = peer_start(run->boot->peer, argv, path, server);

	if (ret)
		return boot_fail(run->boot, ret, "cannot start iperf3 on the peer: %s",
				 strerror(-ret));
	return await_server(run, server, path);
}

/* --- the client, in the guest --- */

static int start_client(struct cell_run *run, const struct iperf_options *options, uint32_t *job)
{
	struct net_addresses addresses;
	struct strlist argv = { 0 };
	int ret;

	net_guest_address(run->boot, &addresses);
	strlist_add(&argv, "iperf3");
	strlist_add(&argv, "-J");
	strlist_addf(&argv, "-c%s", addresses.peer);
	strlist_addf(&argv, "-p%u", options->port);
	strlist_addf(&argv, "-P%u", options->flows);
	strlist_addf(&argv, "-t%.0f", ceil(options->runtime_s + MARGIN_S));
	strlist_addf(&argv, "-O%.0f", ceil(options->ramp_s));
	strlist_add(&argv, "--connect-timeout=10000");
	if (options->to_guest)
		strlist_add(&argv, "-R");
	if (options->both)
		strlist_add(&argv, "--bidir");
	ret = guest_start(run->boot->vm->guest, argv.items, 0, NULL, NULL, job);
	strlist_free(&argv);
	return ret;
}

/* The link was idle before: some packets show that the streams run. */
static int await_traffic(struct cell_run *run, uint32_t job)
{
	uint64_t before, now, deadline = deadline_in(START_S);
	struct boot *boot = run->boot;
	int ret = run->cell->device->count_ops(boot, &before);

	while (!ret) {
		ret = run->cell->device->count_ops(boot, &now);
		if (ret || now > before + 64 || guest_job_ended(boot->vm->guest, job))
			return ret;
		if (now_ns() > deadline)
			return boot_fail(boot, -EREMOTEIO,
					 "iperf3 moved nothing within 30 s: is "
					 "the cable plugged in?");
		ret = wait_seconds(&boot->vm->waiter, 0.1);
	}
	return ret;
}

static int steady_part(struct cell_run *run, const struct iperf_options *options, uint32_t job)
{
	struct boot *boot = run->boot;
	int ret = await_traffic(run, job);

	if (!ret)
		ret = wait_seconds(&boot->vm->waiter, ceil(options->ramp_s));
	if (!ret)
		ret = measure_begin(run);
	if (!ret)
		ret = wait_seconds(&boot->vm->waiter, options->runtime_s);
	if (!ret)
		ret = measure_end(run);
	if (!ret && guest_job_ended(boot->vm->guest, job))
		cell_invalid(run, "iperf3 ended before the measured window did (see iperf3.json)");
	return ret;
}

static int judge(struct cell_run *run, const struct guest_result *output,
		 struct iperf_result *result)
{
	autofree char *why = NULL;
	int ret = cell_save(run, "iperf3.json", output->out.data, output->out.len);

	if (!ret)
		ret = cell_save(run, "iperf3.stderr", output->err.data, output->err.len);
	if (ret)
		return boot_fail(run->boot, ret, "cannot keep iperf3's output");
	ret = iperf_parse(output->out.data, result, &why);
	if (!ret && output->status)
		return boot_fail(run->boot, -EREMOTEIO, "iperf3 in the guest ended with %s",
				 proc_status_text(output->status));
	return ret ? boot_fail(run->boot, -EREMOTEIO, "%s", why) : 0;
}

static int run_client(struct cell_run *run, const struct iperf_options *options,
		      struct guest_result *output)
{
	struct guest *guest = run->boot->vm->guest;
	uint32_t job;
	int ret = start_client(run, options, &job);

	if (ret)
		return ret;
	ret = steady_part(run, options, job);
	if (!ret)
		ret = guest_wait(guest, job, START_S, output);
	if (ret)
		guest_kill(guest, job);
	if (ret == -ETIMEDOUT)
		ret = boot_fail(run->boot, -EREMOTEIO,
				"iperf3 did not end in time: is the cable plugged in, does its "
				"server on the peer still run?");
	return ret;
}

int iperf_run(struct cell_run *run, const struct iperf_options *options,
	      struct iperf_result *result)
{
	struct guest_result output = { 0 };
	struct proc server = { .pidfd = -1 };
	struct net_ends before, after;
	int ret = start_server(run, options, &server);

	if (!ret)
		ret = net_read_ends(run->boot, &before);
	if (!ret)
		ret = run_client(run, options, &output);
	if (!ret)
		ret = judge(run, &output, result);
	if (!ret)
		ret = net_read_ends(run->boot, &after);
	if (!ret) {
		autofree char *doubt = net_path_doubt(&before, &after, 64);

		if (doubt)
			cell_invalid(run, "%s", doubt);
		run->bytes = result->bytes_per_s * run->counted_s;
		run->ops = (uint64_t)(run->bytes / (double)KIB);
	}
	proc_kill(&server);
	guest_result_free(&output);
	return ret;
}
