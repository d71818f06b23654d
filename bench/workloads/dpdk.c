// SPDX-License-Identifier: GPL-2.0-only
/*
 * DPDK in the guest on the assigned NIC (bench/load/pkt.c), which is taken from the kernel's
 * driver meanwhile. With a guest IOMMU through VFIO; without one by physical addresses; under
 * coIOMMU its memory is registered with the guest's driver, as nothing else may be accessed.
 */
#include <errno.h>
#include <math.h>
#include <string.h>

#include "bench/mode.h"
#include "bench/net.h"
#include "bench/workload.h"
#include "harness/boot.h"
#include "harness/peer.h"
#include "harness/placement.h"
#include "harness/tool.h"
#include "harness/util.h"

#define HUGE_PAGE (2 * MIB)
#define READY_S 60
#define SILENCE_S 1.0
#define SYSFS "/sys/bus/pci/devices/" BOOT_DEVICE_BDF

static const char *const role_choices[] = { "receive", "transmit", "forward", NULL };

static const struct setting settings_table[] = {
	{ "role", SETTING_CHOICE, "forward", role_choices, 0, 0,
	  "of the guest; the peer is its source, its sink, or both" },
	{ "size", SETTING_COUNT, "64", NULL, 64, 1518, "bytes of a packet, its checksum included" },
	{ "rate", SETTING_NUMBER, "0", NULL, 0, 1e9,
	  "packets a second, 10 at least; 0: as many as go" },
	{ "window", SETTING_COUNT, "32", NULL, 1, 4096,
	  "forward without a rate: packets under way" },
	{ "descriptors", SETTING_COUNT, "256", NULL, 64, 4096, "of each ring" },
	{ "memory", SETTING_SIZE, "32MiB", NULL, 2 * 1024 * 1024, 1e12, "huge pages for DPDK" },
	{ "idle", SETTING_TIME, "0", NULL, 0, 1, "sleep after a poll that found nothing" },
	{ "registered", SETTING_BOOL, "yes", NULL, 0, 0,
	  "coiommu: register DPDK's memory; without, the host blocks it" },
	{ "runtime", SETTING_TIME, "5s", NULL, 1, 3600, "measured time" },
	{ "ramp", SETTING_TIME, "1s", NULL, 0, 600, "time under load before it, thrown away" },
	{ 0 },
};

enum { RATE, SENT, LOSS, CORRUPT, MEMORY, LAT_P50, LAT_P99, LAT_P999, LAT_MAX };
static const struct metric_desc metrics[] = {
	[RATE] = { "packets_per_s", "packets/s", DIRECTION_HIGHER,
		   "packets that arrived (forward: that came back)" },
	[SENT] = { "packets_sent_per_s", "packets/s", DIRECTION_NONE,
		   "packets sent by the source" },
	[LOSS] = { "packet_loss", "ratio", DIRECTION_LOWER, "of the packets sent in the window" },
	[CORRUPT] = { "verify_errors", "count", DIRECTION_LOWER, "packets that arrived damaged" },
	[MEMORY] = { "dpdk_memory_bytes", "bytes", DIRECTION_NONE, "DPDK's memory in the guest" },
	[LAT_P50] = { "lat_p50_s", "s", DIRECTION_LOWER, "median round trip (forward)" },
	[LAT_P99] = { "lat_p99_s", "s", DIRECTION_LOWER, "99th percentile of it" },
	[LAT_P999] = { "lat_p999_s", "s", DIRECTION_LOWER, "99.9th percentile of it" },
	[LAT_MAX] = { "lat_max_s", "s", DIRECTION_LOWER, "longest of them" },
	{ 0 },
};

static bool has_role(const struct settings *settings, const char *role)
{
	return !strcmp(settings_text(settings, "role"), role);
}

