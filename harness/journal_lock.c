// SPDX-License-Identifier: GPL-2.0-only
/* The journal's lock: one harness changes a host at a time. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/file.h>

#include "harness/journal_record.h"
#include "harness/log.h"
#include "harness/util.h"
#include "harness/wait.h"

/* How long the lock is waited for that a killed harness' last write still holds. */
#define LOCK_S 5

static pid_t lock_holder(int fd)
{
	char text[32] = "";

	if (pread(fd, text, sizeof(text) - 1, 0) <= 0)
		return 0;
	return (pid_t)strtol(text, NULL, 10);
}

static void name_holder(int fd)
{
	char text[32];
	int len = snprintf(text, sizeof(text), "%d\n", (int)getpid());

	if (ftruncate(fd, 0) || pwrite(fd, text, (size_t)len, 0) != len)
		log_debug("cannot write the pid to the lock: %s", strerror(errno));
}

/*
 * A harness that was killed may have left a driver's unbind on its way in the kernel. That
 * keeps the lock until it is over, which is worth a moment.
 */
static int take_lock(int fd, const char *path)
{
	const struct waiter waiter = { .pidfd = -1 };
	uint64_t deadline = deadline_in(LOCK_S);
	pid_t holder;

	while (flock(fd, LOCK_EX | LOCK_NB)) {
		if (errno != EWOULDBLOCK)
			return -errno;
		holder = lock_holder(fd);
		if (holder > 0 && (!kill(holder, 0) || errno == EPERM)) {
			log_err("another iommubench is running (pid %d): let it end first",
				(int)holder);
			return -EBUSY;
		}
		if (now_ns() > deadline) {
			log_err("a driver change of an iommubench that was killed is not over "
				"(lock %s): end what still uses the device",
				path);
			return -EBUSY;
		}
		if (wait_seconds(&waiter, 0.02))
			return -EINTR;
	}
	name_holder(fd);
	return 0;
}

int journal_lock(const char *dir, int *lock_fd)
{
	autofree char *path = xasprintf("%s/lock", dir);
	int ret = mkdir_all(dir);

	if (!ret) {
		*lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
		ret = *lock_fd < 0 ? -errno : 0;
	}
	if (ret) {
		log_err("cannot open the journal's lock %s: %s", path, strerror(-ret));
		return ret;
	}
	return take_lock(*lock_fd, path);
}
