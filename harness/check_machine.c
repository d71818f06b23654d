// SPDX-License-Identifier: GPL-2.0-only
/* Preflight: what it takes to run at all. */
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/statvfs.h>

#include "harness/check_list.h"
#include "harness/pci.h"
#include "harness/proc.h"
#include "harness/util.h"

#define QEMU "qemu-system-x86_64"
#define QEMU_TIMEOUT_S 10
#define SPARE_DISK (256 * MIB) /* for one run's results */

void check_root(const struct check_args *args)
{
	if (geteuid() == 0)
		check_ok(args, xstrdup("running as root"));
	else
		check_fail(args, xasprintf("running as user %u", (unsigned int)geteuid()),
			   xstrdup("run with sudo: devices are taken from their drivers"));
}

/* Creates a VM without a vCPU: what is refused when another hypervisor has the CPU. */
static int try_kvm(int *version)
{
	autofree char *path = xasprintf("%s/kvm", devfs_root);
	autoclose int fd = open(path, O_RDWR | O_CLOEXEC);
	autoclose int vm = -1;

	if (fd < 0)
		return -errno;
	*version = ioctl(fd, KVM_GET_API_VERSION, 0UL);
	if (*version < 0)
		return -errno;
	vm = ioctl(fd, KVM_CREATE_VM, 0UL);
	return vm < 0 ? -errno : 0;
}

void check_kvm(const struct check_args *args)
{
	int version = 0, ret = try_kvm(&version);

	if (!ret && version == KVM_API_VERSION)
		check_ok(args, xasprintf("API %d, a VM can be made", version));
	else if (!ret)
		check_fail(args, xasprintf("API %d", version), xstrdup("boot a current kernel"));
	else if (ret == -EACCES || ret == -EPERM)
		check_fail(args, xasprintf("%s/kvm: %s", devfs_root, strerror(-ret)),
			   xstrdup("run with sudo, or join the group kvm"));
	else
		check_fail(args, xasprintf("%s/kvm: %s", devfs_root, strerror(-ret)),
			   xstrdup("enable VT-x or AMD-V in the firmware and modprobe kvm_intel "
				   "or kvm_amd"));
}

/* VFIO pins the guest's memory and charges it to QEMU, unless that may exceed the limit. */
void check_memlock(const struct check_args *args)
{
	unsigned long long needed = args->guest_bytes + CHECK_SPARE_MEMORY;
	struct rlimit limit = { 0 };

	getrlimit(RLIMIT_MEMLOCK, &limit);
	if (geteuid() == 0)
		check_ok(args, xstrdup("not limited for root"));
	else if (limit.rlim_cur == RLIM_INFINITY || limit.rlim_cur >= needed)
		check_ok(args, xstrdup("the limit is high enough"));
	else
		check_fail(args,
			   xasprintf("limited to %s, %s needed",
				     human_bytes((double)limit.rlim_cur),
				     human_bytes((double)needed)),
			   xstrdup("ulimit -l unlimited, or run with sudo"));
}

/* The nearest directory above path, or path itself, that exists; to free. */
static char *existing_parent(const char *path)
{
	char *dir = xstrdup(path);

	while (!file_exists(dir)) {
		char *slash = strrchr(dir, '/');

		if (!slash || slash == dir) {
			free(dir);
			return xstrdup(slash ? "/" : ".");
		}
		*slash = '\0';
	}
	return dir;
}

void check_disk(const struct check_args *args)
{
	autofree char *dir = args->out_dir ? existing_parent(args->out_dir) : NULL;
	struct statvfs fs;
	unsigned long long bytes;

	if (!dir)
		return;
	if (statvfs(dir, &fs) || access(dir, W_OK | X_OK)) {
		check_fail(args, xasprintf("%s: %s", dir, strerror(errno)),
			   xstrdup("choose another directory with --out"));
		return;
	}
	bytes = (unsigned long long)fs.f_bavail * fs.f_frsize;
	if (bytes >= SPARE_DISK)
		check_ok(args, xasprintf("%s free at %s", human_bytes((double)bytes), dir));
	else
		check_fail(args,
			   xasprintf("%s free at %s, %s needed", human_bytes((double)bytes), dir,
				     human_bytes((double)SPARE_DISK)),
			   xstrdup("free some space, or choose another directory with --out"));
}

void check_qemu(const struct check_args *args)
{
	char name[] = QEMU, option[] = "--version";
	char *argv[] = { name, option, NULL };
	autofree char *output = NULL;
	int ret = proc_run(argv, QEMU_TIMEOUT_S, &output);
	char *version = output ? strstr(output, "version ") : NULL;

	if (!ret && version) {
		version[strcspn(version, "\n")] = '\0';
		check_ok(args, xstrdup(version));
	} else if (ret == -ENOENT) {
		check_fail(args, xstrdup(QEMU " is not in PATH"),
			   xstrdup("apt install qemu-system-x86, or make deps"));
	} else {
		check_fail(args,
			   xasprintf(QEMU " --version: %s", ret ? strerror(-ret) : "no version"),
			   xstrdup("install QEMU anew: apt install --reinstall qemu-system-x86"));
	}
}

void check_tracefs(const struct check_args *args)
{
	if (check_exists(sysfs_root, "kernel/tracing/instances"))
		check_ok(args, xstrdup("mounted"));
	else
		check_warn(args,
			   xstrdup("not mounted or not readable: metrics from the kernel's tracing "
				   "are left out"),
			   xstrdup("mount -t tracefs tracefs /sys/kernel/tracing, as root"));
}
