// SPDX-License-Identifier: GPL-2.0-only
/*
 * Static pinning: an assigned device without any IOMMU in the guest, all of its memory pinned at
 * start. Three kinds of host pages: 4 KiB, transparent huge pages, reserved ones of 2 MiB.
 */
#include <errno.h>
#include <string.h>

#include "bench/mode.h"
#include "bench/modes/proof.h"
#include "bench/modes/reach.h"
#include "harness/boot.h"
#include "harness/journal.h"
#include "harness/placement.h"
#include "harness/proc.h"
#include "harness/util.h"

#define THP "/sys/kernel/mm/transparent_hugepage/enabled"
#define HUGE_PAGE (2 * MIB)

/* What its memory consists of, by the kernel's account of QEMU's process. */
struct page_sizes {
	unsigned long long transparent, reserved;
};

static struct page_sizes read_page_sizes(struct boot *boot, json_t *proof)
{
	pid_t pid = boot->vm->proc.pid;
	struct page_sizes sizes = {
		proc_smaps_bytes(pid, "AnonHugePages"),
		proc_smaps_bytes(pid, "Private_Hugetlb") + proc_smaps_bytes(pid, "Shared_Hugetlb"),
	};

	json_object_set_new(proof, "host.transparent_huge_bytes",
			    json_integer((json_int_t)sizes.transparent));
	json_object_set_new(proof, "host.hugetlb_bytes", json_integer((json_int_t)sizes.reserved));
	return sizes;
}

static int prove_pinned(struct boot *boot, json_t *proof)
{
	unsigned long long pinned = proc_locked_bytes(boot->vm->proc.pid);
	int ret = proof_no_guest_iommu(boot, proof);

	json_object_set_new(proof, "host.pinned_bytes", json_integer((json_int_t)pinned));
	if (!ret && pinned < boot_guest_bytes(boot))
		ret = boot_fail(boot, -EPROTO, "only %s of %s guest memory are pinned",
				human_bytes((double)pinned),
				human_bytes((double)boot_guest_bytes(boot)));
	return ret;
}

static int prove_small(struct boot *boot, const struct settings *settings, json_t *proof)
{
	struct page_sizes sizes = read_page_sizes(boot, proof);

	if (sizes.transparent || sizes.reserved)
		return boot_fail(boot, -EPROTO, "%s of QEMU's memory are in huge pages",
				 human_bytes((double)(sizes.transparent + sizes.reserved)));
	return prove_pinned(boot, proof);
}

/* --- transparent huge pages --- */

/* QEMU advises them for guest memory; where they are off, that is the least that allows it. */
static const struct host_write thp_writes[] = {
	{ THP, "madvise" },
	{ 0 },
};

static int probe_thp(const struct host *host, const struct settings *settings, char **why)
{
	if (file_exists(THP))
		return 0;
	*why = xstrdup("this host's kernel has no transparent huge pages: take one that is built "
		       "with CONFIG_TRANSPARENT_HUGEPAGE");
	return -EOPNOTSUPP;
}

static void configure_thp(const struct settings *settings, struct vm_config *vm)
{
	vm->no_thp = false;
}

/* A host that is short of free runs of memory gives few of them: that is another mode. */
static int prove_thp(struct boot *boot, const struct settings *settings, json_t *proof)
{
	struct page_sizes sizes = read_page_sizes(boot, proof);

	if (sizes.transparent < boot_guest_bytes(boot) / 4 * 3)
		return boot_fail(boot, -EPROTO,
				 "only %s of %s guest memory are in transparent huge pages: the "
				 "host's memory is in pieces; echo 1 > /proc/sys/vm/compact_memory",
				 human_bytes((double)sizes.transparent),
				 human_bytes((double)boot_guest_bytes(boot)));
	return prove_pinned(boot, proof);
}

/* --- reserved huge pages --- */

