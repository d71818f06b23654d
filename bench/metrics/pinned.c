// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pinned memory over time: what VFIO has locked for the VM (VmLck of QEMU), sampled with the
 * harness' ticks, from QEMU's start to the end of the cell. Beside it, at the same times, what the
 * guest really has mapped for DMA, where a backend of coIOMMU counts that.
 */
#include "bench/coiommu.h"
#include "bench/device.h"
#include "bench/metric.h"
#include "harness/boot.h"
#include "harness/util.h"

static const struct metric_desc metrics[] = {
	{ "pinned_start_bytes", "bytes", DIRECTION_LOWER,
	  "highest while the VM starts: from its creation until the guest is ready" },
	{ "pinned_peak_bytes", "bytes", DIRECTION_LOWER, "highest in the measured window" },
	{ "pinned_mean_bytes", "bytes", DIRECTION_LOWER, "mean over the measured window" },
	{ "pinned_end_bytes", "bytes", DIRECTION_LOWER, "after the workload" },
	{ "mapped_mean_bytes", "bytes", DIRECTION_NONE,
	  "really mapped for DMA by the guest, mean over the measured window" },
	{ 0 },
};

struct point {
	uint64_t ns;
	double bytes, mapped;
};

struct pinned {
	const struct coiommu_counters *counters; /* NULL: nobody counts what is mapped */
	struct point *points;
	size_t nr;
};

/* Of the same moment but for the fifth of a second between the backend's looks at its table. */
static double mapped_bytes(const struct pinned *pinned)
{
	return pinned->counters ? (double)pinned->counters->mapped_pages * COIOMMU_PAGE_SIZE : 0;
}

/* Did it ever look? */
static bool counts_mapped(const struct pinned *pinned)
{
	return pinned->counters && pinned->counters->mapped_ns;
}

static double sample(struct boot *boot, struct pinned *pinned)
{
	double bytes = (double)proc_locked_bytes(boot->vm->proc.pid);

	pinned->points = xrealloc(pinned->points, (pinned->nr + 1) * sizeof(*pinned->points));
	pinned->points[pinned->nr++] = (struct point){ now_ns(), bytes, mapped_bytes(pinned) };
	return bytes;
}

static int created(struct boot *boot, void *priv)
{
	((struct pinned *)priv)->counters = coiommu_counters_map(boot->vm->proc.pid);
	sample(boot, priv);
	return 0;
}

static void tick(struct boot *boot, void *priv)
{
	sample(boot, priv);
}

static int bracket(struct cell_run *run, void *priv)
{
	sample(run->boot, priv);
	return 0;
}

/*
 * At its very creation a VM lacks some pages of what firmware copies itself to; they are
 * pinned moments later. So the start is all of the time until the guest is ready.
 */
static double start_peak(const struct pinned *pinned, const struct vm *vm)
{
	double peak = 0;

	for (size_t i = 0; i < pinned->nr && pinned->points[i].ns <= vm->ready_ns; i++)
		if (pinned->points[i].bytes > peak)
			peak = pinned->points[i].bytes;
	return peak;
}

/* Peak, and the time-weighted means of the steps between samples, within the window. */
static void summarise(const struct pinned *pinned, struct cell_run *run)
{
	double peak = 0, area = 0, mapped = 0;
	uint64_t from = 0, first = 0;

	for (size_t i = 0; i < pinned->nr; i++) {
		const struct point *p = &pinned->points[i];

		if (p->ns > run->end_ns + 1000000000ULL)
			break;
		if (p->ns < run->begin_ns)
			continue;
		if (!first)
			first = p->ns;
		if (from) {
			area += pinned->points[i - 1].bytes * (double)(p->ns - from);
			mapped += pinned->points[i - 1].mapped * (double)(p->ns - from);
		}
		from = p->ns;
		if (p->bytes > peak)
			peak = p->bytes;
		if (p->ns >= run->end_ns)
			break;
	}
	sample_add(&run->samples, &metrics[1], peak);
	if (from <= first)
		return;
	sample_add(&run->samples, &metrics[2], area / (double)(from - first));
	if (counts_mapped(pinned))
		sample_add(&run->samples, &metrics[4], mapped / (double)(from - first));
}

static int save_series(const struct pinned *pinned, const struct cell_run *run, bool mapped)
{
	struct strbuf sb = { 0 };
	int ret;

	strbuf_addf(&sb, "t_s,%s_bytes\n", mapped ? "mapped" : "pinned");
	for (size_t i = 0; i < pinned->nr; i++)
		strbuf_addf(&sb, "%.3f,%.0f\n",
			    (double)(pinned->points[i].ns - run->boot->vm->started_ns) * 1e-9,
			    mapped ? pinned->points[i].mapped : pinned->points[i].bytes);
	ret = cell_save(run, mapped ? "mapped.csv" : "pinned.csv", sb.data, sb.len);
	free(sb.data);
	return ret;
}

static int finish(struct cell_run *run, void *priv)
{
	struct pinned *pinned = priv;
	double end = sample(run->boot, pinned);
	int ret;

	sample_add(&run->samples, &metrics[0], start_peak(pinned, run->boot->vm));
	summarise(pinned, run);
	sample_add(&run->samples, &metrics[3], end);
	ret = save_series(pinned, run, false);
	return ret || !counts_mapped(pinned) ? ret : save_series(pinned, run, true);
}

static void close_source(struct boot *boot, void *priv)
{
	struct pinned *pinned = priv;

	coiommu_counters_unmap(pinned->counters);
	free(pinned->points);
}

const struct metric_ops metric_pinned = {
	.name = "pinned",
	.help = "memory pinned for the VM, over time",
	.metrics = metrics,
	.except = ATTACH_NO_VM,
	.priv_size = sizeof(struct pinned),
	.created = created,
	.tick = tick,
	.begin = bracket,
	.end = bracket,
	.finish = finish,
	.close = close_source,
};
