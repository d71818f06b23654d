// SPDX-License-Identifier: GPL-2.0-only
/* The virtual lab: an emulated host with an IOMMU and devices to assign. */
#include "harness/lab.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <sys/wait.h>

#include "harness/agent_proto.h"
#include "harness/config.h"
#include "harness/environment.h"
#include "harness/lab_screen.h"
#include "harness/lab_stall.h"
#include "harness/log.h"
#include "harness/run.h"
#include "harness/shell.h"
#include "harness/util.h"

#define LAB_START_S 120.0
#define LAB_OVERHEAD (1280 * MIB) /* kernel, page cache of the shared root, QEMU itself */
#define DRIVE_BYTES (1024 * MIB)

/* Behind the IOMMU as hardware is, which a virtio device of itself is not. */
static const char gpu_device[] =
	"virtio-gpu-pci,iommu_platform=on,disable-legacy=on,bus=slot2,id=" LAB_SCREEN;

/* A drive with two virtual functions, in no host file of the lab's: who wants it names it. */
static const char functions_device[] =
	"nvme,id=functions,serial=iommubench4,subsys=subsys4,addr=0x19,sriov_max_vfs=2,"
	"sriov_vq_flexible=8,sriov_vi_flexible=4";

/*
 * The lab's devices. Each emulated function is in an IOMMU group of its own. The emulated e1000e
 * has no reset of its own: below a port of its own VFIO resets its bus. Without that a NIC whose
 * guest was killed went on receiving, and aborted the emulator when the next driver came. edu's
 * default mask reaches 256 MiB only.
 */
static const char *const device_args[] = {
	"-device", "nvme,drive=nvme0,serial=iommubench0,addr=0x10",
	"-device", "nvme,drive=nvme1,serial=iommubench1,addr=0x11",
	"-device", "nvme,drive=nvme2,serial=iommubench2,addr=0x15",
	"-device", "nvme,drive=nvme3,serial=iommubench3,addr=0x16",
	"-device", "virtio-blk-pci,drive=swap,addr=0x17",
	"-device", "pcie-root-port,id=slot0,chassis=1,slot=1,addr=0x12",
	"-device", "pcie-root-port,id=slot1,chassis=2,slot=2,addr=0x13",
	"-netdev", "hubport,id=port0,hubid=0",
	"-device", "e1000e,netdev=port0,mac=52:54:00:00:00:01,bus=slot0",
	"-netdev", "hubport,id=port1,hubid=0",
	"-device", "e1000e,netdev=port1,mac=52:54:00:00:00:02,bus=slot1",
	"-device", "edu,dma_mask=0xffffffffffffffff,addr=0x14",
	"-device", "pcie-root-port,id=slot2,chassis=3,slot=3,addr=0x18",
	"-device", gpu_device,
	"-device", "nvme-subsys,id=subsys4,nqn=iommubench4",
	"-device", functions_device,
	"-device", "nvme-ns,drive=nvme4,bus=functions",
};

/* Files behind the drives, by QEMU's names. */
static const char *const drives[] = { "nvme0", "nvme1", "nvme2", "nvme3", "nvme4", "swap" };

/*
 * All that TCG has, but for XSAVE: under KVM on an emulated SVM its sizes and contents come
 * out wrong, and programs of the guest crash at random.
 */
#define EMULATED_CPU "max,-xsave"

/* --- may it run, and how --- */

static int check_size(const struct lab *lab)
{
	uint64_t available = memory_available();

	if (available < lab->memory_bytes + 256 * MIB) {
		log_err("the virtual lab needs %s of free memory for this guest, %s are available: "
			"lower guest.memory or free some",
			human_bytes((double)(lab->memory_bytes + 256 * MIB)),
			human_bytes((double)available));
		return -ENOMEM;
	}
	if (get_nprocs() < 2)
		log_warn("the virtual lab wants 2 processors, this machine has 1: slow");
	return 0;
}

/* --- its files --- */

/* Folders of labs whose harness was killed on this host are of no use to anybody. */
static void remove_stale(const char *parent, const char *host)
{
	DIR *dir = opendir(parent);
	struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		char *at;
		long pid = strtol(entry->d_name, &at, 10);

		if (pid > 0 && *at == '@' && !strcmp(at + 1, host) && kill((pid_t)pid, 0) &&
		    errno == ESRCH) {
			autofree char *path = xasprintf("%s/%s", parent, entry->d_name);

			remove_all(path);
		}
	}
	if (dir)
		closedir(dir);
}

