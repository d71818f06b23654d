// SPDX-License-Identifier: GPL-2.0-only
/* trend: from points to verdicts; the rules are in trend.h. */
#include <errno.h>
#include <fnmatch.h>
#include <math.h>
#include <string.h>

#include "harness/edivisive.h"
#include "harness/floors.h"
#include "harness/gate.h"
#include "harness/trend_data.h"
#include "harness/yaml.h"

static const char *const verdict_names[] = {
	[TREND_REGRESSION] = "regression",	  [TREND_SUSPECTED] = "suspected regression",
	[TREND_POSSIBLE] = "possible regression", [TREND_CHANGED] = "changed",
	[TREND_IMPROVEMENT] = "improvement",	  [TREND_ACKNOWLEDGED] = "acknowledged",
	[TREND_TOO_FEW] = "too few nights",	  [TREND_ENDED] = "not measured of late",
	[TREND_STEADY] = "no new change",
};

static const char *const state_names[] = {
	[TREND_NEW] = "new",
	[TREND_NEW_POSSIBLE] = "possible",
	[TREND_NEW_SUSPECTED] = "suspected",
	[TREND_EARLIER] = "earlier",
};

const char *trend_verdict_name(enum trend_verdict verdict)
{
	return verdict_names[verdict];
}

const char *trend_state_name(enum trend_state state)
{
	return state_names[state];
}

const char *trend_change_name(const struct trend_change *change, enum direction direction)
{
	if (direction == DIRECTION_NONE)
		return "changed";
	return change->harm > 0 ? "regression" : "improvement";
}

size_t trend_count(const struct trend *t, enum trend_verdict verdict)
{
	size_t nr = 0;

	for (size_t i = 0; i < t->nr_series; i++)
		nr += t->series[i].verdict == verdict;
	return nr;
}

/* --- nights --- */

struct nights {
	int64_t newest;	   /* when it began */
	size_t first_live; /* the series of this run and those after it are going on */
};

/* Where several hosts or experiments share a history, a night has many runs. */
static bool is_tonight(const struct nights *nights, const struct history_run *run)
{
	return nights->newest - run->time <= TREND_MAX_NIGHT_S;
}

static void find_nights(const struct history_data *data, struct nights *nights)
{
	size_t a_night = 0;

	*nights = (struct nights){ .newest = data->runs[data->nr_runs - 1].time };
	while (a_night < data->nr_runs &&
	       is_tonight(nights, &data->runs[data->nr_runs - 1 - a_night]))
		a_night++;
	if (data->nr_runs > TREND_RECENT * a_night)
		nights->first_live = data->nr_runs - TREND_RECENT * a_night;
}

/* --- tracks --- */

static bool is_emulated(const struct history_setup *setup)
{
	return !strcmp(setup->place, "lab-tcg");
}

static size_t find_track(struct trend_series *s, unsigned int setup)
{
	for (size_t i = s->nr_tracks; i-- > 0;) /* it is mostly the last one */
		if (s->tracks[i].setup == setup)
			return i;
	s->tracks = xrealloc(s->tracks, (s->nr_tracks + 1) * sizeof(*s->tracks));
	s->tracks[s->nr_tracks] = (struct trend_track){ .setup = setup, .floor = TREND_FLOOR };
	return s->nr_tracks++;
}

static void add_point(struct trend_track *track, size_t point)
{
	if (!(track->nr & (track->nr - 1))) /* full at each power of two */
		track->points = xrealloc(track->points,
					 (track->nr ? track->nr * 2 : 1) * sizeof(*track->points));
	track->points[track->nr++] = point;
}

static void make_tracks(const struct trend *t, const struct nights *nights, struct trend_series *s)
{
	const struct history_series *from = s->from;
	bool wanted = false;

	for (size_t i = 0; i < from->nr; i++) {
		unsigned int setup = from->points[i].setup;

		if (!i || setup != from->points[i - 1].setup) {
			wanted = trend_wants(t->options, from, is_emulated(&t->data.setups[setup]));
			s->newest = wanted ? find_track(s, setup) : s->newest;
		}
		if (wanted)
			add_point(&s->tracks[s->newest], i);
	}
	for (size_t i = 0; i < s->nr_tracks; i++) {
		unsigned int last = trend_point(s, i, s->tracks[i].nr - 1)->run;

		s->tracks[i].live = last >= nights->first_live;
		s->tracks[i].tonight = is_tonight(nights, &t->data.runs[last]);
	}
}

/* --- noise floors, by the fingerprints of the hosts --- */

static void set_floors(struct trend_series *s, const struct floors *floors)
{
	for (size_t i = 0; i < s->nr_tracks; i++) {
		const struct floors *own = &floors[s->tracks[i].setup];
		double margin;

		if (own->host)
			floors_of(own, s->from->metric, &s->tracks[i].floor, &margin);
	}
}

