/* SPDX-License-Identifier: GPL-2.0-only */
/* iperf3's streams: a server on the peer, the client in the guest. */
#ifndef BENCH_WORKLOADS_IPERF_H
#define BENCH_WORKLOADS_IPERF_H

#include <stdbool.h>

#include "harness/boot.h"

struct iperf_options {
	unsigned int flows, port;
	bool to_guest, both; /* neither: from the guest */
	double ramp_s, runtime_s;
};

struct iperf_result {
	double bytes_per_s; /* received, of all flows and directions */
	double retransmits; /* NAN where iperf3 cannot tell */
};

/*
 * Runs it with the measured window in its steady part; the window's operations are KiB of payload
 * received, by iperf3's mean rate.
 * 0 or -errno with the boot's reason.
 */
int iperf_run(struct cell_run *run, const struct iperf_options *options,
	      struct iperf_result *result);

/* Reads iperf3's JSON. 0, or -EINVAL with the reason in *why (to free). */
int iperf_parse(const char *text, struct iperf_result *result, char **why);

#endif
