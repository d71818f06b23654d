// SPDX-License-Identifier: GPL-2.0-only
/* Reads a trace once and hands it to all policies; windows; comparison with the recorded run. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "bench/replay/replay.h"
#include "bench/replay/table.h"
#include "memmap.h"
#include "trace_file.h"

#define PACKET 1024

const char *const replay_count_names[REPLAY_COUNTS] = {
	[COUNT_MAPS] = "maps",
	[COUNT_UNMAPS] = "unmaps",
	[COUNT_REFUSED_MAPS] = "refused_maps",
	[COUNT_REQUESTS] = "requests",
	[COUNT_PINS] = "pins",
	[COUNT_UNPINS] = "unpins",
	[COUNT_REFUSALS] = "refusals",
	[COUNT_EVICTIONS] = "evictions",
	[COUNT_HITS] = "hits",
	[COUNT_SPECULATED] = "speculated",
	[COUNT_PIN_CALLS] = "pin_calls",
	[COUNT_UNPIN_CALLS] = "unpin_calls",
	[COUNT_SCANNED] = "scanned_units",
};

/* ---- Events that make sense ----------------------------------------------------------- */

static uint32_t args_wanted(uint8_t kind)
{
	static const uint8_t wanted[TRACE_NR] = {
		[TRACE_GUEST] = TRACE_GUEST_ARGS,
		[TRACE_CONFIG] = TRACE_CONFIG_ARGS,
		[TRACE_MEM_ADD] = 7,
		[TRACE_MEM_REMOVE] = 3,
		[TRACE_MEM_LAZY] = 2,
		[TRACE_REQUEST] = TRACE_REQUEST_NS,
		[TRACE_PIN] = 2,
		[TRACE_RELEASE] = 2,
		[TRACE_FORGET] = 2,
		[TRACE_DROP] = 1,
		[TRACE_ADOPT] = 1,
		[TRACE_PARK] = 1,
		[TRACE_SCAN] = 1,
		[TRACE_MARK] = 2 + sizeof(struct coiommu_policy_counters) / sizeof(uint64_t),
		[TRACE_END] = 1,
	};

	return wanted[kind];
}

/* What no clock shows; so that no sum of times overflows, and no replay lasts for ever. */
static const char *time_wrong(const struct replay_totals *t, const struct trace_event *e)
{
	if (e->time_ns >= REPLAY_TIME_MAX_NS)
		return "a time that no clock shows";
	if (e->time_ns > t->begin_ns && e->time_ns - t->begin_ns > REPLAY_SPAN_MAX_NS)
		return "a time more than 30 days after the beginning";
	return NULL;
}

static bool power_of_two(uint64_t n)
{
	return n && !(n & (n - 1));
}

static bool config_valid(const uint64_t *v)
{
	return v[TRACE_CONFIG_UNPIN] <= POLICY_UNPIN_ADAPTIVE && v[TRACE_CONFIG_INTERVAL_NS] &&
	       v[TRACE_CONFIG_INTERVAL_NS] <= 86400000000000ULL &&
	       power_of_two(v[TRACE_CONFIG_RANGE_PAGES]) &&
	       v[TRACE_CONFIG_RANGE_PAGES] <= COIOMMU_LEAF_UNITS &&
	       v[TRACE_CONFIG_GENERATIONS] <= 255 && v[TRACE_CONFIG_LIMIT_PAGES] <= UINT32_MAX &&
	       (!v[TRACE_CONFIG_SPECULATE_PAGES] ||
		power_of_two(v[TRACE_CONFIG_SPECULATE_PAGES])) &&
	       v[TRACE_CONFIG_SPECULATE_PAGES] <= COIOMMU_LEAF_UNITS &&
	       v[TRACE_CONFIG_BATCH] <= 1 << 20;
}

static const char *call_wrong(const struct trace_event *e)
{
	const uint64_t *v = e->args.v;

	if (e->args.nr < args_wanted(e->kind))
		return "a call without all of its arguments";
	if (e->kind == TRACE_CONFIG && !config_valid(v))
		return "settings of the backend that it would not take";
	if ((e->kind == TRACE_PIN || e->kind == TRACE_RELEASE) &&
	    (v[0] >= TABLE_PAGES || !v[1] || v[1] > COIOMMU_REQUEST_PAGES))
		return "a request for impossible pages";
	if (e->kind == TRACE_FORGET && (v[0] >= 1ULL << 52 || v[1] > 1ULL << 52))
		return "impossible pages that went away";
	if (e->kind == TRACE_ADOPT && v[0] >= TABLE_PAGES / COIOMMU_LEAF_UNITS)
		return "an impossible block of pages";
	if (e->kind == TRACE_SCAN && (!v[0] || v[0] > 1 << 20))
		return "an impossible scan";
	return NULL;
}

