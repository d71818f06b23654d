/* SPDX-License-Identifier: GPL-2.0-only */
/* A device that a measured VM is given. One file in bench/devices, one table. */
#ifndef BENCH_DEVICE_H
#define BENCH_DEVICE_H

#include <stdint.h>

#include "harness/settings.h"

struct boot;
struct host;
struct vm_config;

enum device_class { DEVICE_BLOCK, DEVICE_NET, DEVICE_GPU, DEVICE_ANY };

/* `name`, `help`, `class`, `probe`, `configure` and `guest_setup` are required. */
struct device_ops {
	const char *name;
	const char *help; /* one line */
	enum device_class class;
	const struct setting *settings;

	/* As mode_ops.validate. */
	int (*validate)(const struct settings *settings, char **why);
	/* Is it there and may it be used? As mode_ops.probe. */
	int (*probe)(const struct host *host, const struct settings *settings, char **why);
	/* Makes the host ready (binding), through the journal. Called before each boot. */
	int (*host_setup)(struct boot *boot, const struct settings *settings);
	/* Adds the QEMU arguments. Changes nothing else. */
	void (*configure)(const struct host *host, const struct settings *settings,
			  struct vm_config *vm);
	/* Loads the guest's driver and waits until the device can be used. */
	int (*guest_setup)(struct boot *boot, const struct settings *settings);
	/* Operations the guest's driver has completed since it was loaded (I/Os, packets). */
	int (*count_ops)(struct boot *boot, uint64_t *ops);
};

#endif
