// SPDX-License-Identifier: GPL-2.0-only
/* HTML: escaping, the page's frame and style, SVG in the page. */
#include "harness/report_page.h"

#include <errno.h>
#include <string.h>

/*
 * The last rules of .plot recolour gnuplot's ink, faint lines and paper, by the values that
 * scripts/plots/common.gp gives them, in both of the ways in which gnuplot writes a colour.
 */
static const char style[] =
	":root{color-scheme:light dark;--ink:#1d2327;--soft:#59636b;--line:#d5dade;--page:#fff;"
	"--card:#f5f7f8;--warn:#8a4b00;--warn-card:#fff4e0;--bad:#a4262c;--good:#0b6b3a;"
	"--link:#0a5ea8}\n"
	"@media(prefers-color-scheme:dark){:root{--ink:#e4e8eb;--soft:#a3adb5;--line:#3b444b;"
	"--page:#14181b;--card:#1e2428;--warn:#ffc069;--warn-card:#33270f;--bad:#ff8f8f;"
	"--good:#6fd39b;--link:#7ab8f5}}\n"
	"*{box-sizing:border-box}\n"
	"body{margin:0 auto;padding:1rem 1.25rem 3rem;max-width:74rem;background:var(--page);"
	"color:var(--ink);font:16px/1.5 system-ui,sans-serif;overflow-wrap:anywhere}\n"
	"h1{font-size:1.6rem;line-height:1.2;margin:.3rem 0}\n"
	"h2{font-size:1.2rem;margin:2.2rem 0 .6rem;border-bottom:1px solid var(--line)}\n"
	"h3{font-size:1rem;margin:1.4rem 0 .4rem}\n"
	"a{color:var(--link)}\n"
	".soft,small,figcaption{color:var(--soft)}\n"
	"small,figcaption{font-size:.85rem}\n"
	".note{margin:.8rem 0;padding:.55rem .8rem;border-left:4px solid var(--warn);"
	"background:var(--warn-card);border-radius:0 4px 4px 0}\n"
	".answer{margin:.8rem 0;padding:0;list-style:none}\n"
	".answer li{margin:.45rem 0;padding-left:1.35rem;position:relative}\n"
	".answer .key{position:absolute;left:0;top:.38rem}\n"
	".key{display:inline-block;width:.8rem;height:.8rem;border-radius:2px;"
	"vertical-align:-.05rem;margin-right:.45rem}\n"
	"table{border-collapse:collapse;width:100%;font-size:.92rem}\n"
	"th,td{padding:.35rem .6rem;text-align:left;vertical-align:top;"
	"border-bottom:1px solid var(--line)}\n"
	"th{font-weight:600;vertical-align:bottom}\n"
	"td.n,th.n{text-align:right;font-variant-numeric:tabular-nums;overflow-wrap:normal}\n"
	"td small{display:block}\n"
	"#summary td:first-child{white-space:nowrap}#summary small{font-size:.92em}\n"
	".wide,.scroll{overflow-x:auto}\n"
	".wide td,.wide th{white-space:nowrap}\n"
	".status{font-weight:600}\n"
	".ok{color:var(--good)}.bad{color:var(--bad)}\n"
	"details{margin:.2rem 0}\n"
	"summary{cursor:pointer}\n"
	"code,pre{font:.85rem/1.4 ui-monospace,monospace}\n"
	"pre{margin:.3rem 0;padding:.5rem;background:var(--card);white-space:pre-wrap;"
	"border-radius:4px}\n"
	".plots{display:grid;gap:1rem;align-items:start;"
	"grid-template-columns:repeat(auto-fit,minmax(min(100%,28rem),1fr))}\n"
	"figure{margin:0;padding:.6rem;background:var(--card);border-radius:6px;"
	"break-inside:avoid}\n"
	".plot{display:block;width:100%;max-width:31rem;height:auto;margin:0 auto}\n"
	".plot [color=black]{color:var(--ink)}\n"
	".plot [fill=black],.plot [fill=\"rgb(68,68,69)\"]{fill:var(--ink)}\n"
	".plot [stroke=\"rgb(68,68,69)\"],.plot [stroke=\"rgb( 68,  68,  69)\"]"
	"{stroke:var(--ink)}\n"
	".plot [color=\"rgb(68,68,69)\"],.plot [color=\"rgb( 68,  68,  69)\"]"
	"{color:var(--ink)}\n"
	".plot [stroke=\"rgb(200,200,201)\"],.plot [stroke=\"rgb(200, 200, 201)\"]"
	"{stroke:var(--line)}\n"
	".plot [fill=\"#fefefe\"]{fill:none}\n"
	"@media(max-width:64rem){#summary{font-size:.8rem}"
	"#summary td,#summary th{padding:.3rem .35rem}}\n"
	"@media screen and (max-width:44rem){#summary{font-size:.92rem}body{padding:.7rem .8rem 2rem}"
	".cards thead{display:none}.cards,.cards tbody,.cards tr{display:block}"
	".cards tr{padding:.5rem 0;border-bottom:1px solid var(--line)}"
	".cards td,.cards td.n{display:flex;justify-content:space-between;gap:1rem;"
	"padding:.12rem 0;border:0;text-align:right}"
	".cards td::before{content:attr(data-label);color:var(--soft);text-align:left}"
	".cards td:first-child{display:block;text-align:left;font-weight:600}"
	".cards td:first-child::before,.cards td.block::before{content:none}"
	".cards td.block{display:block;text-align:left}"
	"#summary.cards td{padding:.12rem 0}"
	".cards td small{display:inline;margin-left:.4rem}figure{padding:.3rem}}\n"
	"@media print{:root{color-scheme:light;--ink:#000;--soft:#444;--line:#ccc;--page:#fff;"
	"--card:#fff;--warn:#8a4b00;--warn-card:#fff;--bad:#a4262c;--good:#0b6b3a;--link:#000}"
	"*{print-color-adjust:exact;-webkit-print-color-adjust:exact}"
	"body{max-width:none;padding:0;font-size:10pt}#summary{font-size:8pt}"
	".scroll{overflow:visible}tr{break-inside:avoid}"
	"h2,h3{break-after:avoid}.plots{display:block}figure{margin-bottom:6mm}"
	".plot{max-width:150mm}}\n";

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

void page_start(struct strbuf *sb, const char *title)
{
	strbuf_addf(sb,
		    "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
		    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
		    "style-src 'unsafe-inline'\">\n"
		    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n");
	page_element(sb, "title", title);
	strbuf_addf(sb, "\n<style>\n%s</style>\n</head>\n<body>\n", style);
}

void page_end(struct strbuf *sb)
{
	strbuf_addf(sb, "</body>\n</html>\n");
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

int page_svg(struct strbuf *sb, const char *path, const char *prefix, const char *label)
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
	copy_svg(sb, body + 1, prefix);
	return 0;
}
