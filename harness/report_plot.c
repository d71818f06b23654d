// SPDX-License-Identifier: GPL-2.0-only
/* The plots: which there are, and what is written on them. */
#include "harness/report_plot.h"

#include <errno.h>
#include <string.h>

#include "harness/report_line.h"
#include "harness/util.h"

#define SPREAD "Median of the boots; the line spans lowest to highest, a circle is a boot. "
#define OPERATION \
	"An operation is an I/O, a request, a transaction, a packet, or 1 KiB of a stream. "
#define BINARY "bytes" /* tics in powers of two, as KiB; all other formats are gnuplot's */

struct drawing {
	const struct report *report;
	struct gnuplot gnuplot;
	struct report_plots *plots;
	int ret;
};

/*
 * A file name: workloads are named as their plug-ins are, but a run's files may say anything,
 * which then becomes a number.
 */
static char *plot_name(const struct report *report, const char *name, size_t workload)
{
	const char *part = workload == ALL_WORKLOADS ? "" : report->workloads[workload].name;

	if (!*part)
		return xstrdup(name);
	if (part[strspn(part, "abcdefghijklmnopqrstuvwxyz0123456789_")])
		return xasprintf("%s-%zu", name, workload);
	return xasprintf("%s-%s", name, part);
}

/* What a plot says about itself. */
struct plot_texts {
	const char *name, *title, *caption;
	size_t workload;
};

static char *plot_title(const struct report *report, const struct plot_texts *texts)
{
	autofree char *title = NULL;

	if (texts->workload == ALL_WORKLOADS)
		return gnuplot_label(texts->title, PLOT_HEADING_CHARS);
	title = xasprintf("%s: %s", report->workloads[texts->workload].name, texts->title);
	return gnuplot_label(title, PLOT_HEADING_CHARS);
}

/* Draws the job if it has data, notes the plot, and frees the job's memory. */
static void finish_job(struct drawing *drawing, struct gnuplot_job *job,
		       const struct plot_texts *texts, bool has_data)
{
	struct report_plots *plots = drawing->plots;
	size_t nr = plots->nr;
	struct report_plot *plot;

	if (has_data) {
		if (!(nr & (nr - 1))) /* full at each power of two */
			plots->items =
				xrealloc(plots->items, (nr ? nr * 2 : 1) * sizeof(*plots->items));
		plot = &plots->items[plots->nr++];
		*plot = (struct report_plot){
			plot_name(drawing->report, texts->name, texts->workload),
			plot_title(drawing->report, texts), texts->caption, texts->workload, 0
		};
		job->name = plot->name;
		job->title = xstrdup(plot->title);
		plot->error = gnuplot_draw(&drawing->gnuplot, job);
		if (plot->error && !drawing->ret && !drawing->gnuplot.missing)
			drawing->ret = plot->error == -EINTR ? -EINTR : -EIO;
	}
	gnuplot_job_free(job);
}

/* A bar a cell of a workload, of a metric (NULL: the throughput); nothing if it has none. */
struct bars {
	const char *name, *metric, *title, *caption;
	const char *axis; /* NULL: multiples of the baseline */
	const char *tics; /* gnuplot's format */
};

static const struct bars instructions = {
	.name = "instructions_per_op",
	.metric = "lab_instructions_per_op",
	.title = "emulated instructions per operation",
	.caption = SPREAD "Guest, host kernel and QEMU together, counted by the emulator: a busy "
			  "machine changes it least. " OPERATION "Less is better.",
	.axis = "instructions per operation",
	.tics = "%.0s %c",
};

static const struct bars performance[] = {
	{ .name = "throughput",
	  .title = "throughput",
	  .caption = SPREAD "More is better.",
	  .tics = "%g" },
	{ .name = "latency_p99",
	  .metric = "lat_p99_s",
	  .title = "p99 latency",
	  .caption = SPREAD "Less is better.",
	  .tics = "%g" },
	{ .name = "map_unmap",
	  .metric = "dma_map_unmap_p50_s",
	  .title = "a map and an unmap, median of each boot",
	  .caption = SPREAD "Less is better.",
	  .axis = "seconds",
	  .tics = "%.0s %cs" },
};

/* What has packets shows these, too. */
static const struct bars network[] = {
	{ "exits_per_packet", "vm_exits_per_packet", "VM exits per packet",
	  SPREAD "Packets as the NIC counts them. Less is better.", "exits per packet", "%g" },
	{ "pin_requests_per_packet", "pin_requests_per_packet", "requests for pins per packet",
	  SPREAD "Only coIOMMU makes such requests. Less is better.", "requests per packet", "%g" },
	{ "cpu_per_gbit", "host_cpu_s_per_gbit", "CPU time of QEMU per gigabit",
	  SPREAD "Guest time included. Less is better.", "seconds per gigabit", "%g" },
	{ "cpu_per_op", "host_cpu_s_per_op", "CPU time of QEMU per operation",
	  SPREAD "Guest time included. " OPERATION "Less is better.", "seconds per operation",
	  "%.0s %cs" },
	{ "pinned_peak", "pinned_peak_bytes", "pinned guest memory while running, peak",
	  SPREAD "Less is better.", "bytes", BINARY },
};

