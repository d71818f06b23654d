/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Many VMs that each do what a trace did, begun at different moments: their curves, shifted by
 * whole steps and starting over at their end, added up.
 */
#ifndef BENCH_REPLAY_FLEET_H
#define BENCH_REPLAY_FLEET_H

#include "bench/replay/curve.h"

struct fleet {
	double mean, p50, p95, p99; /* of the sums of the steps' means */
	double peak;		    /* the largest of them */
	double peak_bound;	    /* the largest sum of the steps' peaks: no moment had more */
	double alone;		    /* all VMs at their own peaks at once */
	double step_s;
};

/* VM i follows curve i modulo nr. Brings all curves to one step. nr and vms are not 0. */
void fleet_sum(struct curve *const *curves, size_t nr, unsigned int vms, uint64_t seed,
	       struct fleet *out);

#endif
