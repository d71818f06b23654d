// SPDX-License-Identifier: GPL-2.0-only
/* Admin commands about an NVMe drive's secondary controllers. */
#include "harness/nvme_admin.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/nvme_ioctl.h>
#include <string.h>
#include <sys/ioctl.h>

#include "harness/log.h"
#include "harness/pci.h"
#include "harness/util.h"

#define OPCODE_IDENTIFY 0x06
#define OPCODE_VIRTUALIZATION 0x1c
#define CNS_PRIMARY 0x14
#define CNS_SECONDARIES 0x15
#define IDENTIFY_BYTES 4096
#define ENTRY_BYTES 32		     /* of the list of secondary controllers, its head too */
#define STATUS_CODE 0x7ff	     /* type and code, without the bits that say "retry" */
#define STATUS_UNKNOWN_OPCODE 0x001  /* Invalid Command Opcode */
#define STATUS_UNKNOWN_REQUEST 0x002 /* Invalid Field in Command */

const char *const nvme_resource_names[] = { "queues", "interrupts" };

/* Where the primary controller's capabilities have what of each resource, from there on. */
static const size_t pool_offsets[] = { 32, 64 };

char *nvme_controller(const char *bdf)
{
	autofree char *path = pci_path(bdf, "nvme");
	autolist struct strlist names = { 0 };

	dir_names(path, &names);
	return names.nr ? xstrdup(names.items[0]) : NULL;
}

char *nvme_serial(const char *bdf)
{
	autofree char *name = nvme_controller(bdf);
	autofree char *attribute = xasprintf("nvme/%s/serial", name ? name : "none");
	autofree char *path = pci_path(bdf, attribute);

	return file_read_trimmed(path);
}

int nvme_open(const char *bdf)
{
	autofree char *name = nvme_controller(bdf), *path = NULL;
	int fd;

	if (!name) {
		log_err("%s has no controller of the host's nvme driver: echo %s > "
			"%s/bus/pci/drivers/nvme/bind, and see dmesg",
			bdf, bdf, sysfs_root);
		return -ENODEV;
	}
	path = xasprintf("%s/%s", devfs_root, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0)
		return fd;
	fd = -errno;
	log_err("cannot open %s of %s: %s", path, bdf, strerror(-fd));
	return fd;
}

static uint16_t get16(const uint8_t *at)
{
	return (uint16_t)(at[0] | at[1] << 8);
}

static uint32_t get32(const uint8_t *at)
{
	return get16(at) | (uint32_t)get16(at + 2) << 16;
}

/* As ioctl(): a positive result is the drive's status. */
static int identify(int fd, uint8_t cns, uint16_t first, void *data)
{
	struct nvme_admin_cmd cmd = {
		.opcode = OPCODE_IDENTIFY,
		.addr = (uintptr_t)data,
		.data_len = IDENTIFY_BYTES,
		.cdw10 = cns | (uint32_t)first << 16,
	};
	int ret = ioctl(fd, NVME_IOCTL_ADMIN_CMD, &cmd);

	return ret < 0 ? -errno : ret & STATUS_CODE;
}

static int identify_error(const char *bdf, int ret)
{
	if (ret == STATUS_UNKNOWN_OPCODE || ret == STATUS_UNKNOWN_REQUEST)
		return -EOPNOTSUPP;
	if (ret < 0)
		log_err("%s: cannot send it admin commands: %s", bdf, strerror(-ret));
	else
		log_err("%s: it does not say what its virtual functions have: NVMe status %#x", bdf,
			(unsigned int)ret);
	return ret < 0 ? ret : -EREMOTEIO;
}

static void read_pools(const uint8_t *data, struct nvme_drive *drive)
{
	drive->id = get16(data);
	for (unsigned int i = 0; i < NVME_NR_RESOURCES; i++) {
		const uint8_t *at = data + pool_offsets[i];

		drive->pools[i] = (struct nvme_pool){
			.flexible = data[4] & 1 << i,
			.total = get32(at),
			.secondaries = get32(at + 4),
			.primary = get16(at + 8),
			.own = get16(at + 10),
			.most = get16(at + 12),
			.granularity = get16(at + 14),
		};
	}
}

