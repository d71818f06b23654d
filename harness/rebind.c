// SPDX-License-Identifier: GPL-2.0-only
/* Moves a PCI device from one driver to another, bounded in time. */
#include "harness/rebind.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "harness/log.h"
#include "harness/pci.h"
#include "harness/util.h"
#include "harness/vfio_users.h"
#include "harness/wait.h"

#define POLL_S 0.005 /* between two looks at the driver link */
#define USERS_S 0.1  /* between two looks at all open files */

struct rebind_limits rebind_limits = { .write_ms = 30000, .driver_ms = 5000, .attempt_ms = 200 };

/* Host changes are carried through or undone even while the user interrupts. */
static const struct waiter waiter = { .pidfd = -1, .uninterruptible = true };

static uint64_t deadline_ms(unsigned int ms)
{
	return now_ns() + ms * 1000000ULL;
}

/* In the child, with all signals blocked: nothing but the write, its errno as exit status. */
static void write_child(const char *path, const char *value, int lock_fd)
{
	int fd = open(path, O_WRONLY | O_TRUNC);

	if (fd < 0 || dup2(fd, 0) < 0 || (lock_fd >= 0 && dup2(lock_fd, 1) < 0))
		_exit(errno);
	syscall(SYS_close_range, lock_fd >= 0 ? 2U : 1U, ~0U, 0U);
	_exit(write(0, value, strlen(value)) < 0 ? errno : 0);
}

/* The result of the child's write, or -ETIMEDOUT: it is killed, which the kernel may defer. */
static int reap_write(pid_t pid)
{
	autoclose int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	int status, ret;

	/* Without pidfd (no descriptor free) there is no limit, but no wrong result either. */
	ret = pidfd < 0 ? 0 : wait_readable(&waiter, pidfd, deadline_ms(rebind_limits.write_ms));
	if (ret) {
		kill(pid, SIGKILL);
		if (wait_readable(&waiter, pidfd, deadline_ms(rebind_limits.attempt_ms)))
			log_warn("process %d remains blocked in the kernel", (int)pid);
		else
			waitpid(pid, NULL, 0);
		return -ETIMEDOUT;
	}
	if (waitpid(pid, &status, 0) != pid)
		return -errno;
	return WIFEXITED(status) ? -WEXITSTATUS(status) : -EIO;
}

int rebind_write(const struct rebind *to, const char *path, const char *value)
{
	sigset_t all, before;
	pid_t pid;
	int err;

	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &before);
	pid = fork();
	err = errno;
	if (!pid)
		write_child(path, value, to->lock_fd);
	sigprocmask(SIG_SETMASK, &before, NULL);
	return pid < 0 ? -err : reap_write(pid);
}

/* Of names of which each may be NULL: none. */
static bool same_name(const char *a, const char *b)
{
	return a && b ? !strcmp(a, b) : a == b;
}

static bool driver_is(const char *bdf, const char *driver)
{
	autofree char *now = pci_driver(bdf);

	return same_name(now, driver);
}

static bool wait_driver(const char *bdf, const char *driver, unsigned int ms)
{
	uint64_t deadline = deadline_ms(ms);

	while (!driver_is(bdf, driver)) {
		if (now_ns() >= deadline)
			return false;
		wait_seconds(&waiter, POLL_S);
	}
	return true;
}

char *rebind_override(const char *bdf)
{
	autofree char *path = xasprintf("%s/bus/pci/devices/%s/driver_override", sysfs_root, bdf);
	char *text = file_read_trimmed(path);

	if (text && *text && strcmp(text, "(null)") != 0)
		return text;
	free(text);
	return NULL;
}

/* The kernel takes an empty line for "none". */
static int set_override(const struct rebind *to)
{
	autofree char *path =
		xasprintf("%s/bus/pci/devices/%s/driver_override", sysfs_root, to->bdf);
	autofree char *now = rebind_override(to->bdf);

	if (same_name(now, to->override))
		return 0;
	return rebind_write(to, path, to->override ? to->override : "\n");
}

