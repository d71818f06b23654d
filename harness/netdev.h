/* SPDX-License-Identifier: GPL-2.0-only */
/* Network interfaces of the host's PCI devices, read from sysfs. */
#ifndef HARNESS_NETDEV_H
#define HARNESS_NETDEV_H

/*
 * May the harness take this port's interface into a network namespace? 0 and its name in
 * *interface, or -errno with "reason: remedy" in *why (both to free): -ENODEV no such device or
 * no interface, -EBUSY it has an address, or belongs to a bond, a bridge or a VLAN.
 */
int netdev_free(const char *bdf, char **interface, char **why);

/* The same of an interface of a remote host, asked over ssh. */
int netdev_free_remote(const char *remote, const char *interface, char **why);

#endif
