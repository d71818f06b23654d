/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A quantity over time in constant memory: mean and highest value of equal steps, which
 * double in length whenever there are too many.
 */
#ifndef BENCH_REPLAY_CURVE_H
#define BENCH_REPLAY_CURVE_H

#include <stddef.h>
#include <stdint.h>

#define CURVE_STEPS 4096
#define CURVE_FIRST_STEP_NS 1000000ULL

struct curve_step {
	double sum; /* value times ns */
	uint64_t peak;
};

struct curve {
	uint64_t start_ns, step_ns, now_ns;
	uint64_t value, peak;
	double sum;		  /* value times ns since the start */
	struct curve_step *steps; /* CURVE_STEPS of them, NULL until the start */
	struct curve_step *at;	  /* the step of now_ns */
	uint64_t at_end_ns;	  /* where it ends; 0: not known */
};

void curve_start(struct curve *c, uint64_t time_ns, uint64_t value);
/* The same as curve_set(), of which it is the rare half: into another step. */
void curve_set_beyond(struct curve *c, uint64_t time_ns, uint64_t value);
/* Time that goes back counts as the time before. Starts the curve if need be. */
static inline void curve_set(struct curve *c, uint64_t time_ns, uint64_t value)
{
	if (time_ns >= c->at_end_ns) {
		curve_set_beyond(c, time_ns, value);
		return;
	}
	if (time_ns > c->now_ns) {
		double part = (double)c->value * (double)(time_ns - c->now_ns);

		c->at->sum += part;
		c->sum += part;
		c->now_ns = time_ns;
	}
	c->value = value;
	if (value > c->at->peak)
		c->at->peak = value;
	if (value > c->peak)
		c->peak = value;
}
void curve_free(struct curve *c);
/* Steps begun so far. */
size_t curve_steps(const struct curve *c);
double curve_mean(const struct curve *c);
/* Mean of a step, of the part of it that there is. */
double curve_step_mean(const struct curve *c, size_t step);
/* Makes steps at least as long; they stay equal to 1 ms times a power of two. */
void curve_coarsen(struct curve *c, uint64_t step_ns);

#endif
