// SPDX-License-Identifier: GPL-2.0-only
/* A virtual machine: its process and its channels. */
#include "harness/vm.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>

#include "harness/log.h"
#include "harness/preload.h"
#include "harness/vm_command.h"

static int open_log(const char *dir, const char *name)
{
	autofree char *path = xasprintf("%s/%s", dir, name);

	return open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
}

/* Records the command line, then starts it. */
static int launch(struct vm *vm, const struct vm_config *config, int qmp_fd, int agent_fd)
{
	autofree char *path = xasprintf("%s/command.txt", vm->dir);
	autofree char *command = NULL;
	autoclose int logfile = open_log(vm->dir, "qemu.log");
	const int keep[] = { qmp_fd, agent_fd };
	struct proc_options options = { .env = config->env.items,
					.keep_fds = keep,
					.nr_keep_fds = ARRAY_SIZE(keep),
					.out = config->console_on_terminal ? -1 : logfile,
					.err = logfile,
					.foreground = config->console_on_terminal,
					.no_thp = config->no_thp,
					.cgroup = config->cgroup,
					.pin_bytes = config->pin_bytes };
	struct strlist argv = { 0 };
	int ret;

	if (logfile < 0)
		return -errno;
	vm_arguments(config, vm->dir, qmp_fd, agent_fd, &argv);
	command = vm_quote(config, &argv);
	ret = file_replace(path, command, strlen(command));
	vm->started_ns = now_ns();
	if (!ret)
		ret = proc_start(argv.items, &options, &vm->proc);
	if (ret == -ENOENT)
		log_err("%s is not installed: run 'make deps'", vm_qemu(config));
	strlist_free(&argv);
	return ret;
}

static struct vm *new_vm(const char *dir)
{
	struct vm *vm = xzalloc(sizeof(*vm));

	vm->dir = xstrdup(dir);
	vm->waiter = (struct waiter){ .pidfd = -1, .tick_ms = 250 };
	vm->qmp_fd = vm->agent_fd = -1;
	return vm;
}

static int launch_agent(struct vm *vm, const char *build_dir, const char *netns, int fd)
{
	autoclose int logfile = open_log(vm->dir, "agent.log");
	struct proc_options options = {
		.keep_fds = &fd, .nr_keep_fds = 1, .out = logfile, .err = logfile
	};
	struct strlist argv = { 0 };
	int ret;

	if (logfile < 0)
		return -errno;
	if (netns) {
		strlist_add(&argv, "ip");
		strlist_add(&argv, "netns");
		strlist_add(&argv, "exec");
		strlist_add(&argv, netns);
	}
	strlist_addf(&argv, "%s/agent", build_dir);
	strlist_add(&argv, "--serve");
	strlist_addf(&argv, "%d", fd);
	strlist_addf(&argv, "%s/load", build_dir);
	vm->started_ns = now_ns();
	ret = proc_start(argv.items, &options, &vm->proc);
	strlist_free(&argv);
	return ret;
}

int vm_start_agent(const char *build_dir, const char *netns, const char *dir, struct vm **out)
{
	struct vm *vm = new_vm(dir);
	int agent[2] = { -1, -1 };
	int ret = mkdir_all(dir);

	if (!ret && socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, agent))
		ret = -errno;
	vm->agent_fd = agent[0];
	if (!ret)
		ret = launch_agent(vm, build_dir, netns, agent[1]);
	if (agent[1] >= 0)
		close(agent[1]);
	if (ret) {
		vm_stop(vm, false);
		return ret;
	}
	vm->waiter.pidfd = vm->proc.pidfd;
	*out = vm;
	return 0;
}

/*
 * What all VMs read is not to count as the memory of the one that reads it first: it would be
 * reclaimed from under the others, and the results would depend on which VM came first.
 */
static void preload(const struct vm_config *config)
{
	preload_program(vm_qemu(config));
	preload_file(config->kernel);
	preload_file(config->initrd);
	preload_file(config->root);
	preload_file(config->backend);
}