static int validate(const struct settings *settings, char **why)
{
	double rate = settings_number(settings, "rate");

	if (rate > 0 && rate < 10) {
		*why = xstrdup(
			"rate is 0 or at least 10: a pulled cable could not be told from it");
		return -EINVAL;
	}
	if (settings_size(settings, "memory") % HUGE_PAGE) {
		*why = xstrdup("memory must be whole huge pages of 2 MiB");
		return -EINVAL;
	}
	return 0;
}

static char *unfit(const struct mode_ops *mode)
{
	if (mode->bounces)
		return xstrdup("DPDK's DMA does not go through the guest's kernel: nothing would "
			       "be bounced");
	if (mode->guest_iommu != GUEST_IOMMU_PASSTHROUGH)
		return NULL;
	return xstrdup("VFIO in the guest translates whatever the guest's default is: that would "
		       "measure a translating vIOMMU");
}

static double estimate_s(const struct settings *settings)
{
	return 20 + settings_time(settings, "ramp") + settings_time(settings, "runtime");
}

/* --- the NIC's driver in the guest --- */

static bool through_vfio(const struct cell_run *run)
{
	return run->cell->mode->guest_iommu == GUEST_IOMMU_TRANSLATES;
}

/*
 * A virtio-iommu remaps no interrupts, and VFIO then wants to be told that this is accepted; where
 * interrupts are remapped it changes nothing.
 */
#define ACCEPT "/sys/module/vfio_iommu_type1/parameters/allow_unsafe_interrupts"

static int take_nic(struct cell_run *run)
{
	return boot_guest_script(
		run->boot,
		"set -e; modprobe -a $0; test ! -e " ACCEPT " || echo 1 >" ACCEPT "; cd " SYSFS "; "
		"busybox ip link set " NET_INTERFACE " down; set -- $0; "
		"echo $1 >driver_override; echo " BOOT_DEVICE_BDF " >driver/unbind; "
		"echo " BOOT_DEVICE_BDF " >/sys/bus/pci/drivers_probe; test -e driver",
		through_vfio(run) ? "vfio-pci vfio_iommu_type1" : "uio_pci_generic",
		"the guest cannot give the NIC to DPDK");
}

/* For the cells that follow in this VM. */
static int return_nic(struct cell_run *run)
{
	int ret = boot_guest_script(run->boot,
				    "cd " SYSFS "; echo >driver_override; test ! -e driver || "
				    "echo " BOOT_DEVICE_BDF
				    " >driver/unbind; echo 0 >/proc/sys/vm/nr_hugepages; "
				    "echo " BOOT_DEVICE_BDF " >/sys/bus/pci/drivers_probe",
				    "sh", "the guest's kernel does not get the NIC back from DPDK");

	if (ret)
		return ret;
	return run->cell->device->guest_setup(run->boot, run->cell->device_settings);
}

static int reserve_memory(struct cell_run *run, const struct settings *settings)
{
	uint64_t pages = settings_size(settings, "memory") / HUGE_PAGE;
	autofree char *nr = xasprintf("%llu", (unsigned long long)pages);
	autofree char *failed = xasprintf("the guest has no %s huge pages free for DPDK: raise "
					  "guest.memory or lower `memory`",
					  nr);

	return boot_guest_script(
		run->boot,
		"busybox mkdir -p /dev/hugepages /var/run 2>/dev/null; "
		"echo 1 >/proc/sys/vm/compact_memory; echo $0 >/proc/sys/vm/nr_hugepages; "
		"test $(cat /proc/sys/vm/nr_hugepages) = $0 || exit 1; "
		"busybox grep -q ' /dev/hugepages ' /proc/mounts || "
		"mount -t hugetlbfs hugetlbfs /dev/hugepages",
		nr, failed);
}

/* --- both ends --- */

/* MAC addresses, as text to free; read while the kernel has the NIC. */
struct macs {
	char *guest, *peer;
};

