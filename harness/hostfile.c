// SPDX-License-Identifier: GPL-2.0-only
/* A host description: which devices the harness may take, read and checked completely. */
#include "harness/config.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "bench/registry.h"
#include "harness/pci.h"
#include "harness/sriov.h"
#include "harness/util.h"
#include "harness/yaml.h"

static const char *const host_kinds[] = { "host", "lab-kvm", "lab-tcg", NULL };

static const char *const placements[] = { "auto", "off", NULL };

static const struct setting host_settings[] = {
	{ "kind", SETTING_CHOICE, "host", host_kinds, .help = "where results come from" },
	{ "instructions", SETTING_TEXT, "", .help = "lab-tcg: file of instruction counters" },
	{ "vcpu_cpu", SETTING_COUNT, "0", NULL, 0, 4095,
	  "first CPU for vCPUs, which they get alone, one each; 0: as placement says" },
	{ "placement", SETTING_CHOICE, "auto", placements,
	  .help = "auto: vCPUs, guest memory and interrupts near the device; off: by the kernel" },
	{ "swap", SETTING_TEXT, "", .help = "block device that runs may swap to" },
	{ 0 },
};
static const struct setting device_settings[] = {
	{ "address", SETTING_TEXT, "", .help = "PCI address" },
	{ "peer", SETTING_TEXT, "", .help = "PCI address of the port at the other end" },
	{ "writable", SETTING_BOOL, "no", .help = "its data may be destroyed" },
	{ "within_page", SETTING_BOOL, "no", .help = "it sends no buffer that crosses a page" },
	{ "functions", SETTING_COUNT, "0", NULL, 0, 256,
	  "virtual functions made of it for a run, the first of which is taken" },
	{ "remote", SETTING_TEXT, "", .help = "where ssh reaches the other end: user@host" },
	{ "interface", SETTING_TEXT, "", .help = "the remote end's interface" },
	{ "tools", SETTING_TEXT, "", .help = "folder of the load tools on the remote host" },
	{ "capture", SETTING_TEXT, "",
	  .help = "a GPU's: shell command that writes a PNG of what it displays to the file that is "
		  "its last argument" },
	{ 0 },
};

static int check_kind(const struct yaml_node *node)
{
	const struct device_ops *device = registry_device(node->key);
	autofree const char **names = NULL;
	autofree char *hint = NULL;
	size_t nr = 0;

	if (device && device->host_kind)
		return yaml_error_key(node, "%s is the host's %s: name it as '%s:'", device->name,
				      device->host_kind, device->host_kind);
	if (device)
		return 0;
	while (registry_devices[nr])
		nr++;
	names = xzalloc(nr * sizeof(*names));
	nr = 0;
	for (size_t i = 0; registry_devices[i]; i++)
		if (!registry_devices[i]->host_kind)
			names[nr++] = registry_devices[i]->name;
	hint = name_hint(node->key, names, nr);
	return yaml_error_key(node, "no device '%.40s': %s (`iommubench list devices` shows all)",
			      node->key, hint);
}

static bool address_used(const struct host *host, const char *address)
{
	for (size_t i = 0; i < host->nr_devices; i++) {
		const struct host_device *device = &host->devices[i];

		if (device->address && !strcmp(device->address, address))
			return true;
		if (device->peer && !strcmp(device->peer, address))
			return true;
		if (strlist_has(&device->with, address))
			return true;
	}
	return false;
}

/* Lower case, as sysfs has it; each address may be there once. */
static int read_address(const struct yaml_node *node, const struct host *host, char **out)
{
	autofree char *address = xstrdup(node->text);

	for (char *p = address; *p; p++)
		*p = (char)tolower((unsigned char)*p);
	if (!pci_address_valid(address))
		return yaml_error(node,
				  "'%.40s' is no full PCI address: write it as \"0000:5e:00.0\" "
				  "(`lspci -D` shows them)",
				  node->text);
	if (address_used(host, address))
		return yaml_error(node, "address %s is named twice: remove one", address);
	*out = address;
	address = NULL;
	return 0;
}

static char *text_or_null(const struct settings *s, const char *name)
{
	const char *text = settings_text(s, name);

	return *text ? xstrdup(text) : NULL;
}

static int check_remote(const struct yaml_node *map, const struct host_device *device)
{
	if (device->remote && device->peer)
		return yaml_error(yaml_get(map, "remote"),
				  "the other end is either a port of this host (peer) or of a "
				  "remote one (remote): remove one");
	if (device->remote && (*device->remote == '-' || !device->interface))
		return yaml_error(yaml_get(map, "remote"),
				  "a remote end needs a host and an interface: write 'remote: "
				  "user@host, interface: eth1'");
	if (!device->remote && (device->interface || device->tools))
		return yaml_error(map, "interface and tools belong to a remote end: add 'remote: "
				       "user@host' or remove them");
	return 0;
}

