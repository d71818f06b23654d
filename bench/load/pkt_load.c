// SPDX-License-Identifier: GPL-2.0-only
/*
 * The roles. One thread polls the port, without a system call. A packet that was due at some
 * time and left later carries the time it was due, so that with --rate a round trip includes what
 * it waited for its turn (no coordinated omission).
 */
#include <stdlib.h>
#include <string.h>

#include <rte_cycles.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>

#include "bench/load/histogram.h"
#include "bench/load/pkt.h"

/* Role echo takes a packet that is not back by then for lost. */
#define DRAIN_S 0.5

struct load {
	const struct options *o;
	const struct port *port;
	struct counters n;
	struct histogram *latency;
	double hz;

	/* Sending. Packets that the port has not taken yet are out[out_at] to out[out_nr - 1]. */
	struct rte_mbuf *out[BURST_MAX];
	uint16_t out_at, out_nr;
	uint16_t stream;
	uint64_t next_seq;
	uint64_t start, scheduled; /* with a rate: when it began, packets made since */

	/* Role echo: packets of the window are those from first_seq on. */
	uint64_t first_seq, returned;
	uint64_t oldest_awaited, in_flight, last_return;

	/* Receiving: the sender, and the number that its next packet has. */
	bool has_sender;
	uint16_t sender;
	uint64_t expected;
	uint64_t last_arrival; /* in the window, or its begin */
};

struct load *load_new(const struct options *o, const struct port *port)
{
	struct load *l = calloc(1, sizeof(*l));

	if (!l) {
		complain("out of memory");
		return NULL;
	}
	l->o = o;
	l->port = port;
	l->latency = histogram_new();
	l->hz = (double)rte_get_tsc_hz();
	l->start = rte_rdtsc();
	l->last_return = l->start;
	l->stream = (uint16_t)(l->start ^ l->start >> 16 ^ l->start >> 32);
	return l;
}

void load_free(struct load *l)
{
	if (!l)
		return;
	while (l->out_at < l->out_nr)
		rte_pktmbuf_free(l->out[l->out_at++]);
	histogram_free(l->latency);
	free(l);
}

/* ---- Sending ---- */

static bool sends(const struct load *l)
{
	return l->o->role == ROLE_TX || l->o->role == ROLE_ECHO;
}

static uint64_t due_time(const struct load *l, uint64_t nr)
{
	return l->start + (uint64_t)((double)nr * l->hz / l->o->rate);
}

/* How many packets should be made now. */
static unsigned int due(struct load *l, uint64_t now)
{
	const struct options *o = l->o;
	uint64_t nr = o->burst;

	if (o->rate > 0)
		nr = (uint64_t)((double)(now - l->start) * o->rate / l->hz) + 1 - l->scheduled;
	else if (o->role == ROLE_ECHO)
		nr = o->window - l->in_flight;
	return nr < o->burst ? (unsigned int)nr : o->burst;
}

static void fill(struct load *l, struct rte_mbuf *mbuf, uint64_t time)
{
	const struct frame frame = { .stream = l->stream, .seq = l->next_seq++, .time = time };
	uint16_t len = (uint16_t)(l->o->size - FCS_BYTES);
	uint8_t *packet = rte_pktmbuf_mtod(mbuf, uint8_t *);
	struct rte_ether_hdr *ether = rte_pktmbuf_mtod(mbuf, struct rte_ether_hdr *);

	mbuf->data_len = len;
	mbuf->pkt_len = len;
	ether->dst_addr = l->o->dst;
	ether->src_addr = l->port->mac;
	frame_write(packet, len, &frame);
	if (l->o->spoil && frame.seq % l->o->spoil == 0)
		packet[len - 1] ^= 1;
}

static void make_packets(struct load *l, uint64_t now)
{
	unsigned int nr = due(l, now);

	/* None: the port still has them all. */
	if (!nr || rte_pktmbuf_alloc_bulk(l->port->pool, l->out, nr))
		return;
	l->out_at = 0;
	l->out_nr = (uint16_t)nr;
	for (unsigned int i = 0; i < nr; i++) {
		uint64_t time = l->o->rate > 0 ? due_time(l, l->scheduled) : now;

		l->scheduled++;
		fill(l, l->out[i], time);
	}
	l->in_flight += nr;
}

static uint16_t send_burst(struct load *l, struct rte_mbuf **packets, uint16_t nr)
{
	uint16_t sent = rte_eth_tx_burst(l->port->id, 0, packets, nr);

	if (sent < nr)
		l->n.tx_refused++;
	l->n.tx_packets += sent;
	return sent;
}

static bool send_some(struct load *l)
{
	uint16_t sent;

	if (l->out_at == l->out_nr)
		return false;
	sent = send_burst(l, l->out + l->out_at, (uint16_t)(l->out_nr - l->out_at));
	l->out_at = (uint16_t)(l->out_at + sent);
	l->n.tx_bytes += (uint64_t)sent * l->o->size;
	return sent;
}

/* ---- Receiving ---- */

static void check_order(struct load *l, const struct frame *frame)
{
	if (!l->has_sender || frame->stream != l->sender) {
		l->has_sender = true;
		l->sender = frame->stream;
		l->expected = frame->seq;
	}
	if (frame->seq < l->expected) {
		l->n.reordered++;
		if (l->n.lost) /* it was taken for lost */
			l->n.lost--;
		return;
	}
	l->n.lost += frame->seq - l->expected;
	l->expected = frame->seq + 1;
}

