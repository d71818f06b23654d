// SPDX-License-Identifier: GPL-2.0-only
/*
 * Runs inside of the virtual lab: the life of coIOMMU's guest driver beside its device's.
 * Unloading, loading in the wrong order, a device that goes and comes back, a machine reset:
 * after each, what guest, backend and VFIO hold must agree. Prints "ok" or "not ok" lines.
 * Usage: lab_life BUILD_DIR HOST_FILE WORK_DIR
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "bench/coiommu.h"
#include "bench/registry.h"
#include "harness/boot.h"
#include "harness/journal.h"
#include "harness/proc.h"
#include "harness/run.h"
#include "harness/util.h"

/* modprobe -r fails where a module that nvme needs has another user. */
#define UNLOAD "modprobe -r nvme; modprobe -r coiommu"
/* The driver probes on its own time. */
#define AWAIT_DISK                            \
	" && for i in $(busybox seq 60); do " \
	"cat /sys/block/nvme0n1/size >/dev/null 2>&1 && break; sleep 0.5; done"
#define DEVICE "/sys/bus/pci/devices/" BOOT_DEVICE_BDF

static unsigned int failures;

static void check(bool good, const char *name)
{
	printf("%sok %s\n", good ? "" : "not ", name);
	fflush(stdout);
	failures += !good;
}

/* --- the guest --- */

static int shell(struct boot *boot, const char *command)
{
	char *const argv[] = { (char *)"sh", (char *)"-c", (char *)command, NULL };

	return guest_run(boot->vm->guest, argv, 60, NULL);
}

static bool guest_says(struct boot *boot, const char *path, const char *wanted)
{
	autofree char *text = NULL;

	return !guest_read(boot->vm->guest, path, &text) && strstr(text, wanted);
}

static bool tracked(struct boot *boot)
{
	return guest_says(boot, COIOMMU_DEBUGFS "/devices", BOOT_DEVICE_BDF " bound tracked");
}

static bool reads_data(struct boot *boot)
{
	return !shell(boot, "busybox dd if=/dev/nvme0n1 of=/dev/null bs=64k count=16 iflag=direct");
}

/* --- the host --- */

static unsigned long long locked(const struct boot *boot)
{
	return proc_locked_bytes(boot->vm->proc.pid);
}

/* All of it, and nothing but what the backend says. */
static bool agrees(const struct boot *boot, const struct coiommu_counters *counters)
{
	unsigned long long pinned = counters->policy.pinned_pages * COIOMMU_PAGE_SIZE;

	return locked(boot) >= pinned && locked(boot) <= pinned + MIB;
}

/* --- the stories --- */

static void unloading(struct boot *boot, const struct coiommu_counters *counters)
{
	check(shell(boot, "modprobe -r coiommu 2>&1") != 0,
	      "the driver stays while a device is bound");
	check(tracked(boot), "and still tracks it");
	check(!shell(boot, UNLOAD), "the driver unloads when no device is bound");
	check(!counters->policy.pinned_pages && locked(boot) < MIB,
	      "unloading it releases every pin");
	check(counters->state == COIOMMU_STATE_WAITING && counters->deactivations == 1,
	      "the backend waits for another driver");
	check(!shell(boot, "modprobe coiommu && modprobe nvme" AWAIT_DISK) && tracked(boot) &&
		      reads_data(boot) && agrees(boot, counters),
	      "loaded again, it tracks the device, which reads data");
}

static void hotplug(struct boot *boot, const struct coiommu_counters *counters)
{
	check(!guest_write(boot->vm->guest, DEVICE "/remove", "1") &&
		      !guest_says(boot, COIOMMU_DEBUGFS "/devices", BOOT_DEVICE_BDF),
	      "a removed device is tracked no more");
	check(guest_says(boot, COIOMMU_DEBUGFS "/stats", "mapped_pages 0"),
	      "nothing stays mapped for it");
	check(!guest_write(boot->vm->guest, "/sys/bus/pci/rescan", "1") &&
		      !shell(boot, "true" AWAIT_DISK) && tracked(boot),
	      "a device that appears later is tracked");
	check(reads_data(boot) && agrees(boot, counters), "and reads data");
}

