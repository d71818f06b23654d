// SPDX-License-Identifier: GPL-2.0-only
/*
 * Bridging gaps, see bridges.h. Time is cut into slots, a new one with each change of room. The
 * least room of each is kept in a tree, so that "is there room from slot s until now" and
 * "take one from slot s until now" cost a logarithm. When slots run out, those in which no gap
 * begins are merged with the one before.
 */
#include "bench/replay/bridges.h"

#include <string.h>

#include "harness/util.h"

#define SLOTS_FIRST 1024U

/* Node i has children 2i and 2i + 1; room of a node counts all additions below and at it. */
struct bridges {
	uint32_t slots; /* leaves of the tree, a power of two */
	uint32_t used;
	int64_t *room, *added;
	uint32_t **owner; /* by slot: where its gap keeps the slot's number, or NULL */
};

static void allocate(struct bridges *b, uint32_t slots)
{
	b->slots = slots;
	b->used = 0;
	b->room = xrealloc(b->room, 2 * sizeof(b->room[0]) * slots);
	b->added = xrealloc(b->added, 2 * sizeof(b->added[0]) * slots);
	b->owner = xrealloc(b->owner, sizeof(b->owner[0]) * slots);
	memset(b->added, 0, 2 * sizeof(b->added[0]) * slots);
	for (uint32_t i = 0; i < 2 * slots; i++)
		b->room[i] = INT64_MAX / 2;
}

struct bridges *bridges_new(void)
{
	struct bridges *b = xzalloc(sizeof(*b));

	allocate(b, SLOTS_FIRST);
	return b;
}

void bridges_free(struct bridges *b)
{
	if (!b)
		return;
	free(b->room);
	free(b->added);
	free(b->owner);
	free(b);
}

static int64_t least(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static int64_t least_below(const struct bridges *b, uint32_t node)
{
	const int64_t *children = &b->room[(size_t)2 * node];

	return least(children[0], children[1]);
}

static void update_up(struct bridges *b, uint32_t node)
{
	for (node /= 2; node; node /= 2)
		b->room[node] = least_below(b, node) + b->added[node];
}

/* Room of a slot with all that was added above it. */
static int64_t added_above(const struct bridges *b, uint32_t node)
{
	int64_t sum = 0;

	for (node /= 2; node; node /= 2)
		sum += b->added[node];
	return sum;
}

static void set_slot(struct bridges *b, uint32_t slot, int64_t room)
{
	uint32_t node = b->slots + slot;

	b->room[node] = room - added_above(b, node);
	update_up(b, node);
}

/* Least room from slot on. */
static int64_t least_from(const struct bridges *b, uint32_t slot)
{
	uint32_t node = b->slots + slot;
	int64_t room = b->room[node];

	for (; node > 1; node /= 2) {
		if (!(node & 1))
			room = least(room, b->room[node + 1]);
		room += b->added[node / 2];
	}
	return room;
}

/* One less from slot on. */
static void take_from(struct bridges *b, uint32_t slot)
{
	uint32_t node = b->slots + slot;

	b->room[node]--;
	for (; node > 1; node /= 2) {
		if (!(node & 1)) {
			b->room[node + 1]--;
			if (node + 1 < b->slots)
				b->added[node + 1]--;
		}
		b->room[node / 2] =
			least(b->room[node & ~1U], b->room[node | 1]) + b->added[node / 2];
	}
}

/* Gaps keep their slots, all others go. Grows if that is not enough. */
static void compact(struct bridges *b)
{
	int64_t *rooms = xzalloc(sizeof(rooms[0]) * b->used);
	uint32_t **owners = xzalloc(sizeof(owners[0]) * b->used);
	uint32_t nr = 0, slots = b->slots;

	for (uint32_t i = 0; i < b->used; i++) {
		uint32_t node = b->slots + i;
		int64_t room = b->room[node] + added_above(b, node);

		if (b->owner[i] || !nr || i + 1 == b->used) {
			owners[nr] = b->owner[i];
			rooms[nr++] = room;
		} else {
			rooms[nr - 1] = least(rooms[nr - 1], room);
		}
	}
	while (nr > slots / 2)
		slots *= 2;
	allocate(b, slots);
	for (uint32_t i = 0; i < nr; i++) {
		b->owner[i] = owners[i];
		if (owners[i])
			*owners[i] = i;
		b->room[b->slots + i] = rooms[i];
	}
	b->used = nr;
	for (uint32_t node = b->slots - 1; node; node--)
		b->room[node] = least_below(b, node);
	free(rooms);
	free(owners);
}

static void new_slot(struct bridges *b, int64_t room, uint32_t *owner)
{
	if (b->used == b->slots)
		compact(b);
	b->owner[b->used] = owner;
	if (owner)
		*owner = b->used;
	set_slot(b, b->used++, room);
}

void bridges_begin(struct bridges *b, int64_t room, uint32_t *slot)
{
	new_slot(b, room, slot);
}

bool bridges_end(struct bridges *b, int64_t room, const uint32_t *slot)
{
	bool fits = slot && least_from(b, *slot) > 0;

	if (slot) {
		if (fits)
			take_from(b, *slot);
		b->owner[*slot] = NULL;
	}
	new_slot(b, room, NULL);
	return fits;
}
