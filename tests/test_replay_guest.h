/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A guest for tests of recording and replay: it follows the protocol and traces as the driver
 * does, in pages of the kernel's ring buffer.
 */
#ifndef TEST_REPLAY_GUEST_H
#define TEST_REPLAY_GUEST_H

#include "test_coiommu_fake.h"

#include "bench/record/ftrace.h"
#include "drivers/include/coiommu_batch.h"
#include "harness/util.h"

#define PAGES 16384ULL
#define REQUEST (PAGES - 1)
#define ROOT (PAGES - 2)
#define GUEST_CLOCK 7777777777ULL /* what the guest's shows when the host's shows 0 */
#define RING_PAGE 4096

static struct fake fake;
static struct coiommu_counters *counters;
static struct backend *backend;
static struct backend_vcpu *vcpu;
static struct guest guest;
static struct settings settings;

/* ---- What the guest's kernel writes --------------------------------------------------- */

static uint8_t *ring;
static size_t ring_len, ring_at;
static uint64_t ring_time;
static struct ftrace_format formats[GUEST_KINDS];

static void put(const void *data, size_t len)
{
	memcpy(ring + ring_at, data, len);
	ring_at += len;
}

static void new_page(uint64_t time)
{
	uint64_t commit = ring_at - (ring_len - RING_PAGE) - 16;

	if (ring_len)
		memcpy(ring + ring_len - RING_PAGE + 8, &commit, sizeof(commit));
	ring = xrealloc(ring, ring_len + RING_PAGE);
	memset(ring + ring_len, 0, RING_PAGE);
	ring_at = ring_len;
	ring_len += RING_PAGE;
	put(&time, sizeof(time));
	ring_at += 8;
	ring_time = time;
}

static void end_page(void)
{
	uint64_t time = ring_time;

	new_page(time);
	ring_len -= RING_PAGE; /* its header is written, the new one is not used */
}

static void trace(enum guest_event_kind kind, const uint64_t *v)
{
	uint64_t now = fake.clock + GUEST_CLOCK, delta;
	struct {
		uint32_t head;
		uint16_t id;
		uint8_t flags, preempt;
		int32_t pid;
	} head = { 0, (uint16_t)(100 + kind), 0, 0, 7 };

	if (!ring_len || ring_at + 80 > ring_len)
		new_page(now);
	delta = now - ring_time;
	if (delta >> 27) {
		uint32_t extend[2] = { 30 | (uint32_t)(delta & 0x7ffffff) << 5,
				       (uint32_t)(delta >> 27) };

		put(extend, sizeof(extend));
		delta = 0;
	}
	ring_time = now;
	head.head = 14 | (uint32_t)delta << 5; /* 56 bytes */
	put(&head, sizeof(head));
	put(v, GUEST_FIELDS * sizeof(*v));
}

/* In another order than the reader's, as tracefs writes it. */
static void make_formats(void)
{
	static const char *const names[GUEST_KINDS] = {
		"pfn nr more",
		"pfn nr more",
		"pfn nr more",
		"entries pages ns status",
		"reset maps unmaps requests refused request_ns",
	};

	for (int i = 0; i < GUEST_KINDS; i++) {
		char text[1024], all[64], *rest = NULL;
		int len = snprintf(text, sizeof(text), "name: x\nID: %d\nformat:\n", 100 + i),
		    at = 8;

		snprintf(all, sizeof(all), "%s", names[i]);
		for (char *n = strtok_r(all, " ", &rest); n;
		     n = strtok_r(NULL, " ", &rest), at += 8)
			len += snprintf(text + len, sizeof(text) - len,
					"\tfield:u64 %s;\toffset:%d;\tsize:8;\tsigned:0;\n", n, at);
		assert_int_equal(ftrace_format_parse(text, (enum guest_event_kind)i, &formats[i]),
				 0);
	}
	assert_int_equal(ftrace_format_parse("ID: 3\n", GUEST_MAP, &formats[0]), -EBADMSG);
	formats[0] = formats[1];
	formats[0].id = 100;
}

/* ---- The guest's driver --------------------------------------------------------------- */

static uint64_t maps, unmaps, requests, refused;
static uint64_t waited_ns; /* for all requests there were */
static uint32_t race;	   /* one step in so many is interrupted by a scan at the wrong moment */
static uint32_t state_random;

