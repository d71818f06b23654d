/* SPDX-License-Identifier: GPL-2.0-only */
/* May a run that was interrupted go on here? */
#ifndef HARNESS_RESUME_H
#define HARNESS_RESUME_H

#include "harness/manifest.h"

/*
 * Compares what the run in dir was started with (its manifest) with what it would go on with.
 * 0; -EINVAL if the experiment or the shard is another one; -EXDEV if the host is of another
 * kind (another fingerprint in env, the environment); each logged.
 */
int resume_check(const char *dir, const struct manifest *manifest, const struct experiment *exp,
		 const struct plan *plan, const json_t *env);

#endif
