// SPDX-License-Identifier: GPL-2.0-only
/* The page's second half: cells, what was left out, environment. */
#include <string.h>

#include "harness/report_format.h"
#include "harness/report_html.h"
#include "harness/report_page.h"

#define MAX_EXCLUDED 500 /* shown; the others are counted */

static const char *boot_text(const struct report_boot *boot, const char *key)
{
	const char *text = json_string_value(json_object_get(boot->json, key));

	return text ? text : "";
}

static long long boot_attempts(const struct report_boot *boot)
{
	return json_integer_value(json_object_get(boot->json, "attempts"));
}

/* before: the boot before this one, or NULL; the same proof is not shown twice. */
static void add_boot(struct strbuf *sb, const struct report_cell *cell,
		     const struct report_boot *boot, const struct report_boot *before)
{
	json_t *proof = json_object_get(boot->json, "proof");
	json_t *known = before ? json_object_get(before->json, "proof") : NULL;
	autofree char *text = json_dumps(proof, JSON_INDENT(2) | JSON_ENCODE_ANY);
	autofree char *path = xasprintf("cells/%s/%u/", cell->id, boot->index);
	autofree char *name = xasprintf("boot %u", boot->index);
	bool same = json_is_object(proof) && json_equal(proof, known);

	strbuf_addf(sb, "<p>");
	page_link(sb, path, name);
	strbuf_addf(sb, ": ");
	report_html_status(sb, boot_text(boot, "status"));
	if (boot_attempts(boot) > 1)
		strbuf_addf(sb, ", after %lld attempts", boot_attempts(boot));
	if (*boot_text(boot, "reason")) {
		strbuf_addf(sb, ": ");
		page_text(sb, boot_text(boot, "reason"));
	}
	strbuf_addf(sb, "%s</p>\n", same ? ", the same proof" : "");
	if (text && json_is_object(proof) && !same)
		page_element(sb, "pre", text);
}

static void add_cell(struct strbuf *sb, const struct report *report, const struct report_cell *cell)
{
	size_t throughput = report->scenarios[cell->scenario].throughput, retried = 0;

	for (size_t b = 0; b < cell->nr_boots; b++)
		retried += boot_attempts(&cell->boots[b]) > 1;
	/* Which figures a cell is in, for who computes them again. */
	strbuf_addf(sb, "<tr data-cell=\"");
	page_text(sb, cell->id);
	strbuf_addf(sb, "\" data-scenario=\"%zu\" data-of-series=\"", cell->scenario);
	page_text(sb, report->series[cell->series].label);
	strbuf_addf(sb, "\" data-load=\"%d\"><th scope=\"row\"><code>", throughput != NO_METRIC);
	page_text(sb, cell->id);
	strbuf_addf(sb, "</code></th><td data-label=\"status\">");
	report_html_status(sb, cell->status);
	strbuf_addf(sb,
		    "</td><td class=\"n\" data-label=\"boots that count\"><span>"
		    "<data data-of=\"boots-ok\" value=\"%zu\">%zu</data> of "
		    "<data data-of=\"boots\" value=\"%zu\">%zu</data>",
		    cell->nr_ok, cell->nr_ok, cell->nr_boots, cell->nr_boots);
	if (retried)
		strbuf_addf(sb,
			    "<small><data data-of=\"retried\" value=\"%zu\">%zu</data> "
			    "retried</small>",
			    retried, retried);
	strbuf_addf(sb, "</span></td><td class=\"block\">");
	if (cell->reason)
		page_element(sb, "p", cell->reason);
	if (cell->nr_boots) {
		strbuf_addf(sb, "<details><summary>proof that the mode was active, and the raw "
				"output</summary>\n");
		for (size_t b = 0; b < cell->nr_boots; b++)
			add_boot(sb, cell, &cell->boots[b], b ? &cell->boots[b - 1] : NULL);
		strbuf_addf(sb, "</details>");
	}
	strbuf_addf(sb, "</td></tr>\n");
}

static void add_left_out(struct strbuf *sb, const struct report *report)
{
	size_t nr = 0;

	for (size_t i = 0; i < report->nr_cells; i++) {
		const struct report_cell *cell = &report->cells[i];

		if (!strcmp(cell->status, "ok"))
			continue;
		strbuf_addf(sb, "%s<li>",
			    nr++ ? "" : "<p>Not everything has a result:</p>\n<ul>\n");
		report_html_status(sb, cell->status);
		strbuf_addf(sb, " <code>");
		page_text(sb, cell->id);
		strbuf_addf(sb, "</code>: ");
		page_text(sb, cell->reason ? cell->reason : "no reason given");
		strbuf_addf(sb, "</li>\n");
	}
	strbuf_addf(sb, nr ? "</ul>\n" : "<p>Every cell has a result.</p>\n");
}

static void add_cells(struct strbuf *sb, const struct report *report)
{
	add_left_out(sb, report);
	strbuf_addf(sb, "<table class=\"cards\">\n<thead><tr><th scope=\"col\">cell</th>"
			"<th scope=\"col\">status</th><th scope=\"col\" class=\"n\">boots that "
			"count</th><th scope=\"col\">reason, proof</th></tr></thead>\n<tbody>\n");
	for (size_t i = 0; i < report->nr_cells; i++)
		add_cell(sb, report, &report->cells[i]);
	strbuf_addf(sb, "</tbody></table>\n");
}