static uint32_t random_below(uint32_t n)
{
	return fake_random(&state_random) % n;
}

static void tick(void)
{
	fake.clock += 1 + random_below(3000);
}

static void maybe_race(void)
{
	if (race && !random_below(race))
		backend_scan(backend);
}

static void flush(struct coiommu_batch *b)
{
	struct coiommu_request *r = guest_page(&fake, REQUEST);
	uint64_t start = fake.clock, ns;
	uint32_t status;

	if (!b->nr)
		return;
	r->op = COIOMMU_OP_PIN;
	r->nr = b->nr;
	r->arg[COIOMMU_PIN_ARG_CPU] = 0;
	/* Else the clocks' distance is known exactly. */
	if (race)
		tick();
	status = guest_ring(&guest, vcpu, REQUEST);
	if (race)
		tick();
	ns = fake.clock - start;
	trace(GUEST_REQUEST, (uint64_t[GUEST_FIELDS]){ b->nr, b->pages, ns, status });
	requests++;
	waited_ns += ns;
	*b = (struct coiommu_batch){ 0 };
}

struct list {
	uint64_t pfn[8];
	uint32_t nr[8], entries;
	bool mapped;
};

static bool pinned(uint64_t pfn)
{
	return coiommu_unit_load(guest_unit(&guest, pfn)) & COIOMMU_UNIT_PINNED;
}

static void put_list(const struct list *l, enum guest_event_kind kind)
{
	for (uint32_t i = 0; i < l->entries; i++) {
		trace(kind, (uint64_t[GUEST_FIELDS]){ l->pfn[i], l->nr[i], i + 1 < l->entries });
		maybe_race();
		guest_unmap(&guest, l->pfn[i], l->nr[i]);
	}
}

static bool ask(const struct list *l)
{
	struct coiommu_request *r = guest_page(&fake, REQUEST);
	struct coiommu_batch b = { 0 };
	bool all = true;

	for (uint32_t i = 0; i < l->entries; i++) {
		for (uint32_t k = 0; k < l->nr[i]; k++) {
			if (pinned(l->pfn[i] + k) ||
			    coiommu_batch_add(&b, (__u64 *)r->entry, l->pfn[i] + k))
				continue;
			flush(&b);
			coiommu_batch_add(&b, (__u64 *)r->entry, l->pfn[i] + k);
		}
	}
	flush(&b);
	for (uint32_t i = 0; i < l->entries; i++)
		for (uint32_t k = 0; k < l->nr[i]; k++)
			all &= pinned(l->pfn[i] + k);
	return all;
}

static void map_list(struct list *l)
{
	bool missing = false;

	for (uint32_t i = 0; i < l->entries; i++) {
		for (uint32_t k = 0; k < l->nr[i]; k++)
			missing |= !(coiommu_unit_get(guest_unit(&guest, l->pfn[i] + k)) &
				     COIOMMU_UNIT_PINNED);
		maybe_race();
		trace(GUEST_MAP,
		      (uint64_t[GUEST_FIELDS]){ l->pfn[i], l->nr[i], i + 1 < l->entries });
	}
	l->mapped = true;
	if (missing && !ask(l)) {
		put_list(l, GUEST_UNDO);
		l->mapped = false;
		refused++;
		return;
	}
	maps++;
}

/* A list the device could not reach to its end: undone, and never a mapping. */
static void map_half_list(const struct list *l)
{
	for (uint32_t k = 0; k < l->nr[0]; k++)
		coiommu_unit_get(guest_unit(&guest, l->pfn[0] + k));
	trace(GUEST_MAP, (uint64_t[GUEST_FIELDS]){ l->pfn[0], l->nr[0], 1 });
	trace(GUEST_UNDO, (uint64_t[GUEST_FIELDS]){ l->pfn[0], l->nr[0], 0 });
	guest_unmap(&guest, l->pfn[0], l->nr[0]);
}

static void say_stats(bool reset)
{
	if (reset)
		maps = unmaps = requests = refused = 0;
	trace(GUEST_STATS, (uint64_t[GUEST_FIELDS]){ reset, maps, unmaps, requests, refused, 0 });
}

#endif
