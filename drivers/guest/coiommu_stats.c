// SPDX-License-Identifier: GPL-2.0-only
/* Statistics of all CPUs together. */
#include <linux/smp.h>

#include "coiommu_count.h"
#include "coiommu_trace.h"

DEFINE_PER_CPU(struct coiommu_cpu, coiommu_cpus);
static u64 mapped_peak;	/* approximate by design: races lose a sample */

void coiommu_sample_peak(void)
{
	s64 mapped = 0;
	int cpu;

	for_each_possible_cpu(cpu)
		mapped += per_cpu_ptr(&coiommu_cpus, cpu)->stats.mapped_pages;
	if (mapped > (s64)READ_ONCE(mapped_peak))
		WRITE_ONCE(mapped_peak, mapped);
}

void coiommu_stats_read(struct coiommu_stats *sum)
{
	int cpu;

	coiommu_sample_peak();
	*sum = (struct coiommu_stats){ .mapped_peak = READ_ONCE(mapped_peak) };
	for_each_possible_cpu(cpu) {
		const struct coiommu_stats *s = &per_cpu_ptr(&coiommu_cpus, cpu)->stats;

		sum->maps += s->maps;
		sum->unmaps += s->unmaps;
		sum->more_pages += s->more_pages;
		sum->requests += s->requests;
		sum->request_entries += s->request_entries;
		sum->request_pages += s->request_pages;
		sum->request_ns += s->request_ns;
		sum->refused += s->refused;
		sum->failed += s->failed;
		sum->unbalanced += s->unbalanced;
		sum->mapped_pages += s->mapped_pages;
	}
}
EXPORT_SYMBOL_GPL(coiommu_stats_read);

static void reset_cpu(void *unused)
{
	struct coiommu_cpu *state = this_cpu_ptr(&coiommu_cpus);
	s64 mapped = state->stats.mapped_pages;

	state->stats = (struct coiommu_stats){ .mapped_pages = mapped };
	memset(state->latency, 0, sizeof(state->latency));
}

/* Counts of events start again; what is mapped now stays. Each CPU does it, interrupts off. */
void coiommu_stats_reset(void)
{
	const struct coiommu_stats zero = { 0 };

	on_each_cpu(reset_cpu, NULL, 1);
	trace_coiommu_stats(&zero, 1);
	WRITE_ONCE(mapped_peak, 0);
	coiommu_sample_peak();
}

void coiommu_latency_read(u64 *buckets)
{
	int cpu, i;

	memset(buckets, 0, COIOMMU_HISTOGRAM_BUCKETS * sizeof(*buckets));
	for_each_possible_cpu(cpu) {
		for (i = 0; i < COIOMMU_HISTOGRAM_BUCKETS; i++)
			buckets[i] += per_cpu_ptr(&coiommu_cpus, cpu)->latency[i];
	}
}
