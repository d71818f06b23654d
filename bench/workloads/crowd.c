// SPDX-License-Identifier: GPL-2.0-only
/* VMs that share a memory cgroup. */
#include "bench/workloads/crowd.h"

#include <errno.h>
#include <string.h>

#include "harness/cgroup.h"
#include "harness/log.h"
#include "harness/sibling.h"
#include "harness/util.h"

#define GUEST_S 300.0 /* for what a guest does under memory pressure */

/*
 * When memory runs out, the kernel is to end the newcomer, and none that runs
 * (Documentation/filesystems/proc.rst, oom_score_adj).
 */
enum { OOM_AS_OTHERS = 0, OOM_FIRST = 1000 };

/* --- one VM --- */

static int fill_memory(const struct crowd *crowd, const struct boot *boot)
{
	static const char script[] =
		"busybox mkdir /tmp/fill && mount -t tmpfs -o size=95% fill /tmp/fill && "
		"busybox dd if=/dev/urandom of=/tmp/fill/data bs=1M count=$0 2>/dev/null && "
		"busybox md5sum /tmp/fill/data >/tmp/fill/sum";
	uint64_t bytes = boot_guest_bytes(boot) / 100 * crowd->fill;
	autofree char *mib = xasprintf("%llu", (unsigned long long)(bytes / MIB));
	char *const argv[] = { (char *)"sh", (char *)"-c", (char *)script, mib, NULL };

	return guest_run(boot->vm->guest, argv, GUEST_S, NULL);
}

/* By the VMs that run. */
uint64_t crowd_pinned_bytes(const struct crowd *crowd)
{
	uint64_t pinned = 0;

	for (unsigned int i = 0; i < crowd->nr; i++)
		if (!crowd->members[i].lost)
			pinned += proc_locked_bytes(crowd->members[i].boot->vm->proc.pid);
	return pinned;
}

/* The newcomer may pin what the others leave: VFIO refuses it more (RLIMIT_MEMLOCK). */
static uint64_t pins_left(const struct crowd *crowd)
{
	uint64_t limit = crowd->pin_limit, pinned = crowd_pinned_bytes(crowd);

	return pinned < limit ? limit - pinned : 1;
}

static int start_member(struct crowd *crowd, unsigned int index)
{
	struct crowd_member *member = &crowd->members[index];
	autofree char *dir = xasprintf("%s/vm-%u", crowd->run->dir, index);
	int ret = sibling_launch(crowd->run->boot, index, dir, pins_left(crowd), &member->sibling);

	if (!ret) {
		proc_set_oom_score(member->sibling->boot.vm->proc.pid, OOM_FIRST);
		ret = sibling_await(member->sibling);
	}
	if (!ret)
		ret = fill_memory(crowd, &member->sibling->boot);
	if (ret)
		return ret;
	proc_set_oom_score(member->sibling->boot.vm->proc.pid, OOM_AS_OTHERS);
	member->boot = &member->sibling->boot;
	return 0;
}

uint64_t crowd_kills(const struct crowd *crowd)
{
	uint64_t nr = 0;

	cgroup_read(crowd->run->boot->cgroup, "memory.events", "oom_kill", &nr);
	return nr;
}

/* Ends a VM that did not come up, until its memory is free again: the others may need it. */
static int end_newcomer(struct crowd *crowd, unsigned int index)
{
	struct crowd_member *member = &crowd->members[index];
	const struct vm *vm = member->sibling->boot.vm;
	pid_t pid = vm ? vm->proc.pid : 0;
	uint64_t deadline = deadline_in(GUEST_S);
	int ret = 0;

	sibling_stop(member->sibling);
	member->sibling = NULL;
	while (!ret && pid > 0 && cgroup_has(crowd->run->boot->cgroup, pid)) {
		if (now_ns() > deadline)
			return boot_fail(crowd->run->boot, -ETIMEDOUT,
					 "VM %u does not end: it is stuck in the kernel", index);
		ret = wait_seconds(&crowd->run->boot->vm->waiter, 0.2);
	}
	return ret;
}

