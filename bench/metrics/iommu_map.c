// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the host's IOMMU really maps for the VM, from the iommu:map and iommu:unmap
 * tracepoints: the independent source that pinned memory is checked against, the number of
 * mappings made while the workload runs, and the end of the mapping stage of VM creation.
 */
#include <dirent.h>
#include <errno.h>
#include <string.h>

#include "bench/device.h"
#include "bench/metric.h"
#include "harness/boot.h"
#include "harness/journal.h"
#include "harness/pci.h"
#include "harness/proc.h"
#include "harness/util.h"

#define TRACEFS "/sys/kernel/tracing"
#define INSTANCE TRACEFS "/instances/iommubench"
#define MAP INSTANCE "/events/iommu/map"
#define UNMAP INSTANCE "/events/iommu/unmap"
#define MAP_TRIGGER "hist:keys=common_pid:vals=size:size=16384"
#define UNMAP_TRIGGER "hist:keys=common_pid:vals=unmapped_size:size=16384"

static const struct metric_desc metrics[] = {
	{ "stage_mapped_s", "s", DIRECTION_LOWER, "until the last VFIO mapping of VM creation" },
	{ "iommu_mapped_start_bytes", "bytes", DIRECTION_LOWER,
	  "mapped in the host's IOMMU when the VM is created" },
	{ "iommu_mapped_end_bytes", "bytes", DIRECTION_LOWER,
	  "mapped in the host's IOMMU after the workload" },
	{ "host_map_calls", "count", DIRECTION_LOWER,
	  "mappings made in the host's IOMMU in the measured window" },
	{ 0 },
};

/* Sums over the VM's threads. */
struct totals {
	double calls, bytes;
};

struct iommu_map {
	double stage_mapped_s, start_bytes;
	double begin_calls;
};

static int probe(const struct host *host, char **why)
{
	if (file_exists(TRACEFS "/events/iommu/map/trigger"))
		return 0;
	*why = xstrdup("no iommu tracepoints: mount tracefs and boot with an IOMMU");
	return -EOPNOTSUPP;
}

/*
 * Set up once a run, and left as it is until the journal removes the instance: switching a
 * tracepoint patches the kernel's text, which is better not done around every boot. The
 * histograms keep counting; the ring buffer is on only while a VM is created.
 */
static int make_instance(struct boot *boot)
{
	int ret = journal_mkdir(boot->journal, INSTANCE);

	if (!ret)
		ret = file_write(INSTANCE "/tracing_on", "0", false);
	if (!ret)
		ret = file_write(INSTANCE "/trace_clock", "mono", false);
	if (!ret)
		ret = file_write(INSTANCE "/buffer_size_kb", "64", false);
	if (!ret)
		ret = file_write(MAP "/trigger", MAP_TRIGGER, false);
	if (!ret)
		ret = file_write(UNMAP "/trigger", UNMAP_TRIGGER, false);
	if (!ret)
		ret = file_write(MAP "/enable", "1", false);
	return ret;
}

static int open_source(struct boot *boot, void *priv)
{
	int ret = file_exists(INSTANCE) ? 0 : make_instance(boot);

	((struct iommu_map *)priv)->stage_mapped_s = -1;
	if (!ret)
		ret = file_write(INSTANCE "/trace", "", true);
	if (!ret)
		ret = file_write(INSTANCE "/tracing_on", "1", false);
	return ret;
}

static bool is_thread(pid_t pid, long tid)
{
	autofree char *path = xasprintf("/proc/%d/task/%ld", pid, tid);

	return file_exists(path);
}

/* Lines are "{ common_pid:       1234 } hitcount:  5  size:   20480". */
static int read_hist(const char *path, const char *value, pid_t pid, struct totals *totals)
{
	autofree char *text = file_read(path, NULL);
	char *save = NULL;

	*totals = (struct totals){ 0 };
	if (!text)
		return -errno;
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		const char *hits = strstr(line, "hitcount:");
		const char *bytes = hits ? strstr(hits, value) : NULL;
		const char *tid = strstr(line, "common_pid:");

		if (!bytes || !tid || line[0] != '{')
			continue;
		if (!is_thread(pid, strtol(tid + strlen("common_pid:"), NULL, 10)))
			continue;
		totals->calls += strtod(hits + strlen("hitcount:"), NULL);
		totals->bytes += strtod(bytes + strlen(value), NULL);
	}
	return 0;
}

