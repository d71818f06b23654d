/* SPDX-License-Identifier: GPL-2.0-only */
/* What network workloads share: the two ends of the cable and the packets each has counted. */
#ifndef BENCH_NET_H
#define BENCH_NET_H

#include <stdint.h>

#include "harness/boot.h"

/* The assigned NIC's interface in the guest, whatever its driver called it. */
#define NET_INTERFACE "dut0"

/* The addresses of both ends, from the device's subnet (RFC 2544's by default). */
struct net_addresses {
	char guest[32], peer[32], peer_prefix[40];
};
/* Of the settings of device nic. 0 or -EINVAL: the subnet is no "a.b.c". */
int net_addresses(const struct settings *nic, struct net_addresses *out);
/* The guest's address in the boot's cell. */
void net_guest_address(const struct boot *boot, struct net_addresses *out);

/*
 * Starts a server in the guest and waits until it listens on that port. 0 with its job, or -errno
 * with the server's last words as the boot's reason.
 */
int net_start_server(struct boot *boot, char *const argv[], unsigned int port, uint32_t *job);

/* Kills it and waits until its port is free again. */
void net_stop_server(struct boot *boot, unsigned int port, uint32_t job);

struct net_counters {
	uint64_t rx_packets, tx_packets, rx_bytes, tx_bytes;
};
/* Both ends of the cable at about one time. */
struct net_ends {
	struct net_counters guest, peer;
};
/* 0 or -errno, noted as the boot's reason. */
int net_read_ends(struct boot *boot, struct net_ends *ends);

/*
 * Did what the guest counts between two readings, made while the network was idle, go through the
 * cable? At least that many packets in each direction, and about as many bytes as the peer counts.
 * NULL, or what speaks against it, to free.
 */
char *net_path_doubt(const struct net_ends *before, const struct net_ends *after, uint64_t packets);

#endif
