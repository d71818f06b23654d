// SPDX-License-Identifier: GPL-2.0-only
/* The journal's lock: one harness changes a host at a time. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/file.h>

#include "harness/journal_record.h"
#include "harness/log.h"
#include "harness/pci.h"
#include "harness/util.h"
#include "harness/wait.h"

/* How long the lock is waited for that a killed harness' last write still holds. */
#define LOCK_S 5
#define SAY_S 60 /* between two messages of one that waits */

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

/* "pid 12 (iommubench run x.yaml)", to free. */
static char *holder_text(pid_t pid)
{
	autofree char *path = xasprintf("%s/%d/cmdline", procfs_root, (int)pid);
	size_t len;
	autofree char *command = file_read(path, &len);

	if (!command || !len)
		return xasprintf("pid %d", (int)pid);
	for (size_t i = 0; i + 1 < len; i++)
		if (!command[i])
			command[i] = ' ';
	return xasprintf("pid %d (%.200s)", (int)pid, command);
}

static int refuse(pid_t holder, double wait_s)
{
	autofree char *who = holder_text(holder);

	if (wait_s > 0)
		log_err("another iommubench is still running after %s: %s: let it end first",
			human_duration(wait_s), who);
	else
		log_err("another iommubench is running: %s: let it end first; run --wait waits for "
			"it",
			who);
	return -EBUSY;
}

/* Now and then, as one who waits for hours wants to know for whom. */
static void say_waiting(pid_t holder, uint64_t *next_ns)
{
	autofree char *who = NULL;

	if (now_ns() < *next_ns)
		return;
	who = holder_text(holder);
	log_info("waiting for another iommubench on this host: %s", who);
	*next_ns = deadline_in(SAY_S);
}

static bool lives(pid_t holder)
{
	return holder > 0 && (!kill(holder, 0) || errno == EPERM);
}

/*
 * A harness that was killed may have left a driver's unbind on its way in the kernel. That
 * keeps the lock until it is over, which is worth a moment.
 */
static int take_lock(int fd, const char *path, double wait_s)
{
	const struct waiter waiter = { .pidfd = -1 };
	uint64_t begin = now_ns(), next_ns = 0;

	while (flock(fd, LOCK_EX | LOCK_NB)) {
		double waited_s = (double)(now_ns() - begin) * 1e-9;
		int err = errno;
		pid_t holder = lock_holder(fd);

		if (err != EWOULDBLOCK)
			return -err;
		if (lives(holder) && waited_s >= wait_s)
			return refuse(holder, wait_s);
		if (lives(holder))
			say_waiting(holder, &next_ns);
		else if (waited_s > LOCK_S && waited_s >= wait_s) {
			log_err("a driver change of an iommubench that was killed is not over "
				"(lock %s): end what still uses the device",
				path);
			return -EBUSY;
		}
		if (wait_seconds(&waiter, waited_s < 1 ? 0.02 : 0.5))
			return -EINTR;
	}
	name_holder(fd);
	return 0;
}

int journal_lock(const char *dir, double wait_s, int *lock_fd)
{
	autofree char *path = xasprintf("%s/lock", dir);
	int ret = mkdir_all(dir);

	if (!ret) {
		*lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
		ret = *lock_fd < 0 ? -errno : 0;
	}
	if (ret) {
		log_err("cannot open the journal's lock %s: %s%s", path, strerror(-ret),
			ret == -EACCES || ret == -EPERM ? ": run it as root" : "");
		return ret;
	}
	return take_lock(*lock_fd, path, wait_s);
}
