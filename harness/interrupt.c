// SPDX-License-Identifier: GPL-2.0-only
/* The host change "interrupt": the CPUs that one interrupt of a PCI device goes to. */
#include <errno.h>
#include <string.h>

#include "harness/change.h"
#include "harness/journal.h"
#include "harness/journal_record.h"
#include "harness/log.h"
#include "harness/pci.h"
#include "harness/util.h"

int journal_interrupt(struct journal *journal, const char *bdf, const char *irq, const char *cpus)
{
	autofree char *owner = xasprintf("%s/bus/pci/devices/%s/msi_irqs/%s", sysfs_root, bdf, irq);
	autofree char *path = xasprintf("%s/irq/%s/smp_affinity_list", procfs_root, irq);
	autofree char *old = file_read_trimmed(path);
	int ret;

	if (!old)
		return errno ? -errno : -EIO;
	if (!strcmp(old, cpus))
		return 0;
	ret = journal_add_record(journal, json_pack("{s:s, s:s, s:s, s:s}", "kind", "interrupt",
						    "owner", owner, "path", path, "old", old));
	if (ret)
		return ret;
	log_debug("%s: \"%s\"", path, cpus);
	ret = attribute_write(path, cpus);
	/* One that the kernel manages itself, or that is gone already. */
	if (ret)
		journal_roll_back(journal, false);
	return ret;
}
