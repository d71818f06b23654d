// SPDX-License-Identifier: GPL-2.0-only
/*
 * OpenMetrics 1.0 text, in what it has in common with Prometheus' own text format, so that
 * node_exporter's textfile collector and the pushgateway take it, too: gauges only (a run's
 * results do not count up), no time stamps. A metric's name becomes iommubench_NAME with its unit
 * spelt out; what labels tell apart is the cell and the statistic over its boots.
 */
#include <errno.h>
#include <math.h>
#include <string.h>
#include <time.h>

#include "harness/export_format.h"
#include "harness/log.h"
#include "harness/samples_format.h"

#define PREFIX "iommubench_"

/* Units that OpenMetrics has a word for, and how our metrics' names end in them. */
static const struct unit {
	const char *unit, *suffix, *word;
} units[] = {
	{ "s", "_s", "seconds" },
	{ "bytes", "_bytes", "bytes" },
	{ "bytes/s", "_bytes_per_s", "bytes_per_second" },
	{ "ratio", "_ratio", "ratio" },
};

static const struct unit *find_unit(const char *unit)
{
	for (size_t i = 0; i < ARRAY_SIZE(units); i++)
		if (!strcmp(unit, units[i].unit))
			return &units[i];
	return NULL;
}

/* The length of the name without the suffix. */
static size_t stem(const char *name, const char *suffix)
{
	size_t len = strlen(name), end = strlen(suffix);

	return len > end && !strcmp(name + len - end, suffix) ? len - end : len;
}

/* PREFIX, the name in the characters that are allowed, and the unit in full. To free. */
static char *family_name(const struct report_metric *metric)
{
	const struct unit *unit = find_unit(metric->unit);
	const char *suffix = unit ? unit->suffix : "_per_s", *name = metric->name;
	size_t len = stem(name, suffix);
	struct strbuf sb = { 0 };

	strbuf_addf(&sb, PREFIX);
	for (size_t i = 0; i < len; i++) {
		bool alnum = (name[i] >= '0' && name[i] <= '9') ||
			     ((name[i] | 0x20) >= 'a' && (name[i] | 0x20) <= 'z');

		strbuf_add(&sb, alnum ? &name[i] : "_", 1);
	}
	if (unit)
		strbuf_addf(&sb, "_%s", unit->word);
	else if (name[len])
		strbuf_addf(&sb, "_per_second");
	return sb.data;
}

/* Escaped as label values are; control characters have no business in any. */
static void add_escaped(struct strbuf *sb, const char *text)
{
	while (*text) {
		size_t control = *text == '\n' ? 0 : control_bytes(text);

		if (control)
			strbuf_addf(sb, "?");
		else if (*text == '\n')
			strbuf_addf(sb, "\\n");
		else if (*text == '"' || *text == '\\')
			strbuf_addf(sb, "\\%c", *text);
		else
			strbuf_add(sb, text, 1);
		text += control ? control : 1;
	}
}

static void add_label(struct strbuf *sb, const char *name, const char *value)
{
	strbuf_addf(sb, "%s%s=\"", sb->len && sb->data[sb->len - 1] == '{' ? "" : ",", name);
	add_escaped(sb, value);
	strbuf_addf(sb, "\"");
}

static void add_cell_labels(struct strbuf *sb, const char *family, const struct report_cell *cell)
{
	strbuf_addf(sb, "%s{", family);
	add_label(sb, "cell", cell->id);
	add_label(sb, "mode", cell->names.mode);
	add_label(sb, "device", cell->names.device);
	add_label(sb, "workload", cell->names.workload);
	add_label(sb, "variant", cell->names.variant);
}

static void add_family(struct strbuf *sb, const char *family, const char *unit, const char *help)
{
	strbuf_addf(sb, "# TYPE %s gauge\n", family);
	if (unit)
		strbuf_addf(sb, "# UNIT %s %s\n", family, unit);
	strbuf_addf(sb, "# HELP %s ", family);
	add_escaped(sb, help);
	strbuf_addf(sb, "\n");
}

static void add_time(struct strbuf *sb, const struct report *report, const char *key)
{
	autofree char *family = xasprintf(PREFIX "run_%s_timestamp_seconds", key);
	autofree char *help = xasprintf("When the run %s, in Unix time.", key);
	struct tm tm = { 0 };
	const char *end = strptime(report_text(report, key), "%Y-%m-%dT%H:%M:%SZ", &tm);

	if (!end || *end)
		return; /* not finished yet */
	add_family(sb, family, "seconds", help);
	strbuf_addf(sb, "%s %lld\n", family, (long long)timegm(&tm));
}

