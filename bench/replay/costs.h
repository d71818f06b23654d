/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What counts cost in time: constants measured while the trace was recorded, or from a file:
 *
 *   source: dmamap and fio under viommu-strict, results/paper-host1, 2026-11
 *   request: 3us         # of the guest for pins, without the pins: exit, copy, return
 *   pin_call: 1.8us      # one VFIO call that pins
 *   unpin_call: 2us
 *   scan_unit: 5ns       # one unit looked at by lazy unpinning
 *   viommu_request: 9us  # an invalidation or mapping that a vIOMMU makes QEMU look at
 *
 * A constant that is in neither is not known, and neither are times that need it.
 */
#ifndef BENCH_REPLAY_COSTS_H
#define BENCH_REPLAY_COSTS_H

#include "bench/replay/replay.h"

enum cost { COST_REQUEST, COST_PIN_CALL, COST_UNPIN_CALL, COST_SCAN_UNIT, COST_VIOMMU, COSTS };
extern const char *const cost_names[COSTS];

struct costs {
	double s[COSTS]; /* NAN: not known */
	bool from_file[COSTS];
	char *source; /* of the file's, owned; NULL without one */
};

/* Those of the recording. */
void costs_measured(struct costs *c, const struct replay_totals *t);
/* The file's replace them. 0, or a logged -errno. */
int costs_load(struct costs *c, const char *path);
void costs_free(struct costs *c);

enum replay_kind { REPLAY_COIOMMU, REPLAY_STATIC, REPLAY_VIOMMU, REPLAY_ORACLE };
/* Estimated seconds that the guest waits, and that the host works beside it; NAN: not known. */
void costs_estimate(const struct costs *c, enum replay_kind kind, const struct replay_counts *n,
		    double *guest_s, double *host_s);

#endif