static int make_drive(const char *dir, const char *name)
{
	autofree char *path = xasprintf("%s/%s.img", dir, name);
	autoclose int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	return fd < 0 || ftruncate(fd, (off_t)DRIVE_BYTES) ? -errno : 0;
}

/* A drive's line in the lab's host file. */
#define DRIVE(address) "    - { address: \"" address "\", writable: yes }\n"

/*
 * The emulated e1000e never sends a fragment that crosses into a page whose memory is not next to
 * the first one's in the lab: that packet is lost each time it is sent again, and TCP stands still.
 * Without scatter/gather a packet lies within one page. It is the guests' memory that is touched
 * bit by bit, as under coIOMMU, that suffers most.
 */
static int make_files(const struct lab_options *options, const struct lab *lab)
{
	autofree char *share = xasprintf("%s/share", lab->dir);
	autofree char *host_path = xasprintf("%s/host.yaml", share);
	autofree char *screen = xasprintf("%s/lab-screen.sh", options->scripts_dir);
	autofree char *quoted = shell_quoted(screen);
	autofree char *host = xasprintf(
		"kind: %s\n%svcpu_cpu: 1\nplacement: off\nswap: /dev/vda\ndevices:\n  nvme:\n" DRIVE(
			LAB_NVME) DRIVE("0000:00:11.0") DRIVE("0000:00:15.0")
			DRIVE("0000:00:16.0") "  nic: { address: \"" LAB_NIC "\", peer: \"" LAB_PEER
					      "\", within_page: yes }\n  gpu: { address: \"" LAB_GPU
					      "\", capture: \"sh %s " LAB_RUN
					      "/lab\",\n    command: { run: '" LAB_GPU_RUN
					      "', score: '" LAB_GPU_SCORE "', unit: " LAB_GPU_UNIT
					      " } }\n  edu: \"" LAB_EDU "\"\n",
		lab->kind,
		strcmp(lab->kind, "lab-tcg") ? "" : "instructions: " LAB_RUN "/lab/insn\n", quoted);
	int ret = mkdir_all(share);

	for (size_t i = 0; i < ARRAY_SIZE(drives) && !ret; i++)
		ret = make_drive(lab->dir, drives[i]);
	if (!ret)
		ret = file_write(host_path, host, true);
	if (ret)
		log_err("cannot make the lab's files in %s: %s", lab->dir, strerror(-ret));
	return ret;
}

/* --- its machine --- */

static void add_share(struct vm_config *config, const char *path, const char *tag,
		      const char *options)
{
	strlist_add(&config->args, "-virtfs");
	strlist_addf(&config->args,
		     "local,path=%s,mount_tag=%s,security_model=none,multidevs=remap%s", path, tag,
		     options);
}

static void add_drive(struct vm_config *config, const struct lab *lab, const char *id)
{
	strlist_add(&config->args, "-drive");
	strlist_addf(
		&config->args,
		"file=%s/%s.img,if=none,id=%s,format=raw,cache=unsafe,aio=threads,discard=unmap",
		lab->dir, id, id);
}

static void configure(const struct lab_options *options, const struct lab *lab,
		      struct vm_config *config)
{
	bool emulated = !strcmp(lab->kind, "lab-tcg");
	autofree char *share = xasprintf("%s/share", lab->dir);

	*config = (struct vm_config){ .accel = emulated ? "tcg,thread=multi" : "kvm",
				      .cpu = emulated ? EMULATED_CPU : "host",
				      .memory_bytes = lab->memory_bytes,
				      .cpus = lab->cpus,
				      .console_on_terminal = options->console };
	config->kernel = xasprintf("%s/kernel/vmlinux", options->build_dir);
	config->initrd = xasprintf("%s/images/lab.cpio", options->build_dir);
	/* SeaBIOS: qboot does not get past an e1000e. */
	/*
	 * KVM in the lab must not poll for its guests' interrupts: how often it spins would
	 * depend on how fast this machine happens to be.
	 */
	strlist_add(&config->cmdline, "intel_iommu=on");
	strlist_add(&config->cmdline, "iommu=pt");
	strlist_add(&config->cmdline, "kvm.halt_poll_ns=0");
	strlist_add(&config->cmdline, "mitigations=off");
	/* Registers of a device that has a driver can be read: what a rogue must not. */
	strlist_add(&config->cmdline, "iomem=relaxed");
	strlist_add(&config->args, "-device");
	strlist_add(&config->args, "intel-iommu,intremap=on,caching-mode=off,aw-bits=48");
	add_share(config, "/", "root", ",readonly=on");
	add_share(config, share, "lab", "");
	if (options->results_dir)
		add_share(config, options->results_dir, "out", "");
	for (size_t i = 0; i < ARRAY_SIZE(drives); i++)
		add_drive(config, lab, drives[i]);
	for (size_t i = 0; i < ARRAY_SIZE(device_args); i++)
		strlist_add(&config->args, device_args[i]);
	if (emulated) {
		strlist_add(&config->args, "-plugin");
		strlist_addf(&config->args, "%s/insn_plugin.so,counters=%s/insn",
			     options->build_dir, share);
	}
	if (options->console) {
		strlist_add(&config->args, "-chardev");
		strlist_add(&config->args, "stdio,id=console,signal=off");
		strlist_add(&config->args, "-device");
		strlist_add(&config->args, "virtconsole,chardev=console");
	}
}

