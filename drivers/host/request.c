// SPDX-License-Identifier: GPL-2.0-only
/*
 * The guest's side of the backend: registers and requests. Everything here comes from the
 * guest and may be anything; the request page may change while it is read, so it is copied
 * once and only the copy is believed.
 */
#include "backend_internal.h"
#include "request_runs.h"

#include <stddef.h>
#include <string.h>

#define FEATURES (COIOMMU_F_RUNS | COIOMMU_F_DEVICES | COIOMMU_F_PARK | COIOMMU_F_RELEASE)

static void lock_timed(struct backend *b, struct backend_vcpu *vcpu)
{
	uint64_t start = b->sys->now_ns(b->ctx);

	backend_lock(b);
	vcpu->n->lock_wait_ns += b->sys->now_ns(b->ctx) - start;
}

/* All runs together, or UINT64_MAX if the request is malformed. */
static uint64_t count_pages(const struct coiommu_request *r)
{
	uint64_t pages = 0;

	if (r->nr > COIOMMU_REQUEST_ENTRIES)
		return UINT64_MAX;
	for (uint32_t i = 0; i < r->nr; i++)
		pages += COIOMMU_RUN_NR(r->entry[i]);
	return pages <= COIOMMU_REQUEST_PAGES ? pages : UINT64_MAX;
}

static uint32_t call_policy_locked(struct backend *b, const struct coiommu_request *r,
				   enum trace_kind kind, uint64_t pfn, uint32_t nr)
{
	uint32_t done;

	backend_record_locked(b, kind, RECORD_ARGS(pfn, nr, r->arg[COIOMMU_PIN_ARG_CPU]));
	done = kind == TRACE_PIN ? policy_pin(b->policy, pfn, nr)
				 : policy_release(b->policy, pfn, nr);
	record_end(b->record);
	return done;
}

/* Pins or releases all runs in batches. Stops when the table goes away. */
static uint32_t for_runs(struct backend *b, struct backend_vcpu *vcpu, enum trace_kind kind)
{
	struct request_cursor cursor = { 0 };
	uint32_t nr, done = 0;
	uint64_t pfn;

	while (request_next(&vcpu->request, &cursor, &pfn, &nr)) {
		lock_timed(b, vcpu);
		if (b->dtt.levels)
			done += call_policy_locked(b, &vcpu->request, kind, pfn, nr);
		backend_unlock(b);
	}
	return done;
}

static uint32_t serve_pin(struct backend *b, struct backend_vcpu *vcpu)
{
	struct coiommu_request *r = &vcpu->request;
	uint64_t pages = count_pages(r);

	if (pages == UINT64_MAX)
		return COIOMMU_BAD_ARG;
	lock_timed(b, vcpu);
	backend_record_locked(b, TRACE_REQUEST,
			      RECORD_ARGS(r->arg[COIOMMU_PIN_ARG_CPU], r->nr, pages));
	vcpu->n->pin_requests++;
	vcpu->n->pin_entries += r->nr;
	vcpu->n->pin_pages += pages;
	record_end(b->record);
	backend_unlock(b);
	r->done = for_runs(b, vcpu, TRACE_PIN);
	if (r->done == pages)
		return COIOMMU_OK;
	vcpu->n->refused_requests++;
	return COIOMMU_REFUSED;
}

static uint32_t serve_release(struct backend *b, struct backend_vcpu *vcpu)
{
	if (count_pages(&vcpu->request) == UINT64_MAX)
		return COIOMMU_BAD_ARG;
	vcpu->request.done = for_runs(b, vcpu, TRACE_RELEASE);
	return COIOMMU_OK;
}

static uint32_t serve_activate(struct backend *b, struct backend_vcpu *vcpu)
{
	struct coiommu_request *r = &vcpu->request;
	uint64_t end = 0;
	int err;

	if (r->arg[2] >> 16 != COIOMMU_VERSION_MAJOR)
		return COIOMMU_BAD_ARG;
	lock_timed(b, vcpu);
	err = backend_activate_locked(b, r->arg[0], r->arg[1]);
	for (uint32_t i = 0; i < b->memmap.nr; i++) {
		const struct memmap_region *region = &b->memmap.regions[i];

		if (region->iova + region->size > end)
			end = region->iova + region->size;
	}
	backend_unlock(b);
	if (err)
		return COIOMMU_BAD_ARG;
	return end && backend_adopt(b, 0, end) ? COIOMMU_REFUSED : COIOMMU_OK;
}

static uint32_t serve_deactivate(struct backend *b, struct backend_vcpu *vcpu)
{
	lock_timed(b, vcpu);
	if (b->dtt.levels)
		b->counters->deactivations++;
	backend_deactivate_locked(b, true);
	backend_unlock(b);
	return COIOMMU_OK;
}

static uint32_t serve_park(struct backend *b, struct backend_vcpu *vcpu)
{
	lock_timed(b, vcpu);
	backend_park_locked(b, vcpu->request.op == COIOMMU_OP_PARK);
	backend_unlock(b);
	return COIOMMU_OK;
}

static uint32_t serve_devices(struct backend *b, struct backend_vcpu *vcpu)
{
	struct coiommu_request *r = &vcpu->request;

	lock_timed(b, vcpu);
	r->done = b->nr_devices;
	memcpy(r->entry, b->devices, b->nr_devices * sizeof(b->devices[0]));
	backend_unlock(b);
	return COIOMMU_OK;
}

