// SPDX-License-Identifier: GPL-2.0-only
/*
 * coIOMMU in a replay: a guest that keeps units and asks as the driver does, and the backend's
 * own policy, with VFIO that never fails.
 *
 * With other settings than the recorded ones the guest's requests follow from its mappings, and
 * scans begin when the policy says. With the recorded settings the host's calls come in their
 * recorded order, and what they saw in units that the guest was changing at that moment is
 * taken from the recording where the guest's events, which carry a time and no order among
 * CPUs, say otherwise ("raced").
 */
#include <errno.h>
#include <string.h>

#include "bench/replay/coiommu_internal.h"
#include "trace_file.h"

/* ---- What the recorded call saw ------------------------------------------------------- */

static void next_surprise(struct coiommu_replay *c)
{
	c->surprise = c->look < c->looks_end;
	if (c->surprise && !trace_number(&c->look, c->looks_end, &c->until_surprise))
		c->p.error = "a malformed list of looks";
}

static void looks_begin(struct coiommu_replay *c, const struct trace_event *e)
{
	c->look = e->looks;
	c->looks_end = e->looks + e->looks_len;
	c->looks_left = 0;
	if (e->looks_len && !trace_number(&c->look, c->looks_end, &c->looks_left))
		c->p.error = "a malformed list of looks";
	next_surprise(c);
}

static void looks_end(struct coiommu_replay *c)
{
	if (c->p.as_recorded && (c->looks_left || c->surprise))
		c->p.error = "the recorded backend looked at more than this policy does: was it "
			     "another version?";
}

/* The recorded result of the next look. */
static uint32_t look(struct coiommu_replay *c, enum trace_look what, uint32_t seen)
{
	uint64_t value;

	if (!c->p.as_recorded)
		return seen;
	if (!c->looks_left) {
		c->p.error = "this policy looks at more than the recorded backend did: was it "
			     "another version?";
		return seen;
	}
	c->looks_left--;
	if (c->surprise && !c->until_surprise) {
		if (!trace_number(&c->look, c->looks_end, &value) || value > UINT32_MAX) {
			c->p.error = "a malformed list of looks";
			return seen;
		}
		c->predictor.last[what] = (uint32_t)value;
		next_surprise(c);
	} else {
		c->until_surprise -= c->surprise;
	}
	return c->predictor.last[what];
}

/* ---- What the policy asks for --------------------------------------------------------- */

static int op_map(void *ctx, uint64_t pfn, uint32_t nr)
{
	return -(int)look(ctx, TRACE_LOOK_MAP, 0);
}

static int op_unmap(void *ctx, uint64_t pfn, uint32_t nr)
{
	return -(int)look(ctx, TRACE_LOOK_UNMAP, 0);
}

static uint64_t op_now(void *ctx)
{
	return ((struct coiommu_replay *)ctx)->now_ns;
}

static uint32_t *op_leaf(void *ctx, uint64_t block)
{
	struct coiommu_replay *c = ctx;

	if (block >= TABLE_PAGES / COIOMMU_LEAF_UNITS ||
	    look(c, TRACE_LOOK_NO_LEAF, !c->p.as_recorded && !*table_slot(&c->units, block)))
		return NULL;
	return table_leaf(&c->units, block);
}

static enum policy_memory op_memory(void *ctx, uint64_t pfn, uint64_t *end)
{
	return memmap_memory(&((struct coiommu_replay *)ctx)->memory, pfn, end);
}

static bool op_contended(void *ctx)
{
	return look(ctx, TRACE_LOOK_CONTENDED, 0);
}

static uint32_t op_look(void *ctx, enum policy_look what, uint32_t seen)
{
	struct coiommu_replay *c = ctx;
	uint32_t recorded = look(c, (enum trace_look)what, seen);

	c->p.looks++;
	c->p.raced += recorded != seen;
	return recorded;
}

static const struct policy_ops policy_ops = {
	.map = op_map,
	.unmap = op_unmap,
	.now_ns = op_now,
	.leaf = op_leaf,
	.memory = op_memory,
	.contended = op_contended,
	.look = op_look,
};

void coiommu_replay_update(struct coiommu_replay *c)
{
	uint64_t *n = c->p.counts.n;

	n[COUNT_PINS] = c->n.pins;
	n[COUNT_UNPINS] = c->n.unpins;
	n[COUNT_REFUSALS] = c->n.refused_pages;
	n[COUNT_EVICTIONS] = c->n.released_quota;
	n[COUNT_HITS] = c->n.hits;
	n[COUNT_SPECULATED] = c->n.speculated;
	n[COUNT_PIN_CALLS] = c->n.map_calls;
	n[COUNT_UNPIN_CALLS] = c->n.unmap_calls;
	n[COUNT_SCANNED] = c->n.scan_units;
	curve_set(&c->p.curve, c->now_ns, c->n.pinned_pages);
}

