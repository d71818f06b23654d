// SPDX-License-Identifier: GPL-2.0-only
/* The display's pattern, pictures of it, and the workload's settings. */
#include "tests/capture.h"

#include <errno.h>
#include <png.h>
#include <stdlib.h>

#include "bench/pattern.h"
#include "bench/picture.h"
#include "bench/registry.h"

#define WIDTH 520U /* the last tile of a line is cut */
#define HEIGHT 72U

static const struct picture_frame frame_7 = { WIDTH, HEIGHT, 100, 7 };

/* Of 64 columns, 16 pixels each. */
static void tiles_are_as_documented(void **state)
{
	assert_int_equal(pattern_tile(5, 64, 0, 0), 0xffffff); /* bars: white first, black last */
	assert_int_equal(pattern_tile(5, 64, 8, 0), 0xffff00);
	assert_int_equal(pattern_tile(5, 64, 63, 0), 0x000000);
	assert_int_equal(pattern_tile(5, 64, 63, 1), 0xffffff); /* 5 is ...0101 */
	assert_int_equal(pattern_tile(5, 64, 61, 1), 0x000000);
	assert_int_equal(pattern_tile(5, 64, 59, 1), 0xffffff);
	assert_int_equal(pattern_tile(0x80000000, 64, 0, 1), 0xffffff);
	assert_int_equal(pattern_tile(0, 64, 1, 2), 0x040806);
	assert_int_equal(pattern_tile(1, 64, 1, 2), 0x0c0c07);
	assert_int_equal(pattern_tiles(1024), 64);
	assert_int_equal(pattern_tiles(1025), 65);
	assert_int_equal(pattern_drawn(48, 100), 48);
	assert_int_equal(pattern_drawn(48, 50), 24);
	assert_int_equal(pattern_drawn(48, 0), 2);
}

/* The number can be read off any display that is wide enough. */
static void the_number_is_whole(void **state)
{
	for (unsigned int columns = PATTERN_MIN_WIDTH / PATTERN_TILE; columns < 200; columns++) {
		uint32_t seen[32] = { 0 };

		for (unsigned int bit = 0; bit < 32; bit++)
			for (unsigned int column = 0; column < columns; column++)
				if (pattern_tile(1U << bit, columns, column, 1))
					seen[bit]++;
		for (unsigned int bit = 0; bit < 32; bit++)
			assert_true(seen[bit] > 0);
	}
}

/* A picture of a display that shows a frame, but for one pixel if spoil is not 0. To free. */
static char *make_picture(const struct picture_frame *frame, uint32_t spoil)
{
	png_image image = { .version = PNG_IMAGE_VERSION,
			    .width = frame->width,
			    .height = frame->height,
			    .format = PNG_FORMAT_RGB };
	autofree uint8_t *pixels = xzalloc((size_t)frame->width * frame->height * 3);
	unsigned int drawn = pattern_drawn(pattern_tiles(frame->height), frame->fill);
	char *path = xasprintf("%s/display.png", capture_dir);

	for (unsigned int y = 0; y < frame->height; y++) {
		for (unsigned int x = 0; x < frame->width; x++) {
			uint8_t *p = pixels + ((size_t)y * frame->width + x) * 3;
			uint32_t colour = pattern_tile(y / 16 < drawn ? frame->number : 0,
						       pattern_tiles(frame->width), x / 16, y / 16);

			p[0] = (uint8_t)(colour >> 16);
			p[1] = (uint8_t)(colour >> 8);
			p[2] = (uint8_t)colour;
		}
	}
	pixels[(size_t)frame->width * frame->height * 3 - 1] ^= (uint8_t)spoil;
	assert_int_equal(png_image_write_to_file(&image, path, 0, pixels, 0, NULL), 1);
	return path;
}

static void check(const char *path, const struct picture_frame *frame, int wanted,
		  const char *words)
{
	autofree char *why = NULL;

	assert_int_equal(picture_check(path, frame, &why), wanted);
	if (!words)
		assert_null(why);
	else if (!why || !strstr(why, words))
		fail_msg("'%s' is not in '%s'", words, why ? why : "(nothing)");
}

static void a_right_picture_is_found_right(void **state)
{
	struct picture_frame half = { WIDTH, HEIGHT, 50, 3 };
	autofree char *path = make_picture(&frame_7, 0);

	check(path, &frame_7, 0, NULL);
	free(make_picture(&half, 0));
	check(path, &half, 0, NULL);
}

static void a_wrong_picture_is_found_out(void **state)
{
	struct picture_frame next = frame_7, half = frame_7, wide = frame_7;
	autofree char *path = make_picture(&frame_7, 0);

	next.number = 8;
	check(path, &next, -EPROTO, "does not show frame 8: pixel ");
	half.fill = 50;
	check(path, &half, -EPROTO, "pixel 0,32 is #");
	wide.width++;
	check(path, &wide, -EPROTO, "the display is 520x72 pixels, not 521x72");
	free(make_picture(&frame_7, 1));
	check(path, &frame_7, -EPROTO, "pixel 519,71 is #");
}

static void what_is_no_picture_is_said(void **state)
{
	autofree char *path = capture_file("display.png", "\x89PNG\r\n\x1a\nrubbish", 15);
	autofree char *right = make_picture(&frame_7, 0), *data = NULL;
	size_t len;

	data = file_read(right, &len);
	free(capture_file("display.png", "\x89PNG\r\n\x1a\nrubbish", 15));
	check(path, &frame_7, -EINVAL, "cannot be read");
	free(capture_file("display.png", data, len / 2));
	check(path, &frame_7, -EINVAL, "cannot be read");
	check("/nonexistent", &frame_7, -EINVAL, "cannot be read");
}

static void modes_are_checked(void **state)
{
	static const char *const bad[] = { "",		"1024",	     "1024x",	   "x768",
					   "1024x768x", "1024 x768", "511x768",	   "1024x63",
					   "-1x-1",	"1024x-1",   "20000x1024", "1024x99999" };
	const struct workload_ops *gpu = registry_workload("gpu");
	struct settings *settings = settings_new(gpu->settings);
	char *why = NULL;

	assert_int_equal(gpu->validate(settings, &why), 0);
	assert_int_equal(settings_set(settings, "mode", "512x64", &why), 0);
	assert_int_equal(gpu->validate(settings, &why), 0);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_int_equal(settings_set(settings, "mode", bad[i], &why), 0);
		assert_int_equal(gpu->validate(settings, &why), -EINVAL);
		assert_non_null(strstr(why, "WIDTHxHEIGHT"));
		free(why);
		why = NULL;
	}
	settings_free(settings);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tiles_are_as_documented),
		cmocka_unit_test(the_number_is_whole),
		cmocka_unit_test(a_right_picture_is_found_right),
		cmocka_unit_test(a_wrong_picture_is_found_out),
		cmocka_unit_test(what_is_no_picture_is_said),
		cmocka_unit_test(modes_are_checked),
	};

	return cmocka_run_group_tests(tests, capture_setup, capture_teardown);
}
