// SPDX-License-Identifier: GPL-2.0-only
/* The replay command's options, and the combinations of settings they ask for. */
#include <errno.h>
#include <getopt.h>
#include <string.h>

#include "bench/replay/session.h"
#include "coiommu_abi.h"
#include "harness/log.h"
#include "harness/settings.h"

static const char *const unpin_words[] = { "off", "lru", "adaptive", NULL };
static const char *const policy_words[] = { "static",  "strict", "deferred",
					    "coiommu", "oracle", NULL };

static const struct setting table[REPLAY_SETTINGS + 1] = {
	[SET_UNPIN] = { "unpin", SETTING_CHOICE, "lru", unpin_words, 0, 0, "" },
	[SET_INTERVAL] = { "interval", SETTING_TIME, "10s", NULL, 1e-3, 86400, "" },
	[SET_LIMIT] = { "limit", SETTING_COUNT, "0", NULL, 0, 4294967295.0, "" },
	[SET_GENERATIONS] = { "generations", SETTING_COUNT, "0", NULL, 0, 255, "" },
	[SET_QUOTA] = { "quota", SETTING_SIZE, "0", NULL, 0, 1e15, "" },
	[SET_RANGE] = { "range", SETTING_COUNT, "16", NULL, 1, 1024, "" },
	[SET_SPECULATION] = { "speculation", SETTING_COUNT, "0", NULL, 0, 1024, "" },
	{ 0 },
};

enum {
	OPT_POLICY = REPLAY_SETTINGS,
	OPT_MODEL,
	OPT_JSON,
	OPT_COSTS,
	OPT_CURVES,
	OPT_LOCALITY,
	OPT_VMS,
	OPT_SEED,
	OPT_HELP
};
static const struct option longopts[] = {
	[SET_UNPIN] = { "unpin", required_argument, NULL, SET_UNPIN },
	[SET_INTERVAL] = { "interval", required_argument, NULL, SET_INTERVAL },
	[SET_LIMIT] = { "limit", required_argument, NULL, SET_LIMIT },
	[SET_GENERATIONS] = { "generations", required_argument, NULL, SET_GENERATIONS },
	[SET_QUOTA] = { "quota", required_argument, NULL, SET_QUOTA },
	[SET_RANGE] = { "range", required_argument, NULL, SET_RANGE },
	[SET_SPECULATION] = { "speculation", required_argument, NULL, SET_SPECULATION },
	[OPT_POLICY] = { "policy", required_argument, NULL, OPT_POLICY },
	[OPT_MODEL] = { "model", no_argument, NULL, OPT_MODEL },
	[OPT_JSON] = { "json", no_argument, NULL, OPT_JSON },
	[OPT_COSTS] = { "costs", required_argument, NULL, OPT_COSTS },
	[OPT_CURVES] = { "curves", required_argument, NULL, OPT_CURVES },
	[OPT_LOCALITY] = { "locality", required_argument, NULL, OPT_LOCALITY },
	[OPT_VMS] = { "vms", required_argument, NULL, OPT_VMS },
	[OPT_SEED] = { "seed", required_argument, NULL, OPT_SEED },
	[OPT_HELP] = { "help", no_argument, NULL, OPT_HELP },
	{ 0 },
};
static const char *const help[] = {
	[SET_UNPIN] = "LIST: of coiommu: off, lru, adaptive",
	[SET_INTERVAL] = "LIST: of unpinning, as 100ms,10s",
	[SET_LIMIT] = "LIST: pages released in an interval at most; 0: no limit",
	[SET_GENERATIONS] = "LIST: a page busy for so many intervals is looked at less often",
	[SET_QUOTA] = "LIST: pinned at most, as 4MiB,64MiB; 0: no quota",
	[SET_RANGE] = "LIST: pages in one mapping at most",
	[SET_SPECULATION] = "LIST: pages pinned unasked around one asked for; 0: off",
	[OPT_POLICY] = "LIST: of static, strict, deferred, coiommu, oracle (all)",
	[OPT_MODEL] = "the recorded settings, too, without the recorded calls of the host",
	[OPT_JSON] = "machine-readable",
	[OPT_COSTS] = "FILE: costs of a pin, an exit ... (bench/replay/costs.h)",
	[OPT_CURVES] = "FILE: pinned memory over time as CSV",
	[OPT_LOCALITY] = "FILE: time until pages are used again as CSV",
	[OPT_VMS] = "N: so many VMs that each do what the traces did",
	[OPT_SEED] = "N: of the moments at which they begin (1)",
	[OPT_HELP] = "this text",
};

