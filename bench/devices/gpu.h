/* SPDX-License-Identifier: GPL-2.0-only */
/* What the workloads of a GPU know of its guest. */
#ifndef BENCH_DEVICES_GPU_H
#define BENCH_DEVICES_GPU_H

/* Where the host file's image is mounted, if there is one: fit for chroot. */
#define GPU_IMAGE_DIR "/tmp/image"

#endif
