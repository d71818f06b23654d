/* SPDX-License-Identifier: GPL-2.0-only */
/* Walks through a report's HTML, and compares what it finds with figures.h. */
#ifndef TESTS_FIGURES_PAGE_H
#define TESTS_FIGURES_PAGE_H

#include <ctype.h>

#include "tests/figures_line.h"

/* What the elements around a figure say of it; an inner one goes before an outer one. */
struct fig_element {
	char tag[16];
	const char *attributes; /* up to '>' */
	bool numbers;		/* a table's cell for numbers */
};

struct fig_page {
	struct figures *f;
	struct fig_element stack[64];
	size_t depth;
	FILE *out; /* what is wrong */
};

static inline void fig_wrong(struct fig_page *page, const char *what, const char *at)
{
	page->f->nr_wrong++;
	fprintf(page->out, "%s: %.160s\n", what, at);
}

/* An attribute of one element, unescaped, to free; or NULL. */
static inline char *fig_attribute_of(const struct fig_element *element, const char *name)
{
	static const struct {
		const char *entity;
		char c;
	} entities[] = { { "&lt;", '<' },
			 { "&gt;", '>' },
			 { "&amp;", '&' },
			 { "&quot;", '"' },
			 { "&#39;", '\'' } };
	autofree char *start = xasprintf(" %s=\"", name);
	const char *at = strstr(element->attributes, start),
		   *end = strchr(element->attributes, '>');
	struct strbuf sb = { 0 };

	if (!at || at > end)
		return NULL;
	strbuf_add(&sb, "", 0);
	for (at += strlen(start); *at != '"'; at++) {
		size_t e = 0;

		while (e < ARRAY_SIZE(entities) &&
		       strncmp(at, entities[e].entity, strlen(entities[e].entity)) != 0)
			e++;
		strbuf_add(&sb, e < ARRAY_SIZE(entities) ? &entities[e].c : at, 1);
		at += e < ARRAY_SIZE(entities) ? strlen(entities[e].entity) - 1 : 0;
	}
	return sb.data;
}

static inline char *fig_attribute(const struct fig_page *page, const char *name)
{
	char *value = NULL;

	for (size_t i = page->depth; i > 0 && !value; i--)
		value = fig_attribute_of(&page->stack[i - 1], name);
	return value;
}

/* The power of ten or of 1024, or the part of a second, that a text's unit stands for. */
static inline double fig_unit(const char *unit)
{
	static const struct {
		const char *unit;
		double factor;
	} units[] = { { " KiB", 0x1p10 }, { " MiB", 0x1p20 }, { " GiB", 0x1p30 },
		      { " TiB", 0x1p40 }, { " ms", 1e-3 },    { " µs", 1e-6 },
		      { " ns", 1e-9 },	  { " k", 1e3 },      { " M", 1e6 },
		      { " G", 1e9 },	  { " T", 1e12 },     { " %", 1e-2 } };

	for (size_t i = 0; i < ARRAY_SIZE(units); i++)
		if (!strncmp(unit, units[i].unit, strlen(units[i].unit)))
			return units[i].factor;
	return 1;
}

/* Does the text say this value, as far as its digits go? */
static inline bool fig_reads(const char *text, double value)
{
	char *end;
	double shown = strtod(text, &end), digit = 1, factor = fig_unit(end);
	const char *point = memchr(text, '.', (size_t)(end - text));
	const char *exponent = memchr(text, 'e', (size_t)(end - text));

	if (!strncmp(text, "&lt;0.01", 8))
		return value > 0 && value < 0.005;
	if (end == text)
		return false;
	if (point)
		digit = pow(10, -(double)((exponent ? exponent : end) - point - 1));
	if (exponent)
		digit *= pow(10, strtod(exponent + 1, NULL));
	return fabs(shown * factor - value) <= 0.5000001 * digit * factor;
}

static inline double fig_boots(const struct fig_cell *cell, const char *of)
{
	double nr = 0;
	json_t *boot;
	size_t i;

	json_array_foreach(cell->boots, i, boot) {
		if (!strcmp(of, "boots-ok"))
			nr += !strcmp(json_string_value(json_object_get(boot, "status")), "ok");
		else if (!strcmp(of, "retried"))
			nr += json_integer_value(json_object_get(boot, "attempts")) > 1;
		else
			nr++;
	}
	return nr;
}

static inline double fig_pick(const struct fig_ratio *ratio, const char *of)
{
	return !strcmp(of, "low") ? ratio->low : !strcmp(of, "high") ? ratio->high : ratio->ratio;
}

