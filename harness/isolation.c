// SPDX-License-Identifier: GPL-2.0-only
/* The kernel's rules of isolation between PCI functions, and the groups that follow from them. */
#include "harness/isolation.h"

#include <linux/pci_regs.h>
#include <string.h>

#include "harness/quirk.h"
#include "harness/util.h"

/* Without these, functions reach each other past the IOMMU, or pose as each other. */
#define REQUIRED (PCI_ACS_SV | PCI_ACS_RR | PCI_ACS_CR | PCI_ACS_UF)

const char *const isolation_flag_names[] = { "SV", "TB", "RR", "CR", "UF", "EC", "DT", NULL };

/* --- one function --- */

/* A feature that is not in the capability counts as hard-wired: there is nothing to control. */
static uint16_t missing_flags(const struct pcitree_node *node)
{
	return (uint16_t)(REQUIRED & node->conf.acs_capable & ~node->conf.acs_enabled);
}

static enum isolation_verdict flags_verdict(const struct pcitree_node *node)
{
	if (!node->conf.has_acs)
		return ISOLATION_NO_CAPABILITY;
	return missing_flags(node) ? ISOLATION_OFF : ISOLATION_ON;
}

enum isolation_verdict isolation_of(const struct pcitree_node *node)
{
	if (!node->conf.readable || node->quirk == QUIRK_UNKNOWN)
		return ISOLATION_UNKNOWN;
	if (node->quirk != QUIRK_NONE)
		return node->quirk == QUIRK_ISOLATES ? ISOLATION_QUIRK : ISOLATION_QUIRK_LEAKS;
	switch (node->type) {
	case PCICONF_CONVENTIONAL:
		return ISOLATION_CONVENTIONAL;
	case PCI_EXP_TYPE_PCIE_BRIDGE:
	case PCI_EXP_TYPE_PCI_BRIDGE:
	case PCI_EXP_TYPE_RC_EC:
		return ISOLATION_BRIDGE;
	case PCI_EXP_TYPE_DOWNSTREAM:
	case PCI_EXP_TYPE_ROOT_PORT:
		return flags_verdict(node);
	case PCI_EXP_TYPE_ENDPOINT:
	case PCI_EXP_TYPE_UPSTREAM:
	case PCI_EXP_TYPE_LEG_END:
	case PCI_EXP_TYPE_RC_END:
		return node->multifunction ? flags_verdict(node) : ISOLATION_NOT_NEEDED;
	default: /* a reserved type: the kernel asks for nothing */
		return ISOLATION_NOT_NEEDED;
	}
}

bool isolation_ok(enum isolation_verdict verdict)
{
	return verdict == ISOLATION_ON || verdict == ISOLATION_NOT_NEEDED ||
	       verdict == ISOLATION_QUIRK;
}

char *isolation_flags_text(uint16_t flags)
{
	struct strbuf sb = { 0 };

	for (size_t i = 0; isolation_flag_names[i]; i++)
		if (flags & 1U << i)
			strbuf_addf(&sb, "%s%s", sb.len ? " " : "", isolation_flag_names[i]);
	return sb.data ? sb.data : xstrdup("none");
}

char *isolation_text(const struct pcitree_node *node)
{
	autofree char *missing = isolation_flags_text(missing_flags(node));

	switch (isolation_of(node)) {
	case ISOLATION_ON:
		return xstrdup("isolates by ACS");
	case ISOLATION_NOT_NEEDED:
		return xstrdup("needs no ACS");
	case ISOLATION_QUIRK:
		return xstrdup("isolates, as the kernel knows of this device (quirk)");
	case ISOLATION_QUIRK_LEAKS:
		return xstrdup("does not isolate, as the kernel knows of this device (quirk)");
	case ISOLATION_NO_CAPABILITY:
		return xstrdup(node->conf.broken ? node->conf.broken : "has no ACS capability");
	case ISOLATION_OFF:
		return xasprintf("has ACS with %s off", missing);
	case ISOLATION_CONVENTIONAL:
		return node->conf.broken
			       ? xasprintf("counts as conventional PCI: %s", node->conf.broken)
			       : xstrdup("is on a shared bus, which has no ACS");
	case ISOLATION_BRIDGE:
		return xstrdup("cannot have ACS, being such a bridge");
	case ISOLATION_UNKNOWN:
		break;
	}
	return xstrdup(node->conf.broken ? node->conf.broken : "needs root to see its ACS");
}

