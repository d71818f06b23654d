// SPDX-License-Identifier: GPL-2.0-only
/* Student's t test. */
#include "harness/ttest.h"

#include <math.h>

#include "harness/stats.h"

#define MAX_STEPS 1000
#define TINY 1e-300

/* One step of Lentz' method: the fraction so far, times what this part makes of it. */
struct fraction {
	double c, d, value;
};

static double lentz(struct fraction *f, double numerator)
{
	double change;

	f->d = 1 + numerator * f->d;
	f->d = 1 / (fabs(f->d) < TINY ? TINY : f->d);
	f->c = 1 + numerator / f->c;
	f->c = fabs(f->c) < TINY ? TINY : f->c;
	change = f->c * f->d;
	f->value *= change;
	return change;
}

/* The continued fraction of the incomplete beta function (Abramowitz and Stegun, 26.5.8). */
static double beta_fraction(double a, double b, double x)
{
	double first = 1 - (a + b) * x / (a + 1);
	struct fraction f = { .c = 1 };

	f.d = 1 / (fabs(first) < TINY ? TINY : first);
	f.value = f.d;
	for (int m = 1; m <= MAX_STEPS; m++) {
		double i = m;

		lentz(&f, i * (b - i) * x / ((a + 2 * i - 1) * (a + 2 * i)));
		if (fabs(lentz(&f, -(a + i) * (a + b + i) * x / ((a + 2 * i) * (a + 2 * i + 1))) -
			 1) < 1e-15)
			break;
	}
	return f.value;
}

/* I_x(a, b), the regularized incomplete beta function; x and 1 - x, each exact where small. */
static double beta_share(double a, double b, double x, double rest)
{
	double front;

	if (x <= 0 || rest <= 0)
		return x <= 0 ? 0 : 1;
	front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log(rest));
	if (x < (a + 1) / (a + b + 2))
		return front * beta_fraction(a, b, x) / a;
	return 1 - front * beta_fraction(b, a, rest) / b;
}

double ttest_p(double t, double freedom)
{
	double square = t * t;

	if (isnan(t))
		return NAN;
	if (isinf(square))
		return 0;
	return beta_share(freedom / 2, 0.5, freedom / (freedom + square),
			  square / (freedom + square));
}

static double mean_of(const double *values, size_t nr)
{
	double mean = nr ? 0 : NAN;

	for (size_t i = 0; i < nr; i++)
		mean += values[i] / (double)nr; /* divided first: a sum may overflow */
	return mean;
}

void ttest(const double *x, size_t nr_x, const double *y, size_t nr_y, struct ttest *out)
{
	double n = (double)nr_x, m = (double)nr_y, freedom = n + m - 2, variance, difference;

	*out = (struct ttest){ .mean_x = mean_of(x, nr_x), .mean_y = mean_of(y, nr_y) };
	out->deviation_x = nr_x > 1 ? stats_deviation(x, nr_x) : 0;
	out->deviation_y = nr_y > 1 ? stats_deviation(y, nr_y) : 0;
	out->t = NAN;
	out->p = NAN;
	if (!nr_x || !nr_y || !(freedom > 0))
		return;
	variance = ((n - 1) * out->deviation_x * out->deviation_x +
		    (m - 1) * out->deviation_y * out->deviation_y) /
		   freedom;
	difference = out->mean_x - out->mean_y;
	out->t = variance > 0	   ? difference / sqrt(variance * (1 / n + 1 / m))
		 : difference == 0 ? 0
				   : copysign(INFINITY, difference);
	out->p = ttest_p(out->t, freedom);
}