static void plot_bars(struct drawing *drawing, const struct bars *bars, size_t workload)
{
	const struct report *report = drawing->report;
	size_t rows, m = bars->metric ? report_metric(report, bars->metric) : METRIC_THROUGHPUT;
	struct gnuplot_job job = { .script = "bars", .wider = plot_wider(drawing->report) };
	bool relative = !bars->axis;
	bool any = report_plot_bars(report, workload, m, relative, &job.data, &rows);
	autofree char *axis =
		relative && any ? xasprintf("multiple of %s", report->series[0].label) : NULL;

	job.axis = gnuplot_label(axis ? axis : bars->axis ? bars->axis : "", PLOT_HEADING_CHARS);
	job.variables = xasprintf("rows = %zu; reference = %d; tics = '%s'; binary = %d", rows,
				  relative, bars->tics, !strcmp(bars->tics, BINARY));
	job.height = 92 + rows * 20;
	finish_job(drawing, &job,
		   &(struct plot_texts){ bars->name, bars->title, bars->caption, workload }, any);
}

static void plot_exits(struct drawing *drawing, size_t workload)
{
	struct gnuplot_job job = { .script = "stack", .wider = plot_wider(drawing->report) };
	size_t rows, parts;
	bool any = report_plot_exits(drawing->report, workload, &job.data, &rows, &parts);

	job.variables = xasprintf("rows = %zu; parts = %zu", rows, parts);
	job.axis = xstrdup("exits per operation");
	job.height = 102 + rows * 20 + (parts + 2) / 3 * 18;
	finish_job(drawing, &job,
		   &(struct plot_texts){
			   "exits_per_op", "VM exits per operation",
			   "Median of the boots, split by the reason of the exit; the line "
			   "spans the boots from lowest to highest. "
			   "Less is better.",
			   workload },
		   any);
}

/* Of the whole run; or of a workload, by its scenarios. */
static void plot_stages(struct drawing *drawing, size_t workload)
{
	struct gnuplot_job job = { .script = "stack", .wider = plot_wider(drawing->report) };
	size_t rows, parts;
	bool any = report_plot_stages(drawing->report, workload, &job.data, &rows, &parts);

	job.variables = xasprintf("rows = %zu; parts = %zu", rows, parts);
	job.axis = xstrdup("seconds since QEMU started");
	job.height = 96 + rows * 22 + (parts + 2) / 3 * 18;
	finish_job(
		drawing, &job,
		&(struct plot_texts){
			"creation",
			workload == ALL_WORKLOADS ? "Time until the VM is ready"
						  : "time until the VM is ready",
			"Median of the boots, from the start of QEMU until the guest's agent "
			"answers; the line spans the boots from lowest to highest. Pinning at start delays what comes before \"VM created\".",
			workload },
		any);
}

/* Moves the lines into a job; variables: more of them for the script, or "". */
static void take_lines(struct gnuplot_job *job, struct plot_lines *lines, const char *variables)
{
	job->data = lines->data;
	job->variables =
		xasprintf("colours = '%s'; dashes = '%s'; %s", lines->nr ? lines->colours.data : "",
			  lines->nr ? lines->dashes.data : "", variables);
	free(lines->widths.data);
	free(lines->colours.data);
	free(lines->dashes.data);
}

/* Columns of a legend in which names of that length have room. */
static size_t key_columns(const struct plot_lines *lines)
{
	return lines->longest > 18 ? 1 : lines->longest > 13 ? 2 : 3;
}

#define LOGARITHMIC "The axis is logarithmic: a grid line up is four times the memory. "
#define MAPPED "Dotted: what the guest really has mapped for DMA, where its driver tells. "

static void plot_pinned(struct drawing *drawing, size_t workload)
{
	const struct report *report = drawing->report;
	struct gnuplot_job job = { .script = "lines" };
	struct plot_lines lines = { 0 };
	bool whole = workload == ALL_WORKLOADS;
	bool any = report_plot_pinned(report, workload, &lines);
	autofree char *axis =
		any && !whole ? xasprintf("seconds of %s", report->scenarios[lines.scenario].label)
			      : xstrdup("seconds since QEMU started");
	size_t columns = key_columns(&lines);
	autofree char *variables =
		xasprintf("widths = '%s'; columns = %zu", any ? lines.widths.data : "", columns);

	job.axis = gnuplot_label(axis, PLOT_HEADING_CHARS);
	job.height = 320 + (lines.nr + columns - 1) / columns * 18;
	take_lines(&job, &lines, variables);
	finish_job(drawing, &job,
		   &(struct plot_texts){
			   "pinned", whole ? "Pinned guest memory over time" : "pinned over time",
			   whole ? "One typical boot of each mode. " LOGARITHMIC MAPPED
				   "Where lines meet, the wider one lies below."
				 : "One typical boot of each mode, from the beginning of the "
				   "measured window. " LOGARITHMIC MAPPED,
			   workload },
		   any);
}

