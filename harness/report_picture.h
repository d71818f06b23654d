/* SPDX-License-Identifier: GPL-2.0-only */
/* Pictures that workloads leave (workload_ops.picture), in the page. */
#ifndef HARNESS_REPORT_PICTURE_H
#define HARNESS_REPORT_PICTURE_H

#include "harness/report_data.h"
#include "harness/util.h"

/* The standard alphabet, padded (RFC 4648, 4). */
void report_base64(struct strbuf *sb, const void *data, size_t len);

/*
 * For each cell of a workload the picture of its first boot that has one, with what it says of it,
 * or why there is none. Nothing for workloads that take no pictures.
 */
void report_html_pictures(struct strbuf *sb, const struct report *report, size_t workload);

#endif
