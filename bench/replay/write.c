// SPDX-License-Identifier: GPL-2.0-only
/* What came out of a replay, for programs: JSON, CSV. */
#include <errno.h>
#include <math.h>
#include <string.h>
#include <sys/resource.h>

#include "bench/replay/fleet.h"
#include "bench/replay/session.h"
#include "coiommu_abi.h"
#include "harness/export_format.h"
#include "harness/log.h"

static json_t *number(double v)
{
	return isfinite(v) ? json_real(v) : json_null();
}

static json_t *bytes(double pages)
{
	return json_real(pages * COIOMMU_PAGE_SIZE);
}

static json_t *counts(const struct replay_counts *c)
{
	json_t *json = json_object();

	for (int i = 0; i < REPLAY_COUNTS; i++)
		json_object_set_new(json, replay_count_names[i], json_integer((json_int_t)c->n[i]));
	return json;
}

static json_t *check(const struct replay_policy *p)
{
	return json_pack("{s:b, s:I, s:I, s:s, s:I, s:I, s:I}", "exact",
			 p->check.compared && !p->check.different, "compared",
			 (json_int_t)p->check.compared, "different", (json_int_t)p->check.different,
			 "first_difference", p->check.first, "looks", (json_int_t)p->looks,
			 "raced_looks", (json_int_t)p->raced, "foretold_requests",
			 (json_int_t)p->predicted_requests);
}

static json_t *policy(const struct replay_result *r, size_t i)
{
	const struct replay_policy *p = r->policies[i];
	json_t *json = json_object();
	double guest, host;

	costs_estimate(&r->costs, r->kinds[i], &p->window, &guest, &host);
	json_object_set_new(json, "policy", json_string(p->name));
	json_object_set_new(json, "total", counts(&p->counts));
	json_object_set_new(json, "window", counts(&p->window));
	json_object_set_new(json, "pinned_peak_bytes", bytes((double)p->curve.peak));
	json_object_set_new(json, "pinned_mean_bytes", bytes(curve_mean(&p->curve)));
	json_object_set_new(json, "pinned_end_bytes", bytes((double)p->curve.value));
	json_object_set_new(json, "estimated_guest_s", number(guest));
	json_object_set_new(json, "estimated_host_s", number(host));
	if (p->as_recorded)
		json_object_set_new(json, "recorded", check(p));
	if (p->infeasible)
		json_object_set_new(json, "infeasible", json_true());
	return json;
}

static json_t *locality(const struct replay_locality *l)
{
	json_t *again = json_array();

	for (unsigned int i = 0; i < COIOMMU_HISTOGRAM_BUCKETS; i++)
		if (l->reused[i])
			json_array_append_new(again,
					      json_pack("{s:f, s:I}", "from_s",
							(double)coiommu_histogram_floor(i) * 1e-9,
							"pages", (json_int_t)l->reused[i]));
	return json_pack("{s:I, s:I, s:I, s:o}", "pages", (json_int_t)l->first_uses,
			 "mapped_peak_pages", (json_int_t)l->mapped_peak, "unbalanced_unmaps",
			 (json_int_t)l->unbalanced, "used_again", again);
}

static json_t *cost_constants(const struct costs *c)
{
	json_t *json = json_object();

	for (int i = 0; i < COSTS; i++)
		json_object_set_new(json, cost_names[i],
				    json_pack("{s:o, s:s}", "s", number(c->s[i]), "source",
					      c->from_file[i]
						      ? c->source
						      : "measured while the trace was recorded"));
	return json;
}

/* A name on disk may be any bytes. */
static json_t *text_or_null(const char *text)
{
	json_t *json = json_string(text);

	return json ? json : json_null();
}

static json_t *result(const struct replay_result *r)
{
	json_t *policies = json_array();

	for (size_t i = 0; i < r->nr; i++)
		json_array_append_new(policies, policy(r, i));
	return json_pack("{s:o, s:I, s:f, s:o, s:o, s:o, s:f, s:f}", "trace", text_or_null(r->path),
			 "events", (json_int_t)r->totals.events, "duration_s",
			 (double)(r->totals.end_ns - r->totals.begin_ns) * 1e-9, "policies",
			 policies, "locality", locality(&r->reuse), "costs",
			 cost_constants(&r->costs), "replay_cpu_s", r->cpu_s, "events_per_cpu_s",
			 (double)r->totals.events / fmax(r->cpu_s, 1e-9));
}

