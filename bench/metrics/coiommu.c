// SPDX-License-Identifier: GPL-2.0-only
/*
 * What coIOMMU did in the measured window, from the backend's counters in QEMU's process and
 * the guest driver's statistics. Of a VM without a backend there is nothing to report.
 */
#include "bench/coiommu.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bench/device.h"
#include "bench/metric.h"
#include "bench/record/recording.h"
#include "bench/record/reuse.h"
#include "harness/boot.h"
#include "harness/util.h"

enum {
	PIN_REQUESTS,
	PINS,
	UNPINS,
	PIN_REFUSALS,
	EVICTIONS,
	MAPS,
	REQUESTS_PER_1000,
	REQUESTS_PER_PACKET,
	REQUESTS_PER_OP,
	EXITS_PER_1000,
	LATENCY_P50,
	LATENCY_P99,
	MAP_CALL_S,
	MAPPED_PEAK,
	MAPPED_END,
	TABLE_BYTES,
	HOST_MAPPINGS,
	HOST_METADATA,
	SCAN_CPU,
	SPECULATION_HITS,
	SPECULATION_MISSES,
	PAGES_REUSED,
	REUSE_P50,
	REUSE_P99,
};
static const struct metric_desc metrics[] = {
	[PIN_REQUESTS] = { "pin_requests", "count", DIRECTION_LOWER, "requests for pins" },
	[PINS] = { "pins", "count", DIRECTION_NONE, "pages pinned" },
	[UNPINS] = { "unpins", "count", DIRECTION_NONE, "pages unpinned" },
	[PIN_REFUSALS] = { "pin_refusals", "count", DIRECTION_LOWER,
			   "pages asked for that were not pinned" },
	[EVICTIONS] = { "pin_evictions", "count", DIRECTION_LOWER,
			"pages unpinned to stay within the quota" },
	[MAPS] = { "dma_maps", "count", DIRECTION_NONE, "DMA mappings made by the guest" },
	[REQUESTS_PER_1000] = { "pin_requests_per_1000_maps", "count", DIRECTION_LOWER,
				"requests for pins per 1,000 DMA mappings" },
	[REQUESTS_PER_PACKET] = { "pin_requests_per_packet", "count", DIRECTION_LOWER,
				  "requests for pins per packet of the NIC" },
	[REQUESTS_PER_OP] = { "pin_requests_per_op", "count", DIRECTION_LOWER,
			      "requests for pins per operation of the workload" },
	[EXITS_PER_1000] = { "coiommu_exits_per_1000_maps", "count", DIRECTION_LOWER,
			     "VM exits that coIOMMU causes per 1,000 DMA mappings" },
	[LATENCY_P50] = { "pin_latency_p50_s", "s", DIRECTION_LOWER,
			  "median time of a request for pins, seen by the guest (a bucket's lower end, four an octave)" },
	[LATENCY_P99] = { "pin_latency_p99_s", "s", DIRECTION_LOWER, "99th percentile of it" },
	[MAP_CALL_S] = { "vfio_map_call_s", "s", DIRECTION_LOWER,
			 "mean time of a VFIO map call of the backend" },
	[MAPPED_PEAK] = { "dma_mapped_peak_bytes", "bytes", DIRECTION_NONE,
			  "memory really mapped for DMA by the guest, highest seen" },
	[MAPPED_END] = { "dma_mapped_end_bytes", "bytes", DIRECTION_NONE,
			 "memory mapped for DMA as the window ends" },
	[TABLE_BYTES] = { "tracking_table_bytes", "bytes", DIRECTION_LOWER,
			  "the tracking table in the guest" },
	[HOST_MAPPINGS] = { "vfio_mappings", "count", DIRECTION_LOWER,
			    "VFIO mappings in use at the end" },
	[HOST_METADATA] = { "backend_metadata_bytes", "bytes", DIRECTION_LOWER,
			    "the backend's own records of what is pinned" },
	[SCAN_CPU] = { "unpin_cpu_s", "s", DIRECTION_LOWER,
		       "processor time of the unpinning thread" },
	[SPECULATION_HITS] = { "speculation_hits", "count", DIRECTION_HIGHER,
			       "pages pinned unasked that were used" },
	[SPECULATION_MISSES] = { "speculation_misses", "count", DIRECTION_LOWER,
				 "pages pinned unasked that were not" },
	[PAGES_REUSED] = { "pages_reused", "count", DIRECTION_NONE,
			   "pages mapped again after they were unmapped, each time (with trace)" },
	[REUSE_P50] = { "page_reuse_p50_s", "s", DIRECTION_NONE,
			"half of these are within this time of the unmapping" },
	[REUSE_P99] = { "page_reuse_p99_s", "s", DIRECTION_NONE, "99 % of these are" },
	{ 0 },
};

