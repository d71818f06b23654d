// SPDX-License-Identifier: GPL-2.0-only
/* A quantity over time in constant memory; see curve.h. */
#include "bench/replay/curve.h"

#include <string.h>

#include "harness/util.h"

void curve_start(struct curve *c, uint64_t time_ns, uint64_t value)
{
	*c = (struct curve){ .start_ns = time_ns,
			     .now_ns = time_ns,
			     .step_ns = CURVE_FIRST_STEP_NS,
			     .value = value,
			     .peak = value };
	c->steps = xzalloc(CURVE_STEPS * sizeof(c->steps[0]));
	c->steps[0].peak = value;
}

void curve_free(struct curve *c)
{
	free(c->steps);
	*c = (struct curve){ 0 };
}

static void double_step(struct curve *c)
{
	for (size_t i = 0; i < CURVE_STEPS; i++) {
		struct curve_step s = c->steps[i];

		if (i % 2) {
			c->steps[i / 2].sum += s.sum;
			if (s.peak > c->steps[i / 2].peak)
				c->steps[i / 2].peak = s.peak;
		} else {
			c->steps[i / 2] = s;
		}
	}
	memset(&c->steps[CURVE_STEPS / 2], 0, CURVE_STEPS / 2 * sizeof(c->steps[0]));
	c->step_ns *= 2;
	c->at_end_ns = 0;
}

void curve_coarsen(struct curve *c, uint64_t step_ns)
{
	while (c->steps && c->step_ns < step_ns)
		double_step(c);
}

void curve_set_beyond(struct curve *c, uint64_t time_ns, uint64_t value)
{
	struct curve_step *s;

	if (!c->steps) {
		curve_start(c, time_ns, value);
		return;
	}
	while (c->now_ns < time_ns) {
		uint64_t step = (c->now_ns - c->start_ns) / c->step_ns, end;
		double part;

		if (step >= CURVE_STEPS) {
			double_step(c);
			continue;
		}
		end = c->start_ns + (step + 1) * c->step_ns;
		end = end < time_ns ? end : time_ns;
		part = (double)c->value * (double)(end - c->now_ns);
		s = &c->steps[step];
		s->sum += part;
		c->sum += part;
		if (c->value > s->peak)
			s->peak = c->value;
		c->now_ns = end;
	}
	while (c->now_ns - c->start_ns >= CURVE_STEPS * c->step_ns)
		double_step(c);
	c->at = s = &c->steps[(c->now_ns - c->start_ns) / c->step_ns];
	c->at_end_ns = c->start_ns + (uint64_t)(s - c->steps + 1) * c->step_ns;
	c->value = value;
	if (value > s->peak)
		s->peak = value;
	if (value > c->peak)
		c->peak = value;
}

size_t curve_steps(const struct curve *c)
{
	return c->steps ? (c->now_ns - c->start_ns) / c->step_ns + 1 : 0;
}

double curve_mean(const struct curve *c)
{
	return c->now_ns > c->start_ns ? c->sum / (double)(c->now_ns - c->start_ns)
				       : (double)c->value;
}

double curve_step_mean(const struct curve *c, size_t step)
{
	uint64_t from = c->start_ns + step * c->step_ns, to = from + c->step_ns;

	to = to < c->now_ns ? to : c->now_ns;
	return to > from ? c->steps[step].sum / (double)(to - from) : (double)c->value;
}