/* The machine's memory starts anew: no pin may be left of what the old kernel mapped. */
static void reset(struct boot *boot, const struct coiommu_counters *counters)
{
	int ret = qmp_command(boot->vm->qmp, "set-action", json_pack("{s:s}", "reboot", "reset"),
			      10, NULL);

	if (!ret)
		ret = qmp_command(boot->vm->qmp, "system_reset", NULL, 10, NULL);
	for (int i = 0; !ret && !counters->vm_resets && i < 100; i++)
		ret = wait_seconds(&boot->vm->waiter, 0.1);
	check(!ret && counters->vm_resets == 1, "the backend notices a machine reset");
	check(counters->state == COIOMMU_STATE_WAITING && !counters->policy.pinned_pages &&
		      locked(boot) < MIB,
	      "a machine reset releases every pin");
}

/* All memory is pinned while there is no driver: here a device works without it. */
static void wrong_order(struct boot *boot, const struct coiommu_counters *counters)
{
	unsigned long long memory = boot->guest_config->memory_bytes;

	check(!counters->static_bytes && locked(boot) < memory / 4,
	      "before: static: an active driver leaves only what is mapped pinned");
	check(!shell(boot, UNLOAD) && locked(boot) >= memory,
	      "before: static: without the driver all memory is pinned");
	check(!shell(boot, "modprobe nvme" AWAIT_DISK) && reads_data(boot),
	      "before: static: the device works without the driver");
	check(shell(boot, "modprobe coiommu 2>&1") != 0,
	      "the driver refuses to load after a device's driver");
	check(reads_data(boot) && locked(boot) >= memory, "and does no harm");
	check(!shell(boot, "modprobe -r nvme; modprobe coiommu && modprobe nvme" AWAIT_DISK) &&
		      tracked(boot) && reads_data(boot) && agrees(boot, counters),
	      "in the right order it loads and tracks");
}

/* --- running them --- */

static int run_stories(struct cell_run *run)
{
	struct boot *boot = run->boot;
	const struct coiommu_counters *counters = coiommu_counters_map(boot->vm->proc.pid);

	check(counters != NULL, "QEMU has a backend");
	if (!counters)
		return 0;
	if (!strcmp(settings_text(run->cell->mode_settings, "before"), "static")) {
		wrong_order(boot, counters);
	} else {
		unloading(boot, counters);
		hotplug(boot, counters);
		reset(boot, counters);
	}
	coiommu_counters_unmap(counters);
	/* What the metrics would read may have gone with the guest that was. */
	return -EOWNERDEAD;
}

static double estimate_s(const struct settings *settings)
{
	return 30;
}

static const struct workload_ops workload = {
	.name = "life",
	.help = "the life of the guest driver",
	.needs = DEVICE_ANY,
	.estimate_s = estimate_s,
	.run = run_stories,
};

static void live(const struct host *host, struct journal *journal, const char *build_dir,
		 const char *dir, const char *before)
{
	const struct guest_config guest = { .memory_bytes = 256 * MIB, .cpus = 1 };
	struct settings *settings = settings_new(registry_mode("coiommu")->settings);
	autofree char *why = NULL, *boot_dir = xasprintf("%s/%s", dir, before);
	struct cell cell = { .id = (char *)"life",
			     .mode = registry_mode("coiommu"),
			     .device = registry_device("nvme"),
			     .workload = &workload,
			     .mode_settings = settings };
	struct cell_run run = { .cell = &cell, .dir = boot_dir };
	struct boot boot = { .host = host,
			     .journal = journal,
			     .build_dir = build_dir,
			     .guest_config = &guest,
			     .cell = &cell };

	if (settings_set(settings, "before", before, &why) || mkdir_all(boot_dir)) {
		check(false, why ? why : boot_dir);
	} else {
		boot_live(&boot, boot_dir, &run, 1);
		bool expected = boot.reason && strstr(boot.reason, strerror(EOWNERDEAD));

		check(expected, expected      ? "the VM lives to the end of its story"
				: boot.reason ? boot.reason
					      : "it ended without its story");
	}
	json_decref(boot.proof);
	free(boot.reason);
	free(run.reason);
	sample_set_free(&run.samples);
	settings_free(settings);
}

int main(int argc, char **argv)
{
	struct journal *journal;
	struct host *host;

	if (argc != 4) {
		fprintf(stderr, "usage: %s BUILD_DIR HOST_FILE WORK_DIR\n", argv[0]);
		return 2;
	}
	wait_init();
	if (host_load(argv[2], &host) || journal_open(JOURNAL_DIR, 0, &journal))
		return 3;
	live(host, journal, argv[1], argv[3], "refuse");
	live(host, journal, argv[1], argv[3], "static");
	check(!journal_close(journal), "the host is put back");
	host_free(host);
	return failures > 0;
}
