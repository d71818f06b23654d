/* SPDX-License-Identifier: GPL-2.0-only */
/* Small made-up runs, "run" in the test's folder, and their reports. */
#ifndef TESTS_MADE_REPORT_H
#define TESTS_MADE_REPORT_H

#include "tests/capture.h"

#include <stdlib.h>

#include "harness/report.h"

#define SCRIPTS "scripts"
#define HEADER "cell,mode,device,workload,variant,boot,metric,unit,direction,value\n"

/* A run in the making: cells of the manifest, rows of the samples. */
struct made {
	struct strbuf cells, rows;
	bool share_vm;
};

static inline void add_cell(struct made *made, const char *mode, const char *workload,
			    const char *variant, const char *status, const char *boots)
{
	bool ok = !strcmp(status, "ok");

	strbuf_addf(&made->cells,
		    "%s{\"id\": \"%s.nvme.%s%s%s\", \"mode\": \"%s\", \"device\": \"nvme\", "
		    "\"workload\": \"%s\", \"variant\": \"%s\", \"status\": \"%s\", "
		    "\"reason\": %s, \"boots\": [%s]}",
		    made->cells.len ? "," : "", mode, workload, *variant ? "." : "", variant, mode,
		    workload, variant, status, ok ? "null" : "\"because of <this> & \\\"that\\\"\"",
		    boots);
}

#define BOOT(n, status)                                                    \
	"{\"boot\": " #n ", \"status\": \"" status "\", \"attempts\": 1, " \
	"\"reason\": null, \"proof\": {\"group\": \"DMA\"}}"
#define THREE_BOOTS BOOT(0, "ok") "," BOOT(1, "ok") "," BOOT(2, "ok")

struct names {
	const char *mode, *workload, *variant;
};
#define CELL(...) (&(const struct names){ __VA_ARGS__ })

static inline void add_value(struct made *made, const struct names *cell, unsigned int boot,
			     const char *metric, const char *unit, double value)
{
	strbuf_addf(&made->rows, "%s.nvme.%s%s%s,%s,nvme,%s,%s,%u,%s,%s,none,%.12g\n", cell->mode,
		    cell->workload, *cell->variant ? "." : "", cell->variant, cell->mode,
		    cell->workload, cell->variant, boot, metric, unit, value);
}

/* A rate of which more is better. */
static inline void add_rate(struct made *made, const struct names *cell, unsigned int boot,
			    const char *metric, double value)
{
	strbuf_addf(&made->rows, "%s.nvme.%s%s%s,%s,nvme,%s,%s,%u,%s,ops/s,higher,%.12g\n",
		    cell->mode, cell->workload, *cell->variant ? "." : "", cell->variant,
		    cell->mode, cell->workload, cell->variant, boot, metric, value);
}

/* Three boots of fio: values around the medians. */
static inline void add_fio(struct made *made, const char *mode, double iops, double p99_s)
{
	static const double spread[] = { 1.1, 1, 0.9 };

	for (unsigned int b = 0; b < ARRAY_SIZE(spread); b++) {
		add_value(made, CELL(mode, "fio", ""), b, "read_iops", "ops/s",
			  iops * spread[b] * 0.75);
		add_value(made, CELL(mode, "fio", ""), b, "write_iops", "ops/s",
			  iops * spread[b] * 0.25);
		add_value(made, CELL(mode, "fio", ""), b, "lat_p99_s", "s", p99_s * spread[b]);
		add_value(made, CELL(mode, "fio", ""), b, "vm_create_s", "s", 0.5);
	}
}

static inline char *path_of(const char *name)
{
	return xasprintf("%s/run/%s", capture_dir, name);
}

static inline void put(const char *name, const char *text)
{
	autofree char *path = path_of(name), *dir = xstrdup(path);

	*strrchr(dir, '/') = '\0';
	assert_int_equal(mkdir_all(dir), 0);
	assert_int_equal(file_write(path, text, true), 0);
}

static inline char *get(const char *name)
{
	autofree char *path = path_of(name);
	char *text = file_read(path, NULL);

	if (!text)
		fail_msg("no %s", name);
	return text;
}

static inline void put_run(struct made *made, const char *status, const char *where)
{
	autofree char *manifest = xasprintf(
		"{\"schema\": 1, \"run_id\": \"r1\", \"name\": \"<script>alert(1)</script>\", "
		"\"status\": \"%s\", \"started\": \"2026-01-31T23:59:59Z\", \"finished\": null, "
		"\"where\": \"%s\", \"git_revision\": \"abc\", \"config\": {\"name\": \"<b>\", "
		"\"share_vm\": %s}, "
		"\"environment\": {\"cpu\": \"<img src=x>\", \"mitigations\": {\"a\": \"<u>\"}, "
		"\"fingerprint\": \"00ff\"}, \"cells\": [%s]}",
		status, where, made->share_vm ? "true" : "false",
		made->cells.data ? made->cells.data : "");
	autofree char *samples = xasprintf(HEADER "%s", made->rows.data ? made->rows.data : "");

	put("manifest.json", manifest);
	put("samples.csv", samples);
	free(made->cells.data);
	free(made->rows.data);
}

static inline int clean(void **state)
{
	autofree char *dir = xasprintf("%s/run", capture_dir);

	return remove_all(dir);
}

/* Writes the report and reads it back. */
static inline char *report(void)
{
	autofree char *dir = xasprintf("%s/run", capture_dir), *said = NULL;
	int ret;

	capture_begin();
	ret = report_write(dir, SCRIPTS);
	said = capture_end();
	if (ret)
		fail_msg("report_write: %d: %s", ret, said);
	return get("report.html");
}

static inline char *table(void)
{
	autofree char *dir = xasprintf("%s/run", capture_dir);
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	assert_int_equal(report_print_table(dir, out), 0);
	fclose(out);
	return text;
}

static inline void assert_lacks(const char *text, const char *part)
{
	if (strstr(text, part))
		fail_msg("'%s' in '%s'", part, text);
}

static inline bool have_gnuplot(void)
{
	return system("gnuplot --version >/dev/null 2>&1") == 0;
}

/* What people read of a page, to free: without tags, style and plots. */
static inline char *words_of(const char *html)
{
	const char *p = strstr(html, "<body>");
	struct strbuf sb = { 0 };

	for (strbuf_add(&sb, "", 0); p && *p; p++) {
		if (!strncmp(p, "<svg ", 5))
			p = strstr(p, "</svg>");
		if (*p == '<')
			p = strchr(p, '>');
		else
			strbuf_add(&sb, p, 1);
	}
	return sb.data;
}

#endif
