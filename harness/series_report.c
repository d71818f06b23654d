// SPDX-License-Identifier: GPL-2.0-only
/* The page about all runs of a series. */
#include <errno.h>
#include <string.h>

#include "bench/registry.h"
#include "harness/log.h"
#include "harness/report.h"
#include "harness/report_colour.h"
#include "harness/report_format.h"
#include "harness/report_html.h"
#include "harness/report_page.h"
#include "harness/series.h"
#include "harness/util.h"

/* The run of an experiment as far as it has come. */
struct part {
	const char *name;
	struct report report;
	bool loaded;
};

/* How many cells of a mode there are, how many are ok, and why the first other one is not. */
struct coverage {
	size_t nr, nr_ok;
	const char *status, *reason;
};

static struct coverage coverage_of(const struct report *report, const char *mode)
{
	struct coverage c = { 0 };

	for (size_t i = 0; i < report->nr_cells; i++) {
		const struct report_cell *cell = &report->cells[i];

		if (strcmp(cell->names.mode, mode) != 0)
			continue;
		c.nr++;
		if (!strcmp(cell->status, "ok")) {
			c.nr_ok++;
		} else if (!c.status) {
			c.status = cell->status;
			c.reason = cell->reason;
		}
	}
	return c;
}

static void add_coverage(struct strbuf *sb, const struct part *part, const char *mode)
{
	struct coverage c = { 0 };

	if (part->loaded)
		c = coverage_of(&part->report, mode);
	strbuf_addf(sb, "<td data-label=\"");
	page_text(sb, part->name);
	strbuf_addf(sb, "\"><span>");
	if (!c.nr)
		strbuf_addf(sb, NO_VALUE);
	else
		strbuf_addf(sb, "%zu of %zu cells", c.nr_ok, c.nr);
	if (c.status) {
		strbuf_addf(sb, "<small>");
		report_html_status(sb, c.status);
		strbuf_addf(sb, c.reason ? ": " : "");
		page_text(sb, c.reason ? c.reason : "");
		strbuf_addf(sb, "</small>");
	}
	strbuf_addf(sb, "</span></td>");
}

static bool is_anywhere(const struct part *parts, size_t nr, const char *mode)
{
	for (size_t i = 0; i < nr; i++)
		if (parts[i].loaded && coverage_of(&parts[i].report, mode).nr)
			return true;
	return false;
}

/* Every mode there is: nothing is left out in silence. */
static void add_modes(struct strbuf *sb, const struct part *parts, size_t nr)
{
	strbuf_addf(sb, "<section id=\"modes\">\n<h2>Which mode was measured where</h2>\n"
			"<div class=\"scroll\"><table class=\"cards\">\n<thead><tr>"
			"<th scope=\"col\">mode</th>");
	for (size_t i = 0; i < nr; i++)
		page_element(sb, "th scope=\"col\"", parts[i].name);
	strbuf_addf(sb, "</tr></thead>\n<tbody>\n");
	for (size_t m = 0; registry_modes[m]; m++) {
		const char *mode = registry_modes[m]->name;

		strbuf_addf(sb,
			    "<tr><th scope=\"row\"><span class=\"key\" "
			    "style=\"background:#%06x\"></span>",
			    report_place_colour(m, 0));
		page_text(sb, mode);
		strbuf_addf(sb, "</th>");
		if (!is_anywhere(parts, nr, mode))
			strbuf_addf(sb,
				    "<td class=\"block\" colspan=\"%zu\">in no experiment that "
				    "was begun</td>",
				    nr);
		else
			for (size_t i = 0; i < nr; i++)
				add_coverage(sb, &parts[i], mode);
		strbuf_addf(sb, "</tr>\n");
	}
	strbuf_addf(sb, "</tbody></table></div>\n</section>\n");
}

static void add_part(struct strbuf *sb, const struct part *part, size_t number)
{
	autofree char *path = xasprintf("%s/report.html", part->name);

	strbuf_addf(sb, "<section id=\"experiment-%zu\">\n", number);
	page_element(sb, "h2", part->name);
	if (!part->loaded) {
		strbuf_addf(sb, "\n<p>Not measured yet.</p>\n</section>\n");
		return;
	}
	strbuf_addf(sb, "\n<p>The whole report, with every plot: ");
	page_link(sb, path, part->name);
	strbuf_addf(sb, "</p>\n");
	if (strcmp(report_text(&part->report, "status"), "complete") != 0)
		strbuf_addf(sb, "<p class=\"note\"><strong>Not complete</strong> yet.</p>\n");
	if (part->report.nr_series)
		report_html_table(sb, &part->report);
	strbuf_addf(sb, "</section>\n");
}

static void add_contents(struct strbuf *sb, const struct part *parts, size_t nr)
{
	autofree struct page_section *sections = xzalloc((nr + 1) * sizeof(*sections));
	struct strlist ids = { 0 };

	sections[0] = (struct page_section){ "modes", "Modes" };
	for (size_t i = 0; i < nr; i++) {
		strlist_addf(&ids, "experiment-%zu", i + 1);
		sections[i + 1] = (struct page_section){ ids.items[i], parts[i].name };
	}
	page_contents(sb, sections, nr + 1);
	strlist_free(&ids);
}

static void add_page(struct strbuf *sb, const struct series *series, const struct part *parts)
{
	page_start(sb, series->name);
	strbuf_addf(sb, "<header>\n<p class=\"soft\">What each way of running the IOMMU costs, and "
			"what it gives back</p>\n");
	page_element(sb, "h1", series->name);
	strbuf_addf(sb, "\n");
	add_contents(sb, parts, series->nr);
	strbuf_addf(sb, "</header>\n");
	for (size_t i = 0; i < series->nr; i++) {
		if (!parts[i].loaded)
			continue;
		report_html_caveat(sb, &parts[i].report);
		break;
	}
	add_modes(sb, parts, series->nr);
	for (size_t i = 0; i < series->nr; i++)
		add_part(sb, &parts[i], i + 1);
	page_end(sb);
}

static int write_page(const struct series *series, const struct part *parts)
{
	autofree char *path = xasprintf("%s/report.html", series->dir);
	struct strbuf sb = { 0 };
	int ret;

	add_page(&sb, series, parts);
	ret = file_replace(path, sb.data, sb.len);
	if (ret)
		log_err("%s: %s", path, strerror(-ret));
	free(sb.data);
	return ret;
}

int series_report(const struct series *series)
{
	autofree struct part *parts = xzalloc((series->nr + 1) * sizeof(*parts));
	int ret = 0;

	for (size_t i = 0; !ret && i < series->nr; i++) {
		autofree char *manifest = xasprintf("%s/manifest.json", series->items[i].dir);

		parts[i].name = series->items[i].exp->name;
		if (!file_exists(manifest))
			continue;
		ret = report_load(series->items[i].dir, &parts[i].report);
		parts[i].loaded = true;
	}
	if (!ret)
		ret = write_page(series, parts);
	for (size_t i = 0; i < series->nr; i++)
		report_free(&parts[i].report);
	return ret;
}

int series_report_again(const char *dir, const char *scripts_dir)
{
	struct series series = { 0 };
	int ret = series_resume(dir, &series);

	for (size_t i = 0; i < series.nr && !ret; i++) {
		autofree char *manifest = xasprintf("%s/manifest.json", series.items[i].dir);

		if (file_exists(manifest))
			ret = report_write(series.items[i].dir, scripts_dir);
	}
	if (!ret)
		ret = series_report(&series);
	series_free(&series);
	return ret;
}
