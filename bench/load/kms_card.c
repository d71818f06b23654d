// SPDX-License-Identifier: GPL-2.0-only
/* The kernel's mode setting, by its own ioctls (libdrm's headers are the kernel's). */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "bench/load/kms.h"

#define MAX_CARDS 16
#define MAX_OBJECTS 32
#define MAX_MODES 256
#define FLIP_MS 10000

/* Signals interrupt them; some drivers ask for another try. */
static int drm(int fd, unsigned long request, void *arg)
{
	int ret;

	do {
		ret = ioctl(fd, request, arg);
	} while (ret < 0 && (errno == EINTR || errno == EAGAIN));
	return ret;
}

static int fail(const char *what)
{
	fprintf(stderr, "kms: %s: %s\n", what, strerror(errno));
	return -1;
}

static uint64_t pointer(void *p)
{
	return (uint64_t)(uintptr_t)p;
}

/* --- which display --- */

/* The card whose sysfs folder lies below the PCI device. -1: there is none. */
static int open_card(const char *device)
{
	char link[64], path[PATH_MAX], part[64];

	snprintf(part, sizeof(part), "/%s/", device);
	for (int n = 0; n < MAX_CARDS; n++) {
		snprintf(link, sizeof(link), "/sys/class/drm/card%d", n);
		if (!realpath(link, path) || !strstr(path, part))
			continue;
		snprintf(link, sizeof(link), "/dev/dri/card%d", n);
		n = open(link, O_RDWR | O_CLOEXEC);
		return n < 0 ? fail(link) : n;
	}
	fprintf(stderr, "kms: %s has no /dev/dri/card: is its driver loaded?\n", device);
	return -1;
}

/* A connector's modes; nr 0: no display is connected. */
struct modes {
	struct drm_mode_modeinfo items[MAX_MODES];
	uint32_t nr;
	uint32_t encoder; /* one that can drive it */
};

static int read_modes(const struct card *card, uint32_t connector, struct modes *modes)
{
	uint32_t encoders[MAX_OBJECTS] = { 0 };
	struct drm_mode_get_connector get = { .connector_id = connector };

	/* Without room for modes the driver looks what is connected. */
	if (drm(card->fd, DRM_IOCTL_MODE_GETCONNECTOR, &get))
		return fail("cannot read a connector");
	get = (struct drm_mode_get_connector){ .connector_id = connector,
					       .count_modes = MAX_MODES,
					       .modes_ptr = pointer(modes->items),
					       .count_encoders = MAX_OBJECTS,
					       .encoders_ptr = pointer(encoders) };
	if (drm(card->fd, DRM_IOCTL_MODE_GETCONNECTOR, &get))
		return fail("cannot read a connector's modes");
	modes->nr = get.connection == 1 && get.count_modes <= MAX_MODES ? get.count_modes : 0;
	modes->encoder = encoders[0];
	return 0;
}

static int choose_crtc(struct card *card, const struct drm_mode_card_res *res,
		       const uint32_t *crtcs, uint32_t encoder)
{
	struct drm_mode_get_encoder get = { .encoder_id = encoder };

	if (drm(card->fd, DRM_IOCTL_MODE_GETENCODER, &get))
		return fail("cannot read an encoder");
	for (uint32_t i = 0; i < res->count_crtcs; i++) {
		if (get.possible_crtcs & 1U << i) {
			card->crtc = crtcs[i];
			return 0;
		}
	}
	fprintf(stderr, "kms: the display has no CRTC\n");
	return -1;
}

static int choose_mode(struct card *card, const struct modes *modes, const struct options *options)
{
	for (uint32_t i = 0; i < modes->nr; i++) {
		card->mode = modes->items[i];
		if (card->mode.hdisplay == options->width && card->mode.vdisplay == options->height)
			return 0;
	}
	fprintf(stderr, "kms: the display has no mode %ux%u; it has", options->width,
		options->height);
	for (uint32_t i = 0; i < modes->nr; i++)
		fprintf(stderr, " %ux%u", modes->items[i].hdisplay, modes->items[i].vdisplay);
	fprintf(stderr, "\n");
	return -1;
}

