// SPDX-License-Identifier: GPL-2.0-only
/* What is known of the host's IOMMU groups and the devices in them. */
#include "harness/groups.h"

#include <errno.h>
#include <string.h>

#include "harness/log.h"
#include "harness/pci.h"
#include "harness/pciname.h"
#include "harness/run.h"
#include "harness/util.h"

static int read_numa_node(const char *bdf)
{
	autofree char *path = pci_path(bdf, "numa_node");
	autofree char *text = file_read_trimmed(path);

	return text && *text ? (int)strtol(text, NULL, 10) : -1;
}

/* --- why a group is as large as it is --- */

static char *blame(const struct pcitree_node *node)
{
	autofree char *lack = isolation_text(node);

	return xasprintf("%s (%s) %s", node->bdf, pcitree_type_text(node), lack);
}

static char *because(const struct groups *groups, size_t node)
{
	const struct isolation_member *member = &groups->rules.members[node];
	const struct pcitree_node *culprit =
		member->culprit == PCITREE_NONE ? NULL : &groups->tree.nodes[member->culprit];
	autofree char *lack = culprit ? blame(culprit) : NULL;

	if (!culprit || !isolation_known(&groups->tree, node))
		return NULL;
	switch (member->cause) {
	case CAUSE_REQUESTER:
		return xasprintf("its DMA carries the requester ID of %s", culprit->bdf);
	case CAUSE_ALIAS:
		return xasprintf("its DMA carries the requester ID of the bridge %s (%s)",
				 culprit->bdf, pcitree_type_text(culprit));
	case CAUSE_SHARED_ID:
		return xasprintf("a kernel quirk knows that it and %s use the same requester ID",
				 culprit->bdf);
	case CAUSE_FUNCTION:
		return xasprintf("functions of one device: %s", lack);
	case CAUSE_PATH:
		return xasprintf("on its way to the root, %s", lack);
	case CAUSE_NONE:
		break;
	}
	return NULL;
}

const char *groups_match_text(enum isolation_match match)
{
	static const char *const names[] = { [MATCH_UNKNOWN] = "unknown",
					     [MATCH_SAME] = "same",
					     [MATCH_SMALLER] = "smaller",
					     [MATCH_LARGER] = "larger",
					     [MATCH_OTHER] = "other" };

	return names[match];
}

const char *groups_match_note(const struct groups *groups, enum isolation_match match)
{
	switch (match) {
	case MATCH_OTHER:
		return "neither smaller nor larger, but other than the rules make it: an override, "
		       "the platform, or a kernel that knows other devices";
	case MATCH_SMALLER:
		return groups->override
			       ? "smaller than the rules make it: pcie_acs_override is in force; "
				 "under it isolation is claimed, not enforced"
			       : "smaller than the rules make it: an override is built in, or this "
				 "kernel knows more devices to be isolated (quirks) than Linux 6.1";
	case MATCH_LARGER:
		return "larger than the rules make it: the platform (IVRS, a non-transparent "
		       "bridge) joins these devices, ACS was switched off or on after boot, or "
		       "this kernel knows fewer devices to be isolated (quirks) than Linux 6.1";
	case MATCH_UNKNOWN:
	case MATCH_SAME:
		break;
	}
	return NULL;
}

/* The value of pcie_acs_override= (a patch that some kernels carry), to free, or NULL. */
static char *read_override(void)
{
	static const char option[] = "pcie_acs_override=";
	autofree char *path = xasprintf("%s/cmdline", procfs_root);
	autofree char *text = file_read_trimmed(path);
	char *save = NULL;

	for (char *word = text ? strtok_r(text, " ", &save) : NULL; word;
	     word = strtok_r(NULL, " ", &save))
		if (!strncmp(word, option, strlen(option)))
			return xstrdup(word + strlen(option));
	return NULL;
}

/* --- devices --- */

static void judge(struct groups_device *device, const char *bdf)
{
	char *why = NULL;

	device->caution = pci_caution(bdf);
	device->assignable = !pci_assignable(bdf, &why);
	if (why) {
		const char *remedy = pci_split_why(why);

		device->remedy = remedy ? xstrdup(remedy) : NULL;
		device->reason = why;
	}
}

