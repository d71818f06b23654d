// SPDX-License-Identifier: GPL-2.0-only
/* The guest's half of coIOMMU in a replay: it keeps units and asks as the driver does. */
#include "bench/replay/coiommu_internal.h"
#include "drivers/include/coiommu_batch.h"
#include "request_runs.h"
#include "trace_file.h"

/* One thread only: the unit protocol without its locked instructions. */
#define COIOMMU_UNIT_PRIMITIVES
static inline uint32_t coiommu_unit_load(const uint32_t *unit)
{
	return *unit;
}
static inline uint32_t coiommu_unit_cas(uint32_t *unit, uint32_t old, uint32_t new)
{
	uint32_t seen = *unit;

	if (seen == old)
		*unit = new;
	return seen;
}
#include "coiommu_unit.h"

static void runs_add(struct runs *r, uint64_t pfn, uint32_t nr)
{
	if (r->nr == r->cap) {
		r->cap = r->cap ? r->cap * 2 : 16;
		r->v = xrealloc(r->v, r->cap * sizeof(r->v[0]));
	}
	r->v[r->nr++] = (struct run){ pfn, nr };
}

/* With the recorded settings only counted: the recorded ones follow. */
static void flush(struct coiommu_replay *c, struct coiommu_batch *b)
{
	struct request_cursor cursor = { 0 };
	uint64_t pfn;
	uint32_t nr;

	if (!b->nr)
		return;
	c->request.nr = b->nr;
	c->p.predicted_requests++;
	*b = (struct coiommu_batch){ 0 };
	if (c->p.as_recorded)
		return;
	c->p.counts.n[COUNT_REQUESTS]++;
	while (request_next(&c->request, &cursor, &pfn, &nr))
		policy_pin(c->policy, pfn, nr);
}

static bool is_pinned(struct coiommu_replay *c, uint64_t pfn)
{
	const uint32_t *unit = table_entry(&c->units, pfn);

	return *unit & COIOMMU_UNIT_PINNED;
}

static void put_runs(struct coiommu_replay *c, const struct runs *runs)
{
	for (size_t i = 0; i < runs->nr; i++)
		for (uint32_t k = 0; k < runs->v[i].nr; k++)
			coiommu_unit_put(table_entry(&c->units, runs->v[i].pfn + k));
}

/* Asks for what is not pinned of a call's pages. False: some of it was refused. */
static bool request(struct coiommu_replay *c)
{
	struct coiommu_batch b = { 0 };
	bool all = true;

	for (size_t i = 0; i < c->call.nr; i++) {
		for (uint32_t k = 0; k < c->call.v[i].nr; k++) {
			uint64_t pfn = c->call.v[i].pfn + k;

			if (is_pinned(c, pfn) ||
			    coiommu_batch_add(&b, (__u64 *)c->request.entry, pfn))
				continue;
			flush(c, &b);
			coiommu_batch_add(&b, (__u64 *)c->request.entry, pfn);
		}
	}
	flush(c, &b);
	if (c->p.as_recorded)
		return true;
	for (size_t i = 0; i < c->call.nr; i++)
		for (uint32_t k = 0; all && k < c->call.v[i].nr; k++)
			all = is_pinned(c, c->call.v[i].pfn + k);
	return all;
}

static void call_end(struct coiommu_replay *c)
{
	bool done = true;

	if (c->missing && c->policy) {
		done = request(c);
		coiommu_replay_update(c);
	}
	if (done) {
		c->p.counts.n[COUNT_MAPS]++;
	} else {
		c->p.counts.n[COUNT_REFUSED_MAPS]++;
		put_runs(c, &c->call);
		for (size_t i = 0; i < c->call.nr; i++)
			runs_add(&c->refused, c->call.v[i].pfn, c->call.v[i].nr);
	}
	c->call.nr = 0;
	c->missing = false;
}

static bool get_pages(struct coiommu_replay *c, const struct page_event *e)
{
	uint32_t common = COIOMMU_UNIT_PINNED;

	for (uint32_t i = 0; i < e->nr; i++) {
		uint32_t old = coiommu_unit_get(table_entry(&c->units, e->pfn + i));

		if ((old & COIOMMU_UNIT_COUNT) == COIOMMU_UNIT_COUNT)
			c->p.error = "a page is mapped more than 65,534 times at once";
		common &= old;
	}
	return common;
}

static void map(struct coiommu_replay *c, const struct page_event *e)
{
	bool pinned = get_pages(c, e);

	if (pinned && !e->more && !c->call.nr) {
		c->p.counts.n[COUNT_MAPS]++;
		return;
	}
	c->missing |= !pinned;
	runs_add(&c->call, e->pfn, e->nr);
	if (!e->more)
		call_end(c);
}

/* Of a map that failed in this replay there is nothing to unmap. */
static bool was_refused(struct coiommu_replay *c, const struct page_event *e)
{
	for (size_t i = 0; i < c->refused.nr; i++) {
		struct run *r = &c->refused.v[i];

		if (r->pfn != e->pfn || r->nr != e->nr)
			continue;
		*r = c->refused.v[--c->refused.nr];
		return true;
	}
	return false;
}

static void unmap(struct coiommu_replay *c, const struct page_event *e)
{
	bool refused = c->refused.nr && was_refused(c, e);

	for (uint32_t i = 0; !refused && i < e->nr; i++)
		coiommu_unit_put(table_entry(&c->units, e->pfn + i));
	if (e->more || refused)
		return;
	if (e->kind == TRACE_UNMAP) {
		c->p.counts.n[COUNT_UNMAPS]++;
	} else { /* with other settings it would not have failed: as if it had not been tried */
		c->p.counts.n[COUNT_MAPS]--;
		c->p.counts.n[COUNT_REFUSED_MAPS] += c->p.as_recorded;
	}
}

void coiommu_replay_pages(struct replay_policy *p, const struct page_event *e, size_t nr)
{
	struct coiommu_replay *c = self(p);

	for (const struct page_event *end = e + nr; e < end; e++) {
		if (e->time_ns >= c->deadline_ns)
			coiommu_replay_scan_due(c, e->time_ns);
		if (e->time_ns > c->now_ns)
			c->now_ns = e->time_ns;
		if (e->kind == TRACE_MAP)
			map(c, e);
		else
			unmap(c, e);
	}
}
