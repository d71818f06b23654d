// SPDX-License-Identifier: GPL-2.0-only
/* Swap on a device of its own, while VMs are to have more memory than there is. */
#include <errno.h>
#include <string.h>
#include <sys/swap.h>

#include "harness/journal.h"
#include "harness/journal_record.h"
#include "harness/util.h"

static bool is_swapped_to(const char *path)
{
	autofree char *text = file_read("/proc/swaps", NULL);
	size_t len = strlen(path);

	for (const char *line = text; line && *line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (!strncmp(line, path, len) && strchr(" \t", line[len]))
			return true;
	}
	return false;
}

int journal_swap(struct journal *journal, const char *path, char **why)
{
	autofree char *device = realpath(path, NULL);
	int ret = device ? 0 : -errno;

	if (!ret && is_swapped_to(device))
		return 0;
	if (!ret) {
		ret = journal_add_record(journal,
					 json_pack("{s:s, s:s}", "kind", "swap", "path", device));
		if (ret)
			return ret;
		if (swapon(device, 0)) {
			ret = -errno;
			journal_roll_back(journal, false);
		}
	}
	if (ret == -EINVAL)
		*why = xasprintf(
			"%s has no swap signature: 'mkswap %s' makes one, and destroys what "
			"is there",
			path, path);
	else if (ret)
		*why = xasprintf("cannot swap to %s: %s: correct 'swap' in the host file", path,
				 strerror(-ret));
	return ret;
}
