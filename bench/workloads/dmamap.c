// SPDX-License-Identifier: GPL-2.0-only
/*
 * A guest module maps and unmaps memory through the DMA API of the assigned device, without
 * any DMA (drivers/guest/dmamap_main.c): what a mapping costs in each mode.
 */
#include <errno.h>
#include <string.h>

#include "bench/coiommu.h"
#include "bench/workload.h"
#include "harness/boot.h"
#include "harness/util.h"

#define DMAMAP "/sys/kernel/debug/dmamap"

static const char *const shape_choices[] = { "page", "64k", "sg", NULL };

static const struct setting settings_table[] = {
	{ "shape", SETTING_CHOICE, "page", shape_choices, 0, 0,
	  "what is mapped: a page, 64 KiB in one piece, a scatter list of 16 pages" },
	{ "threads", SETTING_COUNT, "1", NULL, 1, 64, "parallel kernel threads" },
	{ "maps", SETTING_COUNT, "20000", NULL, 1, 1000000000, "mappings each of them makes" },
	{ "reuse", SETTING_COUNT, "100", NULL, 0, 100,
	  "percentage of mappings of one of few pages, the others go round the pool" },
	{ "pool", SETTING_COUNT, "1024", NULL, 1, 1048576, "buffers of each thread" },
	{ 0 },
};

enum { MAP_P50, MAP_P99, UNMAP_P50, BOTH_P50, BOTH_P99, BOTH_MEAN, DIRECT_P50, ERRORS };
static const struct metric_desc metrics[] = {
	[MAP_P50] = { "dma_map_p50_s", "s", DIRECTION_LOWER, "median time of a map" },
	[MAP_P99] = { "dma_map_p99_s", "s", DIRECTION_LOWER, "99th percentile of it" },
	[UNMAP_P50] = { "dma_unmap_p50_s", "s", DIRECTION_LOWER, "median time of an unmap" },
	[BOTH_P50] = { "dma_map_unmap_p50_s", "s", DIRECTION_LOWER,
		       "median time of a map and its unmap" },
	[BOTH_P99] = { "dma_map_unmap_p99_s", "s", DIRECTION_LOWER, "99th percentile of it" },
	[BOTH_MEAN] = { "dma_map_unmap_mean_s", "s", DIRECTION_LOWER, "mean of it" },
	[DIRECT_P50] = { "dma_map_unmap_direct_p50_s", "s", DIRECTION_LOWER,
			 "the median in the same boot for a device without IOMMU and tracking" },
	[ERRORS] = { "dma_map_errors", "count", DIRECTION_LOWER, "mappings that failed" },
	{ 0 },
};

static const struct {
	int metric;
	const char *name; /* in the module's result */
	double scale;
} results[] = {
	{ MAP_P50, "device_map_p500_ns", 1e-9 },     { MAP_P99, "device_map_p990_ns", 1e-9 },
	{ UNMAP_P50, "device_unmap_p500_ns", 1e-9 }, { BOTH_P50, "device_both_p500_ns", 1e-9 },
	{ BOTH_P99, "device_both_p990_ns", 1e-9 },   { BOTH_MEAN, "device_both_mean_ns", 1e-9 },
	{ DIRECT_P50, "direct_both_p500_ns", 1e-9 }, { ERRORS, "device_errors", 1 },
};

/* Both arms of each thread, at no more than 100 us a mapping (a vIOMMU under emulation). */
static double estimate_s(const struct settings *settings)
{
	return 2 + 100e-6 * 2 *
			   (double)(settings_count(settings, "maps") *
				    settings_count(settings, "threads"));
}

static char *command(const struct settings *settings)
{
	return xasprintf("device=" BOOT_DEVICE_BDF " ab=1 shape=%s threads=%llu maps=%llu "
			 "reuse=%llu pool=%llu",
			 settings_text(settings, "shape"),
			 (unsigned long long)settings_count(settings, "threads"),
			 (unsigned long long)settings_count(settings, "maps"),
			 (unsigned long long)settings_count(settings, "reuse"),
			 (unsigned long long)settings_count(settings, "pool"));
}

/* The write returns when the module is done: it is a command of its own, with a time limit. */
static int run_module(struct cell_run *run, char **result)
{
	struct guest *guest = run->boot->vm->guest;
	const struct settings *settings = run->cell->workload_settings;
	autofree char *text = command(settings);
	autofree char *script = xasprintf("echo '%s' >" DMAMAP "/run", text);
	char *const argv[] = { (char *)"sh", (char *)"-c", script, NULL };
	int ret = guest_run(guest, argv, 60 + 5 * estimate_s(settings), NULL);

	return ret ? ret : guest_read(guest, DMAMAP "/result", result);
}

static int parse(struct cell_run *run, const char *text)
{
	int ret = cell_save(run, "dmamap.txt", text, strlen(text));

	for (size_t i = 0; i < ARRAY_SIZE(results) && !ret; i++) {
		double value;

		ret = coiommu_stat(text, results[i].name, &value);
		if (ret)
			return boot_fail(run->boot, -EINVAL, "dmamap's result has no '%s'",
					 results[i].name);
		sample_add(&run->samples, &metrics[results[i].metric], value * results[i].scale);
	}
	return ret;
}

static int run_dmamap(struct cell_run *run)
{
	static char *const load[] = { (char *)"modprobe", (char *)"dmamap", NULL };
	autofree char *result = NULL;
	int ret = guest_run(run->boot->vm->guest, load, 30, NULL);

	if (!ret)
		ret = measure_begin(run);
	if (!ret)
		ret = run_module(run, &result);
	if (!ret)
		ret = measure_end(run);
	return ret ? ret : parse(run, result);
}

const struct workload_ops workload_dmamap = {
	.name = "dmamap",
	.help = "DMA map and unmap of the assigned device in a guest module, without DMA; its exits "
		"and instructions include warm-up and the arm that is compared with",
	.needs = DEVICE_ANY,
	.except = ATTACH_NO_VM,
	.settings = settings_table,
	.metrics = metrics,
	.estimate_s = estimate_s,
	.run = run_dmamap,
};
