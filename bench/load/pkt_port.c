// SPDX-License-Identifier: GPL-2.0-only
/* Setting up the only port. No interrupts: uio_pci_generic has none that could be used. */
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>

#include "bench/load/pkt.h"

#define POOL_CACHE 256
#define PAGE_BYTES 4096

static int find_port(struct port *port)
{
	uint16_t nr = 0;

	for (uint16_t id = 0; id < RTE_MAX_ETHPORTS; id++) {
		if (rte_eth_dev_is_valid_port(id)) {
			port->id = id;
			nr++;
		}
	}
	if (nr == 1)
		return 0;
	if (nr)
		return complain(
			"DPDK has %u ports: name one with -a ADDRESS or --no-pci --vdev=...", nr);
	return complain("DPDK has no port: bind the NIC to uio_pci_generic or vfio-pci and name it "
			"with -a ADDRESS, or this build has no driver for it: use "
			"--vdev=net_af_packet0,iface=INTERFACE");
}

/* Does the largest packet cross a page where it begins in a fresh buffer? */
static bool crosses_page(const struct rte_mbuf *mbuf)
{
	uintptr_t first = rte_pktmbuf_mtod(mbuf, uintptr_t), last = first + RTE_ETHER_MAX_LEN - 1;

	return first / PAGE_BYTES != last / PAGE_BYTES;
}

/* Takes all buffers out, and puts back those that may be used: about half of them. */
static int keep_within_pages(struct rte_mempool *pool, unsigned int nr)
{
	struct rte_mbuf **all = calloc(nr, sizeof(struct rte_mbuf *));
	unsigned int got = 0;

	if (!all)
		return complain("no memory for a list of %u packet buffers", nr);
	while (got < nr && (all[got] = rte_pktmbuf_alloc(pool)))
		got++;
	for (unsigned int i = 0; i < got; i++)
		if (!crosses_page(all[i]))
			rte_pktmbuf_free(all[i]);
	free(all);
	return 0;
}

static int make_pool(struct port *port, const struct options *o)
{
	unsigned int needed = 2U * o->descriptors + 2U * o->burst + 2 * POOL_CACHE;
	unsigned int nr = (o->mbufs ? o->mbufs : needed) * (o->within_page ? 2 : 1);

	port->pool = rte_pktmbuf_pool_create("pkt", nr, POOL_CACHE, 0, RTE_MBUF_DEFAULT_BUF_SIZE,
					     SOCKET_ID_ANY);
	if (port->pool)
		return o->within_page ? keep_within_pages(port->pool, nr) : 0;
	return complain("no memory for %u packet buffers: %s: give more (-m) or fewer (--mbufs)",
			nr, rte_strerror(rte_errno));
}

static int set_up_queues(const struct port *port, const struct options *o)
{
	uint16_t rx = o->descriptors, tx = rx;
	int ret = rte_eth_dev_adjust_nb_rx_tx_desc(port->id, &rx, &tx);

	if (!ret)
		ret = rte_eth_rx_queue_setup(port->id, 0, rx, SOCKET_ID_ANY, NULL, port->pool);
	if (!ret)
		ret = rte_eth_tx_queue_setup(port->id, 0, tx, SOCKET_ID_ANY, NULL);
	return ret;
}

int port_start(struct port *port, const struct options *o)
{
	struct rte_eth_conf conf = { 0 };
	struct rte_eth_dev_info info;
	int ret;

	if (find_port(port) || make_pool(port, o))
		return -1;
	ret = rte_eth_dev_info_get(port->id, &info);
	if (ret)
		return complain("the port tells nothing about itself: %s", rte_strerror(-ret));
	port->driver = info.driver_name;
	ret = rte_eth_dev_configure(port->id, 1, 1, &conf);
	if (!ret)
		ret = set_up_queues(port, o);
	if (!ret)
		ret = rte_eth_macaddr_get(port->id, &port->mac);
	if (!ret)
		ret = rte_eth_dev_start(port->id);
	if (ret)
		return complain(
			"the port (%s) does not start: %s: try fewer --descriptors, or more "
			"--mbufs",
			port->driver, rte_strerror(-ret));
	return 0;
}

void port_stop(struct port *port)
{
	rte_eth_dev_stop(port->id);
	rte_eth_dev_close(port->id);
}

/* DPDK 22.11 takes the link of a kernel's interface to be up always. */
static bool interface_runs(unsigned int index)
{
	struct ifreq request = { 0 };
	bool runs = false;
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return false;
	if (if_indextoname(index, request.ifr_name) && !ioctl(fd, SIOCGIFFLAGS, &request))
		runs = (request.ifr_flags & IFF_UP) && (request.ifr_flags & IFF_RUNNING);
	close(fd);
	return runs;
}

bool port_link(const struct port *port)
{
	struct rte_eth_dev_info info;
	struct rte_eth_link link;

	if (rte_eth_link_get_nowait(port->id, &link) || !link.link_status)
		return false;
	return rte_eth_dev_info_get(port->id, &info) || !info.if_index ||
	       interface_runs(info.if_index);
}

struct port_errors port_errors(const struct port *port)
{
	struct rte_eth_stats stats = { 0 };

	rte_eth_stats_get(port->id, &stats);
	return (struct port_errors){
		.missed = stats.imissed,
		.rx_errors = stats.ierrors,
		.no_mbuf = stats.rx_nombuf,
	};
}
