/* SPDX-License-Identifier: GPL-2.0-only */
/* What those who write and those who read samples.csv agree on. */
#ifndef HARNESS_SAMPLES_FORMAT_H
#define HARNESS_SAMPLES_FORMAT_H

#include "harness/util.h"

#define SAMPLES_HEADER "cell,mode,device,workload,variant,boot,metric,unit,direction,value"
#define SAMPLES_MAX_LINE 4096

/* Fields are never quoted, so they must not hold what would need it. */
bool sample_field_valid(const char *text);

/*
 * Adds the shortest decimal number that reads back as the same finite value. Without an exponent
 * where the value is of a size that is ever measured.
 */
void sample_add_number(struct strbuf *sb, double value);

#endif
