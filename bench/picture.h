/* SPDX-License-Identifier: GPL-2.0-only */
/* Pictures of a display on which bench/load/kms.c shows its pattern. */
#ifndef BENCH_PICTURE_H
#define BENCH_PICTURE_H

#include <stdint.h>

/* What is shown: a frame of which fill per cent are drawn, the rest as in frame 0. */
struct picture_frame {
	unsigned int width, height, fill;
	uint32_t number;
};

/*
 * Does that PNG show that frame, every pixel of it? 0, -EPROTO with what is different in *why (to
 * free), or -EINVAL: it cannot be read, with the reason.
 */
int picture_check(const char *path, const struct picture_frame *frame, char **why);

#endif
