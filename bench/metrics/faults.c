// SPDX-License-Identifier: GPL-2.0-only
/*
 * IOMMU faults and kernel warnings, on the host and in the guest: a cell that saw a new one
 * is invalid.
 */
#include <errno.h>
#include <string.h>

#include "bench/metric.h"
#include "bench/mode.h"
#include "harness/boot.h"
#include "harness/kmsg.h"

static const struct metric_desc metrics[] = {
	{ "iommu_faults", "count", DIRECTION_LOWER, "faults the host's IOMMU reported" },
	{ 0 },
};

struct faults {
	int fd;
};

static int open_source(struct boot *boot, void *priv)
{
	struct faults *faults = priv;

	faults->fd = kmsg_open();
	return faults->fd < 0 ? faults->fd : 0;
}

static void judge(struct cell_run *run, const char *where, const struct kmsg_findings *findings)
{
	if (findings->iommu_faults)
		cell_invalid(run, "%u IOMMU faults on the %s: %s", findings->iommu_faults, where,
			     findings->first_fault);
	if (findings->splats)
		cell_invalid(run, "%u kernel warnings on the %s: %s", findings->splats, where,
			     findings->first_splat);
}

static int check_guest(struct cell_run *run)
{
	struct kmsg_findings findings = { 0 };
	char *const argv[] = { (char *)"dmesg", NULL };
	char *text = NULL;
	int ret = guest_run(run->boot->vm->guest, argv, 30, &text);

	if (ret)
		return ret;
	kmsg_scan(text, &findings);
	judge(run, "guest", &findings);
	kmsg_findings_free(&findings);
	ret = cell_save(run, "guest-dmesg.txt", text, strlen(text));
	free(text);
	return ret;
}

static int finish(struct cell_run *run, void *priv)
{
	struct kmsg_findings findings = { 0 };
	int ret = kmsg_read(((struct faults *)priv)->fd, &findings);

	if (!ret) {
		sample_add(&run->samples, &metrics[0], findings.iommu_faults);
		judge(run, "host", &findings);
		/* Without a VM the host's messages were all, and only the new ones count. */
		if (run->cell->mode->attach != ATTACH_HOST)
			ret = check_guest(run);
	}
	kmsg_findings_free(&findings);
	return ret;
}

static void close_source(struct boot *boot, void *priv)
{
	int fd = ((struct faults *)priv)->fd;

	if (fd > 0)
		close(fd);
}

const struct metric_ops metric_faults = {
	.name = "faults",
	.help = "IOMMU faults and kernel warnings",
	.metrics = metrics,
	.priv_size = sizeof(struct faults),
	.open = open_source,
	.finish = finish,
	.close = close_source,
};
