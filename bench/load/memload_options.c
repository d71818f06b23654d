// SPDX-License-Identifier: GPL-2.0-only
#include <getopt.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/load/memload.h"

/* Above any character that getopt_long() returns itself. */
#define FIRST 256

enum kind { COUNT, REAL, YES_NO, DIST, SERVER, ARRIVALS, KEY_DIST, PROTOCOL, MIX, HELP };

#define AT(member) offsetof(struct memload_options, member)

static const struct option_of {
	const char *name, *argument, *help;
	enum kind kind;
	size_t offset;
	double min, max;
} table[] = {
	{ "connect", "HOST:PORT", "the server, [ADDRESS]:PORT for IPv6", SERVER, 0, 0, 0 },
	{ "threads", "N", "threads (1)", COUNT, AT(threads), 1, 1024 },
	{ "connections", "N", "over all threads (8)", COUNT, AT(connections), 1, 1000000 },
	{ "depth", "N", "requests in flight per connection (1)", COUNT, AT(depth), 1, 1000000 },
	{ "rate", "OPS", "arrivals per second; 0: closed loop (0)", REAL, AT(rate), 0, 1e9 },
	{ "arrivals", "WORD", "poisson|uniform (poisson)", ARRIVALS, 0, 0, 0 },
	{ "get-ratio", "R", "share of gets, 0 to 1 (0.9)", REAL, AT(get_ratio), 0, 1 },
	{ "keys", "N", "number of keys (100000)", COUNT, AT(keys), 1, 2147483647 },
	{ "key-size", "DIST", "bytes, 1 to 250 (fixed:32)", DIST, AT(key_size), 0, 0 },
	{ "value-size", "DIST", "bytes, 0 to 1 MiB - 512 (fixed:200)", DIST, AT(value_size), 0, 0 },
	{ "mix", "etc", "Facebook's ETC pool: sizes, 30 gets a set (SIGMETRICS 2012)", MIX, 0, 0,
	  0 },
	{ "key-dist", "DIST", "uniform|zipf:THETA (uniform)", KEY_DIST, 0, 0, 0 },
	{ "seed", "N", "of the order of requests and their sizes (1)", COUNT, AT(seed), 0,
	  4294967295 },
	{ "warmup", "S", "seconds of load before the first window (1)", REAL, AT(warmup_s), 0,
	  86400 },
	{ "fill", "yes|no", "set every key first (yes)", YES_NO, AT(fill), 0, 0 },
	{ "verify", "yes|no", "check every value (yes)", YES_NO, AT(verify), 0, 0 },
	{ "protocol", "WORD", "meta|text (meta)", PROTOCOL, 0, 0, 0 },
	{ "timeout", "S", "no answer for so long is an error (5)", REAL, AT(timeout_s), 0.01,
	  86400 },
	{ "limit", "S", "end by SIGALRM after so long; 0: never (0)", COUNT, AT(limit_s), 0,
	  1000000 },
	{ "runtime", "S", "measure so long by itself, without words on stdin", REAL, AT(runtime_s),
	  0.01, 86400 },
	{ "help", NULL, "this", HELP, 0, 0, 0 },
};

#define OPTIONS (sizeof(table) / sizeof(*table))

static void usage(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));

static void usage(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fputs("memload: ", stderr);
	vfprintf(stderr, format, args);
	fputs(": see --help\n", stderr);
	va_end(args);
	exit(2);
}

static void help(void)
{
	char left[64];

	puts("Usage: memload --connect HOST:PORT [OPTION]...\n"
	     "Loads memcached and measures it. Steered by 'begin' and 'end' on stdin, or --runtime."
	     "\n");
	for (size_t i = 0; i < OPTIONS; i++) {
		snprintf(left, sizeof(left), "--%s %s", table[i].name,
			 table[i].argument ? table[i].argument : "");
		printf("  %-24s %s\n", left, table[i].help);
	}
	puts("\nDIST: fixed:N, uniform:A-B, normal:MEAN,SD, gpareto:LOCATION,SCALE,SHAPE or\n"
	     "gev:LOCATION,SCALE,SHAPE, clamped to what memcached allows. Options after --mix\n"
	     "change it. Times are in seconds and may have a fraction.");
	exit(0);
}

static double number(const struct option_of *option, const char *text)
{
	char *end;
	double value = strtod(text, &end);

	if (end == text || *end || !(value >= option->min && value <= option->max))
		usage("--%s: '%s' is not a number from %.10g to %.10g", option->name, text,
		      option->min, option->max);
	if (option->kind == COUNT && value != floor(value))
		usage("--%s: '%s' is not a whole number", option->name, text);
	return value;
}

