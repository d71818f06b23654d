// SPDX-License-Identifier: GPL-2.0-only
/* A virtual machine: QEMU's command line, its process and its channels. */
#include "harness/vm.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>

#include "harness/agent_proto.h"
#include "harness/guest_files.h"
#include "harness/log.h"
#include "harness/preload.h"
#include "harness/shell.h"

#define QEMU "qemu-system-x86_64"

/* The machine parts a measured guest has no use for; each costs boot time. */
#define MACHINE \
	"q35,kernel-irqchip=split,smbus=off,sata=off,hpet=off,usb=off,graphics=off,vmport=off"

/*
 * Kernel arguments of every VM of ours. The last four only spare time: probes for hardware
 * that is not there, some of them ten thousands of exits long (a scan of 256 empty PCI buses
 * for an AGP bridge, another for peer buses).
 */
static const char *const common_cmdline[] = {
	"console=ttyS0",       "quiet",
	"loglevel=4",	       "panic=-1",
	"tsc=reliable",	       "no_timer_check",
	"i8042.noaux",	       "i8042.nokbd",
	"8250.nr_uarts=1",     "cryptomgr.notests",
	"random.trust_cpu=on", "pci=lastbus=0",
	"iommu=noaperture",
};

void vm_config_free(struct vm_config *config)
{
	free(config->qemu);
	free(config->kernel);
	free(config->initrd);
	free(config->root);
	free(config->backend);
	strlist_free(&config->args);
	strlist_free(&config->cmdline);
	strlist_free(&config->env);
}

static int need_file(const char *path)
{
	if (file_exists(path))
		return 0;
	log_err("%s is missing: run 'make images'", path);
	return -ENOENT;
}

/* The file that is named, or the build's, of those images. To free. */
static char *choose_file(const struct vm_config *config, enum guest_file file, const char *folder,
			 const char *which, const char *name)
{
	const char *named = config->files ? config->files->paths[file] : NULL;

	return named ? xstrdup(named)
		     : xasprintf("%s/%s%s/%s", config->build_dir, folder, which, name);
}

/* Compressed: started unpacked (PVH), a guest with VFIO and a vIOMMU never comes up. */
void vm_config_images(struct vm_config *config, const char *which)
{
	free(config->kernel);
	free(config->initrd);
	free(config->root);
	config->kernel = choose_file(config, GUEST_KERNEL, "kernel", which, "vmlinuz");
	config->initrd = choose_file(config, GUEST_INITRD, "images", which, "guest.cpio");
	config->root = choose_file(config, GUEST_ROOT, "images", which, "guest.erofs");
}

int vm_config_guest(const char *build_dir, const struct guest_files *files, uint64_t memory_bytes,
		    unsigned int cpus, struct vm_config *config)
{
	int ret;

	*config = (struct vm_config){ .accel = "kvm",
				      .cpu = "host",
				      .firmware = "qboot.rom",
				      .build_dir = build_dir,
				      .files = files,
				      .memory_bytes = memory_bytes,
				      .cpus = cpus,
				      .no_thp = true };
	vm_config_images(config, "");
	config->backend = choose_file(config, GUEST_BACKEND, "drivers", "", "libcoiommu.so");
	if (files && files->paths[GUEST_QEMU])
		config->qemu = xstrdup(files->paths[GUEST_QEMU]);
	ret = need_file(config->kernel);
	if (!ret)
		ret = need_file(config->initrd);
	if (!ret)
		ret = need_file(config->root);
	if (ret)
		vm_config_free(config);
	return ret;
}

/* Memory that QEMU would not choose by itself. */
static void add_memory(const struct vm_config *config, struct strlist *argv)
{
	struct strbuf object = { 0 };

	if (!config->hugetlb && !config->bind_memory)
		return;
	strbuf_addf(&object, "memory-backend-%s,id=ram0,size=%lluM",
		    config->hugetlb ? "memfd" : "ram",
		    (unsigned long long)(config->memory_bytes / MIB));
	if (config->hugetlb)
		strbuf_addf(&object, ",hugetlb=on,hugetlbsize=2M,prealloc=on");
	if (config->bind_memory)
		strbuf_addf(&object, ",host-nodes=%d,policy=bind", config->memory_node);
	strlist_add(argv, "-object");
	strlist_add(argv, object.data);
	strlist_add(argv, "-machine");
	strlist_add(argv, "memory-backend=ram0");
	free(object.data);
}