static int choose(struct card *card, const struct options *options)
{
	uint32_t connectors[MAX_OBJECTS], crtcs[MAX_OBJECTS];
	struct drm_mode_card_res res = { .count_connectors = MAX_OBJECTS,
					 .connector_id_ptr = pointer(connectors),
					 .count_crtcs = MAX_OBJECTS,
					 .crtc_id_ptr = pointer(crtcs) };
	struct modes modes = { .nr = 0 };

	if (drm(card->fd, DRM_IOCTL_MODE_GETRESOURCES, &res))
		return fail("the GPU has no display (no mode setting)");
	if (res.count_connectors > MAX_OBJECTS || res.count_crtcs > MAX_OBJECTS) {
		fprintf(stderr, "kms: the GPU has more than %d connectors or CRTCs\n", MAX_OBJECTS);
		return -1;
	}
	for (uint32_t i = 0; i < res.count_connectors && !modes.nr; i++) {
		card->connector = connectors[i];
		if (read_modes(card, connectors[i], &modes))
			return -1;
	}
	if (!modes.nr) {
		fprintf(stderr, "kms: no display is connected to the GPU: plug one in, or a "
				"dummy\n");
		return -1;
	}
	return choose_crtc(card, &res, crtcs, modes.encoder) ? -1
							     : choose_mode(card, &modes, options);
}

int card_open(struct card *card, const struct options *options)
{
	card->fd = open_card(options->device);
	return card->fd < 0 || choose(card, options) ? -1 : 0;
}

/* --- buffers --- */

int card_make_buffer(const struct card *card, struct buffer *buffer)
{
	struct drm_mode_create_dumb create = { .width = card->mode.hdisplay,
					       .height = card->mode.vdisplay,
					       .bpp = 32 };
	struct drm_mode_map_dumb map = { 0 };
	struct drm_mode_fb_cmd fb = {
		.width = card->mode.hdisplay, .height = card->mode.vdisplay, .bpp = 32, .depth = 24
	};

	if (drm(card->fd, DRM_IOCTL_MODE_CREATE_DUMB, &create))
		return fail("cannot create a buffer");
	fb.handle = map.handle = create.handle;
	fb.pitch = create.pitch;
	if (drm(card->fd, DRM_IOCTL_MODE_ADDFB, &fb))
		return fail("cannot make a frame buffer of a buffer");
	if (drm(card->fd, DRM_IOCTL_MODE_MAP_DUMB, &map))
		return fail("cannot map a buffer");
	*buffer = (struct buffer){ create.handle, fb.fb_id, create.pitch, create.size, NULL };
	buffer->pixels = mmap(NULL, create.size, PROT_READ | PROT_WRITE, MAP_SHARED, card->fd,
			      (off_t)map.offset);
	return buffer->pixels == MAP_FAILED ? fail("cannot map a buffer") : 0;
}

int card_destroy_buffer(const struct card *card, struct buffer *buffer)
{
	struct drm_mode_destroy_dumb destroy = { .handle = buffer->handle };

	munmap(buffer->pixels, buffer->size);
	if (drm(card->fd, DRM_IOCTL_MODE_RMFB, &buffer->fb) ||
	    drm(card->fd, DRM_IOCTL_MODE_DESTROY_DUMB, &destroy))
		return fail("cannot destroy a buffer");
	return 0;
}

/* --- showing them --- */

int card_show(const struct card *card, const struct buffer *buffer)
{
	uint32_t connector = card->connector;
	struct drm_mode_crtc crtc = { .set_connectors_ptr = pointer(&connector),
				      .count_connectors = 1,
				      .crtc_id = card->crtc,
				      .fb_id = buffer->fb,
				      .mode_valid = 1,
				      .mode = card->mode };

	return drm(card->fd, DRM_IOCTL_MODE_SETCRTC, &crtc) ? fail("cannot switch the display on")
							    : 0;
}

static int await_flip(const struct card *card)
{
	struct pollfd poll_fd = { .fd = card->fd, .events = POLLIN };
	char events[1024];
	ssize_t n;
	int ret;

	do {
		ret = poll(&poll_fd, 1, FLIP_MS);
	} while (ret < 0 && errno == EINTR);
	if (ret == 0) {
		fprintf(stderr, "kms: a flip took longer than %d s: the GPU or its driver hangs\n",
			FLIP_MS / 1000);
		return -1;
	}
	n = ret < 0 ? -1 : read(card->fd, events, sizeof(events));
	/* Only flips were asked for, and one at a time. */
	return n < (ssize_t)sizeof(struct drm_event_vblank) ? fail("no event of a flip") : 0;
}

int card_flip(const struct card *card, const struct buffer *buffer)
{
	struct drm_mode_crtc_page_flip flip = { .crtc_id = card->crtc,
						.fb_id = buffer->fb,
						.flags = DRM_MODE_PAGE_FLIP_EVENT };

	if (drm(card->fd, DRM_IOCTL_MODE_PAGE_FLIP, &flip))
		return fail("cannot flip");
	return await_flip(card);
}