/* ---- Memory --------------------------------------------------------------------------- */

bool replay_memory(struct memmap *map, uint8_t kind, const uint64_t *v)
{
	struct memmap_region r;

	switch (kind) {
	case TRACE_MEM_ADD:
		r = (struct memmap_region){ .iova = v[0],
					    .size = v[1],
					    .vaddr = v[2],
					    .flags = (uint32_t)v[3],
					    .containers = (uint32_t)v[4],
					    .lazy = v[5],
					    .writable = v[6] };
		memmap_add(map, &r);
		return true;
	case TRACE_MEM_REMOVE:
		memmap_remove(map, v[0], v[1], (uint32_t)v[2]);
		return true;
	case TRACE_MEM_LAZY:
		if (v[0] < map->nr)
			map->regions[v[0]].lazy = v[1];
		return true;
	default:
		return false;
	}
}

/* ---- Windows -------------------------------------------------------------------------- */

static void window_mark(struct replay_policy *p, uint64_t mark)
{
	if (mark == TRACE_MARK_BEGIN)
		p->at_begin = p->counts;
	if (mark != TRACE_MARK_END)
		return;
	for (int i = 0; i < REPLAY_COUNTS; i++)
		p->window.n[i] = p->counts.n[i] - p->at_begin.n[i];
	p->windowed = true;
	p->want_guest = true;
}

/* Since the guest's counts began again. */
static uint64_t guest_count(const struct replay_policy *p, enum replay_count count)
{
	return p->counts.n[count] - p->at_reset.n[count];
}

/* The guest's own counts begin and end a moment apart from the host's. */
static void window_guest(struct replay_policy *p, bool reset)
{
	static const enum replay_count own[] = { COUNT_MAPS, COUNT_UNMAPS, COUNT_REFUSED_MAPS };

	if (reset)
		p->at_reset = p->counts;
	for (size_t i = 0; !reset && p->want_guest && i < ARRAY_SIZE(own); i++)
		p->window.n[own[i]] = guest_count(p, own[i]);
	p->want_guest &= reset;
}

/* ---- Comparison with the recorded run ------------------------------------------------- */

/* In the order of struct coiommu_policy_counters; NULL: times and memory, which differ. */
static const char *const counter_names[] = {
	"pinned_pages",
	"pinned_pages_peak",
	"mappings",
	"mappings_peak",
	"pins",
	"unpins",
	"map_calls",
	"unmap_calls",
	"map_errors",
	"unmap_errors",
	NULL,
	NULL,
	"hits",
	"refused_pages",
	"refused_quota",
	"refused_memory",
	"released_idle",
	"released_quota",
	"released_guest",
	"released_forced",
	"repinned",
	"speculated",
	"speculation_hits",
	"speculation_misses",
	"scan_cycles",
	"scan_units",
	NULL,
	"busy_pages",
	"interval_ns",
	"quota_pages",
	"blocks",
	NULL,
};
_Static_assert(sizeof(counter_names) / sizeof(counter_names[0]) ==
		       sizeof(struct coiommu_policy_counters) / sizeof(uint64_t),
	       "a name for each counter");

static void compare(struct replay_policy *p, const char *name, uint64_t live, uint64_t replayed)
{
	p->check.compared++;
	if (live == replayed)
		return;
	if (!p->check.different++)
		snprintf(p->check.first, sizeof(p->check.first), "%s: %llu live, %llu replayed",
			 name, (unsigned long long)live, (unsigned long long)replayed);
}

void replay_check(struct replay_policy *p, const struct coiommu_policy_counters *n,
		  const struct trace_event *e)
{
	const uint64_t *v = e->args.v, *mine = (const uint64_t *)n;

	if (e->kind == TRACE_MARK) {
		compare(p, "pin_requests", v[1], p->counts.n[COUNT_REQUESTS]);
		for (size_t i = 0; i < ARRAY_SIZE(counter_names); i++)
			if (counter_names[i])
				compare(p, counter_names[i], v[2 + i], mine[i]);
	} else if (e->kind == TRACE_GUEST && !v[TRACE_GUEST_RESET]) {
		compare(p, "maps", v[TRACE_GUEST_MAPS], guest_count(p, COUNT_MAPS));
		compare(p, "unmaps", v[TRACE_GUEST_UNMAPS], guest_count(p, COUNT_UNMAPS));
		compare(p, "refused_maps", v[TRACE_GUEST_REFUSED],
			guest_count(p, COUNT_REFUSED_MAPS));
	}
}

struct policy_config replay_config(const struct trace_event *e)
{
	const uint64_t *v = e->args.v;

