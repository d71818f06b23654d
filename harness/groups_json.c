// SPDX-License-Identifier: GPL-2.0-only
/* The groups as JSON; groups.h says what is in it. */
#include "harness/groups.h"

#include <string.h>

#include "harness/util.h"

static json_t *text_or_null(const char *text)
{
	return text ? json_string(text) : json_null();
}

static json_t *number_or_null(int number)
{
	return number >= 0 ? json_integer(number) : json_null();
}

static json_t *bdf_or_null(const struct groups *groups, size_t node)
{
	return text_or_null(node == PCITREE_NONE ? NULL : groups->tree.nodes[node].bdf);
}

/* "flr bus" as a list. */
static json_t *words_json(const char *text)
{
	autofree char *copy = xstrdup(text ? text : "");
	json_t *words = json_array();
	char *save = NULL;

	for (char *word = strtok_r(copy, " ", &save); word; word = strtok_r(NULL, " ", &save))
		json_array_append_new(words, json_string(word));
	return words;
}

static json_t *flags_json(uint16_t flags)
{
	json_t *names = json_array();

	for (size_t i = 0; isolation_flag_names[i]; i++)
		if (flags & 1U << i)
			json_array_append_new(names, json_string(isolation_flag_names[i]));
	return names;
}

static json_t *acs_json(const struct pciconf *conf)
{
	if (!conf->has_acs)
		return json_null();
	return json_pack("{s:o, s:o}", "capable", flags_json(conf->acs_capable), "enabled",
			 flags_json(conf->acs_enabled));
}

static json_t *path_json(const struct groups *groups, size_t node)
{
	json_t *path = json_array();

	for (; node != PCITREE_NONE; node = groups->tree.nodes[node].parent) {
		const struct pcitree_node *hop = &groups->tree.nodes[node];
		enum isolation_verdict verdict = isolation_of(hop);
		autofree char *why = isolation_text(hop);

		json_array_append_new(path,
				      json_pack("{s:s, s:s, s:o, s:s, s:o}", "address", hop->bdf,
						"type", pcitree_type_text(hop), "isolates",
						verdict == ISOLATION_UNKNOWN
							? json_null()
							: json_boolean(isolation_ok(verdict)),
						"why", why, "acs", acs_json(&hop->conf)));
	}
	return path;
}

static json_t *rules_json(const struct groups *groups, size_t node)
{
	int group = groups->rules.members[node].group;
	json_t *list = json_array();

	if (group < 0 || !isolation_known(&groups->tree, node)) {
		json_decref(list);
		return json_null();
	}
	for (size_t i = 0; i < groups->tree.nr; i++)
		if (groups->rules.members[i].group == group)
			json_array_append_new(list, json_string(groups->tree.nodes[i].bdf));
	return list;
}

static json_t *device_json(const struct groups *groups, const struct groups_device *device)
{
	const struct pcitree_node *node = &groups->tree.nodes[device->node];
	const struct isolation_member *member = &groups->rules.members[device->node];
	autofree char *vendor = xasprintf("%04x", node->vendor);
	autofree char *id = xasprintf("%04x", node->device);
	json_t *json = json_pack("{s:s, s:s, s:s, s:s, s:s, s:s?}", "address", node->bdf, "name",
				 device->name, "class", device->class_name, "vendor", vendor,
				 "device", id, "driver", device->driver);

	json_object_set_new(json, "numa_node", number_or_null(device->numa_node));
	json_object_set_new(json, "reset_methods", words_json(device->resets));
	json_object_set_new(json, "group", number_or_null(node->group));
	json_object_set_new(json, "type", json_string(pcitree_type_text(node)));
	json_object_set_new(json, "multifunction", json_boolean(node->multifunction));
	json_object_set_new(json, "physical_function", bdf_or_null(groups, node->physfn));
	json_object_set_new(json, "path", path_json(groups, device->node));
	json_object_set_new(json, "shares_with",
			    bdf_or_null(groups, device->because ? member->with : PCITREE_NONE));
	json_object_set_new(json, "shares_because", text_or_null(device->because));
	json_object_set_new(json, "by_rules", json_string(groups_match_text(device->match)));
	json_object_set_new(json, "rules_group", rules_json(groups, device->node));
	json_object_set_new(json, "assignable", json_boolean(device->assignable));
	json_object_set_new(json, "reason", text_or_null(device->reason));
	json_object_set_new(json, "remedy", text_or_null(device->remedy));
	json_object_set_new(json, "caution", text_or_null(device->caution));
	return json;
}

static json_t *group_json(const struct groups *groups, int number)
{
	enum isolation_match match = MATCH_UNKNOWN;
	autofree char *type = groups_type(number);
	json_t *members = json_array();

	for (size_t i = 0; i < groups->tree.nr; i++) {
		if (groups->tree.nodes[i].group != number)
			continue;
		match = groups->devices[i].match;
		json_array_append_new(members, json_string(groups->tree.nodes[i].bdf));
	}
	return json_pack("{s:i, s:s?, s:o, s:s}", "group", number, "type", type, "devices", members,
			 "by_rules", groups_match_text(match));
}

json_t *groups_json(const struct groups *groups)
{
	json_t *list = json_array(), *devices = json_array();
	bool iommu = false;
	size_t nr;
	autofree int *numbers = groups_numbers(groups, &nr);

	for (size_t i = 0; i < nr; i++)
		json_array_append_new(list, group_json(groups, numbers[i]));
	for (size_t i = 0; i < groups->tree.nr; i++) {
		iommu |= groups->tree.nodes[i].group >= 0;
		if (groups->devices[i].wanted)
			json_array_append_new(devices, device_json(groups, &groups->devices[i]));
	}
	return json_pack("{s:b, s:s?, s:b, s:o, s:o}", "iommu", iommu, "acs_override",
			 groups->override, "override_works", groups->override_works, "groups", list,
			 "devices", devices);
}