static inline double fig_of_cell(struct figures *f, const struct fig_cell *cell, const char *metric,
				 const char *of)
{
	struct fig_values values;
	struct fig_ratio ratio;

	if (!strncmp(of, "boots", 5) || !strcmp(of, "retried"))
		return fig_boots(cell, of);
	values = fig_values(f, cell, metric);
	if (!strcmp(of, "median"))
		return fig_median(values.v, values.nr);
	fig_median(values.v, values.nr); /* sorts */
	if (!strcmp(of, "min"))
		return values.v[0];
	if (!strcmp(of, "max"))
		return values.v[values.nr - 1];
	ratio = fig_cell_ratio(f, cell, metric);
	return fig_pick(&ratio, of);
}

static inline double fig_of_series(struct figures *f, const char *series, const char *metric,
				   const char *of)
{
	struct fig_ratio ratio;
	double nr = 0;

	for (size_t i = 0; i < f->nr_cells; i++)
		if (!strncmp(of, "boots", 5) && !strcmp(f->cells[i].series, series))
			nr += fig_boots(&f->cells[i], of);
	if (!strncmp(of, "boots", 5))
		return nr;
	if (!strcmp(of, "value"))
		return fig_series_value(f, series, metric);
	ratio = fig_series_ratio(f, series, metric);
	return fig_pick(&ratio, of);
}

/* Of a line: the tables that say what x is. */
static inline double fig_of_line(struct fig_page *page, const char *x, const char *of)
{
	autofree char *workload = fig_attribute(page, "data-workload");
	autofree char *device = fig_attribute(page, "data-device");
	autofree char *series = fig_attribute(page, "data-series");
	autofree char *y = fig_attribute(page, "data-metric");
	autofree char *per = fig_attribute(page, "data-per"),
		      *far = fig_attribute(page, "data-far");
	struct figures *f = page->f;
	struct fig_points points = { .nr = 0 };

	if (!workload || !device || !series || !y || !per || !far)
		return NAN;
	for (size_t i = 0; i < f->nr_cells; i++)
		if (!strcmp(f->cells[i].series, series) &&
		    !strcmp(fig_field(f, f->cells[i].id, 2), device) &&
		    !strcmp(fig_field(f, f->cells[i].id, 3), workload))
			fig_add_points(f, &f->cells[i], x, y, &points);
	return fig_line(&points, strtod(per, NULL), strtod(far, NULL), of);
}

/* What a figure has to be; NAN: the page does not say what it is of. */
static inline double fig_expected(struct fig_page *page, const char *of)
{
	autofree char *cell_id = fig_attribute(page, "data-cell");
	autofree char *series = fig_attribute(page, "data-series");
	autofree char *metric = fig_attribute(page, "data-metric");
	autofree char *row = fig_attribute(page, "data-row");
	autofree char *x = fig_attribute(page, "data-x");
	const struct fig_cell *cell = cell_id ? fig_cell(page->f, cell_id) : NULL;

	if (x)
		return fig_of_line(page, x, of);
	if (!strcmp(of, "raw"))
		return row ? page->f->rows[strtoul(row, NULL, 10)].value : NAN;
	if (cell)
		return fig_of_cell(page->f, cell, metric ? metric : "", of);
	return series ? fig_of_series(page->f, series, metric ? metric : "", of) : NAN;
}

static inline void fig_check(struct fig_page *page, const struct fig_element *data,
			     const char *text)
{
	autofree char *of = fig_attribute_of(data, "data-of");
	autofree char *value_text = fig_attribute_of(data, "value");
	double value = value_text ? strtod(value_text, NULL) : NAN;
	double expected = of ? fig_expected(page, of) : NAN;

	page->f->nr_seen++;
	if (!(fabs(value - expected) <= 1e-12 * fabs(expected))) {
		autofree char *what = xasprintf("computed %.17g, the page has", expected);

		fig_wrong(page, what, data->attributes);
	}
	if (!fig_reads(text, value))
		fig_wrong(page, "the text says another figure", data->attributes);
}

/* The page says which cells belong together: rows of the table of cells. */
static inline void fig_note_cell(struct fig_page *page, const struct fig_element *element)
{
	autofree char *scenario = fig_attribute_of(element, "data-scenario");
	autofree char *id = fig_attribute_of(element, "data-cell");
	autofree char *load = fig_attribute_of(element, "data-load");
	struct fig_cell *cell = id ? fig_cell(page->f, id) : NULL;

	if (!scenario || !cell)
		return;
	cell->series = fig_attribute_of(element, "data-of-series");
	cell->scenario = strtol(scenario, NULL, 10);
	cell->load = load && !strcmp(load, "1");
	cell->known = true;
}

