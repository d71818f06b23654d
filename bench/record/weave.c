// SPDX-License-Identifier: GPL-2.0-only
/* One trace of what guest and host recorded; see weave.h. */
#include "bench/record/weave.h"

#include <errno.h>
#include <string.h>

#include "harness/util.h"
#include "trace_file.h"

#define OPEN_CALLS 64 /* contexts of a CPU that are amid a scatter list */

/* A call of the DMA API, of one or more entries. */
struct call {
	uint64_t context;
	enum guest_event_kind kind;
	bool open;
	struct guest_event *entries;
	size_t nr, cap;
};

/* One CPU of the guest and what it did next, complete. */
struct cpu {
	struct ftrace_cpu *source;
	struct call calls[OPEN_CALLS];
	bool has_next;
	struct guest_event next; /* of a call: its last entry, and */
	struct call *call;
	uint64_t waits_pages; /* of its request are still to be pinned */
};

struct weaver {
	const struct weave_input *in;
	struct trace_reader host;
	struct trace_writer out;
	struct cpu *cpus;
	int64_t offset_ns; /* host's clock less the guest's */
	uint64_t last_ns;
	uint64_t host_calls;
	const char *error;
};

static int fail(struct weaver *w, const char *error)
{
	if (!w->error)
		w->error = error;
	return -EBADMSG;
}

/* ---- The guest ------------------------------------------------------------------------ */

static struct call *find_call(struct cpu *cpu, uint64_t context)
{
	struct call *unused = NULL;

	for (size_t i = 0; i < OPEN_CALLS; i++) {
		if (cpu->calls[i].open && cpu->calls[i].context == context)
			return &cpu->calls[i];
		if (!cpu->calls[i].open)
			unused = &cpu->calls[i];
	}
	return unused;
}

static void add_entry(struct call *call, const struct guest_event *e)
{
	if (call->nr == call->cap) {
		call->cap = call->cap ? call->cap * 2 : 16;
		call->entries = xrealloc(call->entries, call->cap * sizeof(call->entries[0]));
	}
	call->entries[call->nr++] = *e;
}

/*
 * Takes an entry of a call; true if that made it complete. A list that could not be mapped to
 * its end is undone at once: as if it had never been begun.
 */
static bool take_entry(struct weaver *w, struct cpu *cpu, const struct guest_event *e)
{
	struct call *call = find_call(cpu, e->context);
	bool more = e->v[2], half;

	if (!call) {
		fail(w, "too many calls of the guest are under way at once");
		return false;
	}
	if (!call->open)
		*call = (struct call){ .context = e->context,
				       .kind = e->kind,
				       .entries = call->entries,
				       .cap = call->cap };
	half = call->open && call->kind == GUEST_MAP && e->kind == GUEST_UNDO;
	if (call->kind != e->kind && !half)
		fail(w, "events of the guest are missing within a call");
	call->open = more;
	if (half) {
		call->nr = 0;
		return false;
	}
	add_entry(call, e);
	cpu->call = call;
	return !more;
}

static bool served(const struct guest_event *e)
{
	return e->v[3] == COIOMMU_OK || e->v[3] == COIOMMU_REFUSED;
}

/* Reads up to the next complete call or other event. */
static int advance(struct weaver *w, struct cpu *cpu)
{
	struct guest_event e = { 0 };
	int ret;

	cpu->has_next = false;
	while ((ret = ftrace_next(cpu->source, w->in->formats, &e, &w->error)) == 1) {
		bool whole = e.kind > GUEST_UNDO;

		/* What the host does not serve is not in its log either. */
		if (e.kind == GUEST_REQUEST && !served(&e))
			continue;
		cpu->call = NULL;
		if (!whole)
			whole = take_entry(w, cpu, &e);
		if (w->error)
			return -EBADMSG;
		if (!whole)
			continue;
		cpu->next = e;
		cpu->has_next = true;
		return 0;
	}
	return ret;
}

static uint64_t host_time(const struct weaver *w, const struct cpu *cpu)
{
	return cpu->next.time_ns + (uint64_t)w->offset_ns;
}

