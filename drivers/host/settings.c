// SPDX-License-Identifier: GPL-2.0-only
/* Settings of the backend from the environment; see settings.h. */
#include "settings.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int parse_number(const char *text, uint64_t max, bool sizes, uint64_t *value)
{
	static const char units[] = "kMG";
	unsigned long long n;
	const char *unit;
	char *end;

	if (*text < '0' || *text > '9')
		return -EINVAL;
	errno = 0;
	n = strtoull(text, &end, 10);
	if (errno)
		return -EINVAL;
	unit = *end && sizes ? strchr(units, *end) : NULL;
	if (unit) {
		unsigned int shift = 10 * (unsigned int)(unit - units + 1);

		if (n > UINT64_MAX >> shift)
			return -EINVAL;
		n <<= shift;
		end++;
	}
	if (*end || n > max)
		return -EINVAL;
	*value = n;
	return 0;
}

/* One of the words, as its index. */
static int parse_word(const char *text, const char *const *words, uint64_t *value)
{
	for (uint64_t i = 0; words[i]; i++) {
		if (!strcmp(text, words[i])) {
			*value = i;
			return 0;
		}
	}
	return -EINVAL;
}

static const char *const unpin_words[] = { "off", "lru", "adaptive", NULL };
static const char *const before_words[] = { "refuse", "static", NULL };
static const char *const break_words[] = { "", "no-pin", "release", NULL };

enum name {
	UNPIN,
	INTERVAL_MS,
	LIMIT,
	GENERATIONS,
	QUOTA,
	MAPPINGS,
	RANGE,
	SPECULATE,
	BEFORE,
	BATCH,
	LOG,
	STRICT,
	TRACE,
	BREAK,
	BREAK_AFTER,
	NR_NAMES
};

static const struct {
	const char *name;
	const char *const *words; /* or a number: */
	uint64_t max;
	bool sizes;
} table[NR_NAMES] = {
	[UNPIN] = { .name = "COIOMMU_UNPIN", .words = unpin_words },
	[INTERVAL_MS] = { .name = "COIOMMU_INTERVAL_MS", .max = 86400000 },
	[LIMIT] = { .name = "COIOMMU_LIMIT", .max = UINT32_MAX },
	[GENERATIONS] = { .name = "COIOMMU_GENERATIONS", .max = 255 },
	[QUOTA] = { .name = "COIOMMU_QUOTA", .max = UINT64_MAX, .sizes = true },
	[MAPPINGS] = { .name = "COIOMMU_MAPPINGS", .max = UINT32_MAX },
	[RANGE] = { .name = "COIOMMU_RANGE", .max = COIOMMU_LEAF_UNITS },
	[SPECULATE] = { .name = "COIOMMU_SPECULATE", .max = COIOMMU_LEAF_UNITS },
	[BEFORE] = { .name = "COIOMMU_BEFORE", .words = before_words },
	[BATCH] = { .name = "COIOMMU_BATCH", .max = 1 << 20 },
	[LOG] = { .name = "COIOMMU_LOG", .max = 1 },
	[STRICT] = { .name = "COIOMMU_STRICT", .max = 1 },
	[TRACE] = { .name = "COIOMMU_TRACE", .max = 1 },
	[BREAK] = { .name = "COIOMMU_BREAK", .words = break_words },
	[BREAK_AFTER] = { .name = "COIOMMU_BREAK_AFTER", .max = UINT32_MAX },
};

static bool power_of_two_or_0(uint64_t n)
{
	return !(n & (n - 1));
}

static int check(const uint64_t *value, char *error, size_t size)
{
	const char *wrong = NULL;

	if (!value[INTERVAL_MS])
		wrong = "COIOMMU_INTERVAL_MS must be at least 1 (COIOMMU_UNPIN=off turns it off)";
	else if (!power_of_two_or_0(value[RANGE]) || !power_of_two_or_0(value[SPECULATE]))
		wrong = "COIOMMU_RANGE and COIOMMU_SPECULATE must be powers of two";
	else if (value[QUOTA] && value[QUOTA] < COIOMMU_PAGE_SIZE)
		wrong = "COIOMMU_QUOTA is less than a page";
	else if (!value[BATCH])
		wrong = "COIOMMU_BATCH must be at least 1";
	if (!wrong)
		return 0;
	snprintf(error, size, "%s", wrong);
	return -EINVAL;
}

int settings_read(struct settings *s, char *(*get)(const char *name), char *error, size_t size)
{
	uint64_t value[NR_NAMES] = { [UNPIN] = policy_defaults.unpin,
				     [INTERVAL_MS] = policy_defaults.interval_ns / 1000000,
				     [RANGE] = policy_defaults.range_pages,
				     [BATCH] = 256 };

	memset(s, 0, sizeof(*s));
	s->mappings_auto = true;
	for (int i = 0; i < NR_NAMES; i++) {
		const char *text = get(table[i].name);
		int err;

		if (!text || (i == MAPPINGS && !strcmp(text, "auto")))
			continue;
		err = table[i].words ? parse_word(text, table[i].words, &value[i])
				     : parse_number(text, table[i].max, table[i].sizes, &value[i]);
		if (err) {
			snprintf(error, size, "%s=%s is not understood", table[i].name, text);
			return err;
		}
		if (i == MAPPINGS)
			s->mappings_auto = false;
	}
	if (check(value, error, size))
		return -EINVAL;
	s->policy = policy_defaults;
	s->policy.unpin = (enum policy_unpin)value[UNPIN];
	s->policy.interval_ns = value[INTERVAL_MS] * 1000000;
	s->policy.limit_pages = (uint32_t)value[LIMIT];
	s->policy.generations = (uint32_t)value[GENERATIONS];
	s->policy.quota_pages = value[QUOTA] / COIOMMU_PAGE_SIZE;
	s->policy.max_mappings = value[MAPPINGS];
	s->policy.range_pages = value[RANGE] ? (uint32_t)value[RANGE] : 1;
	s->policy.speculate_pages = (uint32_t)value[SPECULATE];
	s->policy.break_release = value[BREAK] == 2;
	s->break_pin = value[BREAK] == 1;
	s->break_after = value[BREAK_AFTER];
	s->static_before = value[BEFORE];
	s->batch = (uint32_t)value[BATCH];
	s->log = value[LOG];
	s->strict = value[STRICT];
	s->trace = value[TRACE];
	s->counters_path = get("COIOMMU_COUNTERS");
	return 0;
}
