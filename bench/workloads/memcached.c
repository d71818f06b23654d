// SPDX-License-Identifier: GPL-2.0-only
/* The real memcached in the guest, loaded from the peer by bench/load/memload.c. */
#include <errno.h>
#include <string.h>

#include "bench/net.h"
#include "bench/workload.h"
#include "harness/boot.h"
#include "harness/peer.h"
#include "harness/tool.h"
#include "harness/util.h"

static const char *const mix_choices[] = { "none", "etc", NULL };
static const char *const arrivals_choices[] = { "poisson", "uniform", NULL };
static const char *const protocol_choices[] = { "meta", "text", NULL };

static const struct setting settings_table[] = {
	{ "threads", SETTING_COUNT, "1", NULL, 1, 64, "memcached's threads" },
	{ "memory", SETTING_SIZE, "64MiB", NULL, 1024 * 1024, 1e12,
	  "memcached's memory for items" },
	{ "client_threads", SETTING_COUNT, "1", NULL, 1, 64, "threads of the load" },
	{ "connections", SETTING_COUNT, "8", NULL, 1, 4096, "of all its threads" },
	{ "depth", SETTING_COUNT, "1", NULL, 1, 1024, "requests in flight a connection" },
	{ "rate", SETTING_NUMBER, "0", NULL, 0, 1e9,
	  "requests a second whatever the answers do (open loop); 0: each answer brings the next" },
	{ "arrivals", SETTING_CHOICE, "poisson", arrivals_choices, 0, 0, "of an open loop" },
	{ "get_ratio", SETTING_NUMBER, "0.9", NULL, 0, 1, "gets among the requests" },
	{ "keys", SETTING_COUNT, "2000", NULL, 1, 1e8, "keys, all set before" },
	{ "key_size", SETTING_TEXT, "fixed:32", NULL, 0, 0,
	  "bytes: fixed:N, uniform:A-B, normal:MEAN,SD, gpareto:L,S,SHAPE or gev:L,S,SHAPE" },
	{ "value_size", SETTING_TEXT, "fixed:200", NULL, 0, 0, "the same of the values" },
	{ "mix", SETTING_CHOICE, "none", mix_choices, 0, 0,
	  "etc: Facebook's ETC pool (SIGMETRICS 2012), instead of get_ratio and the sizes" },
	{ "key_dist", SETTING_TEXT, "uniform", NULL, 0, 0,
	  "which keys are asked for: uniform or zipf:THETA" },
	{ "verify", SETTING_BOOL, "yes", NULL, 0, 0, "check every value read" },
	{ "protocol", SETTING_CHOICE, "meta", protocol_choices, 0, 0,
	  "meta commands or classic text" },
	{ "runtime", SETTING_TIME, "5s", NULL, 1, 3600, "measured time" },
	{ "ramp", SETTING_TIME, "1s", NULL, 0, 600, "time under load before it, thrown away" },
	{ "port", SETTING_COUNT, "11211", NULL, 1, 65535, "of memcached" },
	{ 0 },
};

/* A request that waits for so long when the window ends is in no latency. */
#define LATE_S 2

enum {
	OPS,
	OFFERED,
	UNANSWERED,
	MISSES,
	VERIFY_ERRORS,
	LAT_MEAN,
	LAT_P50,
	LAT_P99,
	LAT_P999,
	LAT_MAX
};
static const struct metric_desc metrics[] = {
	[OPS] = { "memcached_ops_per_s", "ops/s", DIRECTION_HIGHER, "requests answered a second" },
	[OFFERED] = { "memcached_offered_per_s", "ops/s", DIRECTION_NONE,
		      "requests due a second (open loop)" },
	[UNANSWERED] = { "memcached_unanswered", "count", DIRECTION_LOWER,
			 "requests due in the window and not answered in it (open loop)" },
	[MISSES] = { "memcached_misses", "count", DIRECTION_LOWER, "gets of keys that were gone" },
	[VERIFY_ERRORS] = { "verify_errors", "count", DIRECTION_LOWER, "values that were wrong" },
	[LAT_MEAN] = { "lat_mean_s", "s", DIRECTION_LOWER,
		       "mean latency (open loop: from when the request was due)" },
	[LAT_P50] = { "lat_p50_s", "s", DIRECTION_LOWER, "median of it" },
	[LAT_P99] = { "lat_p99_s", "s", DIRECTION_LOWER, "99th percentile of it" },
	[LAT_P999] = { "lat_p999_s", "s", DIRECTION_LOWER, "99.9th percentile of it" },
	[LAT_MAX] = { "lat_max_s", "s", DIRECTION_LOWER, "longest of them" },
	{ 0 },
};

