// SPDX-License-Identifier: GPL-2.0-only
/* Progress of a run: a line that changes on a terminal, plain lines elsewhere. */
#include "harness/progress.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "harness/util.h"

void progress_start(struct progress *progress, size_t total, double estimate_total_s)
{
	const char *wish = getenv("IOMMUBENCH_PROGRESS");

	*progress = (struct progress){ .total = total, .estimate_total_s = estimate_total_s };
	progress->terminal = wish ? !strcmp(wish, "terminal") : isatty(STDOUT_FILENO) == 1;
}

double progress_left_s(const struct progress *progress)
{
	double left = progress->estimate_total_s - progress->estimate_done_s;
	double pace =
		progress->estimate_done_s > 0 ? progress->spent_s / progress->estimate_done_s : 1;

	return left > 0 ? left * pace : 0;
}

void progress_begin(struct progress *progress, const char *what, double estimate_s)
{
	progress->step_estimate_s = estimate_s;
	progress->step_start_s = now_s();
	if (!progress->terminal)
		return;
	printf("\r\033[K[%2zu/%zu] %s ... about %s left", progress->done + 1, progress->total, what,
	       human_duration(progress_left_s(progress)));
	fflush(stdout);
}

void progress_end(struct progress *progress, const char *what, const char *result)
{
	double took = now_s() - progress->step_start_s;

	progress->done++;
	progress->estimate_done_s += progress->step_estimate_s;
	progress->spent_s += took;
	printf("%s[%2zu/%zu] %s: %s, %s", progress->terminal ? "\r\033[K" : "", progress->done,
	       progress->total, what, result, human_duration(took));
	if (progress->done < progress->total)
		printf(", about %s left", human_duration(progress_left_s(progress)));
	printf("\n");
	fflush(stdout);
}

void progress_drop(struct progress *progress, double estimate_s)
{
	progress->total--;
	progress->estimate_total_s -= estimate_s;
}