static int read_macs(struct cell_run *run, struct macs *macs)
{
	autofree char *path =
		xasprintf("/sys/class/net/%s/address", peer_interface(run->boot->peer));
	char *const argv[] = { (char *)"cat", path, NULL };
	int ret = guest_read(run->boot->vm->guest, "/sys/class/net/" NET_INTERFACE "/address",
			     &macs->guest);

	if (!ret)
		ret = peer_run(run->boot->peer, argv, 30, &macs->peer);
	if (ret)
		return ret == -EINTR || ret == -ECHILD
			       ? ret
			       : boot_fail(run->boot, -EREMOTEIO,
					   "cannot read the MAC addresses of both ends: %s",
					   macs->peer ? macs->peer : strerror(-ret));
	macs->peer[strcspn(macs->peer, "\n")] = '\0';
	return 0;
}

static void add_common(struct strlist *argv, const struct cell_run *run, const char *role,
		       const char *destination)
{
	const struct settings *settings = run->cell->workload_settings;
	bool echo = !strcmp(role, "echo"), sends = echo || !strcmp(role, "tx");
	double rate = settings_number(settings, "rate");
	double link_wait_s = settings_time(run->cell->device_settings, "link_wait");

	strlist_addf(argv, "--role=%s", role);
	strlist_addf(argv, "--size=%llu", (unsigned long long)settings_count(settings, "size"));
	strlist_addf(argv, "--idle-us=%.0f", settings_time(settings, "idle") * 1e6);
	if (sends)
		strlist_addf(argv, "--dst-mac=%s", destination);
	if (sends && rate > 0)
		strlist_addf(argv, "--rate=%g", rate);
	if (echo && rate <= 0)
		strlist_addf(argv, "--window=%llu",
			     (unsigned long long)settings_count(settings, "window"));
	strlist_addf(argv, "--link-wait=%g", link_wait_s);
	strlist_addf(argv, "--limit=%.0f", 120 + 2 * estimate_s(settings));
}

static int start_guest(struct cell_run *run, const struct macs *macs, struct tool **tool)
{
	const struct settings *settings = run->cell->workload_settings;
	const char *role = settings_text(settings, "role");
	struct strlist argv = { 0 };
	int ret;

	strlist_add(&argv, "pkt");
	add_common(&argv, run,
		   !strcmp(role, "receive")    ? "rx"
		   : !strcmp(role, "transmit") ? "tx"
					       : "forward",
		   macs->peer);
	strlist_addf(&argv, "--descriptors=%llu",
		     (unsigned long long)settings_count(settings, "descriptors"));
	if (host_device(run->boot->host, device_kind(run->cell->device))->within_page)
		strlist_add(&argv, "--within-page");
	if (run->cell->mode->tracks && settings_bool(settings, "registered"))
		strlist_add(&argv, "--register=/dev/coiommu");
	strlist_add(&argv, "--");
	strlist_add(&argv, "--no-telemetry");
	strlist_add(&argv, "--no-shconf");
	strlist_add(&argv, "--huge-unlink");
	strlist_add(&argv, "-l0");
	strlist_addf(&argv, "-m%llu",
		     (unsigned long long)(settings_size(settings, "memory") / MIB));
	strlist_addf(&argv, "--iova-mode=%s", through_vfio(run) ? "va" : "pa");
	strlist_add(&argv, "-a" BOOT_DEVICE_BDF);
	ret = tool_start_guest(run, "pkt-guest", argv.items, tool);
	strlist_free(&argv);
	return ret;
}

/* DPDK would pin itself to CPU 0: on this host it may run where all of the load does. */
static void add_peer_cpus(const struct cell_run *run, struct strlist *argv)
{
	const struct placement *placement = run->boot->placement;
	bool local = !host_device(run->boot->host, device_kind(run->cell->device))->remote;
	autofree char *cpus = NULL;

	if (!local || !placement || !CPU_COUNT(&placement->others)) {
		strlist_add(argv, "-l0");
		return;
	}
	cpus = topology_cpus_text(&placement->others);
	strlist_addf(argv, "--lcores=0@(%s)", cpus);
}

