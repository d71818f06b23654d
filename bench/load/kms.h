/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Inside of kms: a display driven through the kernel's mode setting, with dumb buffers: memory that
 * the processor draws in and the GPU reads. Functions return 0, or -1 after saying why on stderr.
 */
#ifndef LOAD_KMS_H
#define LOAD_KMS_H

#include <stdbool.h>
#include <stdint.h>

#include <drm.h>
#include <drm_mode.h>

#define MAX_BUFFERS 64

struct options {
	const char *device; /* PCI address */
	unsigned int width, height;
	unsigned int buffers;
	unsigned int fill;   /* per cent of a frame that is drawn */
	unsigned int churn;  /* frames between two new buffers; 0: none */
	unsigned int frames; /* to be shown in the window, steered by nobody; 0: control.h */
	unsigned int limit_s;
	bool hold; /* after the result the last frame stays until another "end" */
};

/* As above; 1: --help was asked for and given. */
int options_parse(int argc, char **argv, struct options *options);

struct card {
	int fd;
	uint32_t connector, crtc;
	struct drm_mode_modeinfo mode;
};

struct buffer {
	uint32_t handle, fb, pitch;
	uint64_t size;
	uint8_t *pixels; /* XRGB8888 */
};

/*
 * Opens the display of the GPU at that PCI address: its first connector with a display, in the
 * mode of that size.
 */
int card_open(struct card *card, const struct options *options);

int card_make_buffer(const struct card *card, struct buffer *buffer);
/* One that is not shown. */
int card_destroy_buffer(const struct card *card, struct buffer *buffer);

/* Switches the display on with this buffer; the flips after it wait for no command's answer. */
int card_show(const struct card *card, const struct buffer *buffer);
/* Asks for a buffer to be shown, and waits until the driver says that it is. */
int card_flip(const struct card *card, const struct buffer *buffer);

#endif