static void print_help(void)
{
	printf("usage: iommubench replay TRACE... [OPTIONS]\n\n"
	       "Runs recorded DMA mappings (cells/CELL/BOOT/trace.coit of the mode coiommu with\n"
	       "'trace: yes') through policies, without a VM. Of LISTs all combinations are run; a\n"
	       "setting that is not given is the recorded one. With the recorded settings, the\n"
	       "counts are compared with those of the recorded run.\n\n");
	for (size_t i = 0; longopts[i].name; i++)
		printf("  --%-12s %s\n", longopts[i].name, help[i]);
	printf("\nExit status: 0 success, 2 usage or unreadable trace, 4 a replay with the recorded "
	       "settings\ndiffers from the recorded run.\n");
}

static int option_error(int opt, const char *why)
{
	log_err("replay: --%s: %s", longopts[opt].name, why);
	return -EINVAL;
}

static double word_index(const char *const *words, const char *word)
{
	for (int i = 0; words[i]; i++)
		if (!strcmp(words[i], word))
			return i;
	return -1;
}

static int parse_one(int opt, const char *text, struct replay_list *list)
{
	char *why = NULL;
	double n = 0;
	int ret = setting_parse(&table[opt], text, &n, &why);

	if (ret)
		option_error(opt, why);
	free(why);
	if (ret)
		return ret;
	if (opt == SET_UNPIN)
		n = word_index(unpin_words, text);
	if ((opt == SET_RANGE || opt == SET_SPECULATION) && ((uint64_t)n & ((uint64_t)n - 1)))
		return option_error(opt, "takes powers of two");
	if (opt == SET_QUOTA && n > 0 && n < COIOMMU_PAGE_SIZE)
		return option_error(opt, "is less than a page");
	list->v[list->nr++] = n;
	return 0;
}

static int parse_list(int opt, char *text, struct replay_options *o)
{
	struct replay_list *list = &o->lists[opt];
	char *rest = NULL;

	for (char *word = strtok_r(text, ",", &rest); word; word = strtok_r(NULL, ",", &rest)) {
		if (list->nr == REPLAY_LIST_MAX)
			return option_error(opt, "32 values at most");
		if (parse_one(opt, word, list))
			return -EINVAL;
	}
	return list->nr ? 0 : option_error(opt, "which values?");
}

static int parse_policies(char *text, struct replay_options *o)
{
	char *rest = NULL;
	bool any = false;

	memset(o->with, 0, sizeof(o->with));
	for (char *word = strtok_r(text, ",", &rest); word; word = strtok_r(NULL, ",", &rest)) {
		double i = word_index(policy_words, word);

		if (i < 0)
			return option_error(OPT_POLICY,
					    "takes static, strict, deferred, coiommu and oracle");
		o->with[(size_t)i] = true;
		any = true;
	}
	return any ? 0 : option_error(OPT_POLICY, "which policies?");
}

static int parse_number(int opt, const char *text, uint64_t max, uint64_t *n)
{
	char *end;

	errno = 0;
	*n = strtoull(text, &end, 10);
	if (*text < '0' || *text > '9' || *end || errno || *n > max)
		return option_error(opt, "takes a whole number");
	return 0;
}