/* Writes what the CPU did next. */
static int emit(struct weaver *w, struct cpu *cpu)
{
	static const uint8_t kinds[] = { TRACE_MAP, TRACE_UNMAP, TRACE_UNDO };
	const struct guest_event *e = &cpu->next;
	uint64_t time = host_time(w, cpu);

	time = time > w->last_ns ? time : w->last_ns;
	w->last_ns = time;
	for (size_t i = 0; cpu->call && i < cpu->call->nr; i++) {
		bool more = i + 1 < cpu->call->nr;

		trace_write_pages(&w->out, kinds[e->kind] | (more ? TRACE_MORE : 0), time,
				  cpu->call->entries[i].v[0], cpu->call->entries[i].v[1]);
	}
	if (e->kind == GUEST_STATS) {
		struct trace_args args = { .nr = TRACE_GUEST_ARGS };

		memcpy(args.v, e->v, sizeof(e->v));
		trace_write_call(&w->out, TRACE_GUEST, time, &args, NULL);
	}
	return advance(w, cpu);
}

static bool blocked(const struct cpu *cpu)
{
	return !cpu->has_next || cpu->waits_pages || cpu->next.kind == GUEST_REQUEST;
}

/* All that the guest did up to then. */
static int emit_until(struct weaver *w, uint64_t time_ns)
{
	for (;;) {
		struct cpu *first = NULL;
		int ret;

		for (size_t i = 0; i < w->in->nr_cpus; i++) {
			struct cpu *cpu = &w->cpus[i];

			if (!blocked(cpu) && host_time(w, cpu) <= time_ns &&
			    (!first || cpu->next.time_ns < first->next.time_ns))
				first = cpu;
		}
		if (!first)
			return 0;
		ret = emit(w, first);
		if (ret)
			return ret;
	}
}

/* ---- The host ------------------------------------------------------------------------- */

/* The request began in the host at time_ns and was over in the guest at its event's time. */
static void adjust_clocks(struct weaver *w, const struct guest_event *e, uint64_t time_ns)
{
	int64_t low = (int64_t)(time_ns - e->time_ns), high = low + (int64_t)e->v[2];

	if (w->offset_ns < low)
		w->offset_ns = low;
	if (w->offset_ns > high)
		w->offset_ns = high;
}

/* How long the guest waited, which it alone knows, becomes an argument. */
static int take_request(struct weaver *w, struct trace_event *h)
{
	struct cpu *cpu;

	if (h->args.nr < TRACE_REQUEST_NS || h->args.v[TRACE_REQUEST_CPU] >= w->in->nr_cpus)
		return fail(w, "the backend's log names a CPU that the guest does not have");
	cpu = &w->cpus[h->args.v[TRACE_REQUEST_CPU]];
	cpu->waits_pages = 0;
	while (cpu->has_next && cpu->next.kind != GUEST_REQUEST) {
		int ret = emit(w, cpu);

		if (ret)
			return ret;
	}
	if (!cpu->has_next)
		return fail(w, "a request is in the backend's log and not in the guest's trace");
	if (cpu->next.v[0] != h->args.v[TRACE_REQUEST_ENTRIES] ||
	    cpu->next.v[1] != h->args.v[TRACE_REQUEST_PAGES])
		return fail(w, "requests of guest and backend do not match");
	adjust_clocks(w, &cpu->next, h->time_ns);
	h->args.nr = TRACE_REQUEST_ARGS;
	h->args.v[TRACE_REQUEST_NS] = cpu->next.v[2];
	cpu->waits_pages = h->args.v[TRACE_REQUEST_PAGES];
	return advance(w, cpu);
}

static int take_pin(struct weaver *w, const struct trace_event *h)
{
	struct cpu *cpu;

	if (h->args.nr < 3 || h->args.v[2] >= w->in->nr_cpus)
		return fail(w, "the backend's log names a CPU that the guest does not have");
	cpu = &w->cpus[h->args.v[2]];
	cpu->waits_pages -= h->args.v[1] < cpu->waits_pages ? h->args.v[1] : cpu->waits_pages;
	return 0;
}

