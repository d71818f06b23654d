// SPDX-License-Identifier: GPL-2.0-only
/* Preflight: the devices that the host file names. */
#include <string.h>

#include "harness/check_list.h"
#include "harness/config.h"
#include "harness/pci.h"
#include "harness/peer.h"
#include "harness/placing.h"
#include "harness/util.h"

#define WIDTH_UNKNOWN 255

static size_t nr_devices(const struct check_args *args)
{
	return args->host ? args->host->nr_devices : 0;
}

static void check_device(const struct check_args *args, const struct host_device *device)
{
	autofree char *why = NULL, *driver = NULL, *caution = NULL;
	char *remedy;

	if (host_device_assignable(device, &why)) {
		remedy = pci_split_why(why);
		check_fail(args, xasprintf("%s %s: %s", device->kind, device->address, why),
			   xstrdup(remedy ? remedy : "name another device in the host file"));
		return;
	}
	caution = pci_caution(device->address);
	driver = pci_driver(device->address);
	remedy = caution ? pci_split_why(caution) : NULL;
	if (remedy)
		check_warn(args, xasprintf("%s %s: %s", device->kind, device->address, caution),
			   xstrdup(remedy));
	else
		check_ok(args, xasprintf("%s %s, %s", device->kind, device->address,
					 driver ? driver : "no driver"));
}

void check_devices(const struct check_args *args)
{
	if (!nr_devices(args))
		check_fail(args, xstrdup("none is lent to the harness"),
			   xstrdup("name one in a host file, as devices: { nvme: \"0000:5e:00.0\" "
				   "}, and give it with --host"));
	for (size_t i = 0; i < nr_devices(args); i++)
		check_device(args, &args->host->devices[i]);
}

/* A warning: the other devices' cells run without it. */
void check_peers(const struct check_args *args)
{
	for (size_t i = 0; i < nr_devices(args); i++) {
		const struct host_device *device = &args->host->devices[i];
		autofree char *why = NULL;

		if (!device->peer && !device->remote)
			continue;
		if (!peer_probe(device, &why))
			check_ok(args, xasprintf("of %s: %s", device->kind,
						 device->peer ? device->peer : device->remote));
		else
			check_warn(args, xstrdup(why),
				   xstrdup("without it the workloads of this NIC are skipped"));
	}
}

/* --- links --- */

struct link {
	double speed, max_speed; /* GT/s; 0: unknown */
	unsigned long width, max_width;
};

static double read_number(const char *bdf, const char *attribute)
{
	autofree char *path = pci_path(bdf, attribute);
	autofree char *text = file_read_trimmed(path);

	return text ? strtod(text, NULL) : 0; /* "Unknown" is 0, too */
}

/* False: it has no link, being in the root complex, or has lost it. */
static bool read_link(const char *bdf, struct link *link)
{
	link->speed = read_number(bdf, "current_link_speed");
	link->max_speed = read_number(bdf, "max_link_speed");
	link->width = (unsigned long)read_number(bdf, "current_link_width");
	link->max_width = (unsigned long)read_number(bdf, "max_link_width");
	return link->speed > 0 && link->max_speed > 0 && link->width && link->max_width &&
	       link->max_width < WIDTH_UNKNOWN;
}

/* The port at the other end, as sysfs nests them; to free, NULL: unknown. */
static char *port_above(const char *bdf)
{
	autofree char *path = pci_path(bdf, "");
	autofree char *real = realpath(path, NULL);
	char *slash = real ? strrchr(real, '/') : NULL;

	if (!slash)
		return NULL;
	*slash = '\0';
	slash = strrchr(real, '/');
	return slash && pci_address_valid(slash + 1) ? xstrdup(slash + 1) : NULL;
}

/* Is it the slot, or only this link, that is slower than the device? */
static char *link_remedy(const char *bdf, const struct link *link)
{
	autofree char *port = port_above(bdf);
	struct link above;

	if (port && read_link(port, &above) &&
	    (above.max_speed < link->max_speed || above.max_width < link->max_width))
		return xasprintf("its slot (port %s) can do %.4g GT/s x%lu: use a faster one", port,
				 above.max_speed, above.max_width);
	return xstrdup("seat it anew and look at the slot's settings in the firmware; a device "
		       "that slows down while idle (a GPU) is fine");
}

/* A virtual function has its physical one's link. */
static void check_link(const struct check_args *args, const char *kind, const char *address)
{
	autofree char *path = pci_path(address, "physfn");
	autofree char *physfn = link_name(path);
	const char *bdf = physfn ? physfn : address;
	struct link link;

	if (!read_link(bdf, &link))
		check_ok(args, xasprintf("%s %s: no link to be seen (integrated)", kind, bdf));
	else if (link.speed < link.max_speed || link.width < link.max_width)
		check_warn(args,
			   xasprintf("%s %s: %.4g GT/s x%lu of %.4g GT/s x%lu", kind, bdf,
				     link.speed, link.width, link.max_speed, link.max_width),
			   link_remedy(bdf, &link));
	else
		check_ok(args, xasprintf("%s %s: %.4g GT/s x%lu, all it can do", kind, bdf,
					 link.speed, link.width));
}

void check_links(const struct check_args *args)
{
	for (size_t i = 0; i < nr_devices(args); i++) {
		const struct host_device *device = &args->host->devices[i];

		check_link(args, device->kind, device->address);
		if (device->peer)
			check_link(args, "peer", device->peer);
	}
}

/* --- placement --- */

/* For the guest that is to run or else one with one vCPU. */
void check_placement(const struct check_args *args)
{
	const struct guest_config one = { .cpus = 1 };
	struct placements placements;

	if (!nr_devices(args))
		return;
	placements_make(args->host, args->guest ? args->guest : &one, &placements);
	for (size_t i = 0; i < placements.nr; i++) {
		const struct placement *placement = &placements.items[i];
		const char *kind = args->host->devices[i].kind;
		const char *remedy = NULL, *warning = placement_warning(placement, &remedy);
		autofree char *text = placement_text(placement);

		if (warning)
			check_warn(args, xasprintf("%s: %s; %s", kind, text, warning),
				   xstrdup(remedy));
		else
			check_ok(args, xasprintf("%s: %s", kind, text));
	}
	placements_free(&placements);
}
