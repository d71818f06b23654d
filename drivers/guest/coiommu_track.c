// SPDX-License-Identifier: GPL-2.0-only
/*
 * Counting mappings and asking the host for pins.
 *
 * A request is written into the CPU's own page and rung with interrupts off. The host answers
 * before the port write completes, so there is no lock and no waiting, and a request cannot
 * be interrupted half way.
 */
#include <linux/dma-direct.h>
#include <linux/io.h>
#include <linux/ktime.h>

#include "coiommu.h"
#include "coiommu_counters.h"
#include "coiommu_unit.h"

#define CREATE_TRACE_POINTS
#include "coiommu_trace.h"

struct cpu_state {
	struct coiommu_request *request;
	struct coiommu_stats stats;
	u64 latency[COIOMMU_HISTOGRAM_BUCKETS];
};

static DEFINE_PER_CPU(struct cpu_state, cpus);
static u64 mapped_peak;	/* approximate by design: races lose a sample */

struct pages {
	u64 pfn;
	u64 nr;
};

static struct pages pages_of(phys_addr_t phys, size_t size)
{
	u64 first = phys >> PAGE_SHIFT;
	u64 last = (phys + max_t(size_t, size, 1) - 1) >> PAGE_SHIFT;

	return (struct pages){ first, last - first + 1 };
}

/* ---- Counts ------------------------------------------------------------------------ */

static void put_page_unit(u64 pfn)
{
	u32 *unit = coiommu_dtt_peek(pfn);
	u32 count = unit ? coiommu_unit_put(unit) & COIOMMU_UNIT_COUNT : 0;

	if (likely(count == 1))
		this_cpu_dec(cpus.stats.mapped_pages);
	else if (unlikely(!count))
		this_cpu_inc(cpus.stats.unbalanced);
}

static void put_pages(struct pages p)
{
	for (; p.nr; p.nr--)
		put_page_unit(p.pfn++);
}

/* 1 if the page is not pinned, 0 if it is, or -ENOMEM with nothing counted. */
static s64 get_page_unit(u64 pfn)
{
	u32 *unit = coiommu_dtt_unit(pfn);
	u32 old = unit ? coiommu_unit_get(unit) : COIOMMU_UNIT_COUNT;

	if (unlikely((old & COIOMMU_UNIT_COUNT) == COIOMMU_UNIT_COUNT))
		return -ENOMEM;
	if (likely(!(old & COIOMMU_UNIT_COUNT)))
		this_cpu_inc(cpus.stats.mapped_pages);
	return !(old & COIOMMU_UNIT_PINNED);
}

/* Returns the number of pages found not pinned, or -ENOMEM with nothing counted. */
static s64 get_pages(struct pages p)
{
	s64 missing = 0;
	u64 i;

	for (i = 0; i < p.nr; i++) {
		s64 ret = get_page_unit(p.pfn + i);

		if (unlikely(ret < 0)) {
			put_pages((struct pages){ p.pfn, i });
			return ret;
		}
		missing += ret;
	}
	return missing;
}

static bool page_is_pinned(u64 pfn)
{
	const u32 *unit = coiommu_dtt_peek(pfn);

	return unit && (READ_ONCE(*unit) & COIOMMU_UNIT_PINNED);
}

static bool all_pinned(struct pages p)
{
	while (p.nr && page_is_pinned(p.pfn)) {
		p.pfn++;
		p.nr--;
	}
	return !p.nr;
}

/* ---- Requests, with interrupts off -------------------------------------------------- */

static u32 ring(struct coiommu_request *request)
{
	request->status = COIOMMU_PENDING;
	/* The host reads the page; outl() is a full barrier for the compiler and on x86. */
	outl(virt_to_phys(request) >> PAGE_SHIFT, COIOMMU_PORT + COIOMMU_REG_REQUEST);
	return READ_ONCE(request->status);
}

struct batch {
	struct cpu_state *cpu;
	u32 nr, pages;
};

static void batch_flush(struct batch *b)
{
	struct coiommu_stats *stats = &b->cpu->stats;
	u64 start, ns;
	u32 status;

	if (!b->nr)
		return;
	b->cpu->request->op = COIOMMU_OP_PIN;
	b->cpu->request->nr = b->nr;
	start = ktime_get_ns();
	status = ring(b->cpu->request);
	ns = ktime_get_ns() - start;
	stats->requests++;
	stats->request_entries += b->nr;
	stats->request_pages += b->pages;
	stats->request_ns += ns;
	b->cpu->latency[coiommu_histogram_bucket(ns)]++;
	trace_coiommu_request(b->nr, b->pages, status, ns);
	b->nr = 0;
	b->pages = 0;
}

