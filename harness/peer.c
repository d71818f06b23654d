// SPDX-License-Identifier: GPL-2.0-only
/* The other end of an assigned NIC's cable, in a network namespace. */
#include "harness/peer.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "harness/journal.h"
#include "harness/netdev.h"
#include "harness/proc.h"
#include "harness/shell.h"

#define COMMAND_S 30

struct peer {
	const struct host_device *device;
	char *interface;
};

int peer_probe(const struct host_device *device, char **why)
{
	autofree char *interface = NULL;
	static char *const ip[] = { (char *)"ip", (char *)"-V", NULL };

	if (!device->peer && !device->remote) {
		*why = xstrdup("the host file names no other end of the cable: add 'peer: "
			       "\"ADDRESS\"' (a port of this host) or 'remote: user@host, "
			       "interface: NAME'");
		return -ENODEV;
	}
	if (proc_run(ip, COMMAND_S, NULL)) {
		*why = xstrdup("there is no `ip`: install iproute2");
		return -ENOENT;
	}
	if (device->peer)
		return netdev_free(device->peer, &interface, why);
	return netdev_free_remote(device->remote, device->interface, why);
}

static void add_command(const struct peer *peer, bool terminal, char *const command[],
			struct strlist *argv)
{
	static const char *const prefix[] = { "ip", "netns", "exec", PEER_NETNS };
	struct strlist whole = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(prefix); i++)
		strlist_add(&whole, prefix[i]);
	for (; *command; command++)
		strlist_add(&whole, *command);
	shell_remote(peer->device->remote, terminal, whole.items, argv);
	strlist_free(&whole);
}

void peer_command(const struct peer *peer, char *const command[], struct strlist *argv)
{
	add_command(peer, false, command, argv);
}

int peer_run(const struct peer *peer, char *const command[], double timeout_s, char **output)
{
	struct strlist argv = { 0 };
	int ret;

	peer_command(peer, command, &argv);
	ret = proc_run(argv.items, timeout_s, output);
	strlist_free(&argv);
	return ret;
}

int peer_start(const struct peer *peer, char *const command[], const char *path, struct proc *proc)
{
	autoclose int none = open("/dev/null", O_RDONLY | O_CLOEXEC);
	autoclose int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	struct strlist argv = { 0 };
	int ret;

	if (fd < 0)
		return -errno;
	add_command(peer, true, command, &argv);
	ret = proc_start(argv.items, &(struct proc_options){ .in = none, .out = fd, .err = fd },
			 proc);
	strlist_free(&argv);
	return ret;
}

static int run_script(const struct peer *peer, const char *script, char **why)
{
	autofree char *output = NULL;
	char *const argv[] = { (char *)"sh", (char *)"-c", (char *)script, peer->interface, NULL };
	int ret = peer_run(peer, argv, COMMAND_S, &output);

	if (ret)
		*why = xasprintf("cannot set up the peer's interface %s: %s", peer->interface,
				 output && *output ? output : strerror(-ret));
	return ret;
}

/* Without IPv6: its neighbour discovery is traffic that no workload asked for. */
static int configure(const struct peer *peer, const char *address, unsigned int mtu, char **why)
{
	autofree char *script = xasprintf(
		"echo 1 >/proc/sys/net/ipv6/conf/all/disable_ipv6; ip addr flush dev \"$0\"; "
		"ip link set \"$0\" down mtu %u && ip addr add %s dev \"$0\"",
		mtu, address);

	return run_script(peer, script, why);
}

int peer_up(const struct peer *peer, char **why)
{
	return run_script(peer, "ip link set \"$0\" up", why);
}

int peer_open(struct journal *journal, const struct host_device *device, const char *address,
	      unsigned int mtu, struct peer **out, char **why)
{
	const struct netns_port port = { device->peer, device->remote, device->interface, NULL };
	struct peer *peer = xzalloc(sizeof(*peer));
	int ret;

	peer->device = device;
	ret = journal_netns(journal, PEER_NETNS, &port, &peer->interface, why);
	if (!ret)
		ret = configure(peer, address, mtu, why);
	if (ret)
		peer_close(peer);
	else
		*out = peer;
	return ret;
}

void peer_close(struct peer *peer)
{
	if (!peer)
		return;
	free(peer->interface);
	free(peer);
}

const char *peer_interface(const struct peer *peer)
{
	return peer->interface;
}

char *peer_tool(const struct peer *peer, const char *build_dir, const char *name)
{
	if (!peer->device->remote)
		return xasprintf("%s/load/%s", build_dir, name);
	if (peer->device->tools)
		return xasprintf("%s/%s", peer->device->tools, name);
	return xstrdup(name);
}