static void plot_reuse(struct drawing *drawing, size_t workload)
{
	struct gnuplot_job job = { .script = "cdf" };
	struct plot_lines lines = { 0 };
	bool any = report_plot_reuse(drawing->report, workload, &lines);

	job.axis = xstrdup("used again within");
	job.height = 300 + lines.nr * 18;
	take_lines(&job, &lines, "");
	finish_job(drawing, &job,
		   &(struct plot_texts){
			   "reuse", "how soon pages are used again",
			   "Of the pages that are mapped for DMA again, the share for which no "
			   "more than that time has passed since they were unmapped. All boots "
			   "that recorded a trace, measured window only. Unpinning earlier than "
			   "pages are used again costs a request each.",
			   workload },
		   any);
}

/* What is drawn against a setting of a mode. */
static const struct sweep_plot {
	const char *name, *title, *axis, *caption, *tics;
	struct sweep_metric metrics[2];
	size_t nr;
} sweep_plots[] = {
	{ "pinned_by",
	  "pinned, mean",
	  "bytes",
	  SPREAD MAPPED "Less is better.",
	  BINARY,
	  { { "pinned_mean_bytes", "", 1 }, { "mapped_mean_bytes", ", mapped", 3 } },
	  2 },
	{ "requests_by",
	  "requests for pins",
	  "per 1000 DMA mappings",
	  SPREAD "Less is better.",
	  "%g",
	  { { "pin_requests_per_1000_maps", "", 1 } },
	  1 },
	{ "instructions_by",
	  "instructions per operation",
	  "emulated instructions per operation",
	  SPREAD OPERATION "Less is better.",
	  "%.0s %c",
	  { { "lab_instructions_per_op", "", 1 } },
	  1 },
	{ "map_unmap_by",
	  "a map and an unmap",
	  "seconds",
	  SPREAD "Less is better.",
	  "%.0s %cs",
	  { { "dma_map_unmap_p50_s", "", 1 } },
	  1 },
	{ "latency_by",
	  "p99 latency",
	  "seconds",
	  SPREAD "Less is better.",
	  "%.0s %cs",
	  { { "lat_p99_s", "", 1 } },
	  1 },
};

static void plot_sweep(struct drawing *drawing, const struct report_sweep *sweep, size_t number,
		       const struct sweep_plot *plot, size_t workload)
{
	static const char *const formats[] = {
		[SWEEP_COUNT] = "%g", [SWEEP_SECONDS] = "%.0s %cs", [SWEEP_BYTES] = BINARY
	};
	struct gnuplot_job job = { .script = "sweep" };
	struct plot_lines lines = { 0 };
	bool any = report_plot_sweep(drawing->report, workload, sweep, plot->metrics, plot->nr,
				     &lines);
	autofree char *name = xasprintf("%s_%zu", plot->name, number);
	autofree char *title = xasprintf("%s, by %s", plot->title, sweep->key);
	autofree char *variables = xasprintf("ylabel_text = '%s'; xtics_format = '%s'; "
					     "ytics_format = '%s'; binary = %d",
					     plot->axis, formats[sweep->unit], plot->tics,
					     !strcmp(plot->tics, BINARY));

	job.axis = gnuplot_label(sweep->key, PLOT_HEADING_CHARS);
	job.height = 300 + lines.nr * 18;
	take_lines(&job, &lines, variables);
	finish_job(drawing, &job, &(struct plot_texts){ name, title, plot->caption, workload },
		   any);
}

static void plot_sweeps(struct drawing *drawing, size_t workload)
{
	struct report_sweeps sweeps;

	report_sweeps_find(drawing->report, &sweeps);
	for (size_t i = 0; i < sweeps.nr; i++)
		for (size_t k = 0; k < ARRAY_SIZE(sweep_plots); k++)
			plot_sweep(drawing, &sweeps.items[i], i + 1, &sweep_plots[k], workload);
	report_sweeps_free(&sweeps);
}

