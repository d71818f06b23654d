/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One trace of what guest and host recorded. Requests are known to both and make the order:
 * what a CPU of the guest did before its n-th request comes before the host's n-th of that CPU,
 * what it did afterwards after the pins. They also tell how far the clocks are apart, by which
 * all else is ordered.
 */
#ifndef BENCH_RECORD_WEAVE_H
#define BENCH_RECORD_WEAVE_H

#include "bench/coiommu.h"
#include "bench/record/ftrace.h"
#include "drivers/include/coiommu_trace_file.h"

/* A moment of the host: its counters after seq / 2 calls. */
struct weave_mark {
	enum trace_mark mark;
	uint64_t time_ns; /* CLOCK_MONOTONIC */
	struct coiommu_snapshot at;
};

struct weave_input {
	int host_fd; /* the backend's log */
	struct ftrace_format formats[GUEST_KINDS];
	struct ftrace_cpu *cpus;
	size_t nr_cpus;
	const struct weave_mark *marks; /* in order; the last one ends the trace */
	size_t nr_marks;
};

/*
 * Writes the trace to fd. 0, -EBADMSG with *error (constant text): guest and host do not fit
 * together, or something is missing; or another -errno of writing.
 */
int weave(const struct weave_input *in, int fd, const char **error);

#endif