static void load_device(struct groups *groups, size_t node, struct pci_access *names)
{
	struct groups_device *device = &groups->devices[node];
	const struct pcitree_node *place = &groups->tree.nodes[node];
	const char *bdf = place->bdf;

	device->node = node;
	device->wanted = true;
	device->name = pciname_device(names, place->vendor, place->device);
	device->class_name = pciname_class(names, pcitree_hex(place, "class") >> 8);
	device->driver = pci_driver(bdf);
	device->resets = pci_reset_methods(bdf);
	device->numa_node = read_numa_node(bdf);
	device->because = because(groups, node);
	device->match = isolation_compare(&groups->tree, &groups->rules, node);
	judge(device, bdf);
}

void groups_load(struct groups *groups)
{
	struct pci_access *names = pciname_open();

	*groups = (struct groups){ .override = read_override() };
	pcitree_load(&groups->tree);
	isolation_predict(&groups->tree, &groups->rules);
	groups->devices = xzalloc((groups->tree.nr + 1) * sizeof(*groups->devices));
	for (size_t i = 0; i < groups->tree.nr; i++) {
		load_device(groups, i, names);
		groups->override_works |=
			groups->override && (groups->devices[i].match == MATCH_SMALLER ||
					     groups->devices[i].match == MATCH_OTHER);
	}
	pciname_close(names);
}

void groups_free(struct groups *groups)
{
	for (size_t i = 0; i < groups->tree.nr; i++) {
		struct groups_device *device = &groups->devices[i];
		char *const texts[] = { device->name,	device->class_name, device->driver,
					device->resets, device->because,    device->reason,
					device->remedy, device->caution };

		for (size_t k = 0; k < ARRAY_SIZE(texts); k++)
			free(texts[k]);
	}
	free(groups->devices);
	free(groups->override);
	isolation_free(&groups->rules);
	pcitree_free(&groups->tree);
}

static int compare_ints(const void *a, const void *b)
{
	const int *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

int *groups_numbers(const struct groups *groups, size_t *nr)
{
	int *numbers = xzalloc((groups->tree.nr + 1) * sizeof(*numbers));
	size_t all = 0;

	for (size_t i = 0; i < groups->tree.nr; i++)
		if (groups->tree.nodes[i].group >= 0 && groups->devices[i].wanted)
			numbers[all++] = groups->tree.nodes[i].group;
	qsort(numbers, all, sizeof(*numbers), compare_ints);
	*nr = 0;
	for (size_t i = 0; i < all; i++)
		if (!*nr || numbers[*nr - 1] != numbers[i])
			numbers[(*nr)++] = numbers[i];
	return numbers;
}

char *groups_type(int group)
{
	autofree char *path = xasprintf("%s/kernel/iommu_groups/%d/type", sysfs_root, group);

	return file_read_trimmed(path);
}

/* --- the command --- */

static int want_only(struct groups *groups, char *const *addresses)
{
	for (size_t i = 0; i < groups->tree.nr; i++)
		groups->devices[i].wanted = false;
	for (; *addresses; addresses++) {
		size_t node = pcitree_find(&groups->tree, *addresses);

		if (node == PCITREE_NONE) {
			log_err("groups: there is no PCI device %s: lspci -D lists those there are",
				*addresses);
			return -ENODEV;
		}
		groups->devices[node].wanted = true;
	}
	return 0;
}

static int look(const struct groups_options *options, FILE *out)
{
	struct groups groups;
	int ret = 0;

	groups_load(&groups);
	if (options->addresses && options->addresses[0])
		ret = want_only(&groups, options->addresses);
	if (!ret && options->as_json) {
		json_t *json = groups_json(&groups);

		json_dumpf(json, out, JSON_INDENT(2));
		fprintf(out, "\n");
		json_decref(json);
	} else if (!ret) {
		groups_print(&groups, out);
	}
	groups_free(&groups);
	return ret ? EXIT_USAGE : EXIT_OK;
}

int groups_command(const struct groups_options *options, FILE *out)
{
	const char *const here[] = { sysfs_root, procfs_root, devfs_root };
	const char *root = options->root ? options->root : "";
	autofree char *sys = xasprintf("%s/sys", root), *proc = xasprintf("%s/proc", root);
	autofree char *dev = xasprintf("%s/dev", root);
	int ret;

	if (!options->root)
		return look(options, out);
	sysfs_root = sys;
	procfs_root = proc;
	devfs_root = dev;
	ret = look(options, out);
	sysfs_root = here[0];
	procfs_root = here[1];
	devfs_root = here[2];
	return ret;
}
