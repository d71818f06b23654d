/* SPDX-License-Identifier: GPL-2.0-only */
/* Every plug-in there is; the one list to extend when a file is added. */
#ifndef BENCH_REGISTRY_H
#define BENCH_REGISTRY_H

#include "bench/device.h"
#include "bench/metric.h"
#include "bench/mode.h"
#include "bench/workload.h"

/* NULL-terminated, in the order in which they are listed and plotted. */
extern const struct mode_ops *const registry_modes[];
extern const struct device_ops *const registry_devices[];
extern const struct workload_ops *const registry_workloads[];
extern const struct metric_ops *const registry_metrics[];

/* By name, or NULL. */
const struct mode_ops *registry_mode(const char *name);
const struct device_ops *registry_device(const char *name);
const struct workload_ops *registry_workload(const char *name);

#endif