static void add_run(struct strbuf *sb, const struct report *report)
{
	static const char *const keys[] = { "run_id", "name", "status", "where", "git_revision" };

	add_family(sb, PREFIX "run_info", NULL, "Which run this is; always 1.");
	strbuf_addf(sb, PREFIX "run_info{");
	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		add_label(sb, keys[i], report_text(report, keys[i]));
	add_label(sb, "fingerprint", export_fingerprint(report));
	strbuf_addf(sb, "} 1\n");
	add_family(sb, PREFIX "run_complete", NULL, "1 if the run came to its end, else 0.");
	strbuf_addf(sb, PREFIX "run_complete %d\n", export_is_complete(report));
	add_time(sb, report, "started");
	add_time(sb, report, "finished");
}

static void add_cells(struct strbuf *sb, const struct report *report)
{
	const char *status = PREFIX "cell_status", *boots = PREFIX "cell_boots";

	if (!report->nr_cells)
		return;
	add_family(sb, status, NULL, "Always 1; the label says ok, skipped, failed or invalid.");
	for (size_t i = 0; i < report->nr_cells; i++) {
		add_cell_labels(sb, status, &report->cells[i]);
		add_label(sb, "status", export_status(&report->cells[i]));
		strbuf_addf(sb, "} 1\n");
	}
	add_family(sb, boots, NULL, "Boots that count (ok) and that do not (not_ok).");
	for (size_t i = 0; i < report->nr_cells; i++) {
		const struct report_cell *cell = &report->cells[i];

		add_cell_labels(sb, boots, cell);
		strbuf_addf(sb, ",result=\"ok\"} %zu\n", cell->nr_ok);
		add_cell_labels(sb, boots, cell);
		strbuf_addf(sb, ",result=\"not_ok\"} %zu\n", cell->nr_boots - cell->nr_ok);
	}
}

static void add_value(struct strbuf *sb, const char *family, const struct report_cell *cell,
		      const char *statistic, double value)
{
	add_cell_labels(sb, family, cell);
	add_label(sb, "stat", statistic);
	strbuf_addf(sb, "} ");
	sample_add_number(sb, value);
	strbuf_addf(sb, "\n");
}

static void add_metric(struct strbuf *sb, const struct report *report, size_t m, const char *family)
{
	const struct report_metric *metric = &report->metrics[m];
	const struct unit *unit = find_unit(metric->unit);
	autofree char *better =
		metric->direction == DIRECTION_NONE
			? xstrdup("")
			: xasprintf("; %s is better", direction_name(metric->direction));
	autofree char *help = xasprintf("%s over the boots that are ok, in %s%s.", metric->name,
					metric->unit, better);
	bool any = false;

	for (size_t i = 0; i < report->nr_cells; i++) {
		const struct report_cell *cell = &report->cells[i];
		struct report_stat stat = report_stat(cell, m);

		if (!stat.nr || !isfinite(stat.median))
			continue;
		if (!any)
			add_family(sb, family, unit ? unit->word : NULL, help);
		any = true;
		add_value(sb, family, cell, "median", stat.median);
		add_value(sb, family, cell, "min", stat.min);
		add_value(sb, family, cell, "max", stat.max);
	}
}

/* Two names may become one when characters are replaced, or be one of the run's own. */
static int claim_name(json_t *taken, const char *family, const char *metric)
{
	const char *other = json_string_value(json_object_get(taken, family));

	if (!other) {
		json_object_set_new(taken, family, json_string(metric));
		return 0;
	}
	log_err("export: in OpenMetrics both %s and %s would be %s: take another format", other,
		metric, family);
	return -EINVAL;
}

/* The metrics' names here, from the first one that is not computed on. */
static int name_families(const struct report *report, struct strlist *names)
{
	static const char *const own[] = { "run_info",
					   "run_complete",
					   "run_started_timestamp_seconds",
					   "run_finished_timestamp_seconds",
					   "cell_status",
					   "cell_boots" };
	json_t *taken = json_object();
	int ret = 0;

	for (size_t i = 0; i < ARRAY_SIZE(own); i++) {
		autofree char *family = xasprintf(PREFIX "%s", own[i]);

		json_object_set_new(taken, family, json_string(own[i]));
	}
	for (size_t m = 1; m < report->nr_metrics && !ret; m++) {
		autofree char *family = family_name(&report->metrics[m]);

		ret = claim_name(taken, family, report->metrics[m].name);
		strlist_add(names, family);
	}
	json_decref(taken);
	return ret;
}

static int write_openmetrics(const struct report *report, FILE *out)
{
	struct strlist names = { 0 };
	struct strbuf sb = { 0 };
	int ret = name_families(report, &names);

	if (!ret) {
		add_run(&sb, report);
		add_cells(&sb, report);
		for (size_t m = 1; m < report->nr_metrics; m++) {
			add_metric(&sb, report, m, names.items[m - 1]);
			export_flush(&sb, out);
		}
		strbuf_addf(&sb, "# EOF\n");
		export_flush(&sb, out);
	}
	free(sb.data);
	strlist_free(&names);
	return ret;
}

const struct export_format export_openmetrics = {
	.name = "openmetrics",
	.help = "medians as gauges, for Prometheus (node_exporter's textfile collector)",
	.write = write_openmetrics,
};
