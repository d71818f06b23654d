/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What an NVMe controller that the host's driver has says of its secondary controllers (those of
 * its virtual functions), and the command that manages them: Virtualization Management (NVM
 * Express base specification, "Virtualization Enhancements").
 */
#ifndef HARNESS_NVME_ADMIN_H
#define HARNESS_NVME_ADMIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What controllers share, numbered as the command does. */
enum nvme_resource { NVME_QUEUES, NVME_INTERRUPTS, NVME_NR_RESOURCES };
/* "queues" or "interrupts", for messages. */
extern const char *const nvme_resource_names[NVME_NR_RESOURCES];

enum nvme_action {
	NVME_PRIMARY_ALLOCATE = 1, /* to the primary controller, from its next function reset on */
	NVME_OFFLINE = 7,	   /* which also takes all that was assigned */
	NVME_ASSIGN = 8,	   /* to a secondary controller that is offline */
	NVME_ONLINE = 9,
};

/* How one resource is divided. */
struct nvme_pool {
	bool flexible;	      /* it can be divided at all */
	uint32_t total;	      /* of what can be divided */
	uint32_t secondaries; /* have so many of it in all */
	uint16_t primary;     /* and the primary controller so many */
	uint16_t own;	      /* the primary controller's beside it, which are never divided */
	uint16_t most;	      /* that one secondary controller can have */
	uint16_t granularity; /* in which they are best given; 0: any */
};
struct nvme_secondary {
	uint16_t id;	   /* of the controller */
	uint16_t function; /* virtual function, from 1; 0: it is none's */
	bool online;
	uint16_t nr[NVME_NR_RESOURCES];
};
struct nvme_drive {
	uint16_t id; /* of the primary controller */
	struct nvme_pool pools[NVME_NR_RESOURCES];
	struct nvme_secondary *secondaries;
	size_t nr;
};

/* The controller that the host's driver has made of the PCI device, "nvme0", to free, or NULL. */
char *nvme_controller(const char *bdf);

/* Its serial number, to free, or NULL. */
char *nvme_serial(const char *bdf);

/* A descriptor for its admin commands, to close; -errno, logged. */
int nvme_open(const char *bdf);

/*
 * What it says. 0 with *drive to be freed by nvme_drive_free(); -EOPNOTSUPP: it knows no secondary
 * controllers; or another -errno, logged. bdf is for messages.
 */
int nvme_drive_read(int fd, const char *bdf, struct nvme_drive *drive);
void nvme_drive_free(struct nvme_drive *drive);

/*
 * One command; resource and nr mean something when something is allocated or assigned. 0 or -errno,
 * logged, -EREMOTEIO if the drive refuses.
 */
int nvme_manage(int fd, const char *bdf, enum nvme_action action, uint16_t controller,
		enum nvme_resource resource, uint16_t nr);

#endif
