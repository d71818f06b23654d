/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A log-linear histogram of times, in the manner of HdrHistogram (which Debian does not package):
 * values up to 2^42 ns (73 minutes) with a relative error below 1/128. Adding is one increment.
 */
#ifndef LOAD_HISTOGRAM_H
#define LOAD_HISTOGRAM_H

#include <stdint.h>

struct histogram;

/* Never NULL; free with histogram_free(). */
struct histogram *histogram_new(void);
void histogram_free(struct histogram *h);

void histogram_reset(struct histogram *h);
void histogram_add(struct histogram *h, uint64_t ns);
/* Adds all of from to h. */
void histogram_merge(struct histogram *h, const struct histogram *from);
uint64_t histogram_count(const struct histogram *h);
/*
 * The smallest recorded value that at least the fraction q (0 to 1) of all values do not exceed,
 * in seconds, within 1/128; NAN without values. Below 1/(1-q) values it is the maximum.
 */
double histogram_quantile_s(const struct histogram *h, double q);
double histogram_mean_s(const struct histogram *h);
double histogram_max_s(const struct histogram *h);

#endif