static void add_excluded(struct strbuf *sb, const struct report *report)
{
	size_t shown = report->nr_excluded < MAX_EXCLUDED ? report->nr_excluded : MAX_EXCLUDED;

	if (report->nr_unknown)
		strbuf_addf(sb,
			    "<p class=\"note\">%zu values in samples.csv belong to no boot of the "
			    "manifest and are left out.</p>\n",
			    report->nr_unknown);
	if (!shown)
		return;
	strbuf_addf(
		sb,
		"<h3>Values that do not count</h3>\n<p>Their boots are not ok: they are in no "
		"figure above.</p>\n<details><summary>%zu values</summary>\n"
		"<div class=\"wide\" role=\"region\" tabindex=\"0\" aria-label=\"Values that do "
		"not count\"><table id=\"excluded\">\n<thead><tr><th scope=\"col\">cell</th>"
		"<th scope=\"col\">boot</th><th scope=\"col\">boot is</th>"
		"<th scope=\"col\">metric</th><th scope=\"col\" class=\"n\">value</th></tr>"
		"</thead>\n<tbody>\n",
		report->nr_excluded);
	for (size_t i = 0; i < shown; i++) {
		const struct report_excluded *e = &report->excluded[i];
		autofree char *value = report_format(e->row->value, e->row->unit);

		strbuf_addf(sb, "<tr data-row=\"%zu\">", (size_t)(e->row - report->samples.rows));
		page_element(sb, "th scope=\"row\"", e->row->cell);
		strbuf_addf(sb, "<td>%u</td>", e->row->boot);
		page_element(sb, "td", e->status);
		page_element(sb, "td", e->row->metric);
		strbuf_addf(sb, "<td class=\"n\">");
		page_number(sb, "raw", e->row->value, value);
		strbuf_addf(sb, "</td></tr>\n");
	}
	strbuf_addf(sb, "</tbody></table></div>\n");
	if (shown < report->nr_excluded)
		strbuf_addf(sb, "<p>The first %zu of them; all are in samples.csv.</p>\n", shown);
	strbuf_addf(sb, "</details>\n");
}

/* A value of any type as text; texts without their quotes. */
static void add_json(struct strbuf *sb, const json_t *value)
{
	autofree char *text = NULL;

	if (json_is_string(value)) {
		page_text(sb, json_string_value(value));
		return;
	}
	text = json_dumps(value, JSON_ENCODE_ANY | JSON_REAL_PRECISION(15));
	page_element(sb, "code", text ? text : "");
}

static void add_row(struct strbuf *sb, const char *name, const json_t *value)
{
	strbuf_addf(sb, "<tr>");
	page_element(sb, "th scope=\"row\"", name);
	strbuf_addf(sb, "<td class=\"block\">");
	if (value && !json_is_null(value))
		add_json(sb, value);
	else
		strbuf_addf(sb, NO_VALUE);
	strbuf_addf(sb, "</td></tr>\n");
}

/* What the preflight warned of: figures may suffer from it. */
static void add_preflight(struct strbuf *sb, const json_t *preflight)
{
	const json_t *item;
	size_t i;

	json_array_foreach(json_object_get(preflight, "items"), i, item) {
		autofree char *name =
			xasprintf("warning: %s", json_string_value(json_object_get(item, "name")));

		if (json_object_get(item, "remedy") &&
		    !json_is_null(json_object_get(item, "remedy")))
			add_row(sb, name, json_object_get(item, "found"));
	}
}

void report_html_environment(struct strbuf *sb, const struct report *report)
{
	static const char *const keys[] = { "run_id",	"status", "started",
					    "finished", "where",  "git_revision" };
	json_t *environment = json_object_get(report->manifest, "environment");
	json_t *config = json_object_get(report->manifest, "config");
	autofree char *text = json_dumps(config, JSON_INDENT(2) | JSON_ENCODE_ANY);
	const char *key;
	json_t *value;
	size_t i;

	strbuf_addf(sb, "<section id=\"environment\">\n<h2>Environment</h2>\n"
			"<table class=\"cards\"><tbody>\n");
	for (i = 0; i < ARRAY_SIZE(keys); i++)
		add_row(sb, keys[i], json_object_get(report->manifest, keys[i]));
	json_object_foreach(environment, key, value) {
		if (!strcmp(key, "preflight"))
			add_preflight(sb, value);
		else
			add_row(sb, key, value);
	}
	json_array_foreach(json_object_get(report->manifest, "shards"), i, value) {
		autofree char *name =
			xasprintf("shard %lld", json_integer_value(json_object_get(value, "k")));

		add_row(sb, name, value);
	}
	strbuf_addf(sb, "</tbody></table>\n");
	if (text && config) {
		strbuf_addf(sb, "<details><summary>resolved configuration</summary>\n");
		page_element(sb, "pre", text);
		strbuf_addf(sb, "</details>\n");
	}
	strbuf_addf(sb, "</section>\n");
}

void report_html_cells(struct strbuf *sb, const struct report *report)
{
	strbuf_addf(sb, "<section id=\"cells\">\n<h2>Cells</h2>\n");
	add_cells(sb, report);
	add_excluded(sb, report);
	strbuf_addf(sb, "</section>\n");
}
