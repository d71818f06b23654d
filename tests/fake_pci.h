/* SPDX-License-Identifier: GPL-2.0-only */
/* PCI functions with configuration spaces, in a fake sysfs. */
#ifndef TESTS_FAKE_PCI_H
#define TESTS_FAKE_PCI_H

#include <linux/pci_regs.h>

#include "harness/pciconf.h"
#include "tests/tree.h"

#define CONVENTIONAL PCICONF_CONVENTIONAL
#define ACS_REQUIRED (PCI_ACS_SV | PCI_ACS_RR | PCI_ACS_CR | PCI_ACS_UF)
#define NO_GROUP (-1)

struct fake_acs {
	bool present;
	uint16_t capable, enabled;
};
#define ACS_ON .acs = { true, ACS_REQUIRED | PCI_ACS_DT, ACS_REQUIRED }
#define ACS_OFF .acs = { true, ACS_REQUIRED | PCI_ACS_DT, 0 }

struct fake_function {
	const char *path; /* from the root bus on: "0000:00:1c.0/0000:01:00.0" */
	char label;	  /* for the test's own use: functions expected to share a group */
	int type;	  /* PCI_EXP_TYPE_*, or CONVENTIONAL */
	bool multi, bridge;
	struct fake_acs acs;
	int group;	    /* the kernel's */
	const char *physfn; /* address of the physical function */
	const char *driver;
};

/* A configuration space of that kind, with an MSI capability before the PCI Express one. */
void fake_space(const struct fake_function *function, uint8_t bytes[PCICONF_MAX]);
/* Puts the function in the tree. */
void fake_function(const struct fake_function *function);
/* Writes its configuration space anew. */
void fake_config(const char *bdf, const uint8_t *bytes, size_t len);
/* The last component of its path. */
const char *fake_bdf(const struct fake_function *function);

#endif
