// SPDX-License-Identifier: GPL-2.0-only
/* Counting mappings, of single pages, runs and scatter lists. */
#include <linux/dma-direct.h>
#include <linux/memremap.h>

#include "coiommu_count.h"

#define CREATE_TRACE_POINTS
#include "coiommu_trace.h"

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
			this_cpu_add(coiommu_cpus.stats.unbalanced, nr);
		p.pfn += nr;
		p.nr -= nr;
	}
	return fewer;
}

static noinline void undo_pages(struct pages p)
{
	this_cpu_sub(coiommu_cpus.stats.mapped_pages, put_pages(p));
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
	this_cpu_inc(coiommu_cpus.stats.unbalanced);
	return 0;
}

static int refused(void)
{
	this_cpu_inc(coiommu_cpus.stats.refused);
	return -ENOMEM;
}

static int request_pages(struct device *dev, struct pages p)
{
	struct coiommu_batch b = { 0 };
	unsigned long flags;

	local_irq_save(flags);
	coiommu_batch_add_unpinned(&b, p);
	coiommu_batch_flush(&b);
	local_irq_restore(flags);
	coiommu_sample_peak();
	if (all_pinned(p))
		return 0;
	trace_coiommu_undo(dev, p.pfn, p.nr, 0);
	undo_pages(p);
	return refused();
}

static int track_failed(void)
{
	this_cpu_inc(coiommu_cpus.stats.failed);
	return -ENOMEM;
}

/* Out of line: the usual case, one page that is pinned, must not pay for this stack frame. */
static noinline int track_pages(struct device *dev, struct pages p)
{
	struct tally t = NOTHING_COUNTED;
	bool counted = get_pages(p, &t);
	int err;

	this_cpu_add(coiommu_cpus.stats.mapped_pages, t.more);
	if (!counted)
		return track_failed();
	trace_coiommu_map(dev, p.pfn, p.nr, 0);
	err = some_missing(&t) ? request_pages(dev, p) : 0;
	if (!err) {
		this_cpu_inc(coiommu_cpus.stats.maps);
		this_cpu_add(coiommu_cpus.stats.more_pages, p.nr - 1);
	}
	return err;
}

static noinline int track_unpinned_page(struct device *dev, u64 pfn)
{
	int err = request_pages(dev, (struct pages){ pfn, 1 });

	if (!err)
		this_cpu_inc(coiommu_cpus.stats.maps);
	return err;
}

int coiommu_track(struct device *dev, phys_addr_t phys, size_t size)
{
	struct pages p = pages_of(phys, size);
	struct tally t = NOTHING_COUNTED;

	if (p.nr > 1)
		return track_pages(dev, p);
	if (unlikely(!get_page_unit(p.pfn, &t)))
		return track_failed();
	trace_coiommu_map(dev, p.pfn, 1, 0);
	this_cpu_add(coiommu_cpus.stats.mapped_pages, t.more);
	if (unlikely(some_missing(&t)))
		return track_unpinned_page(dev, p.pfn);
	this_cpu_inc(coiommu_cpus.stats.maps);
	return 0;
}

void coiommu_untrack(struct device *dev, phys_addr_t phys, size_t size)
{
	struct pages p = pages_of(phys, size);

	trace_coiommu_unmap(dev, p.pfn, p.nr, 0);
	this_cpu_sub(coiommu_cpus.stats.mapped_pages,
		     likely(p.nr == 1) ? put_page_unit(p.pfn) : put_pages(p));
	this_cpu_inc(coiommu_cpus.stats.unmaps);
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

static __always_inline void trace_put(const struct walk *w, struct pages p, u32 more, const bool undo)
{
	if (undo)
		trace_coiommu_undo(w->dev, p.pfn, p.nr, more);
	else
		trace_coiommu_unmap(w->dev, p.pfn, p.nr, more);
}

static __always_inline s64 put_entry(const struct walk *w, phys_addr_t phys, unsigned int len,
				     u32 more, const bool undo)
{
	u32 *unit = walk_unit(w, phys >> PAGE_SHIFT);
	struct pages p;

	if (likely(within_page(phys, len) && unit)) {
		trace_put(w, (struct pages){ phys >> PAGE_SHIFT, 1 }, more, undo);
		return put_unit(unit);
	}
	p = pages_of(phys, len);
	trace_put(w, p, more, undo);
	return put_pages(p);
}

/* Returns true if an entry is a bounce buffer. */
static __always_inline bool put_sg(struct device *dev, struct scatterlist *sgl, int nents,
				   const bool undo)
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
		fewer += put_entry(&w, phys, sg_dma_len(sg), i + 1 < nents, undo);
	}
	this_cpu_sub(coiommu_cpus.stats.mapped_pages, fewer);
	return bounced;
}

static noinline void undo_sg(struct device *dev, struct scatterlist *sgl, int nents)
{
	put_sg(dev, sgl, nents, true);
}

static int request_sg(struct device *dev, struct scatterlist *sgl, int nents)
{
	struct coiommu_batch b = { 0 };
	struct scatterlist *sg;
	unsigned long flags;
	int i;

	local_irq_save(flags);
	for_each_sg(sgl, sg, nents, i)
		coiommu_batch_add_unpinned(&b, sg_pages(dev, sg));
	coiommu_batch_flush(&b);
	local_irq_restore(flags);
	coiommu_sample_peak();
	for_each_sg(sgl, sg, nents, i) {
		struct pages p = sg_pages(dev, sg);

		if (!all_pinned(p)) {
			undo_sg(dev, sgl, nents);
			return refused();
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
				     u32 left, struct tally *t)
{
	u32 *unit = walk_unit(w, phys >> PAGE_SHIFT);
	struct pages p;

	if (likely(within_page(phys, len) && unit)) {
		if (unlikely(!get_unit(unit, t)))
			return 0;
		trace_coiommu_map(w->dev, phys >> PAGE_SHIFT, 1, left);
		return 1;
	}
	p = pages_of(phys, len);
	if (!get_pages(p, t))
		return 0;
	trace_coiommu_map(w->dev, p.pfn, p.nr, left);
	return p.nr;
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
		more = get_entry(&w, phys, sg_dma_len(sg), i + 1 < nents, &t);
		if (unlikely(!more)) {
			err = track_failed();
			break;
		}
		pages += more;
	}
	this_cpu_add(coiommu_cpus.stats.mapped_pages, t.more);
	if (unlikely(err)) {
		undo_sg(dev, sgl, i);
		return err;
	}
	if (unlikely(some_missing(&t))) {
		err = request_sg(dev, sgl, nents);
		if (err)
			return err;
	}
	this_cpu_inc(coiommu_cpus.stats.maps);
	this_cpu_add(coiommu_cpus.stats.more_pages, pages - 1);
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
	this_cpu_inc(coiommu_cpus.stats.unmaps);
	return put_sg(dev, sgl, nents, false);
}
