// SPDX-License-Identifier: GPL-2.0-only
/* Two runs on this very host, boot by boot in turns, and more boots where it is worth it. */
#include "harness/ab.h"

#include <errno.h>
#include <string.h>

#include "harness/compare_data.h"
#include "harness/journal.h"
#include "harness/log.h"
#include "harness/run_boot.h"
#include "harness/util.h"
#include "harness/wait.h"

struct ab_run {
	struct ab *ab;
	struct host_session session;
	struct host_run runs[NR_SIDES];
	double deadline_s;
	size_t due; /* boots up to the next look */
	double estimate_s;
	bool warm[NR_SIDES];
	unsigned int *lived; /* of each life: rounds that this session is through with */
};

/* --- boots --- */

/* One that failed gets no second try at the next look, without its neighbour; --resume gives it. */
static bool turn_due(const struct ab_run *run, const struct turn_life *life,
		     const struct plan_boot *boot)
{
	return boot->index >= run->lived[life - run->ab->turns.lives] &&
	       run_boot_due(&run->runs[life->side], boot);
}

static int count_turn(void *arg, const struct turn_life *life, const struct plan_boot *boot)
{
	struct ab_run *run = arg;
	struct host_run *side = &run->runs[life->side];

	if (turn_due(run, life, boot)) {
		run->due++;
		run->estimate_s += run_boot_estimate_s(side, boot);
	}
	return 0;
}

/* Both sides before either is measured: a warm-up must not fall between A and B. */
static int warm_turn(void *arg, const struct turn_life *life, const struct plan_boot *boot)
{
	struct ab_run *run = arg;
	struct host_run *side = &run->runs[life->side];

	if (run->warm[life->side] || !turn_due(run, life, boot))
		return 0;
	run->warm[life->side] = true;
	return run_warmups(side, boot);
}

static int live_turn(void *arg, const struct turn_life *life, const struct plan_boot *boot)
{
	struct ab_run *run = arg;
	struct host_run *side = &run->runs[life->side];
	int ret;

	if (!turn_due(run, life, boot))
		return 0;
	if (now_s() >= run->deadline_s)
		return -ETIME;
	ret = run_boot(side, boot);
	return !ret && wait_interrupted() ? -EINTR : ret;
}

/* All boots up to the look that each life is to reach. 0, -ETIME: no time is left; -errno. */
static int live_to_look(struct ab_run *run)
{
	const struct turns *turns = &run->ab->turns;
	int ret;

	run->due = 0;
	run->estimate_s = 0;
	turns_each(turns, count_turn, run);
	for (unsigned int side = 0; side < NR_SIDES; side++)
		if (!run->warm[side])
			run->due += run->runs[side].exp->warmup;
	progress_start(&run->session.progress, run->due, run->estimate_s);
	ret = turns_each(turns, warm_turn, run);
	if (!ret)
		ret = turns_each(turns, live_turn, run);
	for (size_t i = 0; i < turns->nr && !ret; i++)
		run->lived[i] = turns->looks.boots[turns->lives[i].look];
	return ret;
}

/* --- looks --- */

struct look {
	size_t nr, inconclusive; /* verdicts */
	bool more;		 /* boots are to be added */
};

static void look_at(const struct comparison *c, struct turns *turns, struct look *look)
{
	autofree size_t *before = xzalloc((turns->nr + 1) * sizeof(*before));

	for (size_t i = 0; i < turns->nr; i++)
		before[i] = turns->lives[i].look;
	look->nr = c->nr_pairs;
	for (size_t i = 0; i < c->nr_pairs; i++) {
		const struct pair *pair = &c->pairs[i];

		if (pair->test.verdict != VERDICT_INCONCLUSIVE)
			continue;
		look->inconclusive++;
		look->more |= turns_extend(turns, before, pair->cell, pair->other);
	}
}

/* False: nothing can be judged, which is logged; the end of the session will say it again. */
static bool judge(struct ab_run *run, struct look *look)
{
	const struct compare_options options = { .base = run->runs[0].dir,
						 .value = run->runs[1].dir,
						 .seed = COMPARE_SEED };
	struct comparison c = { .options = &options };
	bool judged = !comparison_make(&c);

	*look = (struct look){ 0 };
	if (judged)
		look_at(&c, &run->ab->turns, look);
	comparison_free(&c);
	return judged;
}

