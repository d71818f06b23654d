// SPDX-License-Identifier: GPL-2.0-only
/* All PCI functions of the host, read from sysfs. */
#include "harness/pcitree.h"

#include <fcntl.h>
#include <linux/pci_regs.h>
#include <string.h>
#include <sys/stat.h>

#include "harness/pci.h"
#include "harness/quirk.h"
#include "harness/util.h"

#define FUNCTIONS 8 /* of one device */

/* Domains of more than four digits are those of VMD. */
static bool parse_address(const char *text, struct pcitree_node *node)
{
	unsigned int slot, function;

	/* NOLINTNEXTLINE(cert-err34-c): what does not fit is not written back as it was */
	if (sscanf(text, "%x:%x:%x.%x", &node->domain, &node->bus, &slot, &function) != 4)
		return false;
	snprintf(node->bdf, sizeof(node->bdf), "%04x:%02x:%02x.%x", node->domain, node->bus, slot,
		 function);
	node->devfn = slot << 3 | function;
	return !strcmp(node->bdf, text) && node->bus <= 0xff && slot <= 0x1f && function <= 7;
}

unsigned int pcitree_hex(const struct pcitree_node *node, const char *attribute)
{
	autofree char *path = pci_path(node->bdf, attribute);
	autofree char *text = file_read_trimmed(path);

	return text ? (unsigned int)strtoul(text, NULL, 16) : 0;
}

bool pcitree_read(const struct pcitree_node *node, size_t pos, uint32_t *value)
{
	autofree char *path = pci_path(node->bdf, "config");
	autoclose int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	uint8_t bytes[sizeof(*value)];

	if (fd < 0 || fstat(fd, &st))
		return false;
	*value = ~0U;
	if (pos + sizeof(bytes) > (size_t)st.st_size)
		return true;
	if (pread(fd, bytes, sizeof(bytes), (off_t)pos) != sizeof(bytes))
		return false;
	*value = bytes[0] | bytes[1] << 8 | bytes[2] << 16 | (uint32_t)bytes[3] << 24;
	return true;
}

static void read_conf(struct pcitree_node *node)
{
	autofree char *path = pci_path(node->bdf, "config");
	autoclose int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct stat st = { 0 };

	if (fd >= 0 && fstat(fd, &st))
		st.st_size = 0;
	pciconf_read(fd, (size_t)st.st_size, &node->conf);
	node->type = node->conf.type;
}

static int compare_nodes(const void *a, const void *b)
{
	const struct pcitree_node *x = a, *y = b;

	if (x->domain != y->domain)
		return x->domain < y->domain ? -1 : 1;
	if (x->bus != y->bus)
		return x->bus < y->bus ? -1 : 1;
	return (x->devfn > y->devfn) - (x->devfn < y->devfn);
}

static void read_nodes(struct pcitree *tree)
{
	autofree char *path = xasprintf("%s/bus/pci/devices", sysfs_root);
	autolist struct strlist names = { 0 };

	dir_names(path, &names);
	tree->nodes = xzalloc((names.nr + 1) * sizeof(*tree->nodes));
	for (size_t i = 0; i < names.nr; i++) {
		struct pcitree_node *node = &tree->nodes[tree->nr];

		if (!parse_address(names.items[i], node))
			continue;
		node->parent = node->requester = node->physfn = PCITREE_NONE;
		node->group = pci_iommu_group(node->bdf);
		if (node->group < 0)
			node->group = -1;
		node->vendor = pcitree_hex(node, "vendor");
		node->device = pcitree_hex(node, "device");
		read_conf(node);
		tree->nr++;
	}
	qsort(tree->nodes, tree->nr, sizeof(*tree->nodes), compare_nodes);
}

/* Takes the last component off a path and returns it, NULL: there is none left. */
static char *take_component(char *path)
{
	char *slash = strrchr(path, '/');

	if (!slash)
		return NULL;
	*slash = '\0';
	return slash + 1;
}

/* "pci0000:00" */
static bool is_host_bridge(const char *name)
{
	char *end;

	if (strncmp(name, "pci", 3) != 0)
		return false;
	strtoul(name + 3, &end, 16);
	if (end == name + 3 || *end != ':')
		return false;
	name = end + 1;
	strtoul(name, &end, 16);
	return end != name && !*end;
}

/*
 * .../pci0000:00/0000:00:1c.0/0000:01:00.0: above a function is its bridge, or else a host bridge,
 * which may itself be a PCI function's (VMD). Virtual functions are beside their physical one.
 */
