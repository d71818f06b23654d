// SPDX-License-Identifier: GPL-2.0-only
/* Child processes: started with a tie to our life, waited for with a time limit. */
#include "harness/proc.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "harness/log.h"
#include "harness/util.h"

static void child_setup(const struct proc_options *options, pid_t parent)
{
	sigset_t none;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(127);
	if (!options->foreground)
		setsid();
	if (options->no_thp)
		prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0);
	for (size_t i = 0; i < options->nr_keep_fds; i++)
		fcntl(options->keep_fds[i], F_SETFD, 0);
	if (options->in > 0)
		dup2(options->in, STDIN_FILENO);
	if (options->out >= 0)
		dup2(options->out, STDOUT_FILENO);
	if (options->err >= 0)
		dup2(options->err, STDERR_FILENO);
	for (char *const *env = options->env; env && *env; env++)
		putenv(*env);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
}

/* Before the exec: all memory that the program takes is the cgroup's. */
static int join_cgroup(const char *cgroup)
{
	autofree char *path = xasprintf("%s/cgroup.procs", cgroup);

	return file_write(path, "0", false);
}

static int limit_pins(uint64_t bytes)
{
	const struct rlimit limit = { bytes, bytes };

	/* Whoever is not root has nothing to lose. */
	if (!geteuid() && prctl(PR_CAPBSET_DROP, CAP_IPC_LOCK, 0, 0, 0))
		return -errno;
	return setrlimit(RLIMIT_MEMLOCK, &limit) ? -errno : 0;
}

/* exec failures come back through a pipe that a successful exec closes. */
static void child_exec(char *const argv[], const struct proc_options *options, pid_t parent,
		       int report)
{
	int err;

	child_setup(options, parent);
	err = options->cgroup ? -join_cgroup(options->cgroup) : 0;
	if (!err && options->pin_bytes)
		err = -limit_pins(options->pin_bytes);
	if (!err) {
		execvp(argv[0], argv);
		err = errno;
	}
	if (write(report, &err, sizeof(err)) < 0)
		_exit(126);
	_exit(127);
}

int proc_start(char *const argv[], const struct proc_options *options, struct proc *proc)
{
	pid_t parent = getpid();
	int report[2], err = 0;

	if (pipe2(report, O_CLOEXEC))
		return -errno;
	proc->pid = fork();
	if (!proc->pid)
		child_exec(argv, options, parent, report[1]);
	close(report[1]);
	if (proc->pid < 0) {
		err = errno;
		close(report[0]);
		return -err;
	}
	if (read(report[0], &err, sizeof(err)) != sizeof(err))
		err = 0;
	close(report[0]);
	proc->pidfd = err ? -1 : (int)syscall(SYS_pidfd_open, proc->pid, 0);
	if (proc->pidfd >= 0)
		return 0;
	if (!err) {
		err = errno;
		kill(proc->pid, SIGKILL);
	}
	waitpid(proc->pid, NULL, 0);
	proc->pid = 0; /* nobody's to kill any more */
	return -err;
}

static void reap(struct proc *proc, int *status)
{
	int ignored;

	waitpid(proc->pid, status ? status : &ignored, 0);
	close(proc->pidfd);
	proc->pidfd = -1;
	proc->pid = 0;
}

int proc_wait(struct proc *proc, const struct waiter *waiter, double timeout_s, int *status)
{
	struct waiter own = *waiter;
	int ret;

	own.pidfd = -1;
	ret = wait_readable(&own, proc->pidfd, deadline_in(timeout_s));
	if (!ret)
		reap(proc, status);
	return ret;
}

void proc_kill(struct proc *proc)
{
	static const struct waiter waiter = { .pidfd = -1, .uninterruptible = true };

	if (proc->pid <= 0)
		return;
	kill(proc->pid, SIGKILL);
	if (proc_wait(proc, &waiter, 30, NULL))
		log_warn("process %d does not end after SIGKILL: it is stuck in the kernel",
			 proc->pid);
}

