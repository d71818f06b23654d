// SPDX-License-Identifier: GPL-2.0-only
/* An NVMe drive, assigned. */
#include <errno.h>
#include <string.h>

#include "bench/devices/vfio.h"
#include "harness/boot.h"
#include "harness/util.h"

#define DISK "nvme0n1"

static int probe(const struct host *host, const struct settings *settings, char **why)
{
	return vfio_probe(host, "nvme", why);
}

static int host_setup(struct boot *boot, const struct settings *settings)
{
	return vfio_bind(boot, "nvme");
}

static void configure(const struct host *host, const struct settings *settings,
		      struct vm_config *vm)
{
	vfio_configure(host, "nvme", vm);
}

static int guest_setup(struct boot *boot, const struct settings *settings)
{
	char *const argv[] = { (char *)"modprobe", (char *)"nvme", NULL };
	uint64_t deadline = deadline_in(30);
	int ret = guest_run(boot->vm->guest, argv, 30, NULL);

	while (!ret) {
		autofree char *size = NULL;

		ret = guest_read(boot->vm->guest, "/sys/block/" DISK "/size", &size);
		if (!ret)
			return 0;
		if (ret == -ENOENT && now_ns() < deadline)
			ret = wait_seconds(&boot->vm->waiter, 0.1);
		else if (ret == -ENOENT)
			ret = boot_fail(boot, -ENODEV, "no " DISK " in the guest after 30 s");
	}
	return ret;
}

/* Completed reads and writes, fields 1 and 5 (Documentation/block/stat.rst). */
static int count_ops(struct boot *boot, uint64_t *ops)
{
	autofree char *text = NULL;
	uint64_t reads, writes;
	int ret = guest_read(boot->vm->guest, "/sys/block/" DISK "/stat", &text);

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
	.help = "an NVMe drive, assigned with VFIO",
	.class = DEVICE_BLOCK,
	.probe = probe,
	.host_setup = host_setup,
	.configure = configure,
	.guest_setup = guest_setup,
	.count_ops = count_ops,
};
