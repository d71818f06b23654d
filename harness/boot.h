/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One life of a measured VM: what plug-ins get to see of it, and the function that takes it
 * from the host's preparation to its end.
 */
#ifndef HARNESS_BOOT_H
#define HARNESS_BOOT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "bench/metric.h"
#include "harness/config.h"
#include "harness/plan.h"
#include "harness/samples.h"
#include "harness/vm.h"

struct journal;
struct peer;
struct placement;

/* Where the measured guest finds the device under test. */
#define BOOT_DEVICE_SLOT "0x10"
#define BOOT_DEVICE_BDF "0000:00:10.0"

struct metric_source {
	const struct metric_ops *ops;
	void *priv;
};

struct boot {
	const struct host *host;
	struct journal *journal;
	const char *build_dir;
	const struct guest_config *guest_config;
	const struct placement *placement; /* of the device; NULL: all is left to the kernel */
	const struct cell *cell; /* the first cell it serves: its mode and device are the VM's */
	struct vm *vm;		 /* NULL before the start and after the end */
	char *cgroup;		 /* that QEMU joins, or NULL; set by a workload's host_setup */
	uint64_t pin_bytes;	 /* most memory that QEMU may pin; 0: no limit; set like it */
	uint64_t started_ns;	 /* of QEMU, CLOCK_MONOTONIC; 0: not yet, or no VM */
	char disk[32];		 /* a block device's name for the workload, by its guest_setup */
	const char *netns;	 /* without a VM: where the workload runs, by the device; or NULL */
	struct peer *peer;	 /* the other end of a NIC's cable, if the device has one */
	json_t *proof;		 /* what was read back of the mode */
	char *reason;		 /* why it failed or is invalid; the first one is kept */
	bool timed_out;		 /* it failed because something did not answer in time */
	struct metric_source *sources;
	size_t nr_sources;
};

enum boot_status { BOOT_OK, BOOT_FAILED, BOOT_INVALID, BOOT_INTERRUPTED };

/* One cell's part of a boot. */
struct cell_run {
	struct boot *boot;
	const struct cell *cell;
	char *dir; /* results/RUN/cells/CELL/BOOT */
	struct sample_set samples;
	enum boot_status status;
	char *reason;
	uint64_t begin_ns, end_ns; /* the measured window, CLOCK_MONOTONIC */
	/*
	 * Operations within it, 0: not counted. The device's own, unless the workload puts its
	 * own there (transactions); device_ops stay what the device counted.
	 */
	uint64_t ops, device_ops;
	/* Seconds between the two readings of the counters that operations are set against. */
	double counted_s;
	double bytes; /* moved in the window by workloads that are about bytes, else 0 */
};

/* Memory of its guest, and of the guests of all its cell's VMs on the host. */
uint64_t boot_guest_bytes(const struct boot *boot);
uint64_t boot_all_bytes(const struct boot *boot);

/* Notes why, unless a reason is there already, and returns err: return boot_fail(...). */
__attribute__((format(printf, 3, 4))) int boot_fail(struct boot *boot, int err, const char *fmt,
						    ...);
/*
 * Runs a shell script in the guest with arg as $0, a minute at most. One that fails is -EREMOTEIO
 * with `failed` as the boot's reason.
 */
int boot_guest_script(struct boot *boot, const char *script, const char *arg, const char *failed);
/* The cell's data cannot be trusted: its boot is invalid with this reason. */
__attribute__((format(printf, 2, 3))) void cell_invalid(struct cell_run *run, const char *fmt, ...);

/* Bracket the steady part of a workload. 0 or -errno. */
int measure_begin(struct cell_run *run);
int measure_end(struct cell_run *run);
/* For workloads whose steady part is the boot itself: the window is start to ready. */
void measure_boot(struct cell_run *run);

/*
 * Keeps a tool's output as it came, in the cell's folder. 0 or -errno with a logged reason.
 */
int cell_save(const struct cell_run *run, const char *name, const char *data, size_t len);

/*
 * The VM's configuration for a cell, complete: images, mode and device. 0 or -errno. Also
 * what --dry-run shows. placement: the device's, or NULL.
 */
int boot_config(const char *build_dir, const struct host *host, const struct guest_config *guest,
		const struct placement *placement, const struct cell *cell,
		struct vm_config *config);

/*
 * A VM's first steps, for what starts more VMs than the boot's own: its device taken from the host,
 * which the boot has made ready for the mode, and QEMU started; the VM created; then, that first if
 * need be, its guest and device up and its mode proven. 0 or -errno with boot->reason. The boot has
 * its first six fields set, and a proof; vm_stop() afterwards.
 */
int boot_prepare_device(struct boot *boot);
int boot_launch(struct boot *boot, const char *dir);
int boot_await_created(struct boot *boot);
int boot_await(struct boot *boot);

/*
 * Lives one VM life: boot has its first six fields set, runs (nr of them) have cell and dir.
 * Each run gets status, reason, samples and window; the VM and all sources are gone
 * afterwards. With nr 0 (a warm-up) the VM only comes up, with files in dir.
 */
enum boot_status boot_live(struct boot *boot, const char *dir, struct cell_run *runs, size_t nr);

/* Expected seconds of the life of a VM of so much memory without its workloads. */
double boot_estimate_s(const struct host *host, uint64_t memory_bytes);

#endif
