// SPDX-License-Identifier: GPL-2.0-only
/* trend: plots of a metric over the nights. */
#include "harness/trend_plot.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "harness/log.h"
#include "harness/proc.h"
#include "harness/report_gnuplot.h"

#define WIDTH 440 /* as the plots of a run */
#define HEIGHT 230
#define LABEL_CHARS 60
#define GNUPLOT_LIMIT_S 60.

/* The part of a series that is shown, and its data blocks. */
struct plot {
	const struct trend *t;
	const struct trend_series *s;
	size_t first; /* of the series' points */
	double low, high;
	double scale; /* values are shown times this */
	struct strbuf points, levels, changes, setups, suspected;
};

static int64_t time_of(const struct plot *plot, unsigned int run)
{
	return plot->t->data.runs[run].time;
}

/* A unit in which values of that size are short numbers. */
struct scale {
	const char *unit, *shown;
	double from; /* the size from which on it is used, largest first */
	double scale;
};

static const struct scale scales[] = {
	{ "s", "s", 1, 1 },
	{ "s", "ms", 1e-3, 1e3 },
	{ "s", "µs", 1e-6, 1e6 },
	{ "s", "ns", 0, 1e9 },
	{ "bytes", "GiB", 0x1p30, 0x1p-30 },
	{ "bytes", "MiB", 0x1p20, 0x1p-20 },
	{ "bytes", "KiB", 0x1p10, 0x1p-10 },
	{ "bytes/s", "GiB/s", 0x1p30, 0x1p-30 },
	{ "bytes/s", "MiB/s", 0x1p20, 0x1p-20 },
	{ "bytes/s", "KiB/s", 0x1p10, 0x1p-10 },
	{ "ops/s", "million ops/s", 1e6, 1e-6 },
	{ "ops/s", "thousand ops/s", 1e3, 1e-3 },
};

/* The unit to write at the axis. */
static const char *choose_scale(struct plot *plot, const char *unit)
{
	double size = fmax(fabs(plot->low), fabs(plot->high));

	plot->scale = 1;
	for (size_t i = 0; i < ARRAY_SIZE(scales); i++) {
		if (strcmp(scales[i].unit, unit) != 0 || size < scales[i].from)
			continue;
		plot->scale = scales[i].scale;
		return scales[i].shown;
	}
	return unit;
}

static void add_value(struct plot *plot, struct strbuf *sb, unsigned int run, double value)
{
	strbuf_addf(sb, "%lld %.9g\n", (long long)time_of(plot, run), value);
	plot->low = fmin(plot->low, value);
	plot->high = fmax(plot->high, value);
}

/* The level between two places of a track, as far as it is shown. */
static void add_level(struct plot *plot, size_t track, size_t begin, size_t end)
{
	const struct trend_track *tr = &plot->s->tracks[track];
	double sum = 0, nr = (double)(end - begin);

	for (size_t i = begin; i < end; i++)
		sum += trend_point(plot->s, track, i)->median / nr;
	while (begin < end && tr->points[begin] < plot->first)
		begin++;
	if (begin == end || tr->nr < TREND_MIN_POINTS)
		return;
	add_value(plot, &plot->levels, trend_point(plot->s, track, begin)->run, sum);
	add_value(plot, &plot->levels, trend_point(plot->s, track, end - 1)->run, sum);
	strbuf_addf(&plot->levels, "\n");
}

static unsigned int colour_of(const struct plot *plot, const struct trend_change *change)
{
	if (change->ack)
		return TREND_KNOWN;
	if (plot->s->from->direction == DIRECTION_NONE)
		return TREND_OTHER;
	return change->harm > 0 ? TREND_WORSE : TREND_BETTER;
}

static void add_track(struct plot *plot, size_t track)
{
	const struct trend_series *s = plot->s;
	const struct trend_track *tr = &s->tracks[track];
	size_t begin = 0;

	for (size_t c = 0; c < s->nr_changes; c++) {
		const struct trend_change *change = &s->changes[c];
		size_t point = change->track == track ? tr->points[change->place] : 0;

		if (change->track != track)
			continue;
		if (change->state == TREND_NEW_SUSPECTED) {
			add_value(plot, &plot->suspected, change->run, change->after);
			continue;
		}
		add_level(plot, track, begin, change->place);
		begin = change->place;
		if (point >= plot->first)
			strbuf_addf(&plot->changes, "%lld %u\n",
				    (long long)time_of(plot, change->run), colour_of(plot, change));
	}
	add_level(plot, track, begin, tr->nr);
	if (tr->points[0] > plot->first)
		strbuf_addf(&plot->setups, "%lld\n",
			    (long long)time_of(plot, trend_point(s, track, 0)->run));
}

/* The blocks in the order of trend.gp; an empty one would shift the numbers of those behind it. */
static void join_blocks(struct plot *plot, struct strbuf *data)
{
	struct strbuf *const blocks[] = { &plot->points, &plot->levels, &plot->changes,
					  &plot->setups, &plot->suspected };

	for (size_t i = 0; i < ARRAY_SIZE(blocks); i++) {
		strbuf_addf(data, "%s%s", i ? "\n\n" : "",
			    blocks[i]->len ? blocks[i]->data : "0 NaN\n");
		free(blocks[i]->data);
	}
}