/* Only hosts that go on: of the others a floor may long be gone. */
static int load_floors(const struct trend *t, const struct nights *nights, struct floors *floors)
{
	const struct history_data *data = &t->data;

	for (size_t i = 0; i < data->nr_setups && t->options->floors; i++) {
		bool live = false;
		int ret;

		for (size_t r = nights->first_live; r < data->nr_runs; r++)
			live |= !strcmp(data->runs[r].fingerprint, data->setups[i].fingerprint);
		ret = live ? floors_load(t->options->floors, data->setups[i].fingerprint,
					 &floors[i])
			   : 0;
		if (ret)
			return ret;
	}
	return 0;
}

/* --- q --- */

static struct trend_change *change_of(struct trend *t, size_t series, size_t change)
{
	return &t->series[series].changes[change];
}

/* One test a live track that has none of the changes, and one for each of them. */
static size_t nr_quiet(const struct trend *t, enum trend_state state, bool tonight)
{
	size_t nr = 0;

	for (size_t i = 0; i < t->nr_series; i++) {
		const struct trend_series *s = &t->series[i];

		for (size_t k = 0; k < s->nr_tracks; k++) {
			bool any = false;

			if (s->tracks[k].nr < TREND_MIN_POINTS ||
			    !(tonight ? s->tracks[k].tonight : s->tracks[k].live))
				continue;
			for (size_t c = 0; c < s->nr_changes; c++)
				any |= s->changes[c].track == k && s->changes[c].state == state;
			nr += !any;
		}
	}
	return nr;
}

/* Adjusts the p of all changes of a state, each looked for at so many places, to q. */
static void adjust(struct trend *t, enum trend_state state, bool tonight, double places)
{
	size_t quiet = nr_quiet(t, state, tonight), nr = 0, cap = quiet;
	autofree double *p = NULL;

	for (size_t i = 0; i < t->nr_series; i++)
		cap += t->series[i].nr_changes;
	p = xzalloc((cap + 1) * sizeof(*p));
	for (size_t i = 0; i < t->nr_series; i++)
		for (size_t c = 0; c < t->series[i].nr_changes; c++)
			if (change_of(t, i, c)->state == state)
				p[nr++] = fmin(1, places * change_of(t, i, c)->p);
	for (size_t i = 0; i < quiet; i++)
		p[nr + i] = 1;
	gate_adjust(p, nr + quiet);
	nr = 0;
	for (size_t i = 0; i < t->nr_series; i++)
		for (size_t c = 0; c < t->series[i].nr_changes; c++)
			if (change_of(t, i, c)->state == state)
				change_of(t, i, c)->q = p[nr++];
}

/* A suspicion that is not certain enough is none. */
static void settle_states(struct trend_series *s)
{
	size_t nr = 0;

	for (size_t c = 0; c < s->nr_changes; c++) {
		struct trend_change *change = &s->changes[c];
		bool certain = change->q < TREND_ALPHA;

		if (change->state == TREND_NEW_SUSPECTED && !certain)
			continue;
		if (change->state == TREND_NEW_POSSIBLE && certain)
			change->state = TREND_NEW;
		s->changes[nr++] = *change;
	}
	s->nr_changes = nr;
}

/* --- acknowledgements --- */

/* The run's place in the track: that of its point, or of the first one after it. */
static bool find_place(const struct trend *t, const struct trend_series *s, size_t track,
		       const char *run, size_t *place)
{
	size_t r = 0;

	while (r < t->data.nr_runs && strcmp(t->data.runs[r].name, run) != 0)
		r++;
	*place = 0;
	while (*place < s->tracks[track].nr && trend_point(s, track, *place)->run < r)
		(*place)++;
	return r < t->data.nr_runs;
}

/*
 * With more nights a change may turn out to have begun a night or two earlier or later than it
 * first seemed. Two of them are never so near to one another.
 */
static bool is_near(size_t a, size_t b)
{
	return (a > b ? a - b : b - a) < EDIVISIVE_MIN_SEGMENT;
}

static void acknowledge(struct trend *t, struct trend_series *s, struct trend_ack *ack)
{
	if (fnmatch(ack->cell, s->from->cell, 0) || fnmatch(ack->metric, s->from->metric, 0))
		return;
	for (size_t c = 0; c < s->nr_changes; c++) {
		struct trend_change *change = &s->changes[c];
		size_t place;

		if (change->ack || !find_place(t, s, change->track, ack->run, &place) ||
		    !is_near(change->place, place))
			continue;
		change->ack = ack;
		ack->used = true;
	}
}

/* --- verdicts --- */

static enum trend_verdict verdict_of(const struct trend_series *s, const struct trend_change *c)
{
	if (c->state == TREND_EARLIER)
		return TREND_STEADY;
	if (c->ack)
		return TREND_ACKNOWLEDGED;
	if (s->from->direction == DIRECTION_NONE)
		return c->state == TREND_NEW_POSSIBLE ? TREND_STEADY : TREND_CHANGED;
	if (c->harm < 0)
		return c->state == TREND_NEW_POSSIBLE ? TREND_STEADY : TREND_IMPROVEMENT;
	return c->state == TREND_NEW		 ? TREND_REGRESSION
	       : c->state == TREND_NEW_SUSPECTED ? TREND_SUSPECTED
						 : TREND_POSSIBLE;
}

