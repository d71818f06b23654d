// SPDX-License-Identifier: GPL-2.0-only
/* What counts cost in time; see costs.h. */
#include "bench/replay/costs.h"

#include <errno.h>
#include <math.h>
#include <string.h>

#include "harness/log.h"
#include "harness/settings.h"
#include "harness/util.h"
#include "harness/yaml.h"

const char *const cost_names[COSTS] = {
	[COST_REQUEST] = "request",	  [COST_PIN_CALL] = "pin_call",
	[COST_UNPIN_CALL] = "unpin_call", [COST_SCAN_UNIT] = "scan_unit",
	[COST_VIOMMU] = "viommu_request",
};

static double per(uint64_t ns, uint64_t nr)
{
	return nr ? (double)ns / (double)nr * 1e-9 : NAN;
}

void costs_measured(struct costs *c, const struct replay_totals *t)
{
	const struct coiommu_policy_counters *n = &t->live;
	/* The guest waits for its requests and what is pinned within them; little else is. */
	uint64_t exits_ns = t->request_ns > n->map_ns ? t->request_ns - n->map_ns : 0;

	*c = (struct costs){ 0 };
	c->s[COST_REQUEST] = per(exits_ns, t->requests);
	c->s[COST_PIN_CALL] = per(n->map_ns, n->map_calls);
	c->s[COST_UNPIN_CALL] = per(n->unmap_ns, n->unmap_calls);
	c->s[COST_SCAN_UNIT] = per(n->scan_ns, n->scan_units);
	c->s[COST_VIOMMU] = NAN;
}

static int load_cost(struct costs *c, const struct yaml_node *root, int cost)
{
	static const struct setting time = { "cost", SETTING_TIME, "0", NULL, 0, 3600, "" };
	const struct yaml_node *node = yaml_get(root, cost_names[cost]);
	char *why = NULL;
	int ret;

	if (!node)
		return 0;
	ret = yaml_expect(node, YAML_TEXT, cost_names[cost], "1.5us");
	if (ret)
		return ret;
	ret = setting_parse(&time, node->text, &c->s[cost], &why);
	if (ret)
		yaml_error(node, "%s: %s", cost_names[cost], why);
	free(why);
	c->from_file[cost] = true;
	return ret;
}

static int load_source(struct costs *c, const struct yaml_node *root)
{
	const struct yaml_node *source = yaml_get(root, "source");

	if (!source || source->kind != YAML_TEXT || !*source->text)
		return yaml_error(root, "say where the costs were measured: add 'source: ...'");
	c->source = xstrdup(source->text);
	return 0;
}

int costs_load(struct costs *c, const char *path)
{
	const char *names[COSTS + 1] = { [COSTS] = "source" };
	struct yaml_node *root;
	int ret = yaml_load(path, &root);

	if (ret)
		return ret;
	memcpy(names, cost_names, sizeof(cost_names));
	if (!root) {
		log_err("%s: no costs in it", path);
		return -EINVAL;
	}
	ret = yaml_expect(root, YAML_MAP, "the costs", "request: 3us");
	if (!ret)
		ret = yaml_check_keys(root, "cost", names, ARRAY_SIZE(names));
	if (!ret)
		ret = load_source(c, root);
	for (int i = 0; !ret && i < COSTS; i++)
		ret = load_cost(c, root, i);
	yaml_unload(root);
	return ret;
}

void costs_free(struct costs *c)
{
	free(c->source);
	c->source = NULL;
}

/* What does not happen costs nothing, known or not. */
static double times(const struct costs *c, enum cost cost, uint64_t nr)
{
	return nr ? c->s[cost] * (double)nr : 0;
}

void costs_estimate(const struct costs *c, enum replay_kind kind, const struct replay_counts *n,
		    double *guest_s, double *host_s)
{
	double pin = times(c, COST_PIN_CALL, n->n[COUNT_PIN_CALLS]);
	double unpin = times(c, COST_UNPIN_CALL, n->n[COUNT_UNPIN_CALLS]);

	*guest_s = *host_s = NAN;
	switch (kind) {
	case REPLAY_COIOMMU:
		*guest_s = times(c, COST_REQUEST, n->n[COUNT_REQUESTS]) + pin;
		*host_s = unpin + times(c, COST_SCAN_UNIT, n->n[COUNT_SCANNED]);
		break;
	case REPLAY_VIOMMU:
		*guest_s = times(c, COST_VIOMMU, n->n[COUNT_REQUESTS]) + pin + unpin;
		*host_s = 0;
		break;
	default: /* pins far more than a few pages a call, or never ran */
		break;
	}
}
