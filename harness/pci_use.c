// SPDX-License-Identifier: GPL-2.0-only
/* What the host itself uses its PCI devices for. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "harness/pci.h"
#include "harness/util.h"

#define ROUTE_REJECT 0x200 /* RTF_REJECT of linux/route.h */
#define SCOPE_LINK 0x20	   /* IPV6_ADDR_LINKLOCAL of net/ipv6.h */
#define OVS "ovs-system"   /* its bridges, which have addresses and routes, are not upon it */

static void list_add_once(struct strlist *list, const char *text)
{
	if (!strlist_has(list, text))
		strlist_add(list, text);
}

/* Splits a line at blanks in place; returns the number of words, at most max. */
static size_t split_words(char *line, char **words, size_t max)
{
	char *save = NULL;
	size_t nr = 0;

	for (char *word = strtok_r(line, " \t", &save); word && nr < max;
	     word = strtok_r(NULL, " \t", &save))
		words[nr++] = word;
	return nr;
}

/* Does the real path of a class entry lead through that device? */
static bool lies_below(const char *path, const char *bdf)
{
	autofree char *real = realpath(path, NULL);
	autofree char *component = xasprintf("/%s/", bdf);

	return real && strstr(real, component);
}

/*
 * With NVMe multipathing a namespace lives below a virtual subsystem, which has a link to each
 * of its controllers.
 */
static bool subsystem_uses(char *real, const char *bdf)
{
	static const char class[] = "/nvme-subsystem/";
	autolist struct strlist names = { 0 };
	char *subsystem = strstr(real, class);
	char *end = subsystem ? strchr(subsystem + strlen(class), '/') : NULL;

	if (!end)
		return false;
	*end = '\0';
	dir_names(real, &names);
	for (size_t i = 0; i < names.nr; i++) {
		autofree char *controller = xasprintf("%s/%s", real, names.items[i]);

		if (!strncmp(names.items[i], "nvme", 4) && lies_below(controller, bdf))
			return true;
	}
	return false;
}

static bool block_is_on(const char *name, const char *bdf)
{
	autofree char *path = xasprintf("%s/class/block/%s", sysfs_root, name);
	autofree char *real = realpath(path, NULL);

	return real && (lies_below(path, bdf) || subsystem_uses(real, bdf));
}

/* Is the text the number ("259:1") or the node ("/dev/sda1", "/dev/mapper/x") of that block? */
static bool block_is(const char *name, const char *text)
{
	autofree char *dev_path = xasprintf("%s/class/block/%s/dev", sysfs_root, name);
	autofree char *dm_path = xasprintf("%s/class/block/%s/dm/name", sysfs_root, name);
	autofree char *dev = file_read_trimmed(dev_path), *dm = file_read_trimmed(dm_path);
	autofree char *node = xasprintf("/dev/%s", name);
	autofree char *mapper = xasprintf("/dev/mapper/%s", dm ? dm : "");

	return (dev && !strcmp(text, dev)) || !strcmp(text, node) || (dm && !strcmp(text, mapper));
}

static const char *find_block(const struct strlist *blocks, const char *text)
{
	for (size_t i = 0; i < blocks->nr; i++)
		if (block_is(blocks->items[i], text))
			return blocks->items[i];
	return NULL;
}

/* Adds what is built upon a block device: its partitions, and dm, md and bcache on it. */
static void add_block_users(struct strlist *blocks, const char *name)
{
	autofree char *path = xasprintf("%s/class/block/%s", sysfs_root, name);
	autofree char *holders = xasprintf("%s/holders", path);
	autolist struct strlist names = { 0 }, holder_names = { 0 };

	dir_names(holders, &holder_names);
	for (size_t i = 0; i < holder_names.nr; i++)
		list_add_once(blocks, holder_names.items[i]);
	dir_names(path, &names);
	for (size_t i = 0; i < names.nr; i++) {
		autofree char *partition = xasprintf("%s/%s/partition", path, names.items[i]);

		if (file_exists(partition))
			list_add_once(blocks, names.items[i]);
	}
}

/* Adds a loop device that has one of them as its file, which claims nothing and is no holder. */
static void add_loop(struct strlist *blocks, const char *name)
{
	autofree char *path = xasprintf("%s/class/block/%s/loop/backing_file", sysfs_root, name);
	autofree char *file = file_read_trimmed(path);

	if (file && find_block(blocks, file))
		list_add_once(blocks, name);
}

