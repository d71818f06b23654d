// SPDX-License-Identifier: GPL-2.0-only
/* The backend's log of what it did; see record.h. */
#include "record.h"

#include <stdbool.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "coiommu_counters.h"

struct record {
	struct trace_writer w;
	uint64_t *seq, *errors;
	struct trace_predictor predictor;
	enum trace_kind kind;
	uint64_t now_ns;
	bool first_now;
	struct trace_args args;
	uint64_t looks, passed;
	struct trace_bytes surprises, text;
};

struct record *record_new(uint64_t *seq, uint64_t *errors)
{
	static const struct trace_predictor start = TRACE_PREDICTOR_INIT;
	int fd = memfd_create(COIOMMU_TRACE_MEMFD, MFD_CLOEXEC);
	struct record *r;

	if (fd < 0)
		return NULL;
	r = calloc(1, sizeof(*r));
	if (!r)
		abort();
	trace_writer_init(&r->w, fd);
	r->predictor = start;
	r->seq = seq;
	r->errors = errors;
	return r;
}

void record_free(struct record *r)
{
	if (!r)
		return;
	trace_bytes_free(&r->w.frame);
	trace_bytes_free(&r->surprises);
	trace_bytes_free(&r->text);
	close(r->w.fd);
	free(r);
}

static void advance(struct record *r)
{
	__atomic_store_n(r->seq, *r->seq + 1, __ATOMIC_SEQ_CST);
}

void record_begin(struct record *r, enum trace_kind kind, uint64_t now_ns,
		  const struct trace_args *args)
{
	if (!r)
		return;
	advance(r);
	r->kind = kind;
	r->now_ns = now_ns;
	r->first_now = true;
	r->args = *args;
	r->looks = r->passed = 0;
	r->surprises.len = r->text.len = 0;
}

void record_end(struct record *r)
{
	if (!r)
		return;
	if (r->looks) {
		trace_bytes_number(&r->text, r->looks);
		trace_bytes_add(&r->text, r->surprises.data, r->surprises.len);
	}
	trace_write_call(&r->w, r->kind, r->now_ns, &r->args, &r->text);
	trace_writer_flush(&r->w);
	if (r->w.err)
		*r->errors = (uint64_t)-r->w.err;
	advance(r);
}

uint64_t record_now(struct record *r, uint64_t now_ns)
{
	if (!r || !r->first_now)
		return now_ns;
	r->first_now = false;
	return r->now_ns;
}

void record_look(struct record *r, enum trace_look what, uint32_t seen)
{
	if (!r)
		return;
	r->looks++;
	if (r->predictor.last[what] == seen) {
		r->passed++;
		return;
	}
	trace_bytes_number(&r->surprises, r->passed);
	trace_bytes_number(&r->surprises, seen);
	r->predictor.last[what] = seen;
	r->passed = 0;
}
