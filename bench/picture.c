// SPDX-License-Identifier: GPL-2.0-only
/* Pictures of a display: are they what was drawn? */
#include "bench/picture.h"

#include <errno.h>
#include <png.h>
#include <string.h>

#include "bench/pattern.h"
#include "harness/util.h"

#define CHANNELS 3U

static uint32_t expected(const struct picture_frame *frame, unsigned int x, unsigned int y)
{
	unsigned int line = y / PATTERN_TILE;
	unsigned int drawn = pattern_drawn(pattern_tiles(frame->height), frame->fill);

	return pattern_tile(line < drawn ? frame->number : 0, pattern_tiles(frame->width),
			    x / PATTERN_TILE, line);
}

static uint32_t pixel(const png_byte *pixels, const struct picture_frame *frame, unsigned int x,
		      unsigned int y)
{
	const png_byte *p = pixels + ((size_t)y * frame->width + x) * CHANNELS;

	return (uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2];
}

static int compare(const png_byte *pixels, const struct picture_frame *frame, char **why)
{
	for (unsigned int y = 0; y < frame->height; y++) {
		for (unsigned int x = 0; x < frame->width; x++) {
			uint32_t want = expected(frame, x, y), have = pixel(pixels, frame, x, y);

			if (have == want)
				continue;
			*why = xasprintf("the display does not show frame %u: pixel %u,%u is "
					 "#%06x, not #%06x",
					 frame->number, x, y, have, want);
			return -EPROTO;
		}
	}
	return 0;
}

/* libpng keeps its state in image, to be freed whatever comes of it. */
static int read_and_compare(png_image *image, const char *path, const struct picture_frame *frame,
			    char **why)
{
	autofree png_byte *pixels = NULL;

	if (!png_image_begin_read_from_file(image, path)) {
		*why = xasprintf("the picture of the display cannot be read: %s", image->message);
		return -EINVAL;
	}
	if (image->width != frame->width || image->height != frame->height) {
		*why = xasprintf("the display is %ux%u pixels, not %ux%u", image->width,
				 image->height, frame->width, frame->height);
		return -EPROTO;
	}
	image->format = PNG_FORMAT_RGB;
	pixels = xzalloc((size_t)image->width * image->height * CHANNELS);
	if (!png_image_finish_read(image, NULL, pixels, 0, NULL)) {
		*why = xasprintf("the picture of the display cannot be read: %s", image->message);
		return -EINVAL;
	}
	return compare(pixels, frame, why);
}

int picture_check(const char *path, const struct picture_frame *frame, char **why)
{
	png_image image = { .version = PNG_IMAGE_VERSION };
	int ret = read_and_compare(&image, path, frame, why);

	png_image_free(&image);
	return ret;
}