/* Only for want of memory is it one VM less; all else is a failure. */
static int judge_failed_start(struct crowd *crowd, unsigned int index, int err, bool no_memory)
{
	struct sibling *sibling = crowd->members[index].sibling;
	const char *reason = sibling->boot.reason ? sibling->boot.reason : strerror(-err);
	int ret;

	strbuf_addf(&crowd->notes, "vm %u: did not come up%s: %s\n", index,
		    no_memory ? " for want of memory" : "", reason);
	if (no_memory) {
		log_info("VM %u does not come up for want of memory", index);
		err = 0;
	} else {
		boot_fail(crowd->run->boot, err, "VM %u: %s", index, reason);
	}
	ret = end_newcomer(crowd, index);
	return err ? err : ret;
}

/* Did VFIO refuse to pin so much, or the kernel end it? */
static bool wants_memory(const struct crowd *crowd, uint64_t kills)
{
	const struct vm *vm = crowd->members[crowd->nr].sibling->boot.vm;
	autofree char *path = vm ? xasprintf("%s/qemu.log", vm->dir) : NULL;
	autofree char *log = path ? file_read(path, NULL) : NULL;

	/* "VFIO_MAP_DMA failed: Cannot allocate memory" */
	return crowd_kills(crowd) > kills || (log && strstr(log, strerror(ENOMEM)));
}

/* One after the other, until one does not come up. */
static int start_members(struct crowd *crowd)
{
	while (crowd->nr < crowd->wanted) {
		uint64_t kills = crowd_kills(crowd);
		int ret = start_member(crowd, crowd->nr);

		if (ret)
			return judge_failed_start(crowd, crowd->nr, ret,
						  ret != -EINTR && wants_memory(crowd, kills));
		strbuf_addf(&crowd->notes, "vm %u: up\n", crowd->nr++);
	}
	return 0;
}

int crowd_start(struct crowd *crowd)
{
	int ret;

	crowd->nr = 1;
	crowd->members[0].boot = crowd->run->boot;
	strbuf_addf(&crowd->notes, "vm 0: up\n");
	ret = fill_memory(crowd, crowd->run->boot);
	return ret ? ret : start_members(crowd);
}

void crowd_end(struct crowd *crowd)
{
	for (unsigned int i = 1; i < crowd->nr; i++)
		sibling_stop(crowd->members[i].sibling);
	free(crowd->notes.data);
}

/* --- all at once --- */

/* A VM that is lost goes no further; the boot's own takes the boot with it. */
static int lose(struct crowd *crowd, unsigned int index, int err)
{
	struct crowd_member *member = &crowd->members[index];

	if (!index || err == -EINTR)
		return err;
	member->lost = true;
	strbuf_addf(&crowd->notes, "vm %u: lost while it worked: %s\n", index, strerror(-err));
	return 0;
}

int crowd_command(struct crowd *crowd, char *const argv[])
{
	int ret = 0;

	for (unsigned int i = 0; i < crowd->nr && !ret; i++) {
		struct crowd_member *member = &crowd->members[i];

		if (member->lost)
			continue;
		ret = guest_start(member->boot->vm->guest, argv, 0, NULL, NULL, &member->job);
		if (ret)
			ret = lose(crowd, i, ret);
	}
	return ret;
}

int crowd_await(struct crowd *crowd, crowd_use_fn *use, void *data)
{
	int ret = 0;

	for (unsigned int i = 0; i < crowd->nr && !ret; i++) {
		struct crowd_member *member = &crowd->members[i];
		struct guest_result result = { 0 };

		if (member->lost)
			continue;
		ret = guest_wait(member->boot->vm->guest, member->job, GUEST_S, &result);
		ret = ret ? lose(crowd, i, ret) : use(data, i, &result);
		guest_result_free(&result);
	}
	return ret;
}

int crowd_check_memory(struct crowd *crowd)
{
	char *const argv[] = { (char *)"busybox", (char *)"md5sum",	   (char *)"-c",
			       (char *)"-s",	  (char *)"/tmp/fill/sum", NULL };

	return crowd_command(crowd, argv);
}

unsigned int crowd_lost(const struct crowd *crowd)
{
	unsigned int lost = 0;

	for (unsigned int i = 0; i < crowd->nr; i++)
		lost += crowd->members[i].lost;
	return lost;
}
