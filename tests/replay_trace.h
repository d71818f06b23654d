/* SPDX-License-Identifier: GPL-2.0-only */
/* Short traces written in tests, and what policies made of them. */
#ifndef TESTS_REPLAY_TRACE_H
#define TESTS_REPLAY_TRACE_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "bench/replay/replay.h"
#include "harness/util.h"
#include "trace_file.h"

#define MS 1000000ULL
#define S (1000 * MS)

static struct trace_writer writer;
static struct replay_totals totals;

static inline void begin_config(uint64_t time_ns)
{
	const struct trace_args config = { .nr = TRACE_CONFIG_ARGS,
					   .v = { POLICY_UNPIN_LRU, S, 0, 0, 0, 0, 1, 0, 256 } };
	const struct trace_args memory = { .nr = 7, .v = { 0, 64 * MIB, 0, 3, 1, 1, 1 } };

	trace_write_call(&writer, TRACE_CONFIG, time_ns, &config, NULL);
	trace_write_call(&writer, TRACE_MEM_ADD, time_ns, &memory, NULL);
}

static inline void begin_trace(void)
{
	trace_writer_init(&writer, memfd_create("trace", MFD_CLOEXEC));
	begin_config(0);
}

static inline void map(uint64_t time_ns, uint64_t pfn, uint64_t nr)
{
	trace_write_pages(&writer, TRACE_MAP, time_ns, pfn, nr);
}

static inline void unmap(uint64_t time_ns, uint64_t pfn, uint64_t nr)
{
	trace_write_pages(&writer, TRACE_UNMAP, time_ns, pfn, nr);
}

/* Ends the trace at end_ns and runs it. */
static inline const char *run(uint64_t end_ns, struct replay_policy **policies, size_t nr)
{
	struct trace_reader r;
	const char *error;

	assert_int_equal(trace_writer_finish(&writer, end_ns), 0);
	assert_int_equal(trace_reader_open(&r, writer.fd), 0);
	replay_run(&r, policies, nr, &totals, &error);
	trace_reader_close(&r);
	close(writer.fd);
	return error;
}

static inline void done(struct replay_policy *p)
{
	curve_free(&p->curve);
	p->ops->free(p);
}

static inline void expect(const struct replay_policy *p, enum replay_count count, uint64_t value)
{
	if (p->counts.n[count] != value)
		fail_msg("%s: %llu, not %llu", replay_count_names[count],
			 (unsigned long long)p->counts.n[count], (unsigned long long)value);
}

static inline struct replay_policy *coiommu(void (*change)(struct policy_config *c))
{
	struct policy_config c = policy_defaults;

	c.interval_ns = S;
	c.range_pages = 1;
	if (change)
		change(&c);
	return replay_coiommu(&c);
}

/* With counters that are not 0 where the caller set them. */
static inline void mark_counters(uint64_t time_ns, enum trace_mark which,
				 const struct coiommu_policy_counters *n)
{
	struct trace_args args = { .nr = 2 + sizeof(*n) / sizeof(uint64_t), .v = { which } };

	memcpy(&args.v[2], n, sizeof(*n));
	trace_write_call(&writer, TRACE_MARK, time_ns, &args, NULL);
}

static inline void mark(uint64_t time_ns, enum trace_mark which)
{
	mark_counters(time_ns, which, &(struct coiommu_policy_counters){ 0 });
}

#endif