static void take_reply(struct load *l, const struct frame *frame, uint64_t now)
{
	l->last_return = now;
	if (frame->seq >= l->oldest_awaited && l->in_flight)
		l->in_flight--;
	if (frame->seq < l->first_seq)
		return;
	l->returned++;
	histogram_add(l->latency, (uint64_t)((double)(now - frame->time) * 1e9 / l->hz));
}

/* Whether the packet is one to answer, or an answer. */
static bool receive(struct load *l, const struct rte_mbuf *mbuf, uint64_t now)
{
	const uint8_t *packet = rte_pktmbuf_mtod(mbuf, const uint8_t *);
	struct frame frame;
	enum frame_kind kind = frame_read(packet, rte_pktmbuf_data_len(mbuf), &frame);

	if (kind == FRAME_CORRUPT)
		l->n.corrupt++;
	if (kind == FRAME_OURS && l->o->role == ROLE_ECHO && frame.stream != l->stream)
		kind = FRAME_FOREIGN;
	if (kind == FRAME_FOREIGN)
		l->n.foreign++;
	if (kind != FRAME_OURS)
		return false;
	l->last_arrival = now;
	l->n.rx_packets++;
	l->n.rx_bytes += rte_pktmbuf_pkt_len(mbuf) + FCS_BYTES;
	check_order(l, &frame);
	if (l->o->role == ROLE_ECHO)
		take_reply(l, &frame, now);
	return true;
}

/* Sends packets back to where they came from. What the port does not take is dropped. */
static void forward(struct load *l, struct rte_mbuf **packets, uint16_t nr)
{
	uint64_t bytes = 0;
	uint16_t sent;

	for (uint16_t i = 0; i < nr; i++) {
		struct rte_ether_hdr *ether = rte_pktmbuf_mtod(packets[i], struct rte_ether_hdr *);

		ether->dst_addr = ether->src_addr;
		ether->src_addr = l->port->mac;
		bytes += rte_pktmbuf_pkt_len(packets[i]) + FCS_BYTES;
	}
	sent = send_burst(l, packets, nr);
	for (uint16_t i = sent; i < nr; i++) {
		bytes -= rte_pktmbuf_pkt_len(packets[i]) + FCS_BYTES;
		rte_pktmbuf_free(packets[i]);
	}
	l->n.tx_bytes += bytes;
}

static bool receive_some(struct load *l)
{
	struct rte_mbuf *in[BURST_MAX];
	uint16_t nr = rte_eth_rx_burst(l->port->id, 0, in, l->o->burst), back = 0;
	uint64_t now = nr ? rte_rdtsc() : 0;

	for (uint16_t i = 0; i < nr; i++) {
		bool good = receive(l, in[i], now);

		if (good && l->o->role == ROLE_FORWARD)
			in[back++] = in[i];
		else
			rte_pktmbuf_free(in[i]);
	}
	if (back)
		forward(l, in, back);
	return nr;
}

/* A window full of lost packets must not end the load. */
static void give_up_lost(struct load *l, uint64_t now)
{
	if (!l->in_flight || (double)(now - l->last_return) < DRAIN_S * l->hz)
		return;
	l->oldest_awaited = l->next_seq;
	l->in_flight = 0;
	l->last_return = now;
}

bool load_step(struct load *l, uint64_t now)
{
	bool some = false;

	if (sends(l)) {
		if (l->out_at == l->out_nr)
			make_packets(l, now);
		some = send_some(l);
	}
	if (l->o->role != ROLE_TX)
		some |= receive_some(l);
	if (l->o->role == ROLE_ECHO && !some)
		give_up_lost(l, now);
	return some;
}

void load_idle(const struct load *l, uint64_t now)
{
	double us = l->o->idle_us;

	if (!l->o->idle_us)
		return;
	if (sends(l) && l->o->rate > 0 && l->out_at == l->out_nr) {
		double left = ((double)due_time(l, l->scheduled) - (double)now) * 1e6 / l->hz;

		us = left < us ? left : us;
	}
	if (us >= 1)
		rte_delay_us_sleep((unsigned int)us);
}

bool load_running(const struct load *l)
{
	switch (l->o->role) {
	case ROLE_TX:
		return l->n.tx_packets;
	case ROLE_ECHO:
		return l->returned;
	default:
		return true;
	}
}

/* ---- The window ---- */

void load_begin(struct load *l, uint64_t now)
{
	l->n = (struct counters){ 0 };
	histogram_reset(l->latency);
	l->start = now;
	l->last_arrival = now;
	l->scheduled = 0;
	l->first_seq = l->next_seq;
	l->returned = 0;
}

struct counters load_end(struct load *l)
{
	struct counters counted = l->n;
	uint64_t made = l->next_seq - l->first_seq;
	uint64_t now = rte_rdtsc(), end = now + (uint64_t)(DRAIN_S * l->hz);

	counted.idle_s = (double)(now - l->last_arrival) / l->hz;
	if (l->o->role != ROLE_ECHO)
		return counted;
	while (l->returned < made && (now = rte_rdtsc()) < end) {
		bool some = send_some(l);

		if (!receive_some(l) && !some)
			load_idle(l, now);
	}
	counted.lost = made > l->returned ? made - l->returned : 0;
	counted.corrupt = l->n.corrupt;
	return counted;
}

const struct histogram *load_latency(const struct load *l)
{
	return l->latency;
}