static int start_peer(struct cell_run *run, const struct macs *macs, struct tool **tool)
{
	autofree char *path = peer_tool(run->boot->peer, run->boot->build_dir, "pkt");
	const struct settings *settings = run->cell->workload_settings;
	const char *role = settings_text(settings, "role");
	struct strlist argv = { 0 };
	int ret;

	strlist_add(&argv, path);
	add_common(&argv, run,
		   !strcmp(role, "receive")    ? "tx"
		   : !strcmp(role, "transmit") ? "rx"
					       : "echo",
		   macs->guest);
	strlist_add(&argv, "--");
	strlist_add(&argv, "--no-telemetry");
	strlist_add(&argv, "--no-shconf");
	strlist_add(&argv, "--no-huge");
	strlist_add(&argv, "-m64");
	strlist_add(&argv, "--no-pci");
	add_peer_cpus(run, &argv);
	strlist_addf(&argv, "--vdev=net_af_packet0,iface=%s", peer_interface(run->boot->peer));
	ret = tool_start_peer(run, "pkt-peer", argv.items, tool);
	strlist_free(&argv);
	return ret;
}

/* --- what came of it --- */

static int add_latencies(struct tool *tool, const struct tool_result *result)
{
	static const struct {
		const char *key;
		int metric;
	} wanted[] = { { "lat_p50_s", LAT_P50 },
		       { "lat_p99_s", LAT_P99 },
		       { "lat_p999_s", LAT_P999 },
		       { "lat_max_s", LAT_MAX } };
	int ret = 0;

	for (size_t i = 0; i < ARRAY_SIZE(wanted) && !ret; i++)
		ret = tool_sample(tool, result, wanted[i].key, &metrics[wanted[i].metric]);
	return ret;
}

/* The end that the packets arrive at says how many, and which were missing or damaged. */
static int add_arrivals(struct cell_run *run, struct tool *sink, const struct tool_result *result)
{
	double lost = 0, arrived = 0, corrupt = 0, idle = 0;
	int ret = tool_number(sink, result, "lost", &lost);

	if (!ret)
		ret = tool_number(sink, result, "idle_at_end_s", &idle);
	if (!ret)
		ret = tool_number(sink, result, "rx_packets", &arrived);
	if (!ret)
		ret = tool_number(sink, result, "corrupt", &corrupt);
	if (!ret)
		ret = tool_sample(sink, result, "rx_packets_per_s", &metrics[RATE]);
	if (!ret)
		ret = tool_ops(sink, result, "rx_packets");
	if (ret)
		return ret;
	/* A sink knows of no packet after the last that arrived. */
	if (idle > SILENCE_S)
		return boot_fail(run->boot, -EREMOTEIO,
				 "no packet arrived in the last %.1f s: is the cable plugged in?",
				 idle);
	sample_add(&run->samples, &metrics[LOSS], lost / (lost + arrived));
	sample_add(&run->samples, &metrics[CORRUPT], corrupt);
	if (corrupt > 0)
		cell_invalid(run, "%.0f packets arrived damaged", corrupt);
	return 0;
}

/* Both ends' tools; of a pair that only sends and receives, one of them is the sink. */
struct pair {
	struct tool *guest, *peer;
	struct tool_result of_guest, of_peer;
	bool guest_sends, guest_receives; /* alone: neither is a forwarder */
};