static void add_secondary(const uint8_t *entry, struct nvme_drive *drive)
{
	drive->secondaries =
		xrealloc(drive->secondaries, (drive->nr + 1) * sizeof(*drive->secondaries));
	drive->secondaries[drive->nr++] = (struct nvme_secondary){
		.id = get16(entry),
		.online = entry[4] & 1,
		.function = get16(entry + 8),
		.nr = { get16(entry + 10), get16(entry + 12) },
	};
}

/* The list comes in pieces, in the order of the controllers' numbers. */
static int read_secondaries(int fd, struct nvme_drive *drive)
{
	uint8_t data[IDENTIFY_BYTES];
	uint16_t first = 0;
	uint8_t nr;

	do {
		int ret = identify(fd, CNS_SECONDARIES, first, data);

		if (ret)
			return ret;
		nr = data[0];
		if (nr >= IDENTIFY_BYTES / ENTRY_BYTES)
			nr = IDENTIFY_BYTES / ENTRY_BYTES - 1;
		for (unsigned int i = 1; i <= nr; i++)
			add_secondary(data + (size_t)i * ENTRY_BYTES, drive);
		if (nr)
			first = (uint16_t)(drive->secondaries[drive->nr - 1].id + 1);
	} while (nr == IDENTIFY_BYTES / ENTRY_BYTES - 1 && first);
	return 0;
}

int nvme_drive_read(int fd, const char *bdf, struct nvme_drive *drive)
{
	uint8_t data[IDENTIFY_BYTES];
	int ret;

	*drive = (struct nvme_drive){ 0 };
	ret = identify(fd, CNS_PRIMARY, 0, data);
	if (!ret) {
		read_pools(data, drive);
		ret = read_secondaries(fd, drive);
	}
	if (ret)
		ret = identify_error(bdf, ret);
	else if (!drive->nr)
		ret = -EOPNOTSUPP;
	if (ret)
		nvme_drive_free(drive);
	return ret;
}

void nvme_drive_free(struct nvme_drive *drive)
{
	free(drive->secondaries);
	*drive = (struct nvme_drive){ 0 };
}

/* The statuses of Virtualization Management's own. */
static const char *status_text(int status)
{
	switch (status) {
	case 0x11f:
		return "no such controller";
	case 0x120:
		return "the controller is not in a state for it";
	case 0x121:
		return "not that many can be given to it";
	case 0x122:
		return "there are not that many left";
	default:
		return "see the NVM Express specification";
	}
}

static char *action_text(enum nvme_action action, uint16_t controller, enum nvme_resource resource,
			 uint16_t nr)
{
	if (action == NVME_ONLINE || action == NVME_OFFLINE)
		return xasprintf("set controller %u %s", controller,
				 action == NVME_ONLINE ? "online" : "offline");
	return xasprintf("give controller %u %u %s", controller, nr, nvme_resource_names[resource]);
}

int nvme_manage(int fd, const char *bdf, enum nvme_action action, uint16_t controller,
		enum nvme_resource resource, uint16_t nr)
{
	autofree char *what = action_text(action, controller, resource, nr);
	struct nvme_admin_cmd cmd = {
		.opcode = OPCODE_VIRTUALIZATION,
		.cdw10 = (uint32_t)action | (uint32_t)resource << 8 | (uint32_t)controller << 16,
		.cdw11 = nr,
	};
	int ret;

	log_debug("%s: %s", bdf, what);
	ret = ioctl(fd, NVME_IOCTL_ADMIN_CMD, &cmd);
	if (!ret)
		return 0;
	if (ret < 0) {
		ret = -errno;
		log_err("%s: cannot %s: %s", bdf, what, strerror(-ret));
		return ret;
	}
	ret &= STATUS_CODE;
	log_err("%s: cannot %s: NVMe status %#x, %s", bdf, what, (unsigned int)ret,
		status_text(ret));
	return -EREMOTEIO;
}
