// SPDX-License-Identifier: GPL-2.0-only
/* A NIC, assigned, whose cable ends in a peer (harness/peer.h). */
#include <errno.h>
#include <string.h>

#include "bench/devices/vfio.h"
#include "bench/net.h"
#include "bench/mode.h"
#include "harness/boot.h"
#include "harness/journal.h"
#include "harness/log.h"
#include "harness/netdev.h"
#include "harness/pci.h"
#include "harness/peer.h"
#include "harness/util.h"

#define DEVICE "/sys/bus/pci/devices/" BOOT_DEVICE_BDF
#define PINGS 10
/* Without a VM the NIC is in a namespace, too: else the host would answer its peer directly. */
#define NETNS "iommubench-nic"

static const char *const offload_choices[] = { "default", "on", "off", NULL };

static const struct setting settings_table[] = {
	{ "mtu", SETTING_COUNT, "1500", NULL, 576, 9216, "bytes of a packet, on both ends" },
	{ "queues", SETTING_COUNT, "0", NULL, 0, 256,
	  "queue pairs in the guest; 0: the driver's own" },
	{ "offloads", SETTING_CHOICE, "default", offload_choices, 0, 0,
	  "checksum, segmentation and receive offloads in the guest" },
	{ "irq_cpus", SETTING_TEXT, "", NULL, 0, 0,
	  "guest CPUs for its interrupts (\"0-1\"); empty: the kernel's choice" },
	{ "subnet", SETTING_TEXT, "198.18.0", NULL, 0, 0,
	  "first three numbers of both addresses: the peer is .1, the guest .2" },
	{ "link_wait", SETTING_TIME, "20s", NULL, 1, 600, "how long the link may take to come up" },
	{ 0 },
};

static int validate(const struct settings *settings, char **why)
{
	const char *cpus = settings_text(settings, "irq_cpus");
	struct net_addresses addresses;

	if (net_addresses(settings, &addresses)) {
		*why = xasprintf(
			"subnet '%.40s' is not the first three numbers of an IPv4 address, "
			"as 198.18.0",
			settings_text(settings, "subnet"));
		return -EINVAL;
	}
	if (cpus[strspn(cpus, "0123456789,-")]) {
		*why = xasprintf("irq_cpus '%.40s' is no list of CPUs, as 0-1,3", cpus);
		return -EINVAL;
	}
	return 0;
}

static int probe(const struct host *host, const struct settings *settings, char **why)
{
	int ret = vfio_probe(host, "nic", why);

	if (!ret)
		ret = peer_probe(host_device(host, "nic"), why);
	if (ret)
		return ret;
	if (!host_device(host, "nic")->within_page ||
	    strcmp(settings_text(settings, "offloads"), "on") != 0)
		return 0;
	*why = xstrdup("this host's NIC sends no buffer that crosses a page, which scatter/gather "
		       "would need: write offloads: default or off");
	return -EOPNOTSUPP;
}

/* The host's driver has just been given it, and udev may be about to name it. */
static int await_interface(const char *address, char **why)
{
	const struct waiter waiter = { .pidfd = -1 };
	uint64_t deadline = deadline_in(20);
	autofree char *last = NULL;

	for (;;) {
		autofree char *reason = NULL;
		char *name = NULL;
		int ret = netdev_free(address, &name, &reason);
		bool settled = !ret && last && !strcmp(name, last);

		free(last);
		last = name;
		if (settled)
			return 0;
		if (ret && (ret != -ENODEV || now_ns() > deadline)) {
			*why = reason;
			reason = NULL;
			return ret;
		}
		if (wait_seconds(&waiter, 0.5))
			return -EINTR;
	}
}

static int isolate(struct boot *boot)
{
	const char *address = host_device(boot->host, "nic")->address;
	const struct netns_port port = { .bdf = address, .alias = NET_INTERFACE };
	autofree char *interface = NULL, *why = NULL;
	int ret = pci_assignable(address, &why);

	if (!ret)
		ret = await_interface(address, &why);
	if (!ret)
		ret = journal_netns(boot->journal, NETNS, &port, &interface, &why);
	if (ret)
		return boot_fail(boot, ret, "%s", why ? why : strerror(-ret));
	json_object_set_new(boot->proof, "nic.interface", json_string(interface));
	boot->netns = NETNS;
	return 0;
}

