// SPDX-License-Identifier: GPL-2.0-only
/* dmamap's "key=value ...": names, limits and defaults. */
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/parser.h>
#include <linux/string.h>

#include "dmamap.h"

const char * const dmamap_shapes[] = { "page", "64k", "sg" };

enum option {
	K_DEVICE, K_SHAPE, K_DIR, /* words */
	K_THREADS, K_MAPS, K_REUSE, K_POOL, K_HOT, K_AB, K_ROUND, /* numbers */
	K_UNKNOWN
};

static const match_table_t keys = {
	{ K_DEVICE, "device=%s" },   { K_SHAPE, "shape=%s" }, { K_DIR, "dir=%s" },
	{ K_THREADS, "threads=%u" }, { K_MAPS, "maps=%u" },   { K_REUSE, "reuse=%u" },
	{ K_POOL, "pool=%u" },	     { K_HOT, "hot=%u" },     { K_AB, "ab=%u" },
	{ K_ROUND, "round=%u" },     { K_UNKNOWN, NULL },
};

static const struct {
	enum option name;
	size_t offset;
	unsigned int min, max;
} numbers[] = {
	{ K_THREADS, offsetof(struct dmamap_params, threads), 1, DMAMAP_THREADS },
	{ K_MAPS, offsetof(struct dmamap_params, maps), 1, 1000000000 },
	{ K_REUSE, offsetof(struct dmamap_params, reuse), 0, 100 },
	{ K_POOL, offsetof(struct dmamap_params, pool), 1, 1 << 20 },
	{ K_HOT, offsetof(struct dmamap_params, hot), 1, 1 << 20 },
	{ K_AB, offsetof(struct dmamap_params, ab), 0, 1 },
	{ K_ROUND, offsetof(struct dmamap_params, round), 1, 1000000 },
};

static int parse_word(struct dmamap_params *p, enum option name, substring_t *arg)
{
	static const char * const dirs[] = { "both", "to", "from" }; /* in order of the enum */
	char word[sizeof(p->device)];
	int i = 0;

	if (match_strlcpy(word, arg, sizeof(word)) >= sizeof(word))
		return -EINVAL;
	if (name == K_DEVICE) {
		strscpy(p->device, word, sizeof(p->device));
	} else if (name == K_SHAPE) {
		i = match_string(dmamap_shapes, ARRAY_SIZE(dmamap_shapes), word);
		p->shape = i;
	} else {
		i = match_string(dirs, ARRAY_SIZE(dirs), word);
		p->dir = i;
	}
	return i < 0 ? i : 0;
}

static int parse_number(struct dmamap_params *p, enum option name, substring_t *arg)
{
	unsigned int value;
	int i, err = match_uint(arg, &value);

	for (i = 0; !err && i < ARRAY_SIZE(numbers); i++) {
		if (numbers[i].name != name)
			continue;
		if (value < numbers[i].min || value > numbers[i].max)
			return -ERANGE;
		*(unsigned int *)((char *)p + numbers[i].offset) = value;
		return 0;
	}
	return -EINVAL;
}

int dmamap_parse(struct dmamap_params *p, char *text)
{
	substring_t args[MAX_OPT_ARGS];
	char *word;
	int err = 0;

	*p = (struct dmamap_params){
		.shape = SHAPE_PAGE, .dir = DMA_BIDIRECTIONAL, .threads = 1, .maps = 100000,
		.reuse = 100, .pool = 1024, .hot = 16, .round = 500,
	};
	while (!err && (word = strsep(&text, "\n "))) {
		int key;

		if (!*word)
			continue;
		key = match_token(word, keys, args);
		if (key == K_UNKNOWN)
			return -EINVAL;
		err = key <= K_DIR ? parse_word(p, key, args) : parse_number(p, key, args);
	}
	if (!err && p->hot > p->pool)
		err = -ERANGE;
	return err;
}