static int compare_changes(const void *a, const void *b)
{
	const struct trend_change *x = a, *y = b;

	return (x->run > y->run) - (x->run < y->run);
}

static void judge_series(struct trend_series *s)
{
	bool live = false, enough = false;

	if (s->nr_changes)
		qsort(s->changes, s->nr_changes, sizeof(*s->changes), compare_changes);
	for (size_t i = 0; i < s->nr_tracks; i++) {
		live |= s->tracks[i].live;
		enough |= s->tracks[i].live && s->tracks[i].nr >= TREND_MIN_POINTS;
	}
	s->verdict = enough ? TREND_STEADY : live ? TREND_TOO_FEW : TREND_ENDED;
	for (size_t c = 0; c < s->nr_changes; c++) {
		const struct trend_change *change = &s->changes[c];
		enum trend_verdict verdict = verdict_of(s, change);

		if (verdict == TREND_STEADY || verdict > s->verdict ||
		    (verdict == s->verdict && s->worst && s->worst->harm >= change->harm))
			continue;
		s->verdict = verdict;
		s->worst = change;
	}
}

static int compare_series(const void *a, const void *b)
{
	const struct trend_series *x = a, *y = b;
	double worse_x = x->worst ? x->worst->harm : 0, worse_y = y->worst ? y->worst->harm : 0;
	int order = (x->verdict > y->verdict) - (x->verdict < y->verdict);

	if (!order)
		order = (worse_x < worse_y) - (worse_x > worse_y);
	if (!order)
		order = strcmp(x->from->cell, y->from->cell);
	return order ? order : strcmp(x->from->metric, y->from->metric);
}

/* --- all of it --- */

static void note_what_is_missing(struct trend *t)
{
	struct strlist missing = { 0 };

	for (size_t i = 0; i < t->nr_series; i++) {
		const struct trend_series *s = &t->series[i];

		if (s->tracks[s->newest].live && !s->tracks[s->newest].tonight)
			strlist_addf(&missing, "no value in the newest night: %s %s", s->from->cell,
				     s->from->metric);
	}
	for (size_t i = 0; i < missing.nr && i < 10; i++)
		strlist_add(&t->notes, missing.items[i]);
	if (missing.nr > 10)
		strlist_addf(&t->notes, "no value in the newest night: %zu more series",
			     missing.nr - 10);
	strlist_free(&missing);
	for (size_t i = 0; i < t->acks.nr; i++) {
		const struct trend_ack *ack = &t->acks.items[i];

		if (!ack->used)
			strlist_addf(
				&t->notes, "%s:%u: without effect: no change of %s, %s at run %s",
				ack->node->path, ack->node->line, ack->cell, ack->metric, ack->run);
	}
}

static void count_tracks(struct trend *t, const struct trend_series *s)
{
	for (size_t i = 0; i < s->nr_tracks; i++)
		t->nr_judged += s->tracks[i].live && s->tracks[i].nr >= TREND_MIN_POINTS;
}

static void judge_all(struct trend *t)
{
	adjust(t, TREND_NEW_POSSIBLE, false, TREND_RECENT);
	adjust(t, TREND_NEW_SUSPECTED, true, 1);
	for (size_t i = 0; i < t->nr_series; i++) {
		struct trend_series *s = &t->series[i];

		settle_states(s);
		for (size_t a = 0; a < t->acks.nr; a++)
			acknowledge(t, s, &t->acks.items[a]);
		judge_series(s);
		count_tracks(t, s);
	}
	qsort(t->series, t->nr_series, sizeof(*t->series), compare_series);
	note_what_is_missing(t);
}

int trend_judge(struct trend *t)
{
	autofree struct floors *floors = xzalloc((t->data.nr_setups + 1) * sizeof(*floors));
	struct nights nights;
	int ret;

	if (!t->data.nr_runs)
		return 0;
	find_nights(&t->data, &nights);
	ret = load_floors(t, &nights, floors);
	t->series = xzalloc((t->data.nr_series + 1) * sizeof(*t->series));
	for (size_t i = 0; i < t->data.nr_series && !ret; i++) {
		struct trend_series *s = &t->series[t->nr_series];

		s->from = &t->data.series[i];
		make_tracks(t, &nights, s);
		if (!s->nr_tracks)
			continue;
		t->nr_series++;
		set_floors(s, floors);
		for (size_t k = 0; k < s->nr_tracks; k++)
			trend_find_changes(s, k);
	}
	if (!ret)
		judge_all(t);
	for (size_t i = 0; i < t->data.nr_setups; i++)
		floors_free(&floors[i]);
	return ret;
}
