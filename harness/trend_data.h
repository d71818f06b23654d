/* SPDX-License-Identifier: GPL-2.0-only */
/* Inside of trend: what is judged, and what comes of it. */
#ifndef HARNESS_TREND_DATA_H
#define HARNESS_TREND_DATA_H

#include <jansson.h>

#include "harness/history.h"
#include "harness/trend.h"
#include "harness/util.h"

/* Worst first. */
enum trend_verdict {
	TREND_REGRESSION,
	TREND_SUSPECTED, /* a regression */
	TREND_POSSIBLE,	 /* a regression */
	TREND_CHANGED,	 /* of a metric without a direction */
	TREND_IMPROVEMENT,
	TREND_ACKNOWLEDGED,
	TREND_TOO_FEW, /* points */
	TREND_ENDED,   /* not measured of late */
	TREND_STEADY,
	TREND_NR_VERDICTS,
};
const char *trend_verdict_name(enum trend_verdict verdict);

enum trend_state { TREND_NEW, TREND_NEW_POSSIBLE, TREND_NEW_SUSPECTED, TREND_EARLIER };
const char *trend_state_name(enum trend_state state);

struct trend_ack {
	const struct yaml_node *node; /* where it is written */
	const char *run, *cell, *metric, *reason;
	bool used;
};

struct trend_acks {
	struct yaml_node *root;
	struct trend_ack *items;
	size_t nr;
};
/* Reads a file. 0; -EINVAL or another -errno with a logged reason. To be freed in any case. */
int trend_acks_load(const char *path, struct trend_acks *acks);
void trend_acks_free(struct trend_acks *acks);

struct trend_change {
	size_t place; /* in its track: the first point of the new level */
	size_t track;
	unsigned int run;
	enum trend_state state;
	double before, after, change, p, q; /* q: NAN of an earlier one */
	double harm;			    /* the change, turned so that more is worse */
	const struct trend_ack *ack;	    /* NULL: none */
};

/* Points of a series that may be compared. */
struct trend_track {
	unsigned int setup;
	size_t *points; /* indices of the series' points */
	size_t nr;
	bool live;    /* it goes on */
	bool tonight; /* its last point is of the newest night */
	size_t level; /* where its current level begins */
	double floor;
};

struct trend_series {
	const struct history_series *from;
	struct trend_track *tracks; /* by their first point */
	size_t nr_tracks;
	size_t newest;		      /* the track of its newest point */
	struct trend_change *changes; /* oldest first */
	size_t nr_changes;
	enum trend_verdict verdict;
	const struct trend_change *worst; /* what the verdict is about, or NULL */
};

struct trend_skip {
	char *folder, *reason;
};

struct trend {
	const struct trend_options *options;
	struct history_data data;
	struct trend_series *series; /* worst first */
	size_t nr_series;
	struct trend_acks acks;
	struct trend_skip *skipped; /* runs that could not be read */
	size_t nr_skipped, nr_added;
	struct strlist notes; /* what else is not judged, and why */
	size_t nr_judged;     /* tracks that go on and have enough points */
};

/*
 * Adds the runs below the folder that the history does not have. Folders that cannot be read go
 * to skipped. 0; -EEXIST: two folders with the same run's id differ, or another -errno, logged.
 */
int trend_add_runs(struct trend *t, struct history *history);

/* Judges all series. 0 or -errno with a logged reason: the file of floors. */
int trend_judge(struct trend *t);
void trend_series_free(struct trend_series *series);
/* Finds changes of one track; appends them to the series. trend_track.c */
void trend_find_changes(struct trend_series *s, size_t track);
/* Is it a metric that is to be judged at such a place? */
bool trend_wants(const struct trend_options *options, const struct history_series *series,
		 bool emulated);

const struct history_point *trend_point(const struct trend_series *s, size_t track, size_t place);
/* The newest point. */
const struct history_point *trend_newest(const struct trend_series *s);
/* The mean of the current level, and how far the newest ten points are from the first ten; or NAN.
 */
double trend_level(const struct trend_series *s);
double trend_since_start(const struct trend_series *s);
/* Is it one that gives EXIT_REGRESSION? */
bool trend_is_alarm(const struct trend_series *s);
size_t trend_count(const struct trend *t, enum trend_verdict verdict);
/* regression, improvement or changed. */
const char *trend_change_name(const struct trend_change *change, enum direction direction);

/* Texts to free. */
char *trend_time(int64_t seconds); /* 2026-01-31T23:59:59Z */
char *trend_percent(double relative);
char *trend_metric(const struct history_series *series); /* "pins per operation" */
/* A sentence that begins with the name of the series' verdict. */
char *trend_sentence(const struct trend *t, const struct trend_series *s);

void trend_print(const struct trend *t, FILE *out);
json_t *trend_json(const struct trend *t, int status); /* new reference */
/* 0 or -errno with a logged reason. t NULL: trend itself failed, because of what. */
int trend_write_junit(const char *path, const struct trend *t, const char *failure);
int trend_write_html(const struct trend *t, const char *path);

#endif