static int read_mapped(struct boot *boot, double *bytes, double *map_calls)
{
	struct totals map, unmap;
	int ret = read_hist(MAP "/hist", " size:", boot->vm->proc.pid, &map);

	if (!ret)
		ret = read_hist(UNMAP "/hist", " unmapped_size:", boot->vm->proc.pid, &unmap);
	if (ret)
		return ret;
	*bytes = map.bytes - unmap.bytes;
	*map_calls = map.calls;
	return 0;
}

/* Time stamp of the last map event of one of the VM's threads: "NAME-TID [CPU] FLAGS S.US: map". */
static double last_map_s(pid_t pid)
{
	autofree char *text = file_read(INSTANCE "/trace", NULL);
	double last = -1;
	char *save = NULL;

	for (char *line = text ? strtok_r(text, "\n", &save) : NULL; line;
	     line = strtok_r(NULL, "\n", &save)) {
		char *cpu = strstr(line, " [");
		char *event = strstr(line, ": map:");
		char *tid = cpu, *stamp = event;

		if (!cpu || !event)
			continue;
		while (tid > line && tid[-1] != '-')
			tid--;
		while (stamp > line && stamp[-1] != ' ')
			stamp--;
		if (is_thread(pid, strtol(tid, NULL, 10)))
			last = strtod(stamp, NULL);
	}
	return last;
}

static int created(struct boot *boot, void *priv)
{
	struct iommu_map *state = priv;
	double calls, last;
	int ret = file_write(INSTANCE "/tracing_on", "0", false);

	if (ret)
		return ret;
	last = last_map_s(boot->vm->proc.pid);
	if (last > 0)
		state->stage_mapped_s = last - (double)boot->vm->started_ns * 1e-9;
	return read_mapped(boot, &state->start_bytes, &calls);
}

static int begin(struct cell_run *run, void *priv)
{
	double bytes;

	return read_mapped(run->boot, &bytes, &((struct iommu_map *)priv)->begin_calls);
}

static int end(struct cell_run *run, void *priv)
{
	double bytes, calls;
	int ret = read_mapped(run->boot, &bytes, &calls);

	if (!ret)
		sample_add(&run->samples, &metrics[3],
			   calls - ((struct iommu_map *)priv)->begin_calls);
	return ret;
}

/* How long the sources may disagree: pages may be unpinned between one look and the other. */
#define AGREE_S 2.0
#define AGREE_POLL_S 0.1

/*
 * The two sources must tell the same: VFIO accounts guest memory and ROM, the IOMMU also
 * holds the device's own BARs (for peer DMA), and both may be caught in the middle of a few
 * mappings.
 */
static bool sources_agree(const struct cell_run *run, double mapped, double locked)
{
	const struct host_device *device =
		host_device(run->boot->host, device_kind(run->cell->device));
	double bars = device ? (double)pci_bar_bytes(device->address) : 0;
	double slack = 64.0 * 1024 + 0.01 * locked;

	return mapped >= locked - slack && mapped <= locked + bars + slack;
}

static int compare_sources(struct cell_run *run, double *mapped)
{
	uint64_t deadline = deadline_in(AGREE_S);
	double calls, locked;
	int ret;

	for (;;) {
		ret = read_mapped(run->boot, mapped, &calls);
		if (ret)
			return ret;
		locked = (double)proc_locked_bytes(run->boot->vm->proc.pid);
		if (sources_agree(run, *mapped, locked))
			return 0;
		if (now_ns() > deadline)
			break;
		ret = wait_seconds(&run->boot->vm->waiter, AGREE_POLL_S);
		if (ret)
			return ret;
	}
	cell_invalid(run, "pinned memory is not certain: VFIO accounts %s, the IOMMU maps %s",
		     human_bytes(locked), human_bytes(*mapped));
	return 0;
}

static int finish(struct cell_run *run, void *priv)
{
	const struct iommu_map *state = priv;
	double bytes;
	int ret = compare_sources(run, &bytes);

	if (ret)
		return ret;
	if (state->stage_mapped_s >= 0)
		sample_add(&run->samples, &metrics[0], state->stage_mapped_s);
	sample_add(&run->samples, &metrics[1], state->start_bytes);
	sample_add(&run->samples, &metrics[2], bytes);
	return 0;
}

const struct metric_ops metric_iommu_map = {
	.name = "iommu_map",
	.help = "mappings in the host's IOMMU",
	.metrics = metrics,
	.except = ATTACH_VFIO_ONLY,
	.priv_size = sizeof(struct iommu_map),
	.probe = probe,
	.open = open_source,
	.created = created,
	.begin = begin,
	.end = end,
	.finish = finish,
};
