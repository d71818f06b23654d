// SPDX-License-Identifier: GPL-2.0-only
/* Drivers of PCI devices, changed through the journal: one device, or several of them together. */
#include <errno.h>
#include <string.h>

#include "harness/journal.h"
#include "harness/journal_record.h"
#include "harness/log.h"
#include "harness/pci.h"
#include "harness/rebind.h"
#include "harness/util.h"

int journal_bind(struct journal *journal, const char *bdf, const char *driver)
{
	const struct rebind to = { .bdf = bdf,
				   .driver = driver,
				   .override = driver,
				   .lock_fd = journal_lock_fd(journal) };
	autofree char *old_driver = NULL, *old_override = NULL, *id = NULL;
	int ret = rebind_check(bdf, driver);

	if (ret)
		return ret;
	old_driver = pci_driver(bdf);
	if (old_driver && !strcmp(old_driver, driver))
		return 0;
	old_override = rebind_override(bdf);
	id = pci_id(bdf);
	ret = journal_add_record(journal,
				 json_pack("{s:s, s:s, s:s?, s:s?, s:s?, s:s}", "kind", "bind",
					   "bdf", bdf, "id", id, "old_driver", old_driver,
					   "old_override", old_override, "new_driver", driver));
	if (ret)
		return ret;
	log_debug("%s: %s -> %s", bdf, old_driver ? old_driver : "no driver", driver);
	ret = rebind(&to);
	if (ret)
		journal_roll_back(journal, ret == -ETIMEDOUT);
	return ret;
}

int journal_bind_all(struct journal *journal, const struct strlist *bdfs, const char *driver)
{
	size_t before = journal_length(journal);
	int ret = 0;

	for (size_t i = 0; i < bdfs->nr && !ret; i++) {
		ret = journal_bind(journal, bdfs->items[i], driver);
		if (ret && bdfs->nr > 1)
			log_err("%s cannot be bound to %s: the other devices of its set go back to "
				"their drivers",
				bdfs->items[i], driver);
	}
	/* One that the kernel may still carry out is looked at again at the end. */
	if (ret)
		journal_undo_some(journal, before,
				  journal_length(journal) - before - (ret == -ETIMEDOUT));
	return ret;
}
