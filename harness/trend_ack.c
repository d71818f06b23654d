// SPDX-License-Identifier: GPL-2.0-only
/* trend: the file of acknowledged changes. */
#include <string.h>

#include "harness/trend_data.h"
#include "harness/yaml.h"

static const char *const keys[] = { "run", "cell", "metric", "reason" };
#define EXAMPLE                                                                                   \
	"'- { run: nightly-20260131-020000, cell: \"static.nvme.*\", metric: \"lat_*\", reason: " \
	"why }'"

static int read_ack(const struct yaml_node *node, struct trend_ack *ack)
{
	const char **const texts[] = { &ack->run, &ack->cell, &ack->metric, &ack->reason };
	int ret = yaml_expect(node, YAML_MAP, "an acknowledgement", EXAMPLE);

	ack->node = node;
	if (!ret)
		ret = yaml_check_keys(node, "an acknowledgement", keys, ARRAY_SIZE(keys));
	for (size_t i = 0; i < ARRAY_SIZE(keys) && !ret; i++) {
		const struct yaml_node *value = yaml_get(node, keys[i]);

		if (!value)
			return yaml_error(node, "an acknowledgement has no '%s': write it as %s",
					  keys[i], EXAMPLE);
		ret = yaml_expect(value, YAML_TEXT, keys[i], EXAMPLE);
		if (!ret && !*value->text)
			ret = yaml_error(value, "'%s' is empty: write it as %s", keys[i], EXAMPLE);
		*texts[i] = value->text;
	}
	return ret;
}

int trend_acks_load(const char *path, struct trend_acks *acks)
{
	int ret = yaml_load(path, &acks->root);

	if (ret || !acks->root)
		return ret;
	ret = yaml_expect(acks->root, YAML_LIST, "the file of acknowledgements", EXAMPLE);
	if (ret)
		return ret;
	acks->items = xzalloc((acks->root->nr + 1) * sizeof(*acks->items));
	for (; acks->nr < acks->root->nr && !ret; acks->nr++)
		ret = read_ack(&acks->root->items[acks->nr], &acks->items[acks->nr]);
	return ret;
}

void trend_acks_free(struct trend_acks *acks)
{
	free(acks->items);
	yaml_unload(acks->root);
	*acks = (struct trend_acks){ 0 };
}