static void fill_plot(struct plot *plot, struct strbuf *data)
{
	const struct trend_series *s = plot->s;
	size_t nr = s->from->nr;

	plot->first = nr > TREND_MAX_SHOWN ? nr - TREND_MAX_SHOWN : 0;
	plot->low = INFINITY;
	plot->high = -INFINITY;
	for (size_t i = plot->first; i < nr; i++)
		add_value(plot, &plot->points, s->from->points[i].run, s->from->points[i].median);
	for (size_t track = 0; track < s->nr_tracks; track++)
		add_track(plot, track);
	join_blocks(plot, data);
}

/* What gnuplot is told before it loads trend.gp. Ranges are never empty. */
static void add_commands(struct plot *plot, size_t number, struct strbuf *commands)
{
	const struct history_series *from = plot->s->from;
	int64_t first = time_of(plot, from->points[plot->first].run);
	int64_t last = time_of(plot, from->points[from->nr - 1].run);
	double room = fmax((plot->high - plot->low) * 0.08, fabs(plot->high) * 0.01);
	double margin = (double)(last - first) * 0.02 + 3600;
	autofree char *title = gnuplot_label(from->metric, LABEL_CHARS);
	autofree char *unit = gnuplot_label(choose_scale(plot, from->unit), LABEL_CHARS);

	if (!(room > 0) || !isfinite(room))
		room = 1;
	strbuf_addf(commands,
		    "reset\nname = '%zu'; title = '%s'; width = %d; height = %d\n"
		    "first = %.0f; last = %.0f; low = %.9g; high = %.9g; scale = %.9g; "
		    "unit = '%s'\n"
		    "load 'scripts/common.gp'\nload 'scripts/trend.gp'\n",
		    number, title, WIDTH, HEIGHT, (double)first - margin, (double)last + margin,
		    (plot->low - room) * plot->scale, (plot->high + room) * plot->scale,
		    plot->scale, unit);
}

static int put_file(const char *dir, const char *name, struct strbuf *sb)
{
	autofree char *path = xasprintf("%s/%s", dir, name);
	int ret = file_write(path, sb->data, true);

	if (ret)
		log_err("%s: %s", path, strerror(-ret));
	free(sb->data);
	*sb = (struct strbuf){ 0 };
	return ret;
}

static bool has_news(const struct trend_series *s)
{
	size_t shown = s->from->nr > TREND_MAX_SHOWN ? s->from->nr - TREND_MAX_SHOWN : 0;

	for (size_t c = 0; c < s->nr_changes; c++)
		if (s->tracks[s->changes[c].track].points[s->changes[c].place] >= shown)
			return true;
	return false;
}

static void choose_series(const struct trend *t, struct trend_plots *plots)
{
	for (size_t i = 0; i < t->nr_series && plots->nr < TREND_MAX_PLOTS; i++)
		if (t->nr_series <= TREND_MAX_PLOTS || has_news(&t->series[i]))
			plots->series[plots->nr++] = i;
}

static int write_data(const struct trend *t, const struct trend_plots *plots)
{
	struct strbuf commands = { 0 };
	int ret = 0;

	strbuf_addf(&commands, "cd '%s'\n", plots->dir);
	for (size_t i = 0; i < plots->nr && !ret; i++) {
		struct plot plot = { .t = t, .s = &t->series[plots->series[i]] };
		autofree char *name = xasprintf("%zu.dat", i);
		struct strbuf data = { 0 };

		fill_plot(&plot, &data);
		add_commands(&plot, i, &commands);
		ret = put_file(plots->dir, name, &data);
	}
	if (!ret)
		return put_file(plots->dir, "all.gp", &commands);
	free(commands.data);
	return ret;
}

/* The scripts by a name that is safe in gnuplot's commands. */
static int link_scripts(const struct trend *t, const struct trend_plots *plots)
{
	autofree char *relative = xasprintf("%s/plots", t->options->scripts_dir);
	autofree char *link = xasprintf("%s/scripts", plots->dir);
	autofree char *scripts = realpath(relative, NULL);

	if (scripts && !symlink(scripts, link))
		return 0;
	log_err("%s: %s", relative, strerror(errno));
	return -EIO;
}

static int draw(struct trend_plots *plots)
{
	autofree char *path = xasprintf("%s/all.gp", plots->dir), *said = NULL;
	const char *argv[] = { "gnuplot", "--default-settings", path, NULL };
	int ret = proc_run((char *const *)argv, GNUPLOT_LIMIT_S, &said);

	if (ret == -ENOENT) {
		log_warn("gnuplot is missing, the page has no plots: apt-get install gnuplot-nox");
		plots->no_gnuplot = true;
		return 0;
	}
	if (ret)
		log_err("plots of the trend: gnuplot failed (%s): %.*s", strerror(-ret),
			(int)strcspn(said ? said : "", "\n"), said ? said : "");
	return ret ? -EIO : 0;
}

int trend_plots_make(const struct trend *t, struct trend_plots *plots)
{
	char dir[] = "/tmp/iommubench-trend-XXXXXX";
	int ret;

	*plots = (struct trend_plots){ 0 };
	choose_series(t, plots);
	if (!plots->nr)
		return 0;
	if (!mkdtemp(dir)) {
		log_err("%s: %s", dir, strerror(errno));
		return -EIO;
	}
	plots->dir = xstrdup(dir);
	ret = link_scripts(t, plots);
	if (!ret)
		ret = write_data(t, plots);
	return ret ? ret : draw(plots);
}

void trend_plots_free(struct trend_plots *plots)
{
	if (plots->dir)
		remove_all(plots->dir);
	free(plots->dir);
	*plots = (struct trend_plots){ 0 };
}