int vm_start(const struct vm_config *config, const char *dir, struct vm **out)
{
	struct vm *vm = new_vm(dir);
	int qmp[2] = { -1, -1 }, agent[2] = { -1, -1 };
	int ret = mkdir_all(dir);

	if (config->cgroup)
		preload(config);
	if (!ret && (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, qmp) ||
		     socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, agent)))
		ret = -errno;
	if (!ret)
		ret = launch(vm, config, qmp[1], agent[1]);
	vm->qmp_fd = qmp[0];
	vm->agent_fd = agent[0];
	if (qmp[1] >= 0)
		close(qmp[1]);
	if (agent[1] >= 0)
		close(agent[1]);
	if (ret) {
		log_err("cannot start %s in %s: %s", vm_qemu(config), dir, strerror(-ret));
		vm_stop(vm, false);
		return ret;
	}
	vm->waiter.pidfd = vm->proc.pidfd;
	*out = vm;
	return 0;
}

int vm_await_created(struct vm *vm, double timeout_s)
{
	int fd = vm->qmp_fd;

	vm->qmp_fd = -1;
	return qmp_open(fd, &vm->waiter, timeout_s, &vm->qmp, &vm->created_ns);
}

int vm_run(struct vm *vm)
{
	return qmp_command(vm->qmp, "cont", NULL, 10, NULL);
}

int vm_await_ready(struct vm *vm, double timeout_s)
{
	int fd = vm->agent_fd, ret;

	vm->agent_fd = -1;
	ret = guest_open(fd, &vm->waiter, timeout_s, &vm->guest, &vm->guest_uptime_ns);
	vm->ready_ns = now_ns();
	return ret;
}

/* Takes note if QEMU has ended; waits for that at most timeout_s. */
static bool note_end(struct vm *vm, double timeout_s)
{
	static const struct waiter waiter = { .pidfd = -1, .uninterruptible = true };

	if (!vm->ended && vm->proc.pid > 0 &&
	    !proc_wait(&vm->proc, &waiter, timeout_s, &vm->status)) {
		vm->ended = true;
		vm->waiter.pidfd = -1;
	}
	return vm->ended;
}

static char *file_tail(const char *dir, const char *name, size_t max)
{
	autofree char *path = xasprintf("%s/%s", dir, name);
	size_t len = 0;
	autofree char *text = file_read(path, &len);

	return text_tail(text ? text : "", text ? len : 0, max);
}

char *vm_why_ended(struct vm *vm)
{
	autofree char *words = file_tail(vm->dir, "qemu.log", 300);

	if (!note_end(vm, 5))
		return xasprintf("QEMU closed its channels but runs on");
	return xasprintf("QEMU ended with %s%s%s", proc_status_text(vm->status), *words ? ": " : "",
			 words);
}

bool vm_crashed(struct vm *vm)
{
	static const int bugs[] = { SIGABRT, SIGSEGV, SIGBUS, SIGILL, SIGFPE };

	if (!note_end(vm, 5) || !WIFSIGNALED(vm->status))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(bugs); i++)
		if (WTERMSIG(vm->status) == bugs[i])
			return true;
	return false;
}

char *vm_console_tail(const struct vm *vm)
{
	return file_tail(vm->dir, "console.log", 300);
}

static void ask_to_end(struct vm *vm, bool orderly)
{
	vm->waiter.tick = NULL;
	vm->waiter.uninterruptible = true;
	if (note_end(vm, 0))
		return;
	if (orderly && vm->guest) {
		guest_poweroff(vm->guest);
		if (note_end(vm, 15))
			return;
		log_warn("guest does not power off within 15 s");
	}
	if (vm->qmp && !qmp_command(vm->qmp, "quit", NULL, 3, NULL))
		note_end(vm, 5);
}

void vm_stop(struct vm *vm, bool orderly)
{
	if (!vm)
		return;
	if (vm->proc.pid > 0) {
		ask_to_end(vm, orderly);
		if (!vm->ended)
			proc_kill(&vm->proc);
	}
	qmp_close(vm->qmp);
	guest_close(vm->guest);
	if (vm->qmp_fd >= 0)
		close(vm->qmp_fd);
	if (vm->agent_fd >= 0)
		close(vm->agent_fd);
	free(vm->dir);
	free(vm);
}
