/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a call of the policy saw of the world: the guest's units, which change while it looks,
 * and the results of its own calls. With these a replay of the call does the same again.
 *
 * Each look is predicted to have the same result as the last of its kind; only the others are
 * kept, as two numbers: predicted looks passed over, and the result. The number of all looks
 * of the call comes first; a replay that needs more or fewer is not a replay.
 */
#ifndef TRACE_LOOKS_H
#define TRACE_LOOKS_H

#include <stdint.h>

#include "policy.h"

enum trace_look {
	/* Up to here: enum policy_look. */
	TRACE_LOOK_MAP = POLICY_LOOK_COUNT + 1, /* errno, 0: mapped */
	TRACE_LOOK_UNMAP,
	TRACE_LOOK_NO_LEAF,   /* 1: the table has no such leaf */
	TRACE_LOOK_CONTENDED, /* 1: somebody waits for the lock */
	TRACE_LOOKS
};

struct trace_predictor {
	uint32_t last[TRACE_LOOKS];
};

#define TRACE_PREDICTOR_INIT                          \
	{                                             \
		.last = { [POLICY_LOOK_RELEASE] = 1 } \
	}

#endif
