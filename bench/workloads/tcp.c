// SPDX-License-Identifier: GPL-2.0-only
/*
 * TCP between the guest and its peer: iperf3's streams, and request/response (bench/load/rr.c).
 */
#include <errno.h>
#include <math.h>
#include <string.h>

#include "bench/net.h"
#include "bench/workload.h"
#include "bench/workloads/iperf.h"
#include "harness/boot.h"
#include "harness/peer.h"
#include "harness/tool.h"
#include "harness/util.h"

static const char *const test_choices[] = { "stream", "rr", NULL };
static const char *const direction_choices[] = { "to_guest", "from_guest", "both", NULL };

static const struct setting settings_table[] = {
	{ "test", SETTING_CHOICE, "stream", test_choices, 0, 0,
	  "bulk streams (iperf3) or request/response" },
	{ "direction", SETTING_CHOICE, "from_guest", direction_choices, 0, 0, "of streams" },
	{ "flows", SETTING_COUNT, "1", NULL, 1, 128, "connections" },
	{ "size", SETTING_SIZE, "1", NULL, 1, 16384, "bytes of a request and of its response" },
	{ "runtime", SETTING_TIME, "5s", NULL, 1, 3600, "measured time" },
	{ "ramp", SETTING_TIME, "1s", NULL, 0, 600, "time before it, thrown away" },
	{ "port", SETTING_COUNT, "5201", NULL, 1, 65535, "of the server" },
	{ 0 },
};

enum { STREAM, RETRANSMITS, RR, LAT_MEAN, LAT_P50, LAT_P99, LAT_P999, LAT_MAX };
static const struct metric_desc metrics[] = {
	[STREAM] = { "tcp_bytes_per_s", "bytes/s", DIRECTION_HIGHER,
		     "payload received, of all flows and directions" },
	[RETRANSMITS] = { "tcp_retransmits", "count", DIRECTION_LOWER, "segments sent again" },
	[RR] = { "tcp_rr_per_s", "ops/s", DIRECTION_HIGHER, "transactions a second" },
	[LAT_MEAN] = { "lat_mean_s", "s", DIRECTION_LOWER, "mean time of a transaction" },
	[LAT_P50] = { "lat_p50_s", "s", DIRECTION_LOWER, "median of it" },
	[LAT_P99] = { "lat_p99_s", "s", DIRECTION_LOWER, "99th percentile of it" },
	[LAT_P999] = { "lat_p999_s", "s", DIRECTION_LOWER, "99.9th percentile of it" },
	[LAT_MAX] = { "lat_max_s", "s", DIRECTION_LOWER, "longest of them" },
	{ 0 },
};

static bool is_rr(const struct settings *settings)
{
	return !strcmp(settings_text(settings, "test"), "rr");
}

static double estimate_s(const struct settings *settings)
{
	return 6 + settings_time(settings, "ramp") + settings_time(settings, "runtime");
}

/* --- streams --- */

static int run_stream(struct cell_run *run)
{
	const struct settings *settings = run->cell->workload_settings;
	const char *direction = settings_text(settings, "direction");
	struct iperf_options options = {
		.flows = (unsigned int)settings_count(settings, "flows"),
		.port = (unsigned int)settings_count(settings, "port"),
		.to_guest = !strcmp(direction, "to_guest"),
		.both = !strcmp(direction, "both"),
		.ramp_s = settings_time(settings, "ramp"),
		.runtime_s = settings_time(settings, "runtime"),
	};
	struct iperf_result result;
	int ret = iperf_run(run, &options, &result);

	if (ret)
		return ret;
	sample_add(&run->samples, &metrics[STREAM], result.bytes_per_s);
	if (isfinite(result.retransmits))
		sample_add(&run->samples, &metrics[RETRANSMITS], result.retransmits);
	return 0;
}

/* --- request/response --- */

static int start_client(struct cell_run *run, const struct settings *settings, struct tool **client)
{
	struct net_addresses addresses;
	struct strlist argv = { 0 };
	autofree char *path = peer_tool(run->boot->peer, run->boot->build_dir, "rr");
	int ret;

	net_guest_address(run->boot, &addresses);
	strlist_add(&argv, path);
	strlist_addf(&argv, "--connect=%s:%llu", addresses.guest,
		     (unsigned long long)settings_count(settings, "port"));
	strlist_addf(&argv, "--size=%llu", (unsigned long long)settings_size(settings, "size"));
	strlist_addf(&argv, "--flows=%llu", (unsigned long long)settings_count(settings, "flows"));
	strlist_addf(&argv, "--warmup=%g", settings_time(settings, "ramp"));
	strlist_addf(&argv, "--limit=%.0f", 120 + 2 * estimate_s(settings));
	ret = tool_start_peer(run, "rr", argv.items, client);
	strlist_free(&argv);
	return ret;
}

static int add_result(struct tool *client, const struct tool_result *result)
{
	static const struct {
		const char *key;
		int metric;
	} wanted[] = {
		{ "transactions_per_s", RR }, { "lat_mean_s", LAT_MEAN }, { "lat_p50_s", LAT_P50 },
		{ "lat_p99_s", LAT_P99 },     { "lat_p999_s", LAT_P999 }, { "lat_max_s", LAT_MAX },
	};
	int ret = tool_ops(client, result, "transactions");

	for (size_t i = 0; i < ARRAY_SIZE(wanted) && !ret; i++)
		ret = tool_sample(client, result, wanted[i].key, &metrics[wanted[i].metric]);
	return ret;
}

static int measure_rr(struct cell_run *run)
{
	const struct settings *settings = run->cell->workload_settings;
	struct tool_result result = { 0 };
	struct tool *client = NULL;
	int ret = start_client(run, settings, &client);

	if (!ret)
		ret = tool_await(client, "ready", 30 + 3 * settings_time(settings, "ramp"), NULL);
	if (!ret)
		ret = tool_measure(&client, 1, settings_time(settings, "runtime"), &result);
	if (!ret)
		ret = add_result(client, &result);
	json_decref(result.fields);
	tool_end(client);
	return ret;
}

static int start_server(struct cell_run *run, struct tool **server)
{
	const struct settings *settings = run->cell->workload_settings;
	autofree char *port =
		xasprintf("--serve=%llu", (unsigned long long)settings_count(settings, "port"));
	autofree char *size =
		xasprintf("--size=%llu", (unsigned long long)settings_size(settings, "size"));
	char *const argv[] = { (char *)"rr", port, size, NULL };
	int ret = tool_start_guest(run, "rr-server", argv, server);

	return ret ? ret : tool_await(*server, "ready", 30, NULL);
}

static int run_rr(struct cell_run *run)
{
	struct tool *server = NULL;
	struct net_ends before, after;
	autofree char *doubt = NULL;
	int ret = start_server(run, &server);

	if (!ret)
		ret = net_read_ends(run->boot, &before);
	if (!ret)
		ret = measure_rr(run);
	if (!ret)
		ret = net_read_ends(run->boot, &after);
	tool_end(server);
	if (ret)
		return ret;
	doubt = net_path_doubt(&before, &after, run->ops);
	if (doubt)
		cell_invalid(run, "%s", doubt);
	return 0;
}

static int run_tcp(struct cell_run *run)
{
	return is_rr(run->cell->workload_settings) ? run_rr(run) : run_stream(run);
}

const struct workload_ops workload_tcp = {
	.name = "tcp",
	.help = "TCP between the guest and its peer: streams, request/response",
	.needs = DEVICE_NET,
	.settings = settings_table,
	.metrics = metrics,
	.estimate_s = estimate_s,
	.run = run_tcp,
};