static void link_up(const struct pcitree *tree, struct pcitree_node *node)
{
	autofree char *link = pci_path(node->bdf, "");
	autofree char *path = realpath(link, NULL);
	char *above = NULL;

	if (path && take_component(path))
		above = take_component(path);
	node->adrift = !above;
	if (!above)
		return;
	node->parent = pcitree_find(tree, above);
	if (node->parent != PCITREE_NONE) {
		node->requester = tree->nodes[node->parent].requester;
		return;
	}
	node->root_bus = is_host_bridge(above);
	node->adrift = !node->root_bus;
	if (node->adrift)
		return;
	above = take_component(path);
	if (above)
		node->requester = pcitree_find(tree, above);
}

static void link_physfn(const struct pcitree *tree, struct pcitree_node *node)
{
	autofree char *link = pci_path(node->bdf, "physfn");
	autofree char *name = link_name(link);

	node->is_virtual = name != NULL;
	if (name)
		node->physfn = pcitree_find(tree, name);
}

static bool is_downstream(int type)
{
	return type == PCI_EXP_TYPE_ROOT_PORT || type == PCI_EXP_TYPE_DOWNSTREAM ||
	       type == PCI_EXP_TYPE_PCIE_BRIDGE;
}

/* Some switches name their ports the wrong way round; the kernel corrects what cannot be. */
static void correct_type(const struct pcitree *tree, struct pcitree_node *node)
{
	int above = node->parent == PCITREE_NONE ? PCICONF_CONVENTIONAL
						 : tree->nodes[node->parent].type;

	if (node->type == PCI_EXP_TYPE_DOWNSTREAM && is_downstream(above))
		node->type = PCI_EXP_TYPE_UPSTREAM;
	else if (node->type == PCI_EXP_TYPE_UPSTREAM && above == PCI_EXP_TYPE_UPSTREAM)
		node->type = PCI_EXP_TYPE_DOWNSTREAM;
}

/*
 * The kernel takes the header's bit, and every function that it found beside a function 0 (with ARI
 * there is but one device below a port). Virtual functions never count.
 */
static void count_functions(const struct pcitree *tree, struct pcitree_node *node)
{
	bool port_above =
		node->parent != PCITREE_NONE && is_downstream(tree->nodes[node->parent].type);

	node->multifunction =
		!node->is_virtual && (node->conf.multifunction || node->devfn % FUNCTIONS ||
				      (port_above && node->devfn));
}

void pcitree_load(struct pcitree *tree)
{
	*tree = (struct pcitree){ 0 };
	read_nodes(tree);
	for (size_t i = 0; i < tree->nr; i++) {
		link_up(tree, &tree->nodes[i]);
		link_physfn(tree, &tree->nodes[i]);
		correct_type(tree, &tree->nodes[i]);
		count_functions(tree, &tree->nodes[i]);
	}
	quirk_apply(tree);
}

void pcitree_free(struct pcitree *tree)
{
	free(tree->nodes);
	*tree = (struct pcitree){ 0 };
}

size_t pcitree_find(const struct pcitree *tree, const char *bdf)
{
	for (size_t i = 0; i < tree->nr; i++)
		if (!strcmp(tree->nodes[i].bdf, bdf))
			return i;
	return PCITREE_NONE;
}

const char *pcitree_type_text(const struct pcitree_node *node)
{
	static const char *const names[] = {
		[PCI_EXP_TYPE_ENDPOINT] = "endpoint",
		[PCI_EXP_TYPE_LEG_END] = "legacy endpoint",
		[PCI_EXP_TYPE_ROOT_PORT] = "root port",
		[PCI_EXP_TYPE_UPSTREAM] = "switch upstream port",
		[PCI_EXP_TYPE_DOWNSTREAM] = "switch downstream port",
		[PCI_EXP_TYPE_PCI_BRIDGE] = "PCIe-to-PCI bridge",
		[PCI_EXP_TYPE_PCIE_BRIDGE] = "PCI-to-PCIe bridge",
		[PCI_EXP_TYPE_RC_END] = "integrated endpoint",
		[PCI_EXP_TYPE_RC_EC] = "root complex event collector",
	};

	if (!node->conf.readable)
		return "unknown";
	if (node->type == PCICONF_CONVENTIONAL)
		return node->conf.bridge ? "conventional PCI bridge" : "conventional PCI";
	if ((size_t)node->type < ARRAY_SIZE(names) && names[node->type])
		return names[node->type];
	return "PCIe function of a reserved type";
}