/* The descriptor of a VM that has just ended may still be on its way to be closed. */
static int unbind(const struct rebind *to)
{
	autofree char *path = xasprintf("%s/bus/pci/devices/%s/driver/unbind", sysfs_root, to->bdf);
	uint64_t deadline = deadline_ms(rebind_limits.driver_ms);
	int ret;

	while (!driver_is(to->bdf, NULL)) {
		ret = rebind_write(to, path, to->bdf);
		if (ret == -ETIMEDOUT)
			return ret;
		if (!wait_driver(to->bdf, NULL, rebind_limits.attempt_ms) && now_ns() >= deadline)
			return ret ? ret : -EBUSY;
	}
	return 0;
}

/*
 * By the bus first, as the kernel does it itself, else by the driver. A failed probe is not an
 * error of the write in all kernels, so that only the link counts.
 */
static int attach(const struct rebind *to)
{
	autofree char *probe = xasprintf("%s/bus/pci/drivers_probe", sysfs_root);
	autofree char *bind = xasprintf("%s/bus/pci/drivers/%s/bind", sysfs_root, to->driver);
	const char *const paths[] = { probe, bind };
	uint64_t deadline = deadline_ms(rebind_limits.driver_ms);
	int ret;

	for (unsigned int i = 0;; i++) {
		ret = rebind_write(to, paths[i % 2], to->bdf);
		/* The link comes before the driver's probe and goes if that fails. */
		if (ret == -ETIMEDOUT)
			return ret;
		if (wait_driver(to->bdf, to->driver, rebind_limits.attempt_ms))
			return 0;
		if (i % 2 && now_ns() >= deadline)
			return ret ? ret : -EIO;
		/* Another driver that knows the device may have been quicker. */
		ret = unbind(to);
		if (ret)
			return ret;
	}
}

static bool driver_loaded(const char *driver)
{
	autofree char *path = xasprintf("%s/bus/pci/drivers/%s", sysfs_root, driver);

	if (file_exists(path))
		return true;
	log_err("driver %s is not loaded: modprobe %s", driver, driver);
	return false;
}

int rebind_check(const char *bdf, const char *driver)
{
	autofree char *path = xasprintf("%s/bus/pci/devices/%s", sysfs_root, bdf);

	if (!pci_address_valid(bdf) || !file_exists(path)) {
		log_err("there is no PCI device %s: lspci -D lists those there are", bdf);
		return -ENODEV;
	}
	return driver_loaded(driver) ? 0 : -ENOENT;
}

/*
 * An unbind from VFIO blocks in the kernel until the device is closed. So the last VM's end, or
 * that of somebody else's, is waited for first; one that does not come is named.
 */
int rebind_await_closed(const char *bdf)
{
	autofree char *driver = pci_driver(bdf);
	uint64_t deadline = deadline_ms(rebind_limits.write_ms);
	size_t len = driver ? strlen(driver) : 0;

	if (len < 8 || strcmp(driver + len - 8, "vfio-pci") != 0)
		return 0;
	for (;;) {
		autofree char *users = vfio_users(bdf);

		if (!users)
			return 0;
		if (now_ns() >= deadline) {
			log_err("%s is still in use after %s: %s: end it, then 'iommubench "
				"restore'",
				bdf, human_duration(rebind_limits.write_ms * 1e-3), users);
			return -EBUSY;
		}
		wait_seconds(&waiter, USERS_S);
	}
}

static int unbind_logged(const struct rebind *to)
{
	autofree char *driver = pci_driver(to->bdf);
	int ret = rebind_await_closed(to->bdf);

	if (ret)
		return ret;
	ret = unbind(to);
	if (ret == -ETIMEDOUT)
		log_err("%s: %s has not let it go within %s: end what uses it (a VM?)", to->bdf,
			driver ? driver : "its driver",
			human_duration(rebind_limits.write_ms * 1e-3));
	else if (ret)
		log_err("%s: cannot unbind it from %s: %s", to->bdf, driver ? driver : "its driver",
			strerror(-ret));
	return ret;
}

int rebind(const struct rebind *to)
{
	int ret = set_override(to);

	if (ret) {
		log_err("%s: cannot set driver_override: %s", to->bdf, strerror(-ret));
		return ret;
	}
	if (driver_is(to->bdf, to->driver))
		return 0;
	ret = unbind_logged(to);
	if (ret || !to->driver)
		return ret;
	if (!driver_loaded(to->driver))
		return -ENOENT;
	ret = attach(to);
	if (ret)
		log_err("%s: %s does not take it (%s): dmesg tells why", to->bdf, to->driver,
			strerror(-ret));
	return ret;
}