/* Every block device that is on the PCI device, directly or through others. */
static void blocks_on(const char *bdf, struct strlist *blocks)
{
	autofree char *class = xasprintf("%s/class/block", sysfs_root);
	autolist struct strlist names = { 0 };

	dir_names(class, &names);
	for (size_t i = 0; i < names.nr; i++)
		if (block_is_on(names.items[i], bdf))
			list_add_once(blocks, names.items[i]);
	for (size_t i = 0, known = 0; i < blocks->nr; i = known) {
		for (known = blocks->nr; i < known; i++)
			add_block_users(blocks, blocks->items[i]);
		for (size_t k = 0; k < names.nr; k++)
			add_loop(blocks, names.items[k]);
	}
}

/*
 * One line of mountinfo. Some file systems (btrfs) have a device number of their own there, so
 * that the source is looked at, too.
 */
static char *mount_use(const struct strlist *blocks, char *line)
{
	char *words[64];
	size_t nr = split_words(line, words, ARRAY_SIZE(words)), dash = 5;
	const char *block;

	if (nr < 6)
		return NULL;
	block = find_block(blocks, words[2]);
	while (dash < nr && strcmp(words[dash], "-") != 0)
		dash++;
	if (!block && dash + 2 < nr)
		block = find_block(blocks, words[dash + 2]);
	if (!block)
		return NULL;
	return xasprintf("it holds /dev/%s, mounted on %s: unmount it or name another device",
			 block, words[4]);
}

static char *swap_use(const struct strlist *blocks, char *line)
{
	char *words[2];
	size_t nr = split_words(line, words, ARRAY_SIZE(words));
	const char *block = nr ? find_block(blocks, words[0]) : NULL;

	if (!block)
		return NULL;
	return xasprintf("it holds active swap: swapoff /dev/%s, or name another device", block);
}

/*
 * A route of /proc/net/route. The default one has destination and mask 0; any other one, that of an
 * address above all, is a use as well.
 */
static char *route_use(const struct strlist *interfaces, char *line)
{
	char *words[16];
	size_t nr = split_words(line, words, ARRAY_SIZE(words));

	if (nr < 8 || (strtoul(words[3], NULL, 16) & ROUTE_REJECT) ||
	    !strlist_has(interfaces, words[0]))
		return NULL;
	if (!strcmp(words[1], "00000000") && !strcmp(words[7], "00000000"))
		return xasprintf("the default route goes through %s: name another device",
				 words[0]);
	return xasprintf("the host has an address or a route on %s: ip addr flush dev %s if the "
			 "host can do without it, or name another device",
			 words[0], words[0]);
}

/* The same of /proc/net/ipv6_route, whose last fields are the flags and the interface. */
static char *route6_use(const struct strlist *interfaces, char *line)
{
	char *words[16];
	size_t nr = split_words(line, words, ARRAY_SIZE(words));

	if (nr < 10 || strspn(words[0], "0") != 32 || strcmp(words[1], "00") != 0 ||
	    (strtoul(words[8], NULL, 16) & ROUTE_REJECT) || !strlist_has(interfaces, words[9]))
		return NULL;
	return xasprintf("the IPv6 default route goes through %s: name another device", words[9]);
}

/* An address of /proc/net/if_inet6. Every interface that is up has a link-local one. */
static char *address6_use(const struct strlist *interfaces, char *line)
{
	char *words[6];
	size_t nr = split_words(line, words, ARRAY_SIZE(words));

	if (nr < 6 || strtoul(words[3], NULL, 16) == SCOPE_LINK ||
	    !strlist_has(interfaces, words[5]))
		return NULL;
	return xasprintf("the host has an IPv6 address on %s: ip addr flush dev %s if the host can "
			 "do without it, or name another device",
			 words[5], words[5]);
}

/*
 * The first use that a file below procfs shows of the named things, or NULL. A file that is not
 * there shows none (no swap, no IPv6); one that cannot be read, or no procfs at all, is a
 * reason to refuse.
 */
static char *proc_use(const char *file, const struct strlist *names,
		      char *(*use)(const struct strlist *names, char *line))
{
	autofree char *path = xasprintf("%s/%s", procfs_root, file);
	autofree char *self = xasprintf("%s/self", procfs_root);
	autofree char *text = file_read(path, NULL);
	char *save = NULL, *reason = NULL;

	if (!text && errno == ENOENT && file_exists(self))
		return NULL;
	if (!text)
		return xasprintf("%s cannot be read (%s), so what the host uses is unknown: "
				 "run as root",
				 path, strerror(errno));
	for (char *line = strtok_r(text, "\n", &save); line && !reason;
	     line = strtok_r(NULL, "\n", &save))
		reason = use(names, line);
	return reason;
}

/*
 * The kernel gives no exclusive access to a block device that something has claimed: a mount in
 * another namespace, ZFS, a second btrfs device and what else mountinfo does not name.
 */
