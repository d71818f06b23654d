/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * `iommubench groups`: the host's IOMMU groups, why they are as large as they are, and which
 * devices can be assigned.
 *
 * With --json: { "iommu": are there any groups, "acs_override": the value of pcie_acs_override= on
 * the kernel's command line or null, "override_works": do its groups differ from the rules',
 * "groups": [ { "group": number, "type": "DMA", "identity" ... or null, "devices": [address],
 * "by_rules": "same", "smaller", "larger", "other" or "unknown" } ],
 * "devices": [ { "address", "name", "class", "vendor", "device", "driver", "numa_node",
 * "reset_methods": [text], "group": number, "type": kind of PCI function, "multifunction",
 * "physical_function": address, "path": from the device to the root [ { "address", "type",
 * "isolates": bool, "why": text, "acs": { "capable": [flag], "enabled": [flag] } } ],
 * "shares_with": address, "shares_because": text, "by_rules", "rules_group": [address],
 * "assignable": bool, "reason", "remedy", "caution" } ] }. What is not there, or not known, is
 * null.
 */
#ifndef HARNESS_GROUPS_H
#define HARNESS_GROUPS_H

#include <jansson.h>
#include <stdio.h>

#include "harness/isolation.h"

struct groups_options {
	const char *root; /* look at the trees sys, proc and dev in this folder; NULL: this host */
	bool as_json;
	char *const *addresses; /* just these devices; ends with NULL; none: all */
};

/* One device, beside what its node in the tree says. Strings are owned, NULL: none. */
struct groups_device {
	size_t node;
	bool wanted;
	char *name, *class_name, *driver, *resets;
	int numa_node; /* -1: unknown */
	char *because; /* why it shares a group */
	enum isolation_match match;
	bool assignable;
	char *reason, *remedy, *caution;
};
struct groups {
	struct pcitree tree;
	struct isolation_groups rules;
	struct groups_device *devices; /* one for each node */
	char *override;
	bool override_works;
};

/* Looks at all of the host's PCI devices; free with groups_free(). */
void groups_load(struct groups *groups);
void groups_free(struct groups *groups);

/* Group numbers as the kernel has them, in order, each once; *nr of them, to free. */
int *groups_numbers(const struct groups *groups, size_t *nr);
/* "DMA", "identity" ..., to free; NULL: unknown. */
char *groups_type(int group);
/* "same", "smaller" ... */
const char *groups_match_text(enum isolation_match match);
/* What a group that is not as the rules say means, static; NULL: nothing to say. */
const char *groups_match_note(const struct groups *groups, enum isolation_match match);

json_t *groups_json(const struct groups *groups);
void groups_print(const struct groups *groups, FILE *out);

/* The command. An exit code. */
int groups_command(const struct groups_options *options, FILE *out);

#endif
