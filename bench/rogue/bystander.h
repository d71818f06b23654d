/* SPDX-License-Identifier: GPL-2.0-only */
/* Memory that a guest's device has no business with: a page of the host's, or of another VM. */
#ifndef BENCH_ROGUE_BYSTANDER_H
#define BENCH_ROGUE_BYSTANDER_H

#include <stdint.h>

#include "bench/rogue/judge.h"

struct boot;
struct bystander;

/*
 * A page of this process, or of a VM's memory that is started for it (its vCPUs stand still, so
 * that nobody but the device can change it; its files go to dir). Its physical address is none
 * that the boot's own guest might have memory at. 0 or -errno; then *why, to free, says why it
 * cannot be had, unless the user has interrupted (-EINTR).
 */
int bystander_host(const struct boot *boot, struct bystander **out, char **why);
int bystander_vm(const struct boot *boot, const char *dir, struct bystander **out, char **why);
void bystander_free(struct bystander *bystander);

/* Its physical address at this moment. 0 or -errno. */
int bystander_address(const struct bystander *bystander, uint64_t *address);
/* Its content. 0 or -errno. */
int bystander_read(const struct bystander *bystander, uint8_t *content);

#endif