static char *claimed(const struct strlist *blocks)
{
	for (size_t i = 0; i < blocks->nr; i++) {
		autofree char *node = xasprintf("%s/%s", devfs_root, blocks->items[i]);
		autoclose int fd = open(node, O_RDONLY | O_EXCL | O_NONBLOCK | O_CLOEXEC);

		if (fd < 0 && errno == EBUSY)
			return xasprintf("/dev/%s on it is in use (RAID, LVM, ZFS or a mount "
					 "elsewhere): stop that or name another device",
					 blocks->items[i]);
		if (fd < 0 && (errno == EACCES || errno == EPERM))
			return xasprintf("whether /dev/%s on it is in use cannot be seen: run as "
					 "root",
					 blocks->items[i]);
	}
	return NULL;
}

char *pci_block_use(const char *bdf)
{
	autolist struct strlist blocks = { 0 };
	char *reason;

	blocks_on(bdf, &blocks);
	if (!blocks.nr)
		return NULL;
	reason = proc_use("self/mountinfo", &blocks, mount_use);
	if (!reason)
		reason = proc_use("swaps", &blocks, swap_use);
	if (!reason)
		reason = claimed(&blocks);
	return reason;
}

/*
 * A share of the host's own hypervisor. Whether it is mounted cannot be told: below an overlay,
 * mountinfo does not show it, and of virtiofs only a name that devices do not tell.
 */
char *pci_share_use(const char *bdf)
{
	autofree char *path = pci_path(bdf, "");
	autolist struct strlist names = { 0 };

	dir_names(path, &names);
	for (size_t i = 0; i < names.nr; i++) {
		autofree char *file = xasprintf("%s%s/mount_tag", path, names.items[i]);
		autofree char *link = xasprintf("%s%s/driver", path, names.items[i]);
		bool is_virtio = !strncmp(names.items[i], "virtio", 6);
		autofree char *tag = is_virtio ? file_read_trimmed(file) : NULL;
		autofree char *driver = is_virtio ? link_name(link) : NULL;
		bool is_virtiofs = driver && !strcmp(driver, "virtiofs");

		if (tag || is_virtiofs)
			return xasprintf("it holds the %s share%s%s, which may be mounted: if the "
					 "host can do without it, echo %s > %sdriver/unbind",
					 tag ? "9p" : "virtiofs", tag ? " " : "", tag ? tag : "",
					 bdf, path);
	}
	return NULL;
}

/* Adds the bonds, bridges and VLANs upon an interface. */
static void add_net_users(struct strlist *interfaces, const char *name)
{
	static const char prefix[] = "upper_";
	autofree char *path = xasprintf("%s/class/net/%s", sysfs_root, name);
	autolist struct strlist names = { 0 };

	dir_names(path, &names);
	for (size_t i = 0; i < names.nr; i++)
		if (!strncmp(names.items[i], prefix, strlen(prefix)))
			list_add_once(interfaces, names.items[i] + strlen(prefix));
}

/* The device's own interfaces, and then what is upon them. Returns how many are its own. */
static size_t interfaces_on(const char *bdf, struct strlist *interfaces)
{
	autofree char *class = xasprintf("%s/class/net", sysfs_root);
	autolist struct strlist names = { 0 };
	size_t own;

	dir_names(class, &names);
	for (size_t i = 0; i < names.nr; i++) {
		autofree char *path = xasprintf("%s/%s", class, names.items[i]);

		if (lies_below(path, bdf))
			list_add_once(interfaces, names.items[i]);
	}
	own = interfaces->nr;
	for (size_t i = 0; i < interfaces->nr; i++)
		add_net_users(interfaces, interfaces->items[i]);
	return own;
}

char *pci_net_use(const char *bdf)
{
	autolist struct strlist interfaces = { 0 };
	size_t own = interfaces_on(bdf, &interfaces);
	char *reason;

	if (!own)
		return NULL;
	if (strlist_has(&interfaces, OVS))
		return xasprintf("%s is a port of Open vSwitch: ovs-vsctl del-port %s if the host "
				 "can do without it, or name another device",
				 interfaces.items[0], interfaces.items[0]);
	reason = proc_use("net/route", &interfaces, route_use);
	if (!reason)
		reason = proc_use("net/ipv6_route", &interfaces, route6_use);
	if (!reason)
		reason = proc_use("net/if_inet6", &interfaces, address6_use);
	/* Without an address of the host's it may be the cable of other VMs. */
	if (!reason && own < interfaces.nr)
		reason =
			xasprintf("%s carries %s (a bond, a bridge or a VLAN): take it out of that "
				  "if the host and its VMs can do without it, or name another "
				  "device",
				  interfaces.items[0], interfaces.items[own]);
	return reason;
}
