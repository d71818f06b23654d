/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A virtual machine: QEMU's command line, its process, its control channel and the agent in
 * it. Measured guests and the virtual lab are both one of these.
 */
#ifndef HARNESS_VM_H
#define HARNESS_VM_H

#include <stdbool.h>
#include <stdint.h>

#include "harness/guest.h"
#include "harness/proc.h"
#include "harness/qmp.h"
#include "harness/util.h"
#include "harness/wait.h"

struct guest_files;

struct vm_config {
	const char *accel;     /* QEMU's -accel: "kvm", "tcg,thread=multi" */
	const char *cpu;       /* QEMU's -cpu */
	const char *firmware;  /* QEMU's -bios; NULL: QEMU's own choice */
	const char *build_dir; /* where modes find what they add; a measured guest's only */
	const struct guest_files *files; /* chosen in place of the build's; NULL: none */
	uint64_t memory_bytes;
	unsigned int cpus;
	char *qemu;		  /* path, owned; NULL: the one that is installed */
	char *kernel, *initrd;	  /* paths, owned */
	char *root;		  /* image of the root file system, owned; NULL: none */
	char *backend;		  /* path of coIOMMU's library, owned; a measured guest's only */
	struct strlist args;	  /* QEMU arguments after the machine's own */
	struct strlist cmdline;	  /* kernel arguments */
	struct strlist env;	  /* NAME=VALUE for QEMU's environment */
	const char *cgroup;	  /* that QEMU joins; NULL: ours */
	uint64_t pin_bytes;	  /* most memory that QEMU may pin; 0: no limit */
	const char *vfio_options; /* of an assigned device, after a comma; NULL: none */
	bool no_thp;		  /* no transparent huge pages */
	bool hugetlb;		  /* guest memory in reserved pages of 2 MiB */
	bool bind_memory;	  /* ... and from memory_node only */
	int memory_node;
	bool console_on_terminal; /* hvc0 is our standard input and output (interactive lab) */
};
void vm_config_free(struct vm_config *config);

/* Whose images a measured guest can have: "" (the distribution's kernel) or "-newer". */
void vm_config_images(struct vm_config *config, const char *which);

/*
 * A measured guest's machine with the images found in build_dir, but for what files names, if not
 * NULL (0, or -ENOENT with the remedy logged). Modes and devices add to it.
 */
int vm_config_guest(const char *build_dir, const struct guest_files *files, uint64_t memory_bytes,
		    unsigned int cpus, struct vm_config *config);

/* QEMU's complete command line as one shell-quoted line, to free: for --dry-run and records. */
char *vm_command_line(const struct vm_config *config, const char *dir);

struct vm {
	struct proc proc;
	struct qmp *qmp;
	struct guest *guest;
	struct waiter waiter; /* of all waits for this VM; the owner may set its tick */
	int qmp_fd, agent_fd;
	int status; /* as from waitpid(), once it has ended */
	bool ended;
	uint64_t started_ns, created_ns, ready_ns; /* CLOCK_MONOTONIC; 0: not yet */
	uint64_t guest_uptime_ns;		   /* the guest kernel's age when it became ready */
	char *dir;
};

/*
 * Starts QEMU with its vCPUs stopped; dir gets command.txt, console.log and qemu.log. The
 * steps of its life are calls of their own, so that each can be measured and bounded:
 * vm_await_created() (machine complete: memory allocated, VFIO mappings made), vm_run()
 * (vCPUs go), vm_await_ready() (the agent answers). 0, -ETIMEDOUT, -EINTR, -ECHILD (QEMU has
 * ended: vm_why_ended()) or another -errno. vm_stop() is to be called after any of them.
 */
int vm_start(const struct vm_config *config, const char *dir, struct vm **out);
/*
 * No VM at all: the agent as a process of this machine, in that network namespace (NULL: ours),
 * which dies with us and takes along what it runs. vm_await_ready() and vm_stop() are for it, too;
 * it has no monitor.
 */
int vm_start_agent(const char *build_dir, const char *netns, const char *dir, struct vm **out);
int vm_await_created(struct vm *vm, double timeout_s);
int vm_run(struct vm *vm);
int vm_await_ready(struct vm *vm, double timeout_s);

/* Why QEMU is gone, for a message: its status and its last words. To free. */
char *vm_why_ended(struct vm *vm);

/* Whether QEMU has ended by a bug of its own (an assertion, a wild pointer), not by anybody's will.
 */
bool vm_crashed(struct vm *vm);
/* The end of the console, for a message; empty if there is nothing. To free. */
char *vm_console_tail(const struct vm *vm);

/*
 * Ends it: asks the guest if orderly is set, then QEMU, then kills; waits until it is gone
 * (at most about 30 s) and frees everything. Not interruptible. NULL is fine.
 */
void vm_stop(struct vm *vm, bool orderly);

#endif
