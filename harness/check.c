// SPDX-License-Identifier: GPL-2.0-only
/* Preflight: what this host can run, what is missing, and the remedy. */
#include "harness/check.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/statvfs.h>

#include "harness/config.h"
#include "harness/pci.h"
#include "harness/peer.h"
#include "harness/placing.h"
#include "harness/proc.h"
#include "harness/util.h"

#define QEMU "qemu-system-x86_64"
#define QEMU_TIMEOUT_S 10
#define SPARE_MEMORY (256 * MIB) /* for QEMU itself and the host, beside the guest */
#define SPARE_DISK (256 * MIB)	 /* for one run's results */

struct check_args {
	const struct host *host;
	const struct guest_config *guest;
	unsigned long long guest_bytes;
	const char *out_dir;
};

/* Adds an item; found and remedy (NULL if it is ok) are taken over. */
static void add(struct check_report *report, const char *name, enum check_status status,
		char *found, char *remedy)
{
	struct check_item *item;

	report->items = xrealloc(report->items, (report->nr + 1) * sizeof(*report->items));
	item = &report->items[report->nr++];
	item->name = name;
	item->status = status;
	item->found = found;
	item->remedy = remedy;
}

static bool exists_below(const char *root, const char *name)
{
	autofree char *path = xasprintf("%s/%s", root, name);

	return file_exists(path);
}

/* A small file below a mount, without the white space at its end; to free, NULL: unreadable. */
static char *read_below(const char *root, const char *name)
{
	autofree char *path = xasprintf("%s/%s", root, name);

	return file_read_trimmed(path);
}

/* Field of /proc/meminfo in bytes; 0: not there. */
static unsigned long long meminfo(const char *field)
{
	autofree char *text = read_below(procfs_root, "meminfo");
	autofree char *key = xasprintf("%s:", field);
	char *save = NULL;

	for (char *line = text ? strtok_r(text, "\n", &save) : NULL; line;
	     line = strtok_r(NULL, "\n", &save))
		if (!strncmp(line, key, strlen(key)))
			return strtoull(line + strlen(key), NULL, 10) * KIB;
	return 0;
}

