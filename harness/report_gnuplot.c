// SPDX-License-Identifier: GPL-2.0-only
/* Runs gnuplot. */
#include "harness/report_gnuplot.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "harness/log.h"
#include "harness/proc.h"

#define WIDTH 440	    /* narrow, so that its text can still be read on a phone */
#define GNUPLOT_LIMIT_S 60. /* a plot takes half a second */

char *gnuplot_label(const char *text, size_t max_chars)
{
	struct strbuf sb = { 0 };
	size_t chars = 0;

	strbuf_add(&sb, "", 0);
	for (; *text; text++) {
		bool inside = ((unsigned char)*text & 0xc0) == 0x80; /* of a UTF-8 sequence */

		if (!inside && ++chars > max_chars) {
			strbuf_addf(&sb, "…");
			break;
		}
		if ((unsigned char)*text >= 0x80 || (*text >= '0' && *text <= '9') ||
		    ((*text | 0x20) >= 'a' && (*text | 0x20) <= 'z') ||
		    strchr(" .,_=+/()-:<%", *text))
			strbuf_add(&sb, text, 1);
		else
			strbuf_add(&sb, "?", 1);
	}
	return sb.data;
}

/* Is it there at all? Asked once, for one message. */
static void probe(struct gnuplot *gnuplot)
{
	static const char *const argv[] = { "gnuplot", "--version", NULL };

	if (proc_run((char *const *)argv, GNUPLOT_LIMIT_S, NULL) != -ENOENT)
		return;
	gnuplot->missing = true;
	log_warn("gnuplot is missing, there are no plots: apt-get install gnuplot-nox");
}

/* Absolute, because gnuplot runs in the folder of the plots. */
static int absolute_path(const char *path, char **absolute)
{
	*absolute = realpath(path, NULL);
	if (*absolute)
		return 0;
	log_err("%s: %s", path, strerror(errno));
	return -EIO;
}

int gnuplot_open(struct gnuplot *gnuplot, const char *dir, const char *scripts_dir)
{
	autofree char *scripts = xasprintf("%s/plots", scripts_dir);
	int ret = mkdir_all(dir);

	*gnuplot = (struct gnuplot){ 0 };
	if (ret)
		log_err("%s: %s", dir, strerror(-ret));
	if (!ret)
		ret = absolute_path(dir, &gnuplot->dir);
	if (!ret)
		ret = absolute_path(scripts, &gnuplot->scripts);
	if (!ret)
		probe(gnuplot);
	return ret;
}

void gnuplot_close(struct gnuplot *gnuplot)
{
	free(gnuplot->dir);
	free(gnuplot->scripts);
	*gnuplot = (struct gnuplot){ 0 };
}

void gnuplot_job_free(struct gnuplot_job *job)
{
	free(job->title);
	free(job->axis);
	free(job->variables);
	free(job->data.data);
	*job = (struct gnuplot_job){ 0 };
}

/* What gnuplot printed, on one line. */
static char *one_line(const char *output)
{
	struct strbuf sb = { 0 };

	strbuf_add(&sb, "", 0);
	for (; output && *output; output++) {
		if ((unsigned char)*output > ' ')
			strbuf_add(&sb, output, 1);
		else if (sb.len && sb.data[sb.len - 1] != ' ')
			strbuf_add(&sb, " ", 1);
	}
	return sb.data;
}

static int run(const struct gnuplot *gnuplot, const struct gnuplot_job *job)
{
	autofree char *command = xasprintf(
		"name = '%s'; title = '%s'; axis = '%s'; width = %zu; height = %zu; %s", job->name,
		job->title, job->axis, WIDTH + job->wider, job->height, job->variables);
	autofree char *common = xasprintf("%s/common.gp", gnuplot->scripts), *output = NULL;
	autofree char *script = xasprintf("%s/%s.gp", gnuplot->scripts, job->script);
	const char *argv[] = { "env", "-C",    gnuplot->dir, "gnuplot", "--default-settings",
			       "-e",  command, common,	     script,	NULL };
	int ret = proc_run((char *const *)argv, GNUPLOT_LIMIT_S, &output);
	autofree char *said = one_line(output);

	if (ret && ret != -EINTR)
		log_err("plot %s: gnuplot failed (%s): %s", job->name, strerror(-ret), said);
	else if (*said)
		log_debug("plot %s: gnuplot says: %s", job->name, said);
	return ret;
}

int gnuplot_draw(const struct gnuplot *gnuplot, const struct gnuplot_job *job)
{
	autofree char *path = xasprintf("%s/%s.dat", gnuplot->dir, job->name);
	int ret = file_replace(path, job->data.data, job->data.len);

	if (ret) {
		log_err("%s: %s", path, strerror(-ret));
		return ret;
	}
	return gnuplot->missing ? -ENOENT : run(gnuplot, job);
}
