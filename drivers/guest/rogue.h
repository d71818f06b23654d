/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of the rogue share: its device's engine and what a command prints. */
#ifndef ROGUE_H
#define ROGUE_H

#include <linux/mm.h>
#include <linux/pci.h>

#define ROGUE_MARK 16	 /* bytes of a mark: what tells whether a DMA got through */
#define ROGUE_PROBES 128 /* marks that the device's own buffer holds, each in a slot */

struct rogue;

/*
 * A device that does DMA as it is told to. Whether the bus lets it through is not told: who calls
 * compares memory. A DMA may take more of the bus than its marks, from a page's start a page at
 * most. Callers hold the lock.
 */
struct rogue_engine {
	unsigned int burst;    /* marks of one DMA at most */
	unsigned int delay_us; /* it begins a DMA so long after it is told to */
	/* Its registers are mapped, and it is a bus master. 0 or -errno. */
	int (*set_up)(struct rogue *rogue);
	/* Afterwards it does no DMA. */
	void (*tear_down)(struct rogue *rogue);
	/* Begins: nr marks from the bus into slots, or to the bus out of them. */
	void (*start)(struct rogue *rogue, dma_addr_t bus, unsigned int slot, unsigned int nr,
		      bool to_bus);
	/* 1: the DMA is under way; 0: it is over; or -errno: the device is out of order. */
	int (*poll)(struct rogue *rogue);
	/* Ends one that takes too long. 0, or -errno as above. */
	int (*abort)(struct rogue *rogue);
};

extern const struct rogue_engine rogue_edu, rogue_nvme;

struct rogue {
	struct pci_dev *pdev;
	const struct rogue_engine *engine;
	void *priv;		/* the engine's */
	void __iomem *regs;
	struct page *home;	/* two pages: one that is mapped all the time, one that never is */
	struct page *far;	/* never mapped, and apart from the others */
	struct page *stale;	/* mapped and unmapped again */
	dma_addr_t bus;		/* of home */
	char *text;		/* what the last command printed, ROGUE_TEXT of it at most */
	size_t len;
};

#define ROGUE_TEXT 32768

/* Adds to what the command prints. 0, or -ENOSPC if that is too much. */
__printf(2, 3) int rogue_print(struct rogue *rogue, const char *fmt, ...);

/* A mark from the bus into a slot, or the other way. 0, or -errno: the device is out of order. */
int rogue_fetch(struct rogue *rogue, dma_addr_t bus, unsigned int slot);
int rogue_store(struct rogue *rogue, dma_addr_t bus, unsigned int slot);
/* The latter in two steps. */
void rogue_store_start(struct rogue *rogue, dma_addr_t bus, unsigned int slot);
bool rogue_busy(struct rogue *rogue);
int rogue_await(struct rogue *rogue);

/* Fills the first nr slots, or copies them to marks, by way of the mapped page. */
int rogue_load(struct rogue *rogue, const u8 *marks, unsigned int nr);
int rogue_unload(struct rogue *rogue, u8 *marks, unsigned int nr);

/* Commands: rogue_stale.c, rogue_sweep.c. 0 or -errno. */
int rogue_stale(struct rogue *rogue, unsigned int limit_ms);
int rogue_sweep(struct rogue *rogue, unsigned int probes, u64 end);

#endif
