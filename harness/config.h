/* SPDX-License-Identifier: GPL-2.0-only */
/* An experiment (configs/NAME.yaml) and a host description, read and checked completely. */
#ifndef HARNESS_CONFIG_H
#define HARNESS_CONFIG_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "harness/guest_files.h"
#include "harness/host_command.h"
#include "harness/order.h"
#include "harness/settings.h"
#include "harness/tuning.h"
#include "harness/util.h"

struct mode_ops;
struct device_ops;
struct workload_ops;

/*
 * One plug-in with one complete set of settings. A setting given as a list makes one variant
 * per value (all combinations); the variant's name holds just the settings that were lists,
 * as "rw=randread+iodepth=32" in the order of the plug-in's table, or is empty. Characters of
 * a value other than letters, digits and "._-" are written %XX: the name is safe in a path.
 */
struct variant {
	char *name;
	struct settings *settings;
};
struct choice {
	const void *ops; /* mode_ops, device_ops or workload_ops */
	struct variant *variants;
	size_t nr_variants; /* at least 1 */
};
struct choices {
	struct choice *items;
	size_t nr; /* at least 1 */
};

struct guest_config {
	uint64_t memory_bytes;
	unsigned int cpus;
	struct guest_files files;
};

struct experiment {
	char *path, *name;
	struct guest_config guest;
	unsigned int boots; /* measured boots a cell */
	/*
	 * Boots thrown away before the first measured one, each time that a run begins, goes on
	 * or gets another lab: the host is then not as it will be.
	 */
	unsigned int warmup;
	bool share_vm; /* one VM life serves all cells of a mode and device */
	enum boot_order order;
	uint64_t seed; /* of a random order */
	struct choices modes, devices, workloads;
};

/*
 * Reads and checks an experiment. Returns 0, -EINVAL (malformed or invalid) or another -errno
 * (unreadable); every error is logged as one line "FILE:LINE:COLUMN: what: remedy", with the
 * nearest valid name for a misspelt one. *out is to be freed with experiment_free().
 */
int experiment_load(const char *path, struct experiment **out);
void experiment_free(struct experiment *exp);
/* The resolved configuration, all settings with defaults, for the manifest. New reference. */
json_t *experiment_json(const struct experiment *exp);

/* What a host lends to the harness. Nothing that is not named here is ever touched. */
struct host_device {
	char *kind;		/* as the device plug-in is named: nvme, nic, ... */
	char *address;		/* PCI, domain:bus:device.function */
	char *physical;		/* whose virtual function is at address; NULL: none was made */
	struct strlist with;	/* addresses of its group's devices that are taken with it */
	unsigned int functions; /* virtual functions to make of it, for the first; 0: it itself */
	bool writable;		/* the user allows workloads that destroy its data */
	bool within_page; /* a NIC that sends no buffer which crosses a page (an emulated one) */
	char *capture;	  /* a GPU's: command that writes a picture of what it displays, or NULL */
	struct host_command *command; /* a GPU's: what the user wants to be measured, or NULL */
	/* A GPU's: erofs image with what the guest's own root lacks, for driver and command; or
	 * NULL */
	char *image;
	/* The other end of a NIC's cable: a port of this host, or an interface of a remote one. */
	char *peer;	 /* PCI address, or NULL */
	char *remote;	 /* where ssh reaches it, as "user@host", or NULL */
	char *interface; /* its name there; NULL without remote */
	char *tools;	 /* folder of the load tools there; NULL: found in PATH */
};
struct host {
	char *path;	       /* of the host file; NULL: none given */
	char *kind;	       /* where results come from: host, lab-kvm, lab-tcg */
	const char *build_dir; /* of the images; set by a run, else NULL */
	char *instructions;    /* lab-tcg: file of emulated instruction counters, else NULL */
	unsigned int vcpu_cpu; /* first CPU for vCPUs, which they get alone; 0: none is named */
	bool placement;	       /* place what vcpu_cpu does not near the device */
	char *swap; /* block device that runs may swap to, with a swap signature; or NULL */
	struct host_device *devices; /* of one kind several, one for each of several VMs */
	size_t nr_devices;
	struct settings *tuning; /* what runs set on the host, of tuning_table; NULL: nothing */
	unsigned int tuning_lines[TUNING_NR]; /* of the host file */
};

/*
 * Reads a host description; errors as experiment_load(). path NULL gives a host without
 * devices. Fields: devices: { nvme: "0000:5e:00.0" } or { nvme: { address: ..., writable: yes },
 * nic: { address: ..., peer: ..., with: [...] },
 * gpu: { address: ..., functions: N } } or, for a NIC, { address: ..., remote: ...,
 * interface: ..., tools: ... }, for a GPU, { address: ..., capture: ..., image: PATH,
 * command: as host_command_read() }, or a list of such; placement: auto or off; vcpu_cpu: N;
 * swap: PATH; settings: as tuning_table;
 * kind and instructions, written by the virtual lab only.
 */
int host_load(const char *path, struct host **out);
void host_free(struct host *host);
/*
 * May it be taken? As pci_assignable_with(); of a device whose virtual function is to be taken: as
 * sriov_probe(), until that is made.
 */
int host_device_assignable(const struct host_device *device, char **why);
/* The first device of that kind, or NULL. */
const struct host_device *host_device(const struct host *host, const char *kind);
/* The index-th device of that kind, from 0, or NULL. */
const struct host_device *host_device_at(const struct host *host, const char *kind,
					 unsigned int index);

#endif
