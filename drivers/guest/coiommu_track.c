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
#include <linux/memremap.h>

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

/* ---- Counts, on the path of every mapping: inline, and no more than needed ---------- */

/* What raising counts found out. */
struct tally {
	u32 common;	/* bits that all units had: PINNED if nothing is missing */
	s64 more;	/* pages that had no count before */
};

#define NOTHING_COUNTED ((struct tally){ .common = COIOMMU_UNIT_PINNED })

static __always_inline bool some_missing(const struct tally *t)
{
	return !(t->common & COIOMMU_UNIT_PINNED);
}

static __always_inline bool get_unit(u32 *unit, struct tally *t)
{
	u32 old = coiommu_unit_get(unit);

	if (unlikely((old & COIOMMU_UNIT_COUNT) == COIOMMU_UNIT_COUNT))
		return false;
	t->common &= old;
	t->more += !(old & COIOMMU_UNIT_COUNT);
	return true;
}

/* Returns 1 if the page is not mapped any more. */
static __always_inline s64 put_unit(u32 *unit)
{
	u32 count = coiommu_unit_put(unit) & COIOMMU_UNIT_COUNT;

	if (unlikely(!count))
		this_cpu_inc(cpus.stats.unbalanced);
	return count == 1;
}

/* Those of the pages whose units follow one another in memory. */
static __always_inline u64 pages_in_leaf(struct pages p)
{
	return min_t(u64, p.nr, COIOMMU_LEAF_UNITS - (p.pfn & (COIOMMU_LEAF_UNITS - 1)));
}

/* The two loops that large mappings spend their time in. Returns how many units it got. */
static noinline u64 get_units(u32 *unit, u64 nr, struct tally *tally)
{
	struct tally t = *tally;
	u32 *first = unit, *end = unit + nr;

	while (unit < end && get_unit(unit, &t))
		unit++;
	*tally = t;
	return unit - first;
}

static noinline s64 put_units(u32 *unit, u64 nr)
{
	u32 *end = unit + nr;
	s64 fewer = 0;

	do {
		fewer += put_unit(unit);
	} while (++unit < end);
	return fewer;
}

/* Returns the number of pages that are not mapped any more. */
static s64 put_pages(struct pages p)
{
	s64 fewer = 0;

	while (p.nr) {
		u32 *unit = coiommu_dtt_peek(p.pfn);
		u64 nr = pages_in_leaf(p);

		if (likely(unit))
			fewer += put_units(unit, nr);
		else
			this_cpu_add(cpus.stats.unbalanced, nr);
		p.pfn += nr;
		p.nr -= nr;
	}
	return fewer;
}

static noinline void undo_pages(struct pages p)
{
	this_cpu_sub(cpus.stats.mapped_pages, put_pages(p));
}

/* False: nothing is counted, for want of memory for the table or with a count at its limit. */
static bool get_pages(struct pages p, struct tally *t)
{
	struct pages left = p;

	while (left.nr) {
		u32 *unit = coiommu_dtt_unit(left.pfn);
		u64 nr = pages_in_leaf(left), done = unit ? get_units(unit, nr, t) : 0;

		left.pfn += done;
		left.nr -= done;
		if (unlikely(done < nr)) {
			undo_pages((struct pages){ p.pfn, p.nr - left.nr });
			return false;
		}
	}
	return true;
}

/* The same for a single page, in line. */
static __always_inline bool get_page_unit(u64 pfn, struct tally *t)
{
	u32 *unit = coiommu_dtt_unit(pfn);

	return likely(unit) && get_unit(unit, t);
}

static __always_inline s64 put_page_unit(u64 pfn)
{
	u32 *unit = coiommu_dtt_peek(pfn);

	if (likely(unit))
		return put_unit(unit);
	this_cpu_inc(cpus.stats.unbalanced);
	return 0;
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
	/* The host reads and writes the page within outl(), which is no barrier to the compiler. */
	barrier();
	outl(virt_to_phys(request) >> PAGE_SHIFT, COIOMMU_PORT + COIOMMU_REG_REQUEST);
	barrier();
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
	undo_pages(p);
	return refused(dev, p);
}

static int track_failed(void)
{
	this_cpu_inc(cpus.stats.failed);
	return -ENOMEM;
}

