/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of pkt, the packet benchmark on DPDK, share. */
#ifndef LOAD_PKT_H
#define LOAD_PKT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rte_ether.h>

struct rte_mbuf;
struct rte_mempool;

enum role { ROLE_NONE, ROLE_TX, ROLE_RX, ROLE_FORWARD, ROLE_ECHO };

struct options {
	enum role role;
	unsigned int size; /* of a packet with its frame check sequence, 64 to 1518 */
	double rate;	   /* packets a second; 0: as fast as the port takes */
	unsigned int window;
	struct rte_ether_addr dst;
	uint16_t descriptors;
	uint16_t burst;
	unsigned int mbufs;
	const char *register_path;
	double link_wait_s;
	unsigned int limit_s;
	double runtime_s; /* 0: begin and end come from stdin */
	unsigned int idle_us;
	bool within_page; /* use no buffer that crosses a page: some emulated NICs lose it */
	unsigned int spoil;
};

/*
 * 0 and where the EAL's arguments begin; 1: help was printed; -1: a mistake, with a message.
 * pkt_options.c
 */
int options_parse(int argc, char **argv, struct options *o, int *eal_arguments);

#define BURST_MAX 256
#define FCS_BYTES 4 /* the port adds and removes it */

/* ---- pkt_frame.c: what is in a packet ---- */

struct frame {
	uint16_t stream; /* of one sender, from start to end */
	uint64_t seq;
	uint64_t time;
};

enum frame_kind {
	FRAME_FOREIGN, /* not sent by pkt */
	FRAME_CORRUPT,
	FRAME_OURS,
};

/* What follows the addresses of a packet of len bytes, without frame check sequence. */
void frame_write(uint8_t *packet, size_t len, const struct frame *frame);
enum frame_kind frame_read(const uint8_t *packet, size_t len, struct frame *frame);

/* ---- pkt_port.c: DPDK's only port ---- */

struct port {
	uint16_t id;
	struct rte_mempool *pool;
	struct rte_ether_addr mac;
	const char *driver;
};

struct port_errors {
	uint64_t missed, rx_errors, no_mbuf;
};

/* 0, or -1 with a message. */
int port_start(struct port *port, const struct options *o);
void port_stop(struct port *port);
/* Whether the link is up; that of the kernel's interface if the port is on one. */
bool port_link(const struct port *port);
struct port_errors port_errors(const struct port *port);

/* ---- pkt_memory.c: DPDK's memory and coIOMMU ---- */

/*
 * Before rte_eal_init(): the file opened before the device is closed after it, when the process
 * dies. 0, or -1 with a message.
 */
int memory_open(const char *path);
/* Registers all memory, and from now on what is added. 0, or -1 with a message. */
int memory_register(void);
/* Whether memory that was added could not be registered. */
bool memory_failed(void);
/* After the port is closed. */
void memory_close(void);
uint64_t memory_bytes(void);
uint64_t memory_registered_bytes(void);

/* ---- pkt_load.c: the roles ---- */

struct counters {
	uint64_t rx_packets, rx_bytes; /* ours, intact; bytes include frame check sequences */
	uint64_t tx_packets, tx_bytes;
	uint64_t foreign, corrupt, lost, reordered;
	uint64_t tx_refused; /* bursts that the port did not take whole */
	double idle_s;	     /* since the last of rx_packets, or since the begin */
};

struct load;
struct histogram;

struct load *load_new(const struct options *o, const struct port *port);
void load_free(struct load *load);
/* One turn of the polling loop. Times are those of rte_rdtsc(). False: there was nothing to do. */
bool load_step(struct load *load, uint64_t now);
/* Sleeps for as long as the options want and the rate allows. */
void load_idle(const struct load *load, uint64_t now);
/* Whether packets flow as the role wants it. */
bool load_running(const struct load *load);
/* Forgets what was counted. */
void load_begin(struct load *load, uint64_t now);
/*
 * What was counted since, and the round trips (role echo). Then that role waits for what is under
 * way: histogram and lost packets are of all that were sent in the window.
 */
struct counters load_end(struct load *load);
const struct histogram *load_latency(const struct load *load);

/* pkt.c: "pkt: what: remedy" on stderr. Returns -1. */
__attribute__((format(printf, 1, 2))) int complain(const char *format, ...);

#endif
