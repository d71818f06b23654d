/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A fake NVMe drive with secondary controllers, behind the ioctl() of programs that are linked with
 * --wrap=ioctl. It forgets nothing when its virtual functions go, and gives what its primary
 * controller gives up only after a function reset.
 */
#ifndef TESTS_FAKE_NVME_H
#define TESTS_FAKE_NVME_H

#include <stdbool.h>
#include <stdint.h>

#define FAKE_NVME_SERIAL "S3R1AL"
#define FAKE_NVME_SECONDARIES 4
#define FAKE_NVME_PRIMARY 65 /* its number; those of the secondary ones are from 1 on */

/* Queues and interrupts, in this order. Shared with children, so that it survives them. */
struct fake_nvme {
	uint16_t total[2], own[2], most[2], granularity[2];
	uint16_t primary[2], pending[2]; /* pending: from the next reset on */
	struct fake_secondary {
		uint16_t nr[2];
		bool online;
	} secondaries[FAKE_NVME_SECONDARIES];
	bool unknown;	  /* the drive does not know of secondary controllers */
	uint16_t refused; /* status of every management command; 0: carried out */
	unsigned int resets, commands;
};
extern struct fake_nvme *fake_nvme;

/* Puts it behind the fake host's NVME: all that can be divided is the primary controller's. */
void fake_nvme_put(void);

/* The call, as the kernel does it. */
int fake_nvme_ioctl(unsigned long request, void *arg);

/* Is it divided as in the beginning, with nothing pending? */
bool fake_nvme_as_before(void);

#endif
