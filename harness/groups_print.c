// SPDX-License-Identifier: GPL-2.0-only
/* The groups as text: group, device, its way up to the root, and the verdict. */
#include "harness/groups.h"

#include "harness/pci.h"
#include "harness/util.h"

static void print_acs(const struct pciconf *conf, FILE *out)
{
	autofree char *capable = isolation_flags_text(conf->acs_capable);
	autofree char *enabled = isolation_flags_text(conf->acs_enabled);

	if (conf->has_acs)
		fprintf(out, " (ACS on: %s; capable: %s)", enabled, capable);
}

static void print_path(const struct groups *groups, size_t node, FILE *out)
{
	const char *label = "acs ";
	bool adrift = false;

	for (; node != PCITREE_NONE; node = groups->tree.nodes[node].parent) {
		const struct pcitree_node *hop = &groups->tree.nodes[node];
		autofree char *why = isolation_text(hop);

		fprintf(out, "    %s %s %s%s %s", label, hop->bdf, pcitree_type_text(hop),
			hop->multifunction ? ", one of several functions:" : ":", why);
		print_acs(&hop->conf, out);
		fprintf(out, "\n");
		label = "  up";
		adrift = hop->adrift;
	}
	if (adrift)
		fprintf(out, "    %s ?: what is above it cannot be seen\n", label);
}

static void print_verdict(const struct groups_device *device, FILE *out)
{
	if (device->assignable)
		fprintf(out, "    assignable%s%s\n", device->caution ? "; but " : "",
			device->caution ? device->caution : "");
	else
		fprintf(out, "    NOT assignable: %s\n", device->reason);
	if (device->remedy)
		fprintf(out, "      -> %s\n", device->remedy);
}

static void print_device(const struct groups *groups, const struct groups_device *device, FILE *out)
{
	const struct pcitree_node *node = &groups->tree.nodes[device->node];
	const struct isolation_member *member = &groups->rules.members[device->node];

	fprintf(out, "  %s %s: %s [%04x:%04x]\n", node->bdf, device->class_name, device->name,
		node->vendor, node->device);
	fprintf(out, "    driver %s, reset %s", device->driver ? device->driver : "none",
		device->resets ? device->resets : "none");
	if (device->numa_node >= 0)
		fprintf(out, ", NUMA node %d", device->numa_node);
	if (node->is_virtual)
		fprintf(out, ", virtual function of %s",
			node->physfn == PCITREE_NONE ? "one not seen"
						     : groups->tree.nodes[node->physfn].bdf);
	fprintf(out, "\n");
	print_path(groups, device->node, out);
	if (device->because)
		fprintf(out, "    %s with %s: %s\n",
			groups->tree.nodes[member->with].group == node->group ? "together"
									      : "by the rules",
			groups->tree.nodes[member->with].bdf, device->because);
	print_verdict(device, out);
}

static void print_group(const struct groups *groups, int number, FILE *out)
{
	autofree char *type = groups_type(number);
	const char *note = NULL;
	size_t nr = 0;

	for (size_t i = 0; i < groups->tree.nr; i++) {
		if (groups->tree.nodes[i].group != number)
			continue;
		nr++;
		note = groups_match_note(groups, groups->devices[i].match);
	}
	fprintf(out, "group %d: %zu device%s%s%s\n", number, nr, nr == 1 ? "" : "s",
		type ? ", default domain " : "", type ? type : "");
	if (note)
		fprintf(out, "  ! %s\n", note);
	for (size_t i = 0; i < groups->tree.nr; i++)
		if (groups->tree.nodes[i].group == number && groups->devices[i].wanted)
			print_device(groups, &groups->devices[i], out);
}

static void print_override(const struct groups *groups, FILE *out)
{
	if (groups->override)
		fprintf(out, "pcie_acs_override=%s is on the kernel command line%s\n",
			groups->override,
			groups->override_works
				? ": groups marked with ! may be its work, and no isolation"
				: ", but no group is smaller than the rules make it");
}

void groups_print(const struct groups *groups, FILE *out)
{
	size_t nr, loose = 0;
	autofree int *numbers = groups_numbers(groups, &nr);

	print_override(groups, out);
	for (size_t i = 0; i < nr; i++)
		print_group(groups, numbers[i], out);
	for (size_t i = 0; i < groups->tree.nr; i++) {
		if (groups->tree.nodes[i].group >= 0 || !groups->devices[i].wanted)
			continue;
		if (!loose++)
			fprintf(out, "no IOMMU group:\n");
		print_device(groups, &groups->devices[i], out);
	}
	if (!groups->tree.nr)
		fprintf(out, "no PCI devices below %s\n", sysfs_root);
}
