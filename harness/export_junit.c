// SPDX-License-Identifier: GPL-2.0-only
/*
 * JUnit's XML as Jenkins and GitLab read it: a test case a cell, and one for the run's end. An
 * invalid cell is a failure, one that failed is an error. tests/data/junit.xsd has what is used.
 */
#include <math.h>
#include <string.h>

#include "harness/export_format.h"
#include "harness/report_page.h"
#include "harness/samples_format.h"

#define MAX_DEPTH 3 /* of the environment's objects */

struct counts {
	size_t nr_skipped, nr_failures, nr_errors;
};

static struct counts count(const struct report *report)
{
	struct counts counts = { .nr_errors = !export_is_complete(report) };

	for (size_t i = 0; i < report->nr_cells; i++) {
		const char *status = export_status(&report->cells[i]);

		counts.nr_skipped += !strcmp(status, "skipped");
		counts.nr_failures += !strcmp(status, "invalid");
		counts.nr_errors += !strcmp(status, "failed");
	}
	return counts;
}

static void add_attribute(struct strbuf *sb, const char *name, const char *value)
{
	strbuf_addf(sb, " %s=\"", name);
	page_text(sb, value);
	strbuf_addf(sb, "\"");
}

static void add_property(struct strbuf *sb, const char *name, const char *value)
{
	strbuf_addf(sb, "      <property");
	add_attribute(sb, "name", name);
	add_attribute(sb, "value", value);
	strbuf_addf(sb, "/>\n");
}

/* Texts and numbers below a member of the manifest, under names like environment.lab.cpus. */
static void add_members(struct strbuf *sb, const char *name, json_t *json, int depth)
{
	autofree char *number = NULL;
	const char *key;
	json_t *value;

	if (json_is_string(json)) {
		add_property(sb, name, json_string_value(json));
	} else if (json_is_number(json) || json_is_boolean(json)) {
		number = json_dumps(json, JSON_ENCODE_ANY);
		add_property(sb, name, number ? number : "");
	} else if (json_is_object(json) && depth < MAX_DEPTH) {
		json_object_foreach(json, key, value) {
			autofree char *below = xasprintf("%s.%s", name, key);

			add_members(sb, below, value, depth + 1);
		}
	}
}

static void add_properties(struct strbuf *sb, const struct report *report)
{
	static const char *const keys[] = { "run_id", "status",	      "started",    "finished",
					    "where",  "git_revision", "environment" };

	strbuf_addf(sb, "    <properties>\n");
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		add_members(sb, keys[i], json_object_get(report->manifest, keys[i]), 0);
	strbuf_addf(sb, "    </properties>\n");
}

/* From QEMU's start to the end of what was measured, of all boots. */
static double duration_s(const struct report_cell *cell)
{
	double sum = 0;

	for (size_t b = 0; b < cell->nr_boots; b++) {
		const json_t *window = json_object_get(cell->boots[b].json, "window_s");
		double end_s = json_number_value(json_array_get(window, 1));

		if (end_s > 0)
			sum += end_s;
	}
	return sum;
}

/* Where there is no place for figures, they are what the test printed. */
static void add_output(struct strbuf *sb, const struct report *report,
		       const struct report_cell *cell)
{
	bool any = false;

	for (size_t m = 1; m < report->nr_metrics; m++) {
		const struct report_metric *metric = &report->metrics[m];
		struct report_stat stat = report_stat(cell, m);

		if (!stat.nr || !isfinite(stat.median))
			continue;
		strbuf_addf(sb, any ? "" : "      <system-out>");
		any = true;
		page_text(sb, metric->name);
		strbuf_addf(sb, ": ");
		sample_add_number(sb, stat.median);
		strbuf_addf(sb, " ");
		page_text(sb, metric->unit);
		strbuf_addf(sb, " (median of %zu; ", stat.nr);
		sample_add_number(sb, stat.min);
		strbuf_addf(sb, " to ");
		sample_add_number(sb, stat.max);
		strbuf_addf(sb, ")\n");
	}
	if (any)
		strbuf_addf(sb, "</system-out>\n");
}

static void add_verdict(struct strbuf *sb, const char *status, const char *reason)
{
	static const char *const elements[][2] = { { "skipped", "skipped" },
						   { "invalid", "failure" },
						   { "failed", "error" } };

	for (size_t i = 0; i < ARRAY_SIZE(elements); i++) {
		if (strcmp(status, elements[i][0]) != 0)
			continue;
		strbuf_addf(sb, "      <%s", elements[i][1]);
		add_attribute(sb, "type", status);
		add_attribute(sb, "message", reason);
		strbuf_addf(sb, ">");
		page_text(sb, reason); /* once more: GitLab does not show the attribute */
		strbuf_addf(sb, "</%s>\n", elements[i][1]);
	}
}

static void write_cell(struct strbuf *sb, const struct report *report,
		       const struct report_cell *cell, const char *suite)
{
	strbuf_addf(sb, "    <testcase");
	add_attribute(sb, "name", cell->id);
	add_attribute(sb, "classname", suite);
	strbuf_addf(sb, " time=\"%.3f\">\n", duration_s(cell));
	add_verdict(sb, export_status(cell), export_reason(cell));
	add_output(sb, report, cell);
	strbuf_addf(sb, "    </testcase>\n");
}

/* A run that was broken off has fewer boots than it should, which no cell knows. */
static void write_end(struct strbuf *sb, const struct report *report, const char *suite)
{
	autofree char *reason =
		xasprintf("the run is not complete: its status is '%s'; iommubench run --resume "
			  "goes on with it",
			  report_text(report, "status"));

	strbuf_addf(sb, "    <testcase name=\"the run is complete\"");
	add_attribute(sb, "classname", suite);
	strbuf_addf(sb, ">\n");
	add_verdict(sb, export_is_complete(report) ? "ok" : "failed", reason);
	strbuf_addf(sb, "    </testcase>\n");
}

static int write_junit(const struct report *report, FILE *out)
{
	const char *name = report_text(report, "name");
	/* The same every night, so that a server's history joins them. */
	autofree char *suite = xasprintf("iommubench.%s", *name ? name : "run");
	struct counts counts = count(report);
	struct strbuf sb = { 0 };

	strbuf_addf(&sb, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n  <testsuite");
	add_attribute(&sb, "name", suite);
	strbuf_addf(&sb, " tests=\"%zu\" failures=\"%zu\" errors=\"%zu\" skipped=\"%zu\"",
		    report->nr_cells + 1, counts.nr_failures, counts.nr_errors, counts.nr_skipped);
	add_attribute(&sb, "timestamp", report_text(report, "started"));
	strbuf_addf(&sb, ">\n");
	add_properties(&sb, report);
	for (size_t i = 0; i < report->nr_cells; i++) {
		write_cell(&sb, report, &report->cells[i], suite);
		export_flush(&sb, out);
	}
	write_end(&sb, report, suite);
	strbuf_addf(&sb, "  </testsuite>\n</testsuites>\n");
	export_flush(&sb, out);
	free(sb.data);
	return 0;
}

const struct export_format export_junit = {
	.name = "junit",
	.help = "a test case a cell, for CI servers: invalid is a failure, failed an error",
	.write = write_junit,
};
