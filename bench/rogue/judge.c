// SPDX-License-Identifier: GPL-2.0-only
/* What a rogue device's tries say. */
#include "bench/rogue/judge.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <string.h>

#include "harness/util.h"

/* --- tallies --- */

void rogue_count(struct rogue_tally *tally, bool passed)
{
	tally->tries++;
	tally->passed += passed;
	tally->closed = !passed;
}

enum rogue_verdict rogue_verdict(const struct rogue_tally *tally)
{
	if (!tally->tries)
		return ROGUE_UNTRIED;
	if (!tally->passed)
		return ROGUE_BLOCKED;
	if (tally->passed == tally->tries)
		return ROGUE_PASSED;
	return tally->open_s > 0 && tally->closed ? ROGUE_WINDOW : ROGUE_PARTLY;
}

const char *rogue_verdict_name(enum rogue_verdict verdict)
{
	static const char *const names[] = {
		[ROGUE_UNTRIED] = "not tried", [ROGUE_BLOCKED] = "blocked",
		[ROGUE_PASSED] = "passed",     [ROGUE_WINDOW] = "window",
		[ROGUE_PARTLY] = "partly",
	};

	return names[verdict];
}

/* --- expectations --- */

/* Of memory that is not the device's at the moment. */
static enum rogue_verdict promised(enum reach reach, enum rogue_aim aim)
{
	if (aim == ROGUE_FOREIGN)
		return ROGUE_BLOCKED;
	switch (reach) {
	case REACH_ALL:
		return ROGUE_PASSED;
	case REACH_MAPPED:
		return ROGUE_BLOCKED;
	case REACH_STALE:
		return aim == ROGUE_STALE ? ROGUE_WINDOW : ROGUE_BLOCKED;
	case REACH_HELD:
		return aim == ROGUE_STALE ? ROGUE_PASSED : ROGUE_BLOCKED;
	case REACH_POOL: /* places all over memory may be its */
		return aim == ROGUE_ANYWHERE ? ROGUE_UNTRIED : ROGUE_BLOCKED;
	case REACH_UNKNOWN:
		break;
	}
	return ROGUE_UNTRIED;
}

const char *rogue_missed(enum rogue_verdict verdict, const char *expected, enum reach reach,
			 enum rogue_aim aim)
{
	if (!strcmp(expected, "mode")) {
		enum rogue_verdict wanted = promised(reach, aim);

		if (wanted == ROGUE_UNTRIED)
			return NULL;
		expected = rogue_verdict_name(wanted);
	}
	if (verdict == ROGUE_UNTRIED || !strcmp(expected, "any") ||
	    !strcmp(expected, rogue_verdict_name(verdict)))
		return NULL;
	return expected;
}

/* --- the module's words --- */

static int parse_mark(const char *hex, uint8_t *mark)
{
	for (size_t i = 0; i < ROGUE_MARK; i++, hex += 2) {
		char digits[3] = { 0 };

		if (!isxdigit((unsigned char)hex[0]) || !isxdigit((unsigned char)hex[1]))
			return -EBADMSG;
		memcpy(digits, hex, 2);
		mark[i] = (uint8_t)strtoul(digits, NULL, 16);
	}
	return *hex && !isspace((unsigned char)*hex) ? -EBADMSG : 0;
}

char *rogue_hex(const uint8_t *mark)
{
	struct strbuf sb = { 0 };

	for (size_t i = 0; i < ROGUE_MARK; i++)
		strbuf_addf(&sb, "%02x", mark[i]);
	return sb.data;
}

int rogue_parse_data(const char *text, uint8_t *data)
{
	return strncmp(text, "data ", 5) ? -EBADMSG : parse_mark(text + 5, data);
}

int rogue_parse_page(const char *text, const char *name, struct rogue_page *page)
{
	size_t len = strlen(name);

	for (const char *line = text; line && *line; line = strchr(line, '\n')) {
		char *end;

		line += *line == '\n';
		if (strncmp(line, name, len) != 0 || line[len] != ' ')
			continue;
		page->bus = strtoull(line + len, &end, 0);
		page->physical = strtoull(end, &end, 0);
		return *end == ' ' ? parse_mark(end + 1, page->content) : -EBADMSG;
	}
	return -EBADMSG;
}

/* A line's words; so many of them. */
#define MAX_WORDS 5
static size_t split(char *line, const char *words[MAX_WORDS])
{
	size_t nr = 0;
	char *save = NULL;

	for (char *word = strtok_r(line, " ", &save); word && nr < MAX_WORDS;
	     word = strtok_r(NULL, " ", &save))
		words[nr++] = word;
	return nr;
}

