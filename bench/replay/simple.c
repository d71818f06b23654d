// SPDX-License-Identifier: GPL-2.0-only
/* What needs no backend: static pinning, and a vIOMMU with strict and with deferred unmapping. */
#include "bench/replay/mapped.h"
#include "memmap.h"
#include "trace_file.h"

/* ---- Static: all memory, as long as it is there --------------------------------------- */

struct static_replay {
	struct replay_policy p;
	struct memmap memory;
};

static void static_pages(struct replay_policy *p, const struct page_event *e, size_t nr)
{
	for (size_t i = 0; i < nr; i++)
		replay_count_call(p, &e[i]);
}

static void static_call(struct replay_policy *p, const struct trace_event *e)
{
	struct static_replay *s = (struct static_replay *)p;
	uint64_t before = p->curve.value, now;

	if (!replay_memory(&s->memory, e->kind, e->args.v))
		return;
	now = memmap_bytes(&s->memory, false) / COIOMMU_PAGE_SIZE;
	p->counts.n[COUNT_PINS] += now > before ? now - before : 0;
	p->counts.n[COUNT_UNPINS] += now < before ? before - now : 0;
	p->counts.n[COUNT_PIN_CALLS] += now > before;
	p->counts.n[COUNT_UNPIN_CALLS] += now < before;
	curve_set(&p->curve, e->time_ns, now);
}

static void static_free(struct replay_policy *p)
{
	memmap_free(&((struct static_replay *)p)->memory);
	free(p);
}

struct replay_policy *replay_static(void)
{
	static const struct replay_ops ops = { static_pages, static_call, static_free };
	struct static_replay *s = xzalloc(sizeof(*s));

	s->p.ops = &ops;
	return &s->p;
}

/* ---- Strict: each mapping pins, each unmapping invalidates and unpins ----------------- */

struct strict_replay {
	struct replay_policy p;
	struct mapped mapped;
};

static void strict_pages(struct replay_policy *p, const struct page_event *e, size_t nr)
{
	struct mapped *m = &((struct strict_replay *)p)->mapped;
	uint64_t *n = p->counts.n;

	for (size_t i = 0; i < nr; i++, e++) {
		bool maps = e->kind == TRACE_MAP;

		replay_count_call(p, e);
		n[COUNT_REQUESTS] += !e->more;
		n[maps ? COUNT_PINS : COUNT_UNPINS] += e->nr;
		n[maps ? COUNT_PIN_CALLS : COUNT_UNPIN_CALLS]++;
		if (mapped_change(m, e->pfn, e->nr, maps))
			curve_set(&p->curve, e->time_ns, m->pages);
	}
}

static void strict_free(struct replay_policy *p)
{
	table_free(&((struct strict_replay *)p)->mapped.counts);
	free(p);
}

struct replay_policy *replay_strict(void)
{
	static const struct replay_ops ops = { strict_pages, NULL, strict_free };
	struct strict_replay *s = xzalloc(sizeof(*s));

	s->p.ops = &ops;
	mapped_init(&s->mapped);
	return &s->p;
}

/* ---- Deferred: as Linux does it (drivers/iommu/iova.c), one queue for all CPUs ---------- */

#define QUEUE 255	     /* IOVA_FQ_SIZE, of which one place stays free */
#define QUEUE_NS 10000000ULL /* IOVA_FQ_TIMEOUT */

struct deferred_replay {
	struct strict_replay s;
	struct {
		uint64_t pfn;
		uint32_t nr;
	} * pages; /* of the calls in the queue */
	size_t nr, cap;
	unsigned int queued; /* calls */
	uint64_t timer_ns;   /* when it runs out, whatever was flushed in between */
	bool timer;
};

static void deferred_flush(struct deferred_replay *d, uint64_t now_ns)
{
	uint64_t *n = d->s.p.counts.n;

	for (size_t i = 0; i < d->nr; i++) {
		mapped_change(&d->s.mapped, d->pages[i].pfn, d->pages[i].nr, false);
		n[COUNT_UNPINS] += d->pages[i].nr;
		n[COUNT_UNPIN_CALLS]++;
	}
	n[COUNT_REQUESTS]++;
	d->nr = d->queued = 0;
	curve_set(&d->s.p.curve, now_ns, d->s.mapped.pages);
}

static void deferred_timer(struct deferred_replay *d, uint64_t time_ns)
{
	if (!d->timer || time_ns < d->timer_ns)
		return;
	d->timer = false;
	deferred_flush(d, d->timer_ns);
}

/* Pages of a call; it has a place in the queue from the last of them on. */
static void deferred_unmap(struct deferred_replay *d, const struct page_event *e)
{
	if (d->queued == QUEUE)
		deferred_flush(d, e->time_ns);
	if (d->nr == d->cap) {
		d->cap = d->cap ? d->cap * 2 : QUEUE + 1;
		d->pages = xrealloc(d->pages, d->cap * sizeof(d->pages[0]));
	}
	d->pages[d->nr].pfn = e->pfn;
	d->pages[d->nr++].nr = e->nr;
	if (e->more)
		return;
	d->queued++;
	if (!d->timer)
		d->timer_ns = e->time_ns + QUEUE_NS;
	d->timer = true;
}

static void deferred_pages(struct replay_policy *p, const struct page_event *e, size_t nr)
{
	struct deferred_replay *d = (struct deferred_replay *)p;
	uint64_t *n = p->counts.n;

	for (size_t i = 0; i < nr; i++, e++) {
		deferred_timer(d, e->time_ns);
		replay_count_call(p, e);
		if (e->kind != TRACE_MAP) {
			deferred_unmap(d, e);
			continue;
		}
		n[COUNT_REQUESTS] += !e->more;
		n[COUNT_PINS] += e->nr;
		n[COUNT_PIN_CALLS]++;
		if (mapped_change(&d->s.mapped, e->pfn, e->nr, true))
			curve_set(&p->curve, e->time_ns, d->s.mapped.pages);
	}
}

static void deferred_call(struct replay_policy *p, const struct trace_event *e)
{
	deferred_timer((struct deferred_replay *)p, e->time_ns);
}

static void deferred_free(struct replay_policy *p)
{
	free(((struct deferred_replay *)p)->pages);
	strict_free(p);
}

struct replay_policy *replay_deferred(void)
{
	static const struct replay_ops ops = { deferred_pages, deferred_call, deferred_free };
	struct deferred_replay *d = xzalloc(sizeof(*d));

	d->s.p.ops = &ops;
	mapped_init(&d->s.mapped);
	return &d->s.p;
}
