/* SPDX-License-Identifier: GPL-2.0-only */
/* Virtual functions of a PCI device (SR-IOV), made for a run and removed after it. */
#ifndef HARNESS_SRIOV_H
#define HARNESS_SRIOV_H

struct host;
struct journal;

/*
 * Can nr functions of that physical one be made? 0, or -errno with "reason: remedy" in *why (to
 * free): it has none, fewer, or some already. Changes nothing.
 */
int sriov_probe(const char *physical, unsigned int nr, char **why);

/* The address of one of its functions (from 0), to free; NULL: there is no such function. */
char *sriov_function(const char *physical, unsigned int index);

/*
 * Makes nr functions, which no driver of the host takes; those of an NVMe drive are set online
 * (nvme_functions.h). Undo waits for who has one of them open and removes them. 0 or -errno,
 * logged.
 */
int journal_sriov(struct journal *journal, const char *physical, unsigned int nr);

/* The undo of it. Gone already: success. 0 or -errno, logged; lock_fd: as in struct rebind. */
int sriov_remove(const char *physical, int lock_fd);

/*
 * Makes the functions of all devices of the host that are to have some; the address of each such
 * device is that of its first function from now on. 0 or -errno, logged.
 */
int sriov_make_all(struct journal *journal, struct host *host);

#endif
