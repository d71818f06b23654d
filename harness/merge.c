// SPDX-License-Identifier: GPL-2.0-only
/* The shards of a run joined to one: the command, samples and files. */
#include "harness/merge.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "harness/log.h"
#include "harness/manifest.h"
#include "harness/proc.h"
#include "harness/report_data.h"
#include "harness/run.h"
#include "harness/samples.h"

#define COPY_S 3600 /* the files of all shards */

/* --- samples --- */

struct row_filter {
	struct manifest manifest; /* of the shard */
	size_t *nr_strange;
};

static bool keeps_row(const void *arg, const struct sample_row *row)
{
	const struct row_filter *filter = arg;

	if (!manifest_has(&filter->manifest, row->cell))
		(*filter->nr_strange)++;
	return manifest_keeps_row(&filter->manifest, row);
}

/* Those of finished boots: a host that was lost may have left others. */
static int add_samples(const struct merge_shard *shard, struct strbuf *text)
{
	autofree char *path = xasprintf("%s/samples.csv", shard->dir);
	size_t nr_strange = 0;
	struct row_filter filter = { { path, shard->manifest }, &nr_strange };
	int ret;

	if (!file_exists(path))
		return 0; /* no boot has ended well; check_run() knows whether one should have
			   */
	ret = samples_filter(path, keeps_row, &filter, text);
	if (!ret && nr_strange) {
		log_err("%s: %zu samples are of no cell of the manifest: a file of another run",
			path, nr_strange);
		ret = -EINVAL;
	}
	return ret;
}

static int merge_samples(const struct merge *merge, const char *dir)
{
	autofree char *path = xasprintf("%s/samples.csv", dir);
	struct strbuf text = { 0 };
	int ret = 0;

	for (unsigned int k = 0; k < merge->nr && !ret; k++)
		if (merge->shards[k].manifest)
			ret = add_samples(&merge->shards[k], &text);
	if (!ret && text.len)
		ret = file_replace(path, text.data, text.len);
	free(text.data);
	return ret;
}

/* --- files --- */

static int copy_tree(const char *from, const char *to)
{
	char *const argv[] = { (char *)"cp", (char *)"-a", (char *)"--reflink=auto",
			       (char *)"--", (char *)from, (char *)to,
			       NULL };
	autofree char *output = NULL;
	int ret = file_exists(from) ? proc_run(argv, COPY_S, &output) : 0;

	if (ret)
		log_err("cannot copy %s: %s", from, output && *output ? output : strerror(-ret));
	return ret;
}

/* What the tools left of each cell. */
static int copy_cells(const struct merge_shard *shard, const char *dir)
{
	json_t *cell;
	size_t i;

	json_array_foreach((json_t *)shard->cells, i, cell) {
		const char *id = json_string_value(json_object_get(cell, "id"));
		autofree char *from = xasprintf("%s/cells/%s", shard->dir, id);
		autofree char *to = xasprintf("%s/cells/%s", dir, id);
		int ret = copy_tree(from, to);

		if (ret)
			return ret;
	}
	return 0;
}

static int copy_files(const struct merge *merge, const char *dir)
{
	autofree char *cells = xasprintf("%s/cells", dir);
	autofree char *from = xasprintf("%s/experiment.yaml", merge->first->dir);
	autofree char *to = xasprintf("%s/experiment.yaml", dir);
	int ret = mkdir_all(cells);

	if (!ret)
		ret = copy_tree(from, to);
	for (unsigned int k = 0; k < merge->nr && !ret; k++)
		if (merge->shards[k].manifest)
			ret = copy_cells(&merge->shards[k], dir);
	return ret;
}

/* --- the command --- */

/* What contradicts itself is told now, while nothing is there yet. */
static int check_run(const char *dir)
{
	struct report report;
	int ret = report_load(dir, &report);

	if (!ret && report.nr_twice) {
		log_err("%s/samples.csv: %zu samples are there twice", dir, report.nr_twice);
		ret = -EINVAL;
	}
	report_free(&report);
	return ret;
}

static int write_all_of_it(const struct merge *merge, const char *dir, struct manifest *manifest)
{
	int ret = mkdir_all(dir);

	if (!ret)
		ret = merge_samples(merge, dir);
	if (!ret)
		ret = copy_files(merge, dir);
	if (!ret)
		ret = manifest_save(manifest);
	if (!ret)
		ret = check_run(dir);
	if (!ret && rename(dir, merge->options->out)) {
		ret = -errno;
		log_err("cannot make %s: %s", merge->options->out, strerror(-ret));
	}
	return ret;
}

/* OUT/ is what the shell completes to; below it is no place for its other name. */
static char *unfinished(const char *out)
{
	size_t len = strlen(out);

	while (len > 1 && out[len - 1] == '/')
		len--;
	return xasprintf("%.*s.merging", (int)len, out);
}

/* Under another name until it is whole. */
static int write_run(const struct merge *merge, json_t *root)
{
	autofree char *dir = unfinished(merge->options->out);
	struct manifest manifest = { xasprintf("%s/manifest.json", dir), root };
	int ret = remove_all(dir);

	if (!ret)
		ret = write_all_of_it(merge, dir, &manifest);
	if (ret)
		remove_all(dir);
	free(manifest.path);
	return ret;
}

static int check_out(const char *out)
{
	/* An empty folder goes, nothing else does. */
	if (!rmdir(out) || errno == ENOENT)
		return 0;
	log_err("%s: %s: a merge replaces nothing: remove it or name another folder", out,
		errno == ENOTEMPTY ? "there is something in it" : strerror(errno));
	return -EINVAL;
}

static int summary(const struct merge *merge, json_t *root)
{
	const struct manifest manifest = { NULL, root };
	bool whole = true;

	for (unsigned int k = 0; k < merge->nr; k++) {
		const struct merge_shard *shard = &merge->shards[k];

		if (!shard->manifest)
			log_warn("shard %u of %u is missing", k + 1, merge->nr);
		else if (strcmp(merge_text(shard, "status"), "complete") != 0)
			log_warn(
				"shard %u of %u is not complete: 'iommubench run --resume %s' goes "
				"on with it",
				k + 1, merge->nr, shard->dir);
		else
			continue;
		whole = false;
	}
	if (manifest_count(&manifest, "failed") || manifest_count(&manifest, "invalid"))
		whole = false;
	return whole ? EXIT_OK : EXIT_CELLS;
}

int merge_command(const struct merge_options *options)
{
	struct merge merge = { .options = options };
	json_t *root = NULL;
	int code = EXIT_USAGE;

	if (!check_out(options->out) && !merge_read(&merge)) {
		root = merge_manifest(&merge);
		if (!write_run(&merge, root))
			code = summary(&merge, root);
	}
	json_decref(root);
	merge_free(&merge);
	return code;
}