/* --- its start --- */

/* Where a directory's last component stands under LAB_OUT. */
char *lab_results_path(const char *results_dir)
{
	const char *name = strrchr(results_dir, '/');

	return xasprintf(LAB_OUT "/%s", name ? name + 1 : results_dir);
}

static int prepare(const struct lab_options *options, struct lab *lab)
{
	autofree char *script = xasprintf("%s/lab-setup.sh", options->scripts_dir);
	autofree char *out =
		options->results_dir ? lab_results_path(options->results_dir) : xstrdup("");
	char *const argv[] = { (char *)"/bin/sh", script, (char *)options->build_dir,
			       (char *)LAB_RUN,	  out,	  NULL };

	return guest_run(lab->vm->guest, argv, LAB_START_S, NULL);
}

static int boot_once(const struct lab_options *options, struct lab *lab)
{
	struct vm_config config;
	int ret;

	configure(options, lab, &config);
	ret = vm_start(&config, lab->dir, &lab->vm);
	vm_config_free(&config);
	if (!ret)
		ret = vm_await_created(lab->vm, LAB_START_S);
	if (!ret)
		ret = vm_run(lab->vm);
	if (!ret)
		ret = vm_await_ready(lab->vm, LAB_START_S);
	if (!ret)
		ret = prepare(options, lab);
	return ret;
}

static void log_failed_start(const struct lab *lab, int err)
{
	autofree char *why = !lab->vm		 ? xstrdup("QEMU does not start")
			     : err == -ETIMEDOUT ? vm_console_tail(lab->vm)
			     : err == -ECHILD	 ? vm_why_ended(lab->vm)
						 : xstrdup(strerror(-err));

	log_err("the virtual lab does not start%s: %s",
		err == -ETIMEDOUT ? " in time; its console ends with" : "", why);
}

int lab_start(const struct lab_options *options, struct lab **out)
{
	autofree char *parent = xasprintf("%s/lab", options->build_dir);
	struct lab *lab = xzalloc(sizeof(*lab));
	struct utsname here;
	int ret;

	uname(&here); /* hosts may share the tree: each removes its own */
	remove_stale(parent, here.nodename);
	lab->dir = xasprintf("%s/%d@%s", parent, getpid(), here.nodename);
	lab->cpus = options->guest_cpus > 1 ? options->guest_cpus + 1 : 2;
	lab->memory_bytes = options->guest_bytes + LAB_OVERHEAD;
	ret = check_size(lab);
	if (!ret) {
		lab->kind = lab_kvm_works(options->build_dir) ? "lab-kvm" : "lab-tcg";
		ret = make_files(options, lab);
	}
	for (int attempt = 0; attempt < 2 && !ret; attempt++) {
		ret = boot_once(options, lab);
		if (!ret)
			break;
		if (ret != -EINTR)
			log_failed_start(lab, ret);
		if (ret != -ETIMEDOUT || attempt)
			break;
		log_info("trying once more");
		vm_stop(lab->vm, false);
		lab->vm = NULL;
		ret = 0;
	}
	if (ret) {
		lab_stop(lab);
		return ret;
	}
	*out = lab;
	return 0;
}

void lab_stop(struct lab *lab)
{
	if (!lab)
		return;
	vm_stop(lab->vm, false);
	remove_all(lab->dir);
	free(lab->dir);
	free(lab);
}

