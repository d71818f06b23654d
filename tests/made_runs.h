/* SPDX-License-Identifier: GPL-2.0-only */
/* Two small made-up runs, "base" and "new", and compare on them. */
#ifndef TESTS_MADE_RUNS_H
#define TESTS_MADE_RUNS_H

#include "tests/capture.h"

#include "harness/compare.h"
#include "harness/run.h"

#define HEADER "cell,mode,device,workload,variant,boot,metric,unit,direction,value\n"
#define FIO "static.nvme.fio"
#define BOOT_CELL "static.nvme.boot"

/* A run in the making. What is NULL is as usual. */
struct made {
	const char *where, *fingerprint, *kernel, *memory, *bs, *address;
	const char *bad_status; /* of the last boot of each cell */
	unsigned int boots;
	struct strbuf rows;
	const char *more_cells;
	const char *ab; /* of the manifest, as JSON */
};

static inline char *path_of(const char *run, const char *name)
{
	return xasprintf("%s/%s/%s", capture_dir, run, name);
}

static inline void put(const char *run, const char *name, const char *text)
{
	autofree char *path = path_of(run, name), *dir = xasprintf("%s/%s", capture_dir, run);

	assert_int_equal(mkdir_all(dir), 0);
	assert_int_equal(file_replace(path, text, strlen(text)), 0);
}

static inline const char * or (const char *text, const char *usual)
{
	return text ? text : usual;
}

static inline char *boots_json(const struct made *made)
{
	struct strbuf sb = { 0 };

	strbuf_add(&sb, "", 0);
	for (unsigned int b = 0; b < made->boots; b++) {
		bool bad = made->bad_status && b + 1 == made->boots;

		strbuf_addf(&sb, "%s{\"boot\": %u, \"status\": \"%s\"}", b ? "," : "", b,
			    bad ? made->bad_status : "ok");
	}
	return sb.data;
}

static inline char *cell_json(const char *id, const char *workload, const char *boots)
{
	return xasprintf("{\"id\": \"%s\", \"mode\": \"static\", \"device\": \"nvme\", "
			 "\"workload\": \"%s\", \"variant\": \"\", \"status\": \"ok\", "
			 "\"reason\": null, \"boots\": [%s]}",
			 id, workload, boots);
}

static inline char *config_json(const struct made *made)
{
	return xasprintf(
		"{\"guest\": {\"memory_bytes\": %s, \"cpus\": 1}, \"share_vm\": false, "
		"\"modes\": [{\"name\": \"static\", \"variant\": \"\", \"settings\": {}}], "
		"\"devices\": [{\"name\": \"nvme\", \"variant\": \"\", "
		"\"settings\": {\"address\": \"%s\"}}], "
		"\"workloads\": [{\"name\": \"boot\", \"variant\": \"\", \"settings\": {}}, "
		"{\"name\": \"fio\", \"variant\": \"\", \"settings\": {\"bs\": %s}}]}",
		or (made->memory, "1024"), or (made->address, "a"), or (made->bs, "4096"));
}

static inline void put_run(const char *name, struct made *made)
{
	autofree char *boots = boots_json(made), *config = config_json(made);
	autofree char *fio = cell_json(FIO, "fio", boots);
	autofree char *manifest = xasprintf(
		"{\"schema\": 1, \"run_id\": \"%s\", \"status\": \"complete\", \"where\": \"%s\", "
		"\"git_revision\": \"abc\", \"ab\": %s, \"config\": %s, \"environment\": {\"cpu_model\": \"c\", "
		"\"kernel\": \"%s\", \"fingerprint\": \"%s\"}, \"cells\": [%s%s]}",
		name, or (made->where, "host"), or (made->ab, "null"), config,
		or (made->kernel, "6.1"), or (made->fingerprint, "00ff"), fio,
		or (made->more_cells, ""));
	autofree char *samples = xasprintf(HEADER "%s", made->rows.data ? made->rows.data : "");

	put(name, "manifest.json", manifest);
	put(name, "samples.csv", samples);
	free(made->rows.data);
	made->rows = (struct strbuf){ 0 };
}

struct metric {
	const char *name, *unit, *direction;
};
#define IOPS (&(const struct metric){ "read_iops", "ops/s", "higher" })
#define P99 (&(const struct metric){ "lat_p99_s", "s", "lower" })
#define INSTRUCTIONS (&(const struct metric){ "lab_instructions_per_op", "count", "lower" })

static inline void add_row(struct made *made, unsigned int boot, const struct metric *metric,
			   double value)
{
	strbuf_addf(&made->rows, FIO ",static,nvme,fio,,%u,%s,%s,%s,%.12g\n", boot, metric->name,
		    metric->unit, metric->direction, value);
}

/* One value a boot, 0.4 % apart around the middle. */
static inline void add_values(struct made *made, const struct metric *metric, double middle)
{
	for (unsigned int b = 0; b < made->boots; b++)
		add_row(made, b, metric, middle * (1 + 0.004 * (b % 5 - 2.0) + 1e-4 * b));
}

/* A run of 10 boots with nothing but these IOPS. */
static inline void put_iops(const char *name, struct made *made, double iops)
{
	if (!made->boots)
		made->boots = 10;
	add_values(made, IOPS, iops);
	put_run(name, made);
}

/* Compares the runs "base" and "new". What it logs is in *said, what it prints in *printed. */
static inline int compare_with(struct compare_options options, char **printed, char **said)
{
	autofree char *base = xasprintf("%s/base", capture_dir);
	autofree char *value = xasprintf("%s/new", capture_dir);
	struct command_capture capture;
	int status;

	options.base = base;
	options.value = value;
	options.seed = COMPARE_SEED;
	command_begin(&capture);
	status = compare_command(&options, capture.out);
	command_end(&capture, printed, said);
	return status;
}

/* Each test starts with neither. */
static inline int made_runs_clean(void **state)
{
	static const char *const names[] = { "base", "new", "floors", "iommubench" };
	int ret = 0;

	setenv("XDG_STATE_HOME", capture_dir, 1); /* nobody's own floors */
	for (size_t i = 0; i < ARRAY_SIZE(names) && !ret; i++) {
		autofree char *dir = xasprintf("%s/%s", capture_dir, names[i]);

		ret = remove_all(dir);
	}
	return ret;
}

#endif