static bool has_mix(const struct settings *settings)
{
	return strcmp(settings_text(settings, "mix"), "none") != 0;
}

static const char *const key_dists[] = { "uniform", "zipf:", NULL };

static bool starts_with(const char *text, const char *const *names)
{
	for (; *names; names++)
		if (!strncmp(text, *names, strlen(*names)))
			return true;
	return false;
}

/* Its kind and characters; memload says of the numbers what is wrong with them. */
static bool size_valid(const char *text)
{
	static const char *const kinds[] = { "fixed:",	 "uniform:", "normal:",
					     "gpareto:", "gev:",     NULL };

	return starts_with(text, kinds) && !text[strspn(text, "abcdefghijklmnopqrstuvwxyz:,.-"
							      "0123456789")];
}

static int validate(const struct settings *settings, char **why)
{
	if (settings_count(settings, "client_threads") > settings_count(settings, "connections")) {
		*why = xstrdup("each of client_threads needs a connection: raise connections");
		return -EINVAL;
	}
	if (!size_valid(settings_text(settings, "key_size")) ||
	    !size_valid(settings_text(settings, "value_size"))) {
		*why = xstrdup("key_size and value_size are fixed:N, uniform:A-B, normal:MEAN,SD, "
			       "gpareto:L,S,SHAPE or gev:L,S,SHAPE");
		return -EINVAL;
	}
	if (!starts_with(settings_text(settings, "key_dist"), key_dists)) {
		*why = xstrdup("key_dist is uniform or zipf:THETA");
		return -EINVAL;
	}
	if (settings_size(settings, "memory") % MIB) {
		*why = xstrdup("memory must be whole MiB");
		return -EINVAL;
	}
	return 0;
}

/* Filling is expected at no less than 1,000 keys a second. */
static double estimate_s(const struct settings *settings)
{
	return 5 + (double)settings_count(settings, "keys") / 1e3 +
	       settings_time(settings, "ramp") + settings_time(settings, "runtime");
}

static int start_server(struct cell_run *run, const struct settings *settings, uint32_t *job)
{
	unsigned int port = (unsigned int)settings_count(settings, "port");
	struct strlist argv = { 0 };
	int ret;

	strlist_add(&argv, "memcached");
	strlist_add(&argv, "-uroot");
	strlist_add(&argv, "-U0");
	strlist_add(&argv, "-l0.0.0.0");
	strlist_addf(&argv, "-p%u", port);
	strlist_addf(&argv, "-m%llu",
		     (unsigned long long)(settings_size(settings, "memory") / MIB));
	strlist_addf(&argv, "-t%llu", (unsigned long long)settings_count(settings, "threads"));
	strlist_addf(&argv, "-c%llu",
		     (unsigned long long)settings_count(settings, "connections") + 64);
	ret = net_start_server(run->boot, argv.items, port, job);
	strlist_free(&argv);
	return ret;
}

static void add_count(struct strlist *argv, const struct settings *settings, const char *option,
		      const char *name)
{
	strlist_addf(argv, "--%s=%llu", option, (unsigned long long)settings_count(settings, name));
}

static void load_command(const struct cell_run *run, const struct settings *settings,
			 struct strlist *argv)
{
	struct net_addresses addresses;

	net_guest_address(run->boot, &addresses);
	strlist_addf(argv, "--connect=%s:%llu", addresses.guest,
		     (unsigned long long)settings_count(settings, "port"));
	add_count(argv, settings, "threads", "client_threads");
	add_count(argv, settings, "connections", "connections");
	add_count(argv, settings, "depth", "depth");
	add_count(argv, settings, "keys", "keys");
	strlist_addf(argv, "--rate=%g", settings_number(settings, "rate"));
	strlist_addf(argv, "--arrivals=%s", settings_text(settings, "arrivals"));
	strlist_addf(argv, "--key-dist=%s", settings_text(settings, "key_dist"));
	strlist_addf(argv, "--verify=%s", settings_bool(settings, "verify") ? "yes" : "no");
	strlist_addf(argv, "--protocol=%s", settings_text(settings, "protocol"));
	strlist_addf(argv, "--warmup=%g", settings_time(settings, "ramp"));
	strlist_addf(argv, "--limit=%.0f", 120 + 5 * estimate_s(settings));
	if (has_mix(settings)) {
		strlist_addf(argv, "--mix=%s", settings_text(settings, "mix"));
		return;
	}
	strlist_addf(argv, "--get-ratio=%g", settings_number(settings, "get_ratio"));
	strlist_addf(argv, "--key-size=%s", settings_text(settings, "key_size"));
	strlist_addf(argv, "--value-size=%s", settings_text(settings, "value_size"));
}