static void batch_add(struct batch *b, u64 pfn)
{
	u64 *entry = b->cpu->request->entry;

	if (b->pages == COIOMMU_REQUEST_PAGES)
		batch_flush(b);
	if (b->nr) {
		u64 last = entry[b->nr - 1];
		u32 nr = COIOMMU_RUN_NR(last);

		if ((last & COIOMMU_RUN_PFN) + nr == pfn && nr < COIOMMU_RUN_MAX) {
			entry[b->nr - 1] = last + (1ULL << COIOMMU_RUN_SHIFT);
			b->pages++;
			return;
		}
	}
	if (b->nr == COIOMMU_REQUEST_ENTRIES)
		batch_flush(b);
	entry[b->nr++] = COIOMMU_RUN(pfn, 1);
	b->pages++;
}

static void batch_add_unpinned(struct batch *b, struct pages p)
{
	u64 i;

	for (i = 0; i < p.nr; i++) {
		if (!page_is_pinned(p.pfn + i))
			batch_add(b, p.pfn + i);
	}
}

static void sample_peak(void)
{
	s64 mapped = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		mapped += per_cpu_ptr(&cpus, cpu)->stats.mapped_pages;
	if (mapped > (s64)READ_ONCE(mapped_peak))
		WRITE_ONCE(mapped_peak, mapped);
}

u32 coiommu_command(u32 op, u64 *arg)
{
	struct coiommu_request *request;
	unsigned long flags;
	u32 status;

	local_irq_save(flags);
	request = this_cpu_ptr(&cpus)->request;
	request->op = op;
	request->nr = 0;
	if (arg)
		memcpy(request->arg, arg, sizeof(request->arg));
	status = ring(request);
	if (arg)
		memcpy(arg, request->arg, sizeof(request->arg));
	local_irq_restore(flags);
	return status;
}

int coiommu_query_devices(u64 *ids, int max)
{
	struct coiommu_request *request;
	unsigned long flags;
	int nr = -ENODEV;

	local_irq_save(flags);
	request = this_cpu_ptr(&cpus)->request;
	request->op = COIOMMU_OP_DEVICES;
	request->nr = 0;
	if (ring(request) == COIOMMU_OK) {
		nr = min3((int)request->done, max, (int)COIOMMU_REQUEST_ENTRIES);
		memcpy(ids, request->entry, nr * sizeof(*ids));
	}
	local_irq_restore(flags);
	return nr;
}

/* ---- Tracking ----------------------------------------------------------------------- */

static int refused(struct device *dev, struct pages p)
{
	this_cpu_inc(cpus.stats.refused);
	trace_coiommu_refused(dev, p.pfn, p.nr);
	return -ENOMEM;
}

static int request_pages(struct device *dev, struct pages p)
{
	struct batch b = { 0 };
	unsigned long flags;

	local_irq_save(flags);
	b.cpu = this_cpu_ptr(&cpus);
	batch_add_unpinned(&b, p);
	batch_flush(&b);
	local_irq_restore(flags);
	sample_peak();
	if (all_pinned(p))
		return 0;
	put_pages(p);
	return refused(dev, p);
}

/*
 * Out of line: the usual case, one page that is pinned, must not pay for this stack frame.
 * missing is what get_pages() said.
 */
static noinline int track_counted(struct device *dev, struct pages p, s64 missing)
{
	int err;

	if (missing < 0) {
		this_cpu_inc(cpus.stats.failed);
		return missing;
	}
	err = missing ? request_pages(dev, p) : 0;
	if (!err) {
		this_cpu_inc(cpus.stats.maps);
		this_cpu_add(cpus.stats.more_pages, p.nr - 1);
	}
	return err;
}

static noinline int track_pages(struct device *dev, struct pages p)
{
	return track_counted(dev, p, get_pages(p));
}

int coiommu_track(struct device *dev, phys_addr_t phys, size_t size)
{
	struct pages p = pages_of(phys, size);
	s64 missing;

	trace_coiommu_map(dev, p.pfn, p.nr);
	if (p.nr > 1)
		return track_pages(dev, p);
	missing = get_page_unit(p.pfn);
	if (unlikely(missing))
		return track_counted(dev, p, missing);
	this_cpu_inc(cpus.stats.maps);
	return 0;
}

void coiommu_untrack(struct device *dev, phys_addr_t phys, size_t size)
{
	struct pages p = pages_of(phys, size);

	trace_coiommu_unmap(dev, p.pfn, p.nr);
	put_pages(p);
	this_cpu_inc(cpus.stats.unmaps);
}

