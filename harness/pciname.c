// SPDX-License-Identifier: GPL-2.0-only
/* Names of PCI devices, looked up by libpci. */
#include "harness/pciname.h"

#include <pci/pci.h>

#include "harness/util.h"

#define NAME_MAX_LEN 256

/* pci_init() would set these, and look for the machine's devices, which nobody asked for. */
__attribute__((format(printf, 1, 2), noreturn)) static void fail(char *format, ...)
{
	abort(); /* out of memory */
}

__attribute__((format(printf, 1, 2))) static void ignore(char *format, ...)
{
}

struct pci_access *pciname_open(void)
{
	struct pci_access *names = pci_alloc();

	names->error = fail;
	names->warning = names->debug = ignore;
	return names;
}

void pciname_close(struct pci_access *names)
{
	pci_cleanup(names);
}

char *pciname_device(struct pci_access *names, unsigned int vendor, unsigned int device)
{
	char text[NAME_MAX_LEN];

	return xstrdup(pci_lookup_name(names, text, sizeof(text),
				       PCI_LOOKUP_VENDOR | PCI_LOOKUP_DEVICE, vendor, device));
}

char *pciname_class(struct pci_access *names, unsigned int class)
{
	char text[NAME_MAX_LEN];

	return xstrdup(pci_lookup_name(names, text, sizeof(text), PCI_LOOKUP_CLASS, class));
}
