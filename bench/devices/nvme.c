// SPDX-License-Identifier: GPL-2.0-only
/* An NVMe drive: assigned, or the host's own behind a device of QEMU's, or on the host itself. */
#include <dirent.h>
#include <errno.h>
#include <string.h>

#include "bench/devices/vfio.h"
#include "bench/mode.h"
#include "harness/boot.h"
#include "harness/journal.h"
#include "harness/pci.h"
#include "harness/util.h"

static int probe(const struct host *host, const struct settings *settings, char **why)
{
	return vfio_probe(host, "nvme", why);
}

/* --- on the host --- */

/* Is it "nvmeCnN", the drive's first name space, of any controller? */
static bool is_disk(const char *name)
{
	size_t digits = strncmp(name, "nvme", 4) ? 0 : strspn(name + 4, "0123456789");

	return digits && !strcmp(name + 4 + digits, "n1");
}

/* The block device that the host's driver has made of the drive, to free, or NULL. */
static char *host_disk(const char *address)
{
	autofree char *parent = xasprintf("%s/bus/pci/devices/%s/nvme", sysfs_root, address);
	DIR *controllers = opendir(parent);
	struct dirent *controller;
	char *disk = NULL;

	while (controllers && !disk && (controller = readdir(controllers))) {
		autofree char *path = xasprintf("%s/%s", parent, controller->d_name);
		DIR *names = controller->d_name[0] == '.' ? NULL : opendir(path);
		struct dirent *name;

		while (names && !disk && (name = readdir(names)))
			if (is_disk(name->d_name))
				disk = xstrdup(name->d_name);
		if (names)
			closedir(names);
	}
	if (controllers)
		closedir(controllers);
	return disk;
}

/* The host's driver has just been given the drive. */
static int await_host_disk(struct boot *boot)
{
	const struct host_device *device = host_device(boot->host, "nvme");
	const struct waiter waiter = { .pidfd = -1 };
	uint64_t deadline = deadline_in(20);
	autofree char *disk = NULL;

	while (!(disk = host_disk(device->address))) {
		if (now_ns() > deadline)
			return boot_fail(
				boot, -ENODEV,
				"%s has no name space 1 under a driver of the host: bind it "
				"to nvme before the run",
				device->address);
		if (wait_seconds(&waiter, 0.1))
			return -EINTR;
	}
	snprintf(boot->disk, sizeof(boot->disk), "%.31s", disk);
	return 0;
}

/* As before the run, and with nobody else at it. */
static int give_to_host(struct boot *boot)
{
	const struct host_device *device = host_device(boot->host, "nvme");
	autofree char *why = NULL;
	int ret = 0;

	if (boot->cell->mode->attach != ATTACH_HOST)
		ret = journal_put_back(boot->journal, device->address);
	if (ret)
		return boot_fail(boot, ret, "cannot give %s back to the host's driver: %s",
				 device->address, strerror(-ret));
	ret = await_host_disk(boot);
	if (ret)
		return ret;
	ret = host_device_assignable(device, &why);
	return ret ? boot_fail(boot, ret, "%s", why) : 0;
}

static int host_setup(struct boot *boot, const struct settings *settings)
{
	return boot->cell->mode->attach == ATTACH_VFIO ? vfio_bind(boot, "nvme")
						       : give_to_host(boot);
}

static void configure_behind(const struct host *host, const char *qemu_device, struct vm_config *vm)
{
	const struct host_device *device = host_device(host, "nvme");
	autofree char *disk = device ? host_disk(device->address) : NULL;

	strlist_add(&vm->args, "-blockdev");
	strlist_addf(
		&vm->args,
		"driver=host_device,node-name=disk,filename=/dev/%s,cache.direct=on,aio=native",
		disk ? disk : "DISK"); /* a dry run may find it under another driver */
	strlist_add(&vm->args, "-device");
	strlist_addf(&vm->args, "%s,drive=disk,serial=iommubench,id=dut,addr=" BOOT_DEVICE_SLOT,
		     qemu_device);
}

