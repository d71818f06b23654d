/* SPDX-License-Identifier: GPL-2.0-only */
/* Child processes: started with a tie to our life, waited for with a time limit. */
#ifndef HARNESS_PROC_H
#define HARNESS_PROC_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "harness/wait.h"

struct proc_options {
	char *const *env;    /* NULL-terminated NAME=VALUE added to our own; NULL: none */
	const int *keep_fds; /* descriptors the child inherits under their own numbers */
	size_t nr_keep_fds;
	int in;		    /* its stdin; 0: ours */
	int out, err;	    /* its stdout and stderr; -1: ours */
	bool foreground;    /* stays in our terminal's process group (an interactive shell) */
	bool no_thp;	    /* PR_SET_THP_DISABLE: all its memory in 4 KiB pages */
	const char *cgroup; /* folder of the cgroup that it joins; NULL: ours */
	/*
	 * Most memory that it may lock or pin: it loses CAP_IPC_LOCK, with which the kernel would
	 * not look at RLIMIT_MEMLOCK (VFIO's vfio_lock_acct()). 0: no limit.
	 */
	uint64_t pin_bytes;
};

struct proc {
	pid_t pid;
	int pidfd;
};

/* Starts argv (searched in PATH). It dies with us (PR_SET_PDEATHSIG). 0 or -errno. */
int proc_start(char *const argv[], const struct proc_options *options, struct proc *proc);

/*
 * Waits for its end and reaps it, status as from waitpid(). 0, -ETIMEDOUT (still running)
 * or -EINTR.
 */
int proc_wait(struct proc *proc, const struct waiter *waiter, double timeout_s, int *status);

/* SIGKILL and reap; fine if it has ended. Bounded: a process stuck in the kernel is left. */
void proc_kill(struct proc *proc);

/* "exit status 3" or "signal 9 (Killed)", static buffer. */
const char *proc_status_text(int status);

/*
 * Runs argv to its end, with its stdout and stderr together in *output (to free, may be
 * NULL). 0 when it ended with status 0; -ETIMEDOUT after killing it; -ENOENT when there is
 * no such program; -EIO otherwise.
 */
int proc_run(char *const argv[], double timeout_s, char **output);
/* The same while cleaning up, which Ctrl-C must not cut short. */
int proc_run_cleanup(char *const argv[], double timeout_s, char **output);

/*
 * How soon the kernel ends it when memory runs out: from -1000, never, to 1000, before all others
 * (Documentation/filesystems/proc.rst).
 */
void proc_set_oom_score(pid_t pid, int score);

/*
 * Bytes that process has locked, VFIO's pins among them (/proc/PID/status: type1 accounts its pins
 * in VmLck, once per container, iommufd in VmPin). 0 when it has gone.
 */
unsigned long long proc_locked_bytes(pid_t pid);

/* Sum over its mappings of a field of /proc/PID/smaps ("AnonHugePages"). 0 when it has gone. */
unsigned long long proc_smaps_bytes(pid_t pid, const char *field);

/* Bytes that programs can still have without swapping (MemAvailable); 0: not known. */
uint64_t memory_available(void);

#endif
