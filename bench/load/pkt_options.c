// SPDX-License-Identifier: GPL-2.0-only
/* The command line of pkt. */
#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench/load/pkt.h"

static const char usage[] =
	"usage: pkt --role tx|rx|forward|echo [OPTIONS] -- [EAL ARGUMENTS]\n"
	"  --size BYTES      of a packet, 64 to 1518, its frame check sequence (4) included [64]\n"
	"  --rate PPS        packets a second; 0: as fast as the port takes them [0]\n"
	"  --window N        echo without a rate: packets under way [32]\n"
	"  --dst-mac MAC     where packets are sent [ff:ff:ff:ff:ff:ff]\n"
	"  --descriptors N   of the ring to receive and of that to send [512]\n"
	"  --burst N         packets at a time, 1 to 256 [32]\n"
	"  --mbufs N         packet buffers [what the rings need]\n"
	"  --register PATH   register DPDK's memory with coIOMMU (/dev/coiommu)\n"
	"  --link-wait S     for the link, and for the first packet back (echo) [10]\n"
	"  --within-page     use only packet buffers that cross no page\n"
	"  --idle-us N       sleep after a poll that found nothing [0]\n"
	"  --limit S         end at the latest [0: never]\n"
	"  --runtime S       begin and end by itself; else 'begin' and 'end' come on stdin\n"
	"  --spoil N         damage every Nth packet sent, to test the check [0: none]\n"
	"  The EAL needs one port: -a ADDRESS, or --no-pci --vdev=net_af_packet0,iface=INTERFACE\n";

static int bad_option(const char *what)
{
	fprintf(stderr, "pkt: %s: see 'pkt --help'\n", what);
	return -1;
}

static int parse_number(const char *name, const char *text, double min, double max, double *value)
{
	char *end;

	errno = 0;
	*value = strtod(text, &end);
	if (end != text && !*end && !errno && *value >= min && *value <= max)
		return 0;
	fprintf(stderr, "pkt: --%s %s: not from %g to %g: see 'pkt --help'\n", name, text, min,
		max);
	return -1;
}

static int parse_role(const char *text, enum role *role)
{
	static const char *const names[] = { "", "tx", "rx", "forward", "echo" };

	for (enum role r = ROLE_TX; r <= ROLE_ECHO; r++) {
		if (strcmp(text, names[r]) == 0) {
			*role = r;
			return 0;
		}
	}
	return bad_option("--role is tx, rx, forward or echo");
}

static const struct option long_options[] = {
	{ "role", required_argument, NULL, 'r' },
	{ "size", required_argument, NULL, 's' },
	{ "rate", required_argument, NULL, 'R' },
	{ "window", required_argument, NULL, 'w' },
	{ "dst-mac", required_argument, NULL, 'd' },
	{ "descriptors", required_argument, NULL, 'D' },
	{ "burst", required_argument, NULL, 'b' },
	{ "mbufs", required_argument, NULL, 'm' },
	{ "register", required_argument, NULL, 'M' },
	{ "link-wait", required_argument, NULL, 'l' },
	{ "idle-us", required_argument, NULL, 'i' },
	{ "within-page", no_argument, NULL, 'g' },
	{ "limit", required_argument, NULL, 'L' },
	{ "runtime", required_argument, NULL, 't' },
	{ "spoil", required_argument, NULL, 'S' },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 },
};

/* Limits of the options that are numbers; whole numbers but for the last three. */
static const struct {
	int letter;
	double min, max;
} limits[] = {
	{ 's', 64, 1518 }, { 'w', 1, 65536 }, { 'D', 8, 32768 },   { 'b', 1, BURST_MAX },
	{ 'm', 64, 1e7 },  { 'i', 0, 1e6 },   { 'L', 0, 1e6 },	   { 'S', 0, 1e9 },
	{ 'R', 0, 1e9 },   { 'l', 0, 3600 },  { 't', 0.001, 1e6 },
};

static int parse_limited(int letter, const char *name, const char *text, double *value)
{
	for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
		if (limits[i].letter != letter)
			continue;
		if (parse_number(name, text, limits[i].min, limits[i].max, value))
			return -1;
		if (strchr("Rlt", letter) || *value == floor(*value))
			return 0;
		fprintf(stderr, "pkt: --%s %s: not a whole number\n", name, text);
		return -1;
	}
	return 0;
}

static int set_option(struct options *o, int letter, const char *name, const char *text)
{
	double value = 0;

	if (parse_limited(letter, name, text, &value))
		return -1;
	switch (letter) {
	case 'r':
		return parse_role(text, &o->role);
	case 'd':
		if (rte_ether_unformat_addr(text, &o->dst))
			return bad_option("--dst-mac is a MAC address, as 02:00:00:00:00:01");
		break;
	case 'M':
		o->register_path = text;
		break;
	case 's':
		o->size = (unsigned int)value;
		break;
	case 'R':
		o->rate = value;
		break;
	case 'w':
		o->window = (unsigned int)value;
		break;
	case 'D':
		o->descriptors = (uint16_t)value;
		break;
	case 'b':
		o->burst = (uint16_t)value;
		break;
	case 'm':
		o->mbufs = (unsigned int)value;
		break;
	case 'l':
		o->link_wait_s = value;
		break;
	case 'i':
		o->idle_us = (unsigned int)value;
		break;
	case 'g':
		o->within_page = true;
		break;
	case 'L':
		o->limit_s = (unsigned int)value;
		break;
	case 't':
		o->runtime_s = value;
		break;
	case 'S':
		o->spoil = (unsigned int)value;
		break;
	}
	return 0;
}

static int check_options(struct options *o)
{
	if (!o->role)
		return bad_option("--role is missing");
	if (o->window && (o->role != ROLE_ECHO || o->rate > 0))
		return bad_option("--window is for --role echo without --rate");
	if (o->rate > 0 && o->role != ROLE_ECHO && o->role != ROLE_TX)
		return bad_option("--rate is for --role tx and echo");
	if (!o->window)
		o->window = 32;
	return 0;
}

int options_parse(int argc, char **argv, struct options *o, int *eal_arguments)
{
	int letter, index = 0;

	*o = (struct options){ .size = 64, .descriptors = 512, .burst = 32, .link_wait_s = 10 };
	memset(&o->dst, 0xff, sizeof(o->dst));
	while ((letter = getopt_long(argc, argv, "", long_options, &index)) >= 0) {
		if (letter == 'h') {
			fputs(usage, stdout);
			return 1;
		}
		if (letter == '?')
			return -1;
		if (set_option(o, letter, long_options[index].name, optarg))
			return -1;
	}
	if (optind < argc && strcmp(argv[optind - 1], "--") != 0)
		return bad_option("the EAL's arguments come after --");
	*eal_arguments = optind;
	return check_options(o);
}