static int host_setup(struct boot *boot, const struct settings *settings)
{
	unsigned int mtu = (unsigned int)settings_count(settings, "mtu");
	struct net_addresses addresses;
	autofree char *why = NULL;
	int ret = boot->cell->mode->attach == ATTACH_HOST ? isolate(boot) : vfio_bind(boot, "nic");

	if (ret)
		return ret;
	net_addresses(settings, &addresses);
	ret = peer_open(boot->journal, host_device(boot->host, "nic"), addresses.peer_prefix, mtu,
			&boot->peer, &why);
	return ret ? boot_fail(boot, ret, "%s", why ? why : strerror(-ret)) : 0;
}

static void configure(const struct host *host, const struct settings *settings, enum attach attach,
		      struct vm_config *vm)
{
	vfio_configure(host, "nic", vm);
}

/* --- in the guest --- */

/* The guest's driver names it; we name it anew, so that all know it. */
static int load_driver(struct boot *boot)
{
	int ret = boot_guest_script(
		boot, "modprobe \"$(cat " DEVICE "/modalias)\"", "sh",
		"the guest has no driver for this NIC: add it to guest_modules in "
		"scripts/images.sh");

	if (ret)
		return ret;
	return boot_guest_script(boot,
				 "n=0; until set -- " DEVICE
				 "/net/*; test -e \"$1\"; do n=$((n+1)); "
				 "test $n -lt 100 || exit 1; busybox usleep 100000; done; "
				 "busybox ip link set \"${1##*/}\" name " NET_INTERFACE,
				 "sh", "the guest's driver made no network interface of the NIC");
}

/* What came of it is recorded: a driver may change more than it is asked to. */
static int record_features(struct boot *boot)
{
	char *const argv[] = { (char *)"sh", (char *)"-c",
			       (char *)"ethtool -k " NET_INTERFACE
				       " | busybox grep -E '^(tx-check|rx-check|scatter|tcp-seg|"
				       "generic-|large-)'",
			       NULL };
	autofree char *text = NULL;
	int ret = guest_run(boot->vm->guest, argv, 30, &text);

	if (!ret)
		json_object_set_new(boot->proof, "nic.features", json_string(text));
	return ret;
}

/* tso follows sg and tx, and some drivers' rx cannot be changed. */
static int set_features(struct boot *boot, const struct settings *settings)
{
	const char *offloads = settings_text(settings, "offloads");
	uint64_t queues = settings_count(settings, "queues");
	int ret = 0;

	if (host_device(boot->host, "nic")->within_page)
		ret = boot_guest_script(boot, "ethtool -K " NET_INTERFACE " tso off sg off", "sh",
					"the guest's NIC does not switch scatter/gather off");
	if (!ret && strcmp(offloads, "default") != 0)
		ret = boot_guest_script(boot,
					"for f in rx tx sg tso gso gro; do "
					"ethtool -K " NET_INTERFACE
					" $f $0 || test $f = rx -o $f = tso || exit 1; done",
					offloads, "the guest's NIC refuses the offloads");
	if (!ret && queues) {
		autofree char *text = xasprintf("%llu", (unsigned long long)queues);

		ret = boot_guest_script(
			boot, "ethtool -L " NET_INTERFACE " combined $0", text,
			"the guest's NIC does not have that many queues: lower `queues`");
	}
	return ret ? ret : record_features(boot);
}

static int bring_up(struct boot *boot, const struct settings *settings)
{
	struct net_addresses addresses;
	autofree char *script = NULL;

	net_addresses(settings, &addresses);
	script = xasprintf("echo 1 >/proc/sys/net/ipv6/conf/all/disable_ipv6 2>/dev/null; "
			   "busybox ip link set lo up; "
			   "busybox ip addr add %s/24 dev " NET_INTERFACE " && "
			   "busybox ip link set " NET_INTERFACE " mtu %llu up",
			   addresses.guest, (unsigned long long)settings_count(settings, "mtu"));
	return boot_guest_script(boot, script, "sh",
				 "the guest's NIC does not come up: does it take this MTU?");
}

/* Only now that the guest's driver has the NIC. */
static int connect_peer(struct boot *boot)
{
	autofree char *why = NULL;
	int ret = peer_up(boot->peer, &why);

	return ret ? boot_fail(boot, ret, "%s", why) : 0;
}

