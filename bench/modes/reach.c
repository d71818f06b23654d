// SPDX-License-Identifier: GPL-2.0-only
/* What modes promise of a device's reach, where their settings do not matter. */
#include "bench/modes/reach.h"

enum reach reach_all(const struct settings *settings)
{
	return REACH_ALL;
}

enum reach reach_mapped(const struct settings *settings)
{
	return REACH_MAPPED;
}

enum reach reach_pool(const struct settings *settings)
{
	return REACH_POOL;
}

enum reach reach_stale(const struct settings *settings)
{
	return REACH_STALE;
}