	return (struct policy_config){
		.unpin = (enum policy_unpin)v[TRACE_CONFIG_UNPIN],
		.interval_ns = v[TRACE_CONFIG_INTERVAL_NS],
		.limit_pages = (uint32_t)v[TRACE_CONFIG_LIMIT_PAGES],
		.generations = (uint32_t)v[TRACE_CONFIG_GENERATIONS],
		.quota_pages = v[TRACE_CONFIG_QUOTA_PAGES],
		.max_mappings = v[TRACE_CONFIG_MAX_MAPPINGS],
		.range_pages = (uint32_t)v[TRACE_CONFIG_RANGE_PAGES],
		.speculate_pages = (uint32_t)v[TRACE_CONFIG_SPECULATE_PAGES],
	};
}

/* ---- The run -------------------------------------------------------------------------- */

struct run {
	struct replay_policy *const *policies;
	size_t nr;
	struct replay_totals *totals;
	struct page_event packet[PACKET];
	size_t filled;
};

static void packet_flush(struct run *run)
{
	for (size_t i = 0; run->filled && i < run->nr; i++)
		run->policies[i]->ops->pages(run->policies[i], run->packet, run->filled);
	run->filled = 0;
}

static void note_totals(struct replay_totals *t, const struct trace_event *e)
{
	if (e->kind == TRACE_CONFIG) {
		t->config = replay_config(e);
	} else if (e->kind == TRACE_REQUEST && e->args.nr > TRACE_REQUEST_NS) {
		t->requests++;
		t->request_ns += e->args.v[TRACE_REQUEST_NS];
	} else if (e->kind == TRACE_MARK) {
		memcpy(&t->live, &e->args.v[2], sizeof(t->live));
	}
}

static void hand_call(struct run *run, const struct trace_event *e)
{
	packet_flush(run);
	note_totals(run->totals, e);
	for (size_t i = 0; i < run->nr; i++) {
		struct replay_policy *p = run->policies[i];

		if (p->ops->call)
			p->ops->call(p, e);
		if (e->kind == TRACE_MARK)
			window_mark(p, e->args.v[0]);
		else if (e->kind == TRACE_GUEST)
			window_guest(p, e->args.v[TRACE_GUEST_RESET]);
	}
}

static const char *policies_error(const struct run *run)
{
	for (size_t i = 0; i < run->nr; i++)
		if (run->policies[i]->error)
			return run->policies[i]->error;
	return NULL;
}

static const char *hand_event(struct run *run, const struct trace_event *e)
{
	const char *wrong = time_wrong(run->totals, e);

	if (wrong)
		return wrong;
	if (e->kind <= TRACE_UNDO) {
		struct page_event *page = &run->packet[run->filled++];

		if (e->pfn + e->nr > TABLE_PAGES)
			return "a frame beyond 256 TiB";
		*page = (struct page_event){ e->time_ns, e->pfn, (uint32_t)e->nr, e->kind,
					     e->more };
		run->totals->page_events++;
		if (run->filled < PACKET)
			return NULL;
		packet_flush(run);
		return policies_error(run);
	}
	wrong = call_wrong(e);
	if (!wrong)
		hand_call(run, e);
	return wrong ? wrong : policies_error(run);
}

/* All curves begin with the trace, so that their means can be compared. */
static void run_begin(struct run *run, uint64_t time_ns)
{
	run->totals->begin_ns = time_ns;
	for (size_t i = 0; i < run->nr; i++)
		curve_set(&run->policies[i]->curve, time_ns, 0);
}

static void run_end(struct run *run)
{
	packet_flush(run);
	for (size_t i = 0; i < run->nr; i++) {
		struct replay_policy *p = run->policies[i];

		curve_set(&p->curve, run->totals->end_ns, p->curve.value);
		if (!p->windowed)
			p->window = p->counts;
	}
}

int replay_run(struct trace_reader *r, struct replay_policy *const *policies, size_t nr,
	       struct replay_totals *totals, const char **error)
{
	struct run run = { .policies = policies, .nr = nr, .totals = totals };
	struct trace_event e = { 0 };
	int ret = 0;

	*totals = (struct replay_totals){ 0 };
	*error = NULL;
	while (!*error && (ret = trace_read(r, &e)) > 0) {
		if (!totals->events++)
			run_begin(&run, e.time_ns);
		if (e.time_ns > totals->end_ns)
			totals->end_ns = e.time_ns;
		*error = hand_event(&run, &e);
	}
	if (ret < 0)
		*error = r->error;
	if (*error)
		return -EBADMSG;
	run_end(&run);
	*error = policies_error(&run);
	return *error ? -EBADMSG : 0;
}