/* 1 passed, 0 blocked, -1 a word that says that the try tells nothing, or -EBADMSG. */
static int parse_result(const char *word, const char *nothing)
{
	if (!strcmp(word, "passed"))
		return 1;
	if (!strcmp(word, "blocked"))
		return 0;
	return nothing && !strcmp(word, nothing) ? -1 : -EBADMSG;
}

/*
 * Tries with the same result after one unmapping:
 *	shot AHEAD_US RESULT AFTER_NS UNMAP_NS
 *	follow RESULT NUMBER FIRST_NS LAST_NS
 */
struct row {
	int result; /* as parse_result() */
	unsigned int nr;
	double first_s, last_s;
};

static int parse_row(const char *const words[MAX_WORDS], size_t nr, struct row *row)
{
	if (nr == 5 && !strcmp(words[0], "shot")) {
		row->result = parse_result(words[2], "early");
		row->nr = 1;
		row->first_s = row->last_s = strtod(words[3], NULL) * 1e-9;
	} else if (nr == 5 && !strcmp(words[0], "follow")) {
		row->result = parse_result(words[1], NULL);
		row->nr = (unsigned int)strtoul(words[2], NULL, 10);
		row->first_s = strtod(words[3], NULL) * 1e-9;
		row->last_s = strtod(words[4], NULL) * 1e-9;
	} else {
		return -EBADMSG;
	}
	return row->result == -EBADMSG || !row->nr ? -EBADMSG : 0;
}

static void count_row(struct rogue_tally *stale, const struct row *row)
{
	stale->tries += row->nr;
	stale->closed = !row->result;
	if (!row->result)
		return;
	stale->passed += row->nr;
	stale->open_s = fmax(stale->open_s, row->last_s);
}

static int parse_stale_line(char *line, struct rogue_tally *mapped, struct rogue_tally *stale)
{
	const char *words[MAX_WORDS];
	size_t nr = split(line, words);
	struct row row;
	int ret;

	if (nr == 2 && !strcmp(words[0], "control")) {
		ret = parse_result(words[1], NULL);
		if (ret >= 0)
			rogue_count(mapped, ret);
		return ret < 0 ? ret : 0;
	}
	ret = parse_row(words, nr, &row);
	if (!ret && row.result >= 0)
		count_row(stale, &row);
	return ret;
}

static void find_closed_at(struct rogue_tally *stale, double after_s)
{
	if (after_s > stale->open_s && (stale->closed_s == 0 || after_s < stale->closed_s))
		stale->closed_s = after_s;
}

/* The shortest time after all that got through: until then at the latest it was closed. */
static void find_closed(const char *text, struct rogue_tally *stale)
{
	autofree char *copy = xstrdup(text);
	char *save = NULL;

	for (char *line = strtok_r(copy, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		const char *words[MAX_WORDS];
		size_t nr = split(line, words);
		struct row row;

		if (parse_row(words, nr, &row) || row.result)
			continue;
		find_closed_at(stale, row.first_s);
		find_closed_at(stale, row.last_s);
	}
}

int rogue_parse_stale(const char *text, struct rogue_tally *mapped, struct rogue_tally *stale)
{
	autofree char *copy = xstrdup(text);
	char *save = NULL;
	int ret = 0;

	*mapped = *stale = (struct rogue_tally){ 0 };
	for (char *line = strtok_r(copy, "\n", &save); line && !ret;
	     line = strtok_r(NULL, "\n", &save))
		ret = parse_stale_line(line, mapped, stale);
	if (!ret)
		find_closed(text, stale);
	return ret ? ret : mapped->tries && stale->tries ? 0 : -EBADMSG;
}

int rogue_parse_sweep(const char *text, struct rogue_tally *sweep)
{
	autofree char *copy = xstrdup(text);
	char *save = NULL;

	*sweep = (struct rogue_tally){ 0 };
	for (char *line = strtok_r(copy, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		const char *words[MAX_WORDS];
		int result;

		if (split(line, words) != 4 || strcmp(words[0], "probe") != 0)
			return -EBADMSG;
		result = parse_result(words[3], "changed");
		if (result == -EBADMSG)
			return result;
		if (result >= 0)
			rogue_count(sweep, result);
	}
	return sweep->tries ? 0 : -EBADMSG;
}

/* --- QEMU's q35 --- */

#define HOLE_FROM 0xb0000000ULL /* a VM with less memory has all of it below */
#define LOW_MEMORY (2 * GIB)	/* of one with more */

uint64_t rogue_guest_end(uint64_t memory_bytes)
{
	return memory_bytes < HOLE_FROM ? memory_bytes : 4 * GIB + memory_bytes - LOW_MEMORY;
}

bool rogue_is_guest_memory(uint64_t memory_bytes, uint64_t address)
{
	if (memory_bytes < HOLE_FROM)
		return address < memory_bytes;
	return address < LOW_MEMORY ||
	       (address >= 4 * GIB && address < rogue_guest_end(memory_bytes));
}