struct coiommu_metric {
	const struct coiommu_counters *counters; /* NULL: another mode */
	struct coiommu_snapshot then;		 /* as the window began */
	struct recording *record;		 /* NULL: no trace is recorded */
	uint64_t scan_cpu_ns;
	double pin_requests; /* in the window */
};

static int created(struct boot *boot, void *priv)
{
	struct coiommu_metric *m = priv;

	m->counters = coiommu_counters_map(boot->vm->proc.pid);
	if (m->counters && m->counters->trace_seq)
		m->record = recording_open(boot);
	return 0;
}

/* The guest's statistics start again, so that they are the window's when it ends. */
static int begin(struct cell_run *run, void *priv)
{
	struct coiommu_metric *m = priv;
	int ret;

	if (!m->counters)
		return 0;
	ret = guest_write(run->boot->vm->guest, COIOMMU_DEBUGFS "/stats", "0");
	m->scan_cpu_ns = m->counters->scan_cpu_ns;
	coiommu_snapshot(m->counters, &m->then);
	if (m->record)
		recording_mark(m->record, TRACE_MARK_BEGIN, &m->then);
	return ret;
}

static void add(struct cell_run *run, int metric, double value)
{
	sample_add(&run->samples, &metrics[metric], value);
}

static void add_host(struct cell_run *run, const struct coiommu_metric *m,
		     const struct coiommu_policy_counters *now)
{
	const struct coiommu_policy_counters *then = &m->then.policy;
	uint64_t calls = now->map_calls - then->map_calls;

	add(run, PINS, (double)(now->pins - then->pins));
	add(run, UNPINS, (double)(now->unpins - then->unpins));
	add(run, PIN_REFUSALS, (double)(now->refused_pages - then->refused_pages));
	add(run, EVICTIONS, (double)(now->released_quota - then->released_quota));
	if (calls)
		add(run, MAP_CALL_S, (double)(now->map_ns - then->map_ns) / (double)calls * 1e-9);
	add(run, HOST_MAPPINGS, (double)now->mappings);
	add(run, HOST_METADATA, (double)now->metadata_bytes);
	add(run, SCAN_CPU, (double)(m->counters->scan_cpu_ns - m->scan_cpu_ns) * 1e-9);
	if (now->speculated) {
		add(run, SPECULATION_HITS,
		    (double)(now->speculation_hits - then->speculation_hits));
		add(run, SPECULATION_MISSES,
		    (double)(now->speculation_misses - then->speculation_misses));
	}
}

/* Sum of the numbers of "lowest-ns number" lines; stops at the line where it reaches want. */
static double add_buckets(const char *text, double want, double *lowest_ns)
{
	double sum = 0;

	while (*text && sum < want) {
		char *end;

		*lowest_ns = strtod(text, &end);
		sum += strtod(end, &end);
		if (end == text)
			break;
		text = end + strspn(end, "\n");
	}
	return sum;
}

/* Quantile of the guest's histogram, buckets in order. */
static double quantile_s(const char *text, double q)
{
	double ns = NAN, total = add_buckets(text, INFINITY, &ns);

	add_buckets(text, q * total, &ns);
	return ns * 1e-9;
}

