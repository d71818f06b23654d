// SPDX-License-Identifier: GPL-2.0-only
/* The one place where the harness blocks. */
#include "harness/wait.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>

#include "harness/util.h"

static const int signals[] = { SIGINT, SIGTERM, SIGHUP };
static volatile sig_atomic_t interrupted;

static void note_signal(int sig)
{
	(void)sig;
	interrupted = 1;
}

void wait_init(void)
{
	struct sigaction action = { .sa_handler = note_signal };
	sigset_t mask;

	sigemptyset(&mask);
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++) {
		sigaction(signals[i], &action, NULL);
		sigaddset(&mask, signals[i]);
	}
	sigprocmask(SIG_BLOCK, &mask, NULL);
	signal(SIGPIPE, SIG_IGN);
}

void wait_release(void)
{
	sigset_t mask;

	sigemptyset(&mask);
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++) {
		signal(signals[i], SIG_DFL);
		sigaddset(&mask, signals[i]);
	}
	sigprocmask(SIG_UNBLOCK, &mask, NULL);
}

bool wait_interrupted(void)
{
	sigset_t pending;

	if (!sigpending(&pending) &&
	    (sigismember(&pending, SIGINT) == 1 || sigismember(&pending, SIGTERM) == 1 ||
	     sigismember(&pending, SIGHUP) == 1))
		interrupted = 1;
	return interrupted;
}

void wait_obeyed(void)
{
	const struct timespec none = { 0 };
	sigset_t mask;

	sigemptyset(&mask);
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
		sigaddset(&mask, signals[i]);
	while (sigtimedwait(&mask, NULL, &none) > 0)
		;
	interrupted = 0;
}

uint64_t deadline_in(double seconds)
{
	return now_ns() + (uint64_t)(seconds * 1e9);
}

/* One ppoll() until until_ns. Fills in fds' revents; 0, 1 (something happened) or -errno. */
static int poll_until(struct pollfd *fds, nfds_t nr, uint64_t until_ns)
{
	uint64_t now = now_ns(), left = until_ns > now ? until_ns - now : 0;
	struct timespec ts = { (time_t)(left / 1000000000ULL), (long)(left % 1000000000ULL) };
	sigset_t none;
	int ret;

	sigemptyset(&none);
	ret = ppoll(fds, nr, &ts, &none);
	return ret < 0 ? -errno : ret;
}

int wait_readable(const struct waiter *waiter, int fd, uint64_t deadline_ns)
{
	struct pollfd fds[2] = { { .fd = fd, .events = POLLIN },
				 { .fd = waiter->pidfd, .events = POLLIN } };
	uint64_t next_tick = waiter->tick ? now_ns() + waiter->tick_ms * 1000000ULL : UINT64_MAX;

	for (;;) {
		uint64_t until = next_tick < deadline_ns ? next_tick : deadline_ns;
		int ret = poll_until(fds, 2, until);

		if (!waiter->uninterruptible && wait_interrupted())
			return -EINTR;
		if (ret < 0 && ret != -EINTR)
			return ret;
		if (ret > 0 && fds[0].revents)
			return 0;
		if (ret > 0 && fds[1].revents)
			return -ECHILD;
		if (waiter->tick && now_ns() >= next_tick) {
			waiter->tick(waiter->arg);
			next_tick = now_ns() + waiter->tick_ms * 1000000ULL;
		}
		if (now_ns() >= deadline_ns)
			return -ETIMEDOUT;
	}
}

int wait_seconds(const struct waiter *waiter, double seconds)
{
	int ret = wait_readable(waiter, -1, deadline_in(seconds));

	return ret == -ETIMEDOUT ? 0 : ret;
}
