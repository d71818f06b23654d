/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * HTML without knowledge of what it shows: what the pages of reports, comparisons and trends
 * share. A page is one file: its policy forbids it to load or to run anything.
 *
 *	page_start(&sb, title);        head, style, <body>
 *	... <header>, <h1>, page_contents(), <section id="..."><h2>
 *	page_end(&sb);                 footer, </body>
 *
 * Classes that the style has: `note` (a caveat), `soft` (less important text), `answer` (a list
 * of sentences), `key` (a mode's colour), `plots` around figures; for tables `cards` (a row
 * becomes a card on a phone; cells name themselves with data-label), in a `scroll`, and `wide`
 * around one that scrolls sideways even there; `n` for numbers; `status ok` and `status bad`; and
 * page_badge().
 */
#ifndef HARNESS_REPORT_PAGE_H
#define HARNESS_REPORT_PAGE_H

#include "harness/util.h"

/* The style sheet: report_style.c. */
extern const char page_style[];

/* Text from outside, escaped for HTML's and XML's element content and quoted attributes. */
void page_text(struct strbuf *sb, const char *text);
/* The same between tags: <tag>text</tag>; open may have attributes ("td class=\"n\""). */
void page_element(struct strbuf *sb, const char *open, const char *text);
/* A link to a file below the page's folder, any name: escaped as a path of an URL. */
void page_link(struct strbuf *sb, const char *path, const char *text);

/* Also <main>, which page_end() closes. */
void page_start(struct strbuf *sb, const char *title);
void page_end(struct strbuf *sb);

/* The table of contents: links to the sections of the page. */
struct page_section {
	const char *id; /* of the section: letters, digits, '-' */
	const char *title;
};
void page_contents(struct strbuf *sb, const struct page_section *sections, size_t nr);

/*
 * A figure: as text, and as it is for programs: <data data-of="OF" value="VALUE">. What it is of
 * (data-cell or data-series, data-metric) is said by the elements around it. Not finite: just
 * the text.
 */
void page_number(struct strbuf *sb, const char *of, double value, const char *text);

/* A coloured word: regression, improvement, no change, inconclusive, acknowledged. No other. */
void page_badge(struct strbuf *sb, const char *verdict);

/*
 * Puts gnuplot's SVG file into the page: scales with it, follows its colours, and its ids,
 * which gnuplot gives to every plot alike, get the prefix. 0 or -errno.
 */
int page_svg(struct strbuf *sb, const char *path, const char *prefix, const char *label,
	     const char *description);

#endif