/* True for yes, false for no. */
static bool either(const struct option_of *option, const char *text, const char *yes,
		   const char *no)
{
	if (strcmp(text, yes) != 0 && strcmp(text, no) != 0)
		usage("--%s: '%s' is neither '%s' nor '%s'", option->name, text, yes, no);
	return strcmp(text, yes) == 0;
}

static void set_server(struct memload_options *options, const char *text)
{
	const char *colon = strrchr(text, ':');
	size_t len = colon ? (size_t)(colon - text) : 0;

	if (!len || !colon[1])
		usage("--connect: '%s' is not HOST:PORT", text);
	if (text[0] != '[' && memchr(text, ':', len))
		usage("--connect: '%s': an IPv6 address is written [ADDRESS]:PORT", text);
	if (text[0] == '[') {
		if (text[len - 1] != ']' || len < 3)
			usage("--connect: '%s' is not [ADDRESS]:PORT", text);
		text++;
		len -= 2;
	}
	free(options->host);
	free(options->port);
	options->host = strndup(text, len);
	options->port = strdup(colon + 1);
}

static void set_key_dist(struct memload_options *options, const char *text)
{
	static const struct option_of theta = {
		.name = "key-dist", .kind = REAL, .min = 0.01, .max = 10
	};

	if (strcmp(text, "uniform") == 0)
		options->zipf_theta = 0;
	else if (strncmp(text, "zipf:", 5) == 0)
		options->zipf_theta = number(&theta, text + 5);
	else
		usage("--key-dist: '%s' is neither 'uniform' nor 'zipf:THETA'", text);
}

static void set_mix(struct memload_options *options, const char *text)
{
	if (strcmp(text, "etc") != 0)
		usage("--mix: '%s' is not 'etc'", text);
	options->key_size = dist_etc_key();
	options->value_size = dist_etc_value();
	options->get_ratio = 30.0 / 31;
}

static void set(struct memload_options *options, const struct option_of *option, const char *text)
{
	void *to = (char *)options + option->offset;

	switch (option->kind) {
	case COUNT:
		*(unsigned int *)to = (unsigned int)number(option, text);
		break;
	case REAL:
		*(double *)to = number(option, text);
		break;
	case YES_NO:
		*(bool *)to = either(option, text, "yes", "no");
		break;
	case DIST:
		if (!dist_parse(text, to))
			usage("--%s: '%s' is no DIST", option->name, text);
		break;
	case SERVER:
		options->server = text;
		set_server(options, text);
		break;
	case ARRIVALS:
		options->uniform_arrivals = either(option, text, "uniform", "poisson");
		break;
	case KEY_DIST:
		set_key_dist(options, text);
		break;
	case PROTOCOL:
		options->protocol =
			either(option, text, "meta", "text") ? PROTOCOL_META : PROTOCOL_TEXT;
		break;
	case MIX:
		set_mix(options, text);
		break;
	case HELP:
		help();
	}
}

static void check(const struct memload_options *options)
{
	if (!options->server)
		usage("--connect HOST:PORT is missing");
	if (options->connections < options->threads)
		usage("%u --connections are fewer than %u --threads", options->connections,
		      options->threads);
}

void options_parse(int argc, char **argv, struct memload_options *options)
{
	struct option names[OPTIONS + 1] = { 0 };
	int which;

	*options = (struct memload_options){
		.threads = 1,
		.connections = 8,
		.depth = 1,
		.get_ratio = 0.9,
		.keys = 100000,
		.key_size = { DIST_FIXED, 32, 0, 0 },
		.value_size = { DIST_FIXED, 200, 0, 0 },
		.seed = 1,
		.warmup_s = 1,
		.timeout_s = 5,
		.fill = true,
		.verify = true,
	};
	for (size_t i = 0; i < OPTIONS; i++) {
		names[i].name = table[i].name;
		names[i].has_arg = table[i].argument ? required_argument : no_argument;
		names[i].val = FIRST + (int)i;
	}
	while ((which = getopt_long(argc, argv, "", names, NULL)) != -1) {
		if (which < FIRST) /* getopt_long() has said why */
			exit(2);
		set(options, &table[which - FIRST], optarg);
	}
	if (optind < argc)
		usage("'%s' is no option", argv[optind]);
	check(options);
}

void options_free(struct memload_options *options)
{
	free(options->host);
	free(options->port);
}
