// SPDX-License-Identifier: GPL-2.0-only
/* Keys and values: see memload.h. */
#include <stdlib.h>
#include <string.h>

#include "bench/load/memload.h"

#define WORD sizeof(uint64_t)
#define HEADED (2 * WORD)
#define GOLDEN 0x9e3779b97f4a7c15ULL
#define DIGIT_BITS 5

static const char digit_chars[] = "0123456789abcdefghijklmnopqrstuv";

void keyspace_init(struct keyspace *keys, uint32_t count, const struct dist *size)
{
	keys->count = count;
	keys->digits = 1;
	while ((uint64_t)(count - 1) >> (keys->digits * DIGIT_BITS))
		keys->digits++;
	keys->lengths = allocate(count, 1);
	for (uint32_t i = 0; i < count; i++) {
		struct rng rng = { mix64(i + GOLDEN) };

		keys->lengths[i] = (uint8_t)dist_draw(size, &rng, keys->digits, KEY_MAX);
	}
}

void keyspace_free(struct keyspace *keys)
{
	free(keys->lengths);
}

size_t key_write(const struct keyspace *keys, uint32_t key, char *to)
{
	size_t len = keys->lengths[key];

	for (unsigned int i = 0; i < keys->digits; i++) {
		unsigned int shift = (keys->digits - 1 - i) * DIGIT_BITS;

		to[i] = digit_chars[((uint64_t)key >> shift) & ((1U << DIGIT_BITS) - 1)];
	}
	memset(to + keys->digits, 'k', len - keys->digits);
	return len;
}

static inline uint64_t next_word(uint64_t *state)
{
	*state += GOLDEN;
	return *state ^ (*state >> 32);
}

static uint64_t first_state(uint32_t key, uint64_t head)
{
	return mix64(mix64(head + GOLDEN) ^ key);
}

static uint64_t head_of(uint32_t nonce, uint32_t size)
{
	return (uint64_t)nonce << 32 | size;
}

void value_write(uint32_t key, uint32_t nonce, char *to, uint32_t size)
{
	uint64_t head = head_of(size < HEADED ? 0 : nonce, size);
	uint64_t state = first_state(key, head), word;
	size_t left = size;

	if (size >= HEADED) {
		memcpy(to, &head, WORD);
		to += WORD;
		left -= WORD;
	}
	for (; left >= WORD; left -= WORD, to += WORD) {
		word = next_word(&state);
		memcpy(to, &word, WORD);
	}
	word = next_word(&state);
	memcpy(to, &word, left);
}

bool value_is_of(uint32_t key, const char *value, uint32_t size)
{
	uint64_t head = head_of(0, size), differs = 0, state, word, got;
	size_t left = size;

	if (size >= HEADED) {
		memcpy(&head, value, WORD);
		if ((uint32_t)head != size)
			return false;
		value += WORD;
		left -= WORD;
	}
	state = first_state(key, head);
	for (; left >= WORD; left -= WORD, value += WORD) {
		memcpy(&got, value, WORD);
		differs |= got ^ next_word(&state);
	}
	word = next_word(&state);
	return !differs && memcmp(value, &word, left) == 0;
}
