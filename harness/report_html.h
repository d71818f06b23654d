/* SPDX-License-Identifier: GPL-2.0-only */
/* Inside of the report: the parts of its page. */
#ifndef HARNESS_REPORT_HTML_H
#define HARNESS_REPORT_HTML_H

#include "harness/report_data.h"
#include "harness/util.h"

/* What was run, what was left out and why, where, and how to read it. */
void report_html_run(struct strbuf *sb, const struct report *report);

#endif