static void check_root(const struct check_args *args, struct check_report *report)
{
	if (geteuid() == 0)
		add(report, "root", CHECK_OK, xstrdup("running as root"), NULL);
	else
		add(report, "root", CHECK_FAIL,
		    xasprintf("running as user %u", (unsigned int)geteuid()),
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

static void check_kvm(const struct check_args *args, struct check_report *report)
{
	int version = 0, ret = try_kvm(&version);

	if (!ret && version == KVM_API_VERSION)
		add(report, "kvm", CHECK_OK, xasprintf("API %d, a VM can be made", version), NULL);
	else if (!ret)
		add(report, "kvm", CHECK_FAIL, xasprintf("API %d", version),
		    xstrdup("boot a current kernel"));
	else if (ret == -EACCES || ret == -EPERM)
		add(report, "kvm", CHECK_FAIL, xasprintf("%s/kvm: %s", devfs_root, strerror(-ret)),
		    xstrdup("run with sudo, or join the group kvm"));
	else
		add(report, "kvm", CHECK_FAIL, xasprintf("%s/kvm: %s", devfs_root, strerror(-ret)),
		    xstrdup("enable VT-x or AMD-V in the firmware and modprobe kvm_intel "
			    "or kvm_amd"));
}

static size_t count_entries(const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *entry;
	size_t nr = 0;

	if (!dir)
		return 0;
	while ((entry = readdir(dir)) != NULL)
		nr += entry->d_name[0] != '.';
	closedir(dir);
	return nr;
}

static void check_iommu(const struct check_args *args, struct check_report *report)
{
	autofree char *path = xasprintf("%s/kernel/iommu_groups", sysfs_root);
	size_t nr = count_entries(path);

	if (nr)
		add(report, "iommu", CHECK_OK, xasprintf("%zu groups", nr), NULL);
	else
		add(report, "iommu", CHECK_FAIL, xstrdup("no IOMMU groups"),
		    xstrdup("enable VT-d or AMD-Vi in the firmware and boot with intel_iommu=on"));
}

static void check_vfio(const struct check_args *args, struct check_report *report)
{
	autofree char *limit =
		read_below(sysfs_root, "module/vfio_iommu_type1/parameters/dma_entry_limit");
	bool node = exists_below(devfs_root, "vfio/vfio");
	bool driver = exists_below(sysfs_root, "bus/pci/drivers/vfio-pci");

	if (!node || !driver)
		add(report, "vfio", CHECK_FAIL,
		    xasprintf("%s", !driver ? "driver vfio-pci is not loaded"
					    : "there is no /dev/vfio/vfio"),
		    xstrdup(!driver ? "modprobe vfio-pci" : "modprobe vfio"));
	else
		add(report, "vfio", CHECK_OK,
		    xasprintf("vfio-pci loaded, dma_entry_limit %s%s", limit ? limit : "unknown",
			      exists_below(devfs_root, "iommu") ? ", iommufd" : ""),
		    NULL);
}

/* A warning: the other devices' cells run without it. */
static void check_peer(const struct host_device *device, struct check_report *report)
{
	const char *port = device->peer ? device->peer : device->remote;
	autofree char *why = NULL;

	if (!peer_probe(device, &why))
		add(report, "peer", CHECK_OK, xasprintf("of %s: %s", device->kind, port), NULL);
	else
		add(report, "peer", CHECK_WARN, xstrdup(why),
		    xstrdup("without it the workloads of this NIC are skipped"));
}

/* One item for each device; pci_assignable() says "reason: remedy". */
static void check_device(const struct host_device *device, struct check_report *report)
{
	autofree char *why = NULL, *driver = NULL;
	char *split, *colon;

	if (!pci_assignable(device->address, &why)) {
		driver = pci_driver(device->address);
		add(report, "device", CHECK_OK,
		    xasprintf("%s %s, %s", device->kind, device->address,
			      driver ? driver : "no driver"),
		    NULL);
		if (device->peer || device->remote)
			check_peer(device, report);
		return;
	}
	for (split = NULL, colon = strstr(why, ": "); colon; colon = strstr(colon + 1, ": "))
		split = colon;
	if (split)
		*split = '\0';
	add(report, "device", CHECK_FAIL,
	    xasprintf("%s %s: %s", device->kind, device->address, why),
	    xstrdup(split ? split + 2 : "name another device in the host file"));
}

static void check_devices(const struct check_args *args, struct check_report *report)
{
	size_t nr = args->host ? args->host->nr_devices : 0;

	if (!nr)
		add(report, "device", CHECK_FAIL, xstrdup("none is lent to the harness"),
		    xstrdup("name one in a host file, as devices: { nvme: \"0000:5e:00.0\" }, and "
			    "give it with --host"));
	for (size_t i = 0; i < nr; i++)
		check_device(&args->host->devices[i], report);
}

/* One item for each device, for the guest that is to run or else one with one vCPU. */
static void check_placement(const struct check_args *args, struct check_report *report)
{
	const struct guest_config one = { .cpus = 1 };
	struct placements placements;

	if (!args->host || !args->host->nr_devices)
		return;
	placements_make(args->host, args->guest ? args->guest : &one, &placements);
	for (size_t i = 0; i < placements.nr; i++) {
		const struct placement *placement = &placements.items[i];
		const char *remedy = NULL, *warning = placement_warning(placement, &remedy);
		autofree char *text = placement_text(placement);

		add(report, "placement", warning ? CHECK_WARN : CHECK_OK,
		    xasprintf("%s: %s%s%s", args->host->devices[i].kind, text, warning ? "; " : "",
			      warning ? warning : ""),
		    warning ? xstrdup(remedy) : NULL);
	}
	placements_free(&placements);
}

static void check_memory(const struct check_args *args, struct check_report *report)
{
	unsigned long long available = meminfo("MemAvailable");
	unsigned long long needed = args->guest_bytes + SPARE_MEMORY;

	if (!args->guest_bytes)
		return;
	if (available >= needed)
		add(report, "memory", CHECK_OK,
		    xasprintf("%s available", human_bytes((double)available)), NULL);
	else
		add(report, "memory", CHECK_FAIL,
		    xasprintf("%s available, %s needed", human_bytes((double)available),
			      human_bytes((double)needed)),
		    xstrdup("end other programs, or lower the experiment's guest memory"));
}

/* VFIO pins the guest's memory and charges it to QEMU, unless that may exceed the limit. */
static void check_memlock(const struct check_args *args, struct check_report *report)
{
	unsigned long long needed = args->guest_bytes + SPARE_MEMORY;
	struct rlimit limit = { 0 };

	getrlimit(RLIMIT_MEMLOCK, &limit);
	if (geteuid() == 0)
		add(report, "memlock", CHECK_OK, xstrdup("not limited for root"), NULL);
	else if (limit.rlim_cur == RLIM_INFINITY || limit.rlim_cur >= needed)
		add(report, "memlock", CHECK_OK, xstrdup("the limit is high enough"), NULL);
	else
		add(report, "memlock", CHECK_FAIL,
		    xasprintf("limited to %s, %s needed", human_bytes((double)limit.rlim_cur),
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

static void check_disk(const struct check_args *args, struct check_report *report)
{
	autofree char *dir = args->out_dir ? existing_parent(args->out_dir) : NULL;
	struct statvfs fs;
	unsigned long long bytes;

	if (!dir)
		return;
	if (statvfs(dir, &fs) || access(dir, W_OK | X_OK)) {
		add(report, "disk", CHECK_FAIL, xasprintf("%s: %s", dir, strerror(errno)),
		    xstrdup("choose another directory with --out"));
		return;
	}
	bytes = (unsigned long long)fs.f_bavail * fs.f_frsize;
	if (bytes >= SPARE_DISK)
		add(report, "disk", CHECK_OK,
		    xasprintf("%s free at %s", human_bytes((double)bytes), dir), NULL);
	else
		add(report, "disk", CHECK_FAIL,
		    xasprintf("%s free at %s, %s needed", human_bytes((double)bytes), dir,
			      human_bytes((double)SPARE_DISK)),
		    xstrdup("free some space, or choose another directory with --out"));
}

static void check_qemu(const struct check_args *args, struct check_report *report)
{
	char name[] = QEMU, option[] = "--version";
	char *argv[] = { name, option, NULL };
	autofree char *output = NULL;
	int ret = proc_run(argv, QEMU_TIMEOUT_S, &output);
	char *version = output ? strstr(output, "version ") : NULL;

	if (!ret && version) {
		version[strcspn(version, "\n")] = '\0';
		add(report, "qemu", CHECK_OK, xstrdup(version), NULL);
	} else if (ret == -ENOENT) {
		add(report, "qemu", CHECK_FAIL, xstrdup(QEMU " is not in PATH"),
		    xstrdup("apt install qemu-system-x86, or make deps"));
	} else {
		add(report, "qemu", CHECK_FAIL,
		    xasprintf(QEMU " --version: %s", ret ? strerror(-ret) : "no version"),
		    xstrdup("install QEMU anew: apt install --reinstall qemu-system-x86"));
	}
}

static void check_tracefs(const struct check_args *args, struct check_report *report)
{
	if (exists_below(sysfs_root, "kernel/tracing/instances"))
		add(report, "tracefs", CHECK_OK, xstrdup("mounted"), NULL);
	else
		add(report, "tracefs", CHECK_WARN,
		    xstrdup("not mounted or not readable: metrics from the kernel's tracing are "
			    "left out"),
		    xstrdup("mount -t tracefs tracefs /sys/kernel/tracing, as root"));
}

static void check_numa(const struct check_args *args, struct check_report *report)
{
	autofree char *balancing = read_below(procfs_root, "sys/kernel/numa_balancing");

	if (balancing && strcmp(balancing, "0") != 0)
		add(report, "numa", CHECK_WARN, xstrdup("automatic NUMA balancing is on: noise"),
		    xstrdup("sysctl kernel.numa_balancing=0"));
}

static void check_thp(const struct check_args *args, struct check_report *report)
{
	autofree char *enabled = read_below(sysfs_root, "kernel/mm/transparent_hugepage/enabled");
	char *chosen = enabled ? strchr(enabled, '[') : NULL;

	if (!chosen)
		return;
	chosen[strcspn(chosen, "]")] = '\0';
	add(report, "thp", CHECK_OK, xasprintf("transparent huge pages: %s", chosen + 1), NULL);
}

static void check_swap(const struct check_args *args, struct check_report *report)
{
	unsigned long long total = meminfo("SwapTotal"), unused = meminfo("SwapFree");

	if (total > unused)
		add(report, "swap", CHECK_WARN,
		    xasprintf("%s are swapped out: noise", human_bytes((double)(total - unused))),
		    xstrdup("swapoff -a, if memory allows"));
}

/* " 12 345": the processes whose name starts so; to free. */
static char *pids_of(const char *prefix)
{
	DIR *dir = opendir(procfs_root);
	char *pids = xstrdup("");
	struct dirent *entry;

	while (dir && (entry = readdir(dir)) != NULL) {
		autofree char *name = xasprintf("%s/comm", entry->d_name), *old = NULL;
		autofree char *comm = NULL;

		if (strspn(entry->d_name, "0123456789") != strlen(entry->d_name))
			continue;
		comm = read_below(procfs_root, name);
		if (!comm || strncmp(comm, prefix, strlen(prefix)) != 0)
			continue;
		old = pids;
		pids = xasprintf("%s %s", old, entry->d_name);
	}
	if (dir)
		closedir(dir);
	return pids;
}

static void check_leftover(const struct check_args *args, struct check_report *report)
{
	autofree char *pids = pids_of("qemu-system");

	if (*pids)
		add(report, "leftover", CHECK_WARN, xasprintf("QEMU is running: process%s", pids),
		    xasprintf("if it is not needed: kill%s", pids));
}

/* It would send the interrupts elsewhere again, in the middle of a measurement. */
static void check_irqbalance(const struct check_args *args, struct check_report *report)
{
	autofree char *pids = pids_of("irqbalance");

	if (*pids && args->host && args->host->placement)
		add(report, "irq", CHECK_WARN,
		    xasprintf("irqbalance moves interrupts: process%s", pids),
		    xstrdup("systemctl stop irqbalance"));
}

static void check_load(const struct check_args *args, struct check_report *report)
{
	autofree char *text = read_below(procfs_root, "loadavg");
	long cores = sysconf(_SC_NPROCESSORS_ONLN);
	double load = text ? strtod(text, NULL) : 0;

	if (load > (double)cores)
		add(report, "load", CHECK_WARN,
		    xasprintf("load average %.1f on %ld cores: noise", load, cores),
		    xstrdup("wait until the machine is idle"));
}

static void (*const checks[])(const struct check_args *args, struct check_report *report) = {
	check_root,	  check_kvm,	check_iommu,   check_vfio, check_devices,
	check_placement,  check_memory, check_memlock, check_disk, check_qemu,
	check_tracefs,	  check_numa,	check_thp,     check_swap, check_leftover,
	check_irqbalance, check_load,
};

void check_host(const struct host *host, const struct guest_config *guest, const char *out_dir,
		struct check_report *report)
{
	const struct check_args args = { host, guest, guest ? guest->memory_bytes : 0, out_dir };

	*report = (struct check_report){ 0 };
	for (size_t i = 0; i < ARRAY_SIZE(checks); i++)
		checks[i](&args, report);
}

bool check_failed(const struct check_report *report)
{
	for (size_t i = 0; i < report->nr; i++)
		if (report->items[i].status == CHECK_FAIL)
			return true;
	return false;
}

void check_print(const struct check_report *report)
{
	static const char *const words[] = { "ok", "warn", "FAIL" };
	static const char *const colours[] = { "\033[32m", "\033[33m", "\033[31m" };
	bool colour = isatty(STDOUT_FILENO);

	for (size_t i = 0; i < report->nr; i++) {
		const struct check_item *item = &report->items[i];

		printf("%s%-4s%s  %-9s  %s\n", colour ? colours[item->status] : "",
		       words[item->status], colour ? "\033[0m" : "", item->name, item->found);
		if (item->remedy)
			printf("%17s-> %s\n", "", item->remedy);
	}
}

json_t *check_json(const struct check_report *report)
{
	static const char *const words[] = { "ok", "warn", "fail" };
	json_t *items = json_array();

	for (size_t i = 0; i < report->nr; i++) {
		const struct check_item *item = &report->items[i];

		json_array_append_new(items, json_pack("{s:s, s:s, s:s, s:s?}", "name", item->name,
						       "status", words[item->status], "found",
						       item->found, "remedy", item->remedy));
	}
	return json_pack("{s:b, s:o}", "ok", !check_failed(report), "items", items);
}

void check_free(struct check_report *report)
{
	for (size_t i = 0; i < report->nr; i++) {
		free(report->items[i].found);
		free(report->items[i].remedy);
	}
	free(report->items);
	*report = (struct check_report){ 0 };
}