/* What only a GPU has: of another device nothing would come of it. */
static int read_gpu(const struct yaml_node *map, struct host_device *device)
{
	static const char *const keys[] = { "capture", "command", "image" };
	const struct yaml_node *command = yaml_get(map, "command"), *image = yaml_get(map, "image");
	bool gpu = registry_device(device->kind)->class == DEVICE_GPU;
	int ret = 0;

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
		if (yaml_get(map, keys[i]) && !gpu)
			return yaml_error_key(yaml_get(map, keys[i]),
					      "%s is for a GPU, which %s is not: remove it",
					      keys[i], device->kind);
	if (command)
		ret = host_command_read(command, &device->command);
	if (!ret && image)
		ret = guest_file_read(image, "image", R_OK, &device->image);
	return ret;
}

/* One address, or a list of them. */
static int read_with(const struct yaml_node *node, const struct host *host,
		     struct host_device *device)
{
	const struct yaml_node *items = node->kind == YAML_LIST ? node->items : node;
	size_t nr = node->kind == YAML_LIST ? node->nr : 1;
	int ret = 0;

	for (size_t i = 0; i < nr && !ret; i++) {
		autofree char *address = NULL;

		ret = yaml_expect(&items[i], YAML_TEXT, "with", "'with: \"0000:5e:00.1\"'");
		if (!ret)
			ret = read_address(&items[i], host, &address);
		if (!ret)
			strlist_add(&device->with, address);
	}
	return ret;
}

static int read_device_map(const struct yaml_node *map, const struct host *host,
			   struct host_device *device)
{
	static const char *const keys[] = { "address",	 "peer",    "writable",	   "remote",
					    "interface", "tools",   "within_page", "with",
					    "functions", "capture", "command",	   "image" };
	const struct yaml_node *address = yaml_get(map, "address");
	const struct yaml_node *peer = yaml_get(map, "peer"), *with = yaml_get(map, "with");
	struct settings *s = settings_new(device_settings);
	int ret = yaml_check_keys(map, device->kind, keys, ARRAY_SIZE(keys));

	if (!ret)
		ret = yaml_read_settings(map, s);
	if (!ret && !address)
		ret = yaml_error(map, "%s has no address: add 'address: \"0000:5e:00.0\"'",
				 device->kind);
	if (!ret)
		ret = read_address(address, host, &device->address);
	if (!ret && peer)
		ret = read_address(peer, host, &device->peer);
	if (!ret && with)
		ret = read_with(with, host, device);
	device->writable = settings_bool(s, "writable");
	device->functions = (unsigned int)settings_count(s, "functions");
	device->remote = text_or_null(s, "remote");
	device->interface = text_or_null(s, "interface");
	device->tools = text_or_null(s, "tools");
	device->capture = text_or_null(s, "capture");
	device->within_page = settings_bool(s, "within_page");
	if (!ret && device->functions && with)
		ret = yaml_error(with,
				 "a virtual function has a group of its own: remove 'with' or "
				 "'functions'");
	if (!ret)
		ret = check_remote(map, device);
	if (!ret)
		ret = read_gpu(map, device);
	settings_free(s);
	return ret;
}

static int read_device(const struct yaml_node *node, const char *kind, struct host *host)
{
	struct host_device *device = &host->devices[host->nr_devices++];
	int ret;

	device->kind = xstrdup(kind);
	if (node->kind == YAML_TEXT)
		return read_address(node, host, &device->address);
	ret = yaml_expect(node, YAML_MAP, kind, "'{ address: \"0000:5e:00.0\" }'");
	return ret ? ret : read_device_map(node, host, device);
}

/* One device, or a list of them: VMs that run at the same time get one each. */
static int read_kind(const struct yaml_node *node, struct host *host)
{
	int ret = check_kind(node);

	if (ret || node->kind != YAML_LIST)
		return ret ? ret : read_device(node, node->key, host);
	if (!node->nr)
		return yaml_error(node, "the list of %s is empty: name a device or remove it",
				  node->key);
	for (size_t i = 0; i < node->nr && !ret; i++)
		ret = read_device(&node->items[i], node->key, host);
	return ret;
}

static size_t count_devices(const struct yaml_node *map)
{
	size_t nr = 0;

	for (size_t i = 0; i < map->nr; i++)
		nr += map->items[i].kind == YAML_LIST ? map->items[i].nr : 1;
	return nr;
}