static struct pages sg_pages(struct device *dev, struct scatterlist *sg)
{
	return pages_of(dma_to_phys(dev, sg_dma_address(sg)), sg_dma_len(sg));
}

static void put_sg(struct device *dev, struct scatterlist *sgl, int nents)
{
	struct scatterlist *sg;
	int i;

	for_each_sg(sgl, sg, nents, i) {
		struct pages p = sg_pages(dev, sg);

		trace_coiommu_unmap(dev, p.pfn, p.nr);
		put_pages(p);
	}
}

static int request_sg(struct device *dev, struct scatterlist *sgl, int nents)
{
	struct batch b = { 0 };
	struct scatterlist *sg;
	unsigned long flags;
	int i;

	local_irq_save(flags);
	b.cpu = this_cpu_ptr(&cpus);
	for_each_sg(sgl, sg, nents, i)
		batch_add_unpinned(&b, sg_pages(dev, sg));
	batch_flush(&b);
	local_irq_restore(flags);
	sample_peak();
	for_each_sg(sgl, sg, nents, i) {
		struct pages p = sg_pages(dev, sg);

		if (!all_pinned(p)) {
			put_sg(dev, sgl, nents);
			return refused(dev, p);
		}
	}
	return 0;
}

int coiommu_track_sg(struct device *dev, struct scatterlist *sgl, int nents)
{
	s64 missing = 0;
	struct scatterlist *sg;
	u64 pages = 0;
	int i, err;

	for_each_sg(sgl, sg, nents, i) {
		struct pages p = sg_pages(dev, sg);
		s64 ret = get_pages(p);

		trace_coiommu_map(dev, p.pfn, p.nr);
		if (unlikely(ret < 0)) {
			put_sg(dev, sgl, i);
			this_cpu_inc(cpus.stats.failed);
			return ret;
		}
		missing += ret;
		pages += p.nr;
	}
	if (unlikely(missing)) {
		err = request_sg(dev, sgl, nents);
		if (err)
			return err;
	}
	this_cpu_inc(cpus.stats.maps);
	this_cpu_add(cpus.stats.more_pages, pages - 1);
	return 0;
}

void coiommu_untrack_sg(struct device *dev, struct scatterlist *sgl, int nents)
{
	put_sg(dev, sgl, nents);
	this_cpu_inc(cpus.stats.unmaps);
}

/* ---- Statistics --------------------------------------------------------------------- */

void coiommu_stats_read(struct coiommu_stats *sum)
{
	int cpu;

	sample_peak();
	*sum = (struct coiommu_stats){ .mapped_peak = READ_ONCE(mapped_peak) };
	for_each_possible_cpu(cpu) {
		const struct coiommu_stats *s = &per_cpu_ptr(&cpus, cpu)->stats;

		sum->maps += s->maps;
		sum->unmaps += s->unmaps;
		sum->more_pages += s->more_pages;
		sum->requests += s->requests;
		sum->request_entries += s->request_entries;
		sum->request_pages += s->request_pages;
		sum->request_ns += s->request_ns;
		sum->refused += s->refused;
		sum->failed += s->failed;
		sum->unbalanced += s->unbalanced;
		sum->mapped_pages += s->mapped_pages;
	}
}
EXPORT_SYMBOL_GPL(coiommu_stats_read);

/* Counts of events start again; what is mapped now stays. */
void coiommu_stats_reset(void)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		struct cpu_state *state = per_cpu_ptr(&cpus, cpu);
		s64 mapped = state->stats.mapped_pages;

		state->stats = (struct coiommu_stats){ .mapped_pages = mapped };
		memset(state->latency, 0, sizeof(state->latency));
	}
	WRITE_ONCE(mapped_peak, 0);
	sample_peak();
}

void coiommu_latency_read(u64 *buckets)
{
	int cpu, i;

	memset(buckets, 0, COIOMMU_HISTOGRAM_BUCKETS * sizeof(*buckets));
	for_each_possible_cpu(cpu) {
		for (i = 0; i < COIOMMU_HISTOGRAM_BUCKETS; i++)
			buckets[i] += per_cpu_ptr(&cpus, cpu)->latency[i];
	}
}

int coiommu_track_init(void)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		void *page = (void *)get_zeroed_page(GFP_KERNEL);

		if (!page) {
			coiommu_track_exit();
			return -ENOMEM;
		}
		per_cpu_ptr(&cpus, cpu)->request = page;
	}
	return 0;
}

void coiommu_track_exit(void)
{
	int cpu;

	for_each_possible_cpu(cpu)
		free_page((unsigned long)per_cpu_ptr(&cpus, cpu)->request);
}
