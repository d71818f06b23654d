/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kinds of host changes that the journal records: how each is undone. A record is a JSON
 * object with the kind and its texts:
 *   write    path, old            an attribute of sysfs, procfs or tracefs
 *   interrupt owner, path, old    an attribute, as long as the file owner is there
 *   bind     bdf, id or null (pci_id()), old_driver or null, old_override or null, new_driver
 *   group_type bdf, old, driver or null (which it has with either type)
 *   sriov    bdf                  which had no virtual functions
 *   nvme_division bdf, serial, division  of an NVMe drive's queues and interrupts
 *   mkdir    path
 *   swap     path                 of a block device that is swapped to
 *   netns    name, interface, mtu, state ("up", "down"), remote (or ""), bdf (or null),
 *            alias (or null)
 *   damaged  line                 of a journal that cannot be read; never undone
 */
#ifndef HARNESS_CHANGE_H
#define HARNESS_CHANGE_H

#include <jansson.h>
#include <stdbool.h>

/* Is it of a known kind, with all its texts? */
bool change_valid(const json_t *record);

/*
 * Undoes a valid record. Undone already, or its object gone: success. 0 or -errno, logged with
 * the shell command that mends it. lock_fd: as in struct rebind.
 */
int change_undo(const json_t *record, int lock_fd);

/*
 * What must be written so that the attribute is as it is now (of "always [madvise] never" the
 * chosen word), to free; NULL with errno.
 */
char *attribute_read(const char *path);
/* One write; an empty value is written as an empty line. 0 or -errno. */
int attribute_write(const char *path, const char *value);

#endif
