// SPDX-License-Identifier: GPL-2.0-only
/* Virtual functions of PCI devices (Documentation/PCI/pci-iov-howto.rst). */
#include "harness/sriov.h"

#include <errno.h>
#include <string.h>

#include "harness/config.h"
#include "harness/journal.h"
#include "harness/journal_record.h"
#include "harness/log.h"
#include "harness/nvme_functions.h"
#include "harness/pci.h"
#include "harness/rebind.h"
#include "harness/util.h"

static unsigned long read_count(const char *physical, const char *attribute)
{
	autofree char *path = pci_path(physical, attribute);
	autofree char *text = file_read_trimmed(path);

	return text ? strtoul(text, NULL, 10) : 0;
}

int sriov_probe(const char *physical, unsigned int nr, char **why)
{
	unsigned long total = read_count(physical, "sriov_totalvfs");
	unsigned long now = read_count(physical, "sriov_numvfs");
	autofree char *driver = pci_driver(physical);

	/* A drive's functions share its name spaces. */
	*why = pci_block_use(physical);
	if (*why)
		return -EBUSY;
	if (!total)
		*why = xstrdup("it has no virtual functions: enable SR-IOV in the firmware, or "
			       "remove 'functions' from the host file");
	else if (nr > total)
		*why = xasprintf("it has %lu virtual functions at most: lower 'functions'", total);
	else if (!driver)
		*why = xstrdup("its driver makes its virtual functions, and it has none: load "
			       "that driver");
	if (*why)
		return -ENOTSUP;
	if (!now)
		return 0;
	*why = xasprintf("it has %lu virtual functions already, which may be in use: name one of "
			 "them by its own address, or echo 0 > %s/bus/pci/devices/%s/sriov_numvfs",
			 now, sysfs_root, physical);
	return -EBUSY;
}

char *sriov_function(const char *physical, unsigned int index)
{
	autofree char *name = xasprintf("virtfn%u", index), *path = pci_path(physical, name);

	return link_name(path);
}

/* Those that are there must be closed before they go: the kernel would wait for it, for ever. */
static int await_functions(const char *physical)
{
	char *function;
	int ret = 0;

	for (unsigned int i = 0; !ret && (function = sriov_function(physical, i)); i++) {
		ret = rebind_await_closed(function);
		free(function);
	}
	return ret;
}

int sriov_remove(const char *physical, int lock_fd)
{
	const struct rebind lock = { .bdf = physical, .lock_fd = lock_fd };
	autofree char *path = pci_path(physical, "sriov_numvfs");
	int ret;

	if (!read_count(physical, "sriov_numvfs")) {
		log_debug("%s: has no virtual functions, nothing to undo", physical);
		return 0;
	}
	ret = await_functions(physical);
	return ret ? ret : rebind_write(&lock, path, "0");
}

static int make(struct journal *journal, const char *physical, unsigned int nr)
{
	const struct rebind lock = { .bdf = physical, .lock_fd = journal_lock_fd(journal) };
	autofree char *path = pci_path(physical, "sriov_numvfs"), *text = xasprintf("%u", nr);
	int ret = journal_add_record(journal,
				     json_pack("{s:s, s:s}", "kind", "sriov", "bdf", physical));

	if (ret)
		return ret;
	log_debug("%s: %u virtual functions", physical, nr);
	ret = rebind_write(&lock, path, text);
	if (!ret)
		return 0;
	log_err("%s: cannot make %u virtual functions: %s: dmesg tells why", physical, nr,
		strerror(-ret));
	journal_roll_back(journal, ret == -ETIMEDOUT);
	return ret;
}

int journal_sriov(struct journal *journal, const char *physical, unsigned int nr)
{
	autofree char *autoprobe = pci_path(physical, "sriov_drivers_autoprobe");
	autofree char *why = NULL;
	int ret = sriov_probe(physical, nr, &why);

	if (ret) {
		log_err("%s: %s", physical, why);
		return ret;
	}
	if (nvme_is_drive(physical))
		ret = journal_nvme_division(journal, physical, nr);
	/* Before kernel 4.12 there was no such switch. */
	if (!ret && file_exists(autoprobe))
		ret = journal_write(journal, autoprobe, "0");
	if (!ret)
		ret = make(journal, physical, nr);
	return !ret && nvme_is_drive(physical) ? nvme_functions_online(physical, nr) : ret;
}

int sriov_make_all(struct journal *journal, struct host *host)
{
	int ret = 0;

	for (size_t i = 0; i < host->nr_devices && !ret; i++) {
		struct host_device *device = &host->devices[i];
		char *function;

		if (!device->functions)
			continue;
		ret = journal_sriov(journal, device->address, device->functions);
		if (ret)
			break;
		function = sriov_function(device->address, 0);
		if (!function) {
			log_err("%s: its driver made no virtual function: dmesg tells why",
				device->address);
			return -ENODEV;
		}
		free(device->physical);
		device->physical = device->address;
		device->address = function;
	}
	return ret;
}
