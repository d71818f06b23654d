// SPDX-License-Identifier: GPL-2.0-only
/* What no policy can beat, and how soon pages are used again. */
#include "bench/replay/bridges.h"
#include "bench/replay/mapped.h"
#include "trace_file.h"

/* ---- Oracle --------------------------------------------------------------------------- */

struct oracle_page {
	uint32_t count;
	uint32_t slot; /* of its gap, once it was used */
	bool used;
};

struct oracle {
	struct replay_policy p;
	struct table table; /* struct oracle_page */
	uint64_t mapped, limit;
	struct bridges *bridges; /* NULL: no limit */
};

static int64_t room(const struct oracle *o)
{
	return (int64_t)o->limit - (int64_t)o->mapped;
}

static void oracle_map(struct oracle *o, struct oracle_page *page)
{
	bool kept = page->used;

	if (page->count++)
		return;
	o->mapped++;
	if (o->bridges)
		kept = bridges_end(o->bridges, room(o), page->used ? &page->slot : NULL);
	page->used = true;
	o->p.counts.n[COUNT_PINS] += !kept;
	o->p.counts.n[COUNT_HITS] += kept;
}

static void oracle_unmap(struct oracle *o, struct oracle_page *page)
{
	if (!page->count || --page->count)
		return;
	o->mapped--;
	if (o->bridges)
		bridges_begin(o->bridges, room(o), &page->slot);
}

static void oracle_pages(struct replay_policy *p, const struct page_event *e, size_t nr)
{
	struct oracle *o = (struct oracle *)p;

	for (size_t i = 0; i < nr; i++, e++) {
		uint64_t before = o->mapped;

		replay_count_call(p, e);
		for (uint32_t k = 0; k < e->nr; k++) {
			struct oracle_page *page = table_entry(&o->table, e->pfn + k);

			if (e->kind == TRACE_MAP)
				oracle_map(o, page);
			else
				oracle_unmap(o, page);
		}
		if (o->mapped != before)
			curve_set(&p->curve, e->time_ns, o->mapped);
		if (o->limit && o->mapped > o->limit)
			p->infeasible = true;
	}
}

static void oracle_free(struct replay_policy *p)
{
	struct oracle *o = (struct oracle *)p;

	bridges_free(o->bridges);
	table_free(&o->table);
	free(o);
}

struct replay_policy *replay_oracle(uint64_t limit_pages)
{
	static const struct replay_ops ops = { oracle_pages, NULL, oracle_free };
	struct oracle *o = xzalloc(sizeof(*o));

	o->p.ops = &ops;
	o->limit = limit_pages;
	o->table.entry_bytes = sizeof(struct oracle_page);
	if (limit_pages)
		o->bridges = bridges_new();
	return &o->p;
}

/* ---- Temporal locality ---------------------------------------------------------------- */

struct locality_page {
	uint64_t unmapped_ns;
	uint32_t count;
	bool used;
};

struct locality {
	struct replay_policy p;
	struct replay_locality *out;
	struct table table; /* struct locality_page */
	uint64_t mapped;
};

static void locality_map(struct locality *l, struct locality_page *page, uint64_t time_ns)
{
	if (page->count++)
		return;
	if (!page->used)
		l->out->first_uses++;
	else
		l->out->reused[coiommu_histogram_bucket(
			time_ns > page->unmapped_ns ? time_ns - page->unmapped_ns : 0)]++;
	page->used = true;
	if (++l->mapped > l->out->mapped_peak)
		l->out->mapped_peak = l->mapped;
}

static void locality_unmap(struct locality *l, struct locality_page *page, uint64_t time_ns)
{
	if (!page->count) {
		l->out->unbalanced++;
		return;
	}
	if (--page->count)
		return;
	page->unmapped_ns = time_ns;
	l->mapped--;
}

static void locality_pages(struct replay_policy *p, const struct page_event *e, size_t nr)
{
	struct locality *l = (struct locality *)p;

	for (size_t i = 0; i < nr; i++, e++) {
		for (uint32_t k = 0; k < e->nr; k++) {
			struct locality_page *leaf =
				table_leaf(&l->table, (e->pfn + k) >> COIOMMU_LEAF_BITS);
			struct locality_page *page = &leaf[(e->pfn + k) & (COIOMMU_LEAF_UNITS - 1)];

			if (e->kind == TRACE_MAP)
				locality_map(l, page, e->time_ns);
			else
				locality_unmap(l, page, e->time_ns);
		}
	}
}

/* The window: what there is at its end and was not at its beginning. */
static void locality_call(struct replay_policy *p, const struct trace_event *e)
{
	struct replay_locality *out = ((struct locality *)p)->out;
	bool begins = e->kind == TRACE_MARK && e->args.v[0] == TRACE_MARK_BEGIN;
	bool ends = e->kind == TRACE_MARK && e->args.v[0] == TRACE_MARK_END;

	for (size_t i = 0; (begins || ends) && i < COIOMMU_HISTOGRAM_BUCKETS; i++)
		out->window[i] = begins ? out->reused[i] : out->reused[i] - out->window[i];
	out->windowed |= ends;
}

static void locality_free(struct replay_policy *p)
{
	table_free(&((struct locality *)p)->table);
	free(p);
}

struct replay_policy *replay_locality(struct replay_locality *out)
{
	static const struct replay_ops ops = { locality_pages, locality_call, locality_free };
	struct locality *l = xzalloc(sizeof(*l));

	*out = (struct replay_locality){ 0 };
	l->p.ops = &ops;
	l->out = out;
	l->table.entry_bytes = sizeof(struct locality_page);
	return &l->p;
}