/* --- groups --- */

struct prediction {
	const struct pcitree *tree;
	struct isolation_groups *groups;
	bool translated; /* only functions with a group of the kernel's take part */
};

static int group_of(const struct prediction *p, size_t node)
{
	return node == PCITREE_NONE ? -1 : p->groups->members[node].group;
}

static bool takes_part(const struct prediction *p, size_t node)
{
	return !p->translated || p->tree->nodes[node].group >= 0;
}

/* Joins the group of another node, if that has one. */
static bool join(const struct prediction *p, size_t node, size_t with, enum isolation_cause cause,
		 size_t culprit)
{
	if (group_of(p, with) < 0)
		return false;
	p->groups->members[node] =
		(struct isolation_member){ group_of(p, with), cause, culprit, with };
	return true;
}

/* Does a bridge put its own ID, or its bus', upon what comes from behind it? */
static bool is_alias(const struct pcitree_node *bridge)
{
	return bridge->type == PCICONF_CONVENTIONAL || bridge->type == PCI_EXP_TYPE_PCI_BRIDGE ||
	       bridge->type == PCI_EXP_TYPE_PCIE_BRIDGE;
}

/* The first on the way from a bridge to the root that does not isolate, or PCITREE_NONE. */
static size_t leak_above(const struct pcitree *tree, size_t bridge)
{
	while (bridge != PCITREE_NONE && isolation_ok(isolation_of(&tree->nodes[bridge])))
		bridge = tree->nodes[bridge].parent;
	return bridge;
}

/* The last alias on the way up: the farthest point that the IOMMU can tell apart from others. */
static bool join_alias(const struct prediction *p, size_t node, size_t *point)
{
	size_t requester = p->tree->nodes[node].requester;

	if (requester != PCITREE_NONE) {
		*point = requester;
		if (join(p, node, requester, CAUSE_REQUESTER, requester))
			return true;
	}
	for (size_t up = p->tree->nodes[*point].parent; up != PCITREE_NONE;
	     up = p->tree->nodes[up].parent) {
		if (!is_alias(&p->tree->nodes[up]))
			continue;
		*point = up;
		if (join(p, node, up, CAUSE_ALIAS, up))
			return true;
	}
	return false;
}

/* Up from there, as far as the way to the root is not isolated. */
static bool join_path(const struct prediction *p, size_t node, size_t *point)
{
	for (size_t up = p->tree->nodes[*point].parent; up != PCITREE_NONE;
	     up = p->tree->nodes[up].parent) {
		size_t culprit = leak_above(p->tree, up);

		if (culprit == PCITREE_NONE)
			return false;
		*point = up;
		if (join(p, node, up, CAUSE_PATH, culprit))
			return true;
	}
	return false;
}

/* Functions of a bus that were looked at, by devfn. */
struct seen {
	bool devfn[256];
};
static size_t id_group(const struct prediction *p, size_t node, struct seen *seen);

static bool same_bus(const struct pcitree_node *one, const struct pcitree_node *other)
{
	return one->domain == other->domain && one->bus == other->bus;
}

static bool may_reach_others(const struct pcitree_node *node)
{
	return node->multifunction && !isolation_ok(isolation_of(node));
}

/* Of a function that does not keep apart from others of its device: one of those with a group. */
static size_t function_group(const struct prediction *p, size_t node, struct seen *seen)
{
	const struct pcitree_node *here = &p->tree->nodes[node];

	if (!may_reach_others(here))
		return PCITREE_NONE;
	for (size_t i = 0; i < p->tree->nr; i++) {
		const struct pcitree_node *other = &p->tree->nodes[i];
		size_t with;

		if (i == node || !same_bus(here, other) || other->devfn >> 3 != here->devfn >> 3 ||
		    isolation_ok(isolation_of(other)))
			continue;
		with = id_group(p, i, seen);
		if (with != PCITREE_NONE)
			return with;
	}
	return PCITREE_NONE;
}