static int read_devices(const struct yaml_node *map, struct host *host)
{
	int ret;

	if (!map || (map->kind == YAML_TEXT && !*map->text))
		return 0; /* the key alone: all devices below it are comments */
	ret = yaml_expect(map, YAML_MAP, "devices", "'devices: { nvme: \"0000:5e:00.0\" }'");
	if (ret)
		return ret;
	host->devices = xzalloc(count_devices(map) * sizeof(*host->devices));
	for (size_t i = 0; i < map->nr && !ret; i++)
		ret = read_kind(&map->items[i], host);
	return ret;
}

static int read_scalars(const struct yaml_node *root, struct host *host)
{
	struct settings *s = settings_new(host_settings);
	int ret = yaml_read_settings(root, s);
	const char *instructions = settings_text(s, "instructions");

	free(host->kind);
	host->kind = xstrdup(settings_text(s, "kind"));
	host->vcpu_cpu = (unsigned int)settings_count(s, "vcpu_cpu");
	host->placement = !strcmp(settings_text(s, "placement"), "auto");
	host->swap = text_or_null(s, "swap");
	if (*instructions)
		host->instructions = xstrdup(instructions);
	if (!ret && *instructions && strcmp(host->kind, "lab-tcg") != 0)
		ret = yaml_error(yaml_get(root, "instructions"),
				 "instructions are counted in the emulated lab only: remove the "
				 "line, or set 'kind: lab-tcg'");
	settings_free(s);
	return ret;
}

static int read_tuning(const struct yaml_node *map, struct host *host)
{
	const char *names[TUNING_NR];
	int ret;

	if (!map || (map->kind == YAML_TEXT && !*map->text))
		return 0; /* the key alone: all settings below it are comments */
	ret = yaml_expect(map, YAML_MAP, "settings", "'settings: { governor: performance }'");
	if (ret)
		return ret;
	for (size_t i = 0; i < TUNING_NR; i++) {
		const struct yaml_node *node = yaml_get(map, tuning_table[i].name);

		names[i] = tuning_table[i].name;
		host->tuning_lines[i] = node ? node->line : 0;
	}
	host->tuning = settings_new(tuning_table);
	ret = yaml_check_keys(map, "settings", names, TUNING_NR);
	return ret ? ret : yaml_read_settings(map, host->tuning);
}

static int host_read(const struct yaml_node *root, struct host *host)
{
	static const char *const keys[] = { "devices",	 "kind",     "instructions", "vcpu_cpu",
					    "placement", "settings", "swap" };
	int ret;

	ret = yaml_expect(root, YAML_MAP, "a host file", "'key: value' lines");
	if (!ret)
		ret = yaml_check_keys(root, "a host file", keys, ARRAY_SIZE(keys));
	if (!ret)
		ret = read_scalars(root, host);
	if (!ret)
		ret = read_devices(yaml_get(root, "devices"), host);
	if (!ret)
		ret = read_tuning(yaml_get(root, "settings"), host);
	return ret;
}

int host_load(const char *path, struct host **out)
{
	struct yaml_node *root = NULL;
	struct host *host;
	int ret;

	*out = NULL;
	ret = path ? yaml_load(path, &root) : 0;
	if (ret)
		return ret;
	host = xzalloc(sizeof(*host));
	host->path = path ? xstrdup(path) : NULL;
	host->kind = xstrdup(host_kinds[0]);
	host->placement = true;
	if (root) /* a file of comments lends nothing */
		ret = host_read(root, host);
	yaml_unload(root);
	if (ret)
		host_free(host);
	else
		*out = host;
	return ret;
}

void host_free(struct host *host)
{
	if (!host)
		return;
	for (size_t i = 0; i < host->nr_devices; i++) {
		free(host->devices[i].kind);
		free(host->devices[i].address);
		free(host->devices[i].physical);
		free(host->devices[i].peer);
		free(host->devices[i].remote);
		free(host->devices[i].interface);
		free(host->devices[i].tools);
		strlist_free(&host->devices[i].with);
		free(host->devices[i].capture);
		host_command_free(host->devices[i].command);
		free(host->devices[i].image);
	}
	free(host->devices);
	settings_free(host->tuning);
	free(host->instructions);
	free(host->swap);
	free(host->kind);
	free(host->path);
	free(host);
}

const struct host_device *host_device_at(const struct host *host, const char *kind,
					 unsigned int index)
{
	for (size_t i = 0; i < host->nr_devices; i++)
		if (!strcmp(host->devices[i].kind, kind) && !index--)
			return &host->devices[i];
	return NULL;
}

int host_device_assignable(const struct host_device *device, char **why)
{
	if (device->functions && !device->physical)
		return sriov_probe(device->address, device->functions, why);
	return pci_assignable_with(device->address, &device->with, why);
}

const struct host_device *host_device(const struct host *host, const char *kind)
{
	return host_device_at(host, kind, 0);
}
