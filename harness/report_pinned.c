// SPDX-License-Identifier: GPL-2.0-only
/* The plot of pinned memory over time: reads pinned.csv and thins it out. */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "harness/log.h"
#include "harness/report_plot.h"
#include "harness/util.h"

#define MAX_READ (1 << 20) /* points of a file: hours, at any rate of sampling */
#define MAX_DRAWN 600	   /* more than the plot has pixels to show */

struct curve {
	struct point {
		double t_s, bytes;
	} * points;
	size_t nr;
};

static void add_point(struct curve *curve, double t_s, double bytes)
{
	if (!(curve->nr & (curve->nr - 1))) /* full at each power of two */
		curve->points = xrealloc(curve->points,
					 (curve->nr ? curve->nr * 2 : 1) * sizeof(*curve->points));
	curve->points[curve->nr++] = (struct point){ t_s, bytes };
}

static bool parse_point(const char *line, double *t_s, double *bytes)
{
	char *end;

	*t_s = strtod(line, &end);
	if (end == line || *end != ',')
		return false;
	line = end + 1;
	*bytes = strtod(line, &end);
	return end != line && *end == '\n' && isfinite(*t_s) && isfinite(*bytes) && *bytes >= 0;
}

/* Reads up to the first line that is none; a crash may have cut the last one. */
static void read_curve(const char *path, struct curve *curve)
{
	FILE *file = file_open_regular(path);
	char line[128];

	if (!file)
		return;
	for (size_t nr = 1; fgets(line, sizeof(line), file) && curve->nr < MAX_READ; nr++) {
		double t_s, bytes;

		if (parse_point(line, &t_s, &bytes)) {
			add_point(curve, t_s, bytes);
		} else if (nr > 1) {
			log_warn("%s:%zu: no time and bytes: the rest is left out", path, nr);
			break;
		}
	}
	fclose(file);
}

static char *pinned_path(const struct report *report, const struct report_cell *cell, size_t boot)
{
	return xasprintf("%s/cells/%s/%u/pinned.csv", report->dir, cell->id,
			 cell->boots[boot].index);
}

/* The curve of a typical boot: that with the median time until ready. */
static char *typical_boot(const struct report *report, const struct report_cell *cell)
{
	size_t ready = report_metric(report, "vm_ready_s");
	double median = report_stat(cell, ready).median, nearest = INFINITY;
	char *chosen = NULL;

	for (size_t b = 0; cell && b < cell->nr_boots; b++) {
		autofree char *path = pinned_path(report, cell, b);
		double distance = 0;

		if (!cell->boots[b].ok || !file_exists(path))
			continue;
		if (ready != NO_METRIC)
			distance = fabs(cell->values[ready * cell->nr_boots + b] - median);
		if (isnan(distance))
			distance = INFINITY;
		if (chosen && !(distance < nearest))
			continue;
		free(chosen);
		chosen = path;
		path = NULL;
		nearest = distance;
	}
	return chosen;
}

/* The scenario with curves of most series; of equals the first in which something is done. */
static size_t choose_scenario(const struct report *report)
{
	size_t best = NO_METRIC, best_score = 0;

	for (size_t s = 0; s < report->nr_scenarios; s++) {
		size_t score = 0;

		for (size_t m = 0; m < report->nr_series; m++) {
			autofree char *path = typical_boot(report, report_cell(report, m, s));

			score += path ? 2 : 0;
		}
		if (score && report->scenarios[s].throughput != NO_METRIC)
			score++;
		if (score > best_score) {
			best = s;
			best_score = score;
		}
	}
	return best;
}

/* Of each stretch that one pixel cannot show the highest point is kept. */
static void print_curve(const struct curve *curve, struct strbuf *data)
{
	size_t step = (curve->nr + MAX_DRAWN - 1) / MAX_DRAWN;

	for (size_t i = 0; i < curve->nr; i += step) {
		const struct point *top = &curve->points[i];

		for (size_t j = i; j < i + step && j < curve->nr; j++)
			if (curve->points[j].bytes > top->bytes)
				top = &curve->points[j];
		strbuf_addf(data, "%.6g %.0f\n", top->t_s, top->bytes);
	}
	if (step > 1)
		strbuf_addf(data, "%.6g %.0f\n", curve->points[curve->nr - 1].t_s,
			    curve->points[curve->nr - 1].bytes);
}

bool report_plot_pinned(const struct report *report, struct strbuf *data, struct strbuf *colours,
			struct strbuf *dashes, size_t *nr_lines)
{
	size_t scenario = choose_scenario(report);

	*nr_lines = 0;
	for (size_t m = 0; m < report->nr_series && scenario != NO_METRIC; m++) {
		const struct report_series *series = &report->series[m];
		autofree char *path = typical_boot(report, report_cell(report, m, scenario));
		autofree char *label = gnuplot_label(series->label, PLOT_LABEL_CHARS);
		struct curve curve = { 0 };

		if (path)
			read_curve(path, &curve);
		if (curve.nr) {
			strbuf_addf(data, "%s\"%s\"\n", *nr_lines ? "\n\n" : "", label);
			print_curve(&curve, data);
			strbuf_addf(colours, "%u ", series->colour);
			strbuf_addf(dashes, "%zu ", *nr_lines % 4 + 1);
			++*nr_lines;
		}
		free(curve.points);
	}
	return *nr_lines > 0;
}