/* Goes through the page; calls for each start of an element, and for each figure if check. */
static inline void fig_walk(struct fig_page *page, const char *html, bool check)
{
	static const char *const lone[] = { "meta", "link", "img", "!DOCTYPE" };

	for (const char *p = strchr(html, '<'); p; p = strchr(p, '<')) {
		struct fig_element *element = &page->stack[page->depth];
		size_t len = strcspn(++p, " >\n/");
		bool skip = false;

		if (*p == '/') { /* an end: of the innermost one? */
			const char *tag = page->depth ? element[-1].tag : "";

			if (strncmp(p + 1, tag, strlen(tag)) != 0 || !page->depth)
				fig_wrong(page, "ends what is not open", p);
			page->depth -= page->depth > 0;
			continue;
		}
		if (!strncmp(p, "svg ", 4) || !strncmp(p, "style>", 6)) {
			p = strstr(p, *p == 's' && p[1] == 'v' ? "</svg>" : "</style>") + 2;
			continue;
		}
		for (size_t i = 0; i < ARRAY_SIZE(lone); i++)
			skip |= !strncmp(p, lone[i], strlen(lone[i]));
		if (skip || page->depth + 1 == ARRAY_SIZE(page->stack))
			continue;
		*element = (struct fig_element){ .attributes = p };
		snprintf(element->tag, sizeof(element->tag), "%.*s", (int)len, p);
		element->numbers =
			!strncmp(p, "td class=\"n\"", 12) ||
			(page->depth && element[-1].numbers && strncmp(p, "data", 4) != 0);
		page->depth++;
		if (!check)
			fig_note_cell(page, element);
		else if (!strcmp(element->tag, "data"))
			fig_check(page, element, strchr(p, '>') + 1);
		else if (element->numbers)
			for (const char *t = strchr(p, '>'); *t != '<'; t++)
				if (isdigit((unsigned char)*t))
					fig_wrong(page, "a number that is no figure", p);
	}
	if (page->depth)
		fig_wrong(page, "is left open", page->stack[page->depth - 1].attributes);
}

/* The plots' data: "# CELL METRIC BASE", then a row "y median min max ...". */
static inline void fig_check_plot(struct fig_page *page, const char *text)
{
	for (const char *p = strstr(text, "# "); p; p = strstr(p + 1, "# ")) {
		char id[512], metric[256], base_id[512], *at = strchr(p, '\n');
		double shown[4] = { NAN }, scale = 1, expected[3]; /* shown: y, and the three */
		const struct fig_cell *cell, *base;

		for (size_t i = 0; i < ARRAY_SIZE(shown) && at; i++)
			shown[i] = strtod(at, &at);
		if (sscanf(p, "# %511s %255s %511s", id, metric, base_id) != 3 ||
		    !(cell = fig_cell(page->f, id))) {
			fig_wrong(page, "a plot's row that belongs to no cell", p);
			continue;
		}
		base = fig_cell(page->f, base_id);
		if (base)
			scale = fig_of_cell(page->f, base, metric, "median");
		expected[0] = fig_of_cell(page->f, cell, metric, "median") / scale;
		expected[1] = fig_of_cell(page->f, cell, metric, "min") / scale;
		expected[2] = fig_of_cell(page->f, cell, metric, "max") / scale;
		page->f->nr_seen++;
		for (size_t i = 0; i < 3; i++)
			if (!(fabs(shown[i + 1] - expected[i]) <= 1e-8 * fabs(expected[i])))
				fig_wrong(page, "a plot shows something else", p);
	}
}

/* Checks the run's report.html. How many figures are right; *nr_wrong are not, said on out. */
static inline size_t figures_check(const char *dir, size_t *nr_wrong, FILE *out)
{
	autofree char *folder = xasprintf("%s/plots", dir);
	struct strlist plots = { 0 };
	autofree char *path = xasprintf("%s/report.html", dir), *html = file_read(path, NULL);
	const char *first = html ? strstr(html, "<tr data-series=\"") : NULL;
	struct figures f;
	struct fig_page page = { .f = &f, .out = out };

	if (!fig_load(&f, dir) || !html || !first) {
		fig_wrong(&page, "cannot read the report, or it has no figures", dir);
	} else {
		page.stack[0].attributes = first + 1;
		f.baseline = fig_attribute_of(&page.stack[0], "data-series");
		fig_walk(&page, html, false);
		for (size_t i = 0; i < f.nr_cells; i++)
			if (!f.cells[i].known)
				fig_wrong(&page, "the page leaves out a cell", f.cells[i].id);
		page.depth = 0;
		if (!f.nr_wrong)
			fig_walk(&page, html, true);
		dir_names(folder, &plots);
		for (size_t i = 0; i < plots.nr; i++) {
			autofree char *data = xasprintf("%s/%s", folder, plots.items[i]);
			size_t len = strlen(data);
			autofree char *text = len > 4 && !strcmp(data + len - 4, ".dat")
						      ? file_read(data, NULL)
						      : NULL;

			fig_check_plot(&page, text ? text : "");
		}
		strlist_free(&plots);
	}
	fig_free(&f);
	*nr_wrong = f.nr_wrong;
	return f.nr_seen - (f.nr_wrong < f.nr_seen ? f.nr_wrong : f.nr_seen);
}

#endif