const char *proc_status_text(int status)
{
	static char text[64];

	if (WIFSIGNALED(status))
		snprintf(text, sizeof(text), "signal %d (%s)", WTERMSIG(status),
			 strsignal(WTERMSIG(status)));
	else
		snprintf(text, sizeof(text), "exit status %d", WEXITSTATUS(status));
	return text;
}

/* Reads until the pipe's end or the deadline. */
static int collect_output(int fd, const struct waiter *waiter, uint64_t deadline, struct strbuf *sb)
{
	char chunk[4096];
	ssize_t n;
	int ret;

	for (;;) {
		ret = wait_readable(waiter, fd, deadline);
		if (ret)
			return ret;
		n = read(fd, chunk, sizeof(chunk));
		if (n <= 0)
			return n < 0 ? -errno : 0;
		strbuf_add(sb, chunk, (size_t)n);
	}
}

/* Without our stdin, which is not meant for it: ssh would read it. */
static int run(char *const argv[], const struct waiter *waiter, double timeout_s, char **output)
{
	autoclose int none = open("/dev/null", O_RDONLY | O_CLOEXEC);
	uint64_t deadline = deadline_in(timeout_s);
	struct strbuf sb = { 0 };
	struct proc proc = { .pidfd = -1 };
	int ret, pipes[2], status = 0;

	if (output)
		*output = NULL;
	if (pipe2(pipes, O_CLOEXEC))
		return -errno;
	ret = proc_start(argv,
			 &(struct proc_options){ .in = none, .out = pipes[1], .err = pipes[1] },
			 &proc);
	close(pipes[1]);
	if (!ret) {
		strbuf_add(&sb, "", 0);
		ret = collect_output(pipes[0], waiter, deadline, &sb);
		if (!ret)
			ret = proc_wait(&proc, waiter, 5, &status);
		if (ret)
			proc_kill(&proc);
		else if (status)
			ret = -EIO;
	}
	close(pipes[0]);
	if (output)
		*output = sb.data;
	else
		free(sb.data);
	return ret;
}

int proc_run(char *const argv[], double timeout_s, char **output)
{
	static const struct waiter waiter = { .pidfd = -1 };

	return run(argv, &waiter, timeout_s, output);
}

int proc_run_cleanup(char *const argv[], double timeout_s, char **output)
{
	static const struct waiter waiter = { .pidfd = -1, .uninterruptible = true };

	return run(argv, &waiter, timeout_s, output);
}

void proc_set_oom_score(pid_t pid, int score)
{
	autofree char *path = xasprintf("/proc/%d/oom_score_adj", (int)pid);
	autofree char *text = xasprintf("%d", score);

	if (file_write(path, text, false))
		log_debug("cannot write %s", path);
}

/* A line "NAME:   123 kB" of one of its files. */
static unsigned long long kib_field(pid_t pid, const char *file, const char *name)
{
	autofree char *path = xasprintf("/proc/%d/%s", pid, file);
	autofree char *start = xasprintf("\n%s:", name);
	autofree char *text = file_read(path, NULL);
	const char *line = text ? strstr(text, start) : NULL;

	return line ? strtoull(line + strlen(start), NULL, 10) * KIB : 0;
}

unsigned long long proc_locked_bytes(pid_t pid)
{
	unsigned long long locked = kib_field(pid, "status", "VmLck");
	unsigned long long pinned = kib_field(pid, "status", "VmPin");

	return locked > pinned ? locked : pinned;
}

unsigned long long proc_smaps_bytes(pid_t pid, const char *field)
{
	return kib_field(pid, "smaps_rollup", field);
}

uint64_t memory_available(void)
{
	static const char key[] = "MemAvailable:";
	autofree char *text = file_read("/proc/meminfo", NULL);
	const char *line;

	if (!text)
		return 0;
	line = strstr(text, key);
	return line ? strtoull(line + sizeof(key) - 1, NULL, 10) * KIB : 0;
}
