/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of the backend share; nobody else includes this. */
#ifndef COIOMMU_BACKEND_INTERNAL_H
#define COIOMMU_BACKEND_INTERNAL_H

#include <pthread.h>

#include "backend.h"
#include "dtt.h"
#include "memmap.h"
#include "policy.h"
#include "record.h"

#define BACKEND_DEVICES 64

struct backend {
	struct settings settings;
	const struct backend_sys *sys;
	void *ctx;
	struct coiommu_counters *counters;

	pthread_mutex_t lock; /* protects all below, and serialises pin and unpin */
	uint32_t waiters;     /* atomic: vCPU and VMM threads waiting for the lock */

	struct memmap memmap;
	int containers[MEMMAP_CONTAINERS]; /* fd, or -1 */
	uint32_t leaked;		   /* mappings that could not be undone */
	struct dtt dtt;
	struct policy *policy;
	struct record *record; /* NULL: no log is kept */
	uint64_t devices[BACKEND_DEVICES];
	uint32_t nr_devices;
	uint32_t nr_vcpus;
	bool parked;
	bool paused; /* atomic: a device was reset, and no vCPU has run since */

	pthread_t unpinner;
	pthread_cond_t wake; /* the unpinner's deadline has changed */
	bool unpinner_runs, stop;
};

void backend_lock(struct backend *b);
void backend_unlock(struct backend *b);
__attribute__((format(printf, 2, 3))) void backend_log(const struct backend *b, const char *fmt,
						       ...);

/* With the lock held: */
void *backend_page_locked(void *backend, uint64_t pfn); /* a dtt_page_fn */
int backend_activate_locked(struct backend *b, uint64_t root_pfn, uint64_t levels);
void backend_deactivate_locked(struct backend *b, bool clear_units);
void backend_park_locked(struct backend *b, bool parked);

/* backend_policy.c: into all containers or none; from all of them. */
int backend_map_into(struct backend *b, uint32_t containers, const struct memmap_region *r,
		     uint64_t iova, uint64_t size);
void backend_unmap_from(struct backend *b, uint32_t containers, uint64_t iova, uint64_t size);
/* The negative control of tests. */
bool backend_pretends(const struct backend *b);
void backend_policy_new(struct backend *b);

/* The policy's functions and changes of memory, noted in the log. */
void backend_record_locked(struct backend *b, enum trace_kind kind, const struct trace_args *args);
void backend_change_locked(struct backend *b, enum trace_kind kind, const struct trace_args *args);
void backend_remove_memory_locked(struct backend *b, uint64_t iova, uint64_t size,
				  uint32_t containers);
void backend_forget_locked(struct backend *b, uint64_t pfn, uint64_t nr);
void backend_drop_locked(struct backend *b, bool clear_units);
uint32_t backend_adopt_locked(struct backend *b, uint64_t block);
bool backend_scan_locked(struct backend *b);

/* Pins what a new table or new memory already counts; takes the lock block by block. */
uint32_t backend_adopt(struct backend *b, uint64_t iova, uint64_t size);

/* The thread is started once, late enough not to be lost in a fork of the VMM. */
void backend_unpinner_start_locked(struct backend *b);
void backend_unpinner_stop(struct backend *b);

#endif
