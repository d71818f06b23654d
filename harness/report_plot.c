// SPDX-License-Identifier: GPL-2.0-only
/* The plots: which there are, and gnuplot that draws them. */
#include "harness/report_plot.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#include "harness/log.h"
#include "harness/proc.h"
#include "harness/util.h"

#define WIDTH 440	    /* narrow, so that its text can still be read on a phone */
#define GNUPLOT_LIMIT_S 60. /* a plot takes half a second */
#define SPREAD "Median of the boots; the line spans lowest to highest, a circle is a boot. "

/* One plot to draw: its data, and what its script wants to know. */
struct job {
	const char *name, *script, *caption;
	char *title;
	struct strbuf data;
	char *variables; /* for gnuplot: "rows = 3; ..." */
	size_t height;
};

struct drawing {
	const struct report *report;
	char *scripts, *dir; /* absolute */
	struct report_plots *plots;
	int ret;
};

/* Only such text may become part of a gnuplot command: report_plot_label() leaves no quote. */
static char *job_command(const struct job *job)
{
	return xasprintf("name = '%s'; title = '%s'; width = %d; height = %zu; %s", job->name,
			 job->title, WIDTH, job->height, job->variables);
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

static int run_gnuplot(const struct drawing *drawing, const struct job *job)
{
	autofree char *command = job_command(job), *output = NULL;
	autofree char *common = xasprintf("%s/common.gp", drawing->scripts);
	autofree char *script = xasprintf("%s/%s.gp", drawing->scripts, job->script);
	const char *argv[] = { "env", "-C",    drawing->dir, "gnuplot", "--default-settings",
			       "-e",  command, common,	     script,	NULL };
	int ret = proc_run((char *const *)argv, GNUPLOT_LIMIT_S, &output);
	autofree char *said = one_line(output);

	if (ret && ret != -EINTR)
		log_err("plot %s: gnuplot failed (%s): %s", job->name, strerror(-ret), said);
	else if (*said)
		log_debug("plot %s: gnuplot says: %s", job->name, said);
	return ret;
}

static int draw(const struct drawing *drawing, const struct job *job)
{
	autofree char *path = xasprintf("%s/%s.dat", drawing->dir, job->name);
	int ret = file_replace(path, job->data.data, job->data.len);

	if (ret) {
		log_err("%s: %s", path, strerror(-ret));
		return ret;
	}
	return drawing->plots->no_gnuplot ? -ENOENT : run_gnuplot(drawing, job);
}

/* Draws the job if it has data, notes the plot, and frees the job's memory. */
static void finish_job(struct drawing *drawing, struct job *job, bool has_data)
{
	struct report_plots *plots = drawing->plots;

	if (has_data && plots->nr < MAX_PLOTS) {
		struct report_plot *plot = &plots->items[plots->nr++];

		*plot = (struct report_plot){ job->name, job->title, job->caption, 0 };
		plot->error = draw(drawing, job);
		if (plot->error && !drawing->ret && !plots->no_gnuplot)
			drawing->ret = plot->error == -EINTR ? -EINTR : -EIO;
		job->title = NULL;
	}
	free(job->title);
	free(job->variables);
	free(job->data.data);
}

static void plot_relative(struct drawing *drawing, const char *name, const char *what,
			  const char *metric, const char *caption)
{
	const struct report *report = drawing->report;
	struct job job = { .name = name, .script = "bars", .caption = caption };
	size_t rows, m = metric ? report_metric(report, metric) : METRIC_THROUGHPUT;
	bool any = report_plot_bars(report, m, true, &job.data, &rows);
	autofree char *base = any ? report_plot_label(report->series[0].label) : NULL;

	job.title = xasprintf("%s, as a multiple of %s", what, base);
	job.variables = xasprintf("rows = %zu; reference = 1; tics = '%%g'", rows);
	job.height = 74 + rows * 20;
	finish_job(drawing, &job, any);
}

#define OPERATION \
	"An operation is an I/O, a request, a transaction, a packet, or 1 KiB of a stream. "

/* A bar a cell, of a metric as it is; nothing if the run has none of it. */
struct bars {
	const char *name, *metric, *title, *caption, *tics;
};

static void plot_metric(struct drawing *drawing, const struct bars *bars)
{
	const struct report *report = drawing->report;
	struct job job = { .name = bars->name,
			   .script = "bars",
			   .caption = bars->caption,
			   .title = xstrdup(bars->title) };
	size_t rows;
	bool any = report_plot_bars(report, report_metric(report, bars->metric), false, &job.data,
				    &rows);

	job.variables = xasprintf("rows = %zu; reference = 0; tics = '%s'", rows, bars->tics);
	job.height = 74 + rows * 20;
	finish_job(drawing, &job, any);
}

static const struct bars instructions = {
	.name = "instructions_per_op",
	.metric = "lab_instructions_per_op",
	.title = "Emulated instructions per operation",
	.caption = SPREAD "Guest, host kernel and QEMU together, counted by the emulator: a busy "
			  "machine changes it least. " OPERATION "Less is better.",
	.tics = "%.0s %c",
};

/* What has these, network cells, shows them after what all cells have. */
static const struct bars network[] = {
	{ "exits_per_packet", "vm_exits_per_packet", "VM exits per packet",
	  SPREAD "Packets as the NIC counts them. Less is better.", "%g" },
	{ "pin_requests_per_packet", "pin_requests_per_packet", "Requests for pins per packet",
	  SPREAD "Only coIOMMU makes such requests. Less is better.", "%g" },
	{ "cpu_per_gbit", "host_cpu_s_per_gbit", "CPU time of QEMU per gigabit",
	  SPREAD "Guest time included. Less is better.", "%g" },
	{ "cpu_per_op", "host_cpu_s_per_op", "CPU time of QEMU per operation",
	  SPREAD "Guest time included. " OPERATION "Less is better.", "%.0s %c" },
	{ "pinned_peak", "pinned_peak_bytes", "Pinned guest memory while running, peak",
	  SPREAD "Less is better.", "%.0s %c" },
};

static void plot_exits(struct drawing *drawing)
{
	struct job job = {
		.name = "exits_per_op",
		.script = "stack",
		.caption = "Median of the boots, split by the reason of the exit. Less is better.",
		.title = xstrdup("VM exits per operation"),
	};
	size_t rows, parts;
	bool any = report_plot_exits(drawing->report, &job.data, &rows, &parts);

	job.variables = xasprintf("rows = %zu; parts = %zu; axis = ''", rows, parts);
	job.height = 84 + rows * 20 + (parts + 2) / 3 * 18;
	finish_job(drawing, &job, any);
}

static void plot_stages(struct drawing *drawing)
{
	struct job job = {
		.name = "creation",
		.script = "stack",
		.caption = "Median of the boots, from the start of QEMU until the guest's agent "
			   "answers. Pinning at start delays what comes before \"VM created\".",
		.title = xstrdup("Time until the VM is ready"),
	};
	size_t rows, parts;
	bool any = report_plot_stages(drawing->report, &job.data, &rows, &parts);

	job.variables = xasprintf("rows = %zu; parts = %zu; axis = 'seconds since QEMU started'",
				  rows, parts);
	job.height = 96 + rows * 22 + (parts + 2) / 3 * 18;
	finish_job(drawing, &job, any);
}

static void plot_pinned(struct drawing *drawing)
{
	struct job job = {
		.name = "pinned",
		.script = "lines",
		.caption = "One typical boot of each mode. The axis is logarithmic: a grid line up "
			   "is four times the memory. Where lines meet, the wider one lies below.",
		.title = xstrdup("Pinned guest memory over time"),
	};
	struct strbuf colours = { 0 };
	size_t lines;
	bool any = report_plot_pinned(drawing->report, &job.data, &colours, &lines);

	job.variables = xasprintf("colours = '%s'", any ? colours.data : "");
	job.height = 320 + (lines + 2) / 3 * 18;
	free(colours.data);
	finish_job(drawing, &job, any);
}

static bool has_network(const struct report *report)
{
	return report_metric(report, "vm_exits_per_packet") != NO_METRIC;
}

static void plot_all(struct drawing *drawing)
{
	bool first = report_is_emulated(drawing->report); /* there it is the figure to trust */

	if (first)
		plot_metric(drawing, &instructions);
	plot_relative(drawing, "throughput", "Throughput", NULL, SPREAD "More is better.");
	plot_relative(drawing, "latency_p99", "p99 latency", "lat_p99_s", SPREAD "Less is better.");
	plot_exits(drawing);
	if (!first)
		plot_metric(drawing, &instructions);
	for (size_t i = 0; i < ARRAY_SIZE(network) && has_network(drawing->report); i++)
		plot_metric(drawing, &network[i]);
	plot_stages(drawing);
	plot_pinned(drawing);
}

/* Is it there at all? Asked once, for one message. */
static void probe_gnuplot(struct report_plots *plots)
{
	static const char *const argv[] = { "gnuplot", "--version", NULL };

	if (proc_run((char *const *)argv, GNUPLOT_LIMIT_S, NULL) != -ENOENT)
		return;
	plots->no_gnuplot = true;
	log_warn("gnuplot is missing, the report has no plots: apt-get install gnuplot-nox");
}

/* Absolute, because gnuplot runs in the directory of the plots. */
static int absolute_path(const char *dir, const char *name, char **path)
{
	autofree char *relative = xasprintf("%s/%s", dir, name);

	*path = realpath(relative, NULL);
	if (*path)
		return 0;
	log_err("%s: %s", relative, strerror(errno));
	return -EIO;
}

int report_plots_make(const struct report *report, const char *scripts_dir,
		      struct report_plots *plots)
{
	autofree char *dir = xasprintf("%s/plots", report->dir);
	struct drawing drawing = { .report = report, .plots = plots };

	*plots = (struct report_plots){ 0 };
	drawing.ret = mkdir_all(dir);
	if (drawing.ret)
		log_err("%s: %s", dir, strerror(-drawing.ret));
	if (!drawing.ret)
		drawing.ret = absolute_path(report->dir, "plots", &drawing.dir);
	if (!drawing.ret)
		drawing.ret = absolute_path(scripts_dir, "plots", &drawing.scripts);
	if (!drawing.ret) {
		probe_gnuplot(plots);
		plot_all(&drawing);
	}
	free(drawing.dir);
	free(drawing.scripts);
	return drawing.ret;
}

void report_plots_free(struct report_plots *plots)
{
	for (size_t i = 0; i < plots->nr; i++)
		free(plots->items[i].title);
	*plots = (struct report_plots){ 0 };
}