static char *hugetlb_path(const struct boot *boot, const char *name)
{
	const struct placement *placement = boot->placement;

	if (placement && placement->memory_node >= 0)
		return xasprintf("/sys/devices/system/node/node%d/hugepages/hugepages-2048kB/%s",
				 placement->memory_node, name);
	return xasprintf("/sys/kernel/mm/hugepages/hugepages-2048kB/%s", name);
}

static unsigned long long hugetlb_read(const struct boot *boot, const char *name)
{
	autofree char *path = hugetlb_path(boot, name);
	autofree char *text = file_read_trimmed(path);

	return text ? strtoull(text, NULL, 10) : 0;
}

static int probe_hugetlb(const struct host *host, const struct settings *settings, char **why)
{
	if (file_exists("/sys/kernel/mm/hugepages/hugepages-2048kB"))
		return 0;
	*why = xstrdup("this host's kernel reserves no pages of 2 MiB: take one that is built with "
		       "CONFIG_HUGETLBFS");
	return -EOPNOTSUPP;
}

static void configure_hugetlb(const struct settings *settings, struct vm_config *vm)
{
	vm->hugetlb = true;
}

/* As many as are missing for all VMs of the cell; the kernel may find fewer than it is asked for,
 * without an error. */
static int reserve(struct boot *boot, const struct settings *settings)
{
	unsigned long long need = (boot_all_bytes(boot) + HUGE_PAGE - 1) / HUGE_PAGE;
	unsigned long long unused = hugetlb_read(boot, "free_hugepages");
	autofree char *path = hugetlb_path(boot, "nr_hugepages"), *count = NULL;
	int ret;

	if (unused >= need)
		return 0;
	count = xasprintf("%llu", hugetlb_read(boot, "nr_hugepages") + need - unused);
	ret = journal_write(boot->journal, path, count);
	if (ret)
		return boot_fail(boot, ret, "cannot reserve huge pages: %s", strerror(-ret));
	unused = hugetlb_read(boot, "free_hugepages");
	if (unused < need)
		return boot_fail(boot, -ENOMEM,
				 "the host has only %llu of %llu huge pages for the guest: free "
				 "memory, or reserve them at the host's start (hugepages=%llu)",
				 unused, need, need);
	return 0;
}

/* The next boot's guest may need that memory in small pages. */
static void unreserve(struct boot *boot)
{
	autofree char *path = hugetlb_path(boot, "nr_hugepages");

	journal_put_back(boot->journal, path);
}

static int prove_hugetlb(struct boot *boot, const struct settings *settings, json_t *proof)
{
	struct page_sizes sizes = read_page_sizes(boot, proof);

	if (sizes.reserved < boot_guest_bytes(boot))
		return boot_fail(boot, -EPROTO, "only %s of %s guest memory are in reserved pages",
				 human_bytes((double)sizes.reserved),
				 human_bytes((double)boot_guest_bytes(boot)));
	return prove_pinned(boot, proof);
}

const struct mode_ops mode_static = {
	.name = "static",
	.help = "no vIOMMU: all guest memory pinned at start, 4 KiB pages",
	.reach = reach_all,
	.prove = prove_small,
};

const struct mode_ops mode_static_thp = {
	.name = "static-thp",
	.help = "no vIOMMU: all guest memory pinned at start, transparent huge pages",
	.reach = reach_all,
	.host_writes = thp_writes,
	.probe = probe_thp,
	.configure = configure_thp,
	.prove = prove_thp,
};

const struct mode_ops mode_static_hugetlb = {
	.name = "static-hugetlb",
	.help = "no vIOMMU: all guest memory pinned at start, reserved pages of 2 MiB",
	.hugetlb = true,
	.reach = reach_all,
	.host_change = "as many pages of 2 MiB as the guest's memory needs",
	.probe = probe_hugetlb,
	.host_setup = reserve,
	.host_restore = unreserve,
	.configure = configure_hugetlb,
	.prove = prove_hugetlb,
};