static int parse_option(int opt, char *arg, struct replay_options *o)
{
	uint64_t n;

	switch (opt) {
	case OPT_POLICY:
		return parse_policies(arg, o);
	case OPT_MODEL:
		o->model = true;
		return 0;
	case OPT_JSON:
		o->as_json = true;
		return 0;
	case OPT_COSTS:
		o->costs = arg;
		return 0;
	case OPT_CURVES:
		o->curves = arg;
		return 0;
	case OPT_LOCALITY:
		o->locality = arg;
		return 0;
	case OPT_VMS:
		if (parse_number(opt, arg, 1000000, &n))
			return -EINVAL;
		o->vms = (unsigned int)n;
		return 0;
	case OPT_SEED:
		return parse_number(opt, arg, INT64_MAX, &o->seed);
	default:
		return opt >= 0 && opt < REPLAY_SETTINGS ? parse_list(opt, arg, o) : -EINVAL;
	}
}

int replay_options_parse(int argc, char **argv, struct replay_options *o, int *first)
{
	int opt;

	*o = (struct replay_options){ .seed = 1 };
	for (int i = 0; i < WITH_NR; i++)
		o->with[i] = true;
	while ((opt = getopt_long(argc, argv, "", longopts, NULL)) >= 0) {
		if (opt == OPT_HELP) {
			print_help();
			return 1;
		}
		if (parse_option(opt, optarg, o))
			return -EINVAL;
	}
	*first = optind;
	if (optind < argc)
		return 0;
	log_err("replay: which trace? See 'iommubench replay --help'");
	return -EINVAL;
}

static void apply(int setting, double v, struct policy_config *c)
{
	switch (setting) {
	case SET_UNPIN:
		c->unpin = (enum policy_unpin)v;
		break;
	case SET_INTERVAL:
		c->interval_ns = (uint64_t)(v * 1e3 + 0.5) * 1000000; /* as the mode passes it */
		break;
	case SET_LIMIT:
		c->limit_pages = (uint32_t)v;
		break;
	case SET_GENERATIONS:
		c->generations = (uint32_t)v;
		break;
	case SET_QUOTA:
		c->quota_pages = (uint64_t)v / COIOMMU_PAGE_SIZE;
		break;
	case SET_RANGE:
		c->range_pages = (uint32_t)v;
		break;
	default:
		c->speculate_pages = (uint32_t)v;
	}
}

bool replay_combination(const struct replay_options *o, size_t nr, const struct policy_config *base,
			struct policy_config *out)
{
	*out = *base;
	for (int i = 0; i < REPLAY_SETTINGS; i++) {
		const struct replay_list *list = &o->lists[i];

		if (!list->nr)
			continue;
		apply(i, list->v[nr % list->nr], out);
		nr /= list->nr;
	}
	return nr == 0;
}

char *replay_describe(const struct policy_config *c, const struct policy_config *base)
{
	struct strbuf sb = { 0 };

	strbuf_add(&sb, "", 0);
	if (!base || c->unpin != base->unpin)
		strbuf_addf(&sb, " unpin=%s", unpin_words[c->unpin]);
	if (!base || c->interval_ns != base->interval_ns)
		strbuf_addf(&sb, " interval=%s", human_duration((double)c->interval_ns * 1e-9));
	if (!base || c->limit_pages != base->limit_pages)
		strbuf_addf(&sb, " limit=%u", c->limit_pages);
	if (!base || c->generations != base->generations)
		strbuf_addf(&sb, " generations=%u", c->generations);
	if (!base || c->quota_pages != base->quota_pages)
		strbuf_addf(&sb, " quota=%s",
			    c->quota_pages ? human_bytes((double)(c->quota_pages * 4096)) : "0");
	if (!base || c->range_pages != base->range_pages)
		strbuf_addf(&sb, " range=%u", c->range_pages);
	if (!base || c->speculate_pages != base->speculate_pages)
		strbuf_addf(&sb, " speculation=%u", c->speculate_pages);
	return sb.data;
}