json_t *lab_describe(const struct lab *lab)
{
	const struct host here = { .kind = (char *)"host" };
	json_t *all = environment_capture(&here, NULL, ""), *out = json_object();
	static const char *const keys[] = { "cpu_model", "cpus", "kernel", "qemu", "load_average" };

	json_object_set_new(out, "accelerator",
			    json_string(strcmp(lab->kind, "lab-tcg") ? "kvm" : "tcg"));
	json_object_set_new(out, "lab_memory_bytes", json_integer((json_int_t)lab->memory_bytes));
	json_object_set_new(out, "lab_cpus", json_integer(lab->cpus));
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		autofree char *key = xasprintf("machine_%s", keys[i]);

		json_object_set(out, key, json_object_get(all, keys[i]));
	}
	json_decref(all);
	return out;
}

/* --- running in it --- */

static void pass_on(void *arg, const char *data, size_t len)
{
	(void)arg;
	if (write_all(STDOUT_FILENO, data, len))
		log_debug("standard output is gone");
}

/* The user wants to stop: the harness inside puts its host in order first. */
static int interrupt_command(struct lab *lab, uint32_t job)
{
	struct guest_result result = { 0 };

	lab->vm->waiter.uninterruptible = true;
	log_info("\ninterrupted: the run in the lab is cleaning up");
	guest_signal(lab->vm->guest, job, SIGTERM);
	if (guest_wait(lab->vm->guest, job, 90, &result))
		log_warn("the run in the lab did not end within 90 s");
	guest_result_free(&result);
	return -EINTR;
}

static int watch_command(struct lab *lab, uint32_t job, struct guest_result *result)
{
	for (;;) {
		int ret = guest_wait(lab->vm->guest, job, 15, result);

		if (ret == -ETIMEDOUT)
			ret = lab_lost_timer(lab) ? -ETIMEDOUT : guest_ping(lab->vm->guest, 90);
		else if (!ret)
			return 0;
		if (ret == -EINTR)
			return interrupt_command(lab, job);
		if (ret == -ECHILD) {
			autofree char *why = vm_why_ended(lab->vm);

			log_err("the virtual lab has ended: %s", why);
			return vm_crashed(lab->vm) ? -ECONNABORTED : ret;
		}
		if (ret == -ETIMEDOUT)
			lab_save_stall(lab);
		if (ret)
			return ret;
	}
}

int lab_run(struct lab *lab, char *const argv[], int *status)
{
	struct guest_result result = { 0 };
	uint32_t job;
	int ret = guest_start(lab->vm->guest, argv, 0, pass_on, NULL, &job);

	lab->vm->waiter.tick = lab_screen_tick;
	lab->vm->waiter.arg = lab;
	if (!ret)
		ret = watch_command(lab, job, &result);
	*status = result.status;
	guest_result_free(&result);
	return ret;
}

/* --- the `lab` command --- */

static int run_shell(struct lab *lab)
{
	char *const argv[] = { (char *)"/bin/sh", (char *)"-c",
			       (char *)"cd /; stty sane 2>/dev/null; exec ${SHELL:-/bin/bash} -i",
			       NULL };
	struct guest_result result = { 0 };
	uint32_t job;
	int ret = guest_start(lab->vm->guest, argv, AGENT_EXEC_TTY, NULL, NULL, &job);

	while (!ret) {
		ret = guest_wait(lab->vm->guest, job, 3600, &result);
		if (!ret)
			break;
		if (ret == -ETIMEDOUT)
			ret = 0;
	}
	guest_result_free(&result);
	return ret;
}

static int exit_code_of(int ret, int status)
{
	if (ret == -ETIMEDOUT)
		log_err("the virtual lab has stalled: what it did is lost");
	if (ret == -ECONNABORTED)
		log_err("the virtual lab has crashed: what it did is lost");
	if (ret == -EINTR)
		return EXIT_INTERRUPTED;
	if (ret)
		return EXIT_CELLS;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int lab_command(const char *build_dir, const char *scripts_dir, unsigned int guest_cpus,
		char *const argv[])
{
	struct lab_options options = { .build_dir = build_dir,
				       .scripts_dir = scripts_dir,
				       .guest_bytes = GIB,
				       .guest_cpus = guest_cpus,
				       .console = !argv[0] };
	struct lab *lab;
	int status = 0, ret = lab_start(&options, &lab);

	if (ret)
		return ret == -EINTR ? EXIT_INTERRUPTED : EXIT_PREFLIGHT;
	if (argv[0]) {
		ret = lab_run(lab, argv, &status);
	} else {
		log_info("a shell in the virtual lab (%s); its host file is " LAB_HOST_FILE
			 "; exit ends it",
			 lab->kind);
		ret = run_shell(lab);
	}
	lab_stop(lab);
	return exit_code_of(ret, status);
}
