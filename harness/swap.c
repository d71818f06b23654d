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

static int swap_on(struct journal *journal, const char *device)
{
	int ret;

	if (is_swapped_to(device))
		return 0;
	ret = journal_add_record(journal, json_pack("{s:s, s:s}", "kind", "swap", "path", device));
	if (ret)
		return ret;
	if (swapon(device, 0)) {
		ret = -errno;
		journal_roll_back(journal, false);
	}
	return ret;
}

int journal_swap(struct journal *journal, const char *path, char **why)
{
	autofree char *device = realpath(path, NULL);
	int ret;

	if (device)
		ret = swap_on(journal, device);
	else
		ret = -errno;
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