static uint32_t serve_info(struct backend *b, struct backend_vcpu *vcpu)
{
	const struct coiommu_policy_counters *n = &b->counters->policy;
	uint64_t *arg = (uint64_t *)vcpu->request.arg;

	lock_timed(b, vcpu);
	arg[COIOMMU_INFO_PINNED_PAGES] = n->pinned_pages;
	arg[COIOMMU_INFO_QUOTA_PAGES] = n->quota_pages;
	arg[COIOMMU_INFO_MAPPINGS] = n->mappings;
	arg[COIOMMU_INFO_INTERVAL_NS] = n->interval_ns;
	arg[COIOMMU_INFO_CYCLES] = n->scan_cycles;
	backend_unlock(b);
	return COIOMMU_OK;
}

static uint32_t serve_nop(struct backend *b, struct backend_vcpu *vcpu)
{
	return COIOMMU_OK;
}

static const struct {
	uint32_t (*serve)(struct backend *b, struct backend_vcpu *vcpu);
	bool needs_table;
} ops[COIOMMU_OP_NR] = {
	[COIOMMU_OP_NOP] = { serve_nop, false },
	[COIOMMU_OP_ACTIVATE] = { serve_activate, false },
	[COIOMMU_OP_DEACTIVATE] = { serve_deactivate, false },
	[COIOMMU_OP_PIN] = { serve_pin, true },
	[COIOMMU_OP_RELEASE] = { serve_release, true },
	[COIOMMU_OP_PARK] = { serve_park, true },
	[COIOMMU_OP_UNPARK] = { serve_park, true },
	[COIOMMU_OP_DEVICES] = { serve_devices, false },
	[COIOMMU_OP_INFO] = { serve_info, false },
};

/* The copy whose op and nr decide what follows: nothing is read from the guest twice. */
static bool fetch(struct backend *b, struct backend_vcpu *vcpu, uint64_t pfn)
{
	const struct coiommu_request *page;

	lock_timed(b, vcpu);
	page = backend_page_locked(b, pfn);
	if (page) {
		memcpy(&vcpu->request, page, offsetof(struct coiommu_request, entry));
		if (vcpu->request.nr <= COIOMMU_REQUEST_ENTRIES)
			memcpy(vcpu->request.entry, page->entry,
			       vcpu->request.nr * sizeof(page->entry[0]));
	}
	backend_unlock(b);
	return page != NULL;
}

static void reply(struct backend *b, struct backend_vcpu *vcpu, uint64_t pfn)
{
	const struct coiommu_request *r = &vcpu->request;
	struct coiommu_request *page;

	lock_timed(b, vcpu);
	page = backend_page_locked(b, pfn); /* it may be gone by now */
	if (page) {
		page->done = r->done;
		memcpy(page->arg, r->arg, sizeof(r->arg));
		if (r->op == COIOMMU_OP_DEVICES)
			memcpy(page->entry, r->entry, r->done * sizeof(r->entry[0]));
		__atomic_store_n(&page->status, vcpu->status, __ATOMIC_RELEASE);
	}
	backend_unlock(b);
}

static uint32_t serve(struct backend *b, struct backend_vcpu *vcpu)
{
	uint32_t op = vcpu->request.op;
	bool active;

	vcpu->request.done = 0;
	if (op >= COIOMMU_OP_NR)
		return COIOMMU_BAD_OP;
	lock_timed(b, vcpu);
	active = b->dtt.levels != 0;
	backend_unlock(b);
	if (ops[op].needs_table && !active)
		return COIOMMU_INACTIVE;
	return ops[op].serve(b, vcpu);
}

static void doorbell(struct backend *b, struct backend_vcpu *vcpu, uint64_t pfn)
{
	uint64_t start = b->sys->now_ns(b->ctx), ns;

	vcpu->n->requests++;
	vcpu->status = COIOMMU_BAD_PAGE;
	if (fetch(b, vcpu, pfn)) {
		vcpu->status = serve(b, vcpu);
		reply(b, vcpu, pfn);
	}
	if (vcpu->status >= COIOMMU_BAD_PAGE && vcpu->status <= COIOMMU_BAD_ARG)
		vcpu->n->bad_requests++;
	ns = b->sys->now_ns(b->ctx) - start;
	vcpu->n->request_ns += ns;
	vcpu->n->latency[coiommu_histogram_bucket(ns)]++;
}

static uint32_t register_read(struct backend *b, const struct backend_vcpu *vcpu, uint32_t offset)
{
	switch (offset) {
	case COIOMMU_REG_MAGIC:
		return COIOMMU_MAGIC;
	case COIOMMU_REG_VERSION:
		return COIOMMU_VERSION;
	case COIOMMU_REG_FEATURES:
		return FEATURES | (b->settings.static_before ? COIOMMU_F_STATIC : 0);
	default:
		return vcpu->status;
	}
}

void backend_port(struct backend *b, struct backend_vcpu *vcpu, bool write, uint32_t offset,
		  uint32_t size, void *data)
{
	uint32_t value;

	vcpu->n->exits++;
	if (size != sizeof(value) || offset % sizeof(value) || offset >= COIOMMU_PORT_NR) {
		if (!write)
			memset(data, 0xff, size);
		return;
	}
	if (!write) {
		value = register_read(b, vcpu, offset);
		memcpy(data, &value, sizeof(value));
		return;
	}
	memcpy(&value, data, sizeof(value));
	if (offset == COIOMMU_REG_REQUEST)
		doorbell(b, vcpu, value);
}