static char *why_stopped(const struct ab_run *run, int ret, bool judged, const struct look *look)
{
	const struct looks *looks = &run->ab->turns.looks;
	const char *limit = ret == -ETIME ? "--time-limit is reached" : "--max-boots are reached";

	if (ret && ret != -ETIME)
		return xstrdup(ret == -EINTR ? "interrupted" : strerror(-ret));
	if (!judged)
		return xstrdup("nothing can be judged");
	if (!look->inconclusive)
		return xasprintf("all %zu verdicts are clear", look->nr);
	return xasprintf("%s: %zu of %zu verdicts are inconclusive, with %u boots a side at most",
			 limit, look->inconclusive, look->nr, looks->boots[looks->nr - 1]);
}

/* Until there is nothing left to do. 0 or what went wrong; ab.json says why it has stopped. */
static int run_looks(struct ab_run *run)
{
	struct ab *ab = run->ab;
	autofree char *stopped = NULL;
	struct look look = { 0 };
	bool judged = false;
	int ret;

	for (;;) {
		ret = live_to_look(run);
		if (ret && ret != -ETIME)
			break;
		judged = judge(run, &look);
		json_object_set_new(ab->state, "reached", turns_json(&ab->turns));
		if (ret || !look.more)
			break;
		ret = ab_save(ab);
		if (ret)
			break;
		log_info("%zu of %zu verdicts are inconclusive: more boots for their cells",
			 look.inconclusive, look.nr);
	}
	stopped = why_stopped(run, ret, judged, &look);
	json_object_set_new(ab->state, "stopped", json_string(stopped));
	return ret == -ETIME ? 0 : ret;
}

/* --- the session --- */

/* Makes the run one side of the session. */
static int mark(const struct ab *ab, unsigned int side, struct host_run *run)
{
	const char *slash = strrchr(ab->dir, '/');
	autofree char *id = xasprintf("%s-%s", slash ? slash + 1 : ab->dir, turns_side(side));

	json_object_set_new(run->manifest.root, "run_id", json_string(id));
	json_object_set_new(
		run->manifest.root, "ab",
		json_pack("{s:O, s:s, s:O}", "session", json_object_get(ab->state, "session"),
			  "side", turns_side(side), "looks", json_object_get(ab->state, "looks")));
	return manifest_save(&run->manifest);
}

static int open_runs(struct ab_run *run)
{
	int ret = 0;

	for (unsigned int side = 0; side < NR_SIDES && !ret; side++) {
		ret = host_run_open(&run->runs[side]);
		if (!ret && !run->runs[side].resume)
			ret = mark(run->ab, side, &run->runs[side]);
	}
	return ret;
}

static int close_runs(struct ab_run *run, int ret)
{
	int code = EXIT_OK;

	for (unsigned int side = 0; side < NR_SIDES; side++) {
		int own = host_run_close(&run->runs[side], ret);

		code = own > code ? own : code; /* interrupted, cells failed, or fine */
	}
	return code;
}

static void make_runs(struct ab_run *run, const struct run_options *options)
{
	static const char *const labels[NR_SIDES] = { "A: ", "B: " };

	for (unsigned int side = 0; side < NR_SIDES; side++) {
		const struct ab_side *from = &run->ab->sides[side];
		autofree char *manifest = xasprintf("%s/manifest.json", from->dir);

		run->runs[side] = (struct host_run){ .session = &run->session,
						     .options = options,
						     .exp = from->exp,
						     .plan = from->plan,
						     .dir = from->dir,
						     .label = labels[side],
						     .resume = file_exists(manifest) };
	}
}

static int prepare(struct ab_run *run)
{
	int ret = 0;

	for (unsigned int side = 0; side < NR_SIDES && !ret; side++)
		ret = host_run_preflight(&run->runs[side]);
	return ret ? ret : host_session_open(&run->session);
}

int ab_run_here(struct ab *ab, const struct run_options *options, const struct host *host)
{
	struct ab_run run = { .ab = ab,
			      .session = { .host = host },
			      .deadline_s = options->deadline_s };
	autofree unsigned int *lived = xzalloc((ab->turns.nr + 1) * sizeof(*lived));
	bool refused;
	int ret, code;

	run.lived = lived;
	make_runs(&run, options);
	if (prepare(&run)) {
		for (unsigned int side = 0; side < NR_SIDES; side++)
			json_decref(run.runs[side].preflight);
		return EXIT_PREFLIGHT;
	}
	ret = open_runs(&run);
	refused = ret && run.runs[0].resume;
	if (!ret)
		ret = run_looks(&run);
	if (journal_close(run.session.journal) && !ret)
		ret = -EIO;
	code = close_runs(&run, ret);
	if (refused) /* the session stays as it was */
		return ret == -EXDEV ? EXIT_PREFLIGHT : EXIT_USAGE;
	json_object_set_new(ab->state, "status", json_string(ret ? "partial" : "complete"));
	return ab_save(ab) && !code ? EXIT_CELLS : code;
}
