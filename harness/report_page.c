// SPDX-License-Identifier: GPL-2.0-only
/* HTML: escaping, the page's frame and style, SVG in the page. */
#include "harness/report_page.h"

#include <errno.h>
#include <math.h>
#include <string.h>

/* U+FFFE and U+FFFF, which neither HTML nor XML has. */
static bool is_noncharacter(const char *text)
{
	return !strncmp(text, "\xef\xbf\xbe", 3) || !strncmp(text, "\xef\xbf\xbf", 3);
}

void page_text(struct strbuf *sb, const char *text)
{
	for (; *text; text++) {
		if (is_noncharacter(text)) {
			text += 2;
			continue;
		}
		switch (*text) {
		case '&':
			strbuf_add(sb, "&amp;", 5);
			break;
		case '<':
			strbuf_add(sb, "&lt;", 4);
			break;
		case '>':
			strbuf_add(sb, "&gt;", 4);
			break;
		case '"':
			strbuf_add(sb, "&quot;", 6);
			break;
		case '\'':
			strbuf_add(sb, "&#39;", 5);
			break;
		default:
			if ((unsigned char)*text >= ' ' || *text == '\n' || *text == '\t')
				strbuf_add(sb, text, 1);
		}
	}
}

void page_element(struct strbuf *sb, const char *open, const char *text)
{
	strbuf_addf(sb, "<%s>", open);
	page_text(sb, text);
	strbuf_addf(sb, "</%.*s>", (int)strcspn(open, " "), open);
}

void page_link(struct strbuf *sb, const char *path, const char *text)
{
	strbuf_addf(sb, "<a href=\"");
	for (; *path; path++) {
		bool plain = (*path >= '0' && *path <= '9') ||
			     ((*path | 0x20) >= 'a' && (*path | 0x20) <= 'z') ||
			     strchr("-._~/", *path);

		strbuf_addf(sb, plain ? "%c" : "%%%02X", (unsigned char)*path);
	}
	strbuf_addf(sb, "\">");
	page_text(sb, text);
	strbuf_addf(sb, "</a>");
}

/* The icon: without one a browser asks the server for it. */
void page_start(struct strbuf *sb, const char *title)
{
	strbuf_addf(sb,
		    "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
		    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
		    "style-src 'unsafe-inline'; img-src data:\">\n"
		    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
		    "<meta name=\"color-scheme\" content=\"light dark\">\n"
		    "<link rel=\"icon\" href=\"data:,\">\n");
	page_element(sb, "title", title);
	strbuf_addf(sb, "\n<style>\n%s</style>\n</head>\n<body>\n<main>\n", page_style);
}

void page_end(struct strbuf *sb)
{
	strbuf_addf(sb, "</main>\n<footer class=\"soft\">Written by iommubench. This page is one "
			"file: it loads nothing and runs nothing.</footer>\n</body>\n</html>\n");
}

void page_contents(struct strbuf *sb, const struct page_section *sections, size_t nr)
{
	strbuf_addf(sb, "<nav aria-label=\"Contents\"><ul>");
	for (size_t i = 0; i < nr; i++) {
		strbuf_addf(sb, "\n<li><a href=\"#%s\">", sections[i].id);
		page_text(sb, sections[i].title);
		strbuf_addf(sb, "</a></li>");
	}
	strbuf_addf(sb, "</ul></nav>\n");
}

void page_number(struct strbuf *sb, const char *of, double value, const char *text)
{
	if (isfinite(value))
		strbuf_addf(sb, "<data data-of=\"%s\" value=\"%.17g\">", of, value);
	page_text(sb, text);
	if (isfinite(value))
		strbuf_addf(sb, "</data>");
}

void page_badge(struct strbuf *sb, const char *verdict)
{
	strbuf_addf(sb, "<span class=\"badge ");
	for (const char *p = verdict; *p; p++)
		strbuf_add(sb, *p == ' ' ? "-" : p, 1);
	strbuf_addf(sb, "\">");
	page_text(sb, verdict);
	strbuf_addf(sb, "</span>");
}

static bool starts_with(const char *text, const char *start)
{
	return !strncmp(text, start, strlen(start));
}

/* Elements that a browser would show as a tip over the plot ("Gnuplot"). */
static size_t skip_note(const char *p)
{
	const char *end = NULL;

	if (starts_with(p, "<title>"))
		end = strstr(p, "</title>");
	else if (starts_with(p, "<desc>"))
		end = strstr(p, "</desc>");
	return end ? (size_t)(strchr(end, '>') + 1 - p) : 0;
}

static void copy_svg(struct strbuf *sb, const char *p, const char *prefix)
{
	static const char *const ids[] = { " id=\"", " id='", "href='#", "href=\"#", "url(#" };

	while (*p) {
		size_t len = skip_note(p);
		bool is_id = false;

		if (len) {
			p += len;
			continue;
		}
		for (size_t i = 0; i < ARRAY_SIZE(ids) && !is_id; i++) {
			is_id = starts_with(p, ids[i]);
			if (is_id)
				len = strlen(ids[i]);
		}
		if (!is_id)
			len = 1;
		strbuf_add(sb, p, len);
		if (is_id)
			strbuf_addf(sb, "%s-", prefix);
		p += len;
	}
}

int page_svg(struct strbuf *sb, const char *path, const char *prefix, const char *label,
	     const char *description)
{
	autofree char *text = file_read(path, NULL);
	const char *view, *body;

	if (!text)
		return -errno;
	view = strstr(text, "viewBox=\"");
	body = view ? strchr(view, '>') : NULL;
	if (!body)
		return -EINVAL;
	strbuf_addf(sb,
		    "<svg class=\"plot\" role=\"img\" xmlns=\"http://www.w3.org/2000/svg\" "
		    "xmlns:xlink=\"http://www.w3.org/1999/xlink\" %.*s\" aria-label=\"",
		    (int)strcspn(view + 9, "\"") + 9, view);
	page_text(sb, label);
	strbuf_addf(sb, "\">\n");
	page_element(sb, "desc", description);
	copy_svg(sb, body + 1, prefix);
	return 0;
}
