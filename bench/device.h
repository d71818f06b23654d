/* SPDX-License-Identifier: GPL-2.0-only */
/* A device that a measured VM is given. One file in bench/devices, one table. */
#ifndef BENCH_DEVICE_H
#define BENCH_DEVICE_H

#include <stdbool.h>
#include <stdint.h>

#include "harness/settings.h"

struct boot;
struct host;
struct vm_config;

/* How the measured system reaches the device. A mode chooses one. */
enum attach {
	ATTACH_VFIO,	 /* assigned to the VM */
	ATTACH_EMULATED, /* the VM has QEMU's own device of that kind, with the host's behind it */
	ATTACH_VIRTIO,	 /* the same with a paravirtual device */
	ATTACH_HOST,	 /* no VM: the host's own driver, and the workload on the host */
};
/* For the fields `except` of plug-ins: what they have nothing to do with. */
#define ATTACH_BIT(attach) (1U << (attach))
#define ATTACH_NO_VM ATTACH_BIT(ATTACH_HOST)
#define ATTACH_VFIO_ONLY \
	(ATTACH_BIT(ATTACH_EMULATED) | ATTACH_BIT(ATTACH_VIRTIO) | ATTACH_BIT(ATTACH_HOST))

enum device_class { DEVICE_BLOCK, DEVICE_NET, DEVICE_GPU, DEVICE_ROGUE, DEVICE_ANY };

/* `name`, `help`, `class`, `probe`, `configure` and `guest_setup` are required. */
struct device_ops {
	const char *name;
	const char *help; /* one line */
	enum device_class class;
	/* The host file's name of it, if another plug-in has the same device; NULL: its own. */
	const char *host_kind;
	bool destroys_data; /* whatever the workload is: the host file must allow it */
	const struct setting *settings;
	unsigned int except; /* ATTACH_BITs: ways in which it cannot be reached */

	/* As mode_ops.validate. */
	int (*validate)(const struct settings *settings, char **why);
	/* Is it there and may it be used? As mode_ops.probe. */
	int (*probe)(const struct host *host, const struct settings *settings, char **why);
	/*
	 * Makes the host ready (binding), through the journal, for the way in which the boot's
	 * mode reaches the device. Called before each boot. For ATTACH_HOST the mode has given the
	 * device to the host's driver.
	 */
	int (*host_setup)(struct boot *boot, const struct settings *settings);
	/* Adds the QEMU arguments. Changes nothing else. */
	void (*configure)(const struct host *host, const struct settings *settings,
			  enum attach attach, struct vm_config *vm);
	/*
	 * Before the mode is switched on in the guest: takes the device from a driver that the
	 * guest's start has given it to.
	 */
	int (*guest_release)(struct boot *boot);
	/* Loads the guest's driver and waits until the device can be used. */
	int (*guest_setup)(struct boot *boot, const struct settings *settings);
	/* Operations the guest's driver has completed since it was loaded (I/Os, packets). */
	int (*count_ops)(struct boot *boot, uint64_t *ops);
};

/* What the host file calls it. */
static inline const char *device_kind(const struct device_ops *device)
{
	return device->host_kind ? device->host_kind : device->name;
}

#endif
