/* SPDX-License-Identifier: GPL-2.0-only */
/* The counters file. */
#ifndef COIOMMU_COUNTERS_FILE_H
#define COIOMMU_COUNTERS_FILE_H

#include "coiommu_counters.h"

/*
 * Creates the file anew and maps it; a NULL path gives private memory. Returns NULL with
 * errno set if the file cannot be made.
 */
struct coiommu_counters *counters_open(const char *path);
void counters_close(struct coiommu_counters *counters);

#endif
