/* SPDX-License-Identifier: GPL-2.0-only */
/* What dmamap's files share: the settings of a run. */
#ifndef DMAMAP_H
#define DMAMAP_H

#include <linux/dma-direction.h>

#define DMAMAP_THREADS 64

enum shape { SHAPE_PAGE, SHAPE_64K, SHAPE_SG };
extern const char * const dmamap_shapes[3];

struct dmamap_params {
	char device[32];
	enum shape shape;
	enum dma_data_direction dir;
	unsigned int threads, maps, reuse, pool, hot, ab, round;
};

/* Fills p from text, which it cuts up. 0, -EINVAL (a key or word) or -ERANGE. */
int dmamap_parse(struct dmamap_params *p, char *text);

#endif