/* Its interrupts are there once it is up. */
static int place_interrupts(struct boot *boot, const struct settings *settings)
{
	bool no_vm = boot->cell->mode->attach == ATTACH_HOST;
	const char *cpus = settings_text(settings, "irq_cpus");
	autofree char *script = xasprintf(
		"for i in /sys/bus/pci/devices/%s/msi_irqs/*; do test ! -d /proc/irq/${i##*/} || "
		"echo $0 >/proc/irq/${i##*/}/smp_affinity_list || exit 1; done",
		no_vm ? host_device(boot->host, "nic")->address : BOOT_DEVICE_BDF);

	if (!*cpus)
		return 0;
	return boot_guest_script(boot, script, cpus,
				 "the guest refuses irq_cpus: has it these CPUs?");
}

static int await_link(struct boot *boot, const struct settings *settings)
{
	double limit = settings_time(settings, "link_wait");
	uint64_t deadline = deadline_in(limit);
	int ret = 0;

	while (!ret) {
		autofree char *carrier = NULL;

		ret = guest_read(boot->vm->guest, "/sys/class/net/" NET_INTERFACE "/carrier",
				 &carrier);
		if (!ret && !strcmp(carrier, "1"))
			return 0;
		if (!ret && now_ns() > deadline)
			return boot_fail(boot, -ENOLINK,
					 "no link on the assigned NIC after %.0f s: is the cable "
					 "plugged in, and %s up?",
					 limit, peer_interface(boot->peer));
		if (!ret)
			ret = wait_seconds(&boot->vm->waiter, 0.1);
	}
	return ret;
}

/* The peer answers, and both ends have counted it: the path is the assigned NIC's cable. */
static int prove_path(struct boot *boot, const struct settings *settings)
{
	struct net_addresses addresses;
	struct net_ends before, after;
	autofree char *failed = NULL, *doubt = NULL;
	int ret;

	net_addresses(settings, &addresses);
	failed = xasprintf("the link is up, but the peer %s does not answer: where does the cable "
			   "end?",
			   addresses.peer);
	/* The first packets may be lost while the other end's link comes up. */
	ret = boot_guest_script(boot,
				"n=0; until busybox ping -q -c 1 -W 1 $0; do n=$((n+1)); "
				"test $n -lt 20 || exit 1; done",
				addresses.peer, failed);
	if (!ret)
		ret = net_read_ends(boot, &before);
	if (!ret)
		ret = boot_guest_script(boot, "busybox ping -q -c 10 -i 0.01 -W 2 $0",
					addresses.peer, failed);
	if (!ret)
		ret = net_read_ends(boot, &after);
	if (ret)
		return ret;
	doubt = net_path_doubt(&before, &after, PINGS);
	json_object_set_new(boot->proof, "nic.path",
			    json_string(doubt ? doubt : "pings counted on both ends"));
	return doubt ? boot_fail(boot, -EPROTO, "%s", doubt) : 0;
}

static int guest_setup(struct boot *boot, const struct settings *settings)
{
	int ret = boot->cell->mode->attach == ATTACH_HOST ? 0 : load_driver(boot);

	if (!ret)
		ret = set_features(boot, settings);
	if (!ret)
		ret = bring_up(boot, settings);
	if (!ret)
		ret = connect_peer(boot);
	if (!ret)
		ret = place_interrupts(boot, settings);
	if (!ret)
		ret = await_link(boot, settings);
	return ret ? ret : prove_path(boot, settings);
}

/* Packets in and out. A NIC that a program has taken from the kernel's driver counts none. */
static int count_ops(struct boot *boot, uint64_t *ops)
{
	static const char *const paths[] = {
		"/sys/class/net/" NET_INTERFACE "/statistics/rx_packets",
		"/sys/class/net/" NET_INTERFACE "/statistics/tx_packets",
	};

	*ops = 0;
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		autofree char *text = NULL;
		uint64_t packets = 0;
		int ret = guest_read(boot->vm->guest, paths[i], &text);

		if (ret == -ENOENT)
			return 0;
		if (!ret)
			ret = field_number(text, 1, &packets);
		if (ret)
			return ret;
		*ops += packets;
	}
	return 0;
}

const struct device_ops device_nic = {
	.name = "nic",
	.help = "a NIC, assigned with VFIO, and a peer at the other end of its cable",
	.class = DEVICE_NET,
	.settings = settings_table,
	.except = ATTACH_BIT(ATTACH_EMULATED) | ATTACH_BIT(ATTACH_VIRTIO),
	.validate = validate,
	.probe = probe,
	.host_setup = host_setup,
	.configure = configure,
	.guest_setup = guest_setup,
	.count_ops = count_ops,
};
