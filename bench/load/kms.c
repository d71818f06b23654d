// SPDX-License-Identifier: GPL-2.0-only
/*
 * kms: what a graphical guest does to its IOMMU. Buffers of a display's size are created, drawn by
 * the processor, shown one after the other (page flips with their events) and destroyed. Steered as
 * control.h says, unless the number of frames is given.
 */
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "bench/load/control.h"
#include "bench/load/histogram.h"
#include "bench/load/kms.h"
#include "bench/pattern.h"

#define WARM_FRAMES 8U /* before "ready"; every buffer is shown at least twice, too */

struct kms {
	struct options options;
	struct card card;
	struct buffer buffers[MAX_BUFFERS];
	unsigned int next; /* buffer to be drawn; the one before it is shown */
	uint32_t frame;	   /* the number of the one that is shown */
	/* Of the window: */
	uint64_t began_ns, frames, created;
	struct histogram *flips, *changes;
};

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000ULL + (uint64_t)ts.tv_nsec;
}

static inline void fill_line(uint32_t *line, unsigned int width, uint32_t colour)
{
	for (unsigned int x = 0; x < width; x++)
		line[x] = colour;
}

/* Not memcpy(): under emulation libc's string instructions would be counted byte by byte. */
static void fill_tile(uint8_t *pixels, uint32_t pitch, unsigned int width, unsigned int height,
		      uint32_t colour)
{
	for (unsigned int y = 0; y < height; y++) {
		uint32_t *line = (uint32_t *)(void *)(pixels + (size_t)y * pitch);

		if (width == PATTERN_TILE)
			fill_line(line, PATTERN_TILE, colour); /* in few wide stores */
		else
			fill_line(line, width, colour);
	}
}

/* The first lines of tiles of a frame. */
static void draw(const struct kms *kms, const struct buffer *buffer, uint32_t frame,
		 unsigned int lines)
{
	unsigned int width = kms->options.width, height = kms->options.height;
	unsigned int columns = pattern_tiles(width);

	for (unsigned int line = 0; line < lines; line++) {
		unsigned int y = line * PATTERN_TILE, left = height - y;
		uint8_t *pixels = buffer->pixels + (size_t)y * buffer->pitch;

		for (unsigned int column = 0; column < columns; column++) {
			unsigned int x = column * PATTERN_TILE, rest = width - x;

			fill_tile(pixels + (size_t)x * 4, buffer->pitch,
				  rest < PATTERN_TILE ? rest : PATTERN_TILE,
				  left < PATTERN_TILE ? left : PATTERN_TILE,
				  pattern_tile(frame, columns, column, line));
		}
	}
}

/* A buffer as of frame 0: what later frames do not draw stays so. */
static int make_buffer(struct kms *kms, struct buffer *buffer)
{
	if (card_make_buffer(&kms->card, buffer))
		return -1;
	draw(kms, buffer, 0, pattern_tiles(kms->options.height));
	return 0;
}

static int change_buffer(struct kms *kms, struct buffer *buffer)
{
	uint64_t start = now_ns();

	if (card_destroy_buffer(&kms->card, buffer) || make_buffer(kms, buffer))
		return -1;
	histogram_add(kms->changes, now_ns() - start);
	kms->created++;
	return 0;
}

static int show_frame(struct kms *kms)
{
	const struct options *o = &kms->options;
	struct buffer *buffer = &kms->buffers[kms->next];
	uint64_t start;

	kms->frame++;
	if (o->churn && kms->frame % o->churn == 0 && change_buffer(kms, buffer))
		return -1;
	draw(kms, buffer, kms->frame, pattern_drawn(pattern_tiles(o->height), o->fill));
	start = now_ns();
	if (card_flip(&kms->card, buffer))
		return -1;
	histogram_add(kms->flips, now_ns() - start);
	kms->frames++;
	kms->next = kms->next + 1 < o->buffers ? kms->next + 1 : 0;
	return 0;
}

static int set_up(struct kms *kms)
{
	uint32_t warm = kms->options.buffers * 2;

	if (card_open(&kms->card, &kms->options))
		return -1;
	for (unsigned int i = 0; i < kms->options.buffers; i++)
		if (make_buffer(kms, &kms->buffers[i]))
			return -1;
	if (card_show(&kms->card, &kms->buffers[0]))
		return -1;
	kms->next = 1;
	while (kms->frame < warm || kms->frame < WARM_FRAMES)
		if (show_frame(kms))
			return -1;
	control_event("ready", NULL);
	return 0;
}

static void begin(struct kms *kms)
{
	histogram_reset(kms->flips);
	histogram_reset(kms->changes);
	kms->frames = kms->created = 0;
	kms->began_ns = now_ns();
	control_event("begun", NULL);
}

static void add_times(json_t *fields, const char *what, const struct histogram *h)
{
	static const struct {
		const char *name;
		double quantile;
	} quantiles[] = { { "p50", 0.5 }, { "p99", 0.99 }, { "p999", 0.999 } };
	char key[32];

	if (!histogram_count(h))
		return;
	for (size_t i = 0; i < sizeof(quantiles) / sizeof(quantiles[0]); i++) {
		snprintf(key, sizeof(key), "%s_%s_s", what, quantiles[i].name);
		json_object_set_new(fields, key,
				    json_real(histogram_quantile_s(h, quantiles[i].quantile)));
	}
	snprintf(key, sizeof(key), "%s_max_s", what);
	json_object_set_new(fields, key, json_real(histogram_max_s(h)));
}

static void report(const struct kms *kms)
{
	double window_s = (double)(now_ns() - kms->began_ns) * 1e-9;
	json_t *fields =
		json_pack("{s:f, s:I, s:f, s:I, s:I, s:I}", "window_s", window_s, "frames",
			  (json_int_t)kms->frames, "frames_per_s", (double)kms->frames / window_s,
			  "buffers_created", (json_int_t)kms->created, "buffer_bytes",
			  (json_int_t)kms->buffers[0].size * kms->options.buffers, "frame",
			  (json_int_t)kms->frame);

	add_times(fields, "lat", kms->flips);
	add_times(fields, "change", kms->changes);
	control_event("result", fields);
}

/* Until the harness has its picture, or is gone. */
static int hold(void)
{
	struct pollfd poll_fd = { .fd = control_fd(), .events = POLLIN };
	enum control_word word;

	while ((word = control_poll()) == CONTROL_NONE)
		poll(&poll_fd, 1, -1);
	return word == CONTROL_END ? 0 : -1;
}

static int run(struct kms *kms)
{
	for (;;) {
		enum control_word word = control_poll();

		if (word == CONTROL_GONE)
			return -1;
		if (word == CONTROL_BEGIN)
			begin(kms);
		if (word == CONTROL_END) {
			report(kms);
			return kms->options.hold ? hold() : 0;
		}
		if (show_frame(kms))
			return -1;
	}
}

static int run_frames(struct kms *kms)
{
	begin(kms);
	while (kms->frames < kms->options.frames)
		if (show_frame(kms))
			return -1;
	report(kms);
	return 0;
}

int main(int argc, char **argv)
{
	static struct kms kms;
	int ret = options_parse(argc, argv, &kms.options);

	if (ret)
		return ret > 0 ? 0 : 2;
	if (kms.options.frames)
		alarm(kms.options.limit_s);
	else
		control_init(kms.options.limit_s);
	kms.flips = histogram_new();
	kms.changes = histogram_new();
	ret = set_up(&kms) || (kms.options.frames ? run_frames(&kms) : run(&kms));
	histogram_free(kms.flips);
	histogram_free(kms.changes);
	return ret;
}
