// SPDX-License-Identifier: GPL-2.0-only
/* Temporal locality of a recorded trace; see reuse.h. */
#include "bench/record/reuse.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <string.h>

#include "bench/replay/replay.h"
#include "harness/boot.h"
#include "harness/log.h"
#include "harness/util.h"
#include "trace_file.h"

/* A bucket's values are below this one. */
static double bucket_end_s(unsigned int bucket)
{
	return (double)coiommu_histogram_floor(bucket + 1) * 1e-9;
}

static int read_locality(const char *path, struct replay_locality *locality)
{
	autoclose int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct replay_policy *policy = replay_locality(locality);
	struct replay_totals totals;
	struct trace_reader reader;
	const char *error = NULL;
	int ret = fd < 0 ? -errno : trace_reader_open(&reader, fd);

	if (!ret) {
		ret = replay_run(&reader, &policy, 1, &totals, &error);
		trace_reader_close(&reader);
	}
	if (ret)
		log_err("%s: %s", path, error ? error : strerror(-ret));
	curve_free(&policy->curve);
	policy->ops->free(policy);
	return ret;
}

static double quantile_s(const uint64_t *pages, double all, double q)
{
	double sum = 0;
	unsigned int i = 0;

	while (i + 1 < COIOMMU_HISTOGRAM_BUCKETS && sum + (double)pages[i] < q * all)
		sum += (double)pages[i++];
	return all > 0 ? bucket_end_s(i) : NAN;
}

int reuse_save(const char *trace_path, const struct cell_run *run, struct reuse *reuse)
{
	struct replay_locality locality;
	struct strbuf sb = { 0 };
	const uint64_t *pages;
	uint64_t sum = 0;
	int ret = read_locality(trace_path, &locality);

	*reuse = (struct reuse){ .any = !ret && locality.windowed, .p50_s = NAN, .p99_s = NAN };
	if (!reuse->any)
		return ret;
	pages = locality.window;
	strbuf_addf(&sb, "within_s,pages\n");
	for (unsigned int i = 0; i < COIOMMU_HISTOGRAM_BUCKETS; i++) {
		sum += pages[i];
		if (pages[i])
			strbuf_addf(&sb, "%.9g,%llu\n", bucket_end_s(i), (unsigned long long)sum);
	}
	reuse->pages = (double)sum;
	reuse->p50_s = quantile_s(pages, reuse->pages, 0.5);
	reuse->p99_s = quantile_s(pages, reuse->pages, 0.99);
	ret = cell_save(run, "reuse.csv", sb.data, sb.len);
	free(sb.data);
	return ret;
}
