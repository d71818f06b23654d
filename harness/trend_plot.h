/* SPDX-License-Identifier: GPL-2.0-only */
/* Inside of trend: its plots, all drawn by one gnuplot. */
#ifndef HARNESS_TREND_PLOT_H
#define HARNESS_TREND_PLOT_H

#include "harness/trend_data.h"

#define TREND_MAX_PLOTS 16
#define TREND_MAX_SHOWN 365 /* points of one plot, the newest ones */

/* Colours of changes, apart for colour-blind readers, too. */
#define TREND_WORSE 0xd55e00
#define TREND_BETTER 0x009e73
#define TREND_OTHER 0xcc79a7
#define TREND_KNOWN 0x999999 /* acknowledged */

struct trend_plots {
	char *dir; /* with N.svg, N from 0 */
	size_t series[TREND_MAX_PLOTS];
	size_t nr;
	bool no_gnuplot;
};

/*
 * Draws the worst series; where there are more than TREND_MAX_PLOTS, only such as have something
 * to show. 0; -EIO: gnuplot failed, with a logged reason. A missing gnuplot is warned of.
 */
int trend_plots_make(const struct trend *t, struct trend_plots *plots);
void trend_plots_free(struct trend_plots *plots);

#endif