/* -append takes one string. */
static char *join_cmdline(const struct vm_config *config)
{
	struct strbuf sb = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(common_cmdline); i++)
		strbuf_addf(&sb, "%s%s", i ? " " : "", common_cmdline[i]);
	for (size_t i = 0; i < config->cmdline.nr; i++)
		strbuf_addf(&sb, " %s", config->cmdline.items[i]);
	return sb.data;
}

static const char *qemu_of(const struct vm_config *config)
{
	return config->qemu ? config->qemu : QEMU;
}

/* The one place that makes QEMU's command line; descriptors of -1 stand in a dry run. */
static void build_argv(const struct vm_config *config, const char *dir, int qmp_fd, int agent_fd,
		       struct strlist *argv)
{
	autofree char *cmdline = join_cmdline(config);
	const char *const fixed[] = {
		"-nodefaults", "-no-user-config", "-no-reboot", "-display", "none", "-S",
		"-msg",	       "timestamp=on",	  "-M",		MACHINE,
	};

	strlist_add(argv, qemu_of(config));
	for (size_t i = 0; i < ARRAY_SIZE(fixed); i++)
		strlist_add(argv, fixed[i]);
	if (config->firmware) {
		strlist_add(argv, "-bios");
		strlist_add(argv, config->firmware);
	}
	strlist_add(argv, "-accel");
	strlist_add(argv, config->accel);
	strlist_add(argv, "-cpu");
	strlist_add(argv, config->cpu);
	strlist_add(argv, "-smp");
	strlist_addf(argv, "%u", config->cpus);
	strlist_add(argv, "-m");
	strlist_addf(argv, "%lluM", (unsigned long long)(config->memory_bytes / MIB));
	strlist_add(argv, "-kernel");
	strlist_add(argv, config->kernel);
	strlist_add(argv, "-initrd");
	strlist_add(argv, config->initrd);
	strlist_add(argv, "-append");
	strlist_add(argv, cmdline);
	strlist_add(argv, "-serial");
	strlist_addf(argv, "file:%s/console.log", dir);
	strlist_add(argv, "-chardev");
	strlist_addf(argv, "socket,id=qmp,fd=%d", qmp_fd);
	strlist_add(argv, "-mon");
	strlist_add(argv, "chardev=qmp,mode=control");
	strlist_add(argv, "-device");
	strlist_add(argv, "virtio-serial-pci,addr=0x3");
	strlist_add(argv, "-chardev");
	strlist_addf(argv, "socket,id=agent,fd=%d", agent_fd);
	strlist_add(argv, "-device");
	strlist_add(argv, "virtserialport,chardev=agent,nr=1,name=" AGENT_PORT_NAME);
	if (config->root) {
		strlist_add(argv, "-drive");
		strlist_addf(argv, "file=%s,if=none,id=root,format=raw,readonly=on", config->root);
		strlist_add(argv, "-device");
		strlist_add(argv, "virtio-blk-pci,drive=root,addr=0x2");
	}
	add_memory(config, argv);
	for (size_t i = 0; i < config->args.nr; i++)
		strlist_add(argv, config->args.items[i]);
}

static char *quote_command(const struct vm_config *config, const struct strlist *argv)
{
	struct strbuf sb = { 0 };

	for (size_t i = 0; i < config->env.nr; i++) {
		shell_quote(&sb, config->env.items[i]);
		strbuf_add(&sb, " ", 1);
	}
	for (size_t i = 0; i < argv->nr; i++) {
		if (i)
			strbuf_add(&sb, " ", 1);
		shell_quote(&sb, argv->items[i]);
	}
	return sb.data;
}

char *vm_command_line(const struct vm_config *config, const char *dir)
{
	struct strlist argv = { 0 };
	char *text;

	build_argv(config, dir, -1, -1, &argv);
	text = quote_command(config, &argv);
	strlist_free(&argv);
	return text;
}

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
	build_argv(config, vm->dir, qmp_fd, agent_fd, &argv);
	command = quote_command(config, &argv);
	ret = file_replace(path, command, strlen(command));
	vm->started_ns = now_ns();
	if (!ret)
		ret = proc_start(argv.items, &options, &vm->proc);
	if (ret == -ENOENT)
		log_err("%s is not installed: run 'make deps'", qemu_of(config));
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
	preload_program(qemu_of(config));
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
		log_err("cannot start %s in %s: %s", qemu_of(config), dir, strerror(-ret));
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