static int add_result(struct cell_run *run, const struct pair *pair)
{
	struct tool *sink = pair->guest_receives ? pair->guest : pair->peer;
	struct tool *source = pair->guest_sends ? pair->guest : pair->peer;
	double rx, tx, window;
	int ret = add_arrivals(run, sink, pair->guest_receives ? &pair->of_guest : &pair->of_peer);

	if (!ret)
		ret = tool_sample(source, pair->guest_sends ? &pair->of_guest : &pair->of_peer,
				  "tx_packets_per_s", &metrics[SENT]);
	if (!ret)
		ret = tool_sample(pair->guest, &pair->of_guest, "memory_bytes", &metrics[MEMORY]);
	if (!ret && !pair->guest_sends && !pair->guest_receives)
		ret = add_latencies(pair->peer, &pair->of_peer);
	if (!ret)
		ret = tool_number(pair->guest, &pair->of_guest, "rx_packets", &rx);
	if (!ret)
		ret = tool_number(pair->guest, &pair->of_guest, "tx_packets", &tx);
	if (!ret)
		ret = tool_number(pair->guest, &pair->of_guest, "window_s", &window);
	if (ret)
		return ret;
	run->device_ops = (uint64_t)((rx + tx) / window * run->counted_s);
	run->bytes = (double)run->device_ops *
		     (double)settings_count(run->cell->workload_settings, "size");
	return 0;
}

/* A sink is there before its source; a peer has its link only when the guest's port is up. */
static int start_both(struct cell_run *run, const struct macs *macs, struct pair *pair)
{
	int ret;

	if (pair->guest_sends) {
		ret = start_peer(run, macs, &pair->peer);
		if (!ret)
			ret = start_guest(run, macs, &pair->guest);
		if (!ret)
			ret = tool_await(pair->guest, "ready", READY_S, NULL);
		return ret ? ret : tool_await(pair->peer, "ready", READY_S, NULL);
	}
	ret = start_guest(run, macs, &pair->guest);
	if (!ret)
		ret = tool_await(pair->guest, "ready", READY_S, NULL);
	if (!ret)
		ret = start_peer(run, macs, &pair->peer);
	return ret ? ret : tool_await(pair->peer, "ready", READY_S, NULL);
}

static int measure_both(struct cell_run *run, struct pair *pair)
{
	bool receives = pair->guest_receives;
	struct tool *const tools[2] = { receives ? pair->peer : pair->guest,
					receives ? pair->guest : pair->peer };
	struct tool_result results[2] = { { 0 } };
	int ret = tool_measure(tools, 2, settings_time(run->cell->workload_settings, "runtime"),
			       results);

	pair->of_guest = results[receives ? 1 : 0];
	pair->of_peer = results[receives ? 0 : 1];
	return ret;
}

static int measure(struct cell_run *run, const struct macs *macs)
{
	const struct settings *settings = run->cell->workload_settings;
	struct pair pair = { .guest_sends = has_role(settings, "transmit"),
			     .guest_receives = has_role(settings, "receive") };
	int ret = start_both(run, macs, &pair);

	if (!ret)
		ret = wait_seconds(&run->boot->vm->waiter, settings_time(settings, "ramp"));
	if (!ret)
		ret = measure_both(run, &pair);
	if (!ret)
		ret = add_result(run, &pair);
	json_decref(pair.of_guest.fields);
	json_decref(pair.of_peer.fields);
	tool_end(pair.peer);
	tool_end(pair.guest);
	return ret;
}

static int run_dpdk(struct cell_run *run)
{
	struct macs macs = { NULL, NULL };
	int ret = read_macs(run, &macs);
	int returned;

	if (!ret)
		ret = reserve_memory(run, run->cell->workload_settings);
	if (!ret)
		ret = take_nic(run);
	if (!ret)
		ret = measure(run, &macs);
	free(macs.guest);
	free(macs.peer);
	if (ret && ret != -EREMOTEIO)
		return ret;
	returned = return_nic(run);
	/* Without its NIC this VM serves no other cell. */
	return returned == -EREMOTEIO ? -EIO : returned ? returned : ret;
}

const struct workload_ops workload_dpdk = {
	.name = "dpdk",
	.help = "DPDK in the guest: receive, transmit or forward packets",
	.needs = DEVICE_NET,
	.except = ATTACH_NO_VM,
	.settings = settings_table,
	.metrics = metrics,
	.validate = validate,
	.unfit = unfit,
	.estimate_s = estimate_s,
	.run = run_dpdk,
};