static int add_guest(struct cell_run *run, struct coiommu_metric *m,
		     const struct coiommu_requests *now)
{
	autofree char *stats = NULL, *latency = NULL;
	double maps, peak, mapped, table;
	int ret;

	ret = guest_read(run->boot->vm->guest, COIOMMU_DEBUGFS "/stats", &stats);
	if (!ret)
		ret = guest_read(run->boot->vm->guest, COIOMMU_DEBUGFS "/latency", &latency);
	if (!ret)
		ret = coiommu_stat(stats, "maps", &maps);
	if (!ret)
		ret = coiommu_stat(stats, "mapped_peak", &peak);
	if (!ret)
		ret = coiommu_stat(stats, "mapped_pages", &mapped);
	if (!ret)
		ret = coiommu_stat(stats, "table_pages", &table);
	if (ret)
		return ret;
	add(run, MAPS, maps);
	m->pin_requests = (double)(now->pin_requests - m->then.requests.pin_requests);
	add(run, PIN_REQUESTS, m->pin_requests);
	if (maps > 0) {
		add(run, REQUESTS_PER_1000, 1e3 * m->pin_requests / maps);
		add(run, EXITS_PER_1000,
		    1e3 * (double)(now->exits - m->then.requests.exits) / maps);
	}
	if (*latency) {
		add(run, LATENCY_P50, quantile_s(latency, 0.5));
		add(run, LATENCY_P99, quantile_s(latency, 0.99));
	}
	add(run, MAPPED_PEAK, peak * COIOMMU_PAGE_SIZE);
	add(run, MAPPED_END, mapped * COIOMMU_PAGE_SIZE);
	add(run, TABLE_BYTES, table * COIOMMU_PAGE_SIZE);
	return 0;
}

static int end(struct cell_run *run, void *priv)
{
	struct coiommu_metric *m = priv;
	struct coiommu_snapshot now;
	int ret;

	if (!m->counters)
		return 0;
	/* First: reading the guest's statistics makes it ask the host, which is an exit. */
	coiommu_snapshot(m->counters, &now);
	if (m->record)
		recording_mark(m->record, TRACE_MARK_END, &now);
	ret = add_guest(run, m, &now.requests);
	if (!ret)
		add_host(run, m, &now.policy);
	return ret;
}

/* A trace that is not complete is not kept: there is nothing to look at then. */
static int add_reuse(struct cell_run *run)
{
	autofree char *path = xasprintf("%s/trace.coit", run->dir);
	struct reuse reuse;
	int ret = file_exists(path) ? reuse_save(path, run, &reuse) : -ENOENT;

	if (ret)
		return ret == -ENOENT ? 0 : ret;
	if (reuse.any)
		add(run, PAGES_REUSED, reuse.pages);
	if (reuse.pages > 0) {
		add(run, REUSE_P50, reuse.p50_s);
		add(run, REUSE_P99, reuse.p99_s);
	}
	return 0;
}

/* A backend that lost its way, or a guest whose counts do not add up, measured nothing. */
static int finish(struct cell_run *run, void *priv)
{
	struct coiommu_metric *m = priv;
	autofree char *stats = NULL;
	double unbalanced;
	int ret;

	if (!m->counters)
		return 0;
	if (run->ops)
		add(run, REQUESTS_PER_OP, m->pin_requests / (double)run->ops);
	if (run->device_ops && run->cell->device->class == DEVICE_NET)
		add(run, REQUESTS_PER_PACKET, m->pin_requests / (double)run->device_ops);
	ret = guest_read(run->boot->vm->guest, COIOMMU_DEBUGFS "/stats", &stats);
	if (ret)
		return ret;
	if (m->counters->state == COIOMMU_STATE_BROKEN)
		cell_invalid(run, "the coIOMMU backend gave up (see qemu.log)");
	if (!coiommu_stat(stats, "unbalanced", &unbalanced) && unbalanced > 0)
		cell_invalid(run, "%.0f pages were unmapped that had not been mapped", unbalanced);
	ret = cell_save(run, "coiommu.txt", stats, strlen(stats));
	if (!ret && m->record)
		ret = recording_save(m->record, run, m->counters);
	if (!ret && m->record)
		ret = add_reuse(run);
	return ret;
}

static void close_source(struct boot *boot, void *priv)
{
	struct coiommu_metric *m = priv;

	coiommu_counters_unmap(m->counters);
	recording_close(m->record);
}

const struct metric_ops metric_coiommu = {
	.name = "coiommu",
	.help = "requests, pins and tables of coIOMMU",
	.metrics = metrics,
	.except = ATTACH_VFIO_ONLY,
	.priv_size = sizeof(struct coiommu_metric),
	.created = created,
	.begin = begin,
	.end = end,
	.finish = finish,
	.close = close_source,
};
