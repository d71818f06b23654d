// SPDX-License-Identifier: GPL-2.0-only
/* Pictures that workloads leave, within the page itself. */
#include "harness/report_picture.h"

#include <string.h>

#include "bench/registry.h"
#include "harness/report_html.h"
#include "harness/report_page.h"

#define MAX_BYTES (4 * MIB) /* of one: the page holds them all */
#define MAX_NOTE 400

void report_base64(struct strbuf *sb, const void *data, size_t len)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const unsigned char *bytes = data;

	for (size_t i = 0; i < len; i += 3) {
		size_t have = len - i < 3 ? len - i : 3;
		unsigned int bits = bytes[i] << 16U;
		char four[] = { '=', '=', '=', '=' };

		if (have > 1)
			bits |= bytes[i + 1] << 8U;
		if (have > 2)
			bits |= bytes[i + 2];
		for (unsigned int n = 0; n < 4; n++)
			if (n <= have)
				four[n] = digits[bits >> (18 - 6 * n) & 63];
		strbuf_add(sb, four, sizeof(four));
	}
}

/* A file of a boot's folder, to free, if it is a regular file of a sensible size; else NULL. */
static char *read_file(const char *path, size_t max, size_t *len)
{
	FILE *file = file_open_regular(path);
	char *data = file ? xzalloc(max + 1) : NULL;

	if (!file)
		return NULL;
	*len = fread(data, 1, max + 1, file);
	fclose(file);
	if (*len <= max) {
		data[*len] = '\0';
		return data;
	}
	free(data);
	return NULL;
}

/* What a boot left: the picture, if it is a PNG, and the words beside it. To free, or NULL. */
struct picture {
	char *png, *words;
	size_t len;
};

static void load(const struct report *report, const struct report_cell *cell, unsigned int boot,
		 const char *name, struct picture *picture)
{
	static const char magic[] = "\x89PNG\r\n\x1a\n";
	autofree char *path = xasprintf("%s/cells/%s/%u/%s", report->dir, cell->id, boot, name);
	autofree char *words = xasprintf("%s.txt", path);
	size_t len;

	*picture = (struct picture){ .words = read_file(words, MAX_NOTE, &len) };
	picture->png = read_file(path, MAX_BYTES, &picture->len);
	if (!picture->png || (picture->len > 8 && !memcmp(picture->png, magic, 8)))
		return;
	free(picture->png);
	picture->png = NULL;
}

static void add_figure(struct strbuf *sb, const struct report *report,
		       const struct report_cell *cell, unsigned int boot,
		       const struct picture *picture)
{
	strbuf_addf(sb, "<figure>\n");
	if (picture->png) {
		strbuf_addf(sb, "<img class=\"picture\" alt=\"");
		page_text(sb, picture->words ? picture->words : "what the display showed");
		strbuf_addf(sb, "\" src=\"data:image/png;base64,");
		report_base64(sb, picture->png, picture->len);
		strbuf_addf(sb, "\">\n");
	}
	strbuf_addf(sb, "<figcaption>");
	report_html_series(sb, report, cell->series);
	strbuf_addf(sb, ", ");
	page_text(sb, report->scenarios[cell->scenario].more);
	strbuf_addf(sb, ", boot %u: ", boot);
	page_text(sb, picture->words ? picture->words : "no word on it");
	strbuf_addf(sb, "</figcaption>\n</figure>\n");
}

/* True when the cell has something to show. */
static bool add_cell(struct strbuf *sb, const struct report *report, const struct report_cell *cell,
		     const char *name)
{
	for (size_t b = 0; b < cell->nr_boots; b++) {
		unsigned int boot = cell->boots[b].index;
		struct picture picture;
		bool found;

		load(report, cell, boot, name, &picture);
		found = picture.png || picture.words;
		if (found)
			add_figure(sb, report, cell, boot, &picture);
		free(picture.png);
		free(picture.words);
		if (found)
			return true;
	}
	return false;
}

void report_html_pictures(struct strbuf *sb, const struct report *report, size_t workload)
{
	const struct workload_ops *ops = registry_workload(report->workloads[workload].name);
	struct strbuf figures = { 0 };
	bool any = false;

	if (!ops || !ops->picture)
		return;
	for (size_t i = 0; i < report->nr_cells; i++)
		if (report->scenarios[report->cells[i].scenario].workload == workload)
			any |= add_cell(&figures, report, &report->cells[i], ops->picture);
	if (any)
		strbuf_addf(sb, "<h3>What was displayed</h3>\n<div class=\"plots\">\n%s</div>\n",
			    figures.data);
	free(figures.data);
}
