/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The one place where the harness blocks: until something can be read, with a time limit,
 * while measuring ticks go on, the process waited for may end, and the user may interrupt.
 */
#ifndef HARNESS_WAIT_H
#define HARNESS_WAIT_H

#include <stdbool.h>
#include <stdint.h>

struct waiter {
	int pidfd;		 /* end of this process ends the wait; -1: none */
	void (*tick)(void *arg); /* called about every tick_ms; NULL: none */
	void *arg;
	unsigned int tick_ms;
	bool uninterruptible; /* while cleaning up: Ctrl-C is already being handled */
};

/* Blocks SIGINT, SIGTERM and SIGHUP outside of waits, and notes them. Call once, first. */
void wait_init(void);
/* For commands that have nothing to clean up: from here a signal ends them as usual. */
void wait_release(void);
/* Has the user (or the system) asked us to stop? */
bool wait_interrupted(void);
/* That was obeyed: what follows goes on until somebody asks again. */
void wait_obeyed(void);

/*
 * Waits until fd can be read (fd -1: just waits). Returns 0, -ETIMEDOUT at deadline_ns
 * (CLOCK_MONOTONIC), -EINTR when interrupted, or -ECHILD when the process has ended and fd
 * has nothing more to read.
 */
int wait_readable(const struct waiter *waiter, int fd, uint64_t deadline_ns);

/* Sleeps, ticking. 0, -EINTR or -ECHILD as above. */
int wait_seconds(const struct waiter *waiter, double seconds);

/* The deadline that many seconds from now. */
uint64_t deadline_in(double seconds);

#endif
