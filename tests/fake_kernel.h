/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A fake sysfs' drivers: bind, unbind and drivers_probe are pipes that a child, the "kernel",
 * reads and reacts to.
 */
#ifndef TESTS_FAKE_KERNEL_H
#define TESTS_FAKE_KERNEL_H

#define NVME "0000:5e:00.0"
#define NIC "0000:af:00.0"
#define BELOW "sys/devices/pci0000:00/0000:00:01.0/"
#define DRIVERS "sys/bus/pci/drivers/"
#define JOURNAL "state/journal.d/journal"

/* "broken" takes no device. */
#define NR_FAKE_DRIVERS 4
extern const char *const fake_drivers[NR_FAKE_DRIVERS];

int kernel_start(void);
/* Afterwards a write blocks, as one to a driver whose device is in use. */
void kernel_stop(void);
/* Waits until the kernel has reacted to all that was written to it. */
void kernel_sync(void);

/* One of its pipes, not blocking. */
int fake_fifo(const char *name);

#endif
