/* SPDX-License-Identifier: GPL-2.0-only */
/* Doubles compared as such: cmocka's assert_float_equal() makes floats of them first. */
#ifndef TESTS_CLOSE_H
#define TESTS_CLOSE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>

static inline void assert_close_at(double value, double expected, double epsilon, const char *file,
				   int line)
{
	if (!(fabs(value - expected) <= epsilon))
		_fail(file, line);
}
#define assert_close(value, expected, epsilon) \
	assert_close_at(value, expected, epsilon, __FILE__, __LINE__)

#endif