static int take_host(struct weaver *w, struct trace_event *h)
{
	const struct trace_bytes looks = { .data = (uint8_t *)h->looks, .len = h->looks_len };
	int ret = emit_until(w, h->time_ns);

	if (!ret && h->kind == TRACE_REQUEST)
		ret = take_request(w, h);
	if (!ret && h->kind == TRACE_PIN)
		ret = take_pin(w, h);
	if (ret)
		return ret;
	if (h->kind == TRACE_DROP) /* who waited for the table waits no more */
		for (size_t i = 0; i < w->in->nr_cpus; i++)
			w->cpus[i].waits_pages = 0;
	trace_write_call(&w->out, (enum trace_kind)h->kind, h->time_ns, &h->args, &looks);
	w->last_ns = h->time_ns > w->last_ns ? h->time_ns : w->last_ns;
	w->host_calls++;
	return 0;
}

/* All that came before the mark, and the mark. */
static int take_mark(struct weaver *w, const struct weave_mark *mark)
{
	struct trace_args args = { .nr = 2 + sizeof(mark->at.policy) / sizeof(uint64_t),
				   .v = { mark->mark, mark->at.requests.pin_requests } };
	struct trace_event h = { 0 };
	int ret = 0;

	while (!ret && w->host_calls < mark->at.seq / 2) {
		ret = trace_read(&w->host, &h);
		if (!ret)
			return fail(w, "the backend's log is shorter than its counters say");
		ret = ret < 0 ? fail(w, w->host.error) : take_host(w, &h);
	}
	if (!ret)
		ret = emit_until(w, mark->time_ns);
	memcpy(&args.v[2], &mark->at.policy, sizeof(mark->at.policy));
	if (!ret)
		trace_write_call(&w->out, TRACE_MARK, mark->time_ns, &args, NULL);
	w->last_ns = mark->time_ns > w->last_ns ? mark->time_ns : w->last_ns;
	return ret;
}

/* The clocks' distance at the first request of all. */
static int first_offset(struct weaver *w)
{
	const char *error = NULL;
	struct trace_event h = { 0 };
	struct guest_event e = { 0 };
	struct ftrace_cpu copy;
	int ret;

	while ((ret = trace_read(&w->host, &h)) > 0 && h.kind != TRACE_REQUEST)
		;
	trace_rewind(&w->host);
	if (ret <= 0)
		return fail(w, w->host.error ? w->host.error : "the backend saw no request");
	if (h.args.nr < TRACE_REQUEST_NS || h.args.v[TRACE_REQUEST_CPU] >= w->in->nr_cpus)
		return fail(w, "the backend's log names a CPU that the guest does not have");
	copy = w->in->cpus[h.args.v[TRACE_REQUEST_CPU]];
	do
		ret = ftrace_next(&copy, w->in->formats, &e, &error);
	while (ret == 1 && (e.kind != GUEST_REQUEST || !served(&e)));
	if (ret != 1)
		return fail(w, error ? error : "the guest's trace has no request");
	w->offset_ns = (int64_t)(h.time_ns - e.time_ns + e.v[2] / 2);
	return 0;
}

static int weave_all(struct weaver *w)
{
	int ret = first_offset(w);

	for (size_t i = 0; !ret && i < w->in->nr_cpus; i++)
		ret = advance(w, &w->cpus[i]);
	for (size_t i = 0; !ret && i < w->in->nr_marks; i++)
		ret = take_mark(w, &w->in->marks[i]);
	return ret;
}

int weave(const struct weave_input *in, int fd, const char **error)
{
	struct weaver w = { .in = in };
	int ret = trace_reader_open(&w.host, in->host_fd), err;

	*error = NULL;
	if (ret) {
		*error = w.host.error;
		return ret;
	}
	w.host.unfinished_ok = true;
	w.cpus = xzalloc(in->nr_cpus * sizeof(w.cpus[0]));
	for (size_t i = 0; i < in->nr_cpus; i++)
		w.cpus[i].source = &in->cpus[i];
	trace_writer_init(&w.out, fd);
	ret = weave_all(&w);
	err = trace_writer_finish(&w.out, w.last_ns);
	for (size_t i = 0; i < in->nr_cpus; i++)
		for (size_t k = 0; k < OPEN_CALLS; k++)
			free(w.cpus[i].calls[k].entries);
	free(w.cpus);
	trace_reader_close(&w.host);
	*error = w.error;
	return ret ? ret : err;
}
