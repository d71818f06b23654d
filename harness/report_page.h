/* SPDX-License-Identifier: GPL-2.0-only */
/* Inside of the report: HTML without knowledge of what it shows. */
#ifndef HARNESS_REPORT_PAGE_H
#define HARNESS_REPORT_PAGE_H

#include "harness/util.h"

/* Text from outside, escaped for HTML's and XML's element content and quoted attributes. */
void page_text(struct strbuf *sb, const char *text);
/* The same between tags: <tag>text</tag>; open may have attributes ("td class=\"n\""). */
void page_element(struct strbuf *sb, const char *open, const char *text);

void page_start(struct strbuf *sb, const char *title);
void page_end(struct strbuf *sb);

/*
 * Puts gnuplot's SVG file into the page: scales with it, follows its colours, and its ids,
 * which gnuplot gives to every plot alike, get the prefix. 0 or -errno.
 */
int page_svg(struct strbuf *sb, const char *path, const char *prefix, const char *label);

#endif
