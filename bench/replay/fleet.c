// SPDX-License-Identifier: GPL-2.0-only
/* Many VMs that each do what a trace did; see fleet.h. */
#include "bench/replay/fleet.h"

#include <math.h>
#include <string.h>

#include "harness/bootstrap.h"
#include "harness/stats.h"
#include "harness/util.h"

struct sums {
	double *mean, *peak;
	size_t steps;
};

static void add_vm(struct sums *s, const struct curve *c, uint64_t shift)
{
	size_t steps = curve_steps(c);

	for (size_t i = 0; i < s->steps; i++) {
		size_t at = (i + shift) % steps;

		s->mean[i] += curve_step_mean(c, at);
		s->peak[i] += (double)c->steps[at].peak;
	}
}

static size_t align_steps(struct curve *const *curves, size_t nr)
{
	uint64_t step = 0;
	size_t longest = 0;

	for (size_t i = 0; i < nr; i++)
		step = curves[i]->step_ns > step ? curves[i]->step_ns : step;
	for (size_t i = 0; i < nr; i++) {
		curve_coarsen(curves[i], step);
		if (curve_steps(curves[i]) > longest)
			longest = curve_steps(curves[i]);
	}
	return longest;
}

void fleet_sum(struct curve *const *curves, size_t nr, unsigned int vms, uint64_t seed,
	       struct fleet *out)
{
	struct sums s = { .steps = align_steps(curves, nr) };
	struct prng prng;

	prng_seed(&prng, seed);

	*out = (struct fleet){ .step_s = (double)curves[0]->step_ns * 1e-9 };
	s.mean = xzalloc(s.steps * sizeof(double));
	s.peak = xzalloc(s.steps * sizeof(double));
	for (unsigned int i = 0; i < vms; i++) {
		struct curve *c = curves[i % nr];

		add_vm(&s, c, prng_below(&prng, (uint32_t)curve_steps(c)));
		out->alone += (double)curves[i % nr]->peak;
	}
	for (size_t i = 0; i < s.steps; i++) {
		out->mean += s.mean[i] / (double)s.steps;
		out->peak = fmax(out->peak, s.mean[i]);
		out->peak_bound = fmax(out->peak_bound, s.peak[i]);
	}
	out->p50 = stats_quantile(s.mean, s.steps, 0.50);
	out->p95 = stats_quantile(s.mean, s.steps, 0.95);
	out->p99 = stats_quantile(s.mean, s.steps, 0.99);
	free(s.mean);
	free(s.peak);
}
