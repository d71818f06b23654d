/* SPDX-License-Identifier: GPL-2.0-only */
/* What modes promise of a device's reach, where their settings do not matter: mode_ops.reach. */
#ifndef BENCH_MODES_REACH_H
#define BENCH_MODES_REACH_H

#include "bench/mode.h"

enum reach reach_all(const struct settings *settings);
enum reach reach_mapped(const struct settings *settings);
enum reach reach_pool(const struct settings *settings);
enum reach reach_stale(const struct settings *settings);

#endif