/* Each cycle without a pause. */
void coiommu_replay_scan_due(struct coiommu_replay *c, uint64_t time_ns)
{
	while (c->policy && c->deadline_ns <= time_ns) {
		if (c->deadline_ns > c->now_ns)
			c->now_ns = c->deadline_ns;
		while (policy_scan(c->policy, c->batch))
			;
		coiommu_replay_update(c);
		c->deadline_ns = policy_deadline(c->policy);
	}
}

/* ---- The host ------------------------------------------------------------------------- */

static void configure(struct coiommu_replay *c, const struct trace_event *e)
{
	if (c->policy) {
		c->p.error = "a trace of two backends";
		return;
	}
	if (c->p.as_recorded)
		c->config = replay_config(e);
	else
		c->config.max_mappings = replay_config(e).max_mappings;
	c->batch = (uint32_t)e->args.v[TRACE_CONFIG_BATCH];
	if (!c->batch)
		c->batch = 1;
	c->policy = policy_new(&c->config, &policy_ops, c, &c->n);
	if (!c->p.as_recorded)
		c->deadline_ns = policy_deadline(c->policy);
	curve_set(&c->p.curve, c->now_ns, 0);
}

/* The table is gone, and with it all units. */
static void drop(struct coiommu_replay *c, bool clear_units)
{
	policy_drop(c->policy, clear_units);
	if (!clear_units)
		table_free(&c->units);
}

/* Calls that come from outside, whatever the settings are. */
static void outside_call(struct coiommu_replay *c, const struct trace_event *e)
{
	const uint64_t *v = e->args.v;

	switch (e->kind) {
	case TRACE_RELEASE:
		policy_release(c->policy, v[0], (uint32_t)v[1]);
		break;
	case TRACE_FORGET:
		policy_forget(c->policy, v[0], v[1]);
		break;
	case TRACE_DROP:
		drop(c, v[0]);
		break;
	case TRACE_ADOPT:
		policy_adopt(c->policy, v[0]);
		break;
	case TRACE_PARK:
		policy_park(c->policy, v[0]);
		break;
	default:
		replay_memory(&c->memory, e->kind, v);
	}
	if (!c->p.as_recorded)
		c->deadline_ns = policy_deadline(c->policy);
}

static void policy_call(struct coiommu_replay *c, const struct trace_event *e)
{
	const uint64_t *v = e->args.v;

	if (e->kind == TRACE_REQUEST)
		c->p.counts.n[COUNT_REQUESTS] += c->p.as_recorded;
	else if (e->kind == TRACE_PIN && c->p.as_recorded)
		policy_pin(c->policy, v[0], (uint32_t)v[1]);
	else if (e->kind == TRACE_SCAN && c->p.as_recorded)
		policy_scan(c->policy, (uint32_t)v[0]);
	else if (e->kind != TRACE_REQUEST && e->kind != TRACE_PIN && e->kind != TRACE_SCAN)
		outside_call(c, e);
}

static void call(struct replay_policy *p, const struct trace_event *e)
{
	struct coiommu_replay *c = self(p);

	if (e->time_ns >= c->deadline_ns)
		coiommu_replay_scan_due(c, e->time_ns);
	/* A cycle's start decides when the next one is due: exactly then. */
	if (p->as_recorded || e->time_ns > c->now_ns)
		c->now_ns = e->time_ns;
	if (e->kind == TRACE_CONFIG)
		configure(c, e);
	if (p->as_recorded)
		replay_check(p, &c->n, e);
	if (e->kind <= TRACE_CONFIG || e->kind >= TRACE_MARK)
		return;
	if (!c->policy) {
		p->error = "the backend's settings are missing";
		return;
	}
	if (p->as_recorded)
		looks_begin(c, e);
	policy_call(c, e);
	if (p->as_recorded)
		looks_end(c);
	coiommu_replay_update(c);
}

static void coiommu_free(struct replay_policy *p)
{
	struct coiommu_replay *c = self(p);

	policy_free(c->policy);
	memmap_free(&c->memory);
	table_free(&c->units);
	free(c->call.v);
	free(c->refused.v);
	free(c);
}

static const struct replay_ops ops = { .pages = coiommu_replay_pages,
				       .call = call,
				       .free = coiommu_free };

struct replay_policy *replay_coiommu(const struct policy_config *config)
{
	static const struct trace_predictor start = TRACE_PREDICTOR_INIT;
	struct coiommu_replay *c = xzalloc(sizeof(*c));

	c->p.ops = &ops;
	c->p.as_recorded = !config;
	if (config)
		c->config = *config;
	c->predictor = start;
	c->deadline_ns = UINT64_MAX;
	c->units.entry_bytes = sizeof(uint32_t);
	return &c->p;
}
