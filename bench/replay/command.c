// SPDX-License-Identifier: GPL-2.0-only
/* The replay command. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <time.h>

#include "bench/replay.h"
#include "bench/replay/session.h"
#include "harness/log.h"
#include "harness/run.h"
#include "trace_file.h"

/*
 * The recorded settings; the backend's defaults if there are none (a made trace). 0, or -errno with
 * the reader's error; else it is at the trace's start again.
 */
static int peek_config(struct trace_reader *r, struct policy_config *config, bool *found)
{
	struct trace_event e = { 0 };
	int ret = 1;

	*config = policy_defaults;
	*found = false;
	for (int i = 0; i < 16 && !*found && (ret = trace_read(r, &e)) > 0; i++) {
		*found = e.kind == TRACE_CONFIG && e.args.nr >= TRACE_CONFIG_ARGS;
		if (*found)
			*config = replay_config(&e);
	}
	if (ret < 0)
		return ret;
	trace_rewind(r);
	return 0;
}

static int add(struct replay_result *r, struct replay_policy *p, enum replay_kind kind, char *name)
{
	if (r->nr == REPLAY_POLICIES_MAX) {
		log_err("replay: more than %d combinations of settings", REPLAY_POLICIES_MAX);
		p->ops->free(p);
		free(name);
		return -E2BIG;
	}
	p->name = name;
	r->kinds[r->nr] = kind;
	r->policies[r->nr++] = p;
	return 0;
}

static int add_coiommu(const struct replay_options *o, const struct policy_config *recorded,
		       struct replay_result *r)
{
	struct policy_config c;
	int ret = 0;

	for (size_t i = 0; !ret && replay_combination(o, i, recorded, &c); i++) {
		autofree char *settings = replay_describe(&c, recorded);
		bool same = !*settings;

		ret = add(r, replay_coiommu(same && !o->model ? NULL : &c), REPLAY_COIOMMU,
			  xasprintf("coiommu%s", same ? " as recorded" : settings));
	}
	return ret;
}

static int add_oracle(struct replay_result *r, uint64_t quota_pages)
{
	const char *quota = human_bytes((double)(quota_pages * COIOMMU_PAGE_SIZE));

	return quota_pages ? add(r, replay_oracle(quota_pages), REPLAY_ORACLE,
				 xasprintf("oracle quota=%s", quota))
			   : 0;
}

/* One without a limit, and one for each quota: the recorded one if none is given. */
static int add_oracles(const struct replay_options *o, const struct policy_config *recorded,
		       struct replay_result *r)
{
	const struct replay_list *quotas = &o->lists[SET_QUOTA];
	int ret = add(r, replay_oracle(0), REPLAY_ORACLE, xstrdup("oracle"));

	if (!ret && !quotas->nr)
		ret = add_oracle(r, recorded->quota_pages);
	for (size_t i = 0; !ret && i < quotas->nr; i++)
		ret = add_oracle(r, (uint64_t)quotas->v[i] / COIOMMU_PAGE_SIZE);
	return ret;
}

static int add_policies(const struct replay_options *o, const struct policy_config *recorded,
			struct replay_result *r)
{
	int ret = 0;

	if (o->with[WITH_STATIC])
		ret = add(r, replay_static(), REPLAY_STATIC, xstrdup("static"));
	if (!ret && o->with[WITH_STRICT])
		ret = add(r, replay_strict(), REPLAY_VIOMMU, xstrdup("strict"));
	if (!ret && o->with[WITH_DEFERRED])
		ret = add(r, replay_deferred(), REPLAY_VIOMMU, xstrdup("deferred"));
	if (!ret && o->with[WITH_COIOMMU])
		ret = add_coiommu(o, recorded, r);
	if (!ret && o->with[WITH_ORACLE])
		ret = add_oracles(o, recorded, r);
	return ret;
}

/* Of this process: other programs on the machine do not count. */
static double processor_s(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec * 1e-9;
}

static int run_one(struct trace_reader *reader, const struct replay_options *o,
		   struct replay_result *r)
{
	struct replay_policy *all[REPLAY_POLICIES_MAX + 1];
	struct replay_policy *locality = replay_locality(&r->reuse);
	struct policy_config recorded;
	const char *error = NULL;
	bool found;
	double start;
	int ret = peek_config(reader, &recorded, &found);

	if (ret)
		error = reader->error;
	if (!ret)
		ret = add_policies(o, &recorded, r);
	if (!ret) {
		size_t nr = r->nr;

		memcpy(all, r->policies, nr * sizeof(struct replay_policy *));
		if (o->with[WITH_ORACLE] || o->locality)
			all[nr++] = locality;
		start = processor_s();
		ret = replay_run(reader, all, nr, &r->totals, &error);
		r->cpu_s = processor_s() - start;
	}
	if (error)
		log_err("%s: event %llu: %s", r->path, (unsigned long long)reader->events, error);
	curve_free(&locality->curve);
	locality->ops->free(locality);
	return ret;
}

static int replay_file(const char *path, const struct replay_options *o, struct replay_result *r)
{
	autoclose int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* of a FIFO, too */
	struct trace_reader reader;
	int ret;

	r->path = path;
	if (fd < 0) {
		log_err("%s: %s", path, strerror(errno));
		return -errno;
	}
	ret = trace_reader_open(&reader, fd);
	if (ret) {
		log_err("%s: %s", path, reader.error ? reader.error : strerror(-ret));
		return ret;
	}
	ret = run_one(&reader, o, r);
	trace_reader_close(&reader);
	costs_measured(&r->costs, &r->totals);
	if (!ret && o->costs)
		ret = costs_load(&r->costs, o->costs);
	return ret;
}

static void result_free(struct replay_result *r)
{
	for (size_t i = 0; i < r->nr; i++) {
		free(r->policies[i]->name);
		curve_free(&r->policies[i]->curve);
		r->policies[i]->ops->free(r->policies[i]);
	}
	costs_free(&r->costs);
}

static bool all_exact(const struct replay_result *results, size_t nr)
{
	for (size_t i = 0; i < nr; i++)
		for (size_t k = 0; k < results[i].nr; k++)
			if (results[i].policies[k]->check.different)
				return false;
	return true;
}

static int output(const struct replay_options *o, const struct replay_result *results, size_t nr)
{
	int ret = 0;

	if (o->as_json) {
		json_t *json = replay_json(o, results, nr);

		json_dumpf(json, stdout, JSON_INDENT(2));
		printf("\n");
		json_decref(json);
	} else {
		replay_print(o, results, nr, stdout);
	}
	if (o->curves)
		ret = replay_write_curves(o->curves, results, nr);
	if (!ret && o->locality)
		ret = replay_write_locality(o->locality, results, nr);
	if (ret)
		return EXIT_USAGE;
	return all_exact(results, nr) ? EXIT_OK : EXIT_CELLS;
}

int replay_command(int argc, char **argv)
{
	struct replay_options options;
	struct replay_result *results;
	int first, ret = replay_options_parse(argc, argv, &options, &first), status = EXIT_USAGE;
	size_t nr = 0;

	if (ret)
		return ret > 0 ? EXIT_OK : EXIT_USAGE;
	results = xzalloc((size_t)(argc - first) * sizeof(results[0]));
	for (int i = first; !ret && i < argc; i++)
		ret = replay_file(argv[i], &options, &results[nr++]);
	if (!ret)
		status = output(&options, results, nr);
	for (size_t i = 0; i < nr; i++)
		result_free(&results[i]);
	free(results);
	return status;
}