static int start_load(struct cell_run *run, const struct settings *settings, struct tool **load)
{
	autofree char *path = peer_tool(run->boot->peer, run->boot->build_dir, "memload");
	struct strlist argv = { 0 };
	int ret;

	strlist_add(&argv, path);
	load_command(run, settings, &argv);
	ret = tool_start_peer(run, "memload", argv.items, load);
	strlist_free(&argv);
	return ret;
}

/*
 * In an open loop a server that is too slow leaves requests behind: they are counted. In a closed
 * one nothing else is asked for meanwhile, and a connection that stands still would go unseen.
 */
static int add_waiting(struct cell_run *run, struct tool *load, const struct tool_result *result)
{
	double wait;
	int ret = tool_number(load, result, "oldest_wait_s", &wait);

	if (settings_number(run->cell->workload_settings, "rate") <= 0) {
		if (!ret && wait > LATE_S)
			cell_invalid(run, "memcached has not answered a request for %.1f s", wait);
		return ret;
	}
	if (!ret)
		ret = tool_sample(load, result, "offered_per_s", &metrics[OFFERED]);
	return ret ? ret : tool_sample(load, result, "unanswered", &metrics[UNANSWERED]);
}

static int add_result(struct cell_run *run, struct tool *load, const struct tool_result *result)
{
	static const struct {
		const char *key;
		int metric;
	} wanted[] = {
		{ "ops_per_s", OPS },
		{ "misses", MISSES },
		{ "verify_errors", VERIFY_ERRORS },
		{ "lat_mean_s", LAT_MEAN },
		{ "lat_p50_s", LAT_P50 },
		{ "lat_p99_s", LAT_P99 },
		{ "lat_p999_s", LAT_P999 },
		{ "lat_max_s", LAT_MAX },
	};
	double errors = 0;
	int ret = tool_ops(load, result, "ops");

	for (size_t i = 0; i < ARRAY_SIZE(wanted) && !ret; i++)
		ret = tool_sample(load, result, wanted[i].key, &metrics[wanted[i].metric]);
	if (!ret)
		ret = tool_number(load, result, "verify_errors", &errors);
	if (!ret)
		ret = add_waiting(run, load, result);
	if (!ret && errors > 0)
		cell_invalid(run, "%.0f values read from memcached were wrong", errors);
	return ret;
}

static int run_load(struct cell_run *run, const struct settings *settings)
{
	double filled_s = 30 + 4 * estimate_s(settings);
	struct tool_result result = { 0 };
	struct tool *load = NULL;
	int ret = start_load(run, settings, &load);

	if (!ret)
		ret = tool_await(load, "ready", filled_s, NULL);
	if (!ret)
		ret = tool_measure(&load, 1, settings_time(settings, "runtime"), &result);
	if (!ret)
		ret = add_result(run, load, &result);
	json_decref(result.fields);
	tool_end(load);
	return ret;
}

static int run_memcached(struct cell_run *run)
{
	const struct settings *settings = run->cell->workload_settings;
	struct net_ends before, after;
	autofree char *doubt = NULL;
	uint32_t server;
	int ret = start_server(run, settings, &server);

	if (ret)
		return ret;
	ret = net_read_ends(run->boot, &before);
	if (!ret)
		ret = run_load(run, settings);
	net_stop_server(run->boot, (unsigned int)settings_count(settings, "port"), server);
	if (!ret)
		ret = net_read_ends(run->boot, &after);
	if (ret)
		return ret;
	doubt = net_path_doubt(&before, &after, 64);
	if (doubt)
		cell_invalid(run, "%s", doubt);
	return 0;
}

const struct workload_ops workload_memcached = {
	.name = "memcached",
	.help = "memcached in the guest, loaded from the peer",
	.needs = DEVICE_NET,
	.settings = settings_table,
	.metrics = metrics,
	.validate = validate,
	.estimate_s = estimate_s,
	.run = run_memcached,
};
