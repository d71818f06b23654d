// SPDX-License-Identifier: GPL-2.0-only
/* What came out of a replay, for people. */
#include <math.h>

#include "bench/replay/fleet.h"
#include "bench/replay/session.h"
#include "coiommu_abi.h"

static void print_check(const struct replay_policy *p, FILE *out)
{
	if (!p->as_recorded)
		return;
	if (p->check.different)
		fprintf(out, "%s: differs from the recorded run: %s (%llu of %llu counts)\n",
			p->name, p->check.first, (unsigned long long)p->check.different,
			(unsigned long long)p->check.compared);
	else if (p->check.compared)
		fprintf(out, "%s: all %llu counts that were recorded are the same\n", p->name,
			(unsigned long long)p->check.compared);
	else
		fprintf(out, "%s: the trace has no counts of a run to compare with\n", p->name);
	fprintf(out,
		"  %llu requests, %llu foretold from the mappings; %llu of %llu looks at units were "
		"raced\n",
		(unsigned long long)p->counts.n[COUNT_REQUESTS],
		(unsigned long long)p->predicted_requests, (unsigned long long)p->raced,
		(unsigned long long)p->looks);
}

static const char *seconds(double s)
{
	return isnan(s) ? "?" : human_duration(s);
}

static void print_table(const struct replay_result *r, FILE *out)
{
	static const enum replay_count shown[] = { COUNT_MAPS,	 COUNT_REQUESTS,  COUNT_PINS,
						   COUNT_UNPINS, COUNT_EVICTIONS, COUNT_REFUSALS };

	fprintf(out, "%-34s", "policy");
	for (size_t k = 0; k < ARRAY_SIZE(shown); k++)
		fprintf(out, " %10s", replay_count_names[shown[k]]);
	fprintf(out, " %10s %10s %10s %10s\n", "peak", "mean", "guest*", "host*");
	for (size_t i = 0; i < r->nr; i++) {
		const struct replay_policy *p = r->policies[i];
		double guest, host;

		costs_estimate(&r->costs, r->kinds[i], &p->window, &guest, &host);
		fprintf(out, "%-34s", p->name);
		for (size_t k = 0; k < ARRAY_SIZE(shown); k++)
			fprintf(out, " %10llu", (unsigned long long)p->window.n[shown[k]]);
		fprintf(out, " %10s", human_bytes((double)p->curve.peak * COIOMMU_PAGE_SIZE));
		fprintf(out, " %10s", human_bytes(curve_mean(&p->curve) * COIOMMU_PAGE_SIZE));
		fprintf(out, " %10s", seconds(guest));
		fprintf(out, " %10s%s\n", seconds(host),
			p->infeasible ? "  more is mapped than the quota allows" : "");
	}
}

static void print_costs(const struct replay_result *r, FILE *out)
{
	fprintf(out, "* estimates, not measured: counts times");
	for (int i = 0; i < COSTS; i++)
		fprintf(out, "%s %s %s%s", i ? "," : "", cost_names[i], seconds(r->costs.s[i]),
			r->costs.from_file[i] ? " (file)" : "");
	fprintf(out, "\n  measured while the trace was recorded%s%s\n",
		r->costs.source ? "; those of the file: " : "",
		r->costs.source ? r->costs.source : "");
}

static void print_locality(const struct replay_locality *l, FILE *out)
{
	static const double limits_s[] = { 1e-3, 1e-2, 0.1, 1, 10, INFINITY };
	uint64_t total = 0, sum = 0;
	size_t k = 0;

	for (size_t i = 0; i < COIOMMU_HISTOGRAM_BUCKETS; i++)
		total += l->reused[i];
	if (!total)
		return;
	fprintf(out, "used again after their last unmap:");
	for (unsigned int i = 0; i < COIOMMU_HISTOGRAM_BUCKETS; i++) {
		while (k + 1 < ARRAY_SIZE(limits_s) &&
		       (double)coiommu_histogram_floor(i) * 1e-9 >= limits_s[k])
			fprintf(out, " <%s %.1f %%,", human_duration(limits_s[k++]),
				100.0 * (double)sum / (double)total);
		sum += l->reused[i];
	}
	fprintf(out, " of %llu; %llu pages in all, %s mapped at most\n", (unsigned long long)total,
		(unsigned long long)l->first_uses,
		human_bytes((double)l->mapped_peak * COIOMMU_PAGE_SIZE));
}

static void print_fleet(const struct replay_options *o, const struct replay_result *results,
			size_t nr, FILE *out)
{
	struct curve **curves = xzalloc(nr * sizeof(struct curve *));

	fprintf(out,
		"\n%u VMs that each do this, shifted by chance (seed %llu), pinned together:\n",
		o->vms, (unsigned long long)o->seed);
	fprintf(out, "%-34s %10s %10s %10s %10s %10s %14s\n", "policy", "mean", "p50", "p95", "p99",
		"peak", "sum of peaks");
	for (size_t i = 0; i < results[0].nr; i++) {
		struct fleet f = { 0 };
		double *const values[] = { &f.mean, &f.p50, &f.p95, &f.p99, &f.peak, &f.alone };

		for (size_t k = 0; k < nr; k++)
			curves[k] = &results[k].policies[i]->curve;
		fleet_sum(curves, nr, o->vms, o->seed, &f);
		fprintf(out, "%-34s", results[0].policies[i]->name);
		for (size_t k = 0; k < ARRAY_SIZE(values); k++)
			fprintf(out, k < 5 ? " %10s" : " %14s",
				human_bytes(*values[k] * COIOMMU_PAGE_SIZE));
		fprintf(out, "\n");
	}
	free(curves);
}

void replay_print(const struct replay_options *o, const struct replay_result *results, size_t nr,
		  FILE *out)
{
	for (size_t i = 0; i < nr; i++) {
		const struct replay_result *r = &results[i];

		fprintf(out, "%s%s: %llu events, %s%s\n", i ? "\n" : "", r->path,
			(unsigned long long)r->totals.events,
			human_duration((double)(r->totals.end_ns - r->totals.begin_ns) * 1e-9),
			r->policies[0]->windowed ? "; counts are those of the measured window"
						 : "");
		print_table(r, out);
		print_costs(r, out);
		for (size_t k = 0; k < r->nr; k++)
			print_check(r->policies[k], out);
		print_locality(&r->reuse, out);
		fprintf(out,
			"replayed in %s of one processor: %.1f million events/s, %zu policies each\n",
			human_duration(r->cpu_s),
			(double)r->totals.events / fmax(r->cpu_s, 1e-9) * 1e-6, r->nr);
	}
	if (o->vms)
		print_fleet(o, results, nr, out);
}
