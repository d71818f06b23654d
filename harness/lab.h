/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The virtual lab: an emulated host with an IOMMU and devices to assign, whose root is this
 * machine's own, read-only. What runs in it runs this very binary.
 */
#ifndef HARNESS_LAB_H
#define HARNESS_LAB_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "harness/vm.h"

struct lab_options {
	const char *build_dir, *scripts_dir;
	uint64_t guest_bytes; /* memory of the guests that are to run in it */
	unsigned int guest_cpus;
	const char *results_dir; /* appears in the lab as LAB_OUT/NAME; NULL: none */
	bool console;		 /* hvc0 is our terminal */
};

/* Paths inside of the lab. */
#define LAB_RUN "/run/iommubench"
#define LAB_OUT LAB_RUN "/out"
#define LAB_HOST_FILE LAB_RUN "/lab/host.yaml"

/* The lab's devices that are there to be assigned, and the port at the other end of the NIC. */
#define LAB_NVME "0000:00:10.0"
#define LAB_NIC "0000:01:00.0"
#define LAB_PEER "0000:02:00.0"
#define LAB_GPU "0000:03:00.0"
#define LAB_EDU "0000:00:14.0"

/* What its GPU's host_command runs, and which figures it finds there, in frames/s. */
#define LAB_GPU_RUN                                                                   \
	"for turn in 1 2 3; do kms --device=$GPU --width=640 --height=480 --fill=20 " \
	"--frames=40 --limit=120 || exit; done"
#define LAB_GPU_SCORE "\"frames_per_s\":([0-9.]+)"
#define LAB_GPU_UNIT "frames/s"

struct lab {
	struct vm *vm;
	char *dir;	  /* its files on this machine, removed at the end */
	const char *kind; /* lab-kvm or lab-tcg */
	uint64_t memory_bytes;
	unsigned int cpus;
};

/*
 * Does this machine's KVM really boot a guest, one that could run KVM itself? Tried with a
 * probe guest, 10 s at most: /dev/kvm may be there and still never boot a kernel. That it failed
 * is kept for an hour in build_dir/no-kvm.
 */
bool lab_kvm_works(const char *build_dir);

/*
 * Boots the lab and prepares it. A start that stalls is tried once more. 0, -ENOMEM (this
 * machine is too small: logged with what is needed), -EINTR, or -errno, logged.
 */
int lab_start(const struct lab_options *options, struct lab **out);
void lab_stop(struct lab *lab);

/* Path in the lab of a results directory given as results_dir, to free. */
char *lab_results_path(const char *results_dir);

/* For the record: what the lab is made of and runs on. New reference. */
json_t *lab_describe(const struct lab *lab);

/*
 * Runs a command in the lab, its output going to ours as it comes. While it runs, the lab is asked
 * now and then whether it is alive. 0 with *status as from waitpid(); -ETIMEDOUT when
 * the lab has stalled; -ECONNABORTED when its emulator has crashed (logged); -EINTR after the
 * command has been asked to end and has; -ECHILD when the lab has ended otherwise (logged).
 */
int lab_run(struct lab *lab, char *const argv[], int *status);

/*
 * The `lab` command: a shell in the lab, or a command with its exit status, in a lab with room
 * for guests of so many vCPUs. An exit code.
 */
int lab_command(const char *build_dir, const char *scripts_dir, unsigned int guest_cpus,
		char *const argv[]);

#endif
