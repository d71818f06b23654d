// SPDX-License-Identifier: GPL-2.0-only
/*
 * Bounce buffers: the guest copies all streaming DMA through its swiotlb pool, so that the host
 * need not pin anything else. Plain VFIO in QEMU knows no such limit; coIOMMU's drivers do: they
 * pin what the guest maps, which is slots of the pool and the device's own rings and queues
 * (coherent memory, which is never bounced). Nothing is unpinned: a pool is there to stay.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "bench/coiommu.h"
#include "bench/mode.h"
#include "bench/modes/coiommu.h"
#include "bench/modes/proof.h"
#include "bench/modes/reach.h"
#include "harness/boot.h"
#include "harness/util.h"

#define SLOT_BYTES 2048 /* IO_TLB_SIZE of the kernel */

static const struct setting settings_table[] = {
	{ "pool", SETTING_SIZE, "64MiB", NULL, 4.0 * 1024 * 1024, 4e9,
	  "the guest's swiotlb pool; 64MiB is the kernel's own choice" },
	{ 0 },
};

static void configure(const struct settings *settings, struct vm_config *vm)
{
	coiommu_preload(vm);
	strlist_add(&vm->env, "COIOMMU_UNPIN=off");
	/* Without iommu=soft the kernel does not tell where the pool is. */
	strlist_add(&vm->cmdline, "iommu=soft");
	strlist_addf(&vm->cmdline, "swiotlb=%llu,force",
		     (unsigned long long)settings_size(settings, "pool") / SLOT_BYTES);
}

/* Where the pool lies, by the guest kernel's message, in page frames; it ends before `end`. */
struct pool {
	unsigned long long first, end;
};

static int find_pool(struct boot *boot, struct pool *pool, json_t *proof)
{
	static const char mark[] = "software IO TLB: mapped [mem ";
	char *const argv[] = { (char *)"dmesg", NULL };
	autofree char *text = NULL;
	char *at, *end;
	int ret = guest_run(boot->vm->guest, argv, 30, &text);

	if (ret)
		return ret;
	at = strstr(text, mark);
	json_object_set_new(proof, "guest.swiotlb",
			    at ? json_stringn(at, strcspn(at, "\n")) : json_null());
	if (!at)
		return boot_fail(boot, -EPROTO, "the guest has made no swiotlb pool");
	pool->first = strtoull(at + strlen(mark), &end, 16) / COIOMMU_PAGE_SIZE;
	pool->end = *end == '-' ? strtoull(end + 1, NULL, 16) / COIOMMU_PAGE_SIZE : 0;
	return pool->end > pool->first ? 0 : -EBADMSG;
}

/* Lines "first frame, pages, count, flags" of the guest's tracking table; P: pinned. */
static void add_pinned(const char *table, const struct pool *pool, unsigned long long *inside,
		       unsigned long long *outside)
{
	for (const char *line = table; line && *line; line = strchr(line, '\n')) {
		unsigned long long first, pages;
		char *end;

		line += *line == '\n';
		first = strtoull(line, &end, 16);
		pages = strtoull(end, NULL, 10);
		if (!memchr(line, 'P', strcspn(line, "\n")))
			continue;
		*(first >= pool->first && first + pages <= pool->end ? inside : outside) +=
			pages * COIOMMU_PAGE_SIZE;
	}
}

/* What is pinned besides the pool are rings and queues: little, and never more than the pool. */
static int prove_pool(struct boot *boot, json_t *proof)
{
	unsigned long long inside = 0, outside = 0, size;
	autofree char *table = NULL;
	struct pool pool = { 0 };
	int ret = find_pool(boot, &pool, proof);

	if (!ret)
		ret = guest_read(boot->vm->guest, COIOMMU_DEBUGFS "/table", &table);
	if (ret)
		return ret;
	add_pinned(table, &pool, &inside, &outside);
	size = (pool.end - pool.first) * COIOMMU_PAGE_SIZE;
	json_object_set_new(proof, "guest.pool_bytes", json_integer((json_int_t)size));
	json_object_set_new(proof, "guest.pinned_in_pool_bytes", json_integer((json_int_t)inside));
	json_object_set_new(proof, "guest.pinned_elsewhere_bytes",
			    json_integer((json_int_t)outside));
	if (!inside)
		return boot_fail(boot, -EPROTO,
				 "nothing of the guest's pool is pinned: its DMA is "
				 "not bounced");
	if (inside + outside > size)
		return boot_fail(boot, -EPROTO, "%s are pinned, more than the pool's %s",
				 human_bytes((double)(inside + outside)),
				 human_bytes((double)size));
	return 0;
}

static int prove(struct boot *boot, const struct settings *settings, json_t *proof)
{
	int ret = proof_no_guest_iommu(boot, proof);

	if (!ret)
		ret = coiommu_prove_tracking(boot, proof);
	return ret ? ret : prove_pool(boot, proof);
}

const struct mode_ops mode_bounce = {
	.name = "bounce",
	.help = "all DMA copied through the guest's swiotlb pool; only what was used of it pinned",
	.settings = settings_table,
	.bounces = true,
	.reach = reach_pool, /* the copies; never the page */
	.host_writes = coiommu_host_writes,
	.configure = configure,
	.guest_setup = coiommu_guest_setup,
	.prove = prove,
};