/* Out of line: the usual case, one page that is pinned, must not pay for this stack frame. */
static noinline int track_pages(struct device *dev, struct pages p)
{
	struct tally t = NOTHING_COUNTED;
	bool counted = get_pages(p, &t);
	int err;

	this_cpu_add(cpus.stats.mapped_pages, t.more);
	if (!counted)
		return track_failed();
	err = some_missing(&t) ? request_pages(dev, p) : 0;
	if (!err) {
		this_cpu_inc(cpus.stats.maps);
		this_cpu_add(cpus.stats.more_pages, p.nr - 1);
	}
	return err;
}

static noinline int track_unpinned_page(struct device *dev, u64 pfn)
{
	int err = request_pages(dev, (struct pages){ pfn, 1 });

	if (!err)
		this_cpu_inc(cpus.stats.maps);
	return err;
}

int coiommu_track(struct device *dev, phys_addr_t phys, size_t size)
{
	struct pages p = pages_of(phys, size);
	struct tally t = NOTHING_COUNTED;

	trace_coiommu_map(dev, p.pfn, p.nr);
	if (p.nr > 1)
		return track_pages(dev, p);
	if (unlikely(!get_page_unit(p.pfn, &t)))
		return track_failed();
	this_cpu_add(cpus.stats.mapped_pages, t.more);
	if (unlikely(some_missing(&t)))
		return track_unpinned_page(dev, p.pfn);
	this_cpu_inc(cpus.stats.maps);
	return 0;
}

void coiommu_untrack(struct device *dev, phys_addr_t phys, size_t size)
{
	struct pages p = pages_of(phys, size);

	trace_coiommu_unmap(dev, p.pfn, p.nr);
	this_cpu_sub(cpus.stats.mapped_pages,
		     likely(p.nr == 1) ? put_page_unit(p.pfn) : put_pages(p));
	this_cpu_inc(cpus.stats.unmaps);
}

/* ---- Scatter lists ------------------------------------------------------------------ */

static struct pages sg_pages(struct device *dev, struct scatterlist *sg)
{
	return pages_of(dma_to_phys(dev, sg_dma_address(sg)), sg_dma_len(sg));
}

/*
 * What stays the same along a list. Kept here because the atomic operations in between would
 * make the compiler read it again for each entry.
 */
struct walk {
	struct device *dev;
	u32 **leaves;
	u64 nr_leaves;
	u64 limit;	/* highest address the device reaches */
	bool plain;	/* its addresses are physical ones */
};

static __always_inline struct walk walk_of(struct device *dev)
{
	return (struct walk){
		.dev = dev,
		.leaves = coiommu_dtt_leaves,
		.nr_leaves = coiommu_dtt_nr_leaves,
		.limit = min_not_zero(*dev->dma_mask, dev->bus_dma_limit),
		.plain = !dev->dma_range_map && !phys_to_dma(dev, 0),
	};
}

static __always_inline u32 *walk_unit(const struct walk *w, u64 pfn)
{
	u64 block = pfn >> COIOMMU_LEAF_BITS;
	u32 *leaf = likely(block < w->nr_leaves) ? READ_ONCE(w->leaves[block]) : NULL;

	return likely(leaf) ? leaf + (pfn & (COIOMMU_LEAF_UNITS - 1)) : NULL;
}

static __always_inline bool within_page(phys_addr_t phys, unsigned int len)
{
	return !((phys ^ (phys + len - 1)) & PAGE_MASK);
}

static __always_inline s64 put_entry(const struct walk *w, phys_addr_t phys, unsigned int len)
{
	u32 *unit = walk_unit(w, phys >> PAGE_SHIFT);
	struct pages p;

	if (likely(within_page(phys, len) && unit)) {
		trace_coiommu_unmap(w->dev, phys >> PAGE_SHIFT, 1);
		return put_unit(unit);
	}
	p = pages_of(phys, len);
	trace_coiommu_unmap(w->dev, p.pfn, p.nr);
	return put_pages(p);
}

