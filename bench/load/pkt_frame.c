// SPDX-License-Identifier: GPL-2.0-only
/*
 * A packet of ours: Ethernet addresses, an experimental type, a header with its check sum, and
 * words that depend on the sequence number, one every WORD_STRIDE bytes and the last. So a packet
 * with stale or foreign parts is found at a cost that hardly grows with its size.
 */
#include <string.h>

#include "bench/load/pkt.h"

#define TYPE_OFFSET 12
#define TYPE 0x88b5U /* IEEE local experimental 1 */
#define MAGIC 0x54504249U
#define WORD_STRIDE 256
#define FACTOR 0x9e3779b97f4a7c15ULL /* spreads small differences over all bits */

struct header {
	uint8_t type[2];
	uint32_t magic;
	uint16_t length;
	uint16_t stream;
	uint64_t seq;
	uint64_t time;
	uint32_t check;
} __attribute__((packed));

#define DATA_OFFSET (TYPE_OFFSET + sizeof(struct header))

_Static_assert(DATA_OFFSET + 2 * sizeof(uint64_t) <= 64 - FCS_BYTES, "the smallest packet fits");

static uint32_t header_check(const struct header *h)
{
	uint64_t sum = (h->magic | (uint64_t)h->length << 32 | (uint64_t)h->stream << 48) * FACTOR;

	sum = (sum ^ h->seq) * FACTOR;
	sum = (sum ^ sum >> 32 ^ h->time) * FACTOR;
	return (uint32_t)(sum >> 32);
}

static uint64_t word_at(uint64_t seq, size_t offset)
{
	return (seq + offset + 1) * FACTOR;
}

static void put_word(uint8_t *packet, size_t offset, uint64_t seq)
{
	uint64_t word = word_at(seq, offset);

	memcpy(packet + offset, &word, sizeof(word));
}

static bool has_word(const uint8_t *packet, size_t offset, uint64_t seq)
{
	uint64_t word;

	memcpy(&word, packet + offset, sizeof(word));
	return word == word_at(seq, offset);
}

void frame_write(uint8_t *packet, size_t len, const struct frame *frame)
{
	size_t last = len - sizeof(uint64_t);
	struct header h = {
		.type = { TYPE >> 8, TYPE & 0xff },
		.magic = MAGIC,
		.length = (uint16_t)len,
		.stream = frame->stream,
		.seq = frame->seq,
		.time = frame->time,
	};

	h.check = header_check(&h);
	memcpy(packet + TYPE_OFFSET, &h, sizeof(h));
	for (size_t at = DATA_OFFSET; at + sizeof(uint64_t) <= last; at += WORD_STRIDE)
		put_word(packet, at, frame->seq);
	put_word(packet, last, frame->seq);
}

enum frame_kind frame_read(const uint8_t *packet, size_t len, struct frame *frame)
{
	size_t last = len - sizeof(uint64_t);
	struct header h;

	if (len < TYPE_OFFSET + sizeof(h.type))
		return FRAME_FOREIGN;
	if (packet[TYPE_OFFSET] != TYPE >> 8 || packet[TYPE_OFFSET + 1] != (TYPE & 0xff))
		return FRAME_FOREIGN;
	if (len < DATA_OFFSET + 2 * sizeof(uint64_t))
		return FRAME_CORRUPT;
	memcpy(&h, packet + TYPE_OFFSET, sizeof(h));
	if (h.magic != MAGIC || h.length != len || h.check != header_check(&h))
		return FRAME_CORRUPT;
	for (size_t at = DATA_OFFSET; at + sizeof(uint64_t) <= last; at += WORD_STRIDE) {
		if (!has_word(packet, at, h.seq))
			return FRAME_CORRUPT;
	}
	if (!has_word(packet, last, h.seq))
		return FRAME_CORRUPT;
	*frame = (struct frame){ .stream = h.stream, .seq = h.seq, .time = h.time };
	return FRAME_OURS;
}
