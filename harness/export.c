// SPDX-License-Identifier: GPL-2.0-only
/* A run's results for other tools: the formats there are, and what they share. */
#include "harness/export.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "harness/export_format.h"
#include "harness/log.h"
#include "harness/run.h"

static const struct export_format *const formats[] = {
	&export_csv,
	&export_json,
	&export_junit,
	&export_openmetrics,
};

void export_print_formats(FILE *out)
{
	for (size_t i = 0; i < ARRAY_SIZE(formats); i++)
		fprintf(out, "  %-12s %s\n", formats[i]->name, formats[i]->help);
}

const char *export_status(const struct report_cell *cell)
{
	bool invalid = !strcmp(cell->status, "invalid");

	if (!strcmp(cell->status, "skipped"))
		return "skipped";
	for (size_t b = 0; b < cell->nr_boots; b++)
		invalid |= !strcmp(cell->boots[b].status, "invalid");
	if (invalid)
		return "invalid";
	if (!strcmp(cell->status, "ok") && cell->nr_boots && cell->nr_ok == cell->nr_boots)
		return "ok";
	return "failed";
}

const char *export_reason(const struct report_cell *cell)
{
	const char *reason = cell->reason;

	for (size_t b = 0; b < cell->nr_boots && (!reason || !*reason); b++)
		if (!cell->boots[b].ok)
			reason = json_string_value(json_object_get(cell->boots[b].json, "reason"));
	if (!reason || !*reason)
		reason = cell->nr_boots ? "no reason given" : "not run";
	return reason;
}

bool export_is_complete(const struct report *report)
{
	return !strcmp(report_text(report, "status"), "complete");
}

const char *export_fingerprint(const struct report *report)
{
	json_t *environment = json_object_get(report->manifest, "environment");
	const char *text = json_string_value(json_object_get(environment, "fingerprint"));

	return text ? text : "";
}

void export_flush(struct strbuf *sb, FILE *out)
{
	fwrite(sb->data, 1, sb->len, out);
	sb->len = 0;
}

static const struct export_format *find_format(const char *name)
{
	const char *names[ARRAY_SIZE(formats)], *near;

	for (size_t i = 0; i < ARRAY_SIZE(formats); i++) {
		if (!strcmp(name, formats[i]->name))
			return formats[i];
		names[i] = formats[i]->name;
	}
	near = nearest_name(name, names, ARRAY_SIZE(names));
	log_err("export: no format '%s'%s%s%s: see 'iommubench export --help'", name,
		near ? "; did you mean '" : "", near ? near : "", near ? "'" : "");
	return NULL;
}

static int cannot_write(const char *where, int err)
{
	log_err("export: cannot write %s: %s", where, strerror(err));
	return -err;
}

static int write_stream(const struct export_format *format, const struct report *report, FILE *out,
			const char *where)
{
	int ret = format->write(report, out);

	errno = EIO; /* ferror() does not say which */
	if (!ret && (fflush(out) || ferror(out)))
		ret = cannot_write(where, errno);
	return ret;
}

/* To a file beside it first, which then takes its place. */
static int write_file(const struct export_format *format, const struct report *report,
		      const char *path)
{
	autofree char *tmp = xasprintf("%s.tmp", path);
	struct stat st;
	bool direct = !stat(path, &st) && !S_ISREG(st.st_mode); /* a device is not replaced */
	FILE *file = fopen(direct ? path : tmp, "we");
	int ret;

	if (!file)
		return cannot_write(path, errno);
	ret = write_stream(format, report, file, path);
	if (!ret && !direct && fsync(fileno(file)))
		ret = cannot_write(path, errno);
	if (fclose(file) && !ret)
		ret = cannot_write(path, errno);
	if (!ret && !direct && rename(tmp, path))
		ret = cannot_write(path, errno);
	if (ret && !direct)
		unlink(tmp);
	return ret;
}

int export_command(const struct export_options *options, FILE *out)
{
	const struct export_format *format = find_format(options->format);
	struct report report;
	int ret;

	if (!format)
		return EXIT_USAGE;
	ret = report_load(options->run, &report);
	if (!ret) {
		if (!export_is_complete(&report))
			log_warn("%s: the run is not complete: its status is '%s'", options->run,
				 report_text(&report, "status"));
		ret = options->out ? write_file(format, &report, options->out)
				   : write_stream(format, &report, out, "to stdout");
	}
	report_free(&report);
	return ret ? EXIT_USAGE : EXIT_OK;
}