/* A node with a group: itself, or one that it shares requester IDs with, however indirectly. */
static size_t id_group(const struct prediction *p, size_t node, struct seen *seen)
{
	const struct pcitree_node *here = &p->tree->nodes[node];

	if (seen->devfn[here->devfn])
		return PCITREE_NONE;
	seen->devfn[here->devfn] = true;
	if (group_of(p, node) >= 0)
		return node;
	for (size_t i = 0; i < p->tree->nr; i++) {
		const struct pcitree_node *other = &p->tree->nodes[i];
		size_t with;

		if (i == node || !same_bus(here, other) || !quirk_aliases(here, other))
			continue;
		with = id_group(p, i, seen);
		if (with == PCITREE_NONE)
			with = function_group(p, i, seen);
		if (with != PCITREE_NONE)
			return with;
	}
	return PCITREE_NONE;
}

static bool find_group(const struct prediction *p, size_t node)
{
	struct seen seen = { 0 };
	size_t point = node, with;

	if (join_alias(p, node, &point) || join_path(p, node, &point))
		return true;
	with = id_group(p, point, &seen);
	if (with != PCITREE_NONE)
		return join(p, node, with, CAUSE_SHARED_ID, with);
	return join(p, node, function_group(p, point, &seen), CAUSE_FUNCTION, point);
}

void isolation_predict(const struct pcitree *tree, struct isolation_groups *groups)
{
	struct prediction p = { tree, groups, false };
	int next = 0;

	groups->members = xzalloc((tree->nr + 1) * sizeof(*groups->members));
	for (size_t i = 0; i < tree->nr; i++) {
		p.translated |= tree->nodes[i].group >= 0;
		groups->members[i] =
			(struct isolation_member){ -1, CAUSE_NONE, PCITREE_NONE, PCITREE_NONE };
	}
	/* Bridges come first, as they do when the kernel meets them. */
	for (size_t i = 0; i < tree->nr; i++)
		if (takes_part(&p, i) && !find_group(&p, i))
			groups->members[i].group = next++;
}

void isolation_free(struct isolation_groups *groups)
{
	free(groups->members);
	groups->members = NULL;
}

/* Nodes are in order, so that functions of a device are beside each other. */
static bool functions_known(const struct pcitree *tree, size_t node)
{
	const struct pcitree_node *here = &tree->nodes[node];
	size_t first = node;

	if (!may_reach_others(here))
		return true;
	while (first && same_bus(here, &tree->nodes[first - 1]) &&
	       tree->nodes[first - 1].devfn >> 3 == here->devfn >> 3)
		first--;
	for (size_t i = first; i < tree->nr && same_bus(here, &tree->nodes[i]) &&
			       tree->nodes[i].devfn >> 3 == here->devfn >> 3;
	     i++)
		if (isolation_of(&tree->nodes[i]) == ISOLATION_UNKNOWN)
			return false;
	return true;
}

bool isolation_known(const struct pcitree *tree, size_t node)
{
	for (; node != PCITREE_NONE; node = tree->nodes[node].parent)
		if (tree->nodes[node].adrift ||
		    isolation_of(&tree->nodes[node]) == ISOLATION_UNKNOWN ||
		    !functions_known(tree, node))
			return false;
	return true;
}

enum isolation_match isolation_compare(const struct pcitree *tree,
				       const struct isolation_groups *groups, size_t node)
{
	bool less = false, more = false;

	if (tree->nodes[node].group < 0)
		return MATCH_UNKNOWN;
	for (size_t i = 0; i < tree->nr; i++) {
		bool kernel = tree->nodes[i].group == tree->nodes[node].group;
		bool rules = groups->members[i].group == groups->members[node].group;

		if ((kernel || rules) && !isolation_known(tree, i))
			return MATCH_UNKNOWN;
		less |= rules && !kernel;
		more |= kernel && !rules;
	}
	if (less && more)
		return MATCH_OTHER;
	return less ? MATCH_SMALLER : more ? MATCH_LARGER : MATCH_SAME;
}
