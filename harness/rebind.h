/* SPDX-License-Identifier: GPL-2.0-only */
/* Moves a PCI device from one driver to another, bounded in time. Journals nothing. */
#ifndef HARNESS_REBIND_H
#define HARNESS_REBIND_H

struct rebind {
	const char *bdf;
	const char *driver;   /* NULL: it shall have none */
	const char *override; /* driver_override that it shall have; NULL: none */
	/*
	 * A lock that stays taken while a write to the kernel is under way, even if this
	 * process is killed meanwhile; -1: none.
	 */
	int lock_fd;
};

/*
 * How long one write may block in the kernel (VFIO's unbind waits until the device is closed), or
 * VFIO's files may still be open before it; how long a device may take to show its new driver, with
 * how long after each attempt. The tests make them shorter.
 */
extern struct rebind_limits {
	unsigned int write_ms, driver_ms, attempt_ms;
} rebind_limits;

/* Can it be tried: is there such a device, and is the driver loaded? 0 or -errno, logged. */
int rebind_check(const char *bdf, const char *driver);

/*
 * Sets driver_override, waits until nobody has the device open through VFIO, unbinds, probes, and
 * verifies what came of it. What is already so is left. 0 or -errno, logged; -ETIMEDOUT: the kernel
 * still holds the device, and a write of ours may come true later.
 */
int rebind(const struct rebind *to);

/*
 * Waits until nobody has a device that is VFIO's open; one who does not close it in time is named.
 * 0 or -EBUSY, logged.
 */
int rebind_await_closed(const char *bdf);

/*
 * One write to a file of sysfs that may block in the kernel, with to->lock_fd kept. 0 or -errno;
 * -ETIMEDOUT: it may come true later.
 */
int rebind_write(const struct rebind *to, const char *path, const char *value);

/* The driver_override it has now, to free; NULL: none. */
char *rebind_override(const char *bdf);

#endif
