// SPDX-License-Identifier: GPL-2.0-only
/*
 * memcached's meta commands and its classic text ones (doc/protocol.txt of memcached). The binary
 * protocol is deprecated since memcached 1.6.
 */
#include <string.h>

#include "bench/load/memload.h"

/* An answer's first line is never this long. */
#define LINE_MAX_SIZE 2048

static char *put(char *to, const char *text)
{
	while (*text)
		*to++ = *text++;
	return to;
}

static char *put_number(char *to, uint32_t number)
{
	char digits[10];
	size_t i = sizeof(digits);

	do {
		digits[--i] = (char)('0' + number % 10);
		number /= 10;
	} while (number);
	memcpy(to, digits + i, sizeof(digits) - i);
	return to + sizeof(digits) - i;
}

char *request_get(enum protocol protocol, const struct keyspace *keys, uint32_t key, char *to)
{
	to = put(to, protocol == PROTOCOL_META ? "mg " : "get ");
	to += key_write(keys, key, to);
	return put(to, protocol == PROTOCOL_META ? " v\r\n" : "\r\n");
}

char *request_set(enum protocol protocol, const struct keyspace *keys, uint32_t key, uint32_t size,
		  char *to, char **value)
{
	to = put(to, protocol == PROTOCOL_META ? "ms " : "set ");
	to += key_write(keys, key, to);
	to = put(to, protocol == PROTOCOL_META ? " " : " 0 0 ");
	to = put(put_number(to, size), "\r\n");
	*value = to;
	return put(to + size, "\r\n");
}

static bool begins(const char *data, size_t len, const char *text)
{
	size_t text_len = strlen(text);

	return len >= text_len && memcmp(data, text, text_len) == 0;
}

/* The word'th word of the line, from 0, as a number; false if it is none below VALUE_MAX * 2. */
static bool number_at(const char *line, size_t len, unsigned int word, uint32_t *number)
{
	const char *end = line + len;
	uint32_t n = 0;

	for (; word; word--) {
		line = memchr(line, ' ', (size_t)(end - line));
		if (!line)
			return false;
		line++;
	}
	if (line == end || *line < '0' || *line > '9')
		return false;
	for (; line < end && *line >= '0' && *line <= '9'; line++) {
		n = n * 10 + (uint32_t)(*line - '0');
		if (n > 2 * VALUE_MAX)
			return false;
	}
	*number = n;
	return true;
}

/* data begins with a line of line_len bytes, which says how large the value after it is. */
static enum reply_kind parse_value(enum protocol protocol, const char *data, size_t len,
				   size_t line_len, struct reply *reply)
{
	const char *tail = protocol == PROTOCOL_META ? "\r\n" : "\r\nEND\r\n";

	if (!number_at(data, line_len, protocol == PROTOCOL_META ? 1 : 3, &reply->value_size))
		return REPLY_UNKNOWN;
	reply->value = data + line_len;
	reply->size = line_len + reply->value_size + strlen(tail);
	if (len < reply->size)
		return REPLY_PARTIAL;
	return begins(reply->value + reply->value_size, strlen(tail), tail) ? REPLY_HIT
									    : REPLY_UNKNOWN;
}

enum reply_kind reply_parse(enum protocol protocol, bool get, const char *data, size_t len,
			    struct reply *reply)
{
	const char *newline = memchr(data, '\n', len);
	size_t line_len;

	reply->size = 0;
	if (!newline)
		return len < LINE_MAX_SIZE ? REPLY_PARTIAL : REPLY_UNKNOWN;
	line_len = (size_t)(newline - data) + 1;
	reply->size = line_len;
	if (get && begins(data, line_len, protocol == PROTOCOL_META ? "VA " : "VALUE "))
		return parse_value(protocol, data, len, line_len, reply);
	if (get && begins(data, line_len, protocol == PROTOCOL_META ? "EN\r\n" : "END\r\n"))
		return REPLY_MISS;
	if (!get && begins(data, line_len, protocol == PROTOCOL_META ? "HD\r\n" : "STORED\r\n"))
		return REPLY_STORED;
	return REPLY_UNKNOWN;
}