static void plot_costs(struct drawing *drawing)
{
	struct gnuplot_job job = { .script = "forest", .wider = plot_wider(drawing->report) };
	size_t rows;
	bool any = report_plot_costs(drawing->report, &job.data, &rows);
	autofree char *axis = NULL;

	if (any)
		axis = xasprintf("multiple of %s, logarithmic", drawing->report->series[0].label);
	job.variables = xasprintf("rows = %zu; reference = 1; logarithmic = 1; tics = '%%g'", rows);
	job.axis = gnuplot_label(axis ? axis : "", PLOT_HEADING_CHARS);
	job.height = 92 + rows * 22;
	finish_job(drawing, &job,
		   &(struct plot_texts){
			   "costs", "What each mode costs",
			   "The figures of the table above; the line is their interval. On the "
			   "dashed line a mode is as good as the baseline.",
			   ALL_WORKLOADS },
		   any);
}

static bool has_packets(const struct report *report, size_t workload)
{
	size_t metric = report_metric(report, "vm_exits_per_packet");

	for (size_t s = 0; s < report->nr_scenarios; s++)
		if (report->scenarios[s].workload == workload &&
		    report_scenario_has(report, s, metric))
			return true;
	return false;
}

/* One line of a workload at one place (the first is number 0), in one plot for all modes. */
static void plot_line(struct drawing *drawing, const struct report_line *lines, size_t nr,
		      size_t number)
{
	const struct report *report = drawing->report;
	const struct workload_line *line = lines[0].line;
	struct gnuplot_job job = { .script = "line" };
	struct strbuf colours = { 0 };
	autofree char *place = report_line_place(&lines[0]);
	autofree char *axis = xasprintf("%s, %s (%s)", line->axis, line->per_name, place);
	autofree char *name =
		number ? xasprintf("line_%s_%zu", line->y, number) : xasprintf("line_%s", line->y);
	const char *unit = report->metrics[report_metric(report, line->y)].unit;
	bool seconds = !strcmp(unit, "s");
	bool any = report_plot_line(report, lines, nr, &job.data, &colours);

	job.variables = xasprintf("colours = '%s'; what = '%s'; tics = '%s'", colours.data,
				  seconds ? "seconds" : "", seconds ? "%g" : "%.0s %c");
	job.axis = gnuplot_label(axis, PLOT_HEADING_CHARS);
	job.height = 300 + (nr + 2) / 3 * 18;
	free(colours.data);
	finish_job(drawing, &job,
		   &(struct plot_texts){ name, line->title,
					 "Every boot, and the line through those of each mode: the "
					 "slopes of the table above.",
					 lines[0].workload },
		   any);
}

static void plot_lines(struct drawing *drawing, size_t workload)
{
	const struct workload_line *line = report_lines(drawing->report, workload);

	for (; line && line->y; line++) {
		size_t nr, number = 0;
		autofree struct report_line *found =
			report_line_find(drawing->report, workload, line, &nr);

		for (size_t first = 0, end; first < nr; first = end) {
			for (end = first; end < nr && found[end].place == found[first].place;)
				end++;
			plot_line(drawing, &found[first], end - first, number++);
		}
	}
}

static void plot_workload(struct drawing *drawing, size_t workload)
{
	bool first = report_is_emulated(drawing->report); /* there it is the figure to trust */

	plot_lines(drawing, workload);
	if (report_lines(drawing->report, workload))
		plot_stages(drawing, workload);
	if (first)
		plot_bars(drawing, &instructions, workload);
	for (size_t i = 0; i < ARRAY_SIZE(performance); i++)
		plot_bars(drawing, &performance[i], workload);
	plot_exits(drawing, workload);
	if (!first)
		plot_bars(drawing, &instructions, workload);
	for (size_t i = 0; i < ARRAY_SIZE(network) && has_packets(drawing->report, workload); i++)
		plot_bars(drawing, &network[i], workload);
	plot_pinned(drawing, workload);
	plot_sweeps(drawing, workload);
	plot_reuse(drawing, workload);
}

int report_plots_make(const struct report *report, const char *scripts_dir,
		      struct report_plots *plots)
{
	autofree char *dir = xasprintf("%s/plots", report->dir);
	struct drawing drawing = { .report = report, .plots = plots };

	*plots = (struct report_plots){ 0 };
	drawing.ret = gnuplot_open(&drawing.gnuplot, dir, scripts_dir);
	if (!drawing.ret) {
		plots->no_gnuplot = drawing.gnuplot.missing;
		plot_costs(&drawing);
		plot_pinned(&drawing, ALL_WORKLOADS);
		plot_stages(&drawing, ALL_WORKLOADS);
		for (size_t w = 0; w < report->nr_workloads; w++)
			plot_workload(&drawing, w);
	}
	gnuplot_close(&drawing.gnuplot);
	return drawing.ret;
}

void report_plots_free(struct report_plots *plots)
{
	for (size_t i = 0; i < plots->nr; i++) {
		free(plots->items[i].name);
		free(plots->items[i].title);
	}
	free(plots->items);
	*plots = (struct report_plots){ 0 };
}
