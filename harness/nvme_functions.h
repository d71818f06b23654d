/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * An NVMe drive's virtual functions are controllers that do nothing until the drive's physical
 * function has given each of them queues and interrupts and has set it online. What is divided so
 * may be all the physical function's own at first, which it gives up by a reset only.
 */
#ifndef HARNESS_NVME_FUNCTIONS_H
#define HARNESS_NVME_FUNCTIONS_H

#include <stdbool.h>

struct journal;

/* Is that PCI device an NVMe drive? */
bool nvme_is_drive(const char *bdf);

/*
 * Before a drive's functions are made: journals how its resources are divided, and sees to it that
 * nr functions can have a share; a function reset of the drive may be needed for that, during which
 * the host's driver keeps it. A drive that has nothing to divide is left as it is. 0 or -errno,
 * logged.
 */
int journal_nvme_division(struct journal *journal, const char *physical, unsigned int nr);

/*
 * Once they are made: gives each of the first nr functions that has nothing yet its share and sets
 * it online. 0 or -errno, logged.
 */
int nvme_functions_online(const char *physical, unsigned int nr);

/*
 * The undo of both: divides them as the text of the record says. The drive gone, or another one in
 * its place by now (by its serial number): success. 0 or -errno, logged. lock_fd: as in struct
 * rebind.
 */
int nvme_divide(const char *physical, const char *serial, const char *division, int lock_fd);

/* The shell commands that do the same, to free. */
char *nvme_divide_by_hand(const char *physical, const char *division);

#endif