/* Returns true if an entry is a bounce buffer. */
static bool put_sg(struct device *dev, struct scatterlist *sgl, int nents)
{
	const struct io_tlb_mem *pool = dev->dma_io_tlb_mem;
	u64 start = pool ? pool->start : 0, size = pool ? pool->end - start : 0;
	const struct walk w = walk_of(dev);
	struct scatterlist *sg;
	bool bounced = false;
	s64 fewer = 0;
	int i;

	for_each_sg(sgl, sg, nents, i) {
		dma_addr_t addr = sg_dma_address(sg);
		phys_addr_t phys = likely(w.plain) ? addr : dma_to_phys(dev, addr);

		bounced |= phys - start < size;
		fewer += put_entry(&w, phys, sg_dma_len(sg));
	}
	this_cpu_sub(cpus.stats.mapped_pages, fewer);
	return bounced;
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

/* The address the device has for an entry, as dma_direct_map_sg() gives it; false: it has none. */
static __always_inline bool map_entry(const struct walk *w, struct scatterlist *sg,
				      phys_addr_t phys)
{
	dma_addr_t addr = likely(w->plain) ? phys : phys_to_dma(w->dev, phys);

	if (unlikely(addr + sg->length - 1 > w->limit || is_pci_p2pdma_page(sg_page(sg))))
		return false;
	sg->dma_address = addr;
	sg_dma_len(sg) = sg->length;
	return true;
}

/* Counts an entry's pages. Returns their number, 0: nothing is counted. */
static __always_inline u64 get_entry(const struct walk *w, phys_addr_t phys, unsigned int len,
				     struct tally *t)
{
	u32 *unit = walk_unit(w, phys >> PAGE_SHIFT);
	struct pages p;

	if (likely(within_page(phys, len) && unit)) {
		trace_coiommu_map(w->dev, phys >> PAGE_SHIFT, 1);
		return get_unit(unit, t);
	}
	p = pages_of(phys, len);
	trace_coiommu_map(w->dev, p.pfn, p.nr);
	return get_pages(p, t) ? p.nr : 0;
}

/* One pass: gives each entry its address if map is set, and counts its pages. */
static __always_inline int track_sg(struct device *dev, struct scatterlist *sgl, int nents,
				    const bool map)
{
	const struct walk w = walk_of(dev);
	struct tally t = NOTHING_COUNTED;
	struct scatterlist *sg;
	u64 pages = 0, more;
	int i, err = 0;

	for_each_sg(sgl, sg, nents, i) {
		phys_addr_t phys = map ? sg_phys(sg) : dma_to_phys(dev, sg_dma_address(sg));

		if (map && unlikely(!map_entry(&w, sg, phys))) {
			err = -EOPNOTSUPP;
			break;
		}
		more = get_entry(&w, phys, sg_dma_len(sg), &t);
		if (unlikely(!more)) {
			err = track_failed();
			break;
		}
		pages += more;
	}
	this_cpu_add(cpus.stats.mapped_pages, t.more);
	if (unlikely(err)) {
		put_sg(dev, sgl, i);
		return err;
	}
	if (unlikely(some_missing(&t))) {
		err = request_sg(dev, sgl, nents);
		if (err)
			return err;
	}
	this_cpu_inc(cpus.stats.maps);
	this_cpu_add(cpus.stats.more_pages, pages - 1);
	return 0;
}

int coiommu_map_direct_sg(struct device *dev, struct scatterlist *sgl, int nents)
{
	if (is_swiotlb_force_bounce(dev))
		return -EOPNOTSUPP;
	return track_sg(dev, sgl, nents, true);
}

int coiommu_track_sg(struct device *dev, struct scatterlist *sgl, int nents)
{
	return track_sg(dev, sgl, nents, false);
}

bool coiommu_untrack_sg(struct device *dev, struct scatterlist *sgl, int nents)
{
	this_cpu_inc(cpus.stats.unmaps);
	return put_sg(dev, sgl, nents);
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

static void reset_cpu(void *unused)
{
	struct cpu_state *state = this_cpu_ptr(&cpus);
	s64 mapped = state->stats.mapped_pages;

	state->stats = (struct coiommu_stats){ .mapped_pages = mapped };
	memset(state->latency, 0, sizeof(state->latency));
}

/* Counts of events start again; what is mapped now stays. Each CPU does it, interrupts off. */
void coiommu_stats_reset(void)
{
	on_each_cpu(reset_cpu, NULL, 1);
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
