// SPDX-License-Identifier: GPL-2.0-only
/* The command line of kms. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "bench/load/kms.h"
#include "bench/pattern.h"

static const char usage[] =
	"usage: kms --device ADDRESS [OPTIONS]\n"
	"  --device ADDRESS  PCI address of the GPU, as 0000:00:10.0\n"
	"  --width, --height PIXELS  of the display's mode [1024, 768]\n"
	"  --buffers N       shown in turn, 2 to 64 [2]\n"
	"  --fill PERCENT    of each frame that is drawn anew [100]\n"
	"  --churn N         every N frames a buffer is destroyed and created [0: never]\n"
	"  --frames N        the window is N frames; nothing is read from stdin [0: steered]\n"
	"  --hold            show the last frame until another 'end' after the result\n"
	"  --limit S         end at the latest [0: never]\n"
	"  without --frames 'begin' and 'end' come on stdin\n";

static const struct option long_options[] = {
	{ "device", required_argument, NULL, 'd' },
	{ "width", required_argument, NULL, 'w' },
	{ "height", required_argument, NULL, 'h' },
	{ "buffers", required_argument, NULL, 'b' },
	{ "fill", required_argument, NULL, 'f' },
	{ "churn", required_argument, NULL, 'c' },
	{ "limit", required_argument, NULL, 'l' },
	{ "hold", no_argument, NULL, 'H' },
	{ "help", no_argument, NULL, 'u' },
	{ "frames", required_argument, NULL, 'n' },
	{ NULL, 0, NULL, 0 },
};

static int bad_option(const char *what)
{
	fprintf(stderr, "kms: %s: see 'kms --help'\n", what);
	return -1;
}

static int set_number(struct options *o, int letter, const char *name, const char *text)
{
	const struct {
		int letter;
		unsigned int *value;
		unsigned long min, max;
	} numbers[] = {
		{ 'w', &o->width, PATTERN_MIN_WIDTH, 16384 },
		{ 'h', &o->height, PATTERN_MIN_HEIGHT, 16384 },
		{ 'b', &o->buffers, 2, MAX_BUFFERS },
		{ 'f', &o->fill, 0, 100 },
		{ 'c', &o->churn, 0, 1000000000 },
		{ 'n', &o->frames, 0, 1000000000 },
		{ 'l', &o->limit_s, 0, 1000000 },
	};

	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		unsigned long value;
		char *end;

		if (numbers[i].letter != letter)
			continue;
		value = strtoul(text, &end, 10);
		if (*text >= '0' && *text <= '9' && !*end && value >= numbers[i].min &&
		    value <= numbers[i].max) {
			*numbers[i].value = (unsigned int)value;
			return 0;
		}
		fprintf(stderr, "kms: --%s %s: not from %lu to %lu: see 'kms --help'\n", name, text,
			numbers[i].min, numbers[i].max);
	}
	return -1;
}

static int set_option(struct options *o, int letter, const char *name, const char *text)
{
	switch (letter) {
	case 'd':
		o->device = text;
		return 0;
	case 'H':
		o->hold = true;
		return 0;
	default:
		return set_number(o, letter, name, text);
	}
}

int options_parse(int argc, char **argv, struct options *o)
{
	int letter, index = 0;

	*o = (struct options){ .width = 1024, .height = 768, .buffers = 2, .fill = 100 };
	while ((letter = getopt_long(argc, argv, "", long_options, &index)) >= 0) {
		if (letter == 'u') {
			fputs(usage, stdout);
			return 1;
		}
		if (letter == '?')
			return -1;
		if (set_option(o, letter, long_options[index].name, optarg))
			return -1;
	}
	if (optind < argc)
		return bad_option("it takes options only");
	if (o->frames && o->hold)
		return bad_option("--hold waits for a word, which --frames does without");
	return o->device ? 0 : bad_option("--device is missing");
}
