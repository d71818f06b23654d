/* SPDX-License-Identifier: GPL-2.0-only */
/* The counters file. */
#ifndef COIOMMU_COUNTERS_FILE_H
#define COIOMMU_COUNTERS_FILE_H

#include "coiommu_counters.h"

/*
 * Creates the file anew and maps it; with a NULL path anonymous memory of that name. For the
 * life of the process. Returns NULL with errno set if it cannot be made.
 */
struct coiommu_counters *counters_open(const char *path);

#endif
