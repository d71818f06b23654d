// SPDX-License-Identifier: GPL-2.0-only
/*
 * Asking the host. A request is written into the CPU's own page and rung with interrupts off.
 * The host answers before the port write completes, so there is no lock and no waiting, and a
 * request cannot be interrupted half way.
 */
#include <linux/io.h>
#include <linux/ktime.h>

#include "coiommu_count.h"
#include "coiommu_trace.h"

static u32 ring(struct coiommu_request *request)
{
	request->status = COIOMMU_PENDING;
	/* The host reads and writes the page within outl(), which is no barrier to the compiler. */
	barrier();
	outl(virt_to_phys(request) >> PAGE_SHIFT, COIOMMU_PORT + COIOMMU_REG_REQUEST);
	barrier();
	return READ_ONCE(request->status);
}

void coiommu_batch_flush(struct coiommu_batch *b)
{
	struct coiommu_cpu *cpu = this_cpu_ptr(&coiommu_cpus);
	struct coiommu_stats *stats = &cpu->stats;
	u64 start, ns;
	u32 status;

	if (!b->nr)
		return;
	cpu->request->op = COIOMMU_OP_PIN;
	cpu->request->nr = b->nr;
	cpu->request->arg[COIOMMU_PIN_ARG_CPU] = smp_processor_id();
	start = ktime_get_ns();
	status = ring(cpu->request);
	ns = ktime_get_ns() - start;
	stats->requests++;
	stats->request_entries += b->nr;
	stats->request_pages += b->pages;
	stats->request_ns += ns;
	cpu->latency[coiommu_histogram_bucket(ns)]++;
	trace_coiommu_request(b->nr, b->pages, status, ns);
	b->nr = 0;
	b->pages = 0;
}

static void batch_add(struct coiommu_batch *b, u64 pfn)
{
	u64 *entry = this_cpu_ptr(&coiommu_cpus)->request->entry;

	if (coiommu_batch_add(b, entry, pfn))
		return;
	coiommu_batch_flush(b);
	coiommu_batch_add(b, entry, pfn);
}

void coiommu_batch_add_unpinned(struct coiommu_batch *b, struct pages p)
{
	u64 i;

	for (i = 0; i < p.nr; i++) {
		if (!page_is_pinned(p.pfn + i))
			batch_add(b, p.pfn + i);
	}
}

u32 coiommu_command(u32 op, u64 *arg)
{
	struct coiommu_request *request;
	unsigned long flags;
	u32 status;

	local_irq_save(flags);
	request = this_cpu_ptr(&coiommu_cpus)->request;
	request->op = op;
	request->nr = 0;
	if (arg)
		memcpy(request->arg, arg, sizeof(request->arg));
	status = ring(request);
	if (arg)
		memcpy(arg, request->arg, sizeof(request->arg));
	local_irq_restore(flags);
	return status;
}

int coiommu_query_devices(u64 *ids, int max)
{
	struct coiommu_request *request;
	unsigned long flags;
	int nr = -ENODEV;

	local_irq_save(flags);
	request = this_cpu_ptr(&coiommu_cpus)->request;
	request->op = COIOMMU_OP_DEVICES;
	request->nr = 0;
	if (ring(request) == COIOMMU_OK) {
		nr = min3((int)request->done, max, (int)COIOMMU_REQUEST_ENTRIES);
		memcpy(ids, request->entry, nr * sizeof(*ids));
	}
	local_irq_restore(flags);
	return nr;
}

void coiommu_release(u64 pfn, u64 nr)
{
	struct coiommu_request *request;
	unsigned long flags;

	while (nr) {
		u64 run = min_t(u64, nr, COIOMMU_RUN_MAX);

		local_irq_save(flags);
		request = this_cpu_ptr(&coiommu_cpus)->request;
		request->op = COIOMMU_OP_RELEASE;
		request->nr = 1;
		request->entry[0] = COIOMMU_RUN(pfn, run);
		ring(request);
		local_irq_restore(flags);
		pfn += run;
		nr -= run;
	}
}

int coiommu_request_init(void)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		void *page = (void *)get_zeroed_page(GFP_KERNEL);

		if (!page) {
			coiommu_request_exit();
			return -ENOMEM;
		}
		per_cpu_ptr(&coiommu_cpus, cpu)->request = page;
	}
	return 0;
}

void coiommu_request_exit(void)
{
	int cpu;

	for_each_possible_cpu(cpu)
		free_page((unsigned long)per_cpu_ptr(&coiommu_cpus, cpu)->request);
}
