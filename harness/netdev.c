// SPDX-License-Identifier: GPL-2.0-only
/* Network interfaces of the host's PCI devices, read from sysfs. */
#include "harness/netdev.h"

#include <dirent.h>
#include <errno.h>
#include <ifaddrs.h>
#include <netinet/in.h>
#include <string.h>

#include "harness/pci.h"
#include "harness/shell.h"
#include "harness/util.h"

static char *interface_of(const char *bdf)
{
	autofree char *path = xasprintf("%s/bus/pci/devices/%s/net", sysfs_root, bdf);
	DIR *dir = opendir(path);
	struct dirent *entry;
	char *name = NULL;

	while (dir && !name && (entry = readdir(dir)))
		if (entry->d_name[0] != '.')
			name = xstrdup(entry->d_name);
	if (dir)
		closedir(dir);
	return name;
}

/* Every interface that is up has a link-local address of IPv6: nobody's, so nobody's loss. */
static bool is_address(const struct sockaddr *address)
{
	if (!address)
		return false;
	if (address->sa_family == AF_INET6) {
		const struct sockaddr_in6 *in6 = (const void *)address;

		return !IN6_IS_ADDR_LINKLOCAL(&in6->sin6_addr);
	}
	return address->sa_family == AF_INET;
}

static bool has_address(const char *interface)
{
	struct ifaddrs *list, *item;
	bool found = false;

	if (getifaddrs(&list))
		return true; /* unknown is no reason to take it */
	for (item = list; item && !found; item = item->ifa_next)
		found = !strcmp(item->ifa_name, interface) && is_address(item->ifa_addr);
	freeifaddrs(list);
	return found;
}

/* A bond or bridge above it, or a VLAN upon it. */
static bool has_users(const char *interface)
{
	autofree char *path = xasprintf("%s/class/net/%s", sysfs_root, interface);
	DIR *dir = opendir(path);
	struct dirent *entry;
	bool found = false;

	while (dir && !found && (entry = readdir(dir)))
		found = !strncmp(entry->d_name, "upper_", 6) || !strcmp(entry->d_name, "master");
	if (dir)
		closedir(dir);
	return found;
}

int netdev_free(const char *bdf, char **interface, char **why)
{
	autofree char *name = interface_of(bdf);
	autofree char *driver = pci_driver(bdf);

	if (!name) {
		*why = xasprintf(
			"the port %s has no network interface (driver: %s): is it there, and "
			"its network driver loaded?",
			bdf, driver ? driver : "none");
		return -ENODEV;
	}
	if (has_users(name))
		*why = xasprintf("the port %s (%s) belongs to a bond, a bridge or a VLAN: name a "
				 "port the host does not use",
				 bdf, name);
	else if (has_address(name))
		*why = xasprintf("the port %s (%s) has an IP address: remove it if the host can do "
				 "without it (ip addr flush dev %s), or name another port",
				 bdf, name, name);
	if (*why)
		return -EBUSY;
	*interface = name;
	name = NULL;
	return 0;
}

int netdev_free_remote(const char *remote, const char *interface, char **why)
{
	autofree char *name = shell_quoted(interface), *output = NULL;
	autofree char *script = xasprintf(
		"cd /sys/class/net/%s || exit 1; "
		"for user in upper_* master; do test ! -e $user || "
		"{ echo 'it belongs to a bond, a bridge or a VLAN'; exit 1; }; done; "
		"test -z \"$(ip -o -4 addr show dev %s; ip -o -6 addr show dev %s scope global)\" || "
		"{ echo 'it has an IP address'; exit 1; }",
		name, name, name);
	int ret = shell_run(remote, script, 30, &output);

	if (ret)
		*why = xasprintf("the peer's interface %s on %s cannot be taken: %s", interface,
				 remote, output && *output ? output : strerror(-ret));
	return ret;
}
