// SPDX-License-Identifier: GPL-2.0-only
/* What network workloads share. */
#include "bench/net.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "harness/peer.h"
#include "harness/util.h"

#define READ_S 30

int net_addresses(const struct settings *nic, struct net_addresses *out)
{
	const char *text = settings_text(nic, "subnet");
	unsigned long part[3];

	for (size_t i = 0; i < ARRAY_SIZE(part); i++) {
		char *end;

		if (*text < '0' || *text > '9')
			return -EINVAL;
		part[i] = strtoul(text, &end, 10);
		if (part[i] > 255 || *end != (i < 2 ? '.' : '\0'))
			return -EINVAL;
		text = end + (i < 2);
	}
	if (part[0] < 1 || part[0] > 223)
		return -EINVAL;
	snprintf(out->peer, sizeof(out->peer), "%lu.%lu.%lu.1", part[0], part[1], part[2]);
	snprintf(out->peer_prefix, sizeof(out->peer_prefix), "%s/24", out->peer);
	snprintf(out->guest, sizeof(out->guest), "%lu.%lu.%lu.2", part[0], part[1], part[2]);
	return 0;
}

void net_guest_address(const struct boot *boot, struct net_addresses *out)
{
	net_addresses(boot->cell->device_settings, out); /* checked with the configuration */
}

/* Its end before it listened: why? */
static int explain_server(struct boot *boot, const char *name, struct guest_result *result)
{
	const char *words = result->err.len ? result->err.data : result->out.data;

	return boot_fail(boot, -EREMOTEIO, "%s in the guest ended with %s: %.300s", name,
			 proc_status_text(result->status), words ? words : "");
}

/* An IPv4 socket that listens (0A) on the port, as /proc/net/tcp has it (proc(5)). */
static bool listens(struct boot *boot, unsigned int port)
{
	autofree char *mark = xasprintf(":%04X 00000000:0000 0A", port), *text = NULL;

	return !guest_read(boot->vm->guest, "/proc/net/tcp", &text) && strstr(text, mark);
}

int net_start_server(struct boot *boot, char *const argv[], unsigned int port, uint32_t *job)
{
	struct guest *guest = boot->vm->guest;
	uint64_t deadline = deadline_in(READ_S);
	int ret;

	if (listens(boot, port))
		return boot_fail(boot, -EREMOTEIO,
				 "port %u is busy in the guest: give another `port`", port);
	ret = guest_start(guest, argv, 0, NULL, NULL, job);
	while (!ret && !listens(boot, port)) {
		struct guest_result result = { 0 };

		ret = guest_wait(guest, *job, 0.1, &result);
		if (!ret) {
			ret = explain_server(boot, argv[0], &result);
			guest_result_free(&result);
			return ret;
		}
		if (ret == -ETIMEDOUT && now_ns() < deadline)
			ret = 0;
	}
	if (ret)
		guest_kill(guest, *job);
	if (ret == -ETIMEDOUT)
		return boot_fail(boot, -EREMOTEIO, "%s in the guest does not listen on port %u",
				 argv[0], port);
	return ret;
}

void net_stop_server(struct boot *boot, unsigned int port, uint32_t job)
{
	uint64_t deadline = deadline_in(READ_S);

	guest_kill(boot->vm->guest, job);
	while (listens(boot, port) && now_ns() < deadline)
		if (wait_seconds(&boot->vm->waiter, 0.05))
			return;
}

static const char statistics[] = "cd /sys/class/net/\"$0\"/statistics && "
				 "cat rx_packets tx_packets rx_bytes tx_bytes";

static int parse(const char *text, struct net_counters *out)
{
	uint64_t *const fields[] = { &out->rx_packets, &out->tx_packets, &out->rx_bytes,
				     &out->tx_bytes };

	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		char *end;

		*fields[i] = strtoull(text, &end, 10);
		if (end == text)
			return -EIO;
		text = end;
	}
	return 0;
}

int net_read_ends(struct boot *boot, struct net_ends *ends)
{
	char *const guest[] = { (char *)"sh", (char *)"-c", (char *)statistics,
				(char *)NET_INTERFACE, NULL };
	char *const peer[] = { (char *)"sh", (char *)"-c", (char *)statistics,
			       (char *)peer_interface(boot->peer), NULL };
	autofree char *guest_text = NULL, *peer_text = NULL;
	int ret = guest_run(boot->vm->guest, guest, READ_S, &guest_text);

	if (!ret)
		ret = parse(guest_text, &ends->guest);
	if (ret)
		return boot_fail(boot, ret, "cannot read the NIC's packet counters in the guest");
	ret = peer_run(boot->peer, peer, READ_S, &peer_text);
	if (!ret)
		ret = parse(peer_text, &ends->peer);
	if (ret == -EINTR)
		return ret;
	if (ret)
		return boot_fail(boot, -EREMOTEIO,
				 "cannot read the packet counters of the peer's %s: %s",
				 peer_interface(boot->peer), peer_text ? peer_text : "");
	return 0;
}

/*
 * Bytes: some NICs count a packet that they cut into segments as one. Up to half may be lost on
 * the way to a receiver that is too slow.
 */
static bool agree(uint64_t sent, uint64_t received)
{
	return received <= sent + sent / 10 + 4096 && received + 4096 >= sent / 2;
}

char *net_path_doubt(const struct net_ends *before, const struct net_ends *after, uint64_t packets)
{
	const struct net_counters *g = &after->guest, *p = &after->peer;
	uint64_t out = g->tx_bytes - before->guest.tx_bytes;
	uint64_t in = g->rx_bytes - before->guest.rx_bytes;
	uint64_t peer_in = p->rx_bytes - before->peer.rx_bytes;
	uint64_t peer_out = p->tx_bytes - before->peer.tx_bytes;

	if (g->tx_packets - before->guest.tx_packets >= packets &&
	    g->rx_packets - before->guest.rx_packets >= packets && agree(out, peer_in) &&
	    agree(peer_out, in))
		return NULL;
	return xasprintf(
		"the traffic did not take the cable: the guest's NIC sent %llu and received "
		"%llu bytes, the peer's received %llu and sent %llu",
		(unsigned long long)out, (unsigned long long)in, (unsigned long long)peer_in,
		(unsigned long long)peer_out);
}