static void configure(const struct host *host, const struct settings *settings, enum attach attach,
		      struct vm_config *vm)
{
	if (attach == ATTACH_VFIO)
		vfio_configure(host, "nvme", vm);
	else
		configure_behind(host, attach == ATTACH_VIRTIO ? "virtio-blk-pci" : "nvme", vm);
}

/* --- where the workload runs --- */

static int await_disk(struct boot *boot)
{
	autofree char *path = xasprintf("/sys/block/%s/size", boot->disk);
	uint64_t deadline = deadline_in(30);
	int ret = 0;

	while (!ret) {
		autofree char *size = NULL;

		ret = guest_read(boot->vm->guest, path, &size);
		if (!ret)
			return 0;
		if (ret == -ENOENT && now_ns() < deadline)
			ret = wait_seconds(&boot->vm->waiter, 0.1);
		else if (ret == -ENOENT)
			ret = boot_fail(boot, -ENODEV, "no %s in the guest after 30 s", boot->disk);
	}
	return ret;
}

/* What the guest has is as large as the host's drive, and reading it reads that. */
static int check_behind(struct boot *boot)
{
	const struct host_device *device = host_device(boot->host, "nvme");
	autofree char *guest_path = xasprintf("/sys/block/%s/size", boot->disk), *guest = NULL;
	autofree char *disk = host_disk(device->address), *host_path = NULL, *host = NULL;
	int ret = guest_read(boot->vm->guest, guest_path, &guest);

	if (ret)
		return ret;
	host_path = xasprintf("%s/block/%s/size", sysfs_root, disk ? disk : "none");
	host = file_read_trimmed(host_path);
	json_object_set_new(boot->proof, "nvme.behind", disk ? json_string(disk) : json_null());
	if (!host || strcmp(host, guest) != 0)
		return boot_fail(
			boot, -EPROTO,
			"the guest's %s has %s sectors, the host's %s %s: it is not that drive",
			boot->disk, guest, disk ? disk : "drive", host ? host : "none");
	return 0;
}

/*
 * The guest's root is vda. One path is all that it has: with multipathing, the disk of a drive that
 * has several controllers (virtual functions) counts no I/O.
 */
static int guest_setup(struct boot *boot, const struct settings *settings)
{
	enum attach attach = boot->cell->mode->attach;
	char *const argv[] = { (char *)"sh", (char *)"-c",
			       (char *)"modprobe nvme_core multipath=N; modprobe nvme", NULL };
	int ret;

	if (attach == ATTACH_HOST)
		return 0;
	snprintf(boot->disk, sizeof(boot->disk), attach == ATTACH_VIRTIO ? "vdb" : "nvme0n1");
	ret = attach == ATTACH_VIRTIO ? 0 : guest_run(boot->vm->guest, argv, 30, NULL);
	if (!ret)
		ret = await_disk(boot);
	return ret || attach == ATTACH_VFIO ? ret : check_behind(boot);
}

/* Completed reads and writes, fields 1 and 5 (Documentation/block/stat.rst). */
static int count_ops(struct boot *boot, uint64_t *ops)
{
	autofree char *path = xasprintf("/sys/block/%s/stat", boot->disk), *text = NULL;
	uint64_t reads, writes;
	int ret = guest_read(boot->vm->guest, path, &text);

	if (ret)
		return ret;
	ret = field_number(text, 1, &reads);
	if (!ret)
		ret = field_number(text, 5, &writes);
	if (!ret)
		*ops = reads + writes;
	return ret;
}

const struct device_ops device_nvme = {
	.name = "nvme",
	.help = "an NVMe drive, assigned with VFIO or as the mode wants it",
	.class = DEVICE_BLOCK,
	.probe = probe,
	.host_setup = host_setup,
	.configure = configure,
	.guest_setup = guest_setup,
	.count_ops = count_ops,
};
