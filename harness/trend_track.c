// SPDX-License-Identifier: GPL-2.0-only
/* trend: one series, its tracks, and the changes in each. */
#include <fnmatch.h>
#include <math.h>
#include <string.h>

#include "harness/compare_data.h"
#include "harness/edivisive.h"
#include "harness/stats.h"
#include "harness/suspect.h"
#include "harness/trend_data.h"

bool trend_wants(const struct trend_options *options, const struct history_series *series,
		 bool emulated)
{
	if (options->metrics)
		return !fnmatch(options->metrics, series->metric, 0);
	if (series->direction == DIRECTION_NONE)
		return false;
	return options->all || compare_is_usual(series->metric, series->unit, emulated);
}

const struct history_point *trend_point(const struct trend_series *s, size_t track, size_t place)
{
	return &s->from->points[s->tracks[track].points[place]];
}

const struct history_point *trend_newest(const struct trend_series *s)
{
	return trend_point(s, s->newest, s->tracks[s->newest].nr - 1);
}

/* The median of nr points from a place on. */
static double median_from(const struct trend_series *s, size_t place, size_t nr)
{
	autofree double *values = xzalloc((nr + 1) * sizeof(*values));

	for (size_t i = 0; i < nr; i++)
		values[i] = trend_point(s, s->newest, place + i)->median;
	return stats_median(values, nr);
}

double trend_level(const struct trend_series *s)
{
	const struct trend_track *track = &s->tracks[s->newest];
	double sum = 0, nr = (double)(track->nr - track->level);

	for (size_t i = track->level; i < track->nr; i++)
		sum += trend_point(s, s->newest, i)->median / nr;
	return sum;
}

double trend_since_start(const struct trend_series *s)
{
	size_t nr = s->tracks[s->newest].nr;
	double first;

	if (nr / 2 < TREND_MIN_POINTS)
		return NAN;
	first = median_from(s, 0, TREND_MIN_POINTS);
	return stats_ratio(median_from(s, nr - TREND_MIN_POINTS, TREND_MIN_POINTS) - first,
			   fabs(first));
}

bool trend_is_alarm(const struct trend_series *s)
{
	return s->verdict == TREND_REGRESSION || s->verdict == TREND_SUSPECTED;
}

static double harm_of(double change, enum direction direction)
{
	return direction == DIRECTION_LOWER    ? change
	       : direction == DIRECTION_HIGHER ? -change
					       : fabs(change);
}

static struct trend_change *add_change(struct trend_series *s, size_t track, size_t place)
{
	size_t nr = s->nr_changes;

	if (!(nr & (nr - 1))) /* full at each power of two */
		s->changes = xrealloc(s->changes, (nr ? nr * 2 : 1) * sizeof(*s->changes));
	s->changes[nr] = (struct trend_change){
		.place = place,
		.track = track,
		.run = trend_point(s, track, place)->run,
		.state = TREND_EARLIER,
		.q = NAN,
	};
	s->nr_changes++;
	return &s->changes[nr];
}

static void set_effect(const struct trend_series *s, struct trend_change *change,
		       const struct change_point *found)
{
	change->before = found->before;
	change->after = found->after;
	change->change = found->change;
	change->p = found->p;
	change->harm = harm_of(found->change, s->from->direction);
}

/*
 * The newest value against the current level, but not against the nights just before it: they
 * may be of the same new level, which is too short yet to be a change point.
 */
static void suspect(struct trend_series *s, size_t t, const double *values)
{
	struct trend_track *track = &s->tracks[t];
	size_t begin = track->level, end = track->nr - EDIVISIVE_MIN_SEGMENT;
	struct change_point found = { .after = values[track->nr - 1] };
	struct suspect test;

	if (end < begin + SUSPECT_MIN)
		return;
	if (end - begin > EDIVISIVE_WINDOW)
		begin = end - EDIVISIVE_WINDOW;
	suspect_test(values + begin, end - begin, found.after, &test);
	found.before = test.level;
	found.change = test.change;
	found.p = test.p;
	if (test.p < TREND_ALPHA && fabs(test.change) >= track->floor) {
		struct trend_change *change = add_change(s, t, track->nr - 1);

		set_effect(s, change, &found);
		change->state = TREND_NEW_SUSPECTED;
	}
}

void trend_find_changes(struct trend_series *s, size_t t)
{
	struct trend_track *track = &s->tracks[t];
	const struct edivisive_options options = { EDIVISIVE_WEAK_P, EDIVISIVE_P, track->floor };
	autofree double *values = xzalloc((track->nr + 1) * sizeof(*values));
	autofree struct change_point *points = NULL;
	size_t nr;

	if (track->nr < TREND_MIN_POINTS)
		return;
	for (size_t i = 0; i < track->nr; i++)
		values[i] = trend_point(s, t, i)->median;
	nr = edivisive(values, track->nr, &options, &points);
	for (size_t i = 0; i < nr; i++) {
		struct trend_change *change = add_change(s, t, points[i].index);

		set_effect(s, change, &points[i]);
		if (track->live && track->nr - points[i].index <= TREND_RECENT)
			change->state = TREND_NEW_POSSIBLE; /* until it is adjusted */
	}
	track->level = nr ? points[nr - 1].index : 0;
	if (track->tonight)
		suspect(s, t, values);
}

void trend_series_free(struct trend_series *series)
{
	for (size_t i = 0; i < series->nr_tracks; i++)
		free(series->tracks[i].points);
	free(series->tracks);
	free(series->changes);
}