static json_t *fleet(const struct replay_options *o, const struct replay_result *results, size_t nr)
{
	struct curve **curves = xzalloc(nr * sizeof(struct curve *));
	json_t *policies = json_array();

	for (size_t i = 0; i < results[0].nr; i++) {
		struct fleet f;

		for (size_t k = 0; k < nr; k++)
			curves[k] = &results[k].policies[i]->curve;
		fleet_sum(curves, nr, o->vms, o->seed, &f);
		json_array_append_new(
			policies,
			json_pack("{s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:f}", "policy",
				  results[0].policies[i]->name, "mean_bytes", bytes(f.mean),
				  "p50_bytes", bytes(f.p50), "p95_bytes", bytes(f.p95), "p99_bytes",
				  bytes(f.p99), "peak_bytes", bytes(f.peak), "peak_bound_bytes",
				  bytes(f.peak_bound), "sum_of_peaks_bytes", bytes(f.alone),
				  "step_s", f.step_s));
	}
	free(curves);
	return json_pack("{s:i, s:I, s:o}", "vms", (int)o->vms, "seed", (json_int_t)o->seed,
			 "policies", policies);
}

json_t *replay_json(const struct replay_options *o, const struct replay_result *results, size_t nr)
{
	json_t *json = json_object(), *traces = json_array();
	struct rusage usage;

	for (size_t i = 0; i < nr; i++)
		json_array_append_new(traces, result(&results[i]));
	json_object_set_new(json, "schema", json_integer(1));
	json_object_set_new(json, "traces", traces);
	if (o->vms)
		json_object_set_new(json, "fleet", fleet(o, results, nr));
	getrusage(RUSAGE_SELF, &usage);
	json_object_set_new(json, "max_rss_bytes",
			    json_integer((json_int_t)usage.ru_maxrss * 1024));
	return json;
}

/* ---- CSV ------------------------------------------------------------------------------ */

static int close_csv(FILE *f, const char *path)
{
	int err = ferror(f) ? EIO : 0;

	if (fclose(f) && !err)
		err = errno;
	if (err)
		log_err("%s: %s", path, strerror(err));
	return -err;
}

static FILE *open_csv(const char *path, const char *header)
{
	FILE *f = fopen(path, "we");

	if (f)
		fprintf(f, "%s\n", header);
	else
		log_err("%s: %s", path, strerror(errno));
	return f;
}

/* With its comma; to free. */
static char *csv_path(const struct replay_result *r)
{
	struct strbuf sb = { 0 };

	export_csv_field(&sb, r->path);
	return sb.data;
}

static void write_curve(FILE *f, const struct replay_result *r, const struct replay_policy *p)
{
	const struct curve *c = &p->curve;
	autofree char *path = csv_path(r);

	for (size_t i = 0; i < curve_steps(c); i++)
		fprintf(f, "%s%s,%.6f,%.0f,%llu\n", path, p->name,
			(double)(c->start_ns + i * c->step_ns - r->totals.begin_ns) * 1e-9,
			curve_step_mean(c, i) * COIOMMU_PAGE_SIZE,
			(unsigned long long)c->steps[i].peak * COIOMMU_PAGE_SIZE);
}

int replay_write_curves(const char *path, const struct replay_result *results, size_t nr)
{
	FILE *f = open_csv(path, "trace,policy,t_s,pinned_mean_bytes,pinned_peak_bytes");

	if (!f)
		return -EIO;
	for (size_t i = 0; i < nr; i++)
		for (size_t k = 0; k < results[i].nr; k++)
			write_curve(f, &results[i], results[i].policies[k]);
	return close_csv(f, path);
}

int replay_write_locality(const char *path, const struct replay_result *results, size_t nr)
{
	FILE *f = open_csv(path, "trace,from_s,pages");

	if (!f)
		return -EIO;
	for (size_t i = 0; i < nr; i++) {
		autofree char *name = csv_path(&results[i]);

		for (unsigned int k = 0; k < COIOMMU_HISTOGRAM_BUCKETS; k++)
			fprintf(f, "%s%.9f,%llu\n", name, (double)coiommu_histogram_floor(k) * 1e-9,
				(unsigned long long)results[i].reuse.reused[k]);
	}
	return close_csv(f, path);
}
