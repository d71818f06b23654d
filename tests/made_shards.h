/* SPDX-License-Identifier: GPL-2.0-only */
/* Made-up shards of a run: two modes on two workloads, which are shards 1 and 2. */
#ifndef TESTS_MADE_SHARDS_H
#define TESTS_MADE_SHARDS_H

#include "tests/capture.h"

#include <jansson.h>

#include "harness/merge.h"
#include "harness/run.h"

#define SHARD_BOOTS 6

/* A shard in the making; what is NULL or 0 is as usual. */
struct made_shard {
	const char *run_id, *revision, *status, *fingerprint, *kernel, *where;
	unsigned int n, cells_of, boots, memory;
	int finished;	 /* boots that are ok; 0: all; -1: none */
	double factor;	 /* of the values; they are 1000 * (mode + 1) * factor */
	bool no_samples; /* samples.csv is missing */
	bool no_shard;	 /* an ordinary run */
};

static const char *const shard_modes[] = { "static", "coiommu" };
static const char *const shard_workloads[] = { "boot", "fio" };

static inline char *shard_path(const char *name, const char *file)
{
	return xasprintf("%s/%s/%s", capture_dir, name, file);
}

static inline void shard_put(const char *name, const char *file, const char *text)
{
	autofree char *path = shard_path(name, file), *dir = xstrdup(path);

	*strrchr(dir, '/') = '\0';
	assert_int_equal(mkdir_all(dir), 0);
	assert_int_equal(file_replace(path, text, strlen(text)), 0);
}

static inline char *shard_get(const char *name, const char *file)
{
	autofree char *path = shard_path(name, file);
	char *text = file_read(path, NULL);

	if (!text)
		fail_msg("%s is missing", path);
	return text;
}

static inline json_t *shard_manifest(const char *name)
{
	autofree char *path = shard_path(name, "manifest.json");
	json_t *root = json_load_file(path, 0, NULL);

	assert_non_null(root);
	return root;
}

static inline json_t *shard_cell(size_t mode, size_t workload)
{
	autofree char *id = xasprintf("%s.nvme.%s", shard_modes[mode], shard_workloads[workload]);

	return json_pack("{s:s, s:s, s:s, s:s, s:s}", "id", id, "mode", shard_modes[mode], "device",
			 "nvme", "workload", shard_workloads[workload], "variant", "");
}

static inline json_t *shard_plan(void)
{
	json_t *plan = json_array();

	for (size_t i = 0; i < 4; i++) {
		json_t *cell = shard_cell(i / 2, i % 2);

		json_object_set_new(cell, "shard", json_integer((json_int_t)(i % 2) + 1));
		json_array_append_new(plan, cell);
	}
	return plan;
}

/* The boots of a cell, and their samples. */
static inline json_t *shard_boots(const struct made_shard *made, size_t mode, const char *workload,
				  struct strbuf *rows)
{
	int finished = made->finished ? made->finished : SHARD_BOOTS;
	json_t *boots = json_array();

	for (int b = 0; b < finished; b++) {
		double value = 1000 * ((double)mode + 1) * (made->factor != 0 ? made->factor : 1);

		json_array_append_new(boots,
				      json_pack("{s:i, s:s, s:i, s:n, s:n}", "boot", b, "status",
						"ok", "attempts", 1, "reason", "proof"));
		strbuf_addf(rows, "%s.nvme.%s,%s,nvme,%s,,%d,read_iops,ops/s,higher,%.17g\n",
			    shard_modes[mode], workload, shard_modes[mode], workload, b,
			    value + b * 0.125);
	}
	return boots;
}

static inline json_t *shard_cells(const struct made_shard *made, const char *name,
				  unsigned int shard, struct strbuf *rows)
{
	const char *workload = shard_workloads[shard - 1];
	json_t *cells = json_array();

	for (size_t mode = 0; mode < 2; mode++) {
		autofree char *file =
			xasprintf("cells/%s.nvme.%s/0/console.log", shard_modes[mode], workload);
		json_t *cell = shard_cell(mode, shard - 1);
		json_t *boots = shard_boots(made, mode, workload, rows);
		bool any = json_array_size(boots);

		json_object_set_new(cell, "status", json_string(any ? "ok" : "failed"));
		json_object_set_new(cell, "reason", any ? json_null() : json_string("not run"));
		json_object_set_new(cell, "boots", boots);
		json_array_append_new(cells, cell);
		shard_put(name, file, workload);
	}
	return cells;
}

#define USUAL(member, usual) (made.member ? made.member : (usual))

/* Writes shard k of 2 to the test's folder under that name. */
static inline void put_shard(const char *name, unsigned int k, struct made_shard made)
{
	autofree char *path = shard_path(name, "manifest.json");
	struct strbuf rows = { 0 };
	json_t *cells, *root;

	strbuf_addf(&rows, "cell,mode,device,workload,variant,boot,metric,unit,direction,value\n");
	shard_put(name, "experiment.yaml", "name: made\n");
	cells = shard_cells(&made, name, USUAL(cells_of, k), &rows);
	root = json_pack("{s:i, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:{s:{s:i}, s:b}, "
			 "s:{s:s, s:s, s:s, s:s, s:f}, s:o}",
			 "schema", 1, "run_id", USUAL(run_id, "night"), "name", "made", "status",
			 USUAL(status, "complete"), "started", k == 1 ? "2026-01-01" : "2026-01-02",
			 "finished", k == 1 ? "2026-01-03" : "2026-01-04", "where",
			 USUAL(where, "host"), "git_revision", USUAL(revision, "abc"),
			 "config_path", "made.yaml", "config", "guest", "memory_bytes",
			 (int)USUAL(memory, 1024), "share_vm", 0, "environment", "cpu_model", "c",
			 "kernel", USUAL(kernel, "6.1"), "fingerprint", USUAL(fingerprint, "00ff"),
			 "load_average", k == 1 ? "0.1" : "0.2", "memory_bytes", 1e9, "cells",
			 cells);
	assert_non_null(root);
	if (!made.no_shard)
		json_object_set_new(
			root, "shard",
			json_pack("{s:i, s:i, s:i, s:o}", "k", (int)k, "n", (int)USUAL(n, 2),
				  "boots", (int)USUAL(boots, SHARD_BOOTS), "cells", shard_plan()));
	assert_int_equal(json_dump_file(root, path, 0), 0);
	json_decref(root);
	if (!made.no_samples)
		shard_put(name, "samples.csv", rows.data);
	free(rows.data);
}

/* Merges these into "out"; said: what it logs, to free, or NULL. */
static inline int merge_to(const char *out, const char *a, const char *b, char **said)
{
	autofree char *path = shard_path(out, ""), *one = shard_path(a, "");
	autofree char *two = b ? shard_path(b, "") : NULL, *log = NULL;
	char *const shards[] = { one, two };
	int code;

	one[strlen(one) - 1] = '\0'; /* a slash at the end of what is written changes nothing */
	if (two)
		two[strlen(two) - 1] = '\0';
	capture_begin();
	code = merge_command(
		&(struct merge_options){ .out = path, .shards = shards, .nr_shards = b ? 2 : 1 });
	log = capture_end();
	if (said) {
		*said = log;
		log = NULL;
	}
	return code;
}

static inline int made_shards_clean(void **state)
{
	static const char *const names[] = { "one", "two", "out", "later" };
	int ret = 0;

	for (size_t i = 0; i < ARRAY_SIZE(names) && !ret; i++) {
		autofree char *path = xasprintf("%s/%s", capture_dir, names[i]);

		ret = remove_all(path);
	}
	return ret;
}

#endif
