/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Which CPUs and memory what runs on: each vCPU alone on its own CPU near the device, everything
 * else elsewhere. A plan only, made of what it is given; harness/placing.h carries it out.
 */
#ifndef HARNESS_PLACEMENT_H
#define HARNESS_PLACEMENT_H

#include <jansson.h>
#include <sched.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "harness/topology.h"

#define PLACEMENT_VCPUS 64 /* as many as an experiment may ask for */

/* The load generator and QEMU's own threads must not have to share one CPU. */
#define PLACEMENT_SPARE_CPUS 2

enum placement_by { PLACEMENT_KERNEL, PLACEMENT_HOST_FILE, PLACEMENT_HWLOC };

/* What is not as it should be, the worst first. */
enum placement_problem {
	PLACEMENT_FAR = 1 << 0,	      /* vCPUs on another node than the device's */
	PLACEMENT_SHARED = 1 << 1,    /* vCPUs share a core with one another */
	PLACEMENT_MEMORY = 1 << 2,    /* the device's node has too little free memory */
	PLACEMENT_UNKNOWN = 1 << 3,   /* several nodes, but not which one the device is on */
	PLACEMENT_FEW_CPUS = 1 << 4,  /* too few CPUs to place anything */
	PLACEMENT_NO_OTHERS = 1 << 5, /* the vCPUs' CPUs are all there are */
	PLACEMENT_OFF = 1 << 6,	      /* several nodes, and nothing is placed */
};

struct placement_request {
	const struct topology *topology;
	struct topology_spot device;
	unsigned int nr_vcpus; /* 1 to PLACEMENT_VCPUS */
	uint64_t memory_bytes;
	bool automatic;
	unsigned int vcpu_cpu; /* first CPU for vCPUs by the host file; 0: none */
};

struct placement {
	enum placement_by by;
	unsigned int nr_vcpus;		     /* of the guest */
	unsigned int vcpus[PLACEMENT_VCPUS]; /* the CPU of each, unless by the kernel */
	int vcpu_node;			     /* of all of them; -1: unknown or several */
	cpu_set_t others;      /* where the harness and all it starts run; empty: not placed */
	cpu_set_t interrupts;  /* where the device's interrupts go; empty: not placed */
	int device_node;       /* -1: unknown */
	int memory_node;       /* guest memory is bound to it; -1: it is not bound */
	unsigned int problems; /* of enum placement_problem */
};

/* Never fails: what cannot be placed is left to the kernel. */
void placement_plan(const struct placement_request *request, struct placement *placement);

/* "device on node 1, 2 vCPUs on CPUs 14-15 (node 1), memory on node 1, ...", to free. */
char *placement_text(const struct placement *placement);
/* Its worst problem and the remedy; NULL: there is none. */
const char *placement_warning(const struct placement *placement, const char **remedy);
/* For the manifest. New reference. */
json_t *placement_json(const struct placement *placement);

#endif
