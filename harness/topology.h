/* SPDX-License-Identifier: GPL-2.0-only */
/* The host's CPUs and NUMA nodes, and which of them are near a PCI device. */
#ifndef HARNESS_TOPOLOGY_H
#define HARNESS_TOPOLOGY_H

#include <sched.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One CPU as the kernel counts them. Those with the same core share it (SMT). */
struct topology_cpu {
	unsigned int id, core;
	int node;      /* -1: unknown */
	bool isolated; /* the scheduler keeps off it (isolcpus) */
};
struct topology_node {
	int id;
	uint64_t free_bytes;
};
struct topology {
	struct topology_cpu *cpus; /* those this process may use, by id; CPU_SETSIZE at most */
	size_t nr_cpus;
	struct topology_node *nodes; /* those with CPUs, by id */
	size_t nr_nodes;
	cpu_set_t allowed;	      /* this process' CPUs, isolated ones not among them */
	struct hwloc_topology *hwloc; /* NULL: none was read */
};

/* Where a device is. */
struct topology_spot {
	int node;	/* -1: unknown */
	cpu_set_t cpus; /* near it; empty: unknown */
};

/* Reads this host. What cannot be read is not there: 0 CPUs at worst. */
void topology_load(struct topology *topology);
void topology_free(struct topology *topology);

/* Asks hwloc, then sysfs. */
void topology_find(const struct topology *topology, const char *bdf, struct topology_spot *spot);

/* How many NUMA nodes are online, as sysfs says: costs next to nothing. At least 1. */
size_t topology_count_nodes(void);

/* "0-3,7", as the kernel writes it; to free. */
char *topology_cpus_text(const cpu_set_t *cpus);

#endif
