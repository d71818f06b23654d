/* SPDX-License-Identifier: GPL-2.0-only */
/* What the files of the rogue share: its device's engine and what a command prints. */
#ifndef ROGUE_H
#define ROGUE_H

#include <linux/mm.h>
#include <linux/pci.h>

#define ROGUE_MARK 16		/* bytes of a mark: what tells whether a DMA got through */
#define ROGUE_BURST 2048	/* bytes of one DMA at most */
#define ROGUE_PROBES (ROGUE_BURST / ROGUE_MARK)
#define ROGUE_DMA_US 100000	/* the device begins a DMA so long after it is told to */

struct rogue {
	struct pci_dev *pdev;
	void __iomem *regs;
	struct page *home;	/* two pages: one that is mapped all the time, one that never is */
	struct page *far;	/* never mapped, and apart from the others */
	struct page *stale;	/* mapped and unmapped again */
	dma_addr_t bus;		/* of home */
	char *text;		/* what the last command printed, ROGUE_TEXT of it at most */
	size_t len;
};

#define ROGUE_TEXT 32768

/* Adds to what the command prints. */
__printf(2, 3) void rogue_print(struct rogue *rogue, const char *fmt, ...);

/*
 * The engine; callers hold the lock. len bytes from the bus into the device's own buffer at
 * offset, or the other way. 0, or -ETIMEDOUT. Whether the bus let it through is not told.
 */
int rogue_fetch(struct rogue *rogue, dma_addr_t bus, unsigned int offset, size_t len);
int rogue_store(struct rogue *rogue, dma_addr_t bus, unsigned int offset, size_t len);
/* The latter in two steps. */
void rogue_store_start(struct rogue *rogue, dma_addr_t bus, unsigned int offset, size_t len);
bool rogue_busy(struct rogue *rogue);
int rogue_await(struct rogue *rogue);

/* Loads the device's buffer from data, or copies it to data, by way of the mapped page. */
int rogue_load(struct rogue *rogue, const void *data, size_t len);
int rogue_unload(struct rogue *rogue, void *data, size_t len);

/* Commands: rogue_stale.c, rogue_sweep.c. 0 or -errno. */
int rogue_stale(struct rogue *rogue, unsigned int limit_ms);
int rogue_sweep(struct rogue *rogue, unsigned int probes, u64 end);

#endif
